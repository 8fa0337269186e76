//! Tools that answer at once: `echo`, `add`, `search`, `big`, `route_query`.

use serde_json::{Value, json};

use super::{Arguments, Body, Tool, structured, text};

/// Most bytes that `big` gives.
const MAX_BIG: u64 = 16 * 1024 * 1024;
/// Hits of a search without a limit.
const DEFAULT_LIMIT: u64 = 5;

pub(super) fn tools() -> Vec<Tool> {
    let read_only = json!({ "readOnlyHint": true });
    vec![
        Tool::new(
            json!({
                "name": "echo", "title": "Echo", "description": "Gives back the message", "annotations": read_only,
                "inputSchema": {
                    "type": "object",
                    "properties": { "message": { "type": "string", "description": "What to give back" } },
                    "required": ["message"],
                },
            }),
            Body::Plain(echo),
        ),
        Tool::new(
            json!({
                "name": "add", "title": "Sum", "description": "Adds two numbers", "annotations": read_only,
                "inputSchema": {
                    "type": "object",
                    "properties": { "a": { "type": "number" }, "b": { "type": "number" } },
                    "required": ["a", "b"],
                },
            }),
            Body::Plain(add),
        ),
        Tool::new(
            json!({
                "name": "search", "title": "Search", "description": "Finds documents", "annotations": read_only,
                "inputSchema": {
                    "type": "object",
                    "properties": {
                        "query": { "type": "string", "minLength": 1 },
                        "limit": { "type": "integer", "minimum": 1, "maximum": 50, "default": DEFAULT_LIMIT },
                    },
                    "required": ["query"],
                },
                "outputSchema": {
                    "type": "object",
                    "properties": {
                        "total": { "type": "integer" },
                        "hits": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": { "id": { "type": "string" }, "title": { "type": "string" }, "score": { "type": "number" } },
                                "required": ["id", "title", "score"],
                            },
                        },
                    },
                    "required": ["total", "hits"],
                },
            }),
            Body::Plain(search),
        ),
        Tool::new(
            json!({
                "name": "big", "title": "Big answer", "description": "Gives a text of that many bytes", "annotations": read_only,
                "inputSchema": {
                    "type": "object",
                    "properties": { "bytes": { "type": "integer", "minimum": 0, "maximum": MAX_BIG, "default": 65536 } },
                    "required": ["bytes"],
                },
            }),
            Body::Plain(big),
        ),
        Tool::new(
            json!({
                "name": "route_query", "title": "Routed query", "annotations": read_only,
                "description": "Runs a query in a region that a proxy can read from the headers",
                "inputSchema": {
                    "type": "object",
                    "properties": {
                        "region": { "type": "string", "enum": ["eu-west", "us-east", "ap-south"], "x-mcp-header": "Region" },
                        "options": {
                            "type": "object",
                            "properties": { "priority": { "type": "integer", "minimum": 0, "maximum": 9, "x-mcp-header": "Priority" } },
                        },
                        "query": { "type": "string" },
                    },
                    "required": ["region", "query"],
                },
            }),
            Body::Plain(route_query),
        ),
    ]
}

fn string<'a>(arguments: &'a Arguments, key: &str) -> &'a str {
    arguments.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn echo(arguments: &Arguments) -> Value {
    text(string(arguments, "message"))
}

fn add(arguments: &Arguments) -> Value {
    let number = |key: &str| arguments.get(key).and_then(Value::as_f64).unwrap_or_default();
    text(&(number("a") + number("b")).to_string())
}

fn search(arguments: &Arguments) -> Value {
    let query = string(arguments, "query");
    let limit = arguments.get("limit").and_then(Value::as_u64).unwrap_or(DEFAULT_LIMIT);
    let hits: Vec<Value> = (1..=limit)
        .map(|rank| json!({ "id": format!("{query}-{rank}"), "title": format!("{query}, part {rank}"), "score": 1.0 / rank as f64 }))
        .collect();
    structured(json!({ "total": hits.len(), "hits": hits }))
}

fn big(arguments: &Arguments) -> Value {
    let bytes = arguments.get("bytes").and_then(Value::as_u64).unwrap_or_default().min(MAX_BIG);
    text(&"x".repeat(usize::try_from(bytes).unwrap_or_default()))
}

fn route_query(arguments: &Arguments) -> Value {
    text(&format!("{} in {}", string(arguments, "query"), string(arguments, "region")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{add, big, search};

    fn arguments(value: &Value) -> super::Arguments {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_search_gives_as_many_hits_as_asked_for() {
        let result = search(&arguments(&json!({ "query": "tides", "limit": 3 })));
        assert_eq!(result["structuredContent"]["total"], 3);
        assert_eq!(result["structuredContent"]["hits"][0]["id"], "tides-1");
    }

    #[test]
    fn sums_and_sizes_are_right() {
        assert_eq!(add(&arguments(&json!({ "a": 1.5, "b": 2 })))["content"][0]["text"], "3.5");
        assert_eq!(
            big(&arguments(&json!({ "bytes": 1000 })))["content"][0]["text"].as_str().unwrap().len(),
            1000
        );
    }
}
