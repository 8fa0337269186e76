//! `plugin`: scenarios that are code. Writes a crate for one, and makes the file of it that `run --plugin` takes.
//!
//! Behind the cargo feature `plugins`; without it, [`plugin`] says so in a sentence.

#[cfg(not(feature = "plugins"))]
mod absent;
#[cfg(feature = "plugins")]
mod build;
#[cfg(feature = "plugins")]
mod component;
#[cfg(feature = "plugins")]
mod guest;
#[cfg(feature = "plugins")]
mod new;
#[cfg(feature = "plugins")]
mod sdk;
#[cfg(feature = "plugins")]
mod template;
#[cfg(feature = "plugins")]
mod toolchain;

#[cfg(not(feature = "plugins"))]
pub(super) use absent::{Arguments, plugin};
#[cfg(feature = "plugins")]
pub(super) use present::{Arguments, plugin};

#[cfg(feature = "plugins")]
mod present {
    use super::{build, new};
    use crate::error::Error;

    /// Write and build plugins: scenarios that are code
    #[derive(Debug, clap::Args)]
    #[command(after_help = "Examples:
  cargo pmcp loadtest plugin new shopper                  write a crate that builds as it stands
  cargo pmcp loadtest plugin build shopper                make shopper.wasm of it
  cargo pmcp loadtest run --demo --plugin shopper.wasm    run it")]
    pub(in crate::cli) struct Arguments {
        #[command(subcommand)]
        command: Command,
    }

    #[derive(Debug, clap::Subcommand)]
    enum Command {
        /// Write the crate of a new plugin
        New(new::Arguments),
        /// Build a plugin's crate into the one file that is run and shared
        Build(build::Arguments),
    }

    /// Does what was asked of plugins.
    ///
    /// # Errors
    /// Those of the subcommand.
    pub(in crate::cli) fn plugin(arguments: Arguments) -> Result<(), Error> {
        match arguments.command {
            Command::New(arguments) => new::new(&arguments),
            Command::Build(arguments) => build::build(&arguments),
        }
    }
}
