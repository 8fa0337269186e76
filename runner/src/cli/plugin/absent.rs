//! What is said about plugins by a build that has none.

use crate::error::{Error, ExitCode};

/// Scenarios that are code (not in this build)
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Whatever was asked
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    words: Vec<String>,
}

/// Says that there are no plugins.
///
/// # Errors
/// Always: [`ExitCode::Usage`].
pub(super) fn plugin(arguments: Arguments) -> Result<ExitCode, Error> {
    let Arguments { words } = arguments;
    let what = "this build has no plugins: it was compiled without the cargo feature `plugins`";
    Err(Error::new(ExitCode::Usage, what)
        .at(format!("plugin {}", words.join(" ")))
        .advise("install it with its default features"))
}
