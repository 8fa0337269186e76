use super::*;
use crate::judge::Trend;
use crate::report::TextStyle;

fn metrics() -> PluginMetrics {
    let mut metrics = PluginMetrics { iterations: 1000, ..PluginMetrics::default() };
    (1..=100).for_each(|call| metrics.call_us.record_thousandths(call * 31));
    metrics.start_us = Trend::default();
    metrics.start_us.record_thousandths(12_000);
    metrics
}

fn found() -> Vec<Finding> {
    let mut failing = metrics();
    let frames = ["<shopper::Shopper as Plugin>::plan".to_owned(), "next".to_owned()];
    failing.record_failure(
        PluginFault::Trap,
        "panicked: index out of bounds, src/lib.rs:41:18",
        frames.into(),
        0,
        17,
    );
    let tool =
        serde_json::json!({"name": "search", "inputSchema": {"properties": {"query": {"type": "string"}}}});
    let offer = super::super::dry::offer_of("tools.json", &serde_json::json!([tool]).to_string()).unwrap();
    let plans = |argument: &str| {
        let mut plans = Plans::default();
        let kind = drive::EventKind::Step {
            position: 0,
            method: "tools/call".to_owned(),
            name: Some("search".to_owned()),
            arguments: Some(format!("{{\"query\":{argument}}}")),
            label: None,
        };
        plans.note(drive::Event { vu: 0, iteration: 17, kind });
        plans
    };
    let (one, two) = (
        plans("7"),
        plans("\"tides, and whatever else is long enough to be cut off at the end of the line\""),
    );
    let mut found = vec![
        Finding::ok("imports", "only pmcp:loadtest 0.1.0"),
        failures(&metrics(), 2000),
        failures(&failing, 2000),
        deterministic(&one, &one, 7),
        deterministic(&one, &two, 7),
        independent(&one, &one),
        independent(&one, &two),
    ];
    found.extend(arguments_fit(&one, &offer, true));
    found.extend(arguments_fit(&one, &offer, false));
    found.extend(arguments_fit(&two, &offer, true));
    found.push(cost(&metrics()));
    found
}

fn printed(width: usize, colour: bool) -> String {
    let ink = Ink::new(TextStyle { colour, width });
    found().iter().flat_map(|finding| finding.lines(ink)).collect::<Vec<_>>().join("\n")
}

#[test]
fn findings_are_told_at_80_columns() {
    insta::assert_snapshot!(printed(80, false));
}

#[test]
fn findings_are_told_at_60_columns_in_colour() {
    insta::assert_snapshot!(printed(60, true));
}

#[test]
fn arguments_that_do_not_fit_fail_where_that_was_asked_for() {
    let marks: Vec<Mark> = found().iter().map(|finding| finding.mark).collect();
    assert_eq!(marks[7..10], [Mark::Failed, Mark::Note, Mark::Ok]);
}
