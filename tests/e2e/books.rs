//! The books balance: what the report says was sent is what the server says it got, in every mode.

use pmcp_loadtest_demo_server::{Counters, DemoServer};
use serde_json::Value;

use crate::tool::{Tool, number, server, text};

/// Slow enough that the load is light, quick enough that a test is short.
const LATENCY: &str = r#""latency": [{"delay": {"constant": {"ms": 3}}}]"#;

/// What every virtual user does: three steps of two methods.
const MIX: &str = r#"
[[scenario]]
name = "mix"
[[scenario.step]]
type = "tools/call"
tool = "echo"
arguments = { message = "hello" }
[[scenario.step]]
type = "resources/read"
uri = "demo://readme"
[[scenario.step]]
type = "tools/call"
tool = "add"
arguments = { a = 1, b = 2 }
"#;

/// How often the client asked for a method, the preparation aside.
fn calls(report: &Value, method: &str) -> u64 {
    let row = &report["per_method"][method];
    row["requests"].as_u64().unwrap_or_default() + row["cancelled"].as_u64().unwrap_or_default()
}

fn lifecycle(report: &Value, method: &str) -> u64 {
    number(report, &format!("/lifecycle/{method}/requests"))
}

/// Balances a report with the books of the server that it is about.
fn balance(report: &Value, books: &Counters, what: &str) {
    let stale = number(report, "/books/stale_retries");
    let sent: u64 = ["tools/call", "resources/read"].iter().map(|method| calls(report, method)).sum();
    let got = books.requested("tools/call") + books.requested("resources/read");
    assert_eq!(got, sent + stale, "{what}: calls\n{books:#?}");
    assert_eq!(
        number(report, "/totals/requests") + number(report, "/totals/cancelled"),
        sent,
        "{what}: totals"
    );

    // The preparation greets the server as every virtual user does, once more.
    let session_era = text(report, "/server/protocol_revision") < "2026";
    let handshakes = lifecycle(report, "initialize") + u64::from(session_era);
    assert_eq!(books.initializes, handshakes, "{what}: handshakes");
    assert_eq!(
        books.notifications,
        lifecycle(report, "notifications~1initialized") + u64::from(session_era),
        "{what}"
    );
    assert_eq!(books.sessions_opened, number(report, "/books/sessions_opened"), "{what}: sessions opened");
    assert_eq!(books.sessions_closed, number(report, "/books/sessions_closed"), "{what}: sessions closed");
    assert_eq!(books.sessions_lost, number(report, "/books/sessions_lost"), "{what}: sessions lost");
    assert_eq!(
        books.sessions_opened,
        books.sessions_closed + books.sessions_lost,
        "{what}: no session is left behind"
    );
    assert_eq!(books.connections, number(report, "/books/connections_opened"), "{what}: connections");
    assert_eq!(books.in_flight, 0, "{what}: nothing is left behind");
}

fn run(server: &DemoServer, words: &str) -> Value {
    Tool::run(server, words).config(MIX).end().judged().report()
}

#[test]
fn every_revision_and_form_of_answer_balances() {
    for form in ["json", "sse", "sse-primed"] {
        for protocol in ["auto", "2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"] {
            let server = server(&format!(r#"{{"form": "{form}", {LATENCY}}}"#));
            let report = run(&server, &format!("--protocol {protocol} --vus 3 --iterations 12 --workers 2"));
            balance(&report, &server.counters(), &format!("{form} {protocol}"));
            assert_eq!(number(&report, "/totals/ok"), 36);
            let spoken = text(&report, "/server/protocol_revision");
            assert_eq!(spoken, if protocol == "auto" { "2026-07-28" } else { protocol });
        }
    }
}

#[test]
fn a_server_of_one_era_is_found_out_and_balances() {
    for (eras, spoken) in [("legacy", "2025-11-25"), ("modern", "2026-07-28")] {
        let server = server(&format!(r#"{{"eras": "{eras}", {LATENCY}}}"#));
        let report = run(&server, "--vus 2 --iterations 4");
        balance(&report, &server.counters(), eras);
        assert_eq!(text(&report, "/server/protocol_revision"), spoken);
    }
}

#[test]
fn a_server_without_sessions_balances() {
    let server = server(&format!(r#"{{"sessions": "stateless", {LATENCY}}}"#));
    let report = run(&server, "--protocol 2025-06-18 --vus 2 --iterations 4");
    balance(&report, &server.counters(), "stateless");
    assert_eq!(number(&report, "/books/sessions_opened"), 0);
}

#[test]
fn every_policy_of_sessions_and_connections_balances_with_one_worker_and_with_two() {
    for session in ["per-vu", "per-iteration", "shared"] {
        for connection in ["keep-alive", "per-request"] {
            for (protocol, workers) in [("2025-11-25", 1), ("2025-11-25", 2), ("2026-07-28", 2)] {
                let what = format!(
                    "--session {session} --connection {connection} --protocol {protocol} --workers {workers}"
                );
                let server = server(&format!("{{{LATENCY}}}"));
                let report = run(&server, &format!("{what} --vus 4 --iterations 10"));
                balance(&report, &server.counters(), &what);
                assert_eq!(number(&report, "/totals/ok"), 30, "{what}");
                assert_eq!(text(&report, "/manifest/session"), session);
            }
        }
    }
}

#[test]
fn a_run_that_ends_by_the_clock_balances() {
    for protocol in ["2025-11-25", "2026-07-28"] {
        let server = server(r#"{"latency": [{"delay": {"exponential": {"mean_ms": 15}}}]}"#);
        let report = run(&server, &format!("--protocol {protocol} --vus 10 --duration 1s"));
        balance(&report, &server.counters(), protocol);
    }
}

#[test]
fn a_ramp_balances() {
    let server = server(r#"{"latency": [{"delay": {"constant": {"ms": 10}}}]}"#);
    let report = run(&server, "--protocol 2025-11-25 --stage 400ms:8 --stage 200ms:8 --stage 400ms:1");
    balance(&report, &server.counters(), "ramp");
    assert!(number(&report, "/books/sessions_opened") > 2, "{report:#}");
}

#[test]
fn what_is_cut_off_at_the_end_is_counted_as_cut_off() {
    let server = server(r#"{"faults": [{"rate": 1, "kind": "never", "only": {"method": "tools/call"}}]}"#);
    let report =
        run(&server, "--protocol 2025-11-25 --vus 3 --duration 200ms --graceful-stop 0s --timeout 60s");
    let books = server.counters();
    assert_eq!(number(&report, "/totals/cancelled"), 3);
    assert_eq!(books.requested("tools/call"), 3);
    assert_eq!(books.sessions_opened, books.sessions_closed);
    assert_eq!(number(&report, "/books/iterations_interrupted"), 3);
}

#[test]
fn what_is_cut_off_while_it_waits_to_take_up_its_stream_is_no_timeout() {
    let server = server(
        r#"{"form": "sse-primed", "retry_ms": 60000, "faults": [{"rate": 1, "kind": "resume", "only": {"method": "tools/call"}}]}"#,
    );
    let report =
        run(&server, "--protocol 2025-11-25 --vus 2 --duration 200ms --graceful-stop 0s --timeout 90s");
    assert_eq!(number(&report, "/totals/cancelled"), 2);
    assert_eq!(number(&report, "/totals/failed"), 0);
}

#[test]
fn each_kind_of_failure_is_counted_as_often_as_the_server_caused_it() {
    let kinds = [
        ("tool_error", r#""tool-error""#, "tool_error"),
        ("rpc_error", r#"{"rpc-error": -32050}"#, "rpc_error"),
        ("http_error", r#"{"status": 503}"#, "http_error"),
        ("throttled", r#"{"throttled": 1}"#, "throttled"),
        ("invalid_json", r#""invalid-json""#, "protocol"),
        ("wrong_id", r#""wrong-id""#, "protocol"),
        ("cut", r#""cut""#, "transport"),
        ("half_head", r#""half-head""#, "transport"),
        ("garbage", r#""garbage""#, "protocol"),
    ];
    for form in ["json", "sse", "sse-primed"] {
        for (key, kind, class) in kinds {
            let only = r#""only": {"method": "tools/call"}"#;
            let server = server(&format!(
                r#"{{"form": "{form}", {LATENCY}, "faults": [{{"rate": 0.3, "kind": {kind}, {only}}}]}}"#
            ));
            let report = run(&server, "--protocol 2025-11-25 --vus 2 --iterations 10");
            let books = server.counters();
            let what = format!("{key} {form}");
            balance(&report, &books, &what);
            let caused = books.answered(key);
            assert!(caused > 0, "{what}: the script never hit");
            assert_eq!(number(&report, &format!("/totals/failed_by_class/{class}")), caused, "{what}");
            assert_eq!(number(&report, "/totals/failed"), caused, "{what}");
        }
    }
}

#[test]
fn what_was_sent_again_on_a_fresh_connection_is_counted_apart() {
    for key in ["drop", "reset"] {
        let server = server(&format!(
            r#"{{{LATENCY}, "faults": [{{"rate": 0.3, "kind": "{key}", "only": {{"method": "tools/call"}}}}]}}"#
        ));
        let report = run(&server, "--protocol 2025-11-25 --vus 2 --iterations 20");
        let books = server.counters();
        balance(&report, &books, key);
        let retries = number(&report, "/books/stale_retries");
        assert!(retries > 0, "{key}");
        // Each was either hidden by its retry or is a failure in the report.
        assert_eq!(books.answered(key), retries + number(&report, "/totals/failed"), "{key}");
    }
}

#[test]
fn lost_sessions_balance() {
    let server = server(&format!(r#"{{{LATENCY}, "requests_per_session": 4}}"#));
    let report = run(&server, "--protocol 2025-11-25 --vus 2 --iterations 20");
    let books = server.counters();
    balance(&report, &books, "lost sessions");
    assert!(books.sessions_lost > 2, "{books:#?}");
    assert_eq!(books.answered("session_lost"), number(&report, "/totals/failed"));
}

#[test]
fn every_byte_is_counted() {
    for (form, protocol) in
        [("json", "2026-07-28"), ("json", "2025-11-25"), ("sse", "2026-07-28"), ("sse-primed", "2025-11-25")]
    {
        // What the preparation sends and gets is in no figure, but it is the same every time: the difference of two runs, each
        // against a fresh server, is without it.
        let [first, second] = [5, 12].map(|iterations| {
            let server = server(&format!(r#"{{"form": "{form}", {LATENCY}}}"#));
            let report = run(&server, &format!("--protocol {protocol} --vus 1 --iterations {iterations}"));
            let books = server.counters();
            [[books.bytes_in, books.bytes_out], bytes(&report)]
        });
        let more = |side: usize| [second[side][0] - first[side][0], second[side][1] - first[side][1]];
        assert_eq!(more(1), more(0), "{form} {protocol}: received by the server, sent by it");
    }
}

/// Bytes sent and received, over all series of a report.
fn bytes(report: &Value) -> [u64; 2] {
    let mut rows = vec![&report["totals"]];
    rows.extend(report["lifecycle"].as_object().expect("rows").values());
    let sum = |key: &str| rows.iter().map(|row| row[key].as_u64().expect("bytes")).sum();
    [sum("bytes_sent"), sum("bytes_received")]
}

#[test]
fn the_second_transport_balances_as_the_first_does() {
    for form in ["json", "sse", "sse-primed"] {
        for (protocol, connection) in
            [("2025-11-25", "keep-alive"), ("2026-07-28", "keep-alive"), ("2025-06-18", "per-request")]
        {
            let what = format!("--transport reqwest --protocol {protocol} --connection {connection}");
            let server = server(&format!(r#"{{"form": "{form}", {LATENCY}}}"#));
            let report = run(&server, &format!("{what} --vus 3 --iterations 9"));
            balance(&report, &server.counters(), &format!("{form} {what}"));
            assert_eq!(number(&report, "/totals/ok"), 27, "{form} {what}");
        }
    }
}
