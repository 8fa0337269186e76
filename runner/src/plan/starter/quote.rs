//! Text and JSON in TOML's spelling, on one line each.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

/// Longest comment, in characters.
const MAX_COMMENT: usize = 100;

/// `text` as a TOML basic string. What a reader could not see, or a terminal would obey, is escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            hidden if is_hidden(hidden) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\U{:08X}", u32::from(hidden));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}

/// `name` as a TOML key: bare where it may be.
pub(super) fn key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { quoted(name) }
}

/// `text` for a comment: one line, of printable characters, cut to a length that can be read.
pub(super) fn comment(text: &str) -> String {
    // Only the beginning is looked at, for a description may be a book.
    let visible =
        text.chars().take(MAX_COMMENT * 20).map(|letter| if is_hidden(letter) { ' ' } else { letter });
    let visible: String = visible.collect();
    let line = visible.split_whitespace().collect::<Vec<&str>>().join(" ");
    if line.chars().count() <= MAX_COMMENT {
        return line;
    }
    let kept: String = line.chars().take(MAX_COMMENT - 3).collect();
    format!("{}...", kept.trim_end())
}

/// Control characters, line separators, and those that reorder or hide text.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `members` as a TOML inline table. What TOML cannot express is left out, and its path, dotted, added to `left_out`.
pub(super) fn inline_table(members: &Map<String, Value>, left_out: &mut Vec<String>) -> String {
    table(members, "", left_out)
}

fn table(members: &Map<String, Value>, path: &str, left_out: &mut Vec<String>) -> String {
    let mut pairs = Vec::with_capacity(members.len());
    for (name, member) in members {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match inline(member, &path, left_out) {
            Some(text) => pairs.push(format!("{} = {text}", key(name))),
            None => left_out.push(path),
        }
    }
    if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
}

/// `None` where TOML has no such value.
fn inline(value: &Value, path: &str, left_out: &mut Vec<String>) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => literal(number)?,
        Value::String(text) => quoted(text),
        Value::Object(members) => table(members, path, left_out),
        // Leaving out an item would move the others, so an array goes as a whole.
        Value::Array(items) => {
            let mut lost = Vec::new();
            let items: Option<Vec<String>> = items.iter().map(|item| inline(item, path, &mut lost)).collect();
            if !lost.is_empty() {
                return None;
            }
            format!("[{}]", items?.join(", "))
        }
    })
}

/// TOML's integers end at 2^63.
fn literal(number: &Number) -> Option<String> {
    match number.as_i64() {
        Some(integer) => Some(integer.to_string()),
        None if number.is_u64() => None,
        None => number.as_f64().map(|float| format!("{float:?}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_toml_cannot_express_is_left_out_by_name() {
        let arguments = json!({ "a": null, "b": [1, null], "c": { "d": null, "e": 1 }, "f": u64::MAX, "g": [{ "h": null }] });
        let mut left_out = Vec::new();
        assert_eq!(inline_table(arguments.as_object().unwrap(), &mut left_out), "{ c = { e = 1 } }");
        assert_eq!(left_out, ["a", "b", "c.d", "f", "g"]);
    }

    #[test]
    fn numbers_keep_their_type() {
        let arguments = json!({ "i": -5, "f": 5.0, "small": 1e-7, "large": 1e300 });
        let text = inline_table(arguments.as_object().unwrap(), &mut Vec::new());
        assert_eq!(text, "{ i = -5, f = 5.0, small = 1e-7, large = 1e300 }");
        assert!(toml::from_str::<toml::Table>(&format!("x = {text}")).is_ok());
    }

    #[test]
    fn a_comment_is_one_line_of_visible_text() {
        assert_eq!(comment("two\r\nlines\u{1b}[31m \u{202e}red\u{0}"), "two lines [31m red");
        assert_eq!(comment(&"word ".repeat(1000)).chars().count(), 100);
        assert_eq!(comment("\n"), "");
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_toml(name in vec(any::<char>(), 0..20), text in vec(any::<char>(), 0..60)) {
            let (name, text) = (String::from_iter(name), String::from_iter(text));
            let line = format!("{} = {}", key(&name), quoted(&text));
            prop_assert!(!line.chars().any(is_hidden));
            let table: toml::Table = toml::from_str(&line).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(table[&name].as_str(), Some(text.as_str()));
        }
    }
}
