//! What reqwest's errors mean. The cause that matters lies at the end of a chain of wrappers, most of whose types are private.

use std::error::Error;
use std::io;
use std::iter::successors;

use super::super::breakage::{Break, connect_fault_of, fault_of};
use crate::judge::{ProtocolFault, TransportFault};

/// Why an exchange broke off, from the error it broke off with.
pub(super) fn break_of(error: &reqwest::Error) -> Break {
    let causes: Vec<&(dyn Error + 'static)> = successors(error.source(), |&cause| cause.source()).collect();
    let why = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
    let connecting = error.is_connect();
    // From the root upwards: the first that we know says most.
    let known = causes.iter().rev().find_map(|cause| meaning_of(*cause, connecting));
    match known {
        Some(Meaning::Transport(fault)) => Break::Transport(fault, why),
        Some(Meaning::Protocol) => Break::Protocol(ProtocolFault::Http),
        None if connecting => Break::Transport(TransportFault::Connect, why),
        None => Break::Transport(TransportFault::Io, why),
    }
}

enum Meaning {
    Transport(TransportFault),
    /// What came is not HTTP.
    Protocol,
}

fn meaning_of(cause: &(dyn Error + 'static), connecting: bool) -> Option<Meaning> {
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        // The TLS connector wraps whatever ended its handshake in an I/O error of its own.
        if connecting
            && let Some(inner) = error.get_ref()
            && inner.is::<io::Error>()
        {
            return Some(Meaning::Transport(TransportFault::Tls));
        }
        let fault = if connecting { connect_fault_of(error) } else { fault_of(error) };
        // hyper complains of a body's framing in I/O errors of its own making; the kernel has none of these kinds for a socket.
        let framing = matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
        return Some(if framing && fault == TransportFault::Io {
            Meaning::Protocol
        } else {
            Meaning::Transport(fault)
        });
    }
    if let Some(error) = cause.downcast_ref::<hyper::Error>() {
        return if error.is_parse() {
            Some(Meaning::Protocol)
        } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
            Some(Meaning::Transport(TransportFault::Closed))
        } else {
            None
        };
    }
    // The connector's error has no public type, but a stable text.
    (cause.to_string() == "dns error").then_some(Meaning::Transport(TransportFault::Dns))
}
