//! The one writer of whole lines to stderr.

use std::io::{self, Write};
#[cfg(test)]
use std::sync::{Arc, Mutex};

/// Where lines go.
#[derive(Debug, Clone)]
pub(super) enum Sink {
    /// The process's stderr.
    Stderr,
    /// Memory that a test reads.
    #[cfg(test)]
    Memory(Arc<Mutex<Vec<u8>>>),
}

impl Sink {
    /// Writes one line with its line feed in a single write, so that lines of other writers never stand inside it.
    pub(super) fn line(&self, text: &str) {
        let line = format!("{text}\n");
        let written = match self {
            Self::Stderr => io::stderr().lock().write_all(line.as_bytes()),
            #[cfg(test)]
            Self::Memory(lines) => lines.lock().unwrap().write_all(line.as_bytes()),
        };
        // Whoever closed stderr does not want to know; the run and its report go on.
        let _ = written;
    }
}

#[cfg(test)]
impl Sink {
    pub(super) fn memory() -> Self {
        Self::Memory(Arc::default())
    }

    /// What was written so far.
    pub(super) fn written(&self) -> String {
        let Self::Memory(lines) = self else { panic!("stderr cannot be read back") };
        String::from_utf8(lines.lock().unwrap().clone()).unwrap()
    }
}
