//! Which method does what.

use serde_json::{Map, Value, json};

use super::exchange::Exchange;
use super::rpc::{Call, INVALID_PARAMS, METHOD_NOT_FOUND, RESOURCE_NOT_FOUND, RpcError};
use super::{Era, legacy, modern};
use crate::catalog::page::page;
use crate::http::wire::Gone;

/// Why a method gives no plain result.
#[derive(Debug)]
pub(crate) enum Stop {
    /// An error answer.
    Rpc(RpcError),
    /// The result is not sent but kept for a client that comes back for it.
    Parked(Value),
    /// The client went away.
    Gone,
}

impl From<RpcError> for Stop {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// Runs a method and gives its result, dressed for the caller's era.
pub(crate) async fn dispatch(exchange: &mut Exchange<'_, '_>, call: &Call) -> Result<Value, Stop> {
    match exchange.caller.era {
        Era::Modern => {
            let mut result = match call.method.as_str() {
                "server/discover" => modern::discovery(),
                _ => common(exchange, call).await?,
            };
            if let Value::Object(result) = &mut result {
                modern::dress(&call.method, result);
            }
            Ok(result)
        }
        Era::Session => match call.method.as_str() {
            "initialize" => {
                let (result, session) = legacy::initialize(call, exchange.shared, exchange.performance)?;
                exchange.opened_session = session;
                Ok(result)
            }
            "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => Ok(json!({})),
            _ => common(exchange, call).await,
        },
    }
}

/// The methods that both eras have.
async fn common(exchange: &mut Exchange<'_, '_>, call: &Call) -> Result<Value, Stop> {
    let performance = exchange.performance;
    let catalog = &performance.catalog;
    let size = performance.script.page_size;
    let cursor = call.params.get("cursor");
    match call.method.as_str() {
        "tools/list" => Ok(page("tools", catalog.tool_definitions(), cursor, size)?),
        "resources/list" => Ok(page("resources", &catalog.resources, cursor, size)?),
        "resources/templates/list" => Ok(page("resourceTemplates", &catalog.templates, cursor, size)?),
        "prompts/list" => Ok(page("prompts", &catalog.prompts, cursor, size)?),
        "tools/call" => call_tool(exchange, call).await,
        "resources/read" => Ok(read_resource(exchange, call)?),
        "prompts/get" => {
            let name = call.name().ok_or_else(|| invalid("params.name is missing"))?;
            Ok(catalog.prompt(name, &arguments(call), &call.params)?)
        }
        "completion/complete" => Ok(catalog.complete(&call.params)?),
        _ => {
            let status = if exchange.caller.era == Era::Modern { 404 } else { 200 };
            Err(RpcError::handled(METHOD_NOT_FOUND, "method not found").with_status(status).into())
        }
    }
}

fn invalid(message: &str) -> RpcError {
    RpcError::handled(INVALID_PARAMS, message)
}

fn arguments(call: &Call) -> Map<String, Value> {
    call.params.get("arguments").and_then(Value::as_object).cloned().unwrap_or_default()
}

async fn call_tool(exchange: &mut Exchange<'_, '_>, call: &Call) -> Result<Value, Stop> {
    let performance = exchange.performance;
    let name = call.name().ok_or_else(|| invalid("params.name is missing"))?;
    let tool = performance.catalog.tool(name).ok_or_else(|| invalid(&format!("unknown tool: {name}")))?;
    let mut result = tool.call(exchange, call).await?;
    let padding = performance.script.body_bytes;
    if padding > 0
        && let Some(Value::Array(content)) = result.get_mut("content")
    {
        content.push(json!({ "type": "text", "text": "x".repeat(padding) }));
    }
    Ok(result)
}

fn read_resource(exchange: &Exchange<'_, '_>, call: &Call) -> Result<Value, RpcError> {
    let uri = call.name().ok_or_else(|| invalid("params.uri is missing"))?;
    exchange.performance.catalog.read(uri).ok_or_else(|| {
        let code = match exchange.caller.era {
            Era::Modern => INVALID_PARAMS,
            Era::Session => RESOURCE_NOT_FOUND,
        };
        RpcError::handled(code, "resource not found").with_data(json!({ "uri": uri }))
    })
}
