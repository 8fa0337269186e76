//! What can be set: which tools, how often, and how much their arguments vary.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use pmcp_loadtest_arguments::OptionalProperties;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::catalog::Catalog;

/// The scenario's `config`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The tools to call; none named means all that do not declare themselves destructive.
    pub(crate) tools: Vec<String>,
    /// How often each is called beside the others; 1 where nothing is said.
    pub(crate) weights: BTreeMap<String, f64>,
    /// Distinct argument sets per tool, the same for all virtual users; 0 makes new ones for every call.
    pub(crate) cardinality: u32,
    /// Share of the calls, from 0 to 1, with one value moved to a limit of the schema.
    pub(crate) boundary_share: f64,
    pub(crate) optional: Optional,
    /// The tools as the target has them: found once per instance.
    #[serde(skip)]
    pub(crate) catalog: OnceCell<Catalog>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tools: Vec::new(),
            weights: BTreeMap::new(),
            cardinality: 100,
            boundary_share: 0.0,
            optional: Optional::default(),
            catalog: OnceCell::new(),
        }
    }
}

/// Which properties that are not required are given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Optional {
    Never,
    /// Those whose schema names a value.
    Known,
    /// Each with even odds.
    #[default]
    Sometimes,
    Always,
}

impl From<Optional> for OptionalProperties {
    fn from(optional: Optional) -> Self {
        match optional {
            Optional::Never => Self::Never,
            Optional::Known => Self::WithKnownValue,
            Optional::Sometimes => Self::Sometimes,
            Optional::Always => Self::Always,
        }
    }
}

/// The schema that the host checks a configuration against before the run.
pub(crate) fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "tools": {
                "type": "array", "items": { "type": "string" },
                "description": "The tools to call; none named means all that do not declare themselves destructive",
            },
            "weights": {
                "type": "object", "additionalProperties": { "type": "number", "minimum": 0 },
                "description": "How often each tool is called beside the others; 1 where nothing is said",
            },
            "cardinality": {
                "type": "integer", "minimum": 0, "maximum": u32::MAX, "default": 100,
                "description": "Distinct argument sets per tool; 0 makes new ones for every call",
            },
            "boundary_share": {
                "type": "number", "minimum": 0, "maximum": 1, "default": 0,
                "description": "Share of the calls with one value moved to a limit of the schema",
            },
            "optional": {
                "enum": ["never", "known", "sometimes", "always"], "default": "sometimes",
                "description": "Which properties that are not required are given",
            },
        },
    })
}
