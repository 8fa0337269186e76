//! What can go wrong on purpose, and how often.

use serde::{Deserialize, Serialize};

use super::Only;

/// A fault and the requests it falls on. Requests that the protocol itself refuses (a wrong header, an unknown session) are spared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Share of the matching requests, 0 to 1.
    pub rate: f64,
    /// What happens.
    pub kind: FaultKind,
    /// Requests it is confined to.
    #[serde(default)]
    pub only: Only,
    /// Matching requests that are spared first.
    #[serde(default)]
    pub after: u64,
    /// Times it happens at most.
    #[serde(default)]
    pub at_most: Option<u64>,
}

impl Fault {
    /// A fault that falls on a share of all requests.
    pub fn new(rate: f64, kind: FaultKind) -> Self {
        Self { rate, kind, only: Only::default(), after: 0, at_most: None }
    }

    /// Confines it to one JSON-RPC method.
    #[must_use]
    pub fn on_method(mut self, method: impl Into<String>) -> Self {
        self.only.method = Some(method.into());
        self
    }

    /// Confines it to calls of one tool.
    #[must_use]
    pub fn on_tool(mut self, tool: impl Into<String>) -> Self {
        self.only = Only { method: Some("tools/call".into()), name: Some(tool.into()) };
        self
    }

    /// Spares the first `count` matching requests.
    #[must_use]
    pub fn after(self, count: u64) -> Self {
        Self { after: count, ..self }
    }

    /// Lets it happen `count` times at most.
    #[must_use]
    pub fn at_most(self, count: u64) -> Self {
        Self { at_most: Some(count), ..self }
    }
}

/// One way for an answer to go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// This HTTP status with a short text, nothing executed.
    Status(u16),
    /// 429 with `Retry-After` of this many seconds.
    Throttled(u64),
    /// A JSON-RPC error with this code, on HTTP 200.
    RpcError(i64),
    /// A result with `isError: true`; only `tools/call` can have one, other methods are spared.
    ToolError,
    /// The connection is closed before the answer.
    Drop,
    /// The connection is closed after half the bytes of the answer.
    Cut,
    /// The connection is reset (RST) before the answer.
    Reset,
    /// Bytes that are not HTTP, then the connection is closed.
    Garbage,
    /// Half of a response head, then the connection is closed.
    HalfHead,
    /// A body that is no JSON, in a sound HTTP answer.
    InvalidJson,
    /// The answer carries the id of no request.
    WrongId,
    /// An answer with a foreign id comes first, in the same event stream.
    ForeignIdFirst,
    /// The server's own `ping` comes first, in the same event stream, and the answer waits for its answer (session era).
    PingFirst,
    /// This many log notifications come first, in the same event stream.
    NotificationsFirst(u32),
    /// The event stream ends after its priming event; the answer waits for a GET with that event's id (session era).
    Resume,
    /// `Content-Length` says less than the body has (JSON form; a stream loses its final chunk), then the connection is closed.
    Truncated,
    /// No answer; the connection stays open until the client closes it.
    Never,
    /// The session is forgotten: 404 from this request on (session era; spared without a session).
    SessionLost,
    /// The answer is sound, but the connection is closed behind it without notice.
    CloseAfter,
}

impl FaultKind {
    /// The key under which the books count answers that ended so; `None` for faults that leave a sound answer.
    pub(crate) fn books_key(&self) -> Option<&'static str> {
        Some(match self {
            Self::Status(_) => "http_error",
            Self::Throttled(_) => "throttled",
            Self::RpcError(_) => "rpc_error",
            Self::ToolError => "tool_error",
            Self::Drop => "drop",
            Self::Cut => "cut",
            Self::Reset => "reset",
            Self::Garbage => "garbage",
            Self::HalfHead => "half_head",
            Self::InvalidJson => "invalid_json",
            Self::WrongId => "wrong_id",
            Self::Truncated => "truncated",
            Self::Never => "never",
            Self::SessionLost => "session_lost",
            Self::Resume
            | Self::ForeignIdFirst
            | Self::PingFirst
            | Self::NotificationsFirst(_)
            | Self::CloseAfter => return None,
        })
    }
}
