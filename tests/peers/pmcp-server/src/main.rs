//! A small MCP server on the `pmcp` crate, the SDK that most users of this load tester build on.
//!
//! In: `[--json] [--dual-era]`. Out, on standard output: the URL of the endpoint as soon as it listens, then a line for each session that
//! begins or ends, so that a test can compare the server's count with the client's. Ends when it is killed.
//!
//! Without flags it runs with the SDK's defaults: sessions, `initialize` answered as JSON and everything else as an event stream.

use std::collections::HashMap;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use pmcp::server::streamable_http_server::{StreamableHttpServer, StreamableHttpServerConfig};
use pmcp::types::protocol::{LATEST_PROTOCOL_VERSION, PROTOCOL_VERSION_2026_07_28, ProtocolVersion};
use pmcp::types::{Content, GetPromptResult, PromptMessage};
use pmcp::{ResourceCollection, Server, ServerCapabilities, StaticResource, SyncPrompt, SyncTool};
use serde_json::{Value, json};

/// How this run answers, read from the command line.
#[derive(Debug, Default)]
struct Mode {
    /// Every answer is one JSON body instead of an event stream.
    json: bool,
    /// 2026-07-28 is accepted beside the session era.
    dual_era: bool,
}

impl Mode {
    /// Reads the flags; anything unknown is named in the error.
    fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut mode = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "--json" => mode.json = true,
                "--dual-era" => mode.dual_era = true,
                other => return Err(format!("unknown argument `{other}`; known are --json and --dual-era")),
            }
        }
        Ok(mode)
    }
}

/// `echo` and `add`: a string and two numbers are enough to show that generated arguments arrive.
fn build_server(mode: &Mode) -> pmcp::Result<Server> {
    let echo = SyncTool::new("echo", |arguments: Value| {
        Ok(json!({ "echo": text_argument(&arguments, "message")? }))
    })
    .with_description("Gives the message back")
    .with_schema(json!({
        "type": "object",
        "properties": { "message": { "type": "string", "minLength": 1 } },
        "required": ["message"],
    }));
    let add = SyncTool::new("add", |arguments: Value| {
        Ok(json!({ "sum": number_argument(&arguments, "a")? + number_argument(&arguments, "b")? }))
    })
    .with_description("Adds two numbers")
    .with_schema(json!({
        "type": "object",
        "properties": {
            "a": { "type": "number", "minimum": 0, "maximum": 1000 },
            "b": { "type": "number", "minimum": 0, "maximum": 1000 },
        },
        "required": ["a", "b"],
    }));
    let greet = SyncPrompt::new("greet", |arguments: HashMap<String, String>| {
        let who = arguments.get("who").map_or("world", String::as_str);
        let message = PromptMessage::user(Content::text(format!("Greet {who} in one sentence.")));
        Ok(GetPromptResult::new(vec![message], None))
    })
    .with_description("A greeting for somebody")
    .with_argument("who", "Whom to greet", true);
    let notes = ResourceCollection::new().add_resource(
        StaticResource::new_text("note://welcome", "A short note.")
            .with_description("A note that never changes"),
    );

    let mut builder = Server::builder()
        .name("peer-pmcp-server")
        .version(env!("CARGO_PKG_VERSION"))
        .capabilities(ServerCapabilities::default())
        .tool("echo", echo)
        .tool("add", add)
        .prompt("greet", greet)
        .resources(notes);
    if mode.dual_era {
        builder = builder.with_supported_protocol_versions(
            [LATEST_PROTOCOL_VERSION, PROTOCOL_VERSION_2026_07_28]
                .map(|revision| ProtocolVersion(revision.to_owned())),
        );
    }
    builder.build()
}

fn text_argument<'a>(arguments: &'a Value, name: &str) -> pmcp::Result<&'a str> {
    arguments[name].as_str().ok_or_else(|| pmcp::Error::validation(format!("`{name}` must be a string")))
}

fn number_argument(arguments: &Value, name: &str) -> pmcp::Result<f64> {
    arguments[name].as_f64().ok_or_else(|| pmcp::Error::validation(format!("`{name}` must be a number")))
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mode = Mode::from_arguments(std::env::args().skip(1))?;
    let server = Arc::new(build_server(&mode)?);
    let config = StreamableHttpServerConfig {
        enable_json_response: mode.json,
        on_session_initialized: Some(Box::new(|_| println!("session opened"))),
        on_session_closed: Some(Box::new(|_| println!("session closed"))),
        ..StreamableHttpServerConfig::default()
    };
    // The concurrent constructor: the older one serialises every call behind a lock.
    let listener = StreamableHttpServer::with_config_concurrent(
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        server,
        config,
    );
    let (address, serving) = listener.start().await?;
    println!("http://{address}/");
    serving.await?;
    Ok(())
}
