//! The HTTP endpoint: one connection's requests, each sent where it belongs.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use tokio::net::TcpStream;

use super::Era;
use super::dispatch::{Stop, dispatch};
use super::exchange::{Caller, Exchange};
use super::faulty::{self, Next};
use super::modern::LOG_LEVEL_KEY;
use super::rpc::{Call, Message, RpcError, error_text, parse};
use super::{legacy, modern, streams};
use crate::http::request::Request;
use crate::http::response::whole;
use crate::http::wire::{Gone, NoRequest, Wire};
use crate::play::fault::FaultKind;
use crate::play::performance::{Cue, Performance};
use crate::script::{Eras, Sessions};
use crate::shared::Shared;

/// Serves one connection to its end.
pub(crate) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let mut wire = Wire::new(stream, &shared.books);
    let mut served = 0;
    loop {
        let request = match wire.request().await {
            Ok(request) => request,
            Err(NoRequest::Gone) => return,
            Err(NoRequest::Malformed(malformed)) => {
                // The connection ends either way; a client that is gone misses nothing.
                let refusal =
                    whole(malformed.status(), "text/plain", &[("Connection", "close")], b"malformed");
                let _ = wire.send(&refusal, None).await;
                return;
            }
        };
        served += 1;
        shared.books.note(|counters| counters.http_requests += 1);
        let performance = shared.performance();
        let next = route(&mut wire, &shared, &performance, &request).await;
        let worn_out = performance.script.requests_per_connection.is_some_and(|most| served >= most.get());
        match next {
            Ok(Next::Keep) if !worn_out && !request.closes() => {}
            Ok(Next::Keep | Next::Close) | Err(Gone) => return,
            Ok(Next::Reset) => return wire.reset(),
        }
    }
}

async fn route(
    wire: &mut Wire<'_>,
    shared: &Shared,
    performance: &Performance,
    request: &Request,
) -> Result<Next, Gone> {
    if !is_local(request.header("host"))
        || request.header("origin").is_some_and(|origin| !is_local_origin(origin))
    {
        return reply(wire, whole(403, "text/plain", &[], b"only loopback hosts and origins are served"))
            .await;
    }
    match (request.verb(), request.path()) {
        ("POST", "/mcp") => post(wire, shared, performance, request).await,
        ("GET", "/mcp") => get(wire, shared, performance, request).await,
        ("DELETE", "/mcp") => reply(wire, delete(shared, performance, request)).await,
        (_, "/mcp") => reply(wire, not_allowed()).await,
        ("GET", "/health") => reply(wire, whole(200, "text/plain", &[], b"ok")).await,
        ("GET", "/metrics") => {
            let page = shared.books.snapshot().prometheus();
            reply(wire, whole(200, "text/plain; version=0.0.4", &[], page.as_bytes())).await
        }
        ("GET", "/counters") => {
            let books = serde_json::to_vec(&shared.books.snapshot()).unwrap_or_default();
            reply(wire, whole(200, "application/json", &[], &books)).await
        }
        _ => reply(wire, whole(404, "text/plain", &[], b"not found")).await,
    }
}

async fn reply(wire: &mut Wire<'_>, bytes: Vec<u8>) -> Result<Next, Gone> {
    wire.send(&bytes, None).await.map(|()| Next::Keep)
}

fn refusal(error: &RpcError) -> Vec<u8> {
    whole(error.status, "application/json", &[], &error_text("null", error))
}

fn not_allowed() -> Vec<u8> {
    whole(405, "text/plain", &[("Allow", "POST")], b"method not allowed")
}

/// Whether a `Host` names this machine; a page of another origin could otherwise reach the server by DNS rebinding.
fn is_local(host: Option<&str>) -> bool {
    let Some(host) = host else { return true };
    let name = if host.starts_with('[') { host.split_inclusive(']').next() } else { host.split(':').next() };
    matches!(name, Some("localhost" | "127.0.0.1" | "[::1]"))
}

fn is_local_origin(origin: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, host)| is_local(Some(host)))
}

async fn post(
    wire: &mut Wire<'_>,
    shared: &Shared,
    performance: &Performance,
    request: &Request,
) -> Result<Next, Gone> {
    if let Some(status) = unacceptable(request) {
        return reply(wire, whole(status, "text/plain", &[], b"see Accept and Content-Type")).await;
    }
    let call = match parse(request.body()) {
        Ok(Message::Request(call)) => call,
        Ok(Message::Notification) => {
            shared.books.note(|counters| counters.notifications += 1);
            return reply(wire, accepted(shared, performance, request)).await;
        }
        Ok(Message::Response { id, reply: said }) => {
            if shared.mailbox.answer(&id, said) {
                shared.books.note(|counters| counters.server_requests_answered += 1);
            }
            return reply(wire, accepted(shared, performance, request)).await;
        }
        Err(error) => return reply(wire, refusal(&error)).await,
    };
    answer(wire, shared, performance, request, &call).await
}

/// The status that refuses a POST for its headers, if they do not offer both forms of answer or send no JSON.
fn unacceptable(request: &Request) -> Option<u16> {
    let accept = request.header("accept").unwrap_or_default();
    let offers = |kind: &str| accept.contains(kind) || accept.contains("*/*");
    if !offers("application/json") || !offers("text/event-stream") {
        return Some(406);
    }
    let content_type = request.header("content-type").unwrap_or_default();
    (!content_type.starts_with("application/json")).then_some(415)
}

/// The answer to a notification or a response.
fn accepted(shared: &Shared, performance: &Performance, request: &Request) -> Vec<u8> {
    let stateful = performance.script.sessions == Sessions::Stateful;
    match request.header("mcp-session-id") {
        Some(id) if stateful && !shared.sessions.knows(id) => refusal(&legacy::session_not_found()),
        _ => whole(202, "text/plain", &[], b""),
    }
}

/// Answers one request, in this order: books, cue, worker, the era's rules, the wait, then the fault or the method. What the
/// rules refuse is spared faults, so that the books call it what the client saw.
async fn answer(
    wire: &mut Wire<'_>,
    shared: &Shared,
    performance: &Performance,
    request: &Request,
    call: &Call,
) -> Result<Next, Gone> {
    let entry = shared.books.enter(call.counted_method());
    if let Some(tool) = call.tool().filter(|_| performance.script.log_calls) {
        let arguments = call.params.get("arguments").unwrap_or(&Value::Null);
        let key = format!("{tool} {arguments}");
        shared.books.note(|counters| *counters.calls.entry(key).or_default() += 1);
    }
    let Cue { ordinal, fault, delay } = performance.cue(&call.method, call.name());
    if let Err(seconds) = performance.admit(Instant::now()) {
        entry.settle("throttled");
        return reply(wire, faulty::throttled(seconds)).await;
    }
    let worker = wire.wait_for(performance.worker()).await?;
    let era = era(request, call, performance);
    let (caller, refused) = match admit(request, call, era, shared, performance) {
        Ok(capabilities) => (caller(era, call, capabilities), None),
        Err(error) => (caller(era, call, Value::Null), Some(error)),
    };
    let session = request.header("mcp-session-id").filter(|_| era == Era::Session && refused.is_none());
    let falls = |fault: &FaultKind| refused.is_none() && faulty::applies(fault, call, era, session.is_some());
    let mut fault = fault.filter(falls);
    wire.pause(delay).await?;
    wire.pause(performance.stalled(Instant::now())).await?;
    let mut exchange = Exchange::new(wire, shared, performance, caller, ordinal);
    if let Some((fault, key)) =
        fault.as_ref().and_then(|fault| Some((fault, faulty::replaces_answer(fault)?)))
    {
        entry.settle(key);
        return Box::pin(faulty::instead(&mut exchange, fault)).await;
    }
    if refused.is_none() && era == Era::Modern && call.method == "subscriptions/listen" {
        entry.settle("ok");
        drop(worker);
        return Box::pin(streams::listen(&mut exchange, call)).await.map(|()| Next::Keep);
    }
    let outcome = match refused {
        Some(error) => Err(error),
        None => match outcome(&mut exchange, call, fault.as_ref(), session).await {
            Ok(result) => Ok(result),
            Err(Stop::Rpc(error)) => Err(error),
            Err(Stop::Parked(result)) => {
                fault = Some(FaultKind::Resume);
                Ok(result)
            }
            Err(Stop::Gone) => return Err(Gone),
        },
    };
    faulty::answer(&mut exchange, call, &outcome, fault.as_ref(), entry).await
}

/// What a request that was admitted comes to, unless a fault decides that.
async fn outcome(
    exchange: &mut Exchange<'_, '_>,
    call: &Call,
    fault: Option<&FaultKind>,
    session: Option<&str>,
) -> Result<Value, Stop> {
    if fault == Some(&FaultKind::SessionLost) {
        lose_session(exchange.shared, session);
        return Err(legacy::session_not_found().into());
    }
    match faulty::outcome(fault) {
        Some(decided) => Ok(decided?),
        None => dispatch(exchange, call).await,
    }
}

fn era(request: &Request, call: &Call, performance: &Performance) -> Era {
    match performance.script.eras {
        Eras::Modern => Era::Modern,
        Eras::Dual if modern::is_modern(request, call) => Era::Modern,
        Eras::Dual | Eras::Legacy => Era::Session,
    }
}

fn admit(
    request: &Request,
    call: &Call,
    era: Era,
    shared: &Shared,
    performance: &Performance,
) -> Result<Value, RpcError> {
    match era {
        Era::Modern => modern::admit(request, call, &performance.catalog),
        Era::Session if call.method == "initialize" => Ok(Value::Null),
        Era::Session => legacy::admit(request, shared, performance),
    }
}

fn caller(era: Era, call: &Call, capabilities: Value) -> Caller {
    let meta = call.meta();
    let progress_token = meta.and_then(|meta| meta.get("progressToken")).cloned();
    let logs = era == Era::Session || meta.is_some_and(|meta| meta.contains_key(LOG_LEVEL_KEY));
    Caller { era, capabilities, progress_token, logs }
}

fn lose_session(shared: &Shared, session: Option<&str>) {
    if session.is_some_and(|id| shared.sessions.close(id)) {
        shared.books.note(|counters| counters.sessions_lost += 1);
    }
}

/// Whether GET and DELETE mean anything: the session era with sessions, asked without a modern version header.
fn has_streams(performance: &Performance, request: &Request) -> bool {
    performance.script.eras != Eras::Modern
        && performance.script.sessions == Sessions::Stateful
        && request.header("mcp-protocol-version") != Some(super::MODERN_VERSION)
}

async fn get(
    wire: &mut Wire<'_>,
    shared: &Shared,
    performance: &Performance,
    request: &Request,
) -> Result<Next, Gone> {
    if !has_streams(performance, request) {
        return reply(wire, not_allowed()).await;
    }
    let capabilities = match legacy::admit(request, shared, performance) {
        Ok(capabilities) => capabilities,
        Err(error) => return reply(wire, refusal(&error)).await,
    };
    shared.books.note(|counters| counters.streams += 1);
    let caller = Caller { era: Era::Session, capabilities, progress_token: None, logs: true };
    let mut exchange = Exchange::new(wire, shared, performance, caller, 0);
    Box::pin(streams::idle(&mut exchange, request.header("last-event-id"))).await.map(|()| Next::Keep)
}

fn delete(shared: &Shared, performance: &Performance, request: &Request) -> Vec<u8> {
    if !has_streams(performance, request) {
        return not_allowed();
    }
    match request.header("mcp-session-id") {
        None => whole(400, "text/plain", &[], b"the Mcp-Session-Id header is missing"),
        Some(id) if shared.sessions.close(id) => {
            shared.books.note(|counters| counters.sessions_closed += 1);
            whole(200, "text/plain", &[], b"")
        }
        Some(_) => refusal(&legacy::session_not_found()),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_local, is_local_origin};

    #[test]
    fn only_loopback_names_are_local() {
        assert!(["localhost:1", "127.0.0.1", "[::1]:80"].into_iter().all(|host| is_local(Some(host))));
        assert!(!["evil.example", "127.0.0.1.evil.example", ""].into_iter().any(|host| is_local(Some(host))));
        assert!(is_local_origin("http://localhost:3000"));
        assert!(!is_local_origin("https://evil.example") && !is_local_origin("null"));
    }
}
