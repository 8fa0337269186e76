//! `plugin build`: makes the one file of a plugin's crate that is run and shared.

use std::path::{Path, PathBuf};

use super::super::print;
use super::component::Component;
use super::guest::{Guest, Profile};
use super::toolchain::ensure_target;
use crate::error::{Error, ExitCode};

/// Build a plugin's crate into the one file that is run and shared
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs Rust and nothing else; the target wasm32-unknown-unknown is installed where rustup is and it is missing.
The crate is built in the folder `plugin` of its target folder, with whatever RUSTFLAGS and cargo's own variables say."
)]
pub(super) struct Arguments {
    /// The folder of the plugin's crate [default: the crate around the current folder]
    path: Option<PathBuf>,
    /// The file to write [default: NAME.wasm in the current folder]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Build without optimization, for looking into it
    #[arg(long)]
    debug: bool,
}

/// Builds the plugin and writes its file.
///
/// # Errors
/// [`ExitCode::Usage`] where there is no crate or no Rust, [`ExitCode::Plugin`] where the crate does not build a plugin.
pub(super) fn build(arguments: &Arguments) -> Result<(), Error> {
    let guest = Guest::find(arguments.path.as_deref())?;
    ensure_target(&guest.folder)?;
    let module = guest.compile(if arguments.debug { Profile::Debug } else { Profile::Release })?;
    let module = std::fs::read(&module).map_err(|error| {
        Error::new(ExitCode::Internal, format!("cannot read {}", module.display())).because(error)
    })?;
    let component = Component::of_module(&module)?;
    let file = arguments.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.wasm", guest.name)));
    write(&file, &component.bytes)?;
    let shown = file.display();
    print::data(&format!("{shown}\n"));
    let (size, interface) = (component.bytes.len().div_ceil(1024), &component.interface);
    print::talk(&format!("{} · {size} KiB · interface pmcp:loadtest {interface}", guest.name));
    print::talk(&format!("next: cargo pmcp loadtest run URL --plugin {shown}"));
    Ok(())
}

/// Writes the file whole or not at all: another may be running the one that was there.
fn write(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut partial = file.to_owned().into_os_string();
    partial.push(".partial");
    std::fs::write(&partial, bytes).and_then(|()| std::fs::rename(&partial, file)).map_err(|error| {
        Error::new(ExitCode::Usage, format!("cannot write {}", file.display()))
            .because(error)
            .advise("name another file with --out")
    })
}
