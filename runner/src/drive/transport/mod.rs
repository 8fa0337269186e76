//! Bytes to the server and back. In: a `Request`. Out: an `Exchange`, and the [`ReplyReader`] that judged the response.
//!
//! Every transport hands what it reads to the same reader, so that all of them classify alike.

mod breakage;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod encrypted;
pub(crate) mod endpoint;
pub(crate) mod h1;
pub(crate) mod memory;
pub(crate) mod reqwest;
#[cfg(test)]
mod testbed;
#[cfg(test)]
mod whole_run;

use std::time::Duration;

pub use endpoint::Endpoint;
pub use memory::{MemoryReply, MemoryRequest, MemoryServer};

use super::context::Context;
use super::deadline::Slot;
use super::protocol::reply::{Expect, ReplyReader};
use crate::judge::{Moment, Outcome};

/// Lines of every head that carries a JSON-RPC message to the endpoint.
const JSON_LINES: &str = "content-type: application/json\r\naccept: application/json, text/event-stream\r\n";
/// Line of the head of a GET stream.
const STREAM_LINES: &str = "accept: text/event-stream\r\n";

/// How long a response body may go on after our answer was in it, before the connection is given up instead.
const DRAIN: Duration = Duration::from_secs(1);

/// One request, its text already made up to its id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    /// What is sent where.
    pub(crate) kind: RequestKind<'a>,
    /// Head lines of the session: its id and revision; each ends with CR LF.
    pub(crate) session_lines: &'a str,
    /// Head lines of the step: what mirrors its body; each ends with CR LF.
    pub(crate) step_lines: &'a str,
    /// The body.
    pub(crate) body: Body<'a>,
    /// What the response should be.
    pub(crate) expect: Expect<'a>,
    /// Whether the answer's text is wanted afterwards.
    pub(crate) keep_answer: bool,
    /// Who answers requests that the server makes on the response stream.
    pub(crate) responder: Option<&'a dyn Responder>,
}

/// What is sent where.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RequestKind<'a> {
    /// A JSON-RPC message to the endpoint.
    Message,
    /// GET on the endpoint: the server's own stream, or a stream taken up again.
    Stream,
    /// DELETE on the endpoint: the end of a session.
    Delete,
    /// A plain request beside MCP.
    Plain { method: &'a str, path: &'a str },
}

impl RequestKind<'_> {
    pub(crate) fn method(&self) -> &str {
        match self {
            Self::Message => "POST",
            Self::Stream => "GET",
            Self::Delete => "DELETE",
            Self::Plain { method, .. } => method,
        }
    }
}

/// A body in up to three parts: what stands before the id, the id, what stands behind it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Body<'a> {
    pub(crate) before: &'a [u8],
    pub(crate) id: Option<u64>,
    pub(crate) after: &'a [u8],
}

/// Takes requests that the server makes while it answers ours; must not block.
pub(crate) trait Responder: std::fmt::Debug {
    /// Takes the texts of one or more requests of the server.
    fn take(&self, requests: Vec<Box<[u8]>>);

    /// The response's head has come.
    fn opened(&self) {}
}

/// How an exchange went; the rest is in the transport's reader.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    pub(crate) outcome: Outcome,
    pub(crate) sent: Moment,
    pub(crate) headers: Option<Moment>,
    pub(crate) end: Moment,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
}

impl Exchange {
    /// One that begins at `now`.
    fn begun(now: Moment) -> Self {
        Self { outcome: Outcome::Ok, sent: now, headers: None, end: now, bytes_sent: 0, bytes_received: 0 }
    }
}

/// One virtual user's way to the server. Chosen once per run; a `match`, no `dyn`, on the path of a request.
#[derive(Debug)]
pub(crate) enum Transport {
    /// Our own HTTP/1.1 exchange.
    H1(h1::Connection),
    /// reqwest.
    Reqwest(reqwest::Connection),
    /// A scripted server in this process, for tests in virtual time.
    Memory(memory::Connection),
}

impl Transport {
    /// Sends a request and reads its response to the end; the attempt begins `now`. Waits end with `slot`'s deadline; the caller arms it.
    pub(crate) async fn exchange(
        &mut self,
        context: &Context,
        slot: &Slot,
        request: &Request<'_>,
        now: Moment,
    ) -> Exchange {
        match self {
            Self::H1(connection) => connection.exchange(context, slot, request, now).await,
            Self::Reqwest(connection) => connection.exchange(context, slot, request, now).await,
            Self::Memory(connection) => connection.exchange(context, slot, request, now).await,
        }
    }

    /// Says what went wrong in the last exchange, in words of ours.
    pub(crate) fn explain(&mut self, what: &str) {
        match self {
            Self::H1(connection) => connection.reader.explain(what),
            Self::Reqwest(connection) => connection.reader.explain(what),
            Self::Memory(connection) => connection.reader.explain(what),
        }
    }

    /// What was read in the last exchange.
    pub(crate) fn reader(&self) -> &ReplyReader {
        match self {
            Self::H1(connection) => &connection.reader,
            Self::Reqwest(connection) => &connection.reader,
            Self::Memory(connection) => &connection.reader,
        }
    }
}
