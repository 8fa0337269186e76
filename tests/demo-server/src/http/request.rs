//! Requests off the wire: buffered bytes in, a whole request or "not yet" out.

use std::ops::Range;

/// Most header lines of a request.
const MAX_HEADERS: usize = 64;
/// Most bytes of a request's head.
const MAX_HEAD: usize = 64 * 1024;
/// Most bytes of a request's body; what most MCP servers allow.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// A request, read whole.
#[derive(Debug)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    verb: Range<usize>,
    path: Range<usize>,
    headers: Vec<(Range<usize>, Range<usize>)>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Span(Range<usize>),
    Decoded(Vec<u8>),
}

/// Why bytes are no request, as the status that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// Not HTTP/1.x, or framed ambiguously.
    BadRequest,
    /// Body above the limit.
    TooLarge,
    /// Head above the limit.
    HeadTooLarge,
}

impl Malformed {
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::TooLarge => 413,
            Self::HeadTooLarge => 431,
        }
    }
}

impl Request {
    /// Takes one whole request off the front of `inbox`, if it holds one.
    pub(crate) fn take(inbox: &mut Vec<u8>) -> Result<Option<Self>, Malformed> {
        let mut lines = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut head = httparse::Request::new(&mut lines);
        let head_length = match head.parse(inbox) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if inbox.len() > MAX_HEAD => return Err(Malformed::HeadTooLarge),
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(Malformed::HeadTooLarge),
            Err(_) => return Err(Malformed::BadRequest),
        };
        let span = |part: &[u8]| {
            let start = part.as_ptr().addr() - inbox.as_ptr().addr();
            start..start + part.len()
        };
        let verb = span(head.method.unwrap_or_default().as_bytes());
        let path = span(head.path.unwrap_or_default().as_bytes());
        let headers: Vec<_> =
            head.headers.iter().map(|line| (span(line.name.as_bytes()), span(line.value))).collect();
        let Some((body, length)) = frame(head.headers, inbox, head_length)? else { return Ok(None) };
        let rest = inbox.split_off(length);
        let bytes = std::mem::replace(inbox, rest);
        Ok(Some(Self { bytes, verb, path, headers, body }))
    }

    /// The HTTP method.
    pub(crate) fn verb(&self) -> &str {
        self.text(&self.verb)
    }

    /// The path without its query.
    pub(crate) fn path(&self) -> &str {
        let target = self.text(&self.path);
        target.split_once('?').map_or(target, |(path, _)| path)
    }

    /// The first value of a header, without surrounding space; the name's case does not count.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let line = self
            .headers
            .iter()
            .find(|(key, _)| self.bytes[key.clone()].eq_ignore_ascii_case(name.as_bytes()));
        line.map(|(_, value)| self.text(value).trim_matches([' ', '\t']))
    }

    /// The decoded body.
    pub(crate) fn body(&self) -> &[u8] {
        match &self.body {
            Body::Span(span) => &self.bytes[span.clone()],
            Body::Decoded(bytes) => bytes,
        }
    }

    /// Whether the client wants the connection closed behind the answer.
    pub(crate) fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    fn text(&self, span: &Range<usize>) -> &str {
        std::str::from_utf8(&self.bytes[span.clone()]).unwrap_or_default()
    }
}

/// Body and length of the whole request; `None` while bytes are missing.
fn frame(
    headers: &[httparse::Header<'_>],
    inbox: &[u8],
    head_length: usize,
) -> Result<Option<(Body, usize)>, Malformed> {
    let value =
        |name: &str| headers.iter().find(|line| line.name.eq_ignore_ascii_case(name)).map(|line| line.value);
    let length = match (value("transfer-encoding"), value("content-length")) {
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => {
            let decoded = decode_chunked(&inbox[head_length..])?;
            return Ok(decoded.map(|(body, used)| (Body::Decoded(body), head_length + used)));
        }
        (Some(_), _) => return Err(Malformed::BadRequest),
        (None, Some(digits)) => {
            let digits = std::str::from_utf8(digits).map_err(|_| Malformed::BadRequest)?;
            digits.trim().parse::<usize>().map_err(|_| Malformed::BadRequest)?
        }
        (None, None) => 0,
    };
    if length > MAX_BODY {
        return Err(Malformed::TooLarge);
    }
    let end = head_length + length;
    Ok((inbox.len() >= end).then_some((Body::Span(head_length..end), end)))
}

/// A chunked body and the bytes it took on the wire; `None` while bytes are missing.
fn decode_chunked(coded: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Malformed> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let (line, size) = match httparse::parse_chunk_size(&coded[at..]) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Malformed::BadRequest),
        };
        let size = usize::try_from(size).ok().filter(|size| body.len() + size <= MAX_BODY);
        let size = size.ok_or(Malformed::TooLarge)?;
        let start = at + line;
        if size == 0 {
            return after_trailers(coded, start).map(|end| end.map(|end| (body, end)));
        }
        let Some(chunk) = coded.get(start..start + size + 2) else { return Ok(None) };
        if !chunk.ends_with(b"\r\n") {
            return Err(Malformed::BadRequest);
        }
        body.extend_from_slice(&chunk[..size]);
        at = start + size + 2;
    }
}

/// Where the empty line behind the trailers ends.
fn after_trailers(coded: &[u8], mut at: usize) -> Result<Option<usize>, Malformed> {
    loop {
        let Some(length) = coded[at..].iter().position(|&byte| byte == b'\n') else {
            return if coded.len() - at > MAX_HEAD { Err(Malformed::HeadTooLarge) } else { Ok(None) };
        };
        let line = &coded[at..=at + length];
        at += length + 1;
        if line == b"\r\n" {
            return Ok(Some(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Malformed, Request};

    const PLAIN: &[u8] =
        b"POST /mcp?x=1 HTTP/1.1\r\nHost: a\r\nMcp-Method:  ping \r\nContent-Length: 5\r\n\r\nhello";
    const CHUNKED: &[u8] =
        b"POST /mcp HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: t\r\n\r\n";

    #[test]
    fn a_request_is_taken_whole_at_whatever_byte_it_was_cut() {
        for message in [PLAIN, CHUNKED] {
            for cut in 0..message.len() {
                let mut inbox = message[..cut].to_vec();
                assert!(Request::take(&mut inbox).unwrap().is_none(), "complete at {cut}");
                inbox.extend_from_slice(&message[cut..]);
                let request = Request::take(&mut inbox).unwrap().unwrap();
                assert_eq!((request.verb(), request.path(), request.body()), ("POST", "/mcp", &b"hello"[..]));
                assert!(inbox.is_empty());
            }
        }
    }

    #[test]
    fn the_next_request_stays_in_the_inbox() {
        let mut inbox = [PLAIN, CHUNKED].concat();
        assert_eq!(Request::take(&mut inbox).unwrap().unwrap().header("MCP-METHOD"), Some("ping"));
        assert_eq!(inbox, CHUNKED);
    }

    #[test]
    fn ambiguous_framing_and_oversize_are_refused() {
        let refused = |head: &str| Request::take(&mut head.as_bytes().to_vec()).unwrap_err();
        assert_eq!(refused("NOT HTTP\r\n\r\n"), Malformed::BadRequest);
        assert_eq!(refused("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), Malformed::BadRequest);
        assert_eq!(
            refused("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Malformed::BadRequest
        );
        assert_eq!(refused("POST / HTTP/1.1\r\nContent-Length: 5000000\r\n\r\n"), Malformed::TooLarge);
        assert_eq!(
            refused("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n"),
            Malformed::TooLarge
        );
    }
}
