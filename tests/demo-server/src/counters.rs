//! The server's books: what came in, what went out, so that a client's figures can be balanced against them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// A snapshot of the books. At every instant `requests` is the sum of `answers` and `in_flight`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Connections accepted.
    pub connections: u64,
    /// HTTP requests of any kind that were read whole.
    pub http_requests: u64,
    /// JSON-RPC requests (with an id).
    pub requests: u64,
    /// JSON-RPC requests by method; methods that no era knows are counted as `other`.
    pub methods: BTreeMap<&'static str, u64>,
    /// Calls of tools by name and arguments (`echo {"message":"hello"}`); only where the script asks for them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub calls: BTreeMap<String, u64>,
    /// Answers to JSON-RPC requests by how they ended: `ok`, `tool_error`, `rpc_error`, `http_error`, `throttled`, `session_lost`,
    /// `abandoned` (the client went away first), or the name of the fault that spoiled them.
    pub answers: BTreeMap<&'static str, u64>,
    /// JSON-RPC notifications received.
    pub notifications: u64,
    /// GET requests that opened a stream.
    pub streams: u64,
    /// `initialize` requests received.
    pub initializes: u64,
    /// Sessions opened.
    pub sessions_opened: u64,
    /// Sessions ended by DELETE.
    pub sessions_closed: u64,
    /// Sessions forgotten by script.
    pub sessions_lost: u64,
    /// Requests sent to clients.
    pub server_requests: u64,
    /// Of those, how many were answered.
    pub server_requests_answered: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// JSON-RPC requests being served now.
    pub in_flight: u64,
    /// The most that were being served at a time.
    pub max_in_flight: u64,
}

impl Counters {
    /// Answers that ended under `key`.
    pub fn answered(&self, key: &str) -> u64 {
        self.answers.get(key).copied().unwrap_or_default()
    }

    /// Requests of `method`.
    pub fn requested(&self, method: &str) -> u64 {
        self.methods.get(method).copied().unwrap_or_default()
    }

    /// The books in Prometheus' text format, for tests of scraping.
    pub(crate) fn prometheus(&self) -> String {
        let plain = [
            ("demo_connections_total", self.connections),
            ("demo_requests_total", self.requests),
            ("demo_sessions_opened_total", self.sessions_opened),
            ("demo_sessions_closed_total", self.sessions_closed),
            ("demo_sessions_lost_total", self.sessions_lost),
            ("demo_bytes_in_total", self.bytes_in),
            ("demo_bytes_out_total", self.bytes_out),
        ];
        let plain = plain.map(|(name, value)| format!("# TYPE {name} counter\n{name} {value}\n"));
        let answers = self
            .answers
            .iter()
            .map(|(kind, value)| format!("demo_answers_total{{kind=\"{kind}\"}} {value}\n"));
        let answers: String = answers.collect();
        format!(
            "{}# TYPE demo_answers_total counter\n{answers}# TYPE demo_in_flight gauge\ndemo_in_flight {}\n",
            plain.concat(),
            self.in_flight
        )
    }
}

/// The books as the connections write them.
#[derive(Debug, Default)]
pub(crate) struct Books(Mutex<Counters>);

impl Books {
    /// Writes in the books. One uncontended lock: all connections share the server's thread.
    pub(crate) fn note<T>(&self, entry: impl FnOnce(&mut Counters) -> T) -> T {
        entry(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn snapshot(&self) -> Counters {
        self.note(|counters| counters.clone())
    }

    /// Enters a request; it stays in flight until the entry is settled or dropped, which counts it as abandoned.
    pub(crate) fn enter(&self, method: &'static str) -> InFlight<'_> {
        self.note(|counters| {
            counters.requests += 1;
            *counters.methods.entry(method).or_default() += 1;
            counters.initializes += u64::from(method == "initialize");
            counters.in_flight += 1;
            counters.max_in_flight = counters.max_in_flight.max(counters.in_flight);
        });
        InFlight { books: self, ended: "abandoned" }
    }
}

/// A request being served.
#[derive(Debug)]
pub(crate) struct InFlight<'a> {
    books: &'a Books,
    ended: &'static str,
}

impl InFlight<'_> {
    /// Closes the entry under `key`.
    pub(crate) fn settle(mut self, key: &'static str) {
        self.ended = key;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.books.note(|counters| {
            counters.in_flight -= 1;
            *counters.answers.entry(self.ended).or_default() += 1;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Books;

    #[test]
    fn requests_are_answers_and_what_is_in_flight() {
        let books = Books::default();
        let first = books.enter("tools/call");
        let second = books.enter("tools/list");
        first.settle("ok");
        let counters = books.snapshot();
        assert_eq!((counters.requests, counters.in_flight, counters.max_in_flight), (2, 1, 2));
        assert_eq!(counters.answered("ok"), 1);
        drop(second);
        assert_eq!(books.snapshot().answered("abandoned"), 1);
    }

    #[test]
    fn the_prometheus_page_names_each_kind_of_answer() {
        let books = Books::default();
        books.enter("tools/call").settle("reset");
        assert!(books.snapshot().prometheus().contains("demo_answers_total{kind=\"reset\"} 1\n"));
    }
}
