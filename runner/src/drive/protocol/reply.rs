//! Judges one HTTP response to one request: which outcome it is, and when its answer was there.
//!
//! In: the response head and the body in pieces, each with the instant it was read, from whatever transport. Out: the outcome,
//! and the clocks of the answer. Every transport judges through this one reader, so that all classify alike.

use super::message::{self, Answer, Id, Message, ResultKind};
use super::sse::SseParser;
use crate::judge::{Moment, Outcome, ProtocolFault};

/// What a request hopes for.
#[derive(Debug, Clone, Copy)]
pub enum Expect<'a> {
    /// A JSON-RPC answer with this id.
    Answer {
        /// The request's id.
        id: u64,
    },
    /// Any 2xx: what a notification, an answer of ours or a DELETE gets.
    Accepted,
    /// One of these statuses, whatever the body; empty means any 2xx.
    Status(&'a [u16]),
    /// A stream of the server's own messages, which holds no answer of ours.
    Stream,
}

/// What a response head says that matters here.
#[derive(Debug, Clone, Copy)]
pub struct ReplyHead<'a> {
    /// HTTP status.
    pub status: u16,
    /// What the body is, by its `Content-Type`.
    pub content: Content,
    /// Whether a `Retry-After` came with it.
    pub retry_after: bool,
    /// `Mcp-Session-Id`, where the server gave one.
    pub session_id: Option<&'a str>,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Content {
    /// `application/json`.
    Json,
    /// `text/event-stream`.
    EventStream,
    /// No content type was given.
    #[default]
    Unnamed,
    /// Something else.
    Other,
}

impl Content {
    /// Reads a `Content-Type` value; parameters do not matter (RFC 9110, section 8.3).
    pub fn from_header(value: &[u8]) -> Self {
        // As servers spell it nearly always.
        match value {
            b"application/json" => return Self::Json,
            b"text/event-stream" => return Self::EventStream,
            _ => {}
        }
        let essence = value.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
        if essence.eq_ignore_ascii_case(b"application/json") {
            Self::Json
        } else if essence.eq_ignore_ascii_case(b"text/event-stream") {
            Self::EventStream
        } else {
            Self::Other
        }
    }
}

/// How much of a failed call's body is kept for the message a person reads, in bytes.
const DETAIL: usize = 300;
/// How much of an error status's body is read for a JSON-RPC error, in bytes.
const ERROR_BODY: usize = 64 * 1024;
/// How much memory a virtual user's buffer keeps from one response to the next, in bytes: there may be tens of thousands of them,
/// and one large answer each must not stay with all of them.
pub(crate) const KEPT: usize = 4 * 1024;

/// Reads one response; used again for the next.
#[derive(Debug, Default)]
pub struct ReplyReader {
    status: u16,
    content: Content,
    retry_after: bool,
    sse: SseParser,
    /// A body that came in several pieces and has to be judged whole.
    body: Vec<u8>,
    body_bytes: u64,
    outcome: Option<Outcome>,
    /// What is wrong so far, should no answer come.
    fault: Option<ProtocolFault>,
    first_event: Option<Moment>,
    result: Option<Moment>,
    detail: String,
    session_id: Option<Box<str>>,
    input_required: bool,
    keep_answer: bool,
    answer: Vec<u8>,
    foreign_answers: u64,
    server_requests: Vec<Box<[u8]>>,
}

impl ReplyReader {
    /// Makes ready for a request's response. With `keep_answer` the answer's text can be had afterwards.
    pub fn begin(&mut self, keep_answer: bool) {
        self.status = 0;
        self.content = Content::Unnamed;
        self.retry_after = false;
        self.sse.reset();
        self.release();
        self.body_bytes = 0;
        self.outcome = None;
        self.fault = None;
        self.first_event = None;
        self.result = None;
        self.detail.clear();
        self.session_id = None;
        self.input_required = false;
        self.keep_answer = keep_answer;
        self.answer.clear();
        self.answer.shrink_to(KEPT);
        self.foreign_answers = 0;
        self.server_requests.clear();
    }

    /// Lets go of the body, which is judged or never will be; what was learnt from it stays.
    pub fn release(&mut self) {
        self.body.clear();
        self.body.shrink_to(KEPT);
    }

    /// Takes the response head.
    pub fn head(&mut self, head: &ReplyHead<'_>) {
        self.status = head.status;
        self.content = head.content;
        self.retry_after = head.retry_after;
        self.session_id = head.session_id.map(Into::into);
    }

    /// Takes the next piece of the body, read at `at`. `whole` says that it is all of the body: it is then judged where it lies.
    ///
    /// # Errors
    /// The fault that makes reading on pointless: a body beyond `limit` bytes.
    pub fn data(
        &mut self,
        piece: &[u8],
        whole: bool,
        at: Moment,
        expect: Expect<'_>,
        limit: u64,
    ) -> Result<(), ProtocolFault> {
        if piece.is_empty() {
            return Ok(());
        }
        self.body_bytes += piece.len() as u64;
        let stream =
            self.is_success() && self.content == Content::EventStream && !matches!(expect, Expect::Status(_));
        if !stream && self.body_bytes > limit {
            return Err(self.too_large(limit));
        }
        if stream {
            let mut sse = std::mem::take(&mut self.sse);
            let pushed = sse.push(piece, limit, |data| {
                self.first_event.get_or_insert(at);
                self.take_text(data, at, expect);
            });
            self.sse = sse;
            return pushed.map_err(|_| self.too_large(limit));
        }
        if whole && self.body.is_empty() {
            self.judge_body(piece, at, expect);
        } else {
            // Cut at a fixed length, so that what comes of it does not depend on how the body was cut on the way.
            let kept = if self.is_success() { usize::MAX } else { ERROR_BODY };
            let room = kept.saturating_sub(self.body.len());
            self.body.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        Ok(())
    }

    fn too_large(&mut self, limit: u64) -> ProtocolFault {
        self.explain(&format!("more than the {limit} bytes of max_body_bytes"));
        ProtocolFault::TooLarge
    }

    /// The body is over, at `at`: says what came of the call.
    pub fn end(&mut self, at: Moment, expect: Expect<'_>) -> Outcome {
        if self.outcome.is_none() && !self.body.is_empty() {
            let body = std::mem::take(&mut self.body);
            self.judge_body(&body, at, expect);
            self.body = body;
        }
        self.release();
        let status = self.status;
        let expected = match expect {
            Expect::Status(statuses) if !statuses.is_empty() => statuses.contains(&status),
            _ => self.is_success(),
        };
        self.outcome.unwrap_or_else(|| {
            if !expected {
                return self.by_status();
            }
            match expect {
                Expect::Answer { .. } => Outcome::Protocol(self.fault.unwrap_or(ProtocolFault::NoAnswer)),
                Expect::Accepted | Expect::Status(_) | Expect::Stream => {
                    self.result.get_or_insert(at);
                    Outcome::Ok
                }
            }
        })
    }

    fn by_status(&self) -> Outcome {
        let status = self.status;
        if status == 429 || (status >= 400 && self.retry_after) {
            Outcome::Throttled { status }
        } else {
            Outcome::HttpError { status }
        }
    }

    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Judges a body that is not an event stream.
    fn judge_body(&mut self, body: &[u8], at: Moment, expect: Expect<'_>) {
        match expect {
            Expect::Answer { .. } => {}
            // An unexpected status of these is explained by the body's text.
            Expect::Accepted | Expect::Status(_) | Expect::Stream => {
                if !self.is_success() {
                    self.note(body);
                }
                return;
            }
        }
        if self.is_success() && self.content == Content::Other {
            self.fault = Some(ProtocolFault::ContentType);
            return self.note(body);
        }
        self.first_event.get_or_insert(at);
        self.take_text(body, at, expect);
        if self.outcome.is_none() && self.detail.is_empty() {
            self.note(body);
        }
    }

    /// Takes the text of one message (or batch).
    fn take_text(&mut self, text: &[u8], at: Moment, expect: Expect<'_>) {
        let read = message::read_all(text, |message| self.take_message(text, message, at, expect));
        if read.is_err() && self.outcome.is_none() {
            self.fault = Some(ProtocolFault::Json);
            self.note(text);
        }
    }

    fn take_message(&mut self, text: &[u8], message: Message<'_>, at: Moment, expect: Expect<'_>) {
        match message {
            // A batch comes here once for each of its requests, but is handed on once: it holds them all.
            Message::Request { .. } if self.server_requests.last().is_some_and(|last| **last == *text) => {}
            Message::Request { .. } => self.server_requests.push(text.into()),
            Message::Notification { .. } => {}
            Message::Answer { id, verdict } => {
                let ours = match expect {
                    Expect::Answer { id: expected } => {
                        // An error that names no id came over our own response: it is about our request, as far as HTTP agrees.
                        id == Id::Number(expected)
                            || (id == Id::Absent && matches!(verdict, Answer::Error { .. }))
                    }
                    Expect::Accepted | Expect::Status(_) | Expect::Stream => false,
                };
                if !ours || self.outcome.is_some() {
                    self.foreign_answers += 1;
                    self.fault.get_or_insert(ProtocolFault::WrongId);
                    return;
                }
                self.take_answer(text, id, &verdict, at);
            }
        }
    }

    fn take_answer(&mut self, text: &[u8], id: Id, verdict: &Answer<'_>, at: Moment) {
        let outcome = match verdict {
            Answer::Error { code, message } => {
                self.note(message.as_bytes());
                if id == Id::Absent && !self.is_success() {
                    self.by_status()
                } else {
                    Outcome::RpcError { code: *code }
                }
            }
            Answer::Result { .. } if !self.is_success() => {
                self.note(text);
                self.by_status()
            }
            Answer::Result { kind: ResultKind::Unknown, .. } => {
                self.note(text);
                Outcome::Protocol(ProtocolFault::Result)
            }
            Answer::Result { is_error: true, .. } => {
                match message::tool_error_text(text) {
                    Some(said) => self.note(said.as_bytes()),
                    None => self.note(text),
                }
                Outcome::ToolError
            }
            Answer::Result { is_error: false, kind } => {
                self.input_required = *kind == ResultKind::InputRequired;
                Outcome::Ok
            }
        };
        self.outcome = Some(outcome);
        self.result = Some(at);
        if self.keep_answer || self.input_required {
            self.answer.extend_from_slice(text);
        }
    }

    /// Keeps the beginning of a text for the person who will ask what went wrong; control characters become spaces.
    pub(crate) fn note(&mut self, text: &[u8]) {
        self.detail.clear();
        let cut = &text[..text.len().min(DETAIL)];
        let readable = String::from_utf8_lossy(cut);
        self.detail.extend(readable.chars().map(|c| if c.is_control() { ' ' } else { c }));
        if text.len() > DETAIL {
            self.detail.push('…');
        }
    }

    /// The outcome, as soon as the answer is there; the body may go on.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// The HTTP status; zero while there is no head.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// When the first event was complete.
    pub fn first_event(&self) -> Option<Moment> {
        self.first_event
    }

    /// When the answer was complete.
    pub fn result(&self) -> Option<Moment> {
        self.result
    }

    /// What a person should know of a failed call: the server's message, or the beginning of what it sent.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Says what went wrong in words of ours, where the server said nothing.
    pub fn explain(&mut self, what: &str) {
        self.detail.clear();
        self.detail.push_str(what);
    }

    /// The session id in the response head.
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// The text of our answer, where it was to be kept.
    pub fn answer(&self) -> &[u8] {
        &self.answer
    }

    /// Whether the result asks for another round (`resultType: "input_required"`).
    pub fn input_required(&self) -> bool {
        self.input_required
    }

    /// Answers that were not to our request, since the response began.
    pub fn foreign_answers(&self) -> u64 {
        self.foreign_answers
    }

    /// Takes the requests that the server made on this response, as the texts they came in.
    pub fn take_server_requests(&mut self) -> Vec<Box<[u8]>> {
        std::mem::take(&mut self.server_requests)
    }

    /// Whether the server made requests that nobody has taken.
    pub fn has_server_requests(&self) -> bool {
        !self.server_requests.is_empty()
    }

    /// Where a stream that ended without our answer can be taken up again: the last event's id, and how long to wait first.
    pub fn resume_point(&self) -> Option<(&str, u64)> {
        const DEFAULT_RETRY_MS: u64 = 1000;
        let unanswered = self.outcome.is_none() && self.content == Content::EventStream;
        let id = self.sse.last_id().filter(|id| unanswered && !id.is_empty())?;
        Some((id, self.sse.retry_ms().unwrap_or(DEFAULT_RETRY_MS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Expect<'static> = Expect::Answer { id: 5 };

    fn judge(status: u16, content: Content, pieces: &[&str], expect: Expect<'_>) -> (Outcome, ReplyReader) {
        let mut reader = ReplyReader::default();
        reader.begin(false);
        reader.head(&ReplyHead { status, content, retry_after: false, session_id: None });
        for (index, piece) in pieces.iter().enumerate() {
            let at = Moment::from_nanos(index as u64 + 1);
            if let Err(fault) = reader.data(piece.as_bytes(), pieces.len() == 1, at, expect, 10_000) {
                return (Outcome::Protocol(fault), reader);
            }
        }
        let outcome = reader.end(Moment::from_nanos(100), expect);
        (outcome, reader)
    }

    fn json(status: u16, body: &str) -> Outcome {
        let whole = judge(status, Content::Json, &[body], ID).0;
        let (first, second) = body.split_at(body.len() / 2);
        assert_eq!(judge(status, Content::Json, &[first, second], ID).0, whole, "split in two: {body}");
        whole
    }

    #[test]
    fn every_kind_of_json_answer_has_its_outcome() {
        let cases: [(u16, &str, Outcome); 12] = [
            (200, r#"{"id":5,"result":{}}"#, Outcome::Ok),
            (200, r#"{"id":5,"result":{"isError":true}}"#, Outcome::ToolError),
            (200, r#"{"id":5,"error":{"code":-32602,"message":"m"}}"#, Outcome::RpcError { code: -32602 }),
            (404, r#"{"id":5,"error":{"code":-32601,"message":"m"}}"#, Outcome::RpcError { code: -32601 }),
            (400, r#"{"id":null,"error":{"code":-32600,"message":"m"}}"#, Outcome::HttpError { status: 400 }),
            (200, r#"{"id":null,"error":{"code":-32600,"message":"m"}}"#, Outcome::RpcError { code: -32600 }),
            (500, "oops", Outcome::HttpError { status: 500 }),
            (500, "", Outcome::HttpError { status: 500 }),
            (429, "slow down", Outcome::Throttled { status: 429 }),
            (200, r#"{"id":6,"result":{}}"#, Outcome::Protocol(ProtocolFault::WrongId)),
            (200, "{", Outcome::Protocol(ProtocolFault::Json)),
            (202, "", Outcome::Protocol(ProtocolFault::NoAnswer)),
        ];
        for (status, body, outcome) in cases {
            assert_eq!(json(status, body), outcome, "{status} {body}");
        }
    }

    #[test]
    fn the_answer_is_found_among_other_events_and_timed_when_it_was_read() {
        let events = [
            "data: {\"method\":\"notifications/progress\"}\n\n",
            "data: {\"id\":4,\"result\":{}}\n\ndata: {\"id\":\"p\",\"method\":\"ping\"}\n\n",
            "data: {\"id\":5,\"result\":{}}\n\n",
            ": bye\n\n",
        ];
        let (outcome, mut reader) = judge(200, Content::EventStream, &events, ID);
        assert_eq!(outcome, Outcome::Ok);
        assert_eq!(reader.first_event(), Some(Moment::from_nanos(1)));
        assert_eq!(reader.result(), Some(Moment::from_nanos(3)));
        assert_eq!(reader.foreign_answers(), 1);
        assert_eq!(reader.take_server_requests().len(), 1);
    }

    #[test]
    fn a_failed_tool_is_quoted_by_what_it_says() {
        let said = r#"{"id":5,"result":{"content":[{"type":"image"},{"type":"text","text":"disk\nfull"}],"isError":true}}"#;
        assert_eq!(judge(200, Content::Json, &[said], ID).1.detail(), "disk full");
        let silent = r#"{"id":5,"result":{"content":[],"isError":true}}"#;
        assert_eq!(judge(200, Content::Json, &[silent], ID).1.detail(), silent);
    }

    #[test]
    fn a_stream_that_ends_without_our_answer_can_be_taken_up_again_if_it_had_an_id() {
        let (outcome, reader) = judge(200, Content::EventStream, &["id: e1\nretry: 500\ndata:\n\n"], ID);
        assert_eq!(outcome, Outcome::Protocol(ProtocolFault::NoAnswer));
        assert_eq!(reader.resume_point(), Some(("e1", 500)));
        let (_, reader) =
            judge(200, Content::EventStream, &["id: e1\ndata: {\"id\":5,\"result\":{}}\n\n"], ID);
        assert_eq!(reader.resume_point(), None);
    }

    #[test]
    fn a_content_type_that_is_neither_json_nor_events_is_a_fault_with_a_sample() {
        let (outcome, reader) = judge(200, Content::Other, &["<html>\n\u{7}no</html>"], ID);
        assert_eq!(outcome, Outcome::Protocol(ProtocolFault::ContentType));
        assert_eq!(reader.detail(), "<html>  no</html>");
    }

    #[test]
    fn a_missing_content_type_is_read_as_json() {
        assert_eq!(judge(200, Content::Unnamed, &[r#"{"id":5,"result":{}}"#], ID).0, Outcome::Ok);
    }

    #[test]
    fn a_body_beyond_the_limit_is_a_fault_but_a_long_stream_is_not() {
        let long = "x".repeat(6_000);
        let (outcome, _) = judge(200, Content::Json, &[&long, &long], ID);
        assert_eq!(outcome, Outcome::Protocol(ProtocolFault::TooLarge));
        let event = format!("data: {{\"method\":\"{long}\"}}\n\n");
        let (outcome, _) =
            judge(200, Content::EventStream, &[&event, &event, "data: {\"id\":5,\"result\":1}\n\n"], ID);
        assert_eq!(outcome, Outcome::Ok);
    }

    #[test]
    fn a_large_answer_leaves_no_large_buffers_behind() {
        let long = "x".repeat(100_000);
        let mut reader = ReplyReader::default();
        for content in [Content::Json, Content::EventStream] {
            reader.begin(false);
            reader.head(&ReplyHead { status: 200, content, retry_after: false, session_id: None });
            for piece in [r#"data: {"id":5,"result":""#, &long, &long, "\"}\n", "\n"] {
                let piece = if content == Content::Json { piece.trim_start_matches("data: ") } else { piece };
                reader.data(piece.as_bytes(), false, Moment::ORIGIN, ID, 1 << 20).unwrap();
            }
            assert_eq!(reader.end(Moment::ORIGIN, ID), Outcome::Ok);
            assert!(reader.body.capacity() <= KEPT && reader.sse.held_memory() <= 2 * KEPT, "{content:?}");
        }
    }

    #[test]
    fn plain_requests_are_judged_by_status_alone() {
        let outcome = |status, statuses| judge(status, Content::Other, &["x"], Expect::Status(statuses)).0;
        assert_eq!(outcome(204, &[]), Outcome::Ok);
        assert_eq!(outcome(404, &[]), Outcome::HttpError { status: 404 });
        assert_eq!(outcome(404, &[403, 404]), Outcome::Ok);
        assert_eq!(outcome(200, &[403, 404]), Outcome::HttpError { status: 200 });
        assert_eq!(judge(202, Content::Unnamed, &[], Expect::Accepted).0, Outcome::Ok);
    }

    #[test]
    fn retry_after_makes_an_error_status_a_throttle() {
        let mut reader = ReplyReader::default();
        reader.begin(false);
        reader.head(&ReplyHead { status: 503, content: Content::Other, retry_after: true, session_id: None });
        assert_eq!(reader.end(Moment::ORIGIN, ID), Outcome::Throttled { status: 503 });
    }

    #[test]
    fn an_unknown_result_type_is_a_fault_and_a_request_for_input_is_kept() {
        assert_eq!(
            json(200, r#"{"id":5,"result":{"resultType":"task"}}"#),
            Outcome::Protocol(ProtocolFault::Result)
        );
        let text = r#"{"id":5,"result":{"resultType":"input_required","requestState":"s"}}"#;
        let (outcome, reader) = judge(200, Content::Json, &[text], ID);
        assert_eq!(outcome, Outcome::Ok);
        assert!(reader.input_required());
        assert_eq!(reader.answer(), text.as_bytes());
    }

    #[test]
    fn the_detail_of_a_long_failure_is_cut() {
        let (_, reader) = judge(500, Content::Other, &[&"é".repeat(1_000)], ID);
        assert!(reader.detail().len() < 2 * DETAIL && reader.detail().ends_with('…'));
    }
}
