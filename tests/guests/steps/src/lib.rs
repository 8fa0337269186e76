//! The steps that the overhead bench (`runner/benches/overhead`) has in TOML, from a plugin. The plugins themselves are the examples:
//! each is a library of its own, as a plugin has to be.

use pmcp_loadtest_guest::{Plan, Step};

/// What each tool is called with, as text: constant, as in the bench's own scenarios.
const SEARCH: (&str, &str) = ("search", r#"{"query":"weather in Oslo","limit":5}"#);
const FETCH: (&str, &str) = ("fetch", r#"{"id":"doc-0001","revision":"latest"}"#);
const NOTE: (&str, &str) = ("add_note", r#"{"title":"Oslo","text":"rain, then sun"}"#);

/// A mix as users write it: seven of ten read, two look, one writes.
pub fn mixed(draw: u64) -> Plan {
    let calls: &[(&str, &str)] = match draw % 10 {
        0..7 => &[SEARCH, FETCH],
        7 | 8 => &[SEARCH],
        _ => &[SEARCH, FETCH, NOTE],
    };
    calls.iter().map(|(tool, arguments)| Step::call_text(*tool, *arguments)).collect()
}
