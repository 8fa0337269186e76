//! How a run is shown: what `--progress` asks for, and what stderr can take.

use std::ffi::OsString;
use std::time::Duration;

use clap::ValueEnum;

use super::colour::obeys_codes;

/// The value of `--progress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Progress {
    /// A line that is written over where stderr is a terminal; plain lines where not.
    #[default]
    Auto,
    /// A plain line every ten seconds.
    Plain,
    /// A JSON object every second.
    Jsonl,
    /// Nothing.
    None,
}

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A line that is written over.
    Status,
    /// Lines for a log.
    Plain,
    /// JSON objects.
    Jsonl,
    /// Not at all.
    Silent,
}

impl Progress {
    /// The form for a stream of which this is known.
    pub(super) fn resolve(self, environment: impl Fn(&str) -> Option<OsString>, is_terminal: bool) -> Form {
        match self {
            Self::Auto if obeys_codes(environment, is_terminal) => Form::Status,
            Self::Auto | Self::Plain => Form::Plain,
            Self::Jsonl => Form::Jsonl,
            Self::None => Form::Silent,
        }
    }
}

impl Form {
    /// How often it looks for news. Every worker's tick is a snapshot, so there may be a hundred a second; an eye needs ten.
    pub(super) fn period(self) -> Duration {
        match self {
            Self::Status => Duration::from_millis(100),
            Self::Jsonl => Duration::from_secs(1),
            Self::Plain | Self::Silent => Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::colour::fixtures::environment;

    #[test]
    fn only_a_terminal_that_obeys_codes_gets_a_line_that_is_written_over() {
        let able = environment(&[("TERM", "xterm")]);
        let dumb = environment(&[("TERM", "dumb")]);
        let table = [
            (Progress::Auto.resolve(able, true), Form::Status),
            (Progress::Auto.resolve(able, false), Form::Plain),
            (Progress::Auto.resolve(dumb, true), Form::Plain),
            (Progress::Plain.resolve(able, true), Form::Plain),
            (Progress::Jsonl.resolve(able, true), Form::Jsonl),
            (Progress::None.resolve(able, true), Form::Silent),
        ];
        for (form, expected) in table {
            assert_eq!(form, expected);
        }
    }

    #[test]
    fn no_colour_does_not_mean_no_line() {
        let colourless = environment(&[("TERM", "xterm"), ("NO_COLOR", "1")]);
        assert_eq!(Progress::Auto.resolve(colourless, true), Form::Status);
    }
}
