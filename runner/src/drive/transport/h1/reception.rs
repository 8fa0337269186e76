//! What has been received of one response, and what the judge makes of it.

use super::super::Request;
use super::super::breakage::Break;
use super::response::{BodyState, Malformed, parse_head};
use crate::drive::protocol::reply::ReplyReader;
use crate::judge::{Moment, ProtocolFault, TransportFault};

impl From<Malformed> for Break {
    fn from(_: Malformed) -> Self {
        Self::Protocol(ProtocolFault::Http)
    }
}

/// One response in the making.
#[derive(Debug)]
pub(super) struct Reception<'a> {
    request: &'a Request<'a>,
    pub(super) reader: &'a mut ReplyReader,
    /// The beginning of a head whose end has not come yet.
    head: &'a mut Vec<u8>,
    /// Largest body that is read, bytes.
    limit: u64,
    /// `None` until the head is complete.
    body: Option<BodyState>,
    /// Whether the connection can be used again once the response is over.
    pub(super) keep_alive: bool,
    /// Bytes received so far.
    pub(super) bytes: u64,
    /// When the head was complete.
    pub(super) headers: Option<Moment>,
}

impl<'a> Reception<'a> {
    pub(super) fn new(
        request: &'a Request<'a>,
        reader: &'a mut ReplyReader,
        head: &'a mut Vec<u8>,
        limit: u64,
    ) -> Self {
        head.clear();
        reader.begin(request.keep_answer);
        Self { request, reader, head, limit, body: None, keep_alive: false, bytes: 0, headers: None }
    }

    /// Takes what was read at `now`; true when the response is over.
    ///
    /// # Errors
    /// The protocol fault that makes reading on pointless.
    pub(super) fn take(&mut self, bytes: &[u8], now: Moment) -> Result<bool, Break> {
        self.bytes += bytes.len() as u64;
        if self.body.is_some() {
            return self.take_body(bytes, now);
        }
        if self.head.is_empty() {
            let used = self.take_heads(bytes, now)?;
            if self.body.is_some() {
                return self.take_body(&bytes[used..], now);
            }
            self.head.extend_from_slice(&bytes[used..]);
            return Ok(false);
        }
        let mut held = std::mem::take(self.head);
        held.extend_from_slice(bytes);
        let used = self.take_heads(&held, now)?;
        let mut done = false;
        if self.body.is_some() {
            done = self.take_body(&held[used..], now)?;
            held.clear();
        } else {
            held.drain(..used);
        }
        *self.head = held;
        Ok(done)
    }

    /// Reads heads up to that of the final response, where it is complete; returns how many bytes they were.
    fn take_heads(&mut self, bytes: &[u8], now: Moment) -> Result<usize, Break> {
        let mut used = 0;
        loop {
            let Ok(parsed) = parse_head(&bytes[used..], self.request.kind.method()) else {
                self.reader.note(&bytes[used..]);
                return Err(Break::Protocol(ProtocolFault::Http));
            };
            let Some(head) = parsed else { return Ok(used) };
            used += head.length;
            if head.is_interim() {
                continue;
            }
            self.headers = Some(now);
            self.keep_alive = head.keep_alive;
            self.body = Some(BodyState::new(head.framing));
            self.reader.head(&head.reply);
            if let Some(responder) = self.request.responder {
                responder.opened();
            }
            return Ok(used);
        }
    }

    fn take_body(&mut self, bytes: &[u8], now: Moment) -> Result<bool, Break> {
        let Some(state) = self.body.as_mut() else { return Ok(false) };
        let (reader, expect, limit) = (&mut *self.reader, self.request.expect, self.limit);
        let taken = state.take(bytes, |piece, whole| {
            reader.data(piece, whole, now, expect, limit).map_err(Break::Protocol)
        });
        let used = match taken {
            Ok(used) => used,
            Err(Break::Protocol(ProtocolFault::Http)) => {
                self.reader.explain("the body's chunks are malformed");
                return Err(Break::Protocol(ProtocolFault::Http));
            }
            Err(broke) => return Err(broke),
        };
        if self.reader.has_server_requests()
            && let Some(responder) = self.request.responder
        {
            responder.take(self.reader.take_server_requests());
        }
        let done = *state == BodyState::Done;
        if done && used < bytes.len() {
            // More than the response came: whatever it is, the next response would be read from the wrong place.
            self.keep_alive = false;
        }
        Ok(done)
    }

    /// The peer closed the connection: fine where that ends the body.
    pub(super) fn close(&mut self) -> Result<(), Break> {
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
