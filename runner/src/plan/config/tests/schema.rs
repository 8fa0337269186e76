//! The published schema is the one that the types describe.

use std::path::Path;

use serde_json::Value;

use super::Overrides;
use super::existing_files::{EVERYTHING, STAGES};
use crate::plan::config::{resolve, schema};
use crate::plan::library;

/// Compares the file with `text`, or writes it where `UPDATE_SCHEMAS` is set.
fn assert_published(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name);
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(published == text, "schemas/{name} is out of date: run this test with UPDATE_SCHEMAS=1");
}

#[test]
fn the_published_schema_is_up_to_date() {
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    assert_published("config.schema.json", &text);
}

fn is_valid(text: &str) -> Result<(), String> {
    let file: Value = toml::from_str(text).unwrap();
    let validator = jsonschema::validator_for(schema().as_value()).unwrap();
    validator.validate(&file).map_err(|error| error.to_string())
}

#[test]
fn every_file_of_the_library_is_embedded_valid_and_resolves() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    assert_eq!(files.len(), library::ENTRIES.len());
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let entry = library::find(path.file_stem().unwrap().to_str().unwrap()).unwrap();
        assert_eq!(entry.text, text);
        assert!((20..120).contains(&entry.description().len()), "{}", entry.description());
        assert_eq!(is_valid(&text), Ok(()), "{}", entry.name);
        let url = Some("http://127.0.0.1:3000/mcp".parse().unwrap());
        let resolved =
            resolve(Some((entry.name, &text)), &Overrides { url, ..Overrides::default() }, &|_| None);
        assert_eq!(resolved.unwrap().notes, Vec::<String>::new(), "{}", entry.name);
    }
}

#[test]
fn a_file_of_the_existing_command_is_valid() {
    assert_eq!(is_valid(&format!("{EVERYTHING}{STAGES}")), Ok(()));
}

#[test]
fn the_schema_refuses_what_the_parser_refuses() {
    for text in [
        "[setings]",
        "[settings]\nvirtual_user = 1",
        "[settings]\nvirtual_users = -1",
        "[settings]\nduration = \"soon\"",
        "[settings]\nsession = \"per_vu\"",
        "[settings]\nmax_body_bytes = \"64 megs\"",
        "[target]\nprotocol = \"1999-01-01\"",
        "[[scenario]]\ntype = \"tool/call\"",
        "[[scenario]]\ntype = \"http\"\nexpect_status = 99",
        "[thresholds]\nerrors = []",
    ] {
        assert!(is_valid(text).is_err(), "{text}");
    }
}
