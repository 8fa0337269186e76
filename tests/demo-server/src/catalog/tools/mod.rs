//! The demo's tools: definitions with real schemas, and what they do.

mod code;
mod items;
mod plain;
mod slow;

use serde_json::{Map, Value, json};

use super::fixtures::FixtureTool;
use super::schema::complaint;
use crate::protocol::dispatch::Stop;
use crate::protocol::exchange::Exchange;
use crate::protocol::rpc::Call;
use slow::SlowTool;

/// The arguments of a call, already valid under the tool's schema.
pub(crate) type Arguments = Map<String, Value>;

/// A tool.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    /// What `tools/list` gives.
    pub(crate) definition: Value,
    body: Body,
    /// Arguments that headers mirror: the path in the arguments and the header's name.
    mirrored: Vec<(Vec<String>, String)>,
}

/// What a tool does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body {
    /// Answers at once.
    Plain(fn(&Arguments) -> Value),
    /// Takes time, talks, or needs to know who asks.
    Slow(SlowTool),
    /// Belongs to the conformance suite.
    Fixture(FixtureTool),
}

/// The demo's tools.
pub(crate) fn all() -> Vec<Tool> {
    [plain::tools(), items::tools(), slow::tools(), code::tools()].into_iter().flatten().collect()
}

impl Tool {
    /// A tool whose definition holds `name` and `inputSchema`.
    pub(crate) fn new(definition: Value, body: Body) -> Self {
        let name = definition["name"].as_str().unwrap_or_default().to_owned();
        let mut mirrored = Vec::new();
        find_mirrored(&definition["inputSchema"], &mut Vec::new(), &mut mirrored);
        Self { name, definition, body, mirrored }
    }

    /// Arguments that headers mirror: the path in the arguments and the header's name.
    pub(crate) fn mirrored(&self) -> &[(Vec<String>, String)] {
        &self.mirrored
    }

    /// Runs the tool. Arguments that its schema refuses give an `isError` result, so that a caller can see what it did wrong.
    pub(crate) async fn call(&self, exchange: &mut Exchange<'_, '_>, call: &Call) -> Result<Value, Stop> {
        let empty = Value::Object(Map::new());
        let arguments = call.params.get("arguments").filter(|value| !value.is_null()).unwrap_or(&empty);
        let arguments = match (complaint(&self.definition["inputSchema"], arguments), arguments) {
            (None, Value::Object(arguments)) => arguments,
            (said, _) => {
                return Ok(failure(&format!("invalid arguments: {}", said.unwrap_or_default())));
            }
        };
        match self.body {
            Body::Plain(run) => Ok(run(arguments)),
            Body::Slow(tool) => Box::pin(tool.run(exchange, arguments)).await,
            Body::Fixture(tool) => Box::pin(tool.run(exchange, arguments, call)).await,
        }
    }
}

fn find_mirrored(schema: &Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    for (key, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        path.push(key.clone());
        if let Some(header) = property.get("x-mcp-header").and_then(Value::as_str) {
            found.push((path.clone(), header.to_owned()));
        }
        find_mirrored(property, path, found);
        path.pop();
    }
}

/// A result of one text.
pub(crate) fn text(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }] })
}

/// A result with structured content, repeated as text as the protocol advises.
pub(crate) fn structured(content: Value) -> Value {
    let mut result = text(&content.to_string());
    result["structuredContent"] = content;
    result
}

/// A result that says the tool failed.
pub(crate) fn failure(message: &str) -> Value {
    let mut result = text(message);
    result["isError"] = true.into();
    result
}

#[cfg(test)]
mod tests {
    use super::{Tool, all};

    #[test]
    fn every_tool_has_a_name_of_its_own_and_an_object_schema() {
        let tools = all();
        for tool in &tools {
            assert!(!tool.name.is_empty());
            assert_eq!(tool.definition["inputSchema"]["type"], "object", "{}", tool.name);
            assert_eq!(tools.iter().filter(|other| other.name == tool.name).count(), 1, "{}", tool.name);
        }
    }

    #[test]
    fn mirrored_arguments_are_found_at_any_depth() {
        let tools = all();
        let mirrored: Vec<_> = tools.iter().flat_map(Tool::mirrored).collect();
        assert!(mirrored.iter().any(|(path, header)| path == &["region"] && header == "Region"));
        assert!(mirrored.iter().any(|(path, _)| path.len() == 2));
    }
}
