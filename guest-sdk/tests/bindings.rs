//! The generated bindings are those of the WIT file.

use std::path::Path;

use wit_bindgen_core::{Files, WorldGenerator as _};
use wit_bindgen_rust::Opts;
use wit_parser::Resolve;

const WIT: &str = include_str!("../wit/loadtest.wit");

/// What `src/bindings.rs` has to be.
fn generate() -> String {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("loadtest.wit", WIT).expect("the WIT file is right");
    let world = resolve.select_world(&[package], Some("loadtest-plugin")).expect("it has this world");
    let options = Opts {
        format: true,
        additional_derive_attributes: vec!["PartialEq".to_owned()],
        default_bindings_module: Some("pmcp_loadtest_guest::bindings".to_owned()),
        export_macro_name: Some("export_plugin".to_owned()),
        generate_unused_types: true,
        pub_export_macro: true,
        ..Opts::default()
    };
    let mut files = Files::default();
    options
        .build()
        .generate(&mut resolve, world, &mut files)
        .expect("every type of the WIT has a form in Rust");
    let (_, content) = files.iter().next().expect("one file is generated");
    String::from_utf8(content.to_vec()).expect("it is text")
}

#[test]
fn the_bindings_are_those_of_the_wit_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bindings.rs");
    let generated = generate();
    if std::env::var_os("UPDATE_BINDINGS").is_some() {
        std::fs::write(&path, &generated).expect("the file can be written");
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    // Not `assert_eq`: nobody reads two times 5,000 lines.
    assert!(
        checked_in == generated,
        "`src/bindings.rs` is not what `wit/loadtest.wit` gives: UPDATE_BINDINGS=1 cargo test -p pmcp-loadtest-guest"
    );
}
