//! Requests and replies as text: what the target answers to what, and the request a peer that cannot speak MCP sends.

use std::io::Write as _;

use crate::shape::Answer;

/// Session id in the requests of peers, of the form the target gives out.
pub(crate) const PEER_SESSION: &str = "00000000-0000-4000-8000-000000000000";
/// Where the target tells what it has counted.
pub(crate) const COUNTS_PATH: &str = "/counts";
/// The body that peers send, again and again: what one step of ours sends.
pub(crate) const PEER_BODY: &str = r#"{"jsonrpc":"2.0","id":1000000,"method":"tools/call","params":{"name":"search","arguments":{"query":"weather in Oslo","limit":5}}}"#;

const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
const BAD_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
const CLOSED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
/// The tools of the mix, whose arguments nobody judges.
const TOOLS: &str = r#","result":{"tools":[{"name":"search","inputSchema":{"type":"object"}},{"name":"fetch","inputSchema":{"type":"object"}},{"name":"add_note","inputSchema":{"type":"object"}}]}}"#;
const MOST_FIELDS: usize = 32;

/// The headers of every request of a peer.
pub(crate) const PEER_HEADERS: [(&str, &str); 4] = [
    ("content-type", "application/json"),
    ("accept", "application/json, text/event-stream"),
    ("mcp-session-id", PEER_SESSION),
    ("mcp-protocol-version", "2025-11-25"),
];

/// What came of the bytes of a connection.
#[derive(Debug)]
pub(crate) enum Served {
    /// A request of this length was answered.
    Request { length: usize },
    /// More has to come first.
    Incomplete,
    /// It is no HTTP.
    Nonsense,
}

/// Replies, made up but for the id, and the counts of what was answered.
#[derive(Debug)]
pub(crate) struct Replies {
    small: String,
    large: String,
    sessions: u64,
    /// Calls answered with a result.
    calls: u64,
    /// Requests that a real server would have refused: no session, or no `Accept` of both kinds.
    refused: u64,
}

/// A request, as far as it matters.
#[derive(Debug)]
struct Request<'a> {
    method: &'a str,
    path: &'a str,
    /// Whether it carries a session id of ours and accepts both kinds of answers.
    proper: bool,
    body: &'a [u8],
}

impl Replies {
    pub(crate) fn new() -> Self {
        // Prose with a line break now and then, as tools that answer in text send it.
        let line = r"Oslo: rain in the morning, sun after noon; 14 degrees, wind from the west at 5 m/s.\n";
        let result = |length: usize| {
            let text = line.repeat(length / line.len() + 1);
            // Cut behind a line's end, so that no escape is cut in two.
            let cut = length / line.len() * line.len();
            format!(
                r#","result":{{"content":[{{"type":"text","text":"{}"}}],"isError":false}}}}"#,
                &text[..cut]
            )
        };
        Self { small: result(260), large: result(16 * 1024), sessions: 0, calls: 0, refused: 0 }
    }

    /// Answers the request at the beginning of `bytes` into `out`.
    pub(crate) fn serve(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Served {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut head = httparse::Request::new(&mut fields);
        let begins = match head.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Served::Incomplete,
            Err(_) => return Served::Nonsense,
        };
        let (mut length, mut session, mut accepts) = (0, false, false);
        for field in head.headers.iter() {
            let is = |name: &str| field.name.eq_ignore_ascii_case(name);
            if is("content-length") {
                let digits = std::str::from_utf8(field.value).unwrap_or_default();
                let Ok(value) = digits.parse::<usize>() else { return Served::Nonsense };
                length = value;
            } else if is("mcp-session-id") {
                session = field.value.len() == PEER_SESSION.len();
            } else if is("accept") {
                accepts = memchr::memmem::find(field.value, b"application/json").is_some()
                    && memchr::memmem::find(field.value, b"text/event-stream").is_some();
            }
        }
        let ends = begins + length;
        if bytes.len() < ends {
            return Served::Incomplete;
        }
        let (method, path) = (head.method.unwrap_or_default(), head.path.unwrap_or_default());
        let proper = session && accepts;
        self.answer(&Request { method, path, proper, body: &bytes[begins..ends] }, out);
        Served::Request { length: ends }
    }

    fn answer(&mut self, request: &Request<'_>, out: &mut Vec<u8>) {
        if request.path == COUNTS_PATH {
            let body = format!("{} {}", self.calls, self.refused);
            return write(out, "text/plain", "", &[&body]);
        }
        let Some(answer) = Answer::ALL.into_iter().find(|answer| answer.path() == request.path) else {
            return out.extend_from_slice(NOT_FOUND);
        };
        let asks = |method: &str| memchr::memmem::find(request.body, method.as_bytes()).is_some();
        if request.method == "DELETE" {
            out.extend_from_slice(CLOSED);
        } else if asks(r#""method":"tools/call""#) {
            if !request.proper {
                self.refused += 1;
                return out.extend_from_slice(BAD_REQUEST);
            }
            self.calls += 1;
            self.call(answer, id_of(request.body), out);
        } else if asks(r#""method":"initialize""#) {
            self.initialize(id_of(request.body), out);
        } else if asks(r#""method":"tools/list""#) {
            write(out, "application/json", "", &[BEFORE_ID, id_of(request.body), TOOLS]);
        } else if asks(r#""method":"notifications/"#) {
            out.extend_from_slice(ACCEPTED);
        } else {
            // `server/discover` among them: this server is of the session era.
            out.extend_from_slice(BAD_REQUEST);
        }
    }

    fn initialize(&mut self, id: &str, out: &mut Vec<u8>) {
        self.sessions += 1;
        let session = format!("mcp-session-id: 00000000-0000-4000-8000-{:012x}\r\n", self.sessions);
        let result = r#","result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}}}"#;
        write(out, "application/json", &session, &[BEFORE_ID, id, result]);
    }

    fn call(&self, answer: Answer, id: &str, out: &mut Vec<u8>) {
        let result = match answer {
            Answer::Json | Answer::Sse => &self.small,
            Answer::LargeJson | Answer::LargeSse => &self.large,
        };
        match answer {
            Answer::Json | Answer::LargeJson => {
                write(out, "application/json", "", &[BEFORE_ID, id, result]);
            }
            Answer::Sse | Answer::LargeSse => {
                let event = ["event: message\ndata: ", BEFORE_ID, id, result, "\n\n"];
                out.extend_from_slice(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n");
                let length: usize = event.iter().map(|part| part.len()).sum();
                // Writing to a Vec cannot fail.
                let _ = write!(out, "{length:x}\r\n");
                for part in event {
                    out.extend_from_slice(part.as_bytes());
                }
                out.extend_from_slice(b"\r\n0\r\n\r\n");
            }
        }
    }
}

const BEFORE_ID: &str = r#"{"jsonrpc":"2.0","id":"#;

fn write(out: &mut Vec<u8>, content_type: &str, lines: &str, body: &[&str]) {
    let length: usize = body.iter().map(|part| part.len()).sum();
    // Writing to a Vec cannot fail.
    let _ = write!(
        out,
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n{lines}content-length: {length}\r\n\r\n"
    );
    for part in body {
        out.extend_from_slice(part.as_bytes());
    }
}

/// The number behind `"id":`; `null` where there is none.
fn id_of(body: &[u8]) -> &str {
    const NAME: &[u8] = br#""id":"#;
    let digits = memchr::memmem::find(body, NAME).map_or(&[][..], |at| &body[at + NAME.len()..]);
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    std::str::from_utf8(&digits[..end]).ok().filter(|digits| !digits.is_empty()).unwrap_or("null")
}
