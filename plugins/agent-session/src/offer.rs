//! What the target offers to an agent: tools that search, tools that act, resources to read.

use pmcp_loadtest_guest::target::{self, ToolInfo};
use pmcp_loadtest_guest::{Error, Random};
use serde_json::{Map, Value};

use crate::config::Config;
use crate::finds::Finds;

/// Words in the name of a tool that searches; a later row is looked at where an earlier one has no tool.
const SEARCHING: [&[&str]; 2] = [&["search", "find", "lookup"], &["query"]];
/// Properties that hold what is searched for.
const QUERIES: [&str; 8] = ["query", "q", "search", "term", "keyword", "text", "question", "topic"];

/// What the target offers.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) searching: Vec<Tool>,
    pub(crate) acting: Vec<Tool>,
    /// URI templates.
    pub(crate) templates: Vec<String>,
    /// URIs of the resources that the server lists.
    pub(crate) listed: Vec<String>,
}

/// A tool that the host can make arguments for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tool {
    pub(crate) name: String,
    /// The property that holds what is searched for.
    query: Option<String>,
}

impl Offer {
    /// What the target has for this configuration; an error where it lacks a tool that is named.
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let harmless =
            || target::tools().into_iter().filter(|tool| !tool.hints("destructiveHint")).collect::<Vec<_>>();
        let searching =
            if config.search_tools.is_empty() { searching(harmless()) } else { named(&config.search_tools)? };
        let is_other = |tool: &ToolInfo| !searching.iter().any(|other| other.name == tool.name);
        let acting = if config.act_tools.is_empty() {
            harmless().into_iter().filter(is_other).collect()
        } else {
            named(&config.act_tools)?
        };
        let uris = |resources: Vec<target::ResourceInfo>| {
            resources.into_iter().map(|resource| resource.uri).collect()
        };
        Ok(Self {
            searching: callable(&searching),
            acting: callable(&acting),
            templates: uris(target::resource_templates()),
            listed: uris(target::resources()),
        })
    }
}

fn named(names: &[String]) -> Result<Vec<ToolInfo>, Error> {
    let tool =
        |name: &String| target::tool(name).ok_or_else(|| format!("the target has no tool `{name}`").into());
    names.iter().map(tool).collect()
}

fn searching(tools: Vec<ToolInfo>) -> Vec<ToolInfo> {
    let says = |tool: &ToolInfo, words: &[&str]| {
        words.iter().any(|word| tool.name.to_ascii_lowercase().contains(word))
    };
    let row = SEARCHING.into_iter().find(|words| tools.iter().any(|tool| says(tool, words)));
    tools.into_iter().filter(|tool| row.is_some_and(|words| says(tool, words))).collect()
}

/// Those that the host can make arguments for.
fn callable(tools: &[ToolInfo]) -> Vec<Tool> {
    let can_be_called = |tool: &&ToolInfo| target::generate_arguments(&tool.name, 0).is_ok();
    let tools = tools.iter().filter(can_be_called);
    tools
        .map(|tool| Tool { name: tool.name.clone(), query: query(&tool.schema().unwrap_or_default()) })
        .collect()
}

/// The property that holds what is searched for: one of the usual names, else the first text that is required.
fn query(schema: &Value) -> Option<String> {
    let properties = schema.get("properties").and_then(Value::as_object)?;
    let is_text = |name: &&str| properties.get(*name).is_some_and(|property| property["type"] == "string");
    let required =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    QUERIES.into_iter().chain(required).find(is_text).map(str::to_owned)
}

impl Tool {
    /// Arguments for a search for `words`.
    pub(crate) fn search(&self, words: &str, seed: u64) -> Result<Map<String, Value>, Error> {
        let mut arguments = self.arguments(seed)?;
        if let Some(query) = &self.query {
            arguments.insert(query.clone(), words.into());
        }
        Ok(arguments)
    }

    /// Arguments for an act on what was found: ids and URIs are put where the tool asks for some.
    pub(crate) fn act(&self, finds: &Finds, random: &mut Random) -> Result<Map<String, Value>, Error> {
        let mut arguments = self.arguments(random.next_u64())?;
        for (name, value) in arguments.iter_mut().filter(|(_, value)| value.is_string()) {
            let name = name.to_ascii_lowercase();
            let found = if name == "id" || name.ends_with("_id") {
                random.pick(&finds.ids)
            } else if name.ends_with("uri") {
                random.pick(&finds.uris)
            } else {
                None
            };
            if let Some(found) = found {
                *value = found.as_str().into();
            }
        }
        Ok(arguments)
    }

    fn arguments(&self, seed: u64) -> Result<Map<String, Value>, Error> {
        Ok(serde_json::from_str(&target::generate_arguments(&self.name, seed)?)?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_property_to_search_with_is_found() {
        for (schema, expected) in [
            (
                json!({ "properties": { "limit": { "type": "integer" }, "q": { "type": "string" } } }),
                Some("q"),
            ),
            (
                json!({ "required": ["limit", "name"], "properties": {
                "limit": { "type": "integer" }, "name": { "type": "string" } } }),
                Some("name"),
            ),
            (json!({ "properties": { "query": { "type": "integer" } } }), None),
            (json!({}), None),
        ] {
            assert_eq!(query(&schema).as_deref(), expected, "{schema}");
        }
    }
}
