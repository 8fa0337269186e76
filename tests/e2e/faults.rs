//! Whatever goes wrong at the server is a classified outcome with a sample of what was said; the run neither hangs nor crashes.

use pmcp_loadtest_demo_server::Counters;
use serde_json::Value;

use crate::tool::{Ended, Tool, number, server, text};

/// A server that plays a fault on every call, and a run of three calls against it.
fn suffered(form: &str, kind: &str, words: &str) -> (Ended, Counters) {
    let server = server(&format!(
        r#"{{"form": "{form}", "faults": [{{"rate": 1, "kind": {kind}, "only": {{"method": "tools/call"}}}}]}}"#
    ));
    let ended =
        Tool::run(&server, &format!("--protocol 2025-11-25 --vus 1 --iterations 3 {words}")).echoing().end();
    (ended, server.counters())
}

/// Asserts that every call of a report failed in one and the same way; returns what was said.
fn only_failure<'a>(report: &'a Value, class: &str, code: Option<&str>) -> &'a str {
    let failures = report["totals"]["failures"].as_array().expect("a list");
    assert_eq!(failures.len(), 1, "{failures:#?}");
    let failure = &failures[0];
    assert_eq!((failure["class"].as_str(), failure["code"].as_str()), (Some(class), code), "{failures:#?}");
    assert_eq!(failure["count"], report["totals"]["requests"]);
    text(failure, "/message")
}

#[test]
fn every_fault_has_its_class_and_a_sample_message() {
    let cases = [
        ("json", r#"{"status": 503}"#, "http_error", Some("503"), "by script"),
        ("json", r#"{"status": 500}"#, "http_error", Some("500"), "by script"),
        ("json", r#"{"throttled": 1}"#, "throttled", Some("429"), "too many requests"),
        ("json", r#"{"rpc-error": -32050}"#, "rpc_error", Some("-32050"), "by script"),
        ("json", r#""tool-error""#, "tool_error", None, "by script"),
        ("sse", r#""tool-error""#, "tool_error", None, "by script"),
        (
            "json",
            r#""drop""#,
            "transport",
            Some("closed"),
            "the server closed the connection without an answer",
        ),
        (
            "json",
            r#""cut""#,
            "transport",
            Some("closed"),
            "the server closed the connection inside the response body",
        ),
        (
            "sse",
            r#""cut""#,
            "transport",
            Some("closed"),
            "the server closed the connection inside the response",
        ),
        ("json", r#""reset""#, "transport", Some("reset"), "Connection reset by peer"),
        ("json", r#""garbage""#, "protocol", Some("http"), "this is not HTTP"),
        (
            "json",
            r#""half-head""#,
            "transport",
            Some("closed"),
            "the server closed the connection inside the response head",
        ),
        ("json", r#""invalid-json""#, "protocol", Some("json"), r#"{"jsonrpc":"2.0""#),
        ("sse", r#""invalid-json""#, "protocol", Some("json"), r#"{"jsonrpc":"2.0""#),
        ("sse-primed", r#""invalid-json""#, "protocol", Some("json"), r#"{"jsonrpc":"2.0""#),
        ("json", r#""wrong-id""#, "protocol", Some("wrong_id"), "987654321"),
        ("sse", r#""wrong-id""#, "protocol", Some("wrong_id"), "another request's id"),
        ("sse-primed", r#""wrong-id""#, "protocol", Some("wrong_id"), "another request's id"),
        ("json", r#""truncated""#, "protocol", Some("json"), r#"{"jsonrpc":"2.0""#),
        ("json", r#""never""#, "timeout", None, "no answer within 200ms"),
        ("sse", r#""never""#, "timeout", None, "no answer within 200ms"),
    ];
    for (form, kind, class, code, said) in cases {
        let timeout = if class == "timeout" { "--timeout 200ms" } else { "--timeout 30s" };
        let (ended, _) = suffered(form, kind, timeout);
        let ended = ended.expect(99);
        let report = ended.report();
        let message = only_failure(&report, class, code);
        assert!(message.contains(said), "{form} {kind}: {message}");
        assert!(ended.stdout.contains(said), "{form} {kind}: a person sees it too\n{}", ended.stdout);
        assert_eq!(text(&report, "/verdict/reason"), "none of 3 calls succeeded");
    }
}

#[test]
fn what_the_protocol_tolerates_is_no_failure() {
    for form in ["json", "sse", "sse-primed"] {
        for kind in [
            r#""foreign-id-first""#,
            r#""ping-first""#,
            r#"{"notifications-first": 5}"#,
            r#""resume""#,
            r#""close-after""#,
        ] {
            let (ended, books) = suffered(form, kind, "");
            let report = ended.expect(0).report();
            assert_eq!(number(&report, "/totals/ok"), 3, "{form} {kind}");
            let count = |key: &str| number(&report, &format!("/books/{key}"));
            let told = (
                count("foreign_answers"),
                count("server_requests"),
                count("resumes"),
                count("stale_retries"),
            );
            let expected = match kind {
                r#""foreign-id-first""# => (3, 0, 0, 0),
                r#""ping-first""# => (0, 3, 0, 0),
                r#""resume""# => (0, 0, 3, 0),
                _ => (0, 0, 0, 0),
            };
            if kind == r#""close-after""# {
                // Found gone before the next request is sent, or by that request: a new connection either way, for every call.
                assert_eq!((count("connections_opened"), told.3 <= 3), (5, true), "{form}");
                continue;
            }
            assert_eq!(told, expected, "{form} {kind}: foreign, pings, resumes, retries");
            assert_eq!(books.server_requests_answered, count("server_requests"), "{form} {kind}");
        }
    }
}

#[test]
fn a_stream_that_loses_its_last_chunk_has_answered_all_the_same() {
    let (ended, _) = suffered("sse", r#""truncated""#, "");
    assert_eq!(number(&ended.expect(0).report(), "/totals/ok"), 3);
}

#[test]
fn answers_byte_by_byte_are_whole_answers() {
    for form in ["json", "sse", "sse-primed"] {
        let server = server(&format!(r#"{{"form": "{form}", "split": {{"bytes": 1, "pause_ms": 0}}}}"#));
        for protocol in ["2026-07-28", "2025-11-25"] {
            let tool =
                Tool::run(&server, &format!("--protocol {protocol} --vus 1 --iterations 3 --timeout 30s"));
            let report = tool.echoing().end().expect(0).report();
            assert_eq!(number(&report, "/totals/ok"), 3, "{form} {protocol}");
        }
    }
}

#[test]
fn a_server_that_begins_to_hang_costs_timeouts_and_the_run_ends_on_time() {
    let server = server(
        r#"{"latency": [{"delay": {"constant": {"ms": 5}}}], "faults": [{"rate": 1, "kind": "never", "after": 30}]}"#,
    );
    let tool =
        Tool::run(&server, "--protocol 2026-07-28 --vus 2 --duration 1s --timeout 200ms --graceful-stop 1s");
    let report = tool.echoing().end().judged().report();
    assert!(number(&report, "/totals/ok") > 0);
    assert!(number(&report, "/totals/failed_by_class/timeout") > 0, "{:#}", report["totals"]["failures"]);
    assert!(report["duration_secs"].as_f64().expect("seconds") < 3.0);
}

#[test]
fn a_server_that_dies_ends_the_run_early_and_says_why() {
    let server = server(r#"{"die_at_ms": 1200, "latency": [{"delay": {"constant": {"ms": 10}}}]}"#);
    let ended = Tool::run(&server, "--vus 3 --duration 600s").echoing().end().expect(4);
    let report = ended.report();
    assert!(number(&report, "/totals/ok") > 0);
    assert_eq!(text(&report, "/manifest/stop"), "target_lost");
    assert!(
        text(&report, "/verdict/reason").to_lowercase().contains("connection refused"),
        "{}",
        report["verdict"]
    );
    assert!(report["duration_secs"].as_f64().expect("seconds") < 60.0);
    assert!(ended.stdout.to_lowercase().contains("connection refused"), "{}", ended.stdout);
}

#[test]
fn a_lost_session_is_opened_anew() {
    let server = server(
        r#"{"faults": [{"rate": 1, "kind": "session-lost", "only": {"method": "tools/call"}, "after": 2, "at_most": 1}]}"#,
    );
    let tool = Tool::run(&server, "--protocol 2025-06-18 --vus 1 --iterations 6");
    let report = tool.echoing().end().expect(0).report();
    assert_eq!((number(&report, "/totals/ok"), number(&report, "/totals/failed")), (5, 1));
    assert_eq!(number(&report, "/books/sessions_lost"), 1);
    assert_eq!(number(&report, "/lifecycle/initialize/requests"), 2);
}

#[test]
fn an_answer_beyond_the_users_limit_is_a_failure_and_within_it_is_none() {
    let server = server(r#"{"body_bytes": 200000}"#);
    let run = |limit: &str| {
        let tool = Tool::run(&server, &format!("--vus 1 --iterations 3 --max-body-bytes {limit}"));
        tool.echoing().end().judged().report()
    };
    let refused = run("100KiB");
    let message = only_failure(&refused, "protocol", Some("too_large"));
    assert!(message.contains("max_body_bytes"), "{message}");
    assert_eq!(number(&run("1MiB"), "/totals/ok"), 3);
}

#[test]
fn a_server_full_of_sessions_turns_virtual_users_away_and_serves_the_others() {
    let server = server(r#"{"max_sessions": 1, "latency": [{"delay": {"constant": {"ms": 5}}}]}"#);
    let tool = Tool::run(&server, "--protocol 2025-11-25 --vus 3 --duration 500ms --workers 1");
    let report = tool.echoing().end().judged().report();
    assert!(number(&report, "/totals/ok") > 0);
    assert!(number(&report, "/lifecycle/initialize/failed") > 0);
    assert!(
        text(&report, "/lifecycle/initialize/failures/0/message").contains("session"),
        "{:#}",
        report["lifecycle"]
    );
    assert_eq!(server.counters().sessions_opened, server.counters().sessions_closed);
}

#[test]
fn a_limit_of_requests_shows_as_throttled_calls() {
    let server = server(r#"{"requests_per_minute": 6}"#);
    let tool = Tool::run(&server, "--protocol 2026-07-28 --vus 1 --iterations 10");
    let report = tool.echoing().end().judged().report();
    assert!(number(&report, "/totals/failed_by_class/throttled") >= 4, "{:#}", report["totals"]["failures"]);
}
