//! Why an exchange ended before its response did, and what that makes of the call. Shared by all transports over the network, so
//! that the same misfortune has the same name whichever of them it befell.

use std::io;

use crate::drive::deadline::Interrupt;
use crate::drive::protocol::reply::{Expect, ReplyReader};
use crate::judge::{Moment, Outcome, ProtocolFault, TransportFault};

/// Why an exchange broke off.
#[derive(Debug)]
pub(super) enum Break {
    /// We stopped waiting.
    Interrupted(Interrupt),
    /// The connection failed; with the error's message.
    Transport(TransportFault, String),
    /// What came is not the protocol. The reader has a sample of it.
    Protocol(ProtocolFault),
}

impl From<io::Error> for Break {
    fn from(error: io::Error) -> Self {
        Self::Transport(fault_of(&error), error.to_string())
    }
}

impl Break {
    /// Whether it looks like the end of a connection that the server had given up before it saw our request.
    pub(super) fn may_be_stale(&self) -> bool {
        matches!(self, Self::Transport(TransportFault::Reset | TransportFault::Closed, _))
    }
}

/// What came of an exchange: an answer that was there stands, whatever happened to the connection afterwards.
pub(super) fn judge(
    reader: &mut ReplyReader,
    broke: Option<Break>,
    end: Moment,
    expect: Expect<'_>,
) -> Outcome {
    let Some(broke) = broke else { return reader.end(end, expect) };
    reader.release();
    if let Some(outcome) = reader.outcome() {
        return outcome;
    }
    match broke {
        Break::Interrupted(interrupt) => {
            if reader.detail().is_empty() {
                reader.explain(match reader.status() {
                    0 => "no response head came",
                    _ => "the response began but did not come to an answer",
                });
            }
            match interrupt {
                Interrupt::Deadline => Outcome::Timeout,
                Interrupt::Cancelled => Outcome::Cancelled,
            }
        }
        Break::Transport(fault, why) => {
            reader.explain(&why);
            Outcome::Transport(fault)
        }
        Break::Protocol(fault) => Outcome::Protocol(fault),
    }
}

/// What an I/O error says about a connection.
pub(super) fn fault_of(error: &io::Error) -> TransportFault {
    /// `EMFILE` and `ENFILE` have no `ErrorKind`; the numbers are the same on every Unix.
    const NO_DESCRIPTOR: [i32; 2] = [24, 23];
    if let Some(inner) = error.get_ref()
        && inner.is::<rustls::Error>()
    {
        return TransportFault::Tls;
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => TransportFault::Refused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            TransportFault::Reset
        }
        io::ErrorKind::UnexpectedEof => TransportFault::Closed,
        io::ErrorKind::AddrNotAvailable => TransportFault::NoPort,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::TimedOut => {
            TransportFault::Connect
        }
        _ if cfg!(unix) && error.raw_os_error().is_some_and(|code| NO_DESCRIPTOR.contains(&code)) => {
            TransportFault::NoDescriptor
        }
        _ => TransportFault::Io,
    }
}

/// What an I/O error says about an attempt to connect.
pub(super) fn connect_fault_of(error: &io::Error) -> TransportFault {
    match fault_of(error) {
        TransportFault::Io | TransportFault::Reset | TransportFault::Closed => TransportFault::Connect,
        fault => fault,
    }
}
