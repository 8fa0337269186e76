//! Plugins that mean harm, or are none: each refused with a sentence, or borne while everything else goes on.
//!
//! The guests are in `tests/guests`; they are built once per process, in the folder that all guests are built in.

mod borne;
mod crafted;
mod fuzz;
mod refused;

use std::path::PathBuf;
use std::sync::LazyLock;

use crate::tool::Tool;

/// The component of one of `tests/guests`.
pub(crate) fn guest(name: &'static str) -> String {
    static MISBEHAVING: LazyLock<PathBuf> = LazyLock::new(|| built("misbehaving"));
    static CHAOS: LazyLock<PathBuf> = LazyLock::new(|| built("chaos"));
    static OBEDIENT: LazyLock<PathBuf> = LazyLock::new(|| built("obedient"));
    let built = match name {
        "chaos" => &CHAOS,
        "obedient" => &OBEDIENT,
        _ => &MISBEHAVING,
    };
    built.to_string_lossy().into_owned()
}

fn built(name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository");
    let (folder, target) = (root.join("tests/guests").join(name), root.join("target/guests"));
    let file = target.join(format!("{name}.wasm"));
    Tool::new("plugin build")
        .arg(&folder.to_string_lossy())
        .arg("--out")
        .arg(&file.to_string_lossy())
        .env("CARGO_TARGET_DIR", &target.to_string_lossy())
        .end()
        .expect(0);
    file
}

/// A scenario of the misbehaving plugin.
pub(crate) fn scenario(how: &str) -> String {
    let file = guest("misbehaving");
    format!("[[scenario]]\nname = \"{how}\"\nplugin = '{file}'\nconfig = {{ how = \"{how}\" }}\n")
}
