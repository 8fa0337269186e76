//! Our own failures, and the exit code of each. Whatever a server does is an `Outcome`, not an error.

use std::fmt;

/// The exit codes of every command. `91` beats `99` beats `90`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitCode {
    /// Everything that was asked holds.
    Passed,
    /// Our own failure.
    Internal,
    /// Wrong usage or configuration.
    Usage,
    /// The target wants credentials.
    AuthenticationNeeded,
    /// The target cannot be reached, or the handshake failed.
    Unreachable,
    /// A plugin failed.
    Plugin,
    /// Slower than the baseline.
    Regression,
    /// The measurement itself cannot be trusted.
    Inconclusive,
    /// A threshold failed, or no call succeeded.
    Failed,
    /// Interrupted by the user; the report is written.
    Interrupted,
}

impl ExitCode {
    /// The number the process ends with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::AuthenticationNeeded => 3,
            Self::Unreachable => 4,
            Self::Plugin => 5,
            Self::Regression => 90,
            Self::Inconclusive => 91,
            Self::Failed => 99,
            Self::Interrupted => 130,
        }
    }
}

/// A failure of ours, in three parts for the person who reads it: what happened, where, what to do next.
#[derive(Debug)]
pub struct Error {
    /// What the process ends with.
    pub exit: ExitCode,
    /// What happened, as a lower-case fragment.
    pub what: String,
    /// Where: a file with line and column, a flag, a URL.
    pub place: Option<String>,
    /// What to do next.
    pub next: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error that ends the process with `exit`.
    pub fn new(exit: ExitCode, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), place: None, next: None, source: None }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn advise(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)?;
        if let Some(place) = &self.place {
            write!(formatter, "\n  at: {place}")?;
        }
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(formatter, "\n  because: {error}")?;
            cause = error.source();
        }
        if let Some(next) = &self.next {
            write!(formatter, "\n  next: {next}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
