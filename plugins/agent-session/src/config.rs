//! What can be set: the chain, its pace, and which tools serve it.

use std::cell::OnceCell;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::chain::{self, States};
use crate::offer::Offer;

/// The scenario's `config`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The state in which a conversation begins.
    pub(crate) start: String,
    pub(crate) states: States,
    /// Factor of all pauses; 0 is as fast as the server allows.
    pub(crate) pace: f64,
    /// States after which a conversation ends in any case.
    pub(crate) longest: u32,
    /// What is searched for.
    pub(crate) queries: Vec<String>,
    /// The tools that search; none named means those whose names say so.
    pub(crate) search_tools: Vec<String>,
    /// The tools to act with; none named means all others that do not declare themselves destructive.
    pub(crate) act_tools: Vec<String>,
    /// What the target has for this: found once per instance.
    #[serde(skip)]
    pub(crate) offer: OnceCell<Offer>,
}

impl Default for Config {
    fn default() -> Self {
        let queries =
            ["refund policy", "error 500", "quarterly report", "onboarding", "release notes", "api keys"];
        Self {
            start: "tools".to_owned(),
            states: chain::usual(),
            pace: 1.0,
            longest: 40,
            queries: queries.map(str::to_owned).to_vec(),
            search_tools: Vec::new(),
            act_tools: Vec::new(),
            offer: OnceCell::new(),
        }
    }
}

/// The schema that the host checks a configuration against before the run.
pub(crate) fn schema() -> Value {
    let names = |description: &str| json!({ "type": "array", "items": { "type": "string" }, "description": description });
    let pair = |item: &str, description: &str| json!({ "type": "array", "items": { "type": item, "minimum": 0 }, "minItems": 2, "maxItems": 2, "description": description });
    let state = json!({
        "type": "object", "required": ["do"], "additionalProperties": false,
        "properties": {
            "do": { "enum": ["list-tools", "list-resources", "list-prompts", "search", "read", "act"] },
            "think": pair("number", "Seconds of thought before it: at least, at most"),
            "burst": pair("integer", "How often it is done at once: at least, at most"),
            "next": {
                "type": "object", "additionalProperties": { "type": "number", "minimum": 0 },
                "description": "What may follow, by weight; `end` ends the conversation, as nothing does",
            },
        },
    });
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "start": { "type": "string", "default": "tools", "description": "The state in which a conversation begins" },
            "states": { "type": "object", "additionalProperties": state, "description": "The chain" },
            "pace": { "type": "number", "minimum": 0, "default": 1, "description": "Factor of all pauses" },
            "longest": {
                "type": "integer", "minimum": 1, "maximum": 1000, "default": 40,
                "description": "States after which a conversation ends in any case",
            },
            "queries": { "type": "array", "items": { "type": "string" }, "minItems": 1, "description": "What is searched for" },
            "search_tools": names("The tools that search; none named means those whose names say so"),
            "act_tools": names("The tools to act with; none named means all others that do not declare themselves destructive"),
        },
    })
}
