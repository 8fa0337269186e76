//! Where in the file something stands: byte spans in, file, line, column and the line itself out, with secrets masked.

use std::ops::Range;

/// A configuration text and what to call it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    /// File name, as the user gave it.
    pub(super) name: &'a str,
    /// The whole text.
    pub(super) text: &'a str,
}

/// A place in a file, with enough of it to draw a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// File name, as the user gave it.
    pub file: String,
    /// Line, from one.
    pub line: usize,
    /// Column in characters, from one.
    pub column: usize,
    /// The line itself; what may be a secret in it is masked with `*`.
    pub excerpt: String,
    /// How many characters are meant; at least one.
    pub length: usize,
}

/// Words that give away a line with credentials.
const TELLTALES: [&str; 9] =
    ["auth", "bearer", "token", "secret", "password", "api-key", "api_key", "apikey", "cookie"];

impl Source<'_> {
    /// The place of the bytes in `span`; one that reaches over several lines ends with its first.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        let start = self.boundary(span.start);
        let end = self.boundary(span.end.max(start));
        let line_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end =
            self.text[line_start..].find('\n').map_or(self.text.len(), |length| line_start + length);
        let line = self.text[line_start..line_end].trim_end_matches('\r');
        let excerpt = if self.has_secrets(line_start, line) { masked(line) } else { line.to_owned() };
        let shown = line_start + line.len();
        Place {
            file: self.name.to_owned(),
            line: self.text[..line_start].matches('\n').count() + 1,
            column: self.text[line_start..start.min(shown).max(line_start)].chars().count() + 1,
            excerpt: excerpt
                .chars()
                .map(|character| if character.is_control() { ' ' } else { character })
                .collect(),
            length: self.text[start.min(shown)..end.min(shown)].chars().count().max(1),
        }
    }

    /// Whether the bytes in `span` begin on a line that may hold a secret, which then must not be quoted.
    pub(super) fn is_secret(&self, span: &Range<usize>) -> bool {
        let start = self.boundary(span.start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        self.has_secrets(line_start, line)
    }

    /// A lexical guess, because it must also hold for files that do not parse: a telltale word, or the line is or stands
    /// in a table of headers, or it is the target's URL with credentials in it.
    fn has_secrets(&self, line_start: usize, line: &str) -> bool {
        let lower = line.to_ascii_lowercase();
        let in_headers = || {
            let above = self.text[..line_start].lines().rev().find(|line| line.trim_start().starts_with('['));
            above.is_some_and(|table| table.to_ascii_lowercase().contains("headers"))
        };
        TELLTALES.iter().any(|word| lower.contains(word))
            || lower.contains("headers")
            || lower.trim_start().starts_with("x-")
            || (lower.contains("://") && lower.contains('@'))
            || in_headers()
    }

    fn boundary(&self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// The line with everything between quotes replaced, character by character, so that carets still point right. An open quote
/// masks the rest of the line.
fn masked(line: &str) -> String {
    let mut open = None;
    line.chars()
        .map(|character| match open {
            Some(quote) if character == quote => {
                open = None;
                character
            }
            Some(_) => '*',
            None => {
                if character == '"' || character == '\'' {
                    open = Some(character);
                }
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Source;

    fn place_of(text: &str, needle: &str) -> super::Place {
        let start = text.find(needle).unwrap();
        Source { name: "a.toml", text }.place(&(start..start + needle.len()))
    }

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let place = place_of("a = 1\r\nmüde = 2\r\n", "2");
        assert_eq!((place.line, place.column, place.length), (2, 8, 1));
        assert_eq!(place.excerpt, "müde = 2");
    }

    #[test]
    fn a_span_over_several_lines_ends_with_the_first() {
        let place = place_of("a = [\n1,\n]", "[\n1,\n]");
        assert_eq!((place.column, place.length), (5, 1));
    }

    #[test]
    fn a_span_beyond_the_text_is_its_end() {
        let place = Source { name: "a.toml", text: "é" }.place(&(1..99));
        assert_eq!((place.line, place.column, place.length), (1, 1, 1));
    }

    #[test]
    fn quoted_text_on_a_line_with_credentials_is_masked() {
        assert_eq!(
            place_of("auth = { bearer = \"abc\", x = 1 }", "x").excerpt,
            "auth = { bearer = \"***\", x = 1 }"
        );
        assert_eq!(place_of("[target.headers]\nx-mine = \"abc", "x").excerpt, "x-mine = \"***");
        assert_eq!(place_of("url = \"http://me:pw@host\"", "url").excerpt, "url = \"*****************\"");
        assert_eq!(place_of("tool = \"echo\"", "tool").excerpt, "tool = \"echo\"");
    }
}
