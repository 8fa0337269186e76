//! Text in a terminal of so many columns: display width, elision, wrapping, and names that come from a server.

use unicode_width::UnicodeWidthStr;

const ELLIPSIS: char = '…';

/// Columns a text takes; wide characters take two.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// A server's text on one line: what could move the cursor, colour the terminal or turn the direction of writing becomes a space.
pub(crate) fn clean(text: &str) -> String {
    harmless(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same, with every space that was in it.
pub(crate) fn harmless(text: &str) -> String {
    let turns = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect()
}

/// Shortens to `columns`, giving up the end.
pub(crate) fn elide_end(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = head(text, columns.saturating_sub(1)).to_owned();
    kept.push(ELLIPSIS);
    kept
}

/// Shortens to `columns`, giving up the middle: names differ at both ends.
pub(super) fn elide_middle(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    let end = tail(text, room / 2);
    let start = head(text, room - width(end));
    format!("{start}{ELLIPSIS}{end}")
}

/// Breaks at spaces into lines of at most `columns`. A longer word stands alone, so that a URL can be taken whole; one that would
/// take more than three lines is broken.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let words: Vec<String> = text.split(' ').flat_map(|word| broken(word, columns)).collect();
    join_within(&words, " ", columns)
}

fn broken(mut word: &str, columns: usize) -> Vec<String> {
    let mut parts = Vec::new();
    if width(word) > 3 * columns {
        while width(word) > columns && !head(word, columns).is_empty() {
            let (part, rest) = word.split_at(head(word, columns).len());
            parts.push(part.to_owned());
            word = rest;
        }
    }
    parts.push(word.to_owned());
    parts
}

/// Joins `parts` by `separator` into lines of at most `columns`.
pub(crate) fn join_within(parts: &[String], separator: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if width(line) + width(separator) + width(part) <= columns => {
                line.push_str(separator);
                line.push_str(part);
            }
            _ => lines.push(part.clone()),
        }
    }
    lines
}

/// The longest beginning of at most `columns`. Measured as a whole: a variation selector widens the character before it.
fn head(text: &str, columns: usize) -> &str {
    let ends = text.char_indices().map(|(position, c)| position + c.len_utf8());
    let end = ends.take_while(|&end| width(&text[..end]) <= columns).last();
    &text[..end.unwrap_or(0)]
}

/// The longest end of at most `columns`.
fn tail(text: &str, columns: usize) -> &str {
    let begins = text.char_indices().rev().map(|(position, _)| position);
    let begin = begins.take_while(|&begin| width(&text[begin..]) <= columns).last();
    &text[begin.unwrap_or(text.len())..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_name_keeps_both_ends() {
        assert_eq!(elide_middle("repository_search_issues", 13), "reposi…issues");
        assert_eq!(elide_middle("short", 13), "short");
    }

    #[test]
    fn wide_characters_are_never_cut_in_half() {
        assert_eq!(elide_middle("検索ツール一覧", 8), "検索…覧");
        assert_eq!(elide_end("検索ツール一覧", 6), "検索…");
    }

    #[test]
    fn a_servers_text_cannot_colour_the_terminal() {
        assert_eq!(clean("safe\u{202e}exe.txt"), "safe exe.txt");
        assert_eq!(clean("\u{1b}[31mred\u{1b}[0m\r\nnext\tline"), "[31mred [0m next line");
    }

    #[test]
    fn words_wrap_and_a_longer_one_stands_alone() {
        assert_eq!(wrap("to be or nottobenottobe", 8), ["to be or", "nottobenottobe"]);
    }

    #[test]
    fn a_word_without_end_is_broken_but_a_url_is_not() {
        let url = "http://127.0.0.1:3000/a/long/path";
        assert_eq!(wrap(&format!("see {url} there"), 20), ["see", url, "there"]);
        let lines = wrap(&format!("it said {}", "!".repeat(70)), 20);
        assert_eq!(lines.len(), 5);
        assert!(lines.iter().all(|line| width(line) <= 20), "{lines:?}");
        assert_eq!(wrap(&"!".repeat(9), 0).concat().len(), 9);
    }

    proptest! {
        #[test]
        fn elided_text_fits_whatever_it_is_made_of(text in "\\PC{0,40}", columns in 1_usize..30) {
            prop_assert!(width(&elide_middle(&text, columns)) <= columns);
            prop_assert!(width(&elide_end(&text, columns)) <= columns);
        }
    }
}
