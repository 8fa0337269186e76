//! What is wrong before the load keeps it from starting: files and configurations with 2, what is no working plugin with 5.

use std::fs::{self, File};
use std::process::Command;

use super::crafted::{component, manifest, plugin, plugin_for};
use super::{guest, scenario};
use crate::tool::{Ended, Tool, server};

/// A run of a file of these bytes that is not to take long over it.
fn run(bytes: &[u8]) -> Ended {
    let server = server("{}");
    let tool = Tool::run(&server, "--plugin it.wasm --iterations 1");
    fs::write(tool.folder().join("it.wasm"), bytes).expect("a file");
    tool.config("[plugins]\nstart_timeout = \"300ms\"\nmemory = \"8 MiB\"\n").end()
}

/// Asserts an exit code, a sentence, and that what was said neither fills a screen nor moves a cursor.
fn refused(ended: Ended, code: i32, sentence: &str) {
    let ended = ended.expect(code);
    assert!(ended.stderr.contains(sentence), "`{sentence}` is missing in\n{}", ended.stderr);
    assert!(ended.stderr.len() < 6_000, "{} bytes were said", ended.stderr.len());
    assert!(!ended.stderr.contains(|c: char| c.is_control() && c != '\n'), "{:?}", ended.stderr);
    assert!(ended.reports().is_empty(), "there was no run");
}

#[test]
fn what_is_no_component_is_refused_with_what_it_is() {
    let whole = fs::read(guest("misbehaving")).expect("a component");
    for (bytes, sentence) in [
        (&b"not wasm"[..], "this is not a WebAssembly file"),
        (b"", "this is not a WebAssembly file"),
        (b"(component)", "this is WebAssembly text"),
        (b"\0asm\x01\0\0\0", "this is a core WebAssembly module"),
        (&whole[..whole.len() / 2], "this component cannot be compiled"),
    ] {
        refused(run(bytes), 5, sentence);
    }
}

#[test]
fn a_component_of_another_kind_is_refused_with_what_it_lacks() {
    let many: String = (0..5_000).map(|index| format!("(import \"further-{index}\" (func))")).collect();
    for (text, sentence) in [
        ("(component)".to_owned(), "this component exports nothing"),
        (
            "(component (instance $i) (export \"pmcp:loadtest/plugin@0.2.0\" (instance $i)))".to_owned(),
            "built for version 0.2.0 of the interface, and this program serves 0.1.0",
        ),
        (
            "(component (instance $i) (export \"pmcp:loadtest/plugin@0.1.0\" (instance $i)))".to_owned(),
            "this plugin does not fit interface 0.1.0",
        ),
        (
            "(component (import \"pmcp:loadtest/host@0.1.9\" (instance (export \"subscribe\" (func))))
               (instance $i) (export \"pmcp:loadtest/plugin@0.1.9\" (instance $i)))"
                .to_owned(),
            "this plugin needs version 0.1.9 of the interface",
        ),
        (
            "(component (import \"wasi:cli/environment@0.2.0\" (instance))
               (instance $i) (export \"pmcp:loadtest/plugin@0.1.0\" (instance $i)))"
                .to_owned(),
            "this plugin imports wasi:cli, which no plugin gets",
        ),
        (
            format!("(component {many} (instance $i) (export \"pmcp:loadtest/plugin@0.1.0\" (instance $i)))"),
            "further-4 and 4995 more, which no plugin gets",
        ),
    ] {
        refused(run(&component(&text)), 5, sentence);
    }
}

#[test]
fn a_plugin_built_against_a_later_interface_that_it_makes_no_use_of_is_served() {
    let manifest = manifest((2048, 5), (0, 0), (0, 0)) + "(data (i32.const 2048) \"later\")";
    let component = plugin_for("0.1.7", "i32.const 1024", &manifest);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("later.wasm");
    fs::write(&file, component).expect("a file");
    let shown = Tool::new("plugin inspect").arg(&file.to_string_lossy()).end().expect(0);
    assert!(shown.stdout.contains("pmcp:loadtest 0.1.7 (this program serves 0.1.0)"), "{}", shown.stdout);
}

#[test]
fn a_plugin_that_cannot_say_what_it_is_is_refused_whatever_it_does_instead() {
    let at = "i32.const 1024";
    for (describe, more, sentence) in [
        ("(loop $again (br $again)) unreachable", String::new(), "describe took longer than 300ms"),
        (
            "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable",
            String::new(),
            "describe wanted more memory than 8MiB",
        ),
        ("call $describe", String::new(), "call stack exhausted"),
        ("unreachable", String::new(), "unreachable"),
        ("unreachable", "(func $init unreachable) (start $init)".to_owned(), "unreachable"),
        (
            "unreachable",
            "(func $init (loop $again (br $again))) (start $init)".to_owned(),
            "took longer than",
        ),
        (at, manifest((2048, 2), (0, 0), (0, 0)) + "(data (i32.const 2048) \"\\ff\\fe\")", "utf-8"),
        (at, manifest((2048, u32::MAX), (0, 0), (0, 0)), "describe trapped"),
        (at, manifest((0, 1), (0, u32::MAX), (0, 0)), "describe trapped"),
        (at, manifest((0, 1), (0, 0), (0, 1 << 27)), "describe trapped"),
        // A list whose every entry is the same long text: little memory in the guest, all there is in the host.
        (
            at,
            manifest((0, 1), (0, 0), (4096, 8_000))
                + "(func $fill (local $at i32) (local.set $at (i32.const 4096))
                     (loop $again
                       (i32.store (local.get $at) (i32.const 0))
                       (i32.store offset=4 (local.get $at) (i32.const 131072))
                       (local.set $at (i32.add (local.get $at) (i32.const 8)))
                       (br_if $again (i32.lt_u (local.get $at) (i32.const 68096)))))
                   (start $fill)",
            "describe handed over more than 8MiB at once",
        ),
        (at, manifest((0, 0), (0, 0), (0, 0)), "the plugin has no name"),
    ] {
        refused(run(&plugin(describe, &more)), 5, sentence);
    }
}

#[test]
fn a_plugin_that_hoards_tables_or_memories_is_refused() {
    let tables = "(table 1000000 funcref)".repeat(50);
    refused(run(&plugin("unreachable", &tables)), 5, "wanted more memory than 8MiB");
    let memories = "(memory 1)".repeat(50);
    refused(run(&plugin("unreachable", &memories)), 5, "resource limit exceeded");
}

#[test]
fn a_plugin_that_cannot_be_set_up_is_refused_with_its_own_words() {
    let server = server("{}");
    for (how, sentence) in [
        ("setup-err", "cannot be set up: out of stock"),
        ("setup-speechless", "setup failed and did not say why"),
        ("setup-panic", "panicked: the shelves [31m are empty!!!"),
        ("setup-hush", "setup trapped"),
        ("setup-loop", "setup took longer than 300ms"),
        ("setup-allocate", "setup wanted more memory than 8MiB"),
        ("setup-recurse", "recurse"),
        ("open-err", "cannot be opened for a virtual user: out of stock"),
        ("open-panic", "in misbehaving::misbehave"),
        ("open-loop", "open took longer than 300ms"),
    ] {
        let limits = "[plugins]\nstart_timeout = \"300ms\"\nmemory = \"8 MiB\"\n";
        let tool = Tool::run(&server, "--iterations 1").config(&format!("{limits}{}", scenario(how)));
        refused(tool.end(), 5, sentence);
    }
    let wrong = scenario("x").replace("how =", "who =");
    refused(Tool::run(&server, "--iterations 1").config(&wrong).end(), 2, "\"how\" is a required property");
}

#[cfg(unix)]
#[test]
fn what_is_no_readable_file_is_refused_at_once() {
    let server = server("{}");
    let tool = || Tool::run(&server, "--plugin it.wasm --iterations 1");
    let (absent, folder, pipe, large) = (tool(), tool(), tool(), tool());
    fs::create_dir(folder.folder().join("it.wasm")).expect("a folder");
    let made = Command::new("mkfifo").arg(pipe.folder().join("it.wasm")).status();
    assert!(made.is_ok_and(|status| status.success()), "a pipe");
    let file = File::create(large.folder().join("it.wasm")).expect("a file");
    file.set_len(200 << 20).expect("a sparse file");
    let device = Tool::run(&server, "--plugin /dev/zero --iterations 1");
    for (tool, sentence) in [
        (absent, "the plugin cannot be read"),
        (folder, "this is not a file"),
        (pipe, "this is not a file"),
        (device, "this is not a file"),
        (large, "this file has 210 MB, and a plugin may have 64MiB"),
    ] {
        refused(tool.end(), 2, sentence);
    }
}
