//! The rules of 2026-07-28: every request is self-contained, and its headers mirror its body.

use serde_json::{Map, Value, json};

use super::base64_header::decode;
use super::rpc::{Call, HEADER_MISMATCH, INVALID_PARAMS, RpcError, UNSUPPORTED_VERSION};
use super::{MODERN_VERSION, SESSION_VERSIONS, server_info};
use crate::catalog::Catalog;
use crate::http::request::Request;

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";
pub(crate) const LOG_LEVEL_KEY: &str = "io.modelcontextprotocol/logLevel";

/// Whether a request was made under the modern rules. A client that names a revision of the session era is taken at its word,
/// whatever other headers it sends.
pub(crate) fn is_modern(request: &Request, call: &Call) -> bool {
    if call.method == "server/discover" || call.meta().is_some_and(|meta| meta.contains_key(VERSION_KEY)) {
        return true;
    }
    match request.header("mcp-protocol-version") {
        Some(MODERN_VERSION) => true,
        Some(version) if SESSION_VERSIONS.contains(&version) => false,
        _ => request.header("mcp-method").is_some(),
    }
}

/// Checks a request against the rules and gives the client's capabilities.
pub(crate) fn admit(request: &Request, call: &Call, catalog: &Catalog) -> Result<Value, RpcError> {
    let mismatch = |message: String| RpcError::refused(HEADER_MISMATCH, message);
    let missing = |key: &str| RpcError::refused(INVALID_PARAMS, format!("params._meta must hold {key}"));
    let meta = call.meta().ok_or_else(|| missing(VERSION_KEY))?;
    let version = meta.get(VERSION_KEY).and_then(Value::as_str).ok_or_else(|| missing(VERSION_KEY))?;
    let capabilities = meta.get(CAPABILITIES_KEY).filter(|value| value.is_object());
    let capabilities = capabilities.ok_or_else(|| missing(CAPABILITIES_KEY))?;
    match request.header("mcp-protocol-version") {
        Some(header) if header == version => {}
        header => {
            return Err(mismatch(format!("MCP-Protocol-Version is {header:?}, the body says {version:?}")));
        }
    }
    if version != MODERN_VERSION {
        let data = json!({ "supported": [MODERN_VERSION], "requested": version });
        return Err(RpcError::refused(UNSUPPORTED_VERSION, "unsupported protocol version").with_data(data));
    }
    if request.header("mcp-method") != Some(&call.method) {
        let header = request.header("mcp-method");
        return Err(mismatch(format!("Mcp-Method is {header:?}, the body says {:?}", call.method)));
    }
    check_name(request, call)?;
    if call.method == "tools/call" {
        check_arguments(request, call, catalog)?;
    }
    Ok(capabilities.clone())
}

fn check_name(request: &Request, call: &Call) -> Result<(), RpcError> {
    if !matches!(call.method.as_str(), "tools/call" | "prompts/get" | "resources/read") {
        return Ok(());
    }
    let Some(name) = call.name() else { return Ok(()) };
    let header = request.header("mcp-name").and_then(decode);
    if header.as_deref() == Some(name) {
        return Ok(());
    }
    Err(RpcError::refused(HEADER_MISMATCH, format!("Mcp-Name is {header:?}, the body says {name:?}")))
}

/// Compares the `Mcp-Param-*` headers with the arguments whose schema asks for them.
fn check_arguments(request: &Request, call: &Call, catalog: &Catalog) -> Result<(), RpcError> {
    let Some(tool) = call.name().and_then(|name| catalog.tool(name)) else { return Ok(()) };
    for (path, header) in tool.mirrored() {
        let name = format!("Mcp-Param-{header}");
        let argument = path
            .iter()
            .try_fold(call.params.get("arguments"), |value, key| value.map(|value| value.get(key)))
            .flatten();
        let expected = argument.filter(|value| !value.is_null());
        let given =
            match request.header(&name) {
                None => None,
                Some(value) => Some(decode(value).ok_or_else(|| {
                    RpcError::refused(HEADER_MISMATCH, format!("{name} is not valid base64"))
                })?),
            };
        if !agree(given.as_deref(), expected) {
            let message = format!("{name} is {given:?}, the argument is {expected:?}");
            return Err(RpcError::refused(HEADER_MISMATCH, message));
        }
    }
    Ok(())
}

fn agree(header: Option<&str>, argument: Option<&Value>) -> bool {
    match (header, argument) {
        (None, None) => true,
        (Some(header), Some(Value::String(text))) => header == text,
        (Some(header), Some(Value::Bool(flag))) => header == if *flag { "true" } else { "false" },
        (Some(header), Some(Value::Number(number))) => header == number.to_string(),
        _ => false,
    }
}

/// What `server/discover` answers.
pub(crate) fn discovery() -> Value {
    json!({
        "supportedVersions": [MODERN_VERSION],
        "capabilities": {
            "tools": { "listChanged": true },
            "resources": {},
            "prompts": { "listChanged": true },
            "completions": {},
        },
        "_meta": { "io.modelcontextprotocol/serverInfo": server_info() },
    })
}

/// Makes a result a modern one: `resultType`, and cache hints where the method has them.
pub(crate) fn dress(method: &str, result: &mut Map<String, Value>) {
    if !result.contains_key("resultType") {
        result.insert("resultType".into(), "complete".into());
    }
    let cacheable = matches!(
        method,
        "server/discover"
            | "tools/list"
            | "prompts/list"
            | "resources/list"
            | "resources/templates/list"
            | "resources/read"
    );
    if cacheable && result["resultType"] == "complete" {
        result.insert("ttlMs".into(), 60_000.into());
        result.insert("cacheScope".into(), "public".into());
    }
}
