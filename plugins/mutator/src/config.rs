//! What can be set: which tools, which mutations, and how large.

use std::cell::OnceCell;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::catalog::Catalog;
use crate::mutation::Mutation;

/// The scenario's `config`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The tools to call; none named means all that do not declare themselves destructive.
    pub(crate) tools: Vec<String>,
    /// Names of the mutations to make; none named means all.
    pub(crate) mutations: Vec<String>,
    /// Valid argument sets per tool that are mutated.
    pub(crate) bases: u32,
    /// Length of a huge text, bytes.
    pub(crate) huge_bytes: u32,
    /// Levels of a deep nesting.
    pub(crate) nesting: u32,
    /// What to send: worked out once per instance.
    #[serde(skip)]
    pub(crate) catalog: OnceCell<Catalog>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tools: Vec::new(),
            mutations: Vec::new(),
            bases: 3,
            huge_bytes: 100_000,
            nesting: 100,
            catalog: OnceCell::new(),
        }
    }
}

impl Config {
    /// Whether a mutation is asked for.
    pub(crate) fn wants(&self, mutation: Mutation) -> bool {
        self.mutations.is_empty() || self.mutations.iter().any(|name| name == mutation.name())
    }
}

/// The schema that the host checks a configuration against before the run.
pub(crate) fn schema() -> Value {
    let names: Vec<&str> = Mutation::ALL.iter().map(|mutation| mutation.name()).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "tools": {
                "type": "array", "items": { "type": "string" },
                "description": "The tools to call; none named means all that do not declare themselves destructive",
            },
            "mutations": {
                "type": "array", "items": { "enum": names },
                "description": "The mutations to make; none named means all",
            },
            "bases": {
                "type": "integer", "minimum": 1, "maximum": 100, "default": 3,
                "description": "Valid argument sets per tool that are mutated",
            },
            "huge_bytes": {
                "type": "integer", "minimum": 1, "maximum": 4_000_000, "default": 100_000,
                "description": "Length of a huge text, bytes",
            },
            // JSON readers commonly stop at 128 levels, the host's among them.
            "nesting": {
                "type": "integer", "minimum": 1, "maximum": 120, "default": 100,
                "description": "Levels of a deep nesting",
            },
        },
    })
}
