//! The `pattern` keyword: texts that match an ECMAScript regular expression, and whether a text matches.
//!
//! Texts are drawn from the syntax tree that regex-syntax parses; look-around is left out there and judged by the matcher
//! (fancy-regex, the one the `jsonschema` crate uses), so it is met by chance or not at all.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use fancy_regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::Draws;
use crate::text::MAX_LENGTH;

/// Longest pattern that is compiled, in bytes.
const MAX_PATTERN: usize = 4096;
/// Backtracking steps before a match is given up.
const MAX_BACKTRACKING: usize = 50_000;
/// Largest compiled automaton, in bytes.
const MAX_AUTOMATON: usize = 1 << 20;

/// The patterns of a schema, each compiled once.
#[derive(Debug, Default)]
pub(crate) struct Patterns(RefCell<HashMap<String, Option<Rc<Pattern>>>>);

#[derive(Debug)]
struct Pattern {
    regex: Regex,
    tree: Option<Hir>,
}

impl Patterns {
    /// Whether `text` matches `pattern`, anywhere, as JSON Schema has it; `false` for a pattern that cannot be read.
    pub(crate) fn matches(&self, pattern: &str, text: &str) -> bool {
        self.compiled(pattern).is_some_and(|compiled| compiled.regex.is_match(text).unwrap_or(false))
    }

    /// Whether a pattern can be read at all.
    pub(crate) fn reads(&self, pattern: &str) -> bool {
        self.compiled(pattern).is_some()
    }

    /// A text drawn from `pattern`, of about `length` characters where the pattern leaves a choice. It is a candidate:
    /// look-around and boundaries are not regarded.
    pub(crate) fn sample(&self, pattern: &str, length: usize, draws: &mut Draws) -> Option<String> {
        let compiled = self.compiled(pattern)?;
        let tree = compiled.tree.as_ref()?;
        let shortest = tree.properties().minimum_len().unwrap_or(0);
        if shortest > MAX_LENGTH {
            return None;
        }
        let mut writer = Writer { text: String::new(), spare: length.saturating_sub(shortest), draws };
        writer.write(tree);
        Some(writer.text)
    }

    fn compiled(&self, pattern: &str) -> Option<Rc<Pattern>> {
        if let Some(known) = self.0.borrow().get(pattern) {
            return known.clone();
        }
        let compiled = compile(pattern).map(Rc::new);
        self.0.borrow_mut().insert(pattern.to_owned(), compiled.clone());
        compiled
    }
}

fn compile(pattern: &str) -> Option<Pattern> {
    if pattern.len() > MAX_PATTERN {
        return None;
    }
    let translated = translated(pattern);
    let regex = RegexBuilder::new(&translated)
        .backtrack_limit(MAX_BACKTRACKING)
        .delegate_size_limit(MAX_AUTOMATON)
        .build()
        .ok()?;
    let tree = regex_syntax::parse(&without_lookaround(&translated)).ok();
    Some(Pattern { regex, tree })
}

/// ECMAScript's dialect in Rust's: ASCII `\d` and `\w`, and characters that are plain inside an ECMAScript class only.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut letters = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        match (letter, in_class) {
            ('\\', _) => {
                let Some(escaped) = letters.next() else {
                    out.push('\\');
                    break;
                };
                match (escaped, in_class) {
                    ('d', false) => out.push_str("[0-9]"),
                    ('w', false) => out.push_str("[A-Za-z0-9_]"),
                    ('D', false) => out.push_str("[^0-9]"),
                    ('W', false) => out.push_str("[^A-Za-z0-9_]"),
                    ('d', true) => out.push_str("0-9"),
                    ('w', true) => out.push_str("A-Za-z0-9_"),
                    ('/', _) => out.push('/'),
                    _ => out.extend(['\\', escaped]),
                }
                // `[\w-.]`: a dash after a class escape is a dash, not a range.
                if in_class
                    && matches!(escaped, 'd' | 'w' | 's' | 'D' | 'W' | 'S')
                    && letters.peek() == Some(&'-')
                {
                    letters.next();
                    out.push_str("\\-");
                }
            }
            ('[', false) => {
                in_class = true;
                out.push('[');
                if letters.peek() == Some(&'^') {
                    letters.next();
                    out.push('^');
                }
            }
            (']', true) => {
                in_class = false;
                out.push(']');
            }
            ('[' | '&' | '~', true) => out.extend(['\\', letter]),
            _ => out.push(letter),
        }
    }
    out
}

/// The pattern without `(?=...)`, `(?!...)`, `(?<=...)` and `(?<!...)`.
fn without_lookaround(pattern: &str) -> String {
    const OPENINGS: [&str; 4] = ["(?=", "(?!", "(?<=", "(?<!"];
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        let width = if letter == '\\' {
            1 + rest[1..].chars().next().map_or(0, char::len_utf8)
        } else if letter == '[' {
            class_width(rest)
        } else {
            letter.len_utf8()
        };
        if OPENINGS.iter().any(|opening| rest.starts_with(opening)) {
            rest = &rest[group_width(rest)..];
        } else {
            out.push_str(&rest[..width]);
            rest = &rest[width..];
        }
    }
    out
}

/// Bytes from an opening parenthesis to behind its closing one.
fn group_width(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(letter) = text[at..].chars().next() {
        let width = match letter {
            '\\' => 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
            '[' => class_width(&text[at..]),
            _ => letter.len_utf8(),
        };
        at += width;
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Bytes from an opening bracket to behind its closing one.
fn class_width(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Writes a text along a syntax tree.
struct Writer<'d> {
    text: String,
    /// Characters beyond the shortest text that repetitions may still add.
    spare: usize,
    draws: &'d mut Draws,
}

impl Writer<'_> {
    fn write(&mut self, tree: &Hir) {
        if self.text.len() > MAX_LENGTH {
            return;
        }
        match tree.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => self.text.push_str(&String::from_utf8_lossy(&literal.0)),
            HirKind::Class(class) => self.text.extend(pick(class, self.draws)),
            HirKind::Capture(capture) => self.write(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.write(part)),
            HirKind::Alternation(branches) => {
                let index = self.draws.below(branches.len() as u64);
                if let Some(branch) = usize::try_from(index).ok().and_then(|index| branches.get(index)) {
                    self.write(branch);
                }
            }
            HirKind::Repetition(repetition) => {
                let width = repetition.sub.properties().minimum_len().unwrap_or(1).max(1);
                let affordable = u32::try_from(self.spare / width).unwrap_or(u32::MAX);
                let extra = repetition.max.map_or(u32::MAX, |max| max - repetition.min).min(affordable);
                self.spare -= width * extra as usize;
                for _ in 0..repetition.min.saturating_add(extra) {
                    self.write(&repetition.sub);
                    if self.text.len() > MAX_LENGTH {
                        return;
                    }
                }
            }
        }
    }
}

/// A character of the class: a lower-case letter if there is one, else one that is printable ASCII, else the first. Sometimes any
/// printable one, so that look-ahead such as "has a digit and a capital" is met by chance.
fn pick(class: &Class, draws: &mut Draws) -> Option<char> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.ranges().iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect()
        }
        Class::Bytes(class) => {
            class.ranges().iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect()
        }
    };
    let within =
        |letter: char| ranges.iter().any(|(start, end)| (*start..=*end).contains(&u32::from(letter)));
    let any_printable = draws.below(3) == 0;
    let preferred = if any_printable { '!'..='~' } else { 'a'..='z' };
    for candidates in [preferred, '0'..='9', '!'..='~', ' '..=' '] {
        let allowed: Vec<char> = candidates.filter(|letter| within(*letter)).collect();
        if !allowed.is_empty() {
            let index = usize::try_from(draws.below(allowed.len() as u64)).unwrap_or(0);
            return allowed.get(index).copied();
        }
    }
    ranges.first().and_then(|(start, _)| char::from_u32(*start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_everyday_patterns_match() {
        let patterns = Patterns::default();
        for pattern in [
            "^[a-z][a-z0-9_-]{2,31}$",
            r"^\d{4}-\d{2}-\d{2}$",
            r"^[\w.+-]+@[\w-]+\.[\w.-]+$",
            r"^(https?):\/\/[^\s/$.?#].[^\s]*$",
            "^#[0-9a-fA-F]{6}$",
            r"^v?\d+\.\d+\.\d+(-[a-z]+)?$",
            "^(foo|bar|baz)$",
            r"^\+?[1-9]\d{1,14}$",
            "^[^[\\]]+$",
            r"^\p{Lu}\p{Ll}+$",
            "^[\u{4e00}-\u{4e10}]{3}$",
            "^[A-Z]{3}&~[0-9&&]+$",
            r"\u0041{2}",
            r"^[\w-.]+\/[\w-]+$",
            "",
        ] {
            for iteration in 0..40 {
                let text = patterns.sample(pattern, 12, &mut Draws::new(1, 0, iteration));
                let text = text.unwrap_or_else(|| panic!("{pattern} is not read"));
                assert!(patterns.matches(pattern, &text), "{pattern}: {text:?}");
            }
        }
    }

    #[test]
    fn look_ahead_is_left_to_the_matcher() {
        assert_eq!(without_lookaround(r"^(?=.*[)(])(?!a(b)\))[(?=]x(?<n>y)$"), "^[(?=]x(?<n>y)$");
        let patterns = Patterns::default();
        let password = r"^(?=.*[A-Z])(?=.*\d).{12,20}$";
        let matching = (0..100)
            .filter_map(|iteration| patterns.sample(password, 16, &mut Draws::new(1, 0, iteration)))
            .filter(|text| patterns.matches(password, text))
            .count();
        assert!(matching > 10, "{matching} of 100");
    }

    #[test]
    fn hostile_patterns_are_not_read() {
        let patterns = Patterns::default();
        for pattern in ["(", "[", "*", "(?", "\\", "a{9999999}", "((a{1000}){1000}){1000}", &"(".repeat(5000)]
        {
            assert!(!patterns.reads(pattern), "{pattern}");
        }
        for text in ["(?=", "(?=[", "(?=\\", "\\", "[", "é(?!é"] {
            without_lookaround(text);
        }
        let backtracking = format!("{}!", "a".repeat(60));
        assert!(!patterns.matches(r"^(?=(a+)+$)(a+)+$", &backtracking));
    }
}
