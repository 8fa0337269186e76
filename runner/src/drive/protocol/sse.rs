//! Server-sent events, the whole grammar (WHATWG HTML, section 9.2), pushed in pieces of any size.
//!
//! In: the bytes of a stream, split anywhere. Out: events, in order. An event that lies whole in one piece is handed over without
//! a copy; only what a piece's end cuts through is kept.

use super::reply::KEPT;

/// A parser in the middle of a stream.
#[derive(Debug, Default)]
pub struct SseParser {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// Lines of `data` of the event in the making; each ends with a line feed.
    data: Vec<u8>,
    /// Whether the event in the making names a type other than `message`.
    other_type: bool,
    /// The last piece ended with a carriage return: a line feed that follows belongs to it.
    after_return: bool,
    /// The first line is over: a byte order mark can only stand before it.
    begun: bool,
    /// `id` of the event in the making.
    pending_id: Option<Box<str>>,
    /// The stream's last event id, if any event had one.
    last_id: Option<Box<str>>,
    /// The stream's reconnection time, milliseconds.
    retry_ms: Option<u64>,
}

/// What the parser holds was larger than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

impl SseParser {
    /// Makes ready for another stream; keeps its memory.
    pub fn reset(&mut self) {
        self.line = emptied(std::mem::take(&mut self.line));
        self.data = emptied(std::mem::take(&mut self.data));
        self.other_type = false;
        self.after_return = false;
        self.begun = false;
        self.pending_id = None;
        self.last_id = None;
        self.retry_ms = None;
    }

    /// The last event id seen, for `Last-Event-ID`.
    pub fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// The reconnection time the server asked for, in milliseconds.
    pub fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    /// Takes the next piece; calls `each` with the data of every event of type `message` that it completes.
    ///
    /// # Errors
    /// [`TooLarge`] when more than `limit` bytes of one event are held.
    pub fn push(
        &mut self,
        mut piece: &[u8],
        limit: u64,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), TooLarge> {
        // `data` of a single line that lies in this piece; not copied unless the piece ends before the event does.
        let mut whole: Option<&[u8]> = None;
        while !piece.is_empty() {
            if std::mem::take(&mut self.after_return) && piece[0] == b'\n' {
                piece = &piece[1..];
                continue;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', piece) else {
                self.line.extend_from_slice(piece);
                break;
            };
            let (line, rest) = (&piece[..end], &piece[end + 1..]);
            if piece[end] == b'\r' {
                self.after_return = true;
            }
            piece = rest;
            // Here and not only behind the loop: whether an event is too large must not depend on where the stream is split.
            let pending = whole.map_or(0, <[u8]>::len) + self.data.len() + self.line.len();
            if (pending + line.len()) as u64 > limit {
                return Err(TooLarge);
            }
            if self.line.is_empty() {
                self.take_line(line, &mut whole, &mut each);
            } else {
                let mut held = std::mem::take(&mut self.line);
                held.extend_from_slice(line);
                // A held line is not part of this piece, so its data is copied.
                let mut copied = None;
                self.flush(&mut whole);
                self.take_line(&held, &mut copied, &mut each);
                self.flush(&mut copied);
                self.line = emptied(held);
            }
        }
        self.flush(&mut whole);
        if (self.line.len() + self.data.len()) as u64 > limit { Err(TooLarge) } else { Ok(()) }
    }

    fn flush(&mut self, whole: &mut Option<&[u8]>) {
        if let Some(data) = whole.take() {
            self.data.extend_from_slice(data);
            self.data.push(b'\n');
        }
    }

    fn take_line<'p>(
        &mut self,
        mut line: &'p [u8],
        whole: &mut Option<&'p [u8]>,
        each: &mut impl FnMut(&[u8]),
    ) {
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            return self.dispatch(whole, each);
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(0) => return, // a comment
            Some(colon) => {
                let value = &line[colon + 1..];
                (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[][..]),
        };
        match field {
            b"data" => {
                if whole.is_some() || !self.data.is_empty() {
                    self.flush(whole);
                    self.data.extend_from_slice(value);
                    self.data.push(b'\n');
                } else {
                    *whole = Some(value);
                }
            }
            b"event" => self.other_type = !value.is_empty() && value != b"message",
            b"id" if !value.contains(&0) => self.pending_id = Some(String::from_utf8_lossy(value).into()),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                self.retry_ms = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
            }
            _ => {}
        }
    }

    fn dispatch(&mut self, whole: &mut Option<&[u8]>, each: &mut impl FnMut(&[u8])) {
        if let Some(id) = self.pending_id.take() {
            self.last_id = Some(id);
        }
        let other_type = std::mem::take(&mut self.other_type);
        match whole.take() {
            Some(data) if !other_type && !data.is_empty() => each(data),
            _ => {
                self.data.pop();
                if !other_type && !self.data.is_empty() {
                    each(&self.data);
                }
            }
        }
        self.data = emptied(std::mem::take(&mut self.data));
    }

    #[cfg(test)]
    pub(super) fn held_memory(&self) -> usize {
        self.line.capacity() + self.data.capacity()
    }
}

/// The buffer, empty, without the memory that one large event may have needed.
fn emptied(mut buffer: Vec<u8>) -> Vec<u8> {
    buffer.clear();
    buffer.shrink_to(KEPT);
    buffer
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(pieces: &[&[u8]]) -> (Vec<String>, SseParser) {
        let mut parser = SseParser::default();
        let mut events = Vec::new();
        for piece in pieces {
            parser
                .push(piece, 1 << 20, |data| events.push(String::from_utf8_lossy(data).into_owned()))
                .unwrap();
        }
        (events, parser)
    }

    fn events(stream: &str) -> Vec<String> {
        parse(&[stream.as_bytes()]).0
    }

    #[test]
    fn all_three_line_ends_are_understood() {
        for end in ["\n", "\r\n", "\r"] {
            assert_eq!(events(&format!("data: a{end}{end}data: b{end}{end}")), ["a", "b"], "{end:?}");
        }
    }

    #[test]
    fn fields_come_in_any_order_and_comments_are_skipped() {
        assert_eq!(
            events("data: x\nevent: message\nid: 7\n\n: keep-alive\n\nid: 8\ndata: y\n\n"),
            ["x", "y"]
        );
    }

    #[test]
    fn several_data_lines_are_joined() {
        assert_eq!(events("data: {\ndata:  \"a\": 1\ndata\ndata: }\n\n"), ["{\n \"a\": 1\n\n}"]);
    }

    #[test]
    fn one_leading_space_is_dropped_and_no_more() {
        assert_eq!(events("data:x\n\ndata:  x\n\n"), ["x", " x"]);
    }

    #[test]
    fn a_priming_event_sets_the_id_and_is_not_handed_over() {
        let (events, parser) = parse(&[b"id: prime\nretry: 3000\ndata:\n\n"]);
        assert!(events.is_empty());
        assert_eq!((parser.last_id(), parser.retry_ms()), (Some("prime"), Some(3000)));
    }

    #[test]
    fn an_id_counts_only_once_its_event_is_over() {
        let (_, parser) = parse(&[b"id: 1\ndata: x\n\nid: 2\ndata: y\n"]);
        assert_eq!(parser.last_id(), Some("1"));
    }

    #[test]
    fn events_of_other_types_and_malformed_fields_are_ignored() {
        let (events, parser) =
            parse(&[b"event: endpoint\ndata: /x\n\nretry: soon\nid: a\0b\nfoo: bar\ndata: y\n\n"]);
        assert_eq!(events, ["y"]);
        assert_eq!((parser.last_id(), parser.retry_ms()), (None, None));
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_an_unfinished_event_is_dropped() {
        assert_eq!(events("\u{feff}data: x\n\ndata: cut off"), ["x"]);
        assert_eq!(parse(&[b"\xef", b"\xbb\xbfdata: x\n\n"]).0, ["x"], "the mark is split");
    }

    #[test]
    fn an_event_beyond_the_limit_is_refused() {
        let mut parser = SseParser::default();
        for piece in ["data: 0123456789", "data: 0123456789\n\n", "data: 01234\ndata: 56789\n\n"] {
            parser.reset();
            assert_eq!(parser.push(piece.as_bytes(), 15, |_| {}), Err(TooLarge), "{piece:?}");
        }
        assert_eq!(parser.push(b"data: 012345678\n\ndata: 012345678\n\n", 15, |_| {}), Ok(()));
    }

    proptest! {
        #[test]
        fn where_the_stream_is_split_does_not_matter(
            lines in prop::collection::vec("(data: ?[a-z]{0,9}|data|id: [0-9]|event: (message|x)|: c|retry: [0-9]|)", 0..20),
            end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
            cuts in prop::collection::vec(0_usize..200, 0..12),
        ) {
            let stream: String = lines.iter().flat_map(|line| [line.as_str(), end]).collect();
            let bytes = stream.as_bytes();
            let (expected, whole) = parse(&[bytes]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&bytes[from..cut]);
                from = cut;
            }
            pieces.push(&bytes[from..]);
            let (found, split) = parse(&pieces);
            prop_assert_eq!(found, expected);
            prop_assert_eq!(split.last_id(), whole.last_id());
            prop_assert_eq!(split.retry_ms(), whole.retry_ms());
        }
    }
}
