//! Whole files in, plans or pictures of mistakes out.

use std::fmt::Write as _;

use super::{ConfigErrors, Overrides, Resolved, resolve};

/// Compares with the snapshot that is called after the test.
macro_rules! assert_shown {
    ($shown:expr) => {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!($shown);
        });
    };
}

mod existing_files;
mod layers;
mod load_flags;
mod load_mistakes;
mod loads;
mod mistakes;
mod plugins;
mod schema;

/// What the shortest valid file needs besides the lines under test.
const TARGET: &str = "[target]\nurl = \"http://127.0.0.1:3000/mcp\"\n";
const SCENARIO: &str = "[[scenario]]\ntype = \"ping\"\n";
/// A scenario that calls a tool.
const SEARCH: &str = "[[scenario]]\ntype = \"tools/call\"\ntool = \"search\"\n";

/// Resolves `text` with no flags and an empty environment.
fn plain(text: &str) -> Result<Resolved, ConfigErrors> {
    with(text, &Overrides::default())
}

/// Resolves `text` under `overrides` and an empty environment.
fn with(text: &str, overrides: &Overrides) -> Result<Resolved, ConfigErrors> {
    resolve(Some(("loadtest.toml", text)), overrides, &|_| None)
}

/// The pictures of all these files, one below the other.
fn gallery(files: &[(&str, &str)]) -> String {
    let mut gallery = String::new();
    for (what, text) in files {
        let shown = plain(text)
            .map_or_else(|errors| errors.to_string(), |resolved| format!("ACCEPTED: {resolved:#?}"));
        write!(gallery, "##### {what}\n{shown}\n\n").unwrap();
    }
    gallery
}
