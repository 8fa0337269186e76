//! Texts that are trouble somewhere: in a head line, in JSON, in a terminal, or by their length.

use crate::draws::Draws;

const PIECES: [&str; 28] = [
    "a",
    "echo",
    " ",
    "/",
    "//",
    "\\",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\r\n",
    "\n",
    "\0",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{202e}",
    "ö",
    "𝄞",
    "%0d%0a",
    "#",
    "?",
    "http://evil.example/",
    "x-injected: 1",
];
const VALUES: [&str; 14] = [
    "null",
    "true",
    "0",
    "-0.0",
    "1e999",
    "123456789012345678901234567890",
    "\"\"",
    "\"\\ud800\"",
    "\"\\r\\n\"",
    "\"\u{1}\"",
    "nul",
    "1.",
    "{}",
    "[]",
];

impl Draws {
    /// Any text.
    pub(crate) fn text(&mut self) -> String {
        if self.one_in(200) {
            return self.one_of(&PIECES).repeat(self.below(100_000));
        }
        (0..self.below(8)).map(|_| self.one_of(&PIECES)).collect()
    }

    /// Mostly one of the words that mean something, so that checks beyond the first are reached.
    pub(crate) fn word(&mut self, meant: &[&str]) -> String {
        if self.one_in(4) { self.text() } else { self.one_of(meant).to_owned() }
    }

    /// JSON, or nearly.
    pub(crate) fn json(&mut self) -> String {
        match self.below(12) {
            0 => self.text(),
            1 => {
                let depth = self.below(3_000);
                let nested = ["{\"a\":".repeat(depth), "1".to_owned(), "}".repeat(depth)];
                nested.concat()
            }
            2 => self.value(3),
            _ => self.object(3),
        }
    }

    fn object(&mut self, depth: usize) -> String {
        let members = self.several(4, |draws| {
            let key = draws.one_of(&[
                "name",
                "uri",
                "arguments",
                "_meta",
                "message",
                "cursor",
                "\\u0000",
                "ö",
                "id",
                "method",
            ]);
            format!("\"{key}\": {}", draws.value(depth))
        });
        let text = format!("{{{}}}", members.join(","));
        if self.one_in(20) {
            let kept = self.below(text.len() + 1);
            return text.chars().take(kept).collect();
        }
        text
    }

    fn value(&mut self, depth: usize) -> String {
        match self.below(4) {
            0 if depth > 0 => self.object(depth - 1),
            1 if depth > 0 => {
                let elements = self.several(4, |draws| draws.value(depth - 1));
                format!("[{}]", elements.join(", "))
            }
            _ => self.one_of(&VALUES).to_owned(),
        }
    }
}
