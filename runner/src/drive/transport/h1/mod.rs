//! Our own HTTP/1.1 exchange: the path of a request.
//!
//! One buffer and one `send` per request; the response is read into the worker's scratch buffer and judged where it lies, and
//! only what a read cuts through is kept with the virtual user. No allocation in steady state. The rules are those of
//! `reference/performance.md`, section 10.

mod connect;
mod reception;
pub(super) mod request;
pub(crate) mod response;
mod sending;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{AsyncRead as _, ReadBuf};

pub(crate) use connect::Stream;

use self::reception::Reception;
use self::sending::Sending;
use super::breakage::{Break, judge};
use super::{DRAIN, Exchange, Request};
use crate::drive::context::{Context, Scratch};
use crate::drive::deadline::Slot;
use crate::drive::protocol::reply::{KEPT, ReplyReader};
use crate::judge::Moment;
use crate::plan::ConnectionPolicy;

/// A virtual user's connection, open or not, and what was read from it last.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    /// Open and between two requests. An exchange takes it out and puts it back only when it can be used again, so that one that
    /// is dropped half-way leaves nothing for the next to stumble over.
    stream: Option<Stream>,
    /// The beginning of a response head whose end has not come yet.
    head: Vec<u8>,
    pub(crate) reader: ReplyReader,
}

impl Connection {
    #[cfg(test)]
    pub(super) fn held_memory(&self) -> usize {
        self.head.capacity()
    }

    /// Sends a request and reads its response to the end; connects first where there is no connection, and once more where a
    /// kept-alive one turns out to be stale before the first byte of the response (RFC 9112, section 9.3.1).
    pub(crate) async fn exchange(
        &mut self,
        context: &Context,
        slot: &Slot,
        request: &Request<'_>,
        now: Moment,
    ) -> Exchange {
        let mut kept = self.take_kept();
        let mut now = now;
        loop {
            let reused = kept.is_some();
            let mut exchange = Exchange::begun(now);
            let limit = context.endpoint.max_body_bytes;
            let mut reception = Reception::new(request, &mut self.reader, &mut self.head, limit);
            let done = attempt(kept.take(), context, slot, request, &mut exchange, &mut reception).await;
            exchange.headers = reception.headers;
            exchange.bytes_received = reception.bytes;
            let broke = match done {
                Ok(stream) => {
                    let keep =
                        reception.keep_alive && context.endpoint.connection == ConnectionPolicy::KeepAlive;
                    self.stream = keep.then_some(stream);
                    None
                }
                Err(broke) if reused && exchange.bytes_received == 0 && broke.may_be_stale() => {
                    context.book(|books| books.stale_retries += 1);
                    now = context.clock.now();
                    continue;
                }
                Err(broke) => {
                    exchange.end = context.clock.now();
                    Some(broke)
                }
            };
            self.head.shrink_to(KEPT);
            exchange.outcome = judge(&mut self.reader, broke, exchange.end, request.expect);
            return exchange;
        }
    }

    /// The connection left over from the last exchange, unless something has happened to it since: it was closed, or bytes came
    /// that belong to no request and would be taken for the next one's response.
    fn take_kept(&mut self) -> Option<Stream> {
        let mut stream = self.stream.take()?;
        stream.is_quiet().then_some(stream)
    }
}

/// One attempt, over `kept` or a new connection; returns the connection, whose response is over.
async fn attempt(
    kept: Option<Stream>,
    context: &Context,
    slot: &Slot,
    request: &Request<'_>,
    exchange: &mut Exchange,
    reception: &mut Reception<'_>,
) -> Result<Stream, Break> {
    let mut stream = match kept {
        Some(stream) => stream,
        None => open(context, slot, exchange, reception).await?,
    };
    converse(&mut stream, context, slot, request, exchange, reception).await?;
    Ok(stream)
}

/// Opens a connection.
async fn open(
    context: &Context,
    slot: &Slot,
    exchange: &mut Exchange,
    reception: &mut Reception<'_>,
) -> Result<Stream, Break> {
    let began = context.clock.now();
    let connected = slot.guard(Box::pin(connect::connect(&context.endpoint))).await;
    exchange.sent = context.clock.now();
    context.book(|books| books.connect_time += exchange.sent.since(began));
    let connected = connected.map_err(|interrupt| {
        reception.reader.explain("the connection was not established");
        Break::Interrupted(interrupt)
    })?;
    let stream = connected.map_err(|(fault, why)| Break::Transport(fault, why))?;
    context.book(|books| books.connections_opened += 1);
    Ok(stream)
}

/// Sends the request and reads the response to its end. Reads while it still writes: a server may refuse a long request before it
/// has seen all of it (RFC 9112, section 9.5).
async fn converse(
    stream: &mut Stream,
    context: &Context,
    slot: &Slot,
    request: &Request<'_>,
    exchange: &mut Exchange,
    reception: &mut Reception<'_>,
) -> Result<(), Break> {
    let mut sending = Sending::Unbegun;
    let mut acknowledged = 0;
    poll_fn(|cx| {
        let Scratch { read, write } = &mut *context.scratch.borrow_mut();
        if matches!(sending, Sending::Unbegun) {
            request::write(write, &context.endpoint, request);
            exchange.bytes_sent = write.len() as u64;
        }
        sending.advance(cx, stream, write);
        loop {
            let mut buffer = ReadBuf::new(read);
            let ended = match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => reception.close(),
                Poll::Ready(Ok(())) => Ok(()),
                Poll::Ready(Err(error)) => Err(error.into()),
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
            };
            if let Err(broke) = ended {
                // Where nothing came back, what went wrong first is what went wrong.
                let first = sending.take_error().filter(|_| reception.bytes == 0);
                return Poll::Ready(Err(first.map_or(broke, Break::from)));
            }
            let now = context.clock.now();
            exchange.end = now;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            match reception.take(buffer.filled(), now) {
                Ok(true) => {
                    // A server that answered before it had the whole request would take the rest for another one.
                    reception.keep_alive &= sending.is_over();
                    return Poll::Ready(Ok(()));
                }
                Ok(false) => {}
                Err(broke) => return Poll::Ready(Err(broke)),
            }
            if reception.reader.outcome().is_some() {
                slot.tighten(now.after(DRAIN));
            }
        }
    })
    .await
}
