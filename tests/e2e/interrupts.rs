//! Interrupted runs end as they should: gracefully the first time, at once the second, and always with a report.

use nix::sys::signal::Signal;
use pmcp_loadtest_demo_server::DemoServer;

use crate::tool::{ECHO, Running, Tool, number, server, text, until};

/// A run of an hour under way: its calls are being served.
fn under_way(server: &DemoServer, words: &str) -> Running {
    let words =
        format!("run {} --progress plain --protocol 2025-11-25 --vus 2 --duration 1h {words}", server.url());
    let running = Tool::new(&words).echoing().start();
    until("a call is served", || server.counters().requested("tools/call") >= 2);
    running
}

fn quick() -> DemoServer {
    server(r#"{"latency": [{"delay": {"constant": {"ms": 5}}}]}"#)
}

/// A server whose calls never end.
fn hanging() -> DemoServer {
    server(r#"{"faults": [{"rate": 1, "kind": "never", "only": {"method": "tools/call"}}]}"#)
}

#[test]
fn the_first_interrupt_ends_the_run_gracefully_with_a_report() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let server = quick();
        let running = under_way(&server, "");
        running.signal(signal);
        let ended = running.end().expect(130);
        let report = ended.report();
        assert_eq!(text(&report, "/manifest/stop"), "interrupted");
        assert_eq!(text(&report, "/verdict/outcome"), "inconclusive");
        assert_eq!(number(&report, "/verdict/exit_code"), 130);
        assert!(text(&report, "/verdict/reason").starts_with("interrupted after"), "{}", report["verdict"]);
        assert!(ended.stdout.contains("interrupted after"), "{}", ended.stdout);
        assert_eq!(number(&report, "/totals/cancelled"), 0, "what ran was waited for");
        assert_eq!(server.counters().sessions_opened, server.counters().sessions_closed);
    }
}

#[test]
fn the_second_interrupt_cuts_off_what_hangs_and_the_report_is_still_written() {
    for (first, second) in [(Signal::SIGINT, Signal::SIGINT), (Signal::SIGTERM, Signal::SIGINT)] {
        let server = hanging();
        let mut running = under_way(&server, "--timeout 1h --graceful-stop 1h");
        running.signal(first);
        running.says("Ctrl-C again stops at once");
        running.signal(second);
        let report = running.end().expect(130).report();
        assert_eq!(number(&report, "/totals/cancelled"), 2);
        assert_eq!(number(&report, "/verdict/exit_code"), 130);
        assert!(report["duration_secs"].as_f64().expect("seconds") < 60.0);
        let books = server.counters();
        assert_eq!(books.sessions_opened, books.sessions_closed, "sessions are closed even then");
    }
}

#[test]
fn an_interrupt_before_the_load_begins_ends_at_once_and_leaves_nothing_behind() {
    let server = server(r#"{"faults": [{"rate": 1, "kind": "never"}]}"#);
    let running = Tool::run(&server, "--timeout 1h").echoing().start();
    until("the target is asked", || server.counters().requests == 1);
    running.signal(Signal::SIGINT);
    let ended = running.end().expect(130);
    assert!(ended.stderr.contains("interrupted before the load began"), "{}", ended.stderr);
    assert!(ended.reports().is_empty(), "{:?}", ended.reports());
}

#[test]
fn a_stream_that_nobody_reads_any_more_does_not_end_the_run() {
    for (stdout, stderr) in [(true, false), (false, true), (true, true)] {
        for progress in ["plain", "jsonl", "none"] {
            let server = quick();
            let words = format!(
                "run {} --protocol 2025-11-25 --vus 2 --iterations 40 --min-samples 1 --progress {progress}",
                server.url()
            );
            let ended = Tool::new(&words).config(ECHO).start_without(stdout, stderr).end().judged();
            assert_eq!(number(&ended.report(), "/totals/ok"), 40, "{stdout} {stderr} {progress}");
        }
    }
}

#[test]
fn a_closed_standard_output_is_no_reason_to_lose_the_report_in_json_either() {
    let server = quick();
    let tool = Tool::run(&server, "--vus 1 --iterations 5 --format json").echoing();
    assert_eq!(number(&tool.start_without(true, false).end().expect(0).report(), "/totals/ok"), 5);
}
