//! Thresholds while the run goes on: windows, the end of the run before its time, and the warm-up that none of them sees.

use serde_json::Value;

use crate::tool::{Ended, Tool, number, server, text};

const SLOW: &str = r#"{"latency": [{"delay": {"constant": {"ms": 8}}}]}"#;

fn seconds(report: &Value, pointer: &str) -> f64 {
    report.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("no number at {pointer}"))
}

/// Whether the run failed; on a machine that is too busy for the generator, it may be inconclusive for that.
fn failed(report: &Value) -> bool {
    let doubtful =
        report["validity"].as_array().expect("a list").iter().any(|gate| gate["state"] == "failed");
    number(report, "/verdict/exit_code") == if doubtful { 91 } else { 99 }
}

/// A minute of load with this threshold, against a server that cannot meet a response time of 1 ms.
fn aborting(threshold: &str, words: &str) -> Ended {
    let server = server(SLOW);
    Tool::run(&server, &format!("--vus 4 --duration 60s {words}"))
        .echoing()
        .arg("--threshold")
        .arg(threshold)
        .end()
}

#[test]
fn a_threshold_that_aborts_ends_the_run_as_soon_as_it_fails() {
    let ended = aborting("response_time p(99) < 1ms abort", "").judged();
    let report = ended.report();
    assert_eq!(text(&report, "/manifest/stop"), "threshold_failed");
    assert!(failed(&report), "{}", report["verdict"]);
    assert!(text(&report, "/verdict/reason").contains("ended early after"), "{}", report["verdict"]);
    assert!(ended.stdout.contains("ended early after"), "{}", ended.stdout);
    // It is looked at once in a second.
    assert!(seconds(&report, "/duration_secs") < 6.0, "{}", report["duration_secs"]);
    assert_eq!(report["thresholds"][0]["passed"], false);
    assert_eq!(number(&report, "/totals/cancelled"), 0, "what ran was waited for");
}

#[test]
fn a_threshold_that_aborts_later_gives_the_run_that_time() {
    let report = aborting("response_time p(99) < 1ms abort after 3s", "").judged().report();
    assert_eq!(text(&report, "/manifest/stop"), "threshold_failed");
    assert!(failed(&report), "{}", report["verdict"]);
    let lasted = seconds(&report, "/duration_secs");
    assert!((3.0..8.0).contains(&lasted), "{lasted}");
}

#[test]
fn a_window_sees_a_stall_that_the_whole_run_hides() {
    let stall =
        r#"{"latency": [{"delay": {"constant": {"ms": 3}}}], "stalls": [{"from_ms": 2500, "to_ms": 3500}]}"#;
    let server = server(stall);
    let ended = Tool::run(&server, "--rate 50/s --vus 60 --max-vus 100 --duration 5s")
        .echoing()
        .arg("--threshold")
        .arg("response_time max < 500ms over 2s")
        .arg("--threshold")
        .arg("response_time p(50) < 500ms")
        .end();
    let report = ended.report();
    let [windowed, whole] = [&report["thresholds"][0], &report["thresholds"][1]];
    assert_eq!((windowed["passed"].as_bool(), whole["passed"].as_bool()), (Some(false), Some(true)));
    // The first answer that took too long came at the end of the stall: in the second that begins at 3 s, or a little later.
    let from = number(windowed, "/window_from_s");
    assert!((1..=3).contains(&from), "{windowed:#}");
    let observed = seconds(windowed, "/observed");
    assert!((800_000.0..1_500_000.0).contains(&observed), "{windowed:#}");
    assert!(ended.stdout.contains(&format!("from {from} s to {} s", from + 2)), "{}", ended.stdout);
    assert!(failed(&report), "{}", report["verdict"]);
}

#[test]
fn a_window_in_which_nothing_was_answered_has_a_rate_of_zero() {
    let server = server(
        r#"{"latency": [{"delay": {"constant": {"ms": 3}}}], "stalls": [{"from_ms": 1200, "to_ms": 5000}]}"#,
    );
    let ended = Tool::run(&server, "--vus 2 --duration 6s")
        .echoing()
        .arg("--threshold")
        .arg("requests per_s > 5 over 2s")
        .end()
        .judged();
    let result = &ended.report()["thresholds"][0];
    assert_eq!(
        (result["passed"].as_bool(), result["observed"].as_f64()),
        (Some(false), Some(0.0)),
        "{result:#}"
    );
    assert!((2..=3).contains(&number(result, "/window_from_s")), "{result:#}");
}

#[test]
fn what_falls_in_the_warm_up_is_in_no_figure_and_ends_no_run() {
    let report = aborting("response_time p(99) < 1ms abort", "--warm-up 2s").judged().report();
    let (kept, all) = (number(&report, "/totals/requests"), number(&report, "/warm_up/untrimmed/requests"));
    assert!(0 < kept && kept < all, "{kept} of {all}");
    // Two seconds that do not count, and at least one that does.
    let lasted = seconds(&report, "/duration_secs");
    assert!((3.0..8.0).contains(&lasted), "{lasted}");
    assert!((seconds(&report, "/warm_up/trimmed_s") - 2.0).abs() < f64::EPSILON, "{}", report["warm_up"]);
}
