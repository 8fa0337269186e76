//! `report`: prints a saved report.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::ValueEnum;

use super::{locate, print};
use crate::error::{Error, ExitCode};
use crate::live::ColourChoice;
use crate::report::{SavedReport, TextStyle};

/// Print a saved report
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A JSON report, as `run` and `capacity` write it
    file: PathBuf,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// When to use colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, env = "MCP_LOADTEST_COLOR")]
    color: ColourChoice,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a person
    Text,
    /// For a machine
    Json,
}

/// Prints a report in the format that was asked for.
///
/// # Errors
/// [`ExitCode::Usage`] where the file cannot be read as a report.
pub(super) fn report(arguments: &Arguments) -> Result<(), Error> {
    let text = locate::read(&arguments.file)?;
    let report = SavedReport::from_json(&text).map_err(|error| {
        Error::new(
            ExitCode::Usage,
            format!("{} is no report that this version reads", arguments.file.display()),
        )
        .because(error)
    })?;
    print::data(&match arguments.format {
        Format::Text => report.text(style(arguments.color), None),
        Format::Json => report.to_json(),
    });
    Ok(())
}

/// How a report is printed on standard output: in the terminal's width, up to what is still easy to read.
pub(super) fn style(choice: ColourChoice) -> TextStyle {
    const WIDEST: usize = 120;
    let width = terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
    let colour = choice.resolve(|key| std::env::var_os(key), std::io::stdout().is_terminal());
    TextStyle { colour, width: width.unwrap_or(TextStyle::default().width).min(WIDEST) }
}
