//! Our own HTTP/1.1 exchange: the path of a request.
//!
//! One buffer and one `send` per request; the response is read into the worker's scratch buffer and judged where it lies, and
//! only what a read cuts through is kept with the virtual user. No allocation in steady state. The rules are those of
//! `reference/performance.md`, section 10.

mod connect;
mod request;
pub(crate) mod response;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};

pub(crate) use connect::Stream;

use self::response::{BodyState, Malformed, parse_head};
use super::{Exchange, Request};
use crate::drive::context::Context;
use crate::drive::deadline::{Interrupt, Slot};
use crate::drive::protocol::reply::{Expect, ReplyReader};
use crate::judge::{Moment, Outcome, ProtocolFault, TransportFault};
use crate::plan::ConnectionPolicy;

/// How long a response body may go on after our answer was in it, before the connection is given up instead.
const DRAIN: Duration = Duration::from_secs(1);

/// A virtual user's connection, open or not, and what was read from it last.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    stream: Option<Stream>,
    /// The beginning of a response head whose end has not come yet; what a partial write left over.
    spill: Vec<u8>,
    pub(crate) reader: ReplyReader,
}

/// Why an exchange broke off.
#[derive(Debug)]
enum Break {
    Interrupted(Interrupt),
    Transport(TransportFault, String),
    Protocol(ProtocolFault),
}

impl From<Malformed> for Break {
    fn from(_: Malformed) -> Self {
        Self::Protocol(ProtocolFault::Http)
    }
}

impl From<std::io::Error> for Break {
    fn from(error: std::io::Error) -> Self {
        Self::Transport(connect::fault_of(&error), error.to_string())
    }
}

/// What has been received of one response.
#[derive(Debug)]
struct Reception {
    /// `None` until the head is complete.
    body: Option<BodyState>,
    keep_alive: bool,
    bytes: u64,
    headers: Option<Moment>,
}

impl Connection {
    /// A connection over a stream that is open already.
    #[cfg(test)]
    pub(crate) fn over(stream: Stream) -> Self {
        Self { stream: Some(stream), ..Self::default() }
    }

    /// Sends a request and reads its response to the end; connects first where there is no connection, and once more where a
    /// kept-alive one turns out to be stale before the first byte of the response (RFC 9112, section 9.3.1).
    pub(crate) async fn exchange(
        &mut self,
        context: &Context,
        slot: &Slot,
        request: &Request<'_>,
    ) -> Exchange {
        loop {
            let reused = self.stream.is_some();
            self.reader.begin(request.keep_answer);
            let mut exchange = Exchange {
                outcome: Outcome::Ok,
                sent: context.clock.now(),
                headers: None,
                end: Moment::ORIGIN,
                bytes_sent: 0,
                bytes_received: 0,
            };
            let mut reception = Reception { body: None, keep_alive: false, bytes: 0, headers: None };
            let broke = self.attempt(context, slot, request, &mut exchange, &mut reception).await.err();
            let stale =
                matches!(broke, Some(Break::Transport(TransportFault::Reset | TransportFault::Closed, _)));
            if reused && stale && reception.bytes == 0 {
                self.stream = None;
                context.book(|books| books.stale_retries += 1);
                continue;
            }
            if broke.is_some() {
                exchange.end = context.clock.now();
            }
            if broke.is_some()
                || !reception.keep_alive
                || context.endpoint.connection == ConnectionPolicy::PerRequest
            {
                self.stream = None;
            }
            exchange.headers = reception.headers;
            exchange.bytes_received = reception.bytes;
            exchange.outcome = self.judge(broke, exchange.end, request.expect);
            return exchange;
        }
    }

    async fn attempt(
        &mut self,
        context: &Context,
        slot: &Slot,
        request: &Request<'_>,
        exchange: &mut Exchange,
        reception: &mut Reception,
    ) -> Result<(), Break> {
        if self.stream.is_none() {
            let began = context.clock.now();
            let connected = slot.guard(Box::pin(connect::connect(&context.endpoint))).await;
            exchange.sent = context.clock.now();
            context.book(|books| books.connect_time += exchange.sent.since(began));
            let stream = connected
                .map_err(Break::Interrupted)?
                .map_err(|(fault, why)| Break::Transport(fault, why))?;
            context.book(|books| books.connections_opened += 1);
            self.stream = Some(stream);
        }
        self.spill.clear();
        self.send(context, slot, request, exchange).await?;
        self.receive(context, slot, request, exchange, reception).await
    }

    /// Writes the whole request, in one system call unless the socket's buffer is full.
    async fn send(
        &mut self,
        context: &Context,
        slot: &Slot,
        request: &Request<'_>,
        exchange: &mut Exchange,
    ) -> Result<(), Break> {
        let Some(stream) = self.stream.as_mut() else { return Ok(()) };
        let spill = &mut self.spill;
        let mut written: Option<usize> = None;
        poll_fn(|cx| {
            let scratch = &mut *context.scratch.borrow_mut();
            loop {
                let rest = match written {
                    None => {
                        request::write(&mut scratch.write, &context.endpoint, request);
                        exchange.bytes_sent = scratch.write.len() as u64;
                        &scratch.write[..]
                    }
                    Some(from) => &spill[from..],
                };
                match Pin::new(&mut *stream).poll_write(cx, rest) {
                    Poll::Ready(Ok(0)) => {
                        return Poll::Ready(Err(std::io::Error::from(std::io::ErrorKind::WriteZero).into()));
                    }
                    Poll::Ready(Ok(length)) if length == rest.len() => return Poll::Ready(Ok(())),
                    Poll::Ready(Ok(length)) => written = Some(keep(spill, &scratch.write, written, length)),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                    Poll::Pending => {
                        written = Some(keep(spill, &scratch.write, written, 0));
                        if let Some(interrupt) = slot.interrupt() {
                            return Poll::Ready(Err(Break::Interrupted(interrupt)));
                        }
                        slot.park(cx.waker());
                        return Poll::Pending;
                    }
                }
            }
        })
        .await?;
        spill.clear();
        if stream.buffers() {
            slot.guard(stream.flush()).await.map_err(Break::Interrupted)??;
        }
        Ok(())
    }

    /// Reads the response to its end.
    async fn receive(
        &mut self,
        context: &Context,
        slot: &Slot,
        request: &Request<'_>,
        exchange: &mut Exchange,
        reception: &mut Reception,
    ) -> Result<(), Break> {
        let Self { stream: Some(stream), spill, reader } = self else { return Ok(()) };
        let limit = context.endpoint.max_body_bytes;
        let mut acknowledged = 0;
        poll_fn(|cx| {
            let scratch = &mut *context.scratch.borrow_mut();
            loop {
                let mut buffer = ReadBuf::new(&mut scratch.read);
                match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                    Poll::Pending => {
                        if let Some(interrupt) = slot.interrupt() {
                            return Poll::Ready(Err(Break::Interrupted(interrupt)));
                        }
                        slot.park(cx.waker());
                        // Something came but not all: a server without TCP_NODELAY holds the rest back until we acknowledge.
                        if context.endpoint.quick_ack && reception.bytes > acknowledged {
                            acknowledged = reception.bytes;
                            stream.acknowledge_now();
                        }
                        return Poll::Pending;
                    }
                }
                let now = context.clock.now();
                let bytes = buffer.filled();
                exchange.end = now;
                if bytes.is_empty() {
                    return Poll::Ready(reception.close());
                }
                let done = match reception.take(bytes, now, spill, reader, request, limit) {
                    Ok(done) => done,
                    Err(broke) => return Poll::Ready(Err(broke)),
                };
                if reception.body.is_some()
                    && let Some(responder) = request.responder
                {
                    responder.opened();
                }
                if reader.has_server_requests()
                    && let Some(responder) = request.responder
                {
                    responder.take(reader.take_server_requests());
                }
                if done {
                    return Poll::Ready(Ok(()));
                }
                if reader.outcome().is_some() {
                    slot.tighten(now.after(DRAIN));
                }
            }
        })
        .await
    }

    /// What came of it: an answer that was there stands, whatever happened to the connection afterwards.
    fn judge(&mut self, broke: Option<Break>, end: Moment, expect: Expect<'_>) -> Outcome {
        let Some(broke) = broke else { return self.reader.end(end, expect) };
        if let Some(outcome) = self.reader.outcome() {
            return outcome;
        }
        match broke {
            Break::Interrupted(Interrupt::Deadline) => Outcome::Timeout,
            Break::Interrupted(Interrupt::Cancelled) => Outcome::Cancelled,
            Break::Transport(fault, why) => {
                self.reader.explain(&why);
                Outcome::Transport(fault)
            }
            Break::Protocol(fault) => Outcome::Protocol(fault),
        }
    }
}

/// Moves what is left of a request after `length` more bytes were written into `spill`; returns where the rest begins in it.
fn keep(spill: &mut Vec<u8>, whole: &[u8], written: Option<usize>, length: usize) -> usize {
    written.map_or_else(
        || {
            spill.clear();
            spill.extend_from_slice(&whole[length..]);
            0
        },
        |from| from + length,
    )
}

impl Reception {
    /// Takes what was read; true when the response is over.
    fn take(
        &mut self,
        bytes: &[u8],
        now: Moment,
        spill: &mut Vec<u8>,
        reader: &mut ReplyReader,
        request: &Request<'_>,
        limit: u64,
    ) -> Result<bool, Break> {
        self.bytes += bytes.len() as u64;
        if self.body.is_some() {
            return self.take_body(bytes, now, reader, request, limit);
        }
        if spill.is_empty() {
            return self.take_head(bytes, now, spill, reader, request, limit);
        }
        let mut held = std::mem::take(spill);
        held.extend_from_slice(bytes);
        let taken = self.take_head(&held, now, spill, reader, request, limit);
        // The head is complete, or all that was held has been put back into `spill`.
        if spill.is_empty() {
            held.clear();
            *spill = held;
        }
        taken
    }

    fn take_head(
        &mut self,
        mut bytes: &[u8],
        now: Moment,
        spill: &mut Vec<u8>,
        reader: &mut ReplyReader,
        request: &Request<'_>,
        limit: u64,
    ) -> Result<bool, Break> {
        loop {
            let Some(head) = parse_head(bytes, request.kind.method())? else {
                spill.extend_from_slice(bytes);
                return Ok(false);
            };
            bytes = &bytes[head.length..];
            if (100..200).contains(&head.reply.status) && head.reply.status != 101 {
                continue; // an interim response; the real one follows
            }
            self.headers = Some(now);
            self.keep_alive = head.keep_alive;
            self.body = Some(BodyState::new(head.framing));
            reader.head(&head.reply);
            return self.take_body(bytes, now, reader, request, limit);
        }
    }

    fn take_body(
        &mut self,
        bytes: &[u8],
        now: Moment,
        reader: &mut ReplyReader,
        request: &Request<'_>,
        limit: u64,
    ) -> Result<bool, Break> {
        let Some(state) = self.body.as_mut() else { return Ok(false) };
        let used = state.take(bytes, |piece, whole| {
            reader.data(piece, whole, now, request.expect, limit).map_err(Break::Protocol)
        })?;
        let done = *state == BodyState::Done;
        if done && used < bytes.len() {
            // More than the response came: whatever it is, the next response would be read from the wrong place.
            self.keep_alive = false;
        }
        Ok(done)
    }

    /// The peer closed the connection.
    fn close(&mut self) -> Result<(), Break> {
        if self.body == Some(BodyState::UntilClose) {
            return Ok(());
        }
        let why = match (self.bytes, self.body) {
            (0, _) => "the server closed the connection without an answer",
            (_, None) => "the server closed the connection inside the response head",
            _ => "the server closed the connection inside the response body",
        };
        Err(Break::Transport(TransportFault::Closed, why.to_owned()))
    }
}
