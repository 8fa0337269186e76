//! The second transport: reqwest, for what our own exchange leaves out: HTTP/2, proxies. About twice as dear per request.
//!
//! It sends the same request text and judges through the same reader as [`h1`](super::h1), so that outcomes are equal. Every
//! virtual user has a client, and so a connection pool, of its own. One client per worker would be smaller, but would not be the
//! policy: under HTTP/1.1 any user would take any idle connection, and under HTTP/2 all users of a worker would share a single
//! one and queue in it for the server's limit of concurrent streams, in our process and inside the measured time.

mod client;
mod fault;

use std::sync::Arc;

use ::reqwest as http;
use rustls::ClientConfig;

use self::client::Client;
use self::fault::break_of;
use super::breakage::{Break, judge};
use super::h1::request;
use super::{DRAIN, Exchange, Request};
use crate::drive::context::Context;
use crate::drive::deadline::Slot;
use crate::drive::protocol::reply::{Content, Expect, ReplyHead, ReplyReader};
use crate::judge::{Moment, TransportFault};

pub(crate) use self::client::tls_config;

/// A virtual user's client, and what was read with it last.
#[derive(Debug)]
pub(crate) struct Connection {
    tls: Arc<ClientConfig>,
    /// Made for the first request, which is the first that can tell what is wrong with it.
    client: Option<Client>,
    pub(crate) reader: ReplyReader,
}

impl Connection {
    /// A client that speaks TLS as `tls` says.
    pub(crate) fn new(tls: Arc<ClientConfig>) -> Self {
        Self { tls, client: None, reader: ReplyReader::default() }
    }

    /// Sends a request and reads its response to the end; a second time where a kept-alive connection turns out to be stale.
    pub(crate) async fn exchange(
        &mut self,
        context: &Context,
        slot: &Slot,
        request: &Request<'_>,
        now: Moment,
    ) -> Exchange {
        let mut retried = false;
        let mut now = now;
        loop {
            self.reader.begin(request.keep_answer);
            let mut exchange = Exchange::begun(now);
            let broke = self.attempt(context, slot, request, &mut exchange).await.err();
            let reused = !self.enter_connections(context, &mut exchange);
            let unanswered = exchange.headers.is_none();
            if reused && unanswered && !retried && broke.as_ref().is_some_and(Break::may_be_stale) {
                retried = true;
                now = context.clock.now();
                context.book(|books| books.stale_retries += 1);
                continue;
            }
            if broke.is_some() {
                exchange.end = context.clock.now();
            }
            exchange.outcome = judge(&mut self.reader, broke, exchange.end, request.expect);
            return exchange;
        }
    }

    /// Enters into the books what was spent on connecting; true if a connection was opened. The request was sent when it was open.
    fn enter_connections(&mut self, context: &Context, exchange: &mut Exchange) -> bool {
        let Some(opened) = self.client.as_ref().map(|client| client.log.take()) else { return false };
        context.book(|books| {
            books.connections_opened += opened.count;
            books.connect_time += opened.spent;
        });
        exchange.sent = exchange.sent.max(opened.last_end);
        opened.count > 0
    }

    async fn attempt(
        &mut self,
        context: &Context,
        slot: &Slot,
        request: &Request<'_>,
        exchange: &mut Exchange,
    ) -> Result<(), Break> {
        let client = match &mut self.client {
            Some(client) => client,
            none => none.insert(Client::new(&context.endpoint, &self.tls, context.clock).map_err(misfit)?),
        };
        let message = {
            let text = &mut context.scratch.borrow_mut().write;
            request::write(text, &context.endpoint, request);
            exchange.bytes_sent = text.len() as u64;
            client.message(text).map_err(misfit)?
        };
        let response = slot.guard(client.http.execute(message)).await.map_err(Break::Interrupted)?;
        let response = response.map_err(|error| break_of(&error))?;
        self.receive(context, slot, request, response, exchange).await
    }

    /// Reads the response to its end.
    async fn receive(
        &mut self,
        context: &Context,
        slot: &Slot,
        request: &Request<'_>,
        mut response: http::Response,
        exchange: &mut Exchange,
    ) -> Result<(), Break> {
        exchange.end = context.clock.now();
        exchange.headers = Some(exchange.end);
        exchange.bytes_received = head_length(&response);
        self.reader.head(&reply_head(&response));
        if let Some(responder) = request.responder {
            responder.opened();
        }
        let limit = context.endpoint.max_body_bytes;
        loop {
            let piece = slot.guard(response.chunk()).await.map_err(Break::Interrupted)?;
            let piece = piece.map_err(|error| break_of(&error))?;
            exchange.end = context.clock.now();
            let Some(piece) = piece else { return Ok(()) };
            exchange.bytes_received += piece.len() as u64;
            self.take(&piece, exchange.end, request.expect, limit)?;
            if self.reader.has_server_requests()
                && let Some(responder) = request.responder
            {
                responder.take(self.reader.take_server_requests());
            }
            if self.reader.outcome().is_some() {
                slot.tighten(exchange.end.after(DRAIN));
            }
        }
    }

    fn take(&mut self, piece: &[u8], now: Moment, expect: Expect<'_>, limit: u64) -> Result<(), Break> {
        self.reader.data(piece, false, now, expect, limit).map_err(Break::Protocol)
    }
}

/// Something that reqwest would not have from us.
fn misfit(error: impl std::fmt::Display) -> Break {
    Break::Transport(TransportFault::Io, error.to_string())
}

fn reply_head(response: &http::Response) -> ReplyHead<'_> {
    let last =
        |name| response.headers().get_all(name).iter().next_back().map(http::header::HeaderValue::as_bytes);
    ReplyHead {
        status: response.status().as_u16(),
        content: last("content-type").map_or(Content::Unnamed, Content::from_header),
        retry_after: last("retry-after").is_some(),
        session_id: last("mcp-session-id").and_then(|id| std::str::from_utf8(id).ok()),
    }
}

/// How long the head would be in HTTP/1.1, which is how long it was unless the server spoke HTTP/2.
fn head_length(response: &http::Response) -> u64 {
    const STATUS_LINE: usize = "HTTP/1.1 200 OK\r\n\r\n".len();
    let fields =
        response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    (STATUS_LINE + fields.sum::<usize>()) as u64
}
