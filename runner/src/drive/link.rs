//! A virtual user's way to the server: its transport, its deadline, and the rounds that one call may take.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::context::Context;
use super::deadline::{Interrupt, Slot};
use super::protocol::reply::Expect;
use super::protocol::template::Template;
use super::responder::input_response;
use super::session::Session;
use super::transport::{Body, Exchange, Request, RequestKind, Transport};
use crate::judge::{Clocks, Moment, Outcome, ProtocolFault, TransportFault};

/// Most rounds of one call (2026-07-28: `input_required`), the first included; more is a server that never has enough.
const MOST_ROUNDS: u32 = 10;
/// Most times a stream is taken up again for one call.
const MOST_RESUMES: u32 = 10;

/// A transport in the hands of one virtual user.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) context: Rc<Context>,
    pub(crate) slot: Rc<Slot>,
    transport: Transport,
}

/// When a call should be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    /// As planned: what its response time counts from.
    pub(crate) at: Moment,
    /// When the virtual user could send it: what the generator's lateness counts from.
    pub(crate) ready: Moment,
}

impl From<Moment> for Due {
    /// As soon as the virtual user can.
    fn from(at: Moment) -> Self {
        Self { at, ready: at }
    }
}

impl Due {
    /// The same as a call before.
    fn of(measured: &Measured) -> Self {
        Self { at: measured.clocks.due, ready: measured.clocks.ready }
    }
}

/// One call, measured: a sample but for the series it counts under.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) clocks: Clocks,
    pub(crate) outcome: Outcome,
    /// HTTP status; zero where none came.
    pub(crate) status: u16,
    /// Whether the status speaks for the session: that of a plain request does not.
    pub(crate) in_session: bool,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
}

impl Link {
    pub(crate) fn new(context: Rc<Context>) -> Self {
        let slot = context.deadlines.slot();
        let transport = context.new_transport();
        Self { context, slot, transport }
    }

    /// What a person should know of the last request, should it have failed.
    pub(crate) fn detail(&self) -> &str {
        self.transport.reader().detail()
    }

    /// Says what a person should know of the last request, in words of ours.
    pub(crate) fn explain(&mut self, what: &str) {
        self.transport.explain(what);
    }

    /// Takes a new slot after a cut-off, for what still has to be said.
    pub(crate) fn renew_slot(&mut self) {
        self.slot = Rc::new(Slot::detached());
    }

    /// The text of the last answer, where it was to be kept.
    pub(crate) fn answer(&self) -> &[u8] {
        self.transport.reader().answer()
    }

    /// The session id in the last response's head.
    pub(crate) fn session_id(&self) -> Option<&str> {
        self.transport.reader().session_id()
    }

    /// Sends one request, once, and measures it from `due`.
    pub(crate) async fn request(&mut self, request: &Request<'_>, due: Due, timeout: Duration) -> Measured {
        let now = self.context.clock.now();
        self.slot.arm(now.after(timeout));
        let exchange = self.transport.exchange(&self.context, &self.slot, request, now).await;
        let reader = self.transport.reader();
        if reader.foreign_answers() > 0 {
            self.context.book(|books| books.foreign_answers += reader.foreign_answers());
        }
        let measured = measured(&exchange, due, reader.first_event(), reader.result(), reader.status());
        if !measured.outcome.is_ok()
            && let Some(words) = in_words(measured.outcome, timeout, reader.detail())
        {
            self.explain(&words);
        }
        measured
    }

    /// Makes a call in a session: the request, and whatever further rounds the server asks for.
    pub(crate) async fn call(
        &mut self,
        session: &mut Session,
        template: &Template,
        due: Due,
        timeout: Duration,
        keep_answer: bool,
    ) -> Measured {
        let id = if template.is_call() { session.next_id() } else { 0 };
        let mut request = template.request(id, session.lines());
        request.keep_answer = keep_answer;
        request.responder = session.responder();
        let mut measured = self.request(&request, due, timeout).await;
        measured.in_session = template.is_call();
        let reader = self.transport.reader();
        if reader.input_required() {
            return Box::pin(self.further_rounds(session, template, measured, timeout, keep_answer)).await;
        }
        if measured.broke_off() && reader.resume_point().is_some() && session.can_resume() {
            return Box::pin(self.resume(session, id, measured, timeout, keep_answer)).await;
        }
        measured
    }

    /// Gives the server what it asks for until it has a result (2026-07-28, multi-round-trip requests).
    async fn further_rounds(
        &mut self,
        session: &mut Session,
        template: &Template,
        mut measured: Measured,
        timeout: Duration,
        keep_answer: bool,
    ) -> Measured {
        for _ in 1..MOST_ROUNDS {
            let Some(again) = next_round(self.answer(), template, session.elicitation()) else {
                measured.outcome = Outcome::Protocol(ProtocolFault::Result);
                return measured;
            };
            self.context.book(|books| books.extra_rounds += 1);
            let id = session.next_id();
            let mut request = again.request(id, session.lines());
            request.keep_answer = keep_answer;
            let round = self.request(&request, Due::of(&measured), timeout).await;
            measured = measured.followed_by(&round);
            if !self.transport.reader().input_required() {
                return measured;
            }
        }
        measured.outcome = Outcome::Protocol(ProtocolFault::Result);
        measured
    }

    /// Takes up a stream that ended before our answer (2025-11-25, transports: "Resumability and Redelivery").
    async fn resume(
        &mut self,
        session: &Session,
        id: u64,
        mut measured: Measured,
        timeout: Duration,
        keep_answer: bool,
    ) -> Measured {
        let deadline = measured.clocks.sent.after(timeout);
        for _ in 0..MOST_RESUMES {
            let reader = self.transport.reader();
            let Some((last_id, retry_ms)) = reader.resume_point().filter(|_| measured.broke_off()) else {
                break;
            };
            let lines = format!("last-event-id: {last_id}\r\n");
            let begin = measured.clocks.end.after(Duration::from_millis(retry_ms));
            self.slot.arm(deadline);
            if let Err(interrupt) = self.slot.guard(self.context.clock.sleep_until(begin)).await {
                measured.outcome = match interrupt {
                    Interrupt::Deadline => Outcome::Timeout,
                    Interrupt::Cancelled => Outcome::Cancelled,
                };
                measured.clocks.end = self.context.clock.now();
                break;
            }
            self.context.book(|books| books.resumes += 1);
            let request = Request {
                kind: RequestKind::Stream,
                session_lines: session.lines(),
                step_lines: &lines,
                body: Body::default(),
                expect: Expect::Answer { id },
                keep_answer,
                responder: session.responder(),
            };
            let rest = deadline.since(self.context.clock.now());
            let resumed = self.request(&request, Due::of(&measured), rest).await;
            measured = measured.followed_by(&resumed);
        }
        if measured.outcome == Outcome::Timeout {
            self.explain(&no_answer_within(timeout));
        }
        measured
    }
}

impl Measured {
    /// A call that took another exchange: begun with the first, ended with the last.
    pub(crate) fn followed_by(&self, next: &Self) -> Self {
        let clocks = Clocks {
            sent: self.clocks.sent,
            headers: self.clocks.headers.or(next.clocks.headers),
            first_event: self.clocks.first_event.or(next.clocks.first_event),
            ..next.clocks
        };
        Self {
            clocks,
            bytes_sent: self.bytes_sent + next.bytes_sent,
            bytes_received: self.bytes_received + next.bytes_received,
            ..*next
        }
    }

    /// Whether the response ended before an answer came, right or wrong.
    fn broke_off(&self) -> bool {
        matches!(self.outcome, Outcome::Transport(_) | Outcome::Protocol(ProtocolFault::NoAnswer))
    }

    /// Whether the server could not even be reached.
    pub(crate) fn is_unreachable(&self) -> bool {
        use TransportFault::{Connect, Dns, NoDescriptor, NoPort, Refused, Tls};
        matches!(self.outcome, Outcome::Transport(Dns | Refused | Connect | NoPort | NoDescriptor | Tls))
    }
}

fn measured(
    exchange: &Exchange,
    due: Due,
    first_event: Option<Moment>,
    result: Option<Moment>,
    status: u16,
) -> Measured {
    let Exchange { outcome, sent, headers, end, bytes_sent, bytes_received } = *exchange;
    let clocks =
        Clocks { due: due.at.min(sent), ready: due.ready.min(sent), sent, headers, first_event, result, end };
    Measured { clocks, outcome, status, in_session: true, bytes_sent, bytes_received }
}

/// What to say of a failure of which `detail` does not say enough.
fn in_words(outcome: Outcome, timeout: Duration, detail: &str) -> Option<String> {
    let fault = match outcome {
        Outcome::Timeout if detail.is_empty() => return Some(no_answer_within(timeout)),
        Outcome::Timeout => return Some(format!("{}: {detail}", no_answer_within(timeout))),
        Outcome::Protocol(fault) if detail.is_empty() => fault,
        _ => return None,
    };
    let words = match fault {
        ProtocolFault::Http => "what came is not an HTTP response",
        ProtocolFault::ContentType => "the response is neither JSON nor an event stream",
        ProtocolFault::Json => "what came is not a JSON-RPC message",
        ProtocolFault::WrongId => "the answer carries another request's id",
        ProtocolFault::NoAnswer => "the response ended without an answer to the request",
        ProtocolFault::TooLarge => "the response is larger than max_body_bytes",
        ProtocolFault::Result => "the result is of a kind that this revision does not know",
    };
    Some(words.to_owned())
}

fn no_answer_within(timeout: Duration) -> String {
    format!("no answer within {timeout:?}")
}

/// The next round of a call whose last answer asked for input; `None` where the client cannot give it.
fn next_round(answer: &[u8], template: &Template, elicitation: bool) -> Option<Template> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let result = answer.get("result")?;
    let mut more = Map::new();
    if let Some(requests) = result.get("inputRequests").and_then(Value::as_object) {
        let responses: Option<Map<String, Value>> = requests
            .iter()
            .map(|(key, request)| Some((key.clone(), input_response(request, elicitation)?)))
            .collect();
        more.insert("inputResponses".to_owned(), Value::Object(responses?));
    }
    if let Some(state) = result.get("requestState") {
        more.insert("requestState".to_owned(), state.clone());
    }
    template.with_params(more)
}
