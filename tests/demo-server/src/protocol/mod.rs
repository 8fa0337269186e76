//! MCP on HTTP: messages, the rules of each era, and what happens to one request from its arrival to its answer.

pub(crate) mod base64_header;
pub(crate) mod dispatch;
pub(crate) mod endpoint;
pub(crate) mod exchange;
pub(crate) mod faulty;
pub(crate) mod legacy;
pub(crate) mod modern;
pub(crate) mod rpc;
pub(crate) mod session;
pub(crate) mod streams;

/// The era a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// 2026-07-28: self-contained requests.
    Modern,
    /// 2025-03-26 to 2025-11-25: `initialize`, then requests within what it agreed.
    Session,
}

/// The modern revision served.
pub(crate) const MODERN_VERSION: &str = "2026-07-28";
/// The session era's revisions served, oldest first.
pub(crate) const SESSION_VERSIONS: [&str; 3] = ["2025-03-26", "2025-06-18", "2025-11-25"];

/// How the server names itself.
pub(crate) fn server_info() -> serde_json::Value {
    serde_json::json!({ "name": "pmcp-loadtest-demo-server", "version": env!("CARGO_PKG_VERSION") })
}
