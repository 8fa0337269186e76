//! The Rust target that plugins are compiled for; installed where it is missing.

use std::path::Path;
use std::process::{Command, Stdio};

use super::super::print;
use crate::error::{Error, ExitCode};

/// WebAssembly without a system: no files, no network, no clock, so nothing that a plugin must not have.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// Makes sure that the Rust of this folder compiles for [`TARGET`].
///
/// # Errors
/// [`ExitCode::Usage`] where there is no Rust, or nothing that could install the target.
pub(super) fn ensure_target(folder: &Path) -> Result<(), Error> {
    if has_target(folder)? {
        return Ok(());
    }
    print::talk(&format!("this Rust has no target {TARGET} yet: rustup installs it"));
    let added = Command::new("rustup")
        .args(["target", "add", TARGET])
        .current_dir(folder)
        .stdin(Stdio::null())
        .status();
    match added {
        Ok(status) if status.success() && has_target(folder)? => Ok(()),
        Ok(_) => Err(missing("rustup could not install it; its messages stand above")),
        Err(error) => Err(missing("there is no rustup to install it").because(error)),
    }
}

fn missing(why: &str) -> Error {
    Error::new(ExitCode::Usage, format!("this Rust has no target {TARGET}, and {why}")).advise(format!(
        "run `rustup target add {TARGET}`, or install the target from where your Rust came from"
    ))
}

/// Whether the standard library of the target is there, whoever installed it.
fn has_target(folder: &Path) -> Result<bool, Error> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let answer = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            Error::new(ExitCode::Usage, format!("cannot start {}", rustc.display()))
                .because(error)
                .advise("plugins are compiled with Rust: install it with rustup")
        })?;
    if !answer.status.success() {
        return Err(Error::new(ExitCode::Usage, format!("{} does not work here", rustc.display()))
            .at(folder.display().to_string())
            .because(String::from_utf8_lossy(&answer.stderr).trim()));
    }
    Ok(Path::new(String::from_utf8_lossy(&answer.stdout).trim()).is_dir())
}
