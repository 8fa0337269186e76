//! A scripted server inside this process: no sockets, so that tokio's paused clock can turn a minute of load into milliseconds.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Body, Exchange, Request, RequestKind};
use crate::drive::context::Context;
use crate::drive::deadline::{Interrupt, Slot};
use crate::drive::protocol::reply::{Content, ReplyHead, ReplyReader};
use crate::judge::{Moment, Outcome, TransportFault};

/// A request as a scripted server sees it.
#[derive(Debug, Clone)]
pub struct MemoryRequest {
    /// HTTP method.
    pub method: String,
    /// All head lines that differ between requests, each ending with CR LF.
    pub lines: String,
    /// Body text.
    pub body: String,
    /// When it arrived.
    pub at: Moment,
}

/// What a scripted server answers.
#[derive(Debug, Clone)]
pub enum MemoryReply {
    /// A response.
    Response {
        /// How long the server takes.
        after: Duration,
        /// HTTP status.
        status: u16,
        /// `Content-Type`; empty for none.
        content_type: &'static str,
        /// `Mcp-Session-Id`, if one is given out.
        session_id: Option<String>,
        /// Body text.
        body: String,
    },
    /// The connection breaks.
    Reset {
        /// After so long.
        after: Duration,
    },
    /// Nobody listens.
    Refuse,
    /// Nothing ever comes.
    Silence,
}

type Handler = dyn Fn(&MemoryRequest) -> MemoryReply + Send + Sync;

/// A server that is a function from requests to replies.
#[derive(Clone)]
pub struct MemoryServer {
    handler: Arc<Handler>,
    /// Whether answers are there at once, whatever they say of their time.
    at_once: bool,
}

impl MemoryServer {
    /// A server that answers with `handler`.
    pub fn new(handler: impl Fn(&MemoryRequest) -> MemoryReply + Send + Sync + 'static) -> Self {
        Self { handler: Arc::new(handler), at_once: false }
    }

    /// The same in no time at all: no answer is waited for, not even for the millisecond that a timer takes. Not for virtual time,
    /// which such a server would keep from moving on.
    #[must_use]
    pub fn at_once(self) -> Self {
        Self { at_once: true, ..self }
    }
}

impl fmt::Debug for MemoryServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MemoryServer")
    }
}

/// A virtual user's way to a scripted server.
#[derive(Debug)]
pub(crate) struct Connection {
    server: MemoryServer,
    pub(crate) reader: ReplyReader,
}

impl Connection {
    pub(crate) fn new(server: MemoryServer) -> Self {
        Self { server, reader: ReplyReader::default() }
    }

    pub(crate) async fn exchange(
        &mut self,
        context: &Context,
        slot: &Slot,
        request: &Request<'_>,
        now: Moment,
    ) -> Exchange {
        let sent = now;
        self.reader.begin(request.keep_answer);
        let text = text_of(request);
        let bytes_sent = text.body.len() as u64;
        let reply = (self.server.handler)(&MemoryRequest { at: sent, ..text });
        if matches!(reply, MemoryReply::Refuse) {
            self.reader.explain("refused by the script");
            let outcome = Outcome::Transport(TransportFault::Refused);
            return Exchange { outcome, sent, headers: None, end: sent, bytes_sent: 0, bytes_received: 0 };
        }
        let (wait, response) = match reply {
            MemoryReply::Response { after, status, content_type, session_id, body } => {
                (Some(after), Some((status, content_type, session_id, body)))
            }
            MemoryReply::Reset { after } => (Some(after), None),
            MemoryReply::Silence | MemoryReply::Refuse => (None, None),
        };
        let at_once = self.server.at_once;
        let waited = slot
            .guard(async {
                match wait {
                    // Others have their turn all the same.
                    Some(_) if at_once => tokio::task::yield_now().await,
                    Some(after) => context.clock.sleep_until(sent.after(after)).await,
                    None => std::future::pending().await,
                }
            })
            .await;
        let end = context.clock.now();
        let mut exchange =
            Exchange { outcome: Outcome::Timeout, sent, headers: None, end, bytes_sent, bytes_received: 0 };
        exchange.outcome = match (waited, response) {
            (Err(Interrupt::Deadline), _) => Outcome::Timeout,
            (Err(Interrupt::Cancelled), _) => Outcome::Cancelled,
            (Ok(()), None) => {
                self.reader.explain("reset by the script");
                Outcome::Transport(TransportFault::Reset)
            }
            (Ok(()), Some((status, content_type, session_id, body))) => {
                exchange.headers = Some(end);
                exchange.bytes_received = body.len() as u64;
                let content = if content_type.is_empty() {
                    Content::Unnamed
                } else {
                    Content::from_header(content_type.as_bytes())
                };
                self.reader.head(&ReplyHead {
                    status,
                    content,
                    retry_after: false,
                    session_id: session_id.as_deref(),
                });
                let limit = context.endpoint.max_body_bytes;
                match self.reader.data(body.as_bytes(), true, end, request.expect, limit) {
                    Ok(()) => self.reader.end(end, request.expect),
                    Err(fault) => Outcome::Protocol(fault),
                }
            }
        };
        exchange
    }
}

fn text_of(request: &Request<'_>) -> MemoryRequest {
    let Body { before, id, after } = request.body;
    let id = id.map(|id| id.to_string()).unwrap_or_default();
    let body = [before, id.as_bytes(), after].concat();
    let path = if let RequestKind::Plain { path, .. } = request.kind { path } else { "" };
    MemoryRequest {
        method: request.kind.method().to_owned(),
        lines: [request.session_lines, request.step_lines, path].concat(),
        body: String::from_utf8_lossy(&body).into_owned(),
        at: Moment::ORIGIN,
    }
}
