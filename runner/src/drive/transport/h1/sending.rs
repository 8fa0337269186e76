//! How far a request has been written: in one system call unless the socket's buffer is full.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite as _;

use super::Stream;

/// How far a request has been written.
#[derive(Debug)]
pub(super) enum Sending {
    /// Nothing has been.
    Unbegun,
    /// The connection would not take all at once: this is the rest, and so much of it has gone since.
    Held { rest: Vec<u8>, written: usize },
    /// All of it has been, but some may lie in a buffer of ours.
    Buffered,
    /// All of it is on its way.
    Sent,
    /// The connection takes no more. The server may have answered all the same, so this is told only if it has not.
    Failed(Option<io::Error>),
}

impl Sending {
    /// Writes as much as the connection takes. `text` is the whole request; it is looked at on the first call only.
    pub(super) fn advance(&mut self, cx: &mut Context<'_>, stream: &mut Stream, text: &[u8]) {
        loop {
            let rest = match self {
                Self::Unbegun => text,
                Self::Held { rest, written } => &rest[*written..],
                Self::Buffered => {
                    match Pin::new(&mut *stream).poll_flush(cx) {
                        Poll::Ready(Ok(())) => *self = Self::Sent,
                        Poll::Ready(Err(error)) => *self = Self::Failed(Some(error)),
                        Poll::Pending => {}
                    }
                    return;
                }
                Self::Sent | Self::Failed(_) => return,
            };
            match Pin::new(&mut *stream).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => *self = Self::Failed(Some(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(length)) if length == rest.len() => {
                    *self = if stream.buffers() { Self::Buffered } else { Self::Sent };
                }
                Poll::Ready(Ok(length)) => self.hold(text, length),
                Poll::Ready(Err(error)) => *self = Self::Failed(Some(error)),
                Poll::Pending => return self.hold(text, 0),
            }
        }
    }

    /// Notes that `more` bytes have been written, and keeps what is left of `text` past the present poll.
    fn hold(&mut self, text: &[u8], more: usize) {
        if let Self::Held { written, .. } = self {
            *written += more;
        } else {
            *self = Self::Held { rest: text[more..].to_vec(), written: 0 };
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Sent)
    }

    /// Why writing failed, if it did; told once.
    pub(super) fn take_error(&mut self) -> Option<io::Error> {
        if let Self::Failed(error) = self { error.take() } else { None }
    }
}
