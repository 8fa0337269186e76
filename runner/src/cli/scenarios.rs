//! `scenarios`: lists the library, prints one.

use super::print;
use crate::error::{Error, ExitCode};
use crate::plan::library;

/// List the scenario library, or print one scenario
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The scenario to print, as a file to start from
    name: Option<String>,
}

/// Prints the library, or the scenario that was named.
///
/// # Errors
/// [`ExitCode::Usage`] where there is none of that name.
pub(super) fn scenarios(arguments: &Arguments) -> Result<(), Error> {
    let Some(name) = &arguments.name else {
        let width = library::ENTRIES.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
        for entry in &library::ENTRIES {
            print::data(&format!("{:width$}  {}\n", entry.name, entry.description()));
        }
        print::talk(
            "\nrun one:   cargo pmcp loadtest run URL --scenario NAME\nprint one: cargo pmcp loadtest scenarios NAME",
        );
        return Ok(());
    };
    print::data(library::find(name).ok_or_else(|| unknown(name))?.text);
    Ok(())
}

/// What to say to a name that the library does not have.
pub(super) fn unknown(name: &str) -> Error {
    let known: Vec<&str> = library::ENTRIES.iter().map(|entry| entry.name).collect();
    Error::new(ExitCode::Usage, format!("the library has no scenario `{name}`"))
        .advise(format!("it has {}", known.join(", ")))
}
