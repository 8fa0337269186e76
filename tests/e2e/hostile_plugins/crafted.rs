//! Components made from text: what no compiler would make, down to the bytes that a guest hands over.

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// A component of this text.
pub(crate) fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("a component in text form")
}

/// A plugin whose `describe` is this code and whose memory holds these data; everything else traps. The code leaves a pointer to the
/// manifest.
pub(crate) fn plugin(describe: &str, more: &str) -> Vec<u8> {
    plugin_for("0.1.0", describe, more)
}

/// The same, built against this version of the interface.
pub(crate) fn plugin_for(version: &str, describe: &str, more: &str) -> Vec<u8> {
    let export = |name: &str| format!("(export \"pmcp:loadtest/plugin@{version}#{name}\")");
    let module = format!(
        "(module
            (memory (export \"memory\") 2)
            {more}
            (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) i32.const 65536)
            (func $describe {} (result i32) {describe})
            (func {} (param i32 i32 i32 i32 i64 i32) (result i32) unreachable)
            (func {} (param i32 i64) (result i32) unreachable)
            (func {} (param i32 i32 i32 i32 i32 i32) (result i32) unreachable)
            (func {} (param i32 i32 i32) (result i32) unreachable))",
        export("describe"),
        export("setup"),
        export("open"),
        export("[method]scenario.next"),
        export("[method]scenario.finish"),
    );
    let mut module = wat::parse_str(module).expect("a module in text form");
    let mut resolve = Resolve::default();
    let wit = include_str!("../../../guest-sdk/wit/loadtest.wit").replace("@0.1.0", &format!("@{version}"));
    let package = resolve.push_str("loadtest.wit", &wit).expect("the interface");
    let world = resolve.select_world(&[package], Some("loadtest-plugin")).expect("its world");
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("a module that takes a section");
    let encoder = ComponentEncoder::default().module(&module).expect("a module of the interface");
    encoder.validate(true).encode().expect("a component")
}

/// The bytes of a manifest at address 1,024, as the canonical ABI lays it out: name, then two lists, all else nothing.
pub(crate) fn manifest(name: (u32, u32), metrics: (u32, u32), tools: (u32, u32)) -> String {
    let (nine, lists) = ([0; 9], [metrics.0, metrics.1, tools.0, tools.1]);
    let words = [[name.0, name.1].as_slice(), &nine, &lists].concat();
    let bytes = words.into_iter().flat_map(u32::to_le_bytes);
    let text: String = bytes.map(|byte| format!("\\{byte:02x}")).collect();
    format!("(data (i32.const 1024) \"{text}\")")
}
