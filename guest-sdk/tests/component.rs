//! Plugins become components, with what is on every author's machine: cargo, and a target of rustup.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use wit_component::{ComponentEncoder, DecodedWasm};

const TARGET: &str = "wasm32-unknown-unknown";

/// The repository.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where cargo keeps what it builds in a test; it stays, so that only the first run takes long.
fn built() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins")
}

/// Has rustup install the target, once. A Rust without rustup either has it or says better what is missing.
fn have_the_target() {
    static ASKED: Once = Once::new();
    ASKED.call_once(|| {
        let _ = Command::new("rustup").args(["target", "add", TARGET]).output();
    });
}

/// Runs cargo in `folder`. The registry is not asked: whatever a plugin needs, this workspace needs, too.
fn cargo(folder: &Path, arguments: &[&str]) {
    have_the_target();
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", built())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo {arguments:?} (it needs `rustup target add {TARGET}`):\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The names of what a component imports, and of what it exports.
fn interfaces(module: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let module = fs::read(module).expect("cargo has built it");
    let component = ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.validate(true).encode())
        .expect("it becomes a component");
    let DecodedWasm::Component(resolve, world) =
        wit_component::decode(&component).expect("which can be read")
    else {
        panic!("a component is no package of WIT");
    };
    let world = &resolve.worlds[world];
    let imports = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    let exports = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
    (imports, exports)
}

/// Asserts that the plugin can be run by any host that knows version 0.1.0 of the interface and nothing else.
fn assert_self_contained(module: &Path) {
    let (imports, exports) = interfaces(module);
    let known = ["types", "target", "host"].map(|name| format!("pmcp:loadtest/{name}@0.1.0"));
    assert!(imports.is_subset(&BTreeSet::from(known)), "{imports:?}");
    assert_eq!(exports, BTreeSet::from(["pmcp:loadtest/plugin@0.1.0".to_owned()]));
}

#[test]
fn hello_becomes_a_component_that_asks_for_nothing_but_the_loadtest_interfaces() {
    cargo(&workspace(), &["build", "--package=hello", "--target", TARGET]);
    assert_self_contained(&built().join(TARGET).join("debug/hello.wasm"));
}

#[test]
fn a_new_plugin_passes_its_tests_and_becomes_a_component() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("my-plugin");
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("template");
    fs::create_dir_all(folder.join("src")).expect("the folder can be made");
    fs::copy(template.join("src/lib.rs"), folder.join("src/lib.rs")).expect("the source can be copied");
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).expect("the versions can be copied");

    let manifest = fs::read_to_string(template.join("Cargo.toml")).expect("the template has a manifest");
    let published = "pmcp-loadtest-guest = \"0.1\"";
    assert!(manifest.contains(published), "{manifest}");
    let here = format!("pmcp-loadtest-guest = {{ path = {:?} }}", env!("CARGO_MANIFEST_DIR"));
    fs::write(folder.join("Cargo.toml"), manifest.replace(published, &here))
        .expect("the manifest can be written");

    cargo(&folder, &["test"]);
    cargo(&folder, &["build", "--release", "--target", TARGET]);
    assert_self_contained(&built().join(TARGET).join("release/my_plugin.wasm"));
}
