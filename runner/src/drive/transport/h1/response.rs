//! The framing of an HTTP/1.1 response: where its head ends, where its body ends (RFC 9112). Pure: bytes in, spans out.

use std::mem::MaybeUninit;

use crate::drive::protocol::reply::{Content, ReplyHead};

/// Largest response head that is read, bytes.
pub(crate) const HEAD_LIMIT: usize = 256 * 1024;
/// Header fields that fit on the stack; a response with more is parsed again with room for [`MANY_FIELDS`].
const FEW_FIELDS: usize = 48;
/// Most header fields of a response.
pub(crate) const MANY_FIELDS: usize = 1024;

/// Not an HTTP response, or one whose framing contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A parsed response head.
#[derive(Debug)]
pub(crate) struct ResponseHead<'a> {
    /// What the judge of the response has to know.
    pub(crate) reply: ReplyHead<'a>,
    /// Where the body ends.
    pub(crate) framing: Framing,
    /// Whether the connection can be used again once the body is over.
    pub(crate) keep_alive: bool,
    /// Length of the head, bytes.
    pub(crate) length: usize,
}

impl ResponseHead<'_> {
    /// Whether the real response is still to follow. 101 is real: nothing follows it that we could read.
    pub(crate) fn is_interim(&self) -> bool {
        (100..200).contains(&self.reply.status) && self.reply.status != 101
    }
}

/// Where a body ends (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none.
    Empty,
    /// After so many bytes.
    Length(u64),
    /// With the last chunk.
    Chunked,
    /// With the connection.
    Close,
}

/// Parses a response head; `None` while it is incomplete. Interim responses (1xx) are heads of their own, with an empty body.
///
/// # Errors
/// [`Malformed`] where it is not HTTP/1.x, has contradicting lengths, or is longer than [`HEAD_LIMIT`].
pub(crate) fn parse_head<'a>(bytes: &'a [u8], method: &str) -> Result<Option<ResponseHead<'a>>, Malformed> {
    let mut few = [const { MaybeUninit::uninit() }; FEW_FIELDS];
    match parse_with(bytes, method, &mut few) {
        Err(httparse::Error::TooManyHeaders) => {
            let mut many = vec![MaybeUninit::uninit(); MANY_FIELDS];
            parse_with(bytes, method, &mut many).unwrap_or(Err(Malformed))
        }
        parsed => parsed.unwrap_or(Err(Malformed)),
    }
}

/// The outer error is httparse's, because too many header fields can be mended; the inner one is final.
type Parsed<'a> = Result<Result<Option<ResponseHead<'a>>, Malformed>, httparse::Error>;

fn parse_with<'a>(
    bytes: &'a [u8],
    method: &str,
    fields: &mut [MaybeUninit<httparse::Header<'a>>],
) -> Parsed<'a> {
    let mut response = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    Ok(match parser.parse_response_with_uninit_headers(&mut response, bytes, fields)? {
        httparse::Status::Partial if bytes.len() > HEAD_LIMIT => Err(Malformed),
        httparse::Status::Partial => Ok(None),
        httparse::Status::Complete(length) => interpret(&response, method, length).map(Some),
    })
}

fn interpret<'a>(
    response: &httparse::Response<'_, 'a>,
    method: &str,
    length: usize,
) -> Result<ResponseHead<'a>, Malformed> {
    let status = response.code.ok_or(Malformed)?;
    let mut reply = ReplyHead { status, content: Content::Unnamed, retry_after: false, session_id: None };
    let (mut close, mut keep_alive) = (false, response.version == Some(1));
    let mut body_length = None;
    let mut encoded = None;
    for field in response.headers.iter() {
        // Lengths tell the few names that matter apart before any bytes are compared.
        match field.name.len() {
            10 if is(field.name, "connection") => {
                close |= has_token(field.value, b"close");
                keep_alive |= has_token(field.value, b"keep-alive");
            }
            11 if is(field.name, "retry-after") => reply.retry_after = true,
            12 if is(field.name, "content-type") => reply.content = Content::from_header(field.value),
            14 if is(field.name, "content-length") => {
                let value = parse_length(field.value)?;
                if body_length.is_some_and(|earlier| earlier != value) {
                    return Err(Malformed);
                }
                body_length = Some(value);
            }
            14 if is(field.name, "mcp-session-id") => {
                reply.session_id = std::str::from_utf8(field.value).ok();
            }
            17 if is(field.name, "transfer-encoding") => encoded = Some(ends_chunked(field.value)),
            _ => {}
        }
    }
    // HTTP/1.0 has no transfer codings: the framing is faulty whatever else it says (section 6.1).
    if encoded.is_some() && response.version == Some(0) {
        return Err(Malformed);
    }
    let framing = if method == "HEAD" || status < 200 || status == 204 || status == 304 {
        Framing::Empty
    } else {
        match (encoded, body_length) {
            (Some(true), _) => Framing::Chunked,
            (Some(false), _) | (None, None) => Framing::Close,
            (None, Some(0)) => Framing::Empty,
            (None, Some(length)) => Framing::Length(length),
        }
    };
    // A length beside a transfer coding smells of response splitting; the connection is not trusted further (section 6.3).
    let trusted = !(encoded.is_some() && body_length.is_some());
    // After 101 the connection speaks another protocol.
    let keep_alive = keep_alive && !close && framing != Framing::Close && trusted && status != 101;
    Ok(ResponseHead { reply, framing, keep_alive, length })
}

fn is(name: &str, lower: &str) -> bool {
    name.eq_ignore_ascii_case(lower)
}

fn tokens(value: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
}

fn has_token(value: &[u8], token: &[u8]) -> bool {
    tokens(value).any(|found| found.eq_ignore_ascii_case(token))
}

fn ends_chunked(value: &[u8]) -> bool {
    tokens(value).next_back().is_some_and(|last| last.eq_ignore_ascii_case(b"chunked"))
}

/// A `Content-Length`, or the same one several times over ("5, 5"), which section 6.3 lets a recipient accept.
fn parse_length(value: &[u8]) -> Result<u64, Malformed> {
    // As servers write it nearly always: a few digits and nothing else.
    if (1..=9).contains(&value.len()) && value.iter().all(u8::is_ascii_digit) {
        return Ok(value.iter().fold(0, |length, digit| length * 10 + u64::from(digit - b'0')));
    }
    let mut lengths = value.split(|&byte| byte == b',').map(|token| {
        let token = token.trim_ascii();
        let digits = token.iter().all(u8::is_ascii_digit).then_some(token).ok_or(Malformed)?;
        std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok()).ok_or(Malformed)
    });
    let first = lengths.next().unwrap_or(Err(Malformed))?;
    if lengths.all(|length| length == Ok(first)) { Ok(first) } else { Err(Malformed) }
}

/// Where in a body we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyState {
    /// So many bytes are still to come.
    Remaining(u64),
    /// Inside a chunked body.
    Chunked(ChunkState),
    /// Until the connection closes.
    UntilClose,
    /// It is over.
    Done,
}

/// Where in a chunked body we are (RFC 9112, section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChunkState {
    /// In the digits of a size; `digits` of them so far.
    Size { value: u64, digits: u8 },
    /// After the size, in white space or an extension, up to the line's end.
    Extension { value: u64 },
    /// After the carriage return of the size line.
    SizeEnd { value: u64 },
    /// In the chunk's data.
    Data { remaining: u64 },
    /// After the data: the carriage return.
    DataReturn,
    /// After the data: the line feed.
    DataEnd,
    /// At the beginning of a trailer line.
    TrailerStart,
    /// In a trailer line.
    Trailer,
    /// After the carriage return of the last, empty line.
    LastEnd,
}

const FIRST_SIZE: ChunkState = ChunkState::Size { value: 0, digits: 0 };
/// Sixteen hexadecimal digits fill 64 bits.
const MOST_DIGITS: u8 = 16;

impl BodyState {
    /// The state at the beginning of a body.
    pub(crate) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Empty => Self::Done,
            Framing::Length(length) => Self::Remaining(length),
            Framing::Chunked => Self::Chunked(FIRST_SIZE),
            Framing::Close => Self::UntilClose,
        }
    }

    /// Takes the next bytes; hands out pieces of the body and says how many bytes were used up. Fewer than given are used up only
    /// when the body is over. The second argument of `each` says whether the piece is all of the rest of the body.
    ///
    /// # Errors
    /// [`Malformed`] where chunks are not chunks; whatever `each` refuses.
    pub(crate) fn take<E: From<Malformed>>(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&[u8], bool) -> Result<(), E>,
    ) -> Result<usize, E> {
        match self {
            Self::Done => Ok(0),
            Self::UntilClose => {
                if !bytes.is_empty() {
                    each(bytes, false)?;
                }
                Ok(bytes.len())
            }
            Self::Remaining(remaining) => {
                let here = usize::try_from(*remaining).unwrap_or(usize::MAX).min(bytes.len());
                *remaining -= here as u64;
                let last = *remaining == 0;
                if here > 0 {
                    each(&bytes[..here], last)?;
                }
                if last {
                    *self = Self::Done;
                }
                Ok(here)
            }
            Self::Chunked(state) => {
                let (used, done) = take_chunks(state, bytes, &mut each)?;
                if done {
                    *self = Self::Done;
                }
                Ok(used)
            }
        }
    }
}

/// Advances through a chunked body; returns the bytes used up and whether the body is over.
fn take_chunks<E: From<Malformed>>(
    state: &mut ChunkState,
    bytes: &[u8],
    each: &mut impl FnMut(&[u8], bool) -> Result<(), E>,
) -> Result<(usize, bool), E> {
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if let ChunkState::Data { remaining } = state {
            let here = usize::try_from(*remaining).unwrap_or(usize::MAX).min(bytes.len() - at);
            *remaining -= here as u64;
            let over = *remaining == 0;
            // The common small answer is one chunk with its terminator right behind: then the piece is the whole rest.
            let last = over && bytes[at + here..].starts_with(b"\r\n0\r\n\r\n");
            each(&bytes[at..at + here], last)?;
            at += here;
            if over {
                *state = ChunkState::DataReturn;
            }
            continue;
        }
        at += 1;
        *state = match (*state, byte) {
            (ChunkState::Size { value, digits }, _) if byte.is_ascii_hexdigit() => {
                if digits == MOST_DIGITS {
                    return Err(Malformed.into());
                }
                #[expect(clippy::cast_possible_truncation, reason = "a hexadecimal digit is below 16")]
                let digit = (byte as char).to_digit(16).map_or(0, |digit| digit as u8);
                ChunkState::Size { value: value << 4 | u64::from(digit), digits: digits + 1 }
            }
            (ChunkState::Size { digits: 0, .. }, _) => return Err(Malformed.into()),
            (ChunkState::Size { value, .. } | ChunkState::Extension { value }, b'\r') => {
                ChunkState::SizeEnd { value }
            }
            (ChunkState::Size { value, .. }, b';' | b' ' | b'\t') => ChunkState::Extension { value },
            (ChunkState::Extension { value }, _) if byte != b'\n' => ChunkState::Extension { value },
            (ChunkState::SizeEnd { value: 0 } | ChunkState::TrailerStart | ChunkState::Trailer, b'\n') => {
                ChunkState::TrailerStart
            }
            (ChunkState::SizeEnd { value }, b'\n') => ChunkState::Data { remaining: value },
            (ChunkState::DataReturn, b'\r') => ChunkState::DataEnd,
            (ChunkState::DataEnd, b'\n') => FIRST_SIZE,
            (ChunkState::TrailerStart, b'\r') => ChunkState::LastEnd,
            (ChunkState::TrailerStart | ChunkState::Trailer, _) => ChunkState::Trailer,
            (ChunkState::LastEnd, b'\n') => return Ok((at, true)),
            _ => return Err(Malformed.into()),
        };
    }
    Ok((at, false))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(text: &str) -> Result<Option<(Framing, bool)>, Malformed> {
        let bytes = text.replace('\n', "\r\n");
        Ok(parse_head(bytes.as_bytes(), "POST")?.map(|head| (head.framing, head.keep_alive)))
    }

    #[test]
    fn the_framing_follows_the_rules_of_rfc_9112() {
        let cases = [
            ("HTTP/1.1 200 OK\ncontent-length: 5\n\n", Framing::Length(5), true),
            ("HTTP/1.1 200 OK\nContent-Length: 5, 5\n\n", Framing::Length(5), true),
            ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", Framing::Chunked, true),
            ("HTTP/1.1 200 OK\nTransfer-Encoding: gzip, Chunked\n\n", Framing::Chunked, true),
            ("HTTP/1.1 200 OK\nTransfer-Encoding: gzip\n\n", Framing::Close, false),
            ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\ncontent-length: 3\n\n", Framing::Chunked, false),
            ("HTTP/1.1 200 OK\n\n", Framing::Close, false),
            ("HTTP/1.1 200 OK\nconnection: Close\ncontent-length: 0\n\n", Framing::Empty, false),
            ("HTTP/1.0 200 OK\ncontent-length: 1\n\n", Framing::Length(1), false),
            ("HTTP/1.0 200 OK\nconnection: keep-alive\ncontent-length: 1\n\n", Framing::Length(1), true),
            ("HTTP/1.1 204 No Content\n\n", Framing::Empty, true),
            ("HTTP/1.1 100 Continue\n\n", Framing::Empty, true),
            ("HTTP/1.1 304 Not Modified\ncontent-length: 9\n\n", Framing::Empty, true),
            ("HTTP/1.1 101 Switching Protocols\nupgrade: h2c\n\n", Framing::Empty, false),
            (
                "HTTP/1.1 200 OK\nconnection: close\nconnection: keep-alive\ncontent-length: 1\n\n",
                Framing::Length(1),
                false,
            ),
        ];
        for (text, framing, keep_alive) in cases {
            assert_eq!(head(text), Ok(Some((framing, keep_alive))), "{text}");
        }
    }

    #[test]
    fn contradictions_and_garbage_are_malformed() {
        for text in [
            "HTTP/1.1 200 OK\ncontent-length: 5\ncontent-length: 6\n\n",
            "HTTP/1.1 200 OK\ncontent-length: 5, 6\n\n",
            "HTTP/1.1 200 OK\ncontent-length: 5,\n\n",
            "HTTP/1.1 200 OK\ncontent-length: -1\n\n",
            "HTTP/1.0 200 OK\ntransfer-encoding: chunked\n\n",
            "HTTP/1.1 200 OK\ncontent-length: 99999999999999999999\n\n",
            "HTTP/1.1 200 OK\ncontent-length:\n\n",
            "SSH-2.0-OpenSSH_9.2\n",
            "HTTP/2 200\n\n",
        ] {
            assert_eq!(head(text), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn a_head_may_have_many_fields_but_not_be_endless() {
        let fields = "x: y\n".repeat(200);
        assert_eq!(head(&format!("HTTP/1.1 200 OK\n{fields}\n")), Ok(Some((Framing::Close, false))));
        assert_eq!(head("HTTP/1.1 200 OK\nx: "), Ok(None));
        let endless = format!("HTTP/1.1 200 OK\nx: {}", "y".repeat(HEAD_LIMIT));
        assert_eq!(head(&endless), Err(Malformed));
    }

    #[test]
    fn what_the_judge_needs_is_read_from_the_head() {
        let text = b"HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nMCP-Session-Id: s1\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n\r\n";
        let reply = parse_head(text, "POST").unwrap().unwrap().reply;
        assert_eq!((reply.status, reply.retry_after, reply.session_id), (429, true, Some("s1")));
        assert_eq!(reply.content, Content::EventStream);
    }

    fn body(framing: Framing, pieces: &[&[u8]]) -> Result<(Vec<u8>, usize, bool), Malformed> {
        let mut state = BodyState::new(framing);
        let (mut found, mut used) = (Vec::new(), 0);
        for piece in pieces {
            used += state.take::<Malformed>(piece, |data, _| {
                found.extend_from_slice(data);
                Ok(())
            })?;
        }
        Ok((found, used, state == BodyState::Done))
    }

    #[test]
    fn chunks_may_carry_extensions_and_trailers() {
        let text = b"3;name=\"a;b\"\r\nabc\r\n0A \r\n0123456789\r\n0\r\nx-trailer: 1\r\nother: 2\r\n\r\nNEXT";
        assert_eq!(body(Framing::Chunked, &[text]), Ok((b"abc0123456789".to_vec(), text.len() - 4, true)));
    }

    #[test]
    fn a_small_chunked_body_is_one_whole_piece() {
        let mut last = Vec::new();
        let mut state = BodyState::new(Framing::Chunked);
        state
            .take::<Malformed>(b"3\r\nabc\r\n0\r\n\r\n", |_, whole| {
                last.push(whole);
                Ok(())
            })
            .unwrap();
        assert_eq!((last, state), (vec![true], BodyState::Done));
    }

    #[test]
    fn chunks_that_are_not_chunks_are_malformed() {
        for text in [
            "\r\n",
            "x\r\n",
            "3\r\nabcd\r\n",
            "3\nabc",
            "-1\r\n",
            "11111111111111111\r\n",
            "0\r\n\rX",
            "3;a\nb\r\n",
        ] {
            assert_eq!(body(Framing::Chunked, &[text.as_bytes()]), Err(Malformed), "{text:?}");
        }
    }

    #[test]
    fn what_follows_a_body_is_not_used_up() {
        assert_eq!(body(Framing::Length(3), &[b"abcdef"]), Ok((b"abc".to_vec(), 3, true)));
        assert_eq!(body(Framing::Empty, &[b"abcdef"]), Ok((vec![], 0, true)));
        assert_eq!(body(Framing::Close, &[b"abc", b"def"]), Ok((b"abcdef".to_vec(), 6, false)));
    }

    proptest! {
        #[test]
        fn where_a_chunked_body_is_split_does_not_matter(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
            cuts in prop::collection::vec(0_usize..400, 0..12),
        ) {
            let mut text = Vec::new();
            for chunk in &chunks {
                text.extend_from_slice(format!("{:x};e\r\n", chunk.len()).as_bytes());
                text.extend_from_slice(chunk);
                text.extend_from_slice(b"\r\n");
            }
            text.extend_from_slice(b"0\r\nt: 1\r\n\r\n");
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.push(0);
            cuts.push(text.len());
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            prop_assert_eq!(body(Framing::Chunked, &pieces), Ok((chunks.concat(), text.len(), true)));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_head(&bytes, "POST");
            let _ = body(Framing::Chunked, &[&bytes]);
        }
    }
}
