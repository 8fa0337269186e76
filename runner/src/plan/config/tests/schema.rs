//! The published schema is the one that the types describe.

use std::path::Path;

use crate::plan::config::schema;

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
