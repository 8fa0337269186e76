//! Faults at work: what is done to an answer, or instead of one.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Era;
use super::exchange::Exchange;
use super::legacy::SESSION_NOT_FOUND;
use super::rpc::{Call, RpcError, error_text, result_text};
use crate::counters::InFlight;
use crate::http::response::{LAST_CHUNK, whole};
use crate::http::wire::Gone;
use crate::play::fault::FaultKind;

/// What becomes of the connection behind an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Keep,
    Close,
    Reset,
}

const FOREIGN_ID: &str = "987654321";
/// How long a parked answer makes its client wait, so that fetching it is seen to take time.
const PARKED_FOR: Duration = Duration::from_millis(50);

/// What a fault puts in place of the handler's outcome, if it does.
pub(crate) fn outcome(fault: Option<&FaultKind>) -> Option<Result<Value, RpcError>> {
    match fault? {
        FaultKind::RpcError(code) => Some(Err(RpcError::handled(*code, "by script"))),
        FaultKind::ToolError => {
            Some(Ok(json!({ "content": [{ "type": "text", "text": "by script" }], "isError": true })))
        }
        _ => None,
    }
}

/// Whether a fault can fall on this call at all; what cannot is spared and answered soundly.
pub(crate) fn applies(fault: &FaultKind, call: &Call, era: Era, in_session: bool) -> bool {
    match fault {
        FaultKind::ToolError => call.method == "tools/call",
        FaultKind::SessionLost => in_session,
        FaultKind::PingFirst | FaultKind::Resume => era == Era::Session,
        _ => true,
    }
}

/// The books' key of a fault that leaves no answer of the protocol; `None` for all others.
pub(crate) fn replaces_answer(fault: &FaultKind) -> Option<&'static str> {
    match fault {
        FaultKind::Status(_)
        | FaultKind::Throttled(_)
        | FaultKind::Drop
        | FaultKind::Reset
        | FaultKind::Garbage
        | FaultKind::HalfHead
        | FaultKind::Never => fault.books_key(),
        _ => None,
    }
}

/// Plays a fault that leaves no answer of the protocol.
pub(crate) async fn instead(exchange: &mut Exchange<'_, '_>, fault: &FaultKind) -> Result<Next, Gone> {
    let (bytes, next) = match fault {
        FaultKind::Status(status) => (whole(*status, "text/plain", &[], b"by script"), Next::Keep),
        FaultKind::Throttled(seconds) => (throttled(*seconds), Next::Keep),
        FaultKind::Reset => (Vec::new(), Next::Reset),
        FaultKind::Garbage => (b"\x16\x03\x01 this is not HTTP \xff\xfe\r\n\r\n".to_vec(), Next::Close),
        FaultKind::HalfHead => (b"HTTP/1.1 200 OK\r\nContent-Ty".to_vec(), Next::Close),
        FaultKind::Never => {
            exchange.outwait().await;
            return Ok(Next::Close);
        }
        _ => (Vec::new(), Next::Close),
    };
    exchange.send(&bytes).await.map(|()| next)
}

/// 429 with `Retry-After`.
pub(crate) fn throttled(seconds: u64) -> Vec<u8> {
    whole(429, "text/plain", &[("Retry-After", &seconds.to_string())], b"too many requests")
}

/// Sends the answer, spoiled if a fault says so, and closes its entry in the books before the client can read it.
pub(crate) async fn answer(
    exchange: &mut Exchange<'_, '_>,
    call: &Call,
    outcome: &Result<Value, RpcError>,
    fault: Option<&FaultKind>,
    entry: InFlight<'_>,
) -> Result<Next, Gone> {
    match fault {
        Some(FaultKind::ForeignIdFirst) => exchange.event(&result_text(FOREIGN_ID, &json!({}))),
        Some(FaultKind::PingFirst) => {
            exchange.ask("ping", &json!({})).await?;
        }
        Some(FaultKind::NotificationsFirst(count)) => {
            for number in 1..=*count {
                let params = json!({ "level": "info", "data": format!("notification {number} of {count}") });
                exchange.notify("notifications/message", &params);
            }
        }
        _ => {}
    }
    let id = if fault == Some(&FaultKind::WrongId) { FOREIGN_ID } else { &call.id };
    let (status, mut text) = match outcome {
        Ok(result) => (200, result_text(id, result)),
        Err(error) => (error.status, error_text(id, error)),
    };
    if fault == Some(&FaultKind::InvalidJson) {
        text.truncate(text.len() / 2);
    }
    let key = fault.and_then(FaultKind::books_key).unwrap_or_else(|| ended(outcome));
    if fault == Some(&FaultKind::Resume) {
        let (event, bytes) = exchange.hang_up_primed();
        exchange.shared.mailbox.park(event, Instant::now() + PARKED_FOR, text);
        entry.settle(key);
        return exchange.send(&bytes).await.map(|()| Next::Keep);
    }
    let mut bytes = exchange.answer(status, &text);
    entry.settle(key);
    let next = match fault {
        Some(FaultKind::Cut) => {
            bytes.truncate(bytes.len() / 2);
            Next::Close
        }
        Some(FaultKind::Truncated) => {
            understate_length(&mut bytes);
            Next::Close
        }
        Some(FaultKind::CloseAfter) => Next::Close,
        _ => Next::Keep,
    };
    exchange.send(&bytes).await.map(|()| next)
}

/// The key under which the books count a sound answer.
fn ended(outcome: &Result<Value, RpcError>) -> &'static str {
    match outcome {
        Ok(result) if result.get("isError") == Some(&Value::Bool(true)) => "tool_error",
        Ok(_) => "ok",
        Err(error) if error.code == SESSION_NOT_FOUND => "session_lost",
        Err(error) if error.status == 200 => "rpc_error",
        Err(_) => "http_error",
    }
}

/// Makes `Content-Length` half of what it was, or takes the final chunk off a stream.
fn understate_length(bytes: &mut Vec<u8>) {
    const NAME: &[u8] = b"Content-Length: ";
    let Some(at) = bytes.windows(NAME.len()).position(|window| window == NAME) else {
        bytes.truncate(bytes.len() - LAST_CHUNK.len());
        return;
    };
    let start = at + NAME.len();
    let end = start + bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let length = std::str::from_utf8(&bytes[start..end]).ok().and_then(|digits| digits.parse::<usize>().ok());
    let half = (length.unwrap_or_default() / 2).to_string();
    bytes.splice(start..end, half.into_bytes());
}

#[cfg(test)]
mod tests {
    use super::understate_length;
    use crate::http::response::whole;

    #[test]
    fn a_length_is_halved_and_the_body_left_whole() {
        let mut bytes = whole(200, "text/plain", &[], b"0123456789");
        understate_length(&mut bytes);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("Content-Length: 5\r\n") && text.ends_with("0123456789"), "{text}");
    }

    #[test]
    fn a_stream_loses_its_final_chunk() {
        let mut bytes = b"head\r\n\r\n1\r\nx\r\n0\r\n\r\n".to_vec();
        understate_length(&mut bytes);
        assert_eq!(bytes, b"head\r\n\r\n1\r\nx\r\n".to_vec());
    }
}
