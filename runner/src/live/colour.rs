//! What an output stream can take: colour, and lines that are written over. A function of the flag, the environment and whether the
//! stream is a terminal; each stream is asked for itself.

use std::ffi::OsString;

use clap::ValueEnum;

/// The value of `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColourChoice {
    /// As the environment and the terminal have it.
    #[default]
    Auto,
    /// Even into a file.
    Always,
    /// None at all.
    Never,
}

impl ColourChoice {
    /// Whether a stream is coloured: the flag first, then `NO_COLOR`, `CLICOLOR_FORCE` and `CLICOLOR`, then whether it is a terminal
    /// that can. An empty variable counts as unset.
    pub fn resolve(self, environment: impl Fn(&str) -> Option<OsString>, is_terminal: bool) -> bool {
        let set = |name| environment(name).filter(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR").is_some() => false,
            Self::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            Self::Auto if set("CLICOLOR").is_some_and(|value| value == "0") => false,
            Self::Auto => obeys_codes(environment, is_terminal),
        }
    }
}

/// Whether a stream is a terminal that obeys control codes. Only Windows has such terminals without a `TERM`.
pub(super) fn obeys_codes(environment: impl Fn(&str) -> Option<OsString>, is_terminal: bool) -> bool {
    let term = environment("TERM").filter(|value| !value.is_empty());
    is_terminal && term.map_or(cfg!(windows), |name| name != "dumb")
}

#[cfg(test)]
pub(super) mod fixtures {
    use super::*;

    /// Names and values.
    pub(in crate::live) type Variables<'a> = &'a [(&'a str, &'a str)];

    /// An environment of exactly these variables.
    pub(in crate::live) fn environment(variables: Variables<'_>) -> impl Fn(&str) -> Option<OsString> + Copy {
        |name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
    }
}

#[cfg(test)]
mod tests {
    use super::fixtures::{Variables, environment};
    use super::*;

    #[test]
    fn the_flag_beats_the_environment_and_the_environment_beats_the_terminal() {
        use ColourChoice::{Always, Auto, Never};
        const XTERM: (&str, &str) = ("TERM", "xterm-256color");
        let table: &[(ColourChoice, Variables<'_>, bool, bool)] = &[
            (Auto, &[XTERM], true, true),
            (Auto, &[XTERM], false, false),
            (Auto, &[("TERM", "dumb")], true, false),
            (Auto, &[], true, cfg!(windows)),
            (Auto, &[("TERM", "")], true, cfg!(windows)),
            (Always, &[("NO_COLOR", "1"), ("TERM", "dumb")], false, true),
            (Never, &[("CLICOLOR_FORCE", "1"), XTERM], true, false),
            (Auto, &[("NO_COLOR", "1"), XTERM], true, false),
            (Auto, &[("NO_COLOR", "0"), XTERM], true, false),
            (Auto, &[("NO_COLOR", ""), XTERM], true, true),
            (Auto, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true, false),
            (Auto, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], false, true),
            (Auto, &[("CLICOLOR_FORCE", "1"), ("CLICOLOR", "0")], false, true),
            (Auto, &[("CLICOLOR_FORCE", "0"), XTERM], false, false),
            (Auto, &[("CLICOLOR_FORCE", "0"), XTERM], true, true),
            (Auto, &[("CLICOLOR_FORCE", ""), XTERM], false, false),
            (Auto, &[("CLICOLOR", "0"), XTERM], true, false),
            (Auto, &[("CLICOLOR", "1"), XTERM], true, true),
            (Auto, &[("CLICOLOR", "1"), XTERM], false, false),
        ];
        for &(choice, variables, is_terminal, expected) in table {
            let resolved = choice.resolve(environment(variables), is_terminal);
            assert_eq!(resolved, expected, "{choice:?} {variables:?} terminal: {is_terminal}");
        }
    }
}
