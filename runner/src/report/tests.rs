mod capacity;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::plugins::tests::with_plugins;
use super::*;
use crate::judge::fixtures::{Run, plan};
use crate::judge::{self, BreakingPointFinding, BreakingPointReason, Confidence};
use crate::judge::{Books, Outcome, Stretch, TransportFault, judge_thresholds, judge_validity};
use crate::plan::{PluginUse, Scenario, Script, WarmUp};

/// The report of a synthetic run under [`plan`].
pub(super) fn report_of(run: Run) -> Report {
    report_under(&plan(), run)
}

/// The report of a synthetic run under a plan of its own.
pub(super) fn report_under(plan: &Plan, run: Run) -> Report {
    let observation = run.finish();
    let gates = judge_validity(plan, &observation);
    let thresholds = judge_thresholds(&plan.thresholds, &Stretch::whole(&observation), &observation.windows);
    let verdict = Verdict::new(&observation, &gates, &thresholds);
    let manifest = Manifest {
        tool_version: "0.1.0".to_owned(),
        command: ["cargo", "pmcp", "loadtest", "run"].map(str::to_owned).to_vec(),
        os: "linux".to_owned(),
        arch: "x86_64".to_owned(),
        cores: 2,
    };
    Report::new(plan, &observation, gates, thresholds, verdict, manifest)
}

/// A sound run with some of everything.
pub(super) fn golden() -> Report {
    golden_under(&[])
}

/// The same run where this was demanded of it.
pub(super) fn golden_under(thresholds: &[&str]) -> Report {
    let thresholds = thresholds.iter().map(|text| text.parse().unwrap()).collect();
    report_under(
        &Plan { thresholds, ..plan() },
        Run::new()
            .books(Books {
                iterations_started: 3_500,
                iterations_completed: 3_496,
                iterations_interrupted: 4,
                iterations_failed: 0,
                sessions_opened: 20,
                sessions_closed: 19,
                sessions_lost: 1,
                connections_opened: 21,
                stale_retries: 1,
                vu_time: Duration::from_secs(200),
                think_time: Duration::from_secs(20),
                connect_time: Duration::from_millis(40),
                service_time: Duration::from_secs(178),
                ..Books::default()
            })
            .handshakes(20, 15, Outcome::Ok)
            .calls("search", 2_000, 20, Outcome::Ok)
            .calls("fetch", 1_990, 4, Outcome::Ok)
            .calls("store", 1_500, 60, Outcome::Ok)
            .calls("tools/list", 1_500, 2, Outcome::Ok)
            .calls_that_say("store", 12, 9, Outcome::ToolError, "disk full")
            .calls_that_say("fetch", 7, 11, Outcome::RpcError { code: -32602 }, "unknown document")
            .calls_that_say("fetch", 3, 5_000, Outcome::Timeout, "no answer within 5 s")
            .calls_that_say("search", 2, 1, Outcome::Transport(TransportFault::Reset), "connection reset")
            .calls_that_say("search", 1, 1, Outcome::Throttled { status: 429 }, "slow down")
            .calls("search", 4, 30, Outcome::Cancelled),
    )
}

/// Compares with a file of the repository, or writes it when `UPDATE_SCHEMAS=1`.
fn assert_checked_in(path: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    // Not assert_eq: a megabyte of difference helps nobody.
    let name = path.file_name().unwrap().display();
    assert!(expected == actual, "{name} has changed; if that is meant, run the tests with UPDATE_SCHEMAS=1");
}

#[test]
fn the_published_schema_is_the_one_of_the_code() {
    let mut schema = serde_json::to_string_pretty(&Report::json_schema()).unwrap();
    schema.push('\n');
    assert_checked_in("schemas/report.schema.json", &schema);
}

#[test]
fn the_golden_report_is_the_same_to_the_last_byte() {
    assert_checked_in("../tests/fixtures/report.golden.json", &golden().to_json());
}

#[test]
fn reports_follow_the_published_schema() {
    let schema = jsonschema::validator_for(&Report::json_schema()).unwrap();
    let judged = golden_under(&["p99<50ms", "errors{tool=none}<1%"]);
    for report in [golden(), judged, report_of(Run::new()), with_plugins()] {
        let json = serde_json::to_value(&report).unwrap();
        let faults: Vec<String> = schema.iter_errors(&json).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, [""; 0]);
    }
}

#[test]
fn the_schema_refuses_a_report_without_its_verdict() {
    let mut json = serde_json::to_value(golden()).unwrap();
    json.as_object_mut().unwrap().remove("verdict");
    assert!(!jsonschema::is_valid(&Report::json_schema(), &json));
}

#[test]
fn a_report_reads_back_equal() {
    let report = golden_under(&["p99<50ms", "mean<50ms", "errors<1%", "ok rate > 1%", "requests>3/s"]);
    assert_eq!(Report::from_json(&report.to_json()).unwrap(), report);
}

#[test]
fn a_report_from_before_thresholds_is_read() {
    let mut json = serde_json::to_value(golden()).unwrap();
    json.as_object_mut().unwrap().remove("thresholds");
    assert_eq!(Report::from_json(&json.to_string()).unwrap(), golden());
}

#[test]
fn a_threshold_stands_in_the_report_with_what_was_observed() {
    let json = serde_json::to_value(golden_under(&["timeout count == 0"])).unwrap();
    assert_eq!(
        json["thresholds"][0],
        json!({
            "text": "timeout count == 0", "metric": "timeout", "passed": false, "observed": 3.0, "bound": 0.0,
            "unit": "count", "margin": -3.0, "samples": 7_015, "finding": "observed 3",
        })
    );
    assert_eq!(json["config"]["thresholds"], json!(["timeout count == 0"]));
    assert_eq!(json["verdict"]["exit_code"], 99);
}

#[test]
fn a_later_minor_version_is_read_and_its_additions_ignored() {
    let mut json = serde_json::to_value(golden()).unwrap();
    json["schema_version"] = json!("2.7");
    json["totals"]["novelty"] = json!([1, 2]);
    assert_eq!(Report::from_json(&json.to_string()).unwrap().totals, golden().totals);
}

#[test]
fn a_report_of_the_existing_command_is_refused_by_its_version() {
    let refusal = Report::from_json(r#"{"schema_version":"1.1","metrics":{}}"#).unwrap_err();
    assert_eq!(refusal.to_string(), "a report of schema version 1.1; this tool reads version 2");
}

#[test]
fn the_histograms_of_a_report_are_those_that_were_recorded() {
    let run = || Run::new().calls("search", 300, 20, Outcome::Ok).calls("search", 5, 9, Outcome::Timeout);
    let report = Report::from_json(&report_of(run()).to_json()).unwrap();
    let recorded = run().finish().metrics.total();
    let search = report.series.iter().find(|series| series.name.as_deref() == Some("search")).unwrap();
    let decoded = |encoded: &Option<Encoded>| encoded.as_ref().unwrap().decode().unwrap();
    assert_eq!(decoded(&search.histograms.response_time), recorded.response_time);
    assert_eq!(decoded(&search.histograms.failed_time), recorded.failed_time);
    assert_eq!(decoded(&search.histograms.lateness), recorded.lateness);
    let unused = report.series.iter().find(|series| series.name.as_deref() == Some("fetch")).unwrap();
    assert_eq!(unused.histograms.response_time, None);
}

#[test]
fn every_path_of_schema_1_1_is_there_with_its_type() {
    let json = serde_json::to_value(golden()).unwrap();
    let numbers = [
        "/duration_secs",
        "/config/virtual_users",
        "/config/duration_secs",
        "/config/timeout_ms",
        "/config/expected_interval_ms",
        "/metrics/total_requests",
        "/metrics/success_count",
        "/metrics/error_count",
        "/metrics/error_rate",
        "/metrics/throughput_rps",
        "/metrics/latency/p50_ms",
        "/metrics/latency/p95_ms",
        "/metrics/latency/p99_ms",
        "/metrics/latency/error_p50_ms",
        "/metrics/latency/error_p95_ms",
        "/metrics/latency/error_p99_ms",
        "/metrics/operation_counts/tools~1call",
        "/metrics/operation_errors/tools~1call",
        "/errors/jsonrpc",
        "/errors/http",
        "/errors/timeout",
        "/errors/connection",
        "/per_tool/search/total_requests",
        "/per_tool/search/success_count",
        "/per_tool/search/error_count",
        "/per_tool/search/error_rate",
        "/per_tool/search/latency/p50_ms",
        "/per_tool/search/latency/p95_ms",
        "/per_tool/search/latency/p99_ms",
        "/per_tool/search/latency/min_ms",
        "/per_tool/search/latency/max_ms",
        "/per_tool/search/latency/mean_ms",
        "/per_tool/search/errors/connection",
    ];
    for path in numbers {
        assert!(json.pointer(path).is_some_and(Value::is_number), "{path}: {:?}", json.pointer(path));
    }
    for path in ["/schema_version", "/timestamp", "/target_url"] {
        assert!(json.pointer(path).is_some_and(Value::is_string), "{path}");
    }
    assert_eq!(json["breaking_point"]["detected"], false);
    assert_eq!(json["config"]["scenario"][1]["name"], "writer");
}

/// The report of a run in which this was found.
pub(super) fn breaking(finding: BreakingPointFinding) -> Report {
    report_of(Run::new().calls("search", 2_000, 20, Outcome::Ok).breaking(finding))
}

pub(super) fn broken() -> BreakingPointFinding {
    BreakingPointFinding::Found(judge::BreakingPoint {
        at: Duration::from_secs(7),
        vus: 210,
        rate_per_s: 1_900.0,
        reason: BreakingPointReason::ErrorRate,
        detail: "20.0 % of calls failed over 3 s, 0.10 % at the baseline".to_owned(),
        confidence: Confidence::Medium,
    })
}

#[test]
fn a_breaking_point_has_the_keys_of_schema_1_1_and_says_when_it_began() {
    let report = breaking(broken());
    let json = serde_json::to_value(&report).unwrap();
    let expected = json!({
        "detected": true,
        "vus": 210,
        "reason": "error_rate",
        "detail": "20.0 % of calls failed over 3 s, 0.10 % at the baseline",
        "timestamp": "2026-11-20T13:00:07Z",
        "second": 7,
        "rate_per_s": 1_900.0,
        "confidence": "medium",
    });
    assert_eq!(json["breaking_point"], expected);
    assert_eq!(Report::from_json(&json.to_string()).unwrap(), report);
}

#[test]
fn no_breaking_point_and_none_looked_for_are_told_apart() {
    let json = |finding| serde_json::to_value(breaking(finding)).unwrap()["breaking_point"].clone();
    assert_eq!(json(BreakingPointFinding::NotFound), json!({ "detected": false }));
    assert_eq!(
        json(BreakingPointFinding::NotLookedFor("the load does not rise".to_owned())),
        json!({ "detected": false, "not_looked_for": "the load does not rise" })
    );
}

#[test]
fn counts_add_up_and_handshakes_are_in_none_of_them() {
    let report = golden();
    let totals = &report.totals;
    assert_eq!(totals.requests, 2_000 + 1_990 + 1_500 + 1_500 + 12 + 7 + 3 + 2 + 1);
    assert_eq!((totals.ok + totals.failed, totals.cancelled), (totals.requests, 4));
    assert_eq!(report.errors.values().sum::<u64>(), totals.failed);
    assert_eq!(report.per_scenario.values().map(|row| row.requests).sum::<u64>(), totals.requests);
    assert_eq!(report.per_method.values().map(|row| row.requests).sum::<u64>(), totals.requests);
    assert_eq!(report.timeline.iter().map(|row| row.requests).sum::<u64>(), totals.requests);
    assert_eq!(report.lifecycle["initialize"].requests, 20);
}

#[test]
fn throughput_is_what_ended_in_the_window_over_its_length() {
    let totals = golden().totals;
    assert!((totals.requests_per_s - totals.requests as f64 / 10.0).abs() < 1e-6);
}

#[test]
fn the_same_name_in_two_scenarios_is_one_row() {
    use crate::judge::fixtures::plan_of;
    use crate::plan::Action;
    let call = || Action::CallTool { tool: "search".to_owned(), arguments: json!({}) };
    let plan = plan_of(vec![("one", vec![call()]), ("two", vec![call()])]);
    // Fixtures address series by name, so the second one stays empty; that it adds nothing twice is what is tested.
    let report = report_under(&plan, Run::of(plan.clone()).calls("search", 150, 5, Outcome::Ok));
    assert_eq!(report.per_tool.len(), 1);
    assert_eq!(report.per_tool["search"].figures.requests, 150);
    assert_eq!(report.per_scenario["two"].requests, 0);
}

#[test]
fn steps_found_during_the_run_come_last_and_by_name_whatever_the_order_of_their_coming() {
    let found = |name: &str| SeriesKey {
        kind: SeriesKind::Operation,
        scenario: "shopper".to_owned(),
        method: "tools/call".to_owned(),
        name: Some(name.to_owned()),
        label: None,
    };
    let run = || Run::new().calls("search", 150, 5, Outcome::Ok);
    let one = report_of(run().calls_found(found("pay"), 30, 9).calls_found(found("browse"), 70, 2));
    let names: Vec<_> = one.series.iter().filter_map(|series| series.name.as_deref()).collect();
    assert_eq!(names, ["search", "fetch", "store", "browse", "pay"]);
    assert_eq!((one.per_scenario["shopper"].requests, one.per_tool["pay"].figures.requests), (100, 30));
    assert_eq!((one.totals.requests, one.metrics.operation_counts["tools/call"]), (250, 250));
    let other = report_of(run().calls_found(found("browse"), 70, 2).calls_found(found("pay"), 30, 9));
    assert_eq!(other.to_json(), one.to_json());
}

#[test]
fn a_run_without_samples_has_a_report_with_unknown_times() {
    let report = report_of(Run::new());
    assert_eq!(report.metrics.latency.p99_ms, None);
    assert_eq!(report.totals.requests, 0);
    assert!(report.totals.failed_ratio.abs() < 1e-9);
    assert_eq!(report.verdict.exit_code, 91);
}

#[test]
fn a_plugin_stands_in_the_configuration_with_what_it_was_set_up_with_and_allowed() {
    let mut plan = plan();
    let config = json!({"catalog": 500});
    plan.scenarios.push(Scenario {
        name: "shopper".to_owned(),
        weight: 1,
        think_time: None,
        pacing: None,
        script: Script::Plugin(PluginUse { file: "plugins/shopper.wasm".into(), config: config.clone() }),
    });
    let report = report_under(&plan, Run::new());
    let written: Value = serde_json::from_str(&report.to_json()).unwrap();
    let scenario = &written["config"]["scenario"][plan.scenarios.len() - 1];
    assert_eq!((&scenario["plugin"], &scenario["config"]), (&json!("plugins/shopper.wasm"), &config));
    assert_eq!((&scenario["steps"], &scenario["type"]), (&json!([]), &Value::Null));
    assert_eq!(written["config"]["settings"]["plugins"]["instances"], "auto");
    assert_eq!(Report::from_json(&report.to_json()).unwrap().config, report.config);
}

#[test]
fn the_figures_leave_the_warm_up_out_and_the_report_says_what_they_were_with_it() {
    let mut plan = plan();
    plan.settings.warm_up = WarmUp::Fixed(Duration::from_secs(2));
    plan.thresholds = vec!["max < 80ms".parse().unwrap(), "requests per_s == 40/s".parse().unwrap()];
    let run =
        Run::of(plan.clone()).handshakes(20, 15, Outcome::Ok).calls_in("search", 0..2, 100, 90, Outcome::Ok);
    let report = report_under(&plan, run.calls_in("search", 2..10, 320, 10, Outcome::Ok));
    let warm_up = report.warm_up.as_ref().unwrap();
    assert_eq!((warm_up.rule, warm_up.trimmed_s), (WarmUpRule::Fixed, 2));
    let untrimmed = warm_up.untrimmed.as_ref().unwrap();
    assert_eq!((untrimmed.requests, report.totals.requests), (420, 320));
    assert_eq!((untrimmed.requests_per_s, report.totals.requests_per_s), (42.0, 40.0));
    assert_eq!((report.per_tool["search"].total_requests, report.metrics.total_requests), (320, 320));
    assert_eq!(report.series.iter().map(|series| series.figures.requests).sum::<u64>(), 340);
    assert!(report.thresholds.iter().all(|threshold| threshold.passed), "{:?}", report.thresholds);
    assert_eq!(
        (report.lifecycle["initialize"].requests, report.lifecycle["initialize"].requests_per_s),
        (20, 2.0)
    );
    assert_eq!(report.timeline.iter().map(|row| row.requests).sum::<u64>(), 420);
    assert_eq!(Report::from_json(&report.to_json()).unwrap(), report);
}
