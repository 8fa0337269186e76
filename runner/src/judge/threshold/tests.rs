use super::*;
use crate::judge::fixtures::{Run, plan};
use crate::judge::{Books, MetricFacts, MetricKind, Outcome, PluginMetrics, TransportFault};
use crate::plan::SeriesId;

fn judged(run: Run, text: &str) -> ThresholdResult {
    let observation = run.finish();
    let threshold: Threshold = text.parse().unwrap_or_else(|refusal| panic!("{text}: {refusal:?}"));
    judge_thresholds(&[threshold], &Stretch::whole(&observation), &observation.windows).remove(0)
}

/// 500 calls of `search`, 480 of them ok, and 300 of `store`.
fn mixed() -> Run {
    Run::new()
        .handshakes(20, 15, Outcome::Ok)
        .calls("search", 480, 10, Outcome::Ok)
        .calls("search", 15, 900, Outcome::ToolError)
        .calls("search", 5, 5_000, Outcome::Timeout)
        .calls("search", 7, 30, Outcome::Cancelled)
        .calls("store", 300, 60, Outcome::Ok)
        .books(Books { iterations_started: 400, iterations_completed: 390, ..Books::default() })
}

fn observed(text: &str) -> (f64, u64) {
    let result = judged(mixed(), text);
    (result.observed.unwrap_or_else(|| panic!("{text}: {result:?}")), result.samples)
}

#[test]
fn counts_and_shares_are_those_of_the_calls_that_match() {
    for (text, value, samples) in [
        ("requests count > 0", 800.0, 800),
        ("ok count > 0", 780.0, 800),
        ("errors count < 1", 20.0, 800),
        ("errors rate < 1%", 0.025, 800),
        ("errors{tool=search} rate < 1%", 0.04, 500),
        ("errors{scenario=writer} rate < 1%", 0.0, 300),
        ("errors{method=tools/call,scenario=reader} count < 1", 20.0, 500),
        ("ok{tool=search} rate > 99%", 0.96, 500),
        ("timeout rate < 1%", 0.00625, 800),
        ("tool_error count < 1", 15.0, 800),
        ("throttled count < 1", 0.0, 800),
        ("requests per_s > 1", 80.0, 800),
        ("errors per_s < 1", 2.0, 800),
        ("ok{tool=store} per_s > 1", 30.0, 300),
        ("iterations count > 1", 390.0, 390),
        ("response_time{method=initialize} max < 1s", 22_895.0, 20),
    ] {
        let (found, judged_by) = observed(text);
        assert!((found - value).abs() < 1e-9 && judged_by == samples, "{text}: {found} of {judged_by}");
    }
}

#[test]
fn percentiles_are_those_of_the_histogram() {
    let observation = mixed().finish();
    let total = observation.metrics.total();
    let micros = |time: Option<Duration>| time.unwrap().as_nanos() as f64 / 1e3;
    for (text, time, samples) in [
        ("p(99) < 1s", total.response_time.quantile(0.99), 780),
        ("p99.9 < 1s", total.response_time.quantile(0.999), 780),
        ("med < 1s", total.response_time.quantile(0.5), 780),
        ("mean < 1s", total.response_time.mean(), 780),
        ("min < 1s", total.response_time.min(), 780),
        ("max < 1s", total.response_time.max(), 780),
        ("service_time p(95) < 1s", total.service_time.quantile(0.95), 780),
        ("failed_time max < 1s", total.failed_time.max(), 20),
        ("lateness p(99) < 1ms", total.lateness.quantile(0.99), 807),
        ("headers p(50) < 1s", total.headers.quantile(0.5), 780),
        ("first_event p(50) < 1s", total.first_event.quantile(0.5), 780),
        ("end p(50) < 1s", total.end.quantile(0.5), 780),
    ] {
        let (found, judged_by) = observed(text);
        assert!(
            (found - micros(time)).abs() < 1e-6 && judged_by == samples,
            "{text}: {found} of {judged_by}"
        );
    }
}

#[test]
fn a_result_tells_what_was_observed_and_how_far_from_the_bound_that_is() {
    let failed = judged(mixed(), "errors{tool=search} rate < 1%");
    let expected = ThresholdResult {
        text: "errors{tool=search} rate < 1%".to_owned(),
        metric: "errors".to_owned(),
        passed: false,
        observed: Some(0.04),
        bound: 0.01,
        unit: "ratio".to_owned(),
        margin: Some(-0.03),
        samples: 500,
        finding: "observed 4.0 %".to_owned(),
        window_s: None,
        window_from_s: None,
    };
    assert_eq!(failed, expected);
    let held = judged(mixed(), "requests per_s > 50/s");
    assert!(held.passed && (held.margin_ratio().unwrap() - 0.6).abs() < 1e-9, "{held:?}");
}

#[test]
fn a_share_that_is_exactly_its_bound_is_on_it_and_not_beside_it() {
    let run = || Run::new().calls("search", 997, 10, Outcome::Ok).calls("search", 3, 10, Outcome::Timeout);
    assert!(!judged(run(), "errors rate < 0.3%").passed);
    assert!(judged(run(), "errors rate <= 0.3%").passed);
    assert!(judged(run(), "errors rate == 0.3%").passed);
}

#[test]
fn what_rounds_to_its_bound_is_shown_with_more_digits() {
    assert_eq!(shown(500_224.0, 500_000.0, "us"), "500224 µs");
    assert_eq!(shown(500_000.0, 500_000.0, "us"), "500 ms");
    assert_eq!(shown(0.100_02, 0.1, "ratio"), "10.002 %");
    assert_eq!(shown(12.345, 9.0, "EUR"), "12.3 EUR");
    assert_eq!(shown(80.0, 9.0, "per_s"), "80.0/s");
}

#[test]
fn without_samples_every_threshold_fails_and_says_so() {
    for text in [
        "response_time{tool=fetch} p(99) < 1s",
        "response_time{tool=fetch} p(99) > 1us",
        "errors{tool=fetch} rate < 1%",
        "errors{tool=fetch} count == 0",
        "requests{tool=fetch} count < 5",
        "failed_time{tool=store} max < 1s",
        "checks rate >= 0%",
        "iterations count < 1",
    ] {
        let run = mixed().books(Books::default());
        let result = judged(run, text);
        assert!(!result.passed, "{text}");
        assert_eq!(
            (result.observed, result.samples, result.finding.as_str()),
            (None, 0, "no samples"),
            "{text}"
        );
    }
}

#[test]
fn a_time_beyond_what_is_recorded_is_above_every_bound() {
    let run = || Run::new().calls("search", 100, 10_000_000, Outcome::Ok);
    let below = judged(run(), "p(99) < 1s");
    assert_eq!((below.passed, below.observed, below.samples), (false, None, 100));
    assert_eq!(below.finding, "observed more than is recorded");
    assert!(judged(run(), "p(99) > 1s").passed);
}

#[test]
fn the_worst_is_what_was_measured_farthest_from_its_bound() {
    let severity = |text: &str| judged(mixed(), text).severity();
    let order = [
        severity("errors count == 0"),
        severity("errors{tool=search} rate < 1%"),
        severity("requests per_s > 100/s"),
        severity("errors{tool=fetch} rate < 1%"),
    ];
    assert!(order.is_sorted_by(|left, right| left < right), "{order:?}");
}

#[test]
fn every_class_of_failure_can_be_asked_for() {
    let outcomes = [
        Outcome::ToolError,
        Outcome::RpcError { code: -1 },
        Outcome::HttpError { status: 500 },
        Outcome::Throttled { status: 429 },
        Outcome::Timeout,
        Outcome::Transport(TransportFault::Reset),
        Outcome::Protocol(crate::judge::ProtocolFault::Json),
        Outcome::CheckFailed,
    ];
    assert_eq!(outcomes.len(), FailureClass::ALL.len());
    for outcome in outcomes {
        let run = Run::new().calls("search", 90, 10, Outcome::Ok).calls("search", 10, 10, outcome);
        let result = judged(run, &format!("{} rate < 5%", outcome.class()));
        assert_eq!(result.observed, Some(0.1), "{}", result.text);
    }
}

fn metric(name: &str, kind: MetricKind, unit: Option<&str>) -> MetricFacts {
    MetricFacts { name: name.to_owned(), kind, unit: unit.map(str::to_owned) }
}

/// A plugin with a metric of each kind: values 1 to 100, three of them zero for the rate.
fn shopper() -> (Vec<MetricFacts>, PluginMetrics) {
    let facts = vec![
        metric("orders", MetricKind::Counter, None),
        metric("stock", MetricKind::Gauge, Some("pieces")),
        metric("found", MetricKind::Rate, None),
        metric("checkout", MetricKind::Trend, Some("ms")),
    ];
    let mut metrics = PluginMetrics::default();
    for value in 1..=100 {
        let value = f64::from(value);
        let found = if value > 3.0 { 1.0 } else { 0.0 };
        for (index, (facts, value)) in facts.iter().zip([value, value, found, value]).enumerate() {
            assert!(metrics.record_value(index, facts.kind, value));
        }
        assert!(metrics.record_check("in stock", value > 10.0, None));
        assert!(metrics.record_check("priced", true, None));
    }
    (facts, metrics)
}

fn shopping() -> Run {
    let (facts, metrics) = shopper();
    mixed().plugin_with("shopper", facts, metrics)
}

#[test]
fn metrics_of_plugins_are_judged_by_their_kind_and_in_their_unit() {
    for (text, value, bound, unit) in [
        ("orders count > 5000", 5050.0, 5000.0, ""),
        ("orders per_s > 500", 505.0, 500.0, "per_s"),
        ("stock mean > 50", 50.5, 50.0, "pieces"),
        ("stock min > 0", 1.0, 0.0, "pieces"),
        ("found rate > 90%", 0.97, 0.9, "ratio"),
        ("checkout max <= 0.1s", 100.0, 100.0, "ms"),
        ("checkout{scenario=shopper} p(50) < 60ms", 50.0, 60.0, "ms"),
        ("checkout med < 60", 50.0, 60.0, "ms"),
    ] {
        let result = judged(shopping(), text);
        // A trend keeps three digits.
        assert!((result.observed.unwrap() - value).abs() <= value * 0.001, "{result:?}");
        assert!((result.bound - bound).abs() < 1e-9, "{result:?}");
        assert_eq!((result.unit.as_str(), result.samples, result.passed), (unit, 100, true), "{text}");
    }
}

#[test]
fn metrics_of_the_same_name_are_one_where_plugins_declare_them_alike() {
    let (facts, metrics) = shopper();
    let both = |facts| shopping().plugin_with("buyer", facts, metrics.clone());
    assert_eq!(judged(both(facts.clone()), "orders count > 1").observed, Some(10_100.0));
    assert_eq!(judged(both(facts), "orders{scenario=buyer} count > 1").observed, Some(5_050.0));
    let other = judged(both(vec![metric("orders", MetricKind::Gauge, None)]), "orders count > 1");
    assert!(!other.passed && other.finding.contains("in different ways"), "{other:?}");
}

#[test]
fn what_a_plugin_does_not_measure_fails_and_says_why() {
    for (text, finding) in [
        ("order count > 1", "no plugin declares this metric"),
        ("orders{scenario=buyer} count > 1", "no plugin declares this metric"),
        ("orders p(99) < 1", "a counter has no p(99); it has count, per_s"),
        ("stock mean < 5ms", "a bound in `ms` cannot be compared with a metric in `pieces`"),
        ("orders count < 5ms", "a bound in `ms` cannot be compared with a metric without a unit"),
        ("checkout p(99) < 5%", "a bound in `%` cannot be compared with a metric in `ms`"),
    ] {
        let result = judged(shopping(), text);
        assert_eq!((result.passed, result.finding.as_str()), (false, finding), "{text}");
        let thresholds = [text, "orders count > 1", "errors rate < 1%"].map(|text| text.parse().unwrap());
        let refused = unanswerable(&thresholds, &shopping().finish().plugins);
        assert_eq!(refused, [(&thresholds[0], finding.to_owned())]);
    }
    let (facts, _) = shopper();
    let silent = mixed().plugin_with("shopper", facts, PluginMetrics::default());
    assert_eq!(judged(silent, "orders count < 5").finding, "no samples");
}

#[test]
fn checks_are_judged_together_or_by_name() {
    for (text, value, samples) in [
        ("checks rate > 95%", 0.95, 200),
        ("checks{check=\"in stock\"} rate > 95%", 0.9, 100),
        ("checks{check=priced,scenario=shopper} rate >= 100%", 1.0, 100),
    ] {
        let result = judged(shopping(), text);
        assert_eq!((result.observed, result.samples), (Some(value), samples), "{text}");
    }
    assert_eq!(judged(shopping(), "checks{check=absent} rate > 1%").finding, "no samples");
    assert_eq!(judged(shopping(), "checks{scenario=buyer} rate > 1%").finding, "no samples");
}

#[test]
fn a_series_that_a_plugin_found_counts_like_one_of_the_plan() {
    let mut key = plan().series().remove(SeriesId::LIFECYCLE as usize);
    key.scenario = "shopper".to_owned();
    key.name = Some("pay".to_owned());
    let result = judged(mixed().calls_found(key, 200, 5), "requests{scenario=shopper,tool=pay} count == 200");
    assert!(result.passed, "{result:?}");
}
