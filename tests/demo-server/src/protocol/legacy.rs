//! The rules of the session era, 2025-03-26 to 2025-11-25: `initialize` agrees on a revision and may open a session that
//! every later request names.

use serde_json::{Value, json};

use super::rpc::{Call, INVALID_REQUEST, RpcError};
use super::session::NoSession;
use super::{SESSION_VERSIONS, server_info};
use crate::http::request::Request;
use crate::play::performance::Performance;
use crate::script::Sessions;
use crate::shared::Shared;

/// Implementation-defined code that servers in use give with 404.
pub(crate) const SESSION_NOT_FOUND: i64 = -32001;
const BAD_REQUEST: i64 = -32000;
const OVERLOADED: i64 = -32603;

/// Checks the version header, and the session where there are sessions; gives the client's capabilities.
pub(crate) fn admit(
    request: &Request,
    shared: &Shared,
    performance: &Performance,
) -> Result<Value, RpcError> {
    if let Some(version) = request.header("mcp-protocol-version")
        && !SESSION_VERSIONS.contains(&version)
    {
        return Err(RpcError::refused(BAD_REQUEST, format!("unsupported protocol version {version:?}")));
    }
    if performance.script.sessions == Sessions::Stateless {
        return Ok(json!({}));
    }
    let id = request
        .header("mcp-session-id")
        .ok_or_else(|| RpcError::refused(INVALID_REQUEST, "the Mcp-Session-Id header is missing"))?;
    match shared.sessions.enter(id, performance.script.requests_per_session) {
        Ok(session) => Ok(session.capabilities.clone()),
        Err(reason) => {
            if reason == NoSession::WornOut {
                shared.books.note(|counters| counters.sessions_lost += 1);
            }
            Err(session_not_found())
        }
    }
}

/// The answer to a request whose session is unknown.
pub(crate) fn session_not_found() -> RpcError {
    RpcError::refused(SESSION_NOT_FOUND, "session not found").with_status(404)
}

/// Agrees on a revision; with sessions, opens one and gives its id.
pub(crate) fn initialize(
    call: &Call,
    shared: &Shared,
    performance: &Performance,
) -> Result<(Value, Option<String>), RpcError> {
    let asked = call.params.get("protocolVersion").and_then(Value::as_str);
    let newest = SESSION_VERSIONS[SESSION_VERSIONS.len() - 1];
    let version = asked.filter(|asked| SESSION_VERSIONS.contains(asked)).unwrap_or(newest);
    let session = match performance.script.sessions {
        Sessions::Stateless => None,
        Sessions::Stateful => {
            let capabilities = call.params.get("capabilities").cloned().unwrap_or_default();
            let opened =
                shared.sessions.open(capabilities, performance.script.seed, performance.script.max_sessions);
            let id = opened
                .map_err(|_| RpcError::refused(OVERLOADED, "too many open sessions").with_status(503))?;
            shared.books.note(|counters| counters.sessions_opened += 1);
            Some(id)
        }
    };
    let result = json!({
        "protocolVersion": version,
        "capabilities": {
            "tools": { "listChanged": true },
            "resources": { "subscribe": true },
            "prompts": { "listChanged": true },
            "completions": {},
            "logging": {},
        },
        "serverInfo": server_info(),
    });
    Ok((result, session))
}
