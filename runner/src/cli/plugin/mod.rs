//! `plugin`: scenarios that are code. Writes a crate for one, makes the file of it that `run --plugin` takes, and shows what such a
//! file is and does before it is run.
//!
//! Behind the cargo feature `plugins`; without it, `absent.rs` stands in its place and says so in a sentence.

mod build;
mod check;
mod component;
mod dry;
mod guest;
mod ink;
mod inspect;
mod new;
mod rehearsal;
mod sdk;
mod template;
mod test;
mod toolchain;

use crate::error::{Error, ExitCode};

/// Write, build, inspect, test and check plugins: scenarios that are code
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo pmcp loadtest plugin new shopper                  write a crate that builds as it stands
  cargo pmcp loadtest plugin build shopper                make shopper.wasm of it
  cargo pmcp loadtest plugin inspect shopper.wasm         see what it is, and what its config may hold
  cargo pmcp loadtest plugin test shopper.wasm --demo     see what it does, step by step
  cargo pmcp loadtest plugin check shopper.wasm           see whether it keeps the rules, and what it costs
  cargo pmcp loadtest run --demo --plugin shopper.wasm    run it")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write the crate of a new plugin
    New(new::Arguments),
    /// Build a plugin's crate into the one file that is run and shared
    Build(build::Arguments),
    /// Print what a plugin's file is, and what its config may hold
    Inspect(inspect::Arguments),
    /// Run iterations one at a time and show every step, answer and check
    Test(test::Arguments),
    /// See whether a plugin keeps the rules that runs rely on, and what a call of it costs
    Check(check::Arguments),
}

/// Does what was asked of plugins.
///
/// # Errors
/// Those of the subcommand.
pub(super) fn plugin(arguments: Arguments) -> Result<ExitCode, Error> {
    match arguments.command {
        Command::New(arguments) => new::new(&arguments).map(|()| ExitCode::Passed),
        Command::Build(arguments) => build::build(&arguments).map(|()| ExitCode::Passed),
        Command::Inspect(arguments) => inspect::inspect(&arguments).map(|()| ExitCode::Passed),
        Command::Test(arguments) => test::test(&arguments),
        Command::Check(arguments) => check::check(&arguments),
    }
}
