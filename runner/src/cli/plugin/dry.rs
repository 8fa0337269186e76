//! A server that is not there: it offers tools and makes up its answers, so that a plugin can be seen without one.
//!
//! In: what is offered. Out: a [`MemoryServer`] whose answer depends on the request alone, never on time or on what came before.

use std::time::Duration;

use pmcp_loadtest_arguments::{Draws, OptionalProperties, Options, generate};
use serde_json::{Value, json};

use crate::drive::transport::{MemoryReply, MemoryRequest, MemoryServer};
use crate::error::{Error, ExitCode};
use crate::plan::Revision;
use crate::plan::discovery::{Annotations, Discovery, Tool};

/// JSON-RPC: there is no such method.
const METHOD_NOT_FOUND: i64 = -32601;
/// Texts of an answer that differ.
const VARIETY: u64 = 1_000;

/// What a file with the result of `tools/list` offers; its answer as a whole and a bare list are understood, too.
///
/// # Errors
/// [`ExitCode::Usage`] where there is no tool in it.
pub(super) fn offer_of(name: &str, text: &str) -> Result<Discovery, Error> {
    let refused = |what: &str| {
        Error::new(ExitCode::Usage, what).at(name).advise(
            "write the result of tools/list into it: {\"tools\": [{\"name\": ..., \"inputSchema\": ...}]}",
        )
    };
    let value: Value =
        serde_json::from_str(text).map_err(|error| refused("this is not JSON").because(error))?;
    let result = match &value {
        Value::Array(_) => json!({ "tools": value }),
        _ => value.get("result").unwrap_or(&value).clone(),
    };
    let page = Tool::page(&result);
    match page.skipped.first() {
        Some(reason) => Err(refused(&format!("not every tool can be read: {reason}"))),
        None if page.entries.is_empty() => Err(refused("there is no tool in it")),
        None => Ok(offering(page.entries)),
    }
}

/// An offer of tools and nothing else.
fn offering(tools: Vec<Tool>) -> Discovery {
    Discovery {
        server: None,
        revision: Revision::V2025_11_25,
        capabilities: json!({ "tools": {} }),
        instructions: None,
        tools,
        resources: Vec::new(),
        resource_templates: Vec::new(),
        prompts: Vec::new(),
    }
}

/// Adds the tools that a plugin cannot do without, where they are missing; they take any arguments.
pub(super) fn add_required(offer: &mut Discovery, names: &[String]) {
    for name in names {
        if offer.tools.iter().all(|tool| tool.name != *name) {
            offer.tools.push(Tool {
                name: name.clone(),
                title: None,
                description: None,
                input_schema: json!({ "type": "object" }),
                output_schema: None,
                annotations: Annotations::default(),
            });
        }
    }
}

/// A server of the session era with this offer.
pub(super) fn server(offer: Discovery) -> MemoryServer {
    MemoryServer::new(move |request| reply(&offer, request)).at_once()
}

fn reply(offer: &Discovery, request: &MemoryRequest) -> MemoryReply {
    let message: Value = serde_json::from_str(&request.body).unwrap_or_default();
    let Some(method) = message["method"].as_str() else {
        // A stream of the server's own, the end of a session, or a plain request.
        return response(if request.method == "GET" { 405 } else { 200 }, "", None, String::new());
    };
    if message.get("id").is_none() {
        return response(202, "", None, String::new());
    }
    let answer = if let Some(result) = result(offer, method, &message["params"]) {
        json!({ "jsonrpc": "2.0", "id": message["id"], "result": result })
    } else {
        let error =
            json!({ "code": METHOD_NOT_FOUND, "message": format!("no method `{method}` in a dry run") });
        json!({ "jsonrpc": "2.0", "id": message["id"], "error": error })
    };
    let session = (method == "initialize").then(|| "dry".to_owned());
    response(200, "application/json", session, answer.to_string())
}

fn response(
    status: u16,
    content_type: &'static str,
    session_id: Option<String>,
    body: String,
) -> MemoryReply {
    MemoryReply::Response { after: Duration::ZERO, status, content_type, session_id, body }
}

/// The result of a request; `None` where there is no such method.
fn result(offer: &Discovery, method: &str, params: &Value) -> Option<Value> {
    Some(match method {
        "initialize" => json!({
            "protocolVersion": Revision::V2025_11_25.as_str(),
            "capabilities": { "tools": {}, "resources": {}, "prompts": {}, "completions": {} },
            "serverInfo": { "name": "nobody", "version": "" },
        }),
        "ping" => json!({}),
        "tools/list" => json!({ "tools": offer.tools.iter().map(definition).collect::<Vec<_>>() }),
        "tools/call" => called(offer, params),
        "resources/list" => {
            let listed = offer.resources.iter().map(|it| json!({ "uri": it.uri, "name": it.name }));
            json!({ "resources": listed.collect::<Vec<_>>() })
        }
        "resources/templates/list" => {
            let listed = offer
                .resource_templates
                .iter()
                .map(|it| json!({ "uriTemplate": it.uri_template, "name": it.name }));
            json!({ "resourceTemplates": listed.collect::<Vec<_>>() })
        }
        "resources/read" => {
            let text = format!("made up for {}", shown(&params["uri"]));
            json!({ "contents": [{ "uri": params["uri"], "mimeType": "text/plain", "text": text }] })
        }
        "prompts/list" => {
            let listed = offer.prompts.iter().map(|it| {
                let named = it.arguments.iter().map(|it| json!({ "name": it.name, "required": it.required }));
                json!({ "name": it.name, "arguments": named.collect::<Vec<_>>() })
            });
            json!({ "prompts": listed.collect::<Vec<_>>() })
        }
        "prompts/get" => {
            let text = format!("made up for {}", shown(&params["name"]));
            json!({ "messages": [{ "role": "user", "content": { "type": "text", "text": text } }] })
        }
        "completion/complete" => json!({ "completion": { "values": [], "hasMore": false } }),
        _ => return None,
    })
}

fn definition(tool: &Tool) -> Value {
    let Annotations { read_only, destructive, idempotent, open_world } = tool.annotations;
    let annotations = json!({
        "readOnlyHint": read_only,
        "destructiveHint": destructive,
        "idempotentHint": idempotent,
        "openWorldHint": open_world,
    });
    let mut definition =
        json!({ "name": tool.name, "inputSchema": tool.input_schema, "annotations": annotations });
    if let Some(description) = &tool.description {
        definition["description"] = description.as_str().into();
    }
    if let Some(schema) = &tool.output_schema {
        definition["outputSchema"] = schema.clone();
    }
    definition
}

/// A tool's answer: what its output schema allows, where it has one.
fn called(offer: &Discovery, params: &Value) -> Value {
    let schema = offer
        .tools
        .iter()
        .find(|tool| params["name"].as_str() == Some(&tool.name))
        .and_then(|tool| tool.output_schema.as_ref());
    let mut draws = draws(params);
    let variation = u32::try_from(1 + draws.below(VARIETY)).unwrap_or(1);
    let options = Options { variation, optional: OptionalProperties::Always };
    let made_up = schema.and_then(|schema| generate(schema, &mut draws, options).ok());
    let text = match &made_up {
        Some(value) => value.to_string(),
        None => format!("made up for {}", shown(&params["name"])),
    };
    let mut result = json!({ "content": [{ "type": "text", "text": text }] });
    if let Some(value) = made_up {
        result["structuredContent"] = value;
    }
    result
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| "nothing".to_owned(), |text| format!("`{text}`"))
}

/// Random draws that depend on the parameters: the same question has the same answer (FNV-1a, 64 bits).
fn draws(params: &Value) -> Draws {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let text = params.to_string();
    Draws::of(text.bytes().fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(offer: &Discovery, method: &str, params: &Value) -> Value {
        result(offer, method, params).unwrap()
    }

    #[test]
    fn the_same_question_has_the_same_answer_and_it_fits_the_output_schema() {
        let schema = json!({
            "type": "object", "required": ["hits"],
            "properties": {"hits": {"type": "array", "minItems": 1, "items": {"type": "string"}}},
        });
        let text =
            json!({"tools": [{"name": "search", "inputSchema": {}, "outputSchema": schema}]}).to_string();
        let offer = offer_of("tools.json", &text).unwrap();
        let answers = ["tides", "tides", "maps"]
            .map(|word| ask(&offer, "tools/call", &json!({"name": "search", "arguments": {"query": word}})));
        assert_eq!(answers[0], answers[1]);
        assert_ne!(answers[0], answers[2]);
        assert!(jsonschema::is_valid(&schema, &answers[2]["structuredContent"]), "{}", answers[2]);
    }

    #[test]
    fn what_is_required_is_there_once_and_what_is_listed_can_be_read_back() {
        let text = r#"[{"name": "search", "annotations": {"destructiveHint": true}}]"#;
        let mut offer = offer_of("tools.json", text).unwrap();
        add_required(&mut offer, &["search".to_owned(), "buy".to_owned()]);
        let listed = ask(&offer, "tools/list", &Value::Null);
        assert_eq!(Tool::page(&listed).entries, offer.tools);
        assert_eq!(offer.tools.len(), 2);
        assert_eq!(result(&offer, "tools/sing", &Value::Null), None);
    }

    #[test]
    fn a_file_without_tools_is_refused_with_what_it_should_hold() {
        for (text, what) in [
            ("tools", "this is not JSON"),
            ("{}", "the result has no list `tools`"),
            ("{\"result\": {\"tools\": []}}", "there is no tool in it"),
            ("[{\"title\": \"x\"}]", "has no `name`"),
        ] {
            let error = offer_of("tools.json", text).unwrap_err();
            assert_eq!(error.exit, ExitCode::Usage);
            assert!(error.what.contains(what) && error.to_string().contains("next: "), "{error}");
        }
    }
}
