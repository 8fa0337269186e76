use std::time::Duration;

use super::*;
use crate::error::ExitCode;
use crate::judge::PluginMetrics;
use crate::judge::fixtures::Run;
use crate::report::TextStyle;

const MILLISECOND: Duration = Duration::from_millis(1);

fn planned(steps: usize, round: u32) -> EventKind {
    EventKind::Planned { round, steps, then: "done".to_owned(), ahead: false, time: MILLISECOND * 9 / 10 }
}

fn step(position: usize, method: &str, name: &str, arguments: Option<&str>) -> EventKind {
    EventKind::Step {
        position,
        method: method.to_owned(),
        name: Some(name.to_owned()),
        arguments: arguments.map(str::to_owned),
        label: None,
    }
}

fn answered(position: usize, outcome: Outcome, detail: &str, answer: &str) -> EventKind {
    EventKind::Answered {
        position,
        outcome,
        detail: detail.to_owned(),
        time: MILLISECOND * 42 / 10,
        bytes: 1_300,
        answer: answer.to_owned(),
    }
}

fn check(name: &str, message: Option<&str>) -> EventKind {
    EventKind::Check { name: name.to_owned(), ok: message.is_none(), message: message.map(str::to_owned) }
}

fn failed(fault: PluginFault, message: &str, frames: usize) -> EventKind {
    let backtrace = (0..frames).map(|frame| format!("<shopper::Shopper as Plugin>::plan::{frame}")).collect();
    EventKind::Failed { fault, message: message.to_owned(), backtrace }
}

fn log(message: &str) -> EventKind {
    EventKind::Log { level: LogLevel::Info, message: message.to_owned() }
}

const ENDED: EventKind = EventKind::Ended { completed: true };
const GIVEN_UP: EventKind = EventKind::Ended { completed: false };

/// Four iterations of a plugin that hears of its answers: one that is whole, with two plans; one with a wrong step; one that panics; one
/// with a failed call.
fn shopping() -> Vec<(u64, EventKind)> {
    let answer = r#"{"jsonrpc":"2.0","id":3,"result":{"content":[{"type":"text","text":"3 hits"}],"structuredContent":{"total":3}}}"#;
    let refusal = r#"{"jsonrpc":"2.0","id":9,"error":{"code":-32602,"message":"no such word"}}"#;
    let no_tool = "the server lists no tool `serach`; the nearest it has is `search`";
    vec![
        (0, planned(2, 0)),
        (0, step(0, "tools/call", "search", Some(r#"{"query":"tides"}"#))),
        (0, answered(0, Outcome::Ok, "", answer)),
        (0, step(1, "think", "500 ms", None)),
        (0, log("going on with page 2")),
        (0, check("search says how much it found", None)),
        (0, EventKind::Value { metric: "hits".to_owned(), value: 3.0 }),
        (0, planned(1, 1)),
        (0, step(0, "resources/read", "doc://tides", None)),
        (0, answered(0, Outcome::Ok, "", "plain text")),
        (0, ENDED),
        (1, log("a new search")),
        (1, check("has a second page", Some("nextCursor is missing"))),
        (1, planned(2, 0)),
        (1, step(0, "tools/call", "serach", Some("{}"))),
        (1, EventKind::Unsent { position: 0, reason: no_tool.to_owned() }),
        (1, failed(PluginFault::InvalidStep, no_tool, 0)),
        (1, EventKind::Unsent { position: 1, reason: "an earlier step of the plan failed".to_owned() }),
        (1, ENDED),
        (2, log("deep in")),
        (2, failed(PluginFault::Trap, "panicked: index out of bounds, src/lib.rs:41:18", 6)),
        (2, GIVEN_UP),
        (3, planned(1, 0)),
        (
            3,
            step(
                0,
                "tools/call",
                "search",
                Some(
                    r#"{"query":"a rather long text, which does not fit a line of eighty columns and is cut"}"#,
                ),
            ),
        ),
        (3, answered(0, Outcome::RpcError { code: -32602 }, "no such word", refusal)),
        (3, ENDED),
        (0, check("every user finds something", None)),
    ]
}

fn told(
    width: usize,
    colour: bool,
    in_full: bool,
    hears: bool,
    events: Vec<(u64, EventKind)>,
) -> (String, ExitCode) {
    let mut transcript = Transcript::new(Ink::new(TextStyle { colour, width }), in_full, hears);
    let tell = |(iteration, kind)| transcript.tell(Event { vu: 0, iteration, kind });
    let mut lines: Vec<String> = events.into_iter().flat_map(tell).collect();
    let mut metrics = PluginMetrics::default();
    (1..=10).for_each(|call| metrics.record_call(call * 100_000));
    lines.extend(transcript.end(&Run::new().plugin("shopper", metrics).finish(), 4));
    (lines.join("\n"), transcript.tally.exit())
}

#[test]
fn a_rehearsal_is_told_at_80_columns() {
    let (text, exit) = told(80, false, false, true, shopping());
    insta::assert_snapshot!(text);
    assert_eq!(exit, ExitCode::Plugin);
}

#[test]
fn a_rehearsal_is_told_at_60_columns() {
    insta::assert_snapshot!(told(60, false, false, true, shopping()).0);
}

#[test]
fn a_rehearsal_is_told_in_full_and_in_colour() {
    insta::assert_snapshot!(told(80, true, true, true, shopping()).0);
}

#[test]
fn findings_of_a_plugin_that_hears_nothing_belong_to_the_plan_they_come_with() {
    let events = (0..2).flat_map(|iteration| {
        [
            (iteration, check(&format!("plan {iteration}"), None)),
            (iteration, planned(0, 0)),
            (iteration, ENDED),
        ]
    });
    let place = |hears| {
        let text = told(80, false, false, hears, events.clone().collect()).0;
        (text.find("plan 1"), text.find("iteration 1"))
    };
    assert!(place(false).0 > place(false).1);
    assert!(place(true).0 < place(true).1);
}

#[test]
fn the_plugins_failure_beats_a_failed_check_which_beats_nothing() {
    let with = |kind| told(80, false, false, true, vec![(0, planned(1, 0)), (0, kind), (0, ENDED)]).1;
    assert_eq!(with(check("it holds", None)), ExitCode::Passed);
    assert_eq!(with(check("it holds", Some("no"))), ExitCode::Failed);
    assert_eq!(with(answered(0, Outcome::Timeout, "", "")), ExitCode::Failed);
    assert_eq!(with(failed(PluginFault::Error, "no", 0)), ExitCode::Plugin);
}

#[test]
fn an_iteration_that_was_cut_short_says_so() {
    let cut = |events| told(80, false, false, true, events).0.contains("  cut short");
    assert!(cut(vec![(0, planned(1, 0)), (0, GIVEN_UP)]));
    assert!(!cut(vec![(0, planned(1, 0)), (0, ENDED)]));
    assert!(!cut(vec![(0, failed(PluginFault::Trap, "no", 0)), (0, GIVEN_UP)]));
}

#[test]
fn an_end_before_its_time_says_why() {
    let mut transcript = Transcript::new(Ink::new(TextStyle::default()), false, true);
    let reason = "out of stock".to_owned();
    let stop = StopReason::PluginStopped { plugin: "shopper".to_owned(), reason };
    let text = transcript.end(&Run::new().stopped(stop).finish(), 5).join("\n");
    assert!(text.contains("ended early: the plugin stopped the run: out of stock"), "{text}");
    assert_eq!(transcript.tally.exit(), ExitCode::Passed);
    let stop = StopReason::TargetLost { message: "connection refused".to_owned() };
    let text = transcript.end(&Run::new().stopped(stop).finish(), 5).join("\n");
    assert!(text.contains("ended early: the server is lost: connection refused"), "{text}");
    assert_eq!(transcript.tally.exit(), ExitCode::Failed);
    let text = transcript.end(&Run::new().finish(), 5).join("\n");
    assert!(text.contains("ended early: the plugin ended its virtual user"), "{text}");
}
