//! Whole files in, plans or pictures of mistakes out.

mod existing_files;
mod layers;
mod mistakes;
mod schema;

use super::{ConfigErrors, Overrides, Resolved, resolve};

/// What the shortest valid file needs besides the lines under test.
const TARGET: &str = "[target]\nurl = \"http://127.0.0.1:3000/mcp\"\n";
const SCENARIO: &str = "[[scenario]]\ntype = \"ping\"\n";

/// Resolves `text` with no flags and an empty environment.
fn plain(text: &str) -> Result<Resolved, ConfigErrors> {
    with(text, &Overrides::default())
}

/// Resolves `text` under `overrides` and an empty environment.
fn with(text: &str, overrides: &Overrides) -> Result<Resolved, ConfigErrors> {
    resolve(Some(("loadtest.toml", text)), overrides, &|_| None)
}
