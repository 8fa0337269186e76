//! One measured call: when it was due, sent and answered, and what came of it.

use std::time::Duration;

use crate::plan::SeriesId;

/// An instant of a run: nanoseconds since its origin, from a monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The origin of the run.
    pub const ORIGIN: Self = Self(0);

    /// An instant `nanoseconds` after the origin.
    pub const fn from_nanos(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time since the origin.
    pub const fn elapsed(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// Nanoseconds from `earlier` to here; zero when `earlier` is later.
    pub const fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Time from `earlier` to here; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }

    /// The instant `duration` later; the end of time where that does not fit.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// The clocks of a call. Response time is `result - due`, service time `result - sent`, lateness `sent - ready`.
///
/// `headers`, `first_event` and `result` are absent where the call never came so far; a failed call's times run to `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// When the call should have been sent: in the closed model when its virtual user was free; in the open one when its iteration
    /// arrived, or, of a later step, when it would have come to it had every answer before taken the time that was to be expected.
    pub due: Moment,
    /// When it could have been sent, as far as the server is concerned: `due`, or the end of the answer before it where that came later.
    pub ready: Moment,
    /// Just before its first byte was handed to the kernel; when the attempt began, where no connection could be had.
    pub sent: Moment,
    /// When the response head was complete.
    pub headers: Option<Moment>,
    /// When the first event of the body was complete: the first SSE event, or the whole JSON body.
    pub first_event: Option<Moment>,
    /// When the JSON-RPC answer with our id had been read.
    pub result: Option<Moment>,
    /// When the exchange was over: the body's end, or the failure.
    pub end: Moment,
}

impl Clocks {
    /// When the call was answered; its end, where it never was.
    pub fn answered(&self) -> Moment {
        self.result.unwrap_or(self.end)
    }
}

/// One measured call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Which row it counts under.
    pub series: SeriesId,
    /// When things happened.
    pub clocks: Clocks,
    /// What came of it.
    pub outcome: Outcome,
    /// Bytes of the request, head and body.
    pub bytes_sent: u64,
    /// Bytes of the response, head and body, as they came over the connection.
    pub bytes_received: u64,
}

/// What came of a call. A slow, broken or hostile server is data: nothing a server does is an `Err`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Answered with a result that is not an error.
    Ok,
    /// A tool result with `isError: true`.
    ToolError,
    /// A JSON-RPC error for our request.
    RpcError {
        /// The JSON-RPC error code.
        code: i64,
    },
    /// An HTTP status outside what was expected, without a JSON-RPC error for our request.
    HttpError {
        /// The HTTP status.
        status: u16,
    },
    /// The server asked us to slow down: 429, or another status with `Retry-After`.
    Throttled {
        /// The HTTP status.
        status: u16,
    },
    /// No answer within the timeout.
    Timeout,
    /// The connection could not be had or broke.
    Transport(TransportFault),
    /// What came back is not the protocol.
    Protocol(ProtocolFault),
    /// The answer was ok, but an expectation of the scenario did not hold.
    CheckFailed,
    /// Cut off by us at the end of the run.
    Cancelled,
}

/// How a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TransportFault {
    /// Host name not resolved.
    Dns,
    /// Nobody listens.
    Refused,
    /// Connecting failed in another way (unreachable, timed out by the kernel).
    Connect,
    /// No local port left (EADDRNOTAVAIL): the generator's limit, not the server's.
    NoPort,
    /// No file descriptor left (EMFILE, ENFILE): the generator's limit, not the server's.
    NoDescriptor,
    /// TLS handshake failed.
    Tls,
    /// Reset by the peer.
    Reset,
    /// Closed by the peer before the answer was complete.
    Closed,
    /// Any other I/O error.
    Io,
}

/// How an answer broke the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProtocolFault {
    /// Not an HTTP response, or one whose framing contradicts itself.
    Http,
    /// A content type that is neither JSON nor an event stream.
    ContentType,
    /// Not JSON, or not a JSON-RPC message.
    Json,
    /// The answer carries another request's id.
    WrongId,
    /// The body or stream ended without an answer to our request.
    NoAnswer,
    /// Larger than the user's `max_body_bytes`.
    TooLarge,
    /// A result the revision does not know (unknown `resultType`, a request for input that cannot be met).
    Result,
}

impl Outcome {
    /// The outcome's class: the key of error tables and of `errors` in the report.
    pub fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ToolError => "tool_error",
            Self::RpcError { .. } => "rpc_error",
            Self::HttpError { .. } => "http_error",
            Self::Throttled { .. } => "throttled",
            Self::Timeout => "timeout",
            Self::Transport(_) => "transport",
            Self::Protocol(_) => "protocol",
            Self::CheckFailed => "check_failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// What distinguishes it within its class: a code, a status, the kind of fault.
    pub fn code(self) -> Option<String> {
        Some(match self {
            Self::RpcError { code } => code.to_string(),
            Self::HttpError { status } | Self::Throttled { status } => status.to_string(),
            Self::Transport(fault) => fault.as_str().to_owned(),
            Self::Protocol(fault) => fault.as_str().to_owned(),
            Self::Ok | Self::ToolError | Self::Timeout | Self::CheckFailed | Self::Cancelled => return None,
        })
    }

    /// Whether the call did what it was meant to do.
    pub fn is_ok(self) -> bool {
        self == Self::Ok
    }
}

impl TransportFault {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Connect => "connect",
            Self::NoPort => "no_port",
            Self::NoDescriptor => "no_descriptor",
            Self::Tls => "tls",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::Io => "io",
        }
    }
}

impl ProtocolFault {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::ContentType => "content_type",
            Self::Json => "json",
            Self::WrongId => "wrong_id",
            Self::NoAnswer => "no_answer",
            Self::TooLarge => "too_large",
            Self::Result => "result",
        }
    }
}
