//! The responses, good, odd and hostile, and what each should come to.

use std::time::Duration;

use super::super::testbed::{ANSWER, Seen, ping, response};
use super::super::{Body, Request, RequestKind};
use crate::drive::protocol::reply::Expect;
use crate::plan::TransportKind;

/// What the server does after its last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Leaves the connection open.
    Hold,
    Close,
    Reset,
}

/// One response.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Class and code of the outcome.
    pub(super) outcome: &'static str,
    pub(super) response: Vec<u8>,
    pub(super) then: Then,
    pub(super) timeout: Duration,
    session_id: Option<&'static str>,
    /// What reqwest makes of it instead, and why that is no mistake of either.
    pub(super) differs: Option<(&'static str, &'static str)>,
    kind: RequestKind<'static>,
    expect: Option<Expect<'static>>,
    answer: Option<String>,
}

fn case(name: &'static str, outcome: &'static str, response: impl Into<Vec<u8>>) -> Case {
    Case {
        name,
        outcome,
        response: response.into(),
        then: Then::Hold,
        timeout: Duration::from_secs(10),
        session_id: None,
        differs: None,
        kind: RequestKind::Message,
        expect: None,
        answer: None,
    }
}

impl Case {
    fn then(self, then: Then) -> Self {
        Self { then, ..self }
    }

    fn closing(self) -> Self {
        self.then(Then::Close)
    }

    /// The client waits in vain.
    fn in_vain(self) -> Self {
        Self { timeout: Duration::from_millis(150), ..self }
    }

    fn session(self, id: &'static str) -> Self {
        Self { session_id: Some(id), ..self }
    }

    fn differs(self, outcome: &'static str, reason: &'static str) -> Self {
        Self { differs: Some((outcome, reason)), ..self }
    }

    /// The request is another.
    fn to(self, kind: RequestKind<'static>, expect: Expect<'static>) -> Self {
        Self { kind, expect: Some(expect), ..self }
    }

    /// The text of the answer is this, not the usual one.
    fn answered(self, answer: impl Into<String>) -> Self {
        Self { answer: Some(answer.into()), ..self }
    }

    pub(super) fn request(&self) -> Request<'static> {
        let body = if matches!(self.kind, RequestKind::Message) { ping().body } else { Body::default() };
        Request { kind: self.kind, body, expect: self.expect.unwrap_or(ping().expect), ..ping() }
    }

    /// Whether this is what the table says.
    pub(super) fn allows(&self, transport: TransportKind, seen: &Seen) -> bool {
        let (class, code) = (seen.outcome.class(), seen.outcome.code());
        let outcome = code.map_or_else(|| class.to_owned(), |code| format!("{class} {code}"));
        let same_status = self.differs.is_some() || seen.status == self.status();
        outcome == self.expected(transport)
            && same_status
            && seen.answer == self.answer(transport)
            && seen.session_id.as_deref() == self.session_id
    }

    fn expected(&self, transport: TransportKind) -> &'static str {
        match self.differs {
            Some((outcome, _)) if transport == TransportKind::Reqwest => outcome,
            _ => self.outcome,
        }
    }

    /// The text that should be kept.
    fn answer(&self, transport: TransportKind) -> &str {
        let usual = if self.expected(transport) == "ok" && self.expect.is_none() { ANSWER } else { "" };
        self.answer.as_deref().unwrap_or(usual)
    }

    /// The status that should have been read: that of the last status line, where a head was complete.
    fn status(&self) -> u16 {
        if matches!(self.outcome, "protocol http" | "transport closed" | "transport reset" | "timeout") {
            return self.status_of_broken();
        }
        let text = String::from_utf8_lossy(&self.response);
        let line = text.match_indices("HTTP/1.").last().map(|(at, _)| &text[at + 9..]);
        line.and_then(|line| line.get(..3)).and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    /// A response that broke off has the status of its head, if that was complete and in order.
    fn status_of_broken(&self) -> u16 {
        if self.name.contains("body") || self.name.contains("chunk") { 200 } else { 0 }
    }

    /// Whether it takes a timeout, or much data.
    pub(super) fn is_slow(&self) -> bool {
        self.timeout < Duration::from_secs(1) || self.response.len() > 20_000
    }
}

const JSON: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";

/// A head that ends with `fields`, and the answer.
fn with(fields: &str) -> String {
    format!("{JSON}{fields}\r\n\r\n{ANSWER}")
}

fn chunked(body: &str) -> String {
    format!("{JSON}transfer-encoding: chunked\r\n\r\n{body}")
}

/// An event stream in one chunk.
fn events(stream: &str) -> String {
    format!("{EVENTS}transfer-encoding: chunked\r\n\r\n{:x}\r\n{stream}\r\n0\r\n\r\n", stream.len())
}

fn json(status: &str, body: &str) -> Vec<u8> {
    response(&format!("{status}\r\ncontent-type: application/json"), body)
}

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    [lengths(), heads(), chunks(), interim(), statuses(), bodies(), streams(), breaks()]
        .into_iter()
        .flatten()
        .collect()
}

fn lengths() -> Vec<Case> {
    let length = ANSWER.len();
    vec![
        case("a length", "ok", json("200 OK", ANSWER)),
        case("a length twice in a line", "ok", with(&format!("content-length: {length}, {length}"))),
        case(
            "a length twice in two lines",
            "ok",
            with(&format!("content-length: {length}\r\ncontent-length: {length}")),
        ),
        case(
            "contradicting lengths in two lines",
            "protocol http",
            with(&format!("content-length: {length}\r\ncontent-length: 3")),
        ),
        case("contradicting lengths in a line", "protocol http", with("content-length: 48, 3")),
        case("a length and nothing", "protocol http", with(&format!("content-length: {length},"))),
        case("a negative length", "protocol http", with("content-length: -48")),
        case("a signed length", "protocol http", with("content-length: +48")),
        case("a length that is a word", "protocol http", with("content-length: all")),
        case("an enormous length", "protocol http", with("content-length: 99999999999999999999")),
        case("an empty length", "protocol http", with("content-length: ")),
        case("a length that cuts the body short", "protocol json", with("content-length: 10")),
        case("a body shorter than its length", "transport closed", with("content-length: 100")).closing(),
        case("a body that does not come to its length", "timeout", with("content-length: 100")).in_vain(),
        case("a length of nothing", "protocol no_answer", json("200 OK", "")),
        case("no length, until the connection closes", "ok", with("x: y")).closing(),
        case("a body without end", "timeout", with("x: y")).in_vain(),
        case("bytes behind the response", "ok", [json("200 OK", ANSWER), b"SSH-2.0\r\n".to_vec()].concat()),
    ]
}

fn heads() -> Vec<Case> {
    let length = ANSWER.len();
    let fields = |count| "x: y\r\n".repeat(count);
    let end = format!("content-length: {length}");
    vec![
        case("names in capitals", "ok", with(&end).to_uppercase().replace(&ANSWER.to_uppercase(), ANSWER)),
        case("white space around values", "ok", with(&format!("content-length: \t {length}  "))),
        case("no reason phrase", "ok", with(&end).replace("200 OK", "200")),
        case("a long reason phrase", "ok", with(&end).replace("200 OK", "200 All is (quite) well!")),
        case("line feeds alone in the head", "ok", with(&end).replace('\r', "")),
        case("no content type", "ok", response("200 OK", ANSWER)),
        case("a charset", "ok", response("200 OK\r\nContent-Type: Application/JSON; charset=utf-8", ANSWER)),
        case("a page", "protocol content_type", response("200 OK\r\ncontent-type: text/html", "<html>")),
        case(
            "two content types, of which the last counts",
            "ok",
            response("200 OK\r\ncontent-type: text/html\r\ncontent-type: application/json", ANSWER),
        ),
        case("two hundred fields", "ok", with(&format!("{}{end}", fields(200)))),
        case("two thousand fields", "protocol http", with(&format!("{}{end}", fields(2000)))),
        case("a field of 100 kB", "ok", with(&format!("x: {}\r\n{end}", "y".repeat(100_000)))),
        case("a field of 300 kB", "protocol http", with(&format!("x: {}\r\n{end}", "y".repeat(300_000))))
            .differs("ok", "each has a limit of its own for heads: ours is 256 KiB, hyper's 408 KiB"),
        case("a folded field", "protocol http", with(&format!("x: y\r\n z\r\n{end}"))),
        case("a space before the colon", "protocol http", with(&format!("x : y\r\n{end}"))),
        case("a field without a name", "protocol http", with(&format!(": y\r\n{end}"))),
        case("a zero byte in a field", "protocol http", with(&format!("x: a\0b\r\n{end}"))),
        case("a byte beyond ASCII in a field", "ok", with(&format!("x: gr\u{fc}n\r\n{end}"))),
        case("a session id", "ok", with(&format!("MCP-Session-Id: s-1\r\n{end}"))).session("s-1"),
        case("two session ids", "ok", with(&format!("mcp-session-id: a\r\nmcp-session-id: b\r\n{end}")))
            .session("b"),
        case("connection: close", "ok", with(&format!("connection: close\r\n{end}"))).closing(),
        case("HTTP/1.0 with a length", "ok", with(&end).replace("1.1", "1.0")).closing(),
        case(
            "HTTP/1.0 kept alive",
            "ok",
            with(&format!("connection: keep-alive\r\n{end}")).replace("1.1", "1.0"),
        ),
        case("HTTP/1.0 until the connection closes", "ok", with("x: y").replace("1.1", "1.0")).closing(),
        case("HTTP/1.0 with a transfer coding", "protocol http", chunked("0\r\n\r\n").replace("1.1", "1.0"))
            .closing(),
        case("HTTP/2 in clear text", "protocol http", with(&end).replace("HTTP/1.1", "HTTP/2")),
        case("another protocol's banner", "protocol http", "SSH-2.0-OpenSSH_9.2\r\n"),
        case("a page without a head", "protocol http", "<html><body>It works!</body></html>\n"),
        case("bytes of TLS", "protocol http", b"\x15\x03\x01\x00\x02\x02\x46".to_vec()).closing(),
        case("empty lines before the head", "ok", format!("\r\n\r\n{}", with(&end))),
    ]
}

fn chunks() -> Vec<Case> {
    let (size, [first, second]) = (ANSWER.len(), [&ANSWER[..5], &ANSWER[5..]]);
    let rest = second.len();
    let one = format!("{size:x}\r\n{ANSWER}\r\n0\r\n\r\n");
    vec![
        case("one chunk", "ok", chunked(&one)),
        case("two chunks", "ok", chunked(&format!("5\r\n{first}\r\n{rest:x}\r\n{second}\r\n0\r\n\r\n"))),
        case("chunk extensions", "ok", chunked(&format!("{size:x};a=\"b;c\";d\r\n{ANSWER}\r\n0;e\r\n\r\n"))),
        case(
            "trailers behind chunks",
            "ok",
            chunked(&format!("{size:x}\r\n{ANSWER}\r\n0\r\nx: y\r\nz: 1\r\n\r\n")),
        ),
        case(
            "a chunk size in capitals with zeros",
            "ok",
            chunked(&format!("000{size:X}\r\n{ANSWER}\r\n000\r\n\r\n")),
        ),
        case("a space behind a chunk size", "ok", chunked(&format!("{size:x} \r\n{ANSWER}\r\n0\r\n\r\n"))),
        case("no chunk but the last", "protocol no_answer", chunked("0\r\n\r\n")),
        case("a chunk size that is none", "protocol http", chunked("twelve\r\n")),
        case("a chunk size of seventeen digits", "protocol http", chunked("11111111111111111\r\nx")),
        case(
            "a chunk longer than its size",
            "protocol http",
            chunked(&format!("5\r\n{ANSWER}\r\n0\r\n\r\n")),
        ),
        case(
            "a chunk size without carriage return",
            "protocol http",
            chunked(&format!("{size:x}\n{ANSWER}\r\n0\r\n\r\n")),
        ),
        case("a chunk that breaks off", "transport closed", chunked(&format!("{size:x}\r\n{first}")))
            .closing(),
        case("chunks without the last", "transport closed", chunked(&format!("{size:x}\r\n{ANSWER}\r\n")))
            .closing(),
        case(
            "a chunked body whose end does not come",
            "timeout",
            chunked(&format!("{size:x}\r\n{ANSWER}\r\n")),
        )
        .in_vain(),
        case("two codings, the last chunked", "ok", chunked(&one).replace("chunked", "gzip, Chunked")),
        case(
            "two lines of codings",
            "ok",
            chunked(&one).replace(": chunked", ": gzip\r\ntransfer-encoding: chunked"),
        ),
        case("a coding other than chunked", "ok", with("transfer-encoding: gzip")).closing(),
        case("chunked and another coding behind it", "ok", with("transfer-encoding: chunked, gzip"))
            .closing(),
        case(
            "chunked beside a length",
            "ok",
            chunked(&one).replace(": chunked", ": chunked\r\ncontent-length: 3"),
        ),
    ]
}

fn interim() -> Vec<Case> {
    let good = String::from_utf8(json("200 OK", ANSWER)).unwrap();
    let hint = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\nmcp-session-id: no\r\n\r\n";
    vec![
        case("an interim response", "ok", format!("HTTP/1.1 100 Continue\r\n\r\n{good}")),
        case("several interim responses", "ok", format!("HTTP/1.1 102 Processing\r\n\r\n{hint}{hint}{good}")),
        case(
            "an interim response with a length",
            "ok",
            format!("HTTP/1.1 100 Continue\r\ncontent-length: 0\r\n\r\n{good}"),
        ),
        case("an interim response and nothing more", "transport closed", hint).closing(),
        case(
            "a change of protocol",
            "http_error 101",
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        )
        .closing(),
    ]
}

fn statuses() -> Vec<Case> {
    let error = r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"no"}}"#;
    let nameless = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}"#;
    let verbose = |blanks: usize| format!("{}{error}", " ".repeat(blanks));
    let delete = (RequestKind::Delete, Expect::Status(&[200, 405]));
    let head = (RequestKind::Plain { method: "HEAD", path: "/health?x=1" }, Expect::Status(&[]));
    vec![
        case("202 for a notification", "ok", "HTTP/1.1 202 Accepted\r\n\r\n")
            .to(RequestKind::Message, Expect::Accepted)
            .closing(),
        case(
            "202 with a length for a notification",
            "ok",
            "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n",
        )
        .to(RequestKind::Message, Expect::Accepted),
        case("202 for a call", "protocol no_answer", "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"),
        case("202 with an answer", "ok", json("202 Accepted", ANSWER)),
        case("204 for a call", "protocol no_answer", "HTTP/1.1 204 No Content\r\n\r\n"),
        case(
            "204 with a length",
            "protocol no_answer",
            "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello",
        ),
        case("304 with a length", "http_error 304", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n"),
        case("HEAD has a length but no body", "ok", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
            .to(head.0, head.1),
        case("405 for DELETE", "ok", response("405 Method Not Allowed", "no")).to(delete.0, delete.1),
        case("500 for DELETE", "http_error 500", response("500 Oh", "no")).to(delete.0, delete.1),
        case("a redirect", "http_error 302", response("302 Found\r\nlocation: /elsewhere", "there")),
        case("a permanent redirect", "http_error 308", response("308 Gone\r\nlocation: /elsewhere", "")),
        case("400 with a JSON-RPC error", "rpc_error -32602", json("400 Bad Request", error)).answered(error),
        case("400 with an error about no request", "http_error 400", json("400 Bad Request", nameless))
            .answered(nameless),
        case("401", "http_error 401", response("401 Unauthorized\r\nwww-authenticate: Bearer", "")),
        case("404", "http_error 404", response("404 Not Found\r\ncontent-type: text/plain", "no session")),
        case("429", "throttled 429", response("429 Too Many Requests", "slow down")),
        case("503 with Retry-After", "throttled 503", response("503 Busy\r\nretry-after: 1", "")),
        case("500 with a long page", "http_error 500", response("500 Oh", &"x".repeat(100_000))),
        case("a JSON-RPC error of 60 kB", "rpc_error -32602", json("500 Oh", &verbose(60_000)))
            .answered(verbose(60_000)),
        case(
            "a JSON-RPC error of 70 kB, of which less is read",
            "http_error 500",
            json("500 Oh", &verbose(70_000)),
        ),
        case("500 until the connection closes", "http_error 500", "HTTP/1.1 500 Oh\r\n\r\nsorry").closing(),
        case("a result with an error status", "http_error 500", json("500 Oh", ANSWER)).answered(ANSWER),
        case(
            "an error status with an event stream",
            "http_error 500",
            response("500 Oh\r\ncontent-type: text/event-stream", "data: x\n\n"),
        ),
        case("a status beyond all classes", "http_error 999", response("999 What", "")),
    ]
}

fn bodies() -> Vec<Case> {
    const TOOL_ERROR: &str = r#"{"id":7,"result":{"isError":true}}"#;
    const RPC_ERROR: &str = r#"{"id":7,"error":{"code":-32000,"message":"gr\u00fcn"}}"#;
    let long = format!("{ANSWER}{}", " ".repeat(150_000));
    vec![
        case("a tool error", "tool_error", json("200 OK", TOOL_ERROR)).answered(TOOL_ERROR),
        case("a JSON-RPC error", "rpc_error -32000", json("200 OK", RPC_ERROR)).answered(RPC_ERROR),
        case("another's answer", "protocol wrong_id", json("200 OK", r#"{"id":8,"result":{}}"#)),
        case("an id that is a string", "protocol wrong_id", json("200 OK", r#"{"id":"7","result":{}}"#)),
        case("a batch", "ok", json("200 OK", r#"[{"id":6,"result":{}},{"id":7,"result":1}]"#))
            .answered(r#"[{"id":6,"result":{}},{"id":7,"result":1}]"#),
        case("no JSON", "protocol json", json("200 OK", "Internal error")),
        case("half of the JSON", "protocol json", json("200 OK", &ANSWER[..20])),
        case("two JSON texts", "protocol json", json("200 OK", &format!("{ANSWER}{ANSWER}"))),
        case("white space around the JSON", "ok", json("200 OK", &format!("\n {ANSWER}\n")))
            .answered("\n {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[]}}\n"),
        case(
            "a coded body that was not asked for",
            "protocol json",
            [
                format!("{JSON}content-encoding: gzip\r\ncontent-length: 4\r\n\r\n").into_bytes(),
                b"\x1f\x8b\x08\x00".to_vec(),
            ]
            .concat(),
        ),
        case("a long body", "ok", json("200 OK", &long)).answered(long),
        case("a body beyond the limit", "protocol too_large", json("200 OK", &"x".repeat(250_000))),
    ]
}

fn streams() -> Vec<Case> {
    let answer = format!("data: {ANSWER}\n\n");
    let progress = "event: message\ndata: {\"method\":\"notifications/progress\"}\n\n";
    vec![
        case("an event", "ok", events(&answer)),
        case("an event with CR LF", "ok", events(&answer.replace('\n', "\r\n"))),
        case("an event with CR", "ok", events(&answer.replace('\n', "\r"))),
        case("an event with a length", "ok", response("200 OK\r\ncontent-type: text/event-stream", &answer)),
        case("an event until the connection closes", "ok", format!("{EVENTS}\r\n{answer}")).closing(),
        case(
            "comments and progress before the answer",
            "ok",
            events(&format!(": hi\n\n{progress}:\n{progress}{answer}")),
        ),
        case(
            "another's answer before ours",
            "ok",
            events(&format!("data: {{\"id\":6,\"result\":{{}}}}\n\n{answer}")),
        ),
        case(
            "a request of the server before the answer",
            "ok",
            events(&format!("data: {{\"id\":1,\"method\":\"ping\"}}\n\n{answer}")),
        ),
        case("a priming event", "ok", events(&format!("id: 1\nretry: 100\ndata:\n\nid: 2\n{answer}"))),
        case(
            "the answer in two lines of data",
            "ok",
            events(&format!("data: {}\ndata:{}\n\n", &ANSWER[..17], &ANSWER[17..])),
        )
        .answered("{\"jsonrpc\":\"2.0\",\n\"id\":7,\"result\":{\"content\":[]}}"),
        case("a byte order mark", "ok", events(&format!("\u{feff}{answer}"))),
        case("an event of another type", "protocol no_answer", events(&format!("event: ping\n{answer}"))),
        case("an event that is not over", "protocol no_answer", events(answer.trim_end())),
        case("an event that is no JSON", "protocol json", events("data: hello\n\n")),
        case("only another's answer", "protocol wrong_id", events("data: {\"id\":6,\"result\":{}}\n\n")),
        case("an empty stream", "protocol no_answer", events(": nothing\n\n")),
        case("more events behind the answer", "ok", events(&format!("{answer}{progress}"))),
        case("two answers in a stream", "ok", events(&format!("{answer}{answer}"))),
        case(
            "a stream that breaks off behind the answer",
            "ok",
            format!("{EVENTS}transfer-encoding: chunked\r\n\r\n{:x}\r\n{answer}\r\n", answer.len()),
        )
        .closing(),
        case(
            "a stream that is reset behind the answer",
            "ok",
            format!("{EVENTS}transfer-encoding: chunked\r\n\r\n{:x}\r\n{answer}\r\n", answer.len()),
        )
        .then(Then::Reset),
        case(
            "a malformed chunk body behind the answer",
            "ok",
            format!("{EVENTS}transfer-encoding: chunked\r\n\r\n{:x}\r\n{answer}\r\nXYZ", answer.len()),
        ),
        case(
            "an event beyond the limit",
            "protocol too_large",
            events(&format!("data: {}\n\n", "x".repeat(250_000))),
        ),
        case("a long stream of short events", "ok", events(&format!("{}{answer}", progress.repeat(4_000)))),
    ]
}

fn breaks() -> Vec<Case> {
    vec![
        case("nothing, and the end", "transport closed", "").closing(),
        case("nothing, and a reset", "transport reset", "").then(Then::Reset),
        case("nothing at all", "timeout", "").in_vain(),
        case("half a head, and the end", "transport closed", "HTTP/1.1 200 OK\r\ncontent-").closing(),
        case("half a head, and a reset", "transport reset", "HTTP/1.1 200 OK\r\ncontent-").then(Then::Reset),
        case("half a head", "timeout", "HTTP/1.1 200 OK\r\ncontent-").in_vain(),
        case("half a body, and a reset", "transport reset", with("content-length: 100")).then(Then::Reset),
        case("a body until the connection is reset", "transport reset", with("x: y")).then(Then::Reset),
    ]
}
