use std::time::Duration;

use serde_json::json;

use super::*;
use crate::judge::fixtures::{Run, plan, plan_of};
use crate::judge::{
    BreakingPointFinding, Outcome, PluginFault, PluginMetrics, RetiredPlugin, StopReason, TransportFault,
};
use crate::plan::resolved::{ResolvedLoad, ResolvedStage};
use crate::plan::{Action, WarmUp};
use crate::report::plugins::tests::with_plugins;
use crate::report::tests::{breaking, broken, golden, golden_under, report_of, report_under};

const SAVED: Option<&str> = Some(".pmcp/reports/loadtest-2026-11-20T13-00-10.json");

fn at(columns: usize) -> TextStyle {
    TextStyle { colour: false, width: columns }
}

fn failing() -> Report {
    report_of(
        Run::new()
            .handshakes(20, 15, Outcome::Ok)
            .calls_that_say("search", 60, 5, Outcome::HttpError { status: 503 }, "upstream connect error")
            .calls_that_say(
                "fetch",
                260,
                2,
                Outcome::RpcError { code: -32603 },
                "Internal error:\n\u{1b}[31mboom\u{1b}[0m",
            )
            .calls_that_say("store", 30, 5_000, Outcome::Timeout, "no answer within 5 s"),
    )
}

fn inconclusive() -> Report {
    report_of(
        Run::new().handshakes(20, 15, Outcome::Ok).calls("search", 9_000, 2, Outcome::Ok).busy(&[0.97, 0.81]),
    )
}

fn wide_names() -> Report {
    let call = |tool: &str| Action::CallTool { tool: tool.to_owned(), arguments: json!({}) };
    let long = "organisation_repository_pull_request_review_comments_list";
    let plan = plan_of(vec![("reader", vec![call("検索ツール"), call("🦀_crab"), call(long)])]);
    let run = Run::of(plan.clone())
        .calls("検索ツール", 400, 12, Outcome::Ok)
        .calls("🦀_crab", 15, 3, Outcome::Ok)
        .calls(long, 150, 700, Outcome::Ok);
    report_under(&plan, run)
}

/// A plugin of which nothing came, in words that no terminal should be given.
fn hopeless() -> PluginMetrics {
    let mut metrics = PluginMetrics { failed_iterations: 7, instances: 2, ..PluginMetrics::default() };
    for iteration in 0..7 {
        let message = "setup failed:\n\u{1b}[31mno catalog at the path that was configured\u{1b}[0m, and nothing to sell";
        metrics.record_failure(PluginFault::Error, message, Vec::new(), 3, iteration);
    }
    metrics
}

#[test]
fn a_sound_run_at_80_columns() {
    insta::assert_snapshot!(golden().text(at(80), SAVED));
}

#[test]
fn a_sound_run_at_120_columns() {
    insta::assert_snapshot!(golden().text(at(120), SAVED));
}

#[test]
fn a_sound_run_in_colour() {
    let text = golden().text(TextStyle { colour: true, width: 80 }, SAVED);
    insta::assert_snapshot!(text.replace('\u{1b}', "␛"));
}

#[test]
fn the_shape_of_each_load_is_told_with_its_rate_and_its_time() {
    let mut report = golden();
    let constant = ResolvedLoad {
        executor: "constant-arrival-rate".to_owned(),
        rate_per_s: Some(50.0),
        max_vus: Some(20),
        vus: Some(1),
        spacing: Some("poisson".to_owned()),
        duration_us: Some(4_000_000),
        ..ResolvedLoad::default()
    };
    report.config.loads = vec![constant.clone()];
    let target = |report: &Report| report.text(at(200), SAVED);
    assert!(
        target(&report).contains(" · constant-arrival-rate 50.0/s poisson, up to 20 VUs, 4s\n"),
        "{}",
        target(&report)
    );
    let stage = |duration_us, target_per_s| ResolvedStage {
        duration_us,
        target: None,
        target_per_s: Some(target_per_s),
    };
    let spike = ResolvedLoad {
        name: Some("spike".to_owned()),
        start_us: Some(2_000_000),
        executor: "ramping-arrival-rate".to_owned(),
        rate_per_s: Some(0.0),
        spacing: Some("even".to_owned()),
        stages: vec![stage(500_000, 400.0), stage(1_000_000, 0.0)],
        duration_us: None,
        ..constant
    };
    let closed = ResolvedLoad {
        name: Some("calm".to_owned()),
        executor: "constant-vus".to_owned(),
        vus: Some(1),
        duration_us: Some(60_000_000),
        ..ResolvedLoad::default()
    };
    report.config.loads = vec![spike, closed];
    assert!(
        target(&report).contains(" · spike: ramping-arrival-rate up to 400.0/s, up to 20 VUs, 1.5s, from 2s · calm: constant-vus 1 VU, 1m\n"),
        "{}",
        target(&report)
    );
}

#[test]
fn a_failing_run() {
    insta::assert_snapshot!(failing().text(at(80), SAVED));
}

#[test]
fn an_inconclusive_run() {
    insta::assert_snapshot!(inconclusive().text(at(80), SAVED));
}

#[test]
fn an_empty_run() {
    insta::assert_snapshot!(report_of(Run::new()).text(at(80), None));
}

#[test]
fn an_interrupted_run() {
    let run = Run::new().calls("search", 500, 10, Outcome::Ok).stopped(StopReason::Interrupted);
    insta::assert_snapshot!(report_of(run.lasting(Duration::from_millis(4_300))).text(at(80), SAVED));
}

#[test]
fn a_streaming_server_shows_its_clocks() {
    insta::assert_snapshot!(report_of(Run::new().calls_streamed("search", 500, 40)).text(at(80), None));
}

#[test]
fn a_lost_target() {
    let stop = StopReason::TargetLost { message: "connection refused".to_owned() };
    let refused = Outcome::Transport(TransportFault::Refused);
    let run = Run::new().calls("search", 150, 9, Outcome::Ok).calls_that_say(
        "search",
        20,
        1,
        refused,
        "connection refused",
    );
    insta::assert_snapshot!(report_of(run.stopped(stop)).text(at(80), None));
}

#[test]
fn names_wide_and_long() {
    insta::assert_snapshot!(wide_names().text(at(80), SAVED));
}

/// Of each kind of threshold one, held and failed and without samples.
fn demanding() -> Report {
    golden_under(&[
        "response_time p(95) < 200ms",
        "errors{tool=store,scenario=writer} rate < 0.5%",
        "response_time{tool=search} p(99) < 50ms",
        "timeout count == 0",
        "requests per_s > 500/s",
        "failed_time{tool=tools_list_changed} p(99.9) < 1500ms",
    ])
}

#[test]
fn a_run_with_thresholds_at_60_columns() {
    insta::assert_snapshot!(demanding().text(at(60), SAVED));
}

#[test]
fn a_run_with_thresholds_at_80_columns() {
    insta::assert_snapshot!(demanding().text(at(80), SAVED));
}

#[test]
fn a_run_with_thresholds_at_120_columns() {
    insta::assert_snapshot!(demanding().text(at(120), SAVED));
}

#[test]
fn a_run_whose_thresholds_hold() {
    insta::assert_snapshot!(golden_under(&["p95<200ms", "errors<1%"]).text(at(80), SAVED));
}

#[test]
fn the_first_five_lines_hold_the_answer() {
    let text = golden().text(at(80), SAVED);
    let labels: Vec<&str> =
        text.lines().skip(1).take(5).map(|line| line[2..].split("  ").next().unwrap()).collect();
    assert_eq!(labels, ["✓ passed", "throughput", "errors", "response time", "validity"]);
}

#[test]
fn no_line_is_wider_than_asked() {
    let lost = StopReason::TargetLost { message: "connection refused ".repeat(12) };
    let reset = Outcome::Transport(TransportFault::Reset);
    let lost =
        report_of(Run::new().calls_that_say("search", 500, 10, reset, &"reset ".repeat(40)).stopped(lost));
    let hopeless = report_of(Run::new().plugin("hello", hopeless()));
    let plain = vec![golden(), failing(), inconclusive(), wide_names(), report_of(Run::new()), lost];
    for report in plain.into_iter().chain([with_plugins(), hopeless, demanding()]) {
        for columns in [60, 80, 100, 120, 200] {
            for line in report.text(at(columns), Some("report.json")).lines() {
                assert!(width(line) <= columns, "{columns}: {line}");
            }
        }
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let coloured = golden().text(TextStyle { colour: true, width: 80 }, SAVED);
    assert!(coloured.contains('\u{1b}'));
    let mut parts = coloured.split('\u{1b}');
    let first = parts.next().unwrap().to_owned();
    let stripped = parts.fold(first, |text, part| text + part.split_once('m').unwrap().1);
    let trimmed: Vec<&str> = stripped.lines().map(str::trim_end).collect();
    assert_eq!(trimmed, golden().text(at(80), SAVED).lines().collect::<Vec<_>>());
}

#[test]
fn a_servers_escape_codes_never_reach_the_terminal() {
    assert!(!failing().text(at(80), SAVED).contains('\u{1b}'));
}

#[test]
fn a_plugin_at_60_columns() {
    insta::assert_snapshot!(with_plugins().text(at(60), None));
}

#[test]
fn a_plugin_at_80_columns() {
    insta::assert_snapshot!(with_plugins().text(at(80), None));
}

#[test]
fn a_plugin_at_120_columns() {
    insta::assert_snapshot!(with_plugins().text(at(120), None));
}

#[test]
fn a_plugin_that_was_given_up() {
    let given_up =
        RetiredPlugin { scenario: "hello".to_owned(), message: "`open` failed 7 times in a row".to_owned() };
    let run = Run::new().handshakes(20, 15, Outcome::Ok).plugin("hello", hopeless()).retired(vec![given_up]);
    insta::assert_snapshot!(report_of(run).text(at(80), None));
}

#[test]
fn a_run_without_plugins_says_nothing_of_them() {
    assert!(!golden().text(at(80), SAVED).contains("plugin"));
}

/// The line about the breaking point, with those it runs over.
fn breaking_lines(report: &Report) -> Vec<String> {
    let text = report.text(at(80), None);
    let lines =
        text.lines().map(str::trim_end).skip_while(|line| !line.trim_start().starts_with("breaking point"));
    lines.take_while(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn a_breaking_point_stands_among_the_first_lines() {
    assert_eq!(
        breaking_lines(&breaking(broken())),
        [
            "  breaking point 7 seconds after the start, at 210 VUs and 1,900 calls/s: 20.0 %",
            "                 of calls failed over 3 s, 0.10 % at the baseline (medium",
            "                 confidence)",
        ]
    );
}

#[test]
fn where_nothing_was_to_be_found_nothing_is_said_of_it() {
    assert_eq!(
        breaking_lines(&breaking(BreakingPointFinding::NotFound)),
        ["  breaking point none while the load rose"]
    );
    let constant = BreakingPointFinding::NotLookedFor("the load does not rise".to_owned());
    let mut report = breaking(constant);
    assert_eq!(breaking_lines(&report), Vec::<String>::new());
    report.manifest.executor = "ramping-vus".to_owned();
    assert_eq!(breaking_lines(&report), ["  breaking point not looked for: the load does not rise"]);
}

/// A run of 500 calls of `search`, the first seconds of which are slow, with this much left out.
fn warming_up(warm_up: WarmUp) -> Report {
    let mut plan = plan();
    plan.settings.warm_up = warm_up;
    let slow = Run::of(plan.clone()).calls_in("search", 0..3, 40, 90, Outcome::Ok);
    report_under(&plan, slow.calls_in("search", 3..10, 460, 10, Outcome::Ok))
}

#[test]
fn what_was_left_out_is_shown_with_what_it_would_have_made_of_the_tail() {
    let line = |warm_up| {
        let text = warming_up(warm_up).text(at(100), None);
        let line = text.lines().find(|line| line.contains("warm")).map(|line| line.trim().to_owned());
        line.unwrap_or_else(|| panic!("{text}"))
    };
    assert_eq!(
        [WarmUp::Auto, WarmUp::Fixed(Duration::from_secs(1)), WarmUp::None].map(line),
        [
            "warm-up        first 3 s left out (auto: MSER-5); with them p99 114 ms instead of 31.4 ms",
            "warm-up        first 1 s left out (as asked); with them p99 114 ms instead of 108 ms",
            "- the first 3 s look like warm-up (median 86.6 ms, then 9.83 ms): --warm-up auto leaves them out",
        ]
    );
}

#[test]
fn a_steady_run_suspects_nothing() {
    let steady = golden().text(at(100), None);
    assert!(!steady.contains("warm"), "{steady}");
    let mut plan = plan();
    plan.settings.warm_up = WarmUp::Auto;
    let text =
        report_under(&plan, Run::of(plan.clone()).calls("search", 500, 10, Outcome::Ok)).text(at(100), None);
    assert!(text.contains("warm-up        nothing left out (auto: MSER-5)"), "{text}");
}

#[test]
fn the_worst_window_of_a_threshold_stands_below_the_table() {
    let mut report = golden_under(&["p(99) < 1ms over 10s"]);
    report.thresholds[0].window_from_s = Some(31);
    report.thresholds[0].finding = "observed 812 ms from 31 s to 41 s".to_owned();
    let text = report.text(at(100), None);
    assert!(
        text.contains("- response_time p(99) < 1ms over 10s: observed 812 ms from 31 s to 41 s"),
        "{text}"
    );
}
