//! Whoever comes from the existing command changes nothing: their files run, and their `jq` paths are where they were.

use serde_json::Value;

use crate::tool::{Tool, number, server, text};

/// Every key and every type of step that the existing command has.
const FILE: &str = r#"
[settings]
virtual_users = 3
duration_secs = 1
timeout_ms = 2000
expected_interval_ms = 100
request_interval_ms = 20

[[scenario]]
type = "tools/call"
weight = 4
tool = "search"
arguments = { query = "tides", limit = 3 }

[[scenario]]
type = "resources/read"
weight = 3
uri = "demo://readme"

[[scenario]]
type = "prompts/get"
weight = 2
prompt = "summarize"
arguments = { topic = "tides", style = "short" }

[[scenario]]
type = "code_mode"
weight = 1
code = "query { me { name } }"
format = "graphql"
"#;

fn report_of(file: &str, words: &str) -> Value {
    let server = server(r#"{"latency": [{"delay": {"constant": {"ms": 3}}}]}"#);
    let tool = Tool::run(&server, words).config(file);
    let report = tool.end().judged().report();
    assert_eq!(number(&report, "/totals/failed"), 0, "{:#}", report["totals"]["failures"]);
    let counts = report["metrics"]["operation_counts"].as_object().expect("counts");
    let sum: u64 = counts.values().map(|count| count.as_u64().expect("a count")).sum();
    assert_eq!(sum, number(&report, "/metrics/total_requests"));
    // A step of code mode is one operation that takes two calls of tools.
    let of = |method: &str| report["per_method"][method]["requests"].as_u64().unwrap_or_default();
    let cut = |method: &str| report["per_method"][method]["cancelled"].as_u64().unwrap_or_default();
    let books = server.counters();
    let asked = of("tools/call") + 2 * of("code_mode");
    let cut_off = cut("tools/call") + 2 * cut("code_mode");
    assert!((asked..=asked + cut_off).contains(&books.requested("tools/call")), "{books:#?}");
    assert_eq!(books.requested("resources/read"), of("resources/read") + cut("resources/read"));
    report
}

#[test]
fn a_file_of_the_existing_command_runs_unchanged() {
    let report = report_of(FILE, "");
    let kinds: Vec<&String> =
        report["metrics"]["operation_counts"].as_object().expect("counts").keys().collect();
    assert_eq!(kinds, ["code_mode", "prompts/get", "resources/read", "tools/call"]);
    assert_eq!(number(&report, "/config/virtual_users"), 3);
    assert_eq!(number(&report, "/config/timeout_ms"), 2000);
    assert!(report["books"]["think_time_us"].as_u64() > Some(0), "request_interval_ms is kept");
}

#[test]
fn stages_of_the_existing_command_are_its_duration() {
    let stages =
        "\n[[stage]]\ntarget_vus = 4\nduration_secs = 1\n\n[[stage]]\ntarget_vus = 1\nduration_secs = 1\n";
    let report = report_of(&format!("{FILE}{stages}"), "");
    assert_eq!(number(&report, "/config/duration_secs"), 2);
    assert!(
        (1_900_000..3_000_000).contains(&number(&report, "/manifest/window_us")),
        "{}",
        report["manifest"]
    );
}

#[test]
fn flags_of_the_existing_command_mean_what_they_meant() {
    let report = report_of(FILE, "--vus 2 --iterations 12");
    assert_eq!(number(&report, "/totals/requests"), 12);
    assert_eq!(number(&report, "/config/virtual_users"), 2);
    let report = report_of(FILE, "--users 2 --duration 1");
    assert_eq!(number(&report, "/config/duration_secs"), 1);
}

#[test]
fn every_path_of_the_old_report_is_there_with_its_meaning() {
    let server = server(
        r#"{"latency": [{"delay": {"constant": {"ms": 3}}}], "faults": [
            {"rate": 1, "kind": {"status": 500}, "only": {"tool": "search"}, "at_most": 2},
            {"rate": 1, "kind": {"rpc-error": -32000}, "only": {"tool": "search"}, "at_most": 1}]}"#,
    );
    let report = Tool::run(&server, "--iterations 60").config(FILE).end().judged().report();
    let at = |path: &str| report.pointer(path).unwrap_or_else(|| panic!("{path} is not there"));
    for path in ["/schema_version", "/timestamp", "/target_url"] {
        assert!(at(path).is_string(), "{path}");
    }
    let latency = ["/metrics/latency/p50_ms", "/metrics/latency/p95_ms", "/metrics/latency/p99_ms"];
    let failed =
        ["/metrics/latency/error_p50_ms", "/metrics/latency/error_p95_ms", "/metrics/latency/error_p99_ms"];
    let other =
        ["/duration_secs", "/metrics/error_rate", "/metrics/throughput_rps", "/config/expected_interval_ms"];
    for path in latency.iter().chain(&failed).chain(&other) {
        assert!(at(path).is_number(), "{path}: {}", at(path));
    }
    assert!(at("/metrics/latency/p50_ms").as_f64() >= Some(3.0), "milliseconds");
    assert_eq!(number(&report, "/metrics/total_requests"), 60);
    assert_eq!(number(&report, "/metrics/success_count"), 57);
    assert_eq!(number(&report, "/metrics/error_count"), 3);
    assert_eq!(at("/metrics/error_rate"), &Value::from(0.05));
    assert_eq!(number(&report, "/metrics/operation_errors/tools~1call"), 3);
    assert_eq!(at("/errors"), &serde_json::json!({ "http": 2, "jsonrpc": 1 }));
    assert_eq!(at("/breaking_point/detected"), &Value::Bool(false));
    assert_eq!(report["config"]["scenario"].as_array().map(Vec::len), Some(4));
    assert_eq!(text(&report, "/config/scenario/0/type"), "tools/call");
    assert_eq!(text(&report, "/config/scenario/0/tool"), "search");
    for row in ["search", "demo:~1~1readme", "summarize", "code_mode~1graphql"] {
        let row = |path: &str| at(&format!("/per_tool/{row}/{path}")).clone();
        assert_eq!(
            row("total_requests").as_u64(),
            Some(row("success_count").as_u64().unwrap() + row("error_count").as_u64().unwrap())
        );
        for figure in ["p50_ms", "p95_ms", "p99_ms", "min_ms", "max_ms", "mean_ms"] {
            assert!(row(&format!("latency/{figure}")).is_number(), "{figure}");
        }
        assert!(row("error_rate").is_number() && row("errors").is_object());
    }
}
