//! A figure and who said it, so that whatever turns out to be wrong with it later is shown where it was said.

use std::ops::Range;

use crate::plan::config::error::Problems;

/// A figure of the file or of the command line.
#[derive(Debug, Clone)]
pub(super) struct Said<T> {
    /// The figure.
    pub(super) value: T,
    /// Who said it.
    pub(super) by: By,
}

/// Who said something.
#[derive(Debug, Clone)]
pub(super) enum By {
    /// The file, at these bytes.
    File(Range<usize>),
    /// This flag.
    Flag(&'static str),
}

impl Problems<'_> {
    /// Notes a mistake where it was said.
    pub(super) fn said(&mut self, by: &By, message: impl Into<String>, help: impl Into<String>) {
        match by {
            By::File(span) => self.at(span, message, help),
            By::Flag(flag) => self.anywhere(format!("{flag}: {}", message.into()), help),
        }
    }
}
