//! What a field is likely to hold, judged by its name, so that a starter file reads like real calls. Never binding: a value that does
//! not fit the schema is not used.

/// Words of a field name, and what such a field holds. The first row with a word of the name wins.
const TEXTS: &[(&[&str], &str)] = &[
    (&["email", "mail"], "ada@example.com"),
    (&["url", "uri", "link", "href", "website", "endpoint"], "https://example.com/"),
    (&["path", "file", "filename", "filepath", "directory", "dir", "folder"], "README.md"),
    (&["sql"], "SELECT 1"),
    (&["query", "q", "search", "term", "keyword", "keywords", "topic", "question"], "load test"),
    (&["city", "location", "place", "address"], "Berlin"),
    (&["country"], "DE"),
    (&["language", "lang", "locale"], "en"),
    (&["timezone", "tz"], "Europe/Berlin"),
    (&["currency"], "EUR"),
    (&["date", "day"], "2026-01-15"),
    (&["time", "timestamp", "since", "until"], "2026-01-15T09:30:00Z"),
    (&["expression", "formula"], "1 + 1"),
    (&["branch", "ref"], "main"),
    (&["color", "colour"], "blue"),
    (&["message", "text", "content", "body", "comment", "prompt", "input"], "Hello from the load test"),
    (&["title", "subject", "name", "user", "username", "owner", "author"], "Ada"),
    (&["id", "key", "code", "number"], "1"),
];

const INTEGERS: &[(&[&str], i128)] = &[
    (&["limit", "count", "size", "top", "k", "n", "results"], 10),
    (&["page", "id"], 1),
    (&["offset", "skip", "start"], 0),
    (&["port"], 8080),
    (&["year"], 2026),
    (&["timeout"], 30),
];

/// A text for a field of this name.
pub(crate) fn text(name: &str) -> Option<&'static str> {
    row(TEXTS, name).copied()
}

/// An integer for a field of this name.
pub(crate) fn integer(name: &str) -> Option<i128> {
    row(INTEGERS, name).copied()
}

/// Whether a field of this name ends what another one begins, such as `end_date` or `until`.
pub(crate) fn is_an_end(name: &str) -> bool {
    words(name)
        .iter()
        .any(|word| matches!(word.as_str(), "end" | "until" | "to" | "before" | "checkout" | "last"))
}

fn row<'t, T>(table: &'t [(&[&str], T)], name: &str) -> Option<&'t T> {
    let words = words(name);
    let names = |row: &&(&[&str], T)| row.0.iter().any(|word| words.iter().any(|other| other == word));
    table.iter().find(names).map(|(_, value)| value)
}

/// The lower-case words of `snake_case`, `kebab-case`, `camelCase` and `dotted.names`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    // A name is a word or a few; a longer one is no name.
    for letter in name.chars().take(64) {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        after_lower = letter.is_lowercase();
        if letter.is_alphanumeric() {
            words.last_mut().into_iter().for_each(|word| word.extend(letter.to_lowercase()));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(words("userEmail"), ["user", "email"]);
        assert_eq!(words("start_url"), ["start", "url"]);
        assert_eq!(words("URL"), ["url"]);
    }

    #[test]
    fn a_word_within_another_word_is_no_hint() {
        assert_eq!(text("curled"), None);
        assert_eq!(text("searchQuery"), Some("load test"));
        assert_eq!(integer("maxResults"), Some(10));
    }
}
