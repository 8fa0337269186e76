use serde_json::json;

use super::*;
use crate::judge::fixtures::Run;
use crate::judge::{LogLevel, Outcome};
use crate::plan::{SeriesKey, SeriesKind};
use crate::report::Report;
use crate::report::tests::report_of;

/// A run of two plugins beside steps that are written down: one has some of everything, one did nothing worth telling.
pub(in crate::report) fn with_plugins() -> Report {
    let found = |name: &str| SeriesKey {
        kind: SeriesKind::Operation,
        scenario: "shopper".to_owned(),
        method: "tools/call".to_owned(),
        name: Some(name.to_owned()),
        label: None,
    };
    let quiet = PluginMetrics { iterations: 12, instances: 2, ..PluginMetrics::default() };
    let run = Run::new()
        .handshakes(20, 15, Outcome::Ok)
        .calls("search", 300, 20, Outcome::Ok)
        .calls_found(found("pay"), 240, 30)
        .calls_found(found("browse"), 900, 8);
    report_of(run.plugin_with("shopper", declared(), busy_shopper()).plugin("visitor", quiet))
}

fn declared() -> Vec<MetricFacts> {
    let metrics = [
        ("basket_value", MetricKind::Trend, Some("EUR")),
        ("items_bought", MetricKind::Counter, None),
        ("queue_depth", MetricKind::Gauge, None),
        ("cache_hit", MetricKind::Rate, None),
        ("never_used", MetricKind::Trend, Some("ms")),
    ];
    let facts = metrics.into_iter().map(|(name, kind, unit)| MetricFacts {
        name: name.to_owned(),
        kind,
        unit: unit.map(str::to_owned),
    });
    facts.collect()
}

fn busy_shopper() -> PluginMetrics {
    let mut metrics =
        PluginMetrics { iterations: 480, failed_iterations: 5, instances: 20, ..PluginMetrics::default() };
    (0..20).for_each(|_| metrics.record_start(140_000));
    for call in 0..1_500 {
        metrics.record_call(820 + 400 * (call % 7) + if call % 300 == 0 { 90_000 } else { 0 });
        assert!(metrics.record_check(
            "total is the sum of the items",
            call % 75 != 1,
            Some("total 41.90, items 42.90")
        ));
        assert!(metrics.record_check("in stock", true, None));
        assert!(metrics.record_value(0, MetricKind::Trend, 4.25 + (call % 100) as f64));
        assert!(metrics.record_value(1, MetricKind::Counter, (call % 4) as f64));
        assert!(metrics.record_value(2, MetricKind::Gauge, (call % 9) as f64 - 2.5));
        assert!(metrics.record_value(3, MetricKind::Rate, f64::from(u8::from(call % 16 != 0))));
    }
    let frames =
        ["shopper::cart::Cart::total (src/cart.rs:41:9)", "shopper::Shopper::next (src/lib.rs:87:22)"];
    let outer = (1..=4).map(|depth| format!("pmcp_loadtest_guest::export::call_{depth}"));
    let backtrace: Vec<String> = frames.map(str::to_owned).into_iter().chain(outer).collect();
    for (vu, iteration) in [(7, 31), (3, 12), (3, 40)] {
        let message = "panicked at src/cart.rs:41:9: index out of bounds: the len is 3 but the index is 3";
        metrics.record_failure(PluginFault::Trap, message, backtrace.clone(), vu, iteration);
    }
    for (vu, iteration) in [(11, 5), (2, 9)] {
        metrics.record_failure(
            PluginFault::Timeout,
            "`next` took longer than 1 s",
            Vec::new(),
            vu,
            iteration,
        );
    }
    for item in 0..8 {
        metrics.log(LogLevel::Info, &format!("item {item} is sold out"), 20);
        metrics.log(LogLevel::Warn, "no prices in the catalog; asking the server", 20);
    }
    metrics
}

fn shopper() -> PluginReport {
    with_plugins().plugins.remove("shopper").unwrap()
}

#[test]
fn a_report_with_plugins_is_valid_and_reads_back_equal() {
    let report = with_plugins();
    let read = Report::from_json(&report.to_json()).unwrap();
    assert_eq!(read, report);
    assert_eq!(read.plugins.keys().collect::<Vec<_>>(), ["shopper", "visitor"]);
}

#[test]
fn a_report_from_before_there_were_plugins_is_read() {
    let mut json = serde_json::to_value(report_of(Run::new())).unwrap();
    json.as_object_mut().unwrap().remove("plugins").unwrap();
    json["books"].as_object_mut().unwrap().remove("plugin_time_us").unwrap();
    assert!(Report::from_json(&json.to_string()).unwrap().plugins.is_empty());
}

#[test]
fn times_of_calls_are_fractions_of_microseconds_and_starting_is_none_of_them() {
    let shopper = shopper();
    assert_eq!((shopper.calls.count, shopper.calls.p50_us), (1_500, Some(2.02)));
    assert_eq!(shopper.start_time_us, 20 * 140);
    assert!(shopper.guest_time_us > shopper.start_time_us + 1_500);
    let share = shopper.guest_time_us as f64 / shopper.workers_cpu_us as f64;
    assert!((shopper.cpu_share_ratio.unwrap() - share).abs() < 1e-5);
}

#[test]
fn the_share_of_an_unmeasured_generator_is_unknown() {
    let report = report_of(Run::new().plugin("shopper", busy_shopper()).busy(&[]));
    assert_eq!(report.plugins["shopper"].cpu_share_ratio, None);
}

#[test]
fn every_kind_of_metric_has_the_figures_of_its_kind() {
    let json = serde_json::to_value(&shopper().metrics).unwrap();
    assert_eq!(
        json["items_bought"],
        json!({"unit": null, "count": 1500, "sum": 2250.0, "kind": "counter", "per_s": 225.0})
    );
    assert_eq!(
        json["queue_depth"],
        json!({"unit": null, "count": 1500, "sum": 2241.0, "kind": "gauge", "min": -2.5, "mean": 1.494, "max": 5.5})
    );
    assert_eq!(
        json["cache_hit"],
        json!({"unit": null, "count": 1500, "sum": 1406.0, "kind": "rate", "nonzero": 1406, "nonzero_ratio": 0.937_333})
    );
    assert_eq!(
        (&json["basket_value"]["kind"], &json["basket_value"]["unit"]),
        (&json!("trend"), &json!("EUR"))
    );
    assert_eq!((&json["basket_value"]["max"], &json["never_used"]["max"]), (&json!(103.25), &json!(null)));
}

#[test]
fn the_histogram_of_a_trend_is_the_one_that_was_recorded() {
    let Summary::Trend { histogram: Some(encoded), .. } = &shopper().metrics["basket_value"].summary else {
        panic!("a trend with values");
    };
    assert_eq!(encoded.decode().as_ref(), Ok(&busy_shopper().values[0].trend));
}

#[test]
fn values_beyond_all_measure_stay_numbers() {
    let mut metrics = PluginMetrics::default();
    for value in [f64::MAX, f64::MAX, 1.0e12 + 0.123_456_789, f64::MIN_POSITIVE] {
        for (index, facts) in declared().iter().enumerate() {
            assert!(metrics.record_value(index, facts.kind, value));
        }
    }
    let half_a_second = Duration::from_millis(500);
    let report = report_of(Run::new().plugin_with("huge", declared(), metrics).lasting(half_a_second));
    let read = Report::from_json(&report.to_json()).unwrap();
    assert_eq!(read.plugins["huge"].metrics.len(), declared().len());
}

#[test]
fn a_check_keeps_its_counts_beside_the_ratio() {
    let check = &shopper().checks["total is the sum of the items"];
    assert_eq!((check.passed, check.failed), (1_480, 20));
    assert!((check.passed_ratio - 1_480.0 / 1_500.0).abs() < 1e-6);
}
