//! What is wrong with a configuration, drawn for the person who wrote it.

use std::fmt;
use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use super::source::{Place, Source};
use crate::error::{Error, ExitCode};

/// One mistake: what it is, where it stands, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong, as a fragment without a full stop.
    pub message: String,
    /// Where it stands; `None` for flags and for what is missing altogether.
    pub place: Option<Place>,
    /// What to do about it.
    pub help: Option<String>,
}

/// All mistakes that were found; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

/// Widest excerpt that is shown whole, in characters; a longer line is cut around the caret.
const EXCERPT: usize = 110;

impl ConfigErrors {
    /// The mistakes, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        let Some(place) = &self.place else {
            return self.help.as_ref().map_or(Ok(()), |help| write!(formatter, "\n  help: {help}"));
        };
        let number = place.line.to_string();
        let gutter = " ".repeat(number.len());
        let (before, marked, line) = window(place);
        write!(
            formatter,
            "\n{gutter}--> {}:{}:{}\n{gutter} |\n{number} | {line}\n{gutter} | {}{}",
            place.file,
            place.line,
            place.column,
            " ".repeat(before.width()),
            "^".repeat(marked.width().max(1))
        )?;
        self.help.as_ref().map_or(Ok(()), |help| write!(formatter, "\n{gutter} = help: {help}"))
    }
}

/// What stands before the mark, the mark, and the part of the line that is shown.
fn window(place: &Place) -> (String, String, String) {
    let characters: Vec<char> = place.excerpt.chars().collect();
    let mark = (place.column - 1).min(characters.len());
    let start = if characters.len() <= EXCERPT { 0 } else { mark.saturating_sub(EXCERPT / 2) };
    let end = characters.len().min(start + EXCERPT);
    let marked_end = (mark + place.length).min(end);
    let cut = |shown: bool| if shown { "..." } else { "" };
    let text = |range: Range<usize>| characters[range].iter().collect::<String>();
    (
        format!("{}{}", cut(start > 0), text(start..mark)),
        text(mark..marked_end),
        format!("{}{}{}", cut(start > 0), text(start..end), cut(end < characters.len())),
    )
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() > 1 {
            write!(formatter, "{} mistakes in the configuration\n\n", self.0.len())?;
        }
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n\n")?;
            }
            error.fmt(formatter)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
impl std::error::Error for ConfigErrors {}

impl From<ConfigErrors> for Error {
    fn from(errors: ConfigErrors) -> Self {
        Self::new(ExitCode::Usage, errors.to_string())
    }
}

/// Collects mistakes while a configuration is read, so that all of them are told at once.
#[derive(Debug)]
pub(super) struct Problems<'a> {
    source: Source<'a>,
    found: Vec<ConfigError>,
}

impl<'a> Problems<'a> {
    /// No mistakes in `source` yet.
    pub(super) fn new(source: Source<'a>) -> Self {
        Self { source, found: Vec::new() }
    }

    /// The text that is read.
    pub(super) fn source(&self) -> Source<'a> {
        self.source
    }

    /// Notes a mistake that stands at `span`.
    pub(super) fn at(&mut self, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.within(self.source, span, message, help);
    }

    /// Notes a mistake that stands at `span` of another text: of a flag.
    pub(super) fn within(
        &mut self,
        source: Source<'_>,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let place = Some(source.place(span));
        self.found.push(ConfigError { message: message.into(), place, help: Some(help.into()) });
    }

    /// How many mistakes there are so far.
    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// Notes a mistake that stands nowhere in the file: in a flag, or in what is missing.
    pub(super) fn anywhere(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.found.push(ConfigError { message: message.into(), place: None, help: Some(help.into()) });
    }

    /// `value` if nothing was wrong. Whoever returns `None` instead of a value has noted why.
    pub(super) fn or<T>(self, value: Option<T>) -> Result<T, ConfigErrors> {
        debug_assert!(
            value.is_some() || !self.found.is_empty(),
            "a value is missing and no mistake was noted"
        );
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => Err(ConfigErrors(self.found)),
        }
    }
}
