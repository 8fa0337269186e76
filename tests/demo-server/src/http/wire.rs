//! One connection: whole requests off it, bytes onto it, and the ways to end it badly.

use std::io;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::request::{Malformed, Request};
use crate::counters::Books;
use crate::script::Split;

const READ_SIZE: usize = 16 * 1024;

/// A connection and what was read from it ahead of its turn.
#[derive(Debug)]
pub(crate) struct Wire<'a> {
    stream: TcpStream,
    inbox: Vec<u8>,
    books: &'a Books,
}

/// The client closed or broke the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// Why no request came.
#[derive(Debug)]
pub(crate) enum NoRequest {
    Gone,
    Malformed(Malformed),
}

impl<'a> Wire<'a> {
    pub(crate) fn new(stream: TcpStream, books: &'a Books) -> Self {
        Self { stream, inbox: Vec::with_capacity(READ_SIZE), books }
    }

    /// The next request, read whole.
    pub(crate) async fn request(&mut self) -> Result<Request, NoRequest> {
        loop {
            if let Some(request) = Request::take(&mut self.inbox).map_err(NoRequest::Malformed)? {
                return Ok(request);
            }
            self.read().await.map_err(|Gone| NoRequest::Gone)?;
        }
    }

    /// Reads what is there into the inbox. Cancel-safe: bytes are either in the inbox or still in the socket.
    async fn read(&mut self) -> Result<(), Gone> {
        self.inbox.reserve(READ_SIZE);
        let count = self.stream.read_buf(&mut self.inbox).await?;
        if count == 0 {
            return Err(Gone);
        }
        self.books.note(|counters| counters.bytes_in += count as u64);
        Ok(())
    }

    /// Sends bytes, in one write or as the script cuts them.
    pub(crate) async fn send(&mut self, bytes: &[u8], split: Option<Split>) -> Result<(), Gone> {
        self.books.note(|counters| counters.bytes_out += bytes.len() as u64);
        let Some(split) = split else { return Ok(self.stream.write_all(bytes).await?) };
        for piece in bytes.chunks(split.bytes.get()) {
            self.stream.write_all(piece).await?;
            self.pause(split.pause).await?;
        }
        Ok(())
    }

    /// Waits, unless the client goes away first; what it sends meanwhile keeps its turn.
    pub(crate) async fn pause(&mut self, pause: Duration) -> Result<(), Gone> {
        if pause.is_zero() {
            return Ok(());
        }
        let timer = tokio::time::sleep(pause);
        tokio::pin!(timer);
        loop {
            // Both branches are cancel-safe: the timer is pinned outside, a read loses no bytes.
            tokio::select! {
                biased;
                () = &mut timer => return Ok(()),
                read = self.read() => read?,
            }
        }
    }

    /// Waits for something else, unless the client goes away first.
    pub(crate) async fn wait_for<T>(&mut self, event: impl Future<Output = T>) -> Result<T, Gone> {
        tokio::pin!(event);
        loop {
            // Both branches are cancel-safe: the event is pinned outside, a read loses no bytes.
            tokio::select! {
                biased;
                value = &mut event => return Ok(value),
                read = self.read() => read?,
            }
        }
    }

    /// Holds the connection until the client goes away.
    pub(crate) async fn outwait(&mut self) {
        while self.read().await.is_ok() {
            self.inbox.clear();
        }
    }

    /// Ends the connection with a reset instead of an orderly close.
    pub(crate) fn reset(self) {
        // Where the socket is already broken there is nothing left to reset.
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }
}
