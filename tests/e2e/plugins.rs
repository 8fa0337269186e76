//! `plugin new` and `plugin build`: from a name to the file that is run and shared, and what is said where that cannot be.
//!
//! The crates are built in one target folder for all tests and all times they run, each under a name of its own.

use std::process::Command;

use wit_component::DecodedWasm;

use crate::tool::{Ended, GUESTS, Tool, number};

/// `plugin` with these words.
fn plugin(words: &str) -> Tool {
    Tool::new(&format!("plugin {words}")).compiling()
}

/// A crate with this library, which needs no other crate.
fn with_crate(tool: Tool, name: &str, library: &str) -> Tool {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n"
    );
    tool.with_file(&format!("{name}/Cargo.toml"), &manifest).with_file(&format!("{name}/src/lib.rs"), library)
}

/// The names of what a component imports and exports.
fn interfaces(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(bytes).expect("a component") else {
        panic!("a package of interfaces")
    };
    let world = &resolve.worlds[world];
    let name = |key| resolve.name_world_key(key);
    (world.imports.keys().map(name).collect(), world.exports.keys().map(name).collect())
}

fn bytes(ended: &Ended, name: &str) -> Vec<u8> {
    std::fs::read(ended.folder().join(name)).expect("a file")
}

#[test]
fn a_new_plugin_passes_its_own_tests_and_builds_into_one_component() {
    let made = plugin("new brand-new").end().expect(0);
    assert_eq!(made.stdout, "brand-new\n");
    assert!(made.stderr.contains("it uses pmcp-loadtest-guest"), "{}", made.stderr);

    let tested = Command::new(env!("CARGO"))
        .args(["test", "--quiet"])
        .current_dir(made.folder().join("brand-new"))
        .env("CARGO_TARGET_DIR", GUESTS)
        .output()
        .expect("cargo starts");
    assert!(tested.status.success(), "{}", String::from_utf8_lossy(&tested.stderr));
    assert!(String::from_utf8_lossy(&tested.stdout).contains(" passed"), "a new crate has a test");

    let built = made.then("plugin build brand-new").compiling().end().expect(0);
    assert_eq!(built.stdout, "brand-new.wasm\n");
    assert!(built.stderr.contains("interface pmcp:loadtest 0.1.0"), "{}", built.stderr);
    assert!(built.stderr.contains("run URL --plugin brand-new.wasm"), "{}", built.stderr);
    let component = bytes(&built, "brand-new.wasm");
    assert!(component.starts_with(b"\0asm\x0d\0\x01\0"), "the magic number of components");
    let (imports, exports) = interfaces(&component);
    assert!(imports.iter().all(|name| name.starts_with("pmcp:loadtest/")), "{imports:?}");
    assert_eq!(exports, ["pmcp:loadtest/plugin@0.1.0"]);

    let words = "run --demo --plugin brand-new.wasm --vus 2 --iterations 20 --min-samples 1 --progress none";
    let ran = built.then(words).end().judged();
    let report = ran.report();
    assert_eq!((number(&report, "/totals/ok"), number(&report, "/totals/failed")), (20, 0), "{}", ran.stderr);

    let again = ran.then("plugin build brand-new --out small.wasm").compiling().end().expect(0);
    assert_eq!(bytes(&again, "small.wasm"), component, "the same source is the same file");
    let large = again.then("plugin build --debug brand-new --out large.wasm").compiling().end().expect(0);
    assert!(bytes(&large, "large.wasm").len() > component.len());
}

#[test]
fn nothing_is_overwritten() {
    let tool = plugin("new shopper").with_file("shopper/mine.txt", "mine");
    let ended = tool.end().expect(2);
    assert!(ended.stderr.contains("shopper is there already"), "{}", ended.stderr);
    assert!(ended.stderr.contains("--path"), "{}", ended.stderr);
    assert_eq!(ended.file("shopper/mine.txt").as_deref(), Some("mine"));
    assert_eq!(ended.file("shopper/Cargo.toml"), None);
    ended
        .then("plugin new shopper --path deep/down/it")
        .end()
        .expect(0)
        .file("deep/down/it/src/lib.rs")
        .expect("a library");
}

#[test]
fn a_name_that_cargo_would_refuse_is_refused_first() {
    for (name, reason) in
        [("2nd", "begins with a letter"), ("a.b", "`.` cannot stand"), ("fn", "something else")]
    {
        let ended = plugin(&format!("new {name}")).end().expect(2);
        assert!(ended.stderr.contains(reason), "{name}: {}", ended.stderr);
        assert_eq!(ended.file(&format!("{name}/Cargo.toml")), None);
    }
}

#[test]
fn a_new_crate_stands_alone_in_a_workspace_that_does_not_expect_it() {
    for (members, alone) in [("[]", true), ("[\"plugins/*\"]", false)] {
        let workspace = format!("[workspace]\nresolver = \"3\"\nmembers = {members}\n");
        let ended =
            plugin("new shopper --path plugins/shopper").with_file("Cargo.toml", &workspace).end().expect(0);
        let manifest = ended.file("plugins/shopper/Cargo.toml").expect("a manifest");
        assert_eq!(manifest.contains("\n[workspace]\n"), alone, "{manifest}");
    }
}

#[test]
fn a_crate_that_is_no_plugins_is_refused_before_it_is_built() {
    let library = "[package]\nname = \"library\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    let tool =
        plugin("build library").with_file("library/Cargo.toml", library).with_file("library/src/lib.rs", "");
    let ended = tool.end().expect(2);
    assert!(ended.stderr.contains("crate-type = [\"cdylib\", \"rlib\"]"), "{}", ended.stderr);

    let tool = with_crate(plugin("build"), "member", "");
    let ended = tool
        .with_file("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"member\"]\n")
        .end()
        .expect(2);
    assert!(ended.stderr.contains("name the folder of the plugin's crate: member"), "{}", ended.stderr);

    for words in ["build", "build nowhere"] {
        let ended = plugin(words).end().expect(2);
        assert!(ended.stderr.contains("plugin new NAME"), "{}", ended.stderr);
    }
    let ended = plugin("build broken").with_file("broken/Cargo.toml", "[package\n").end().expect(2);
    assert!(ended.stderr.contains("cargo cannot read the crate"), "{}", ended.stderr);
}

#[test]
fn a_crate_that_builds_no_plugin_ends_with_five_and_says_why() {
    for (name, library, reason) in [
        ("does-not-compile", "fn nonsense() -> u8 { \"text\" }", "mismatched types"),
        ("exports-nothing", "", "`plugin!(ItsType);`"),
        (
            "wants-a-browser",
            "unsafe extern \"C\" { fn fetch(); }\n#[unsafe(no_mangle)]\npub extern \"C\" fn go() { unsafe { fetch() } }",
            "`env`",
        ),
    ] {
        let ended = with_crate(plugin(&format!("build {name}")), name, library).end().expect(5);
        assert!(ended.stderr.contains(reason), "{name}: {}", ended.stderr);
        assert_eq!((ended.stdout.as_str(), ended.file(&format!("{name}.wasm"))), ("", None));
    }
}

#[cfg(unix)]
#[test]
fn a_missing_target_is_installed_or_asked_for() {
    let script = |text: &str| format!("#!/bin/sh\n{text}\n");
    let build = |rustup: Option<&str>| {
        let tool = with_crate(plugin("build crate-of-a-plugin"), "crate-of-a-plugin", "");
        let tool = tool.with_program("rustc", &script("echo /nowhere"));
        let tool = rustup.into_iter().fold(tool, |tool, text| tool.with_program("rustup", &script(text)));
        let programs = tool.folder().join("bin");
        let rustc = programs.join("rustc").display().to_string();
        tool.env("RUSTC", &rustc).env("PATH", &programs.display().to_string()).end().expect(2).stderr
    };
    let advice = "run `rustup target add wasm32-unknown-unknown`";
    let said = build(None);
    assert!(said.contains("there is no rustup") && said.contains(advice), "{said}");
    let said = build(Some("echo \"rustup was asked: $*\" >&2; exit 1"));
    assert!(said.contains("rustup was asked: target add wasm32-unknown-unknown"), "{said}");
    assert!(said.contains("rustup could not install it") && said.contains(advice), "{said}");
}
