use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::plan::duration::human;

fn read(text: &str) -> Threshold {
    text.parse().unwrap_or_else(|refusal: Refusal| panic!("{text}: {refusal:?}"))
}

#[test]
fn every_spelling_comes_to_the_one_that_is_displayed() {
    for (written, displayed) in [
        ("response_time p(99) < 500ms", "response_time p(99) < 500ms"),
        ("p99<500ms", "response_time p(99) < 500ms"),
        (" p( 99.9 )<=1.5 s ", "response_time p(99.9) <= 1.5s"),
        ("avg<2m", "response_time mean < 2m"),
        ("median < 10µs", "response_time med < 10us"),
        (
            "first_event{ tool = search , scenario='a b' } max < 1s",
            "first_event{tool=search,scenario=\"a b\"} max < 1s",
        ),
        ("response_time{scenario=x,tool=y}p50<1s", "response_time{tool=y,scenario=x} p(50) < 1s"),
        ("errors{tool=\"say \\\"hi\\\\\"} rate<1%", "errors{tool=\"say \\\"hi\\\\\"} rate < 1%"),
        ("errors{tool=docs://a/b.md} count == 0", "errors{tool=docs://a/b.md} count == 0"),
        ("errors < 0.5 %", "errors rate < 0.5%"),
        ("errors<5", "errors count < 5"),
        ("requests>200/s", "requests per_s > 200/s"),
        ("count > 1000", "requests count > 1000"),
        ("per_s>=10", "requests per_s >= 10"),
        ("timeout count<=3", "timeout count <= 3"),
        ("checks{check=cart_ok} rate > 0.99", "checks{check=cart_ok} rate > 0.99"),
        ("cart_value{scenario=shopper} p(95) < 80", "cart_value{scenario=shopper} p(95) < 80"),
        ("p2p_hops max < 3", "p2p_hops max < 3"),
        ("temperature min > -5.5", "temperature min > -5.5"),
        ("p99<500ms over 10s", "response_time p(99) < 500ms over 10s"),
        ("errors<5 over 90s abort", "errors count < 5 over 1m30s abort"),
        ("errors < 1% abort", "errors rate < 1% abort"),
        ("errors < 1% abort after 0s", "errors rate < 1% abort"),
        ("requests>9/s over 1h abort after 1m30.5s", "requests per_s > 9/s over 1h abort after 1m30.5s"),
        ("requests count > 9 over 1s abort after 250ms", "requests count > 9 over 1s abort after 250ms"),
    ] {
        assert_eq!(read(written).to_string(), displayed);
        assert_eq!(read(displayed), read(written));
    }
}

#[test]
fn what_is_wrong_is_pointed_at_and_put_right() {
    // The text, the part that is pointed at, and words of the message and of the help.
    for (text, part, message, help) in [
        ("", "", "a metric is missing", "response_time p(99) < 500ms"),
        ("{tool=x} p99<1s", "{", "a metric is missing", "response_time"),
        ("response_time p(99) < 500", "500", "a time needs a unit", "500ms"),
        ("response_time p(99) < 5%", "5%", "not counted in `%`", "ms"),
        ("response_time p(99) < 500 sec", "sec", "`sec` is not a unit", "us, ms, s, m"),
        ("response_time p(101) < 1s", "101", "from 0 to 100", "p(99)"),
        ("p999<1s", "p999", "from 0 to 100", "p(99)"),
        ("p(101) < 1s", "101", "from 0 to 100", "p(99)"),
        ("response_time p() < 1s", ")", "from 0 to 100", "p(99)"),
        ("response_time p(99 < 1s", "<", "not closed", ")"),
        ("response_time p(NaN) < 1s", "NaN", "from 0 to 100", "p(99)"),
        ("response_time rate < 1%", "rate", "`response_time` has no rate", "p(N), med, mean, min, max"),
        ("response_time < 1s", "1s", "which of the times", "p(N), med"),
        ("response_time < 5", "5", "`response_time` has no count", "p(N)"),
        ("response_time p(99) 5ms", "5", "a comparison is missing", "<="),
        ("response_time p(99) = 5ms", "=", "a comparison is missing", "=="),
        ("response_time p(99) <", "", "not a number", "500ms"),
        ("response_time p(99) < 1.2.3s", "1.2.3", "not a number", "500ms"),
        ("response_time p(99) < 2s abort_on_fail", "abort_on_fail", "for tables", "write `abort`"),
        ("p99 < 2s delay_abort 3s", "delay_abort", "for tables", "`abort after 30s`"),
        ("p99 < 2s window 3s", "window", "for tables", "`over 10s`"),
        ("p99 < 2s warm_up 3s", "warm_up", "no warm-up of its own", "[settings]"),
        ("p99 < 2s and more", "and", "behind the bound", "another threshold"),
        ("p99 < 2s abor", "abor", "behind the bound", "did you mean `abort`"),
        ("p99 < 2s, max < 3s", ", max < 3s", "behind the bound", "another threshold"),
        ("p99 < 2s over", "over", "a duration is missing", "`over 10s`"),
        ("p99 < 2s over 10", "10", "no unit", "`over 10s`"),
        ("p99 < 2s over 1.5s", "1.5s", "whole seconds", "write 2s"),
        ("p99 < 2s over 0s", "0s", "from 1s to 1h", "the whole run"),
        ("p99 < 2s over 61m", "61m", "from 1s to 1h", "the whole run"),
        ("p99 < 2s over 2s over 3s", "over", "out of place", "once"),
        ("p99 < 2s abort over 3s", "over", "out of place", "the order is"),
        ("p99 < 2s after 3s", "after", "out of place", "the order is"),
        ("p99 < 2s abort after", "after", "a duration is missing", "`after 30s`"),
        ("p99 < 2s abort after soon", "soon", "not a duration", "`after 30s`"),
        ("requests count > 100 abort", "100", "still grows", "over 10s abort"),
        ("response_time p(99) < 61m", "61m", "up to one hour", "60m"),
        ("response_time p(99) < -1ms", "-1ms", "never negative", "ms"),
        ("response_time min < 0ms", "0ms", "nothing is ever < 0ms", "<= 0ms"),
        ("response_time pp < 1s", "pp", "not an aggregate", "p(N)"),
        ("response_time maximum < 1s", "maximum", "not an aggregate", "did you mean `max`"),
        ("errors p(99) < 1s", "p(99)", "`errors` has no p(99)", "rate, count, per_s"),
        ("errors rate < 5", "5", "from 0 to 1", "did you mean `5%`"),
        ("errors rate < 101%", "101%", "at most 100%", "from 0 to 1"),
        ("ok rate > 100%", "100%", "nothing is ever > 100%", ">= 100%"),
        ("errors count < 1%", "1%", "a count is not counted in `%`", "without a unit"),
        ("requests rate > 5%", "rate", "`requests` has no rate", "count, per_s"),
        ("requests per_s > 5ms", "5ms", "per second is not counted in `ms`", "200/s"),
        ("rate < 1%", "< 1%", "a bound on nothing", "name a metric"),
        ("< 1%", "< 1%", "a bound on nothing", "name a metric"),
        ("p99{tool=a} < 1s", "p99", "is an aggregate", "response_time"),
        ("errors{tol=a} rate < 1%", "tol", "not a filter", "did you mean `tool`"),
        ("errors{} rate < 1%", "}", "not a filter", "tool, method"),
        ("errors{tool} rate < 1%", "}", "a filter is a word", "tool=NAME"),
        ("errors{tool=} rate < 1%", "}", "a name is missing", "="),
        ("errors{tool=a b} rate < 1%", "b", "do not end", "quotes"),
        ("errors{tool=a,tool=b} rate < 1%", "tool", "twice", "each"),
        ("errors{tool='a} rate < 1%", "'a} rate < 1%", "not closed", "'"),
        ("errors{check=a} rate < 1%", "check", "cannot be filtered by check", "tool, method"),
        ("iterations{scenario=a} count > 1", "scenario", "cannot be filtered", "braces away"),
        ("checks count > 1", "count", "`checks` has no count", "rate"),
    ] {
        let refusal = text.parse::<Threshold>().expect_err(text);
        assert_eq!(&text[refusal.span.clone()], part, "{text}: {refusal:?}");
        assert!(refusal.message.contains(message), "{text}: {refusal:?}");
        assert!(refusal.help.contains(help), "{text}: {refusal:?}");
    }
}

#[test]
fn the_thresholds_of_the_manual_are_thresholds() {
    let manual = include_str!("../../../../docs/report.md");
    let block = manual.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let file: toml::Table = toml::from_str(block).unwrap();
    let thresholds = file["thresholds"].as_table().unwrap();
    assert_eq!(thresholds.len(), 6);
    for (key, conditions) in thresholds {
        let measured: Measured = key.parse().unwrap();
        for condition in conditions.as_array().unwrap() {
            let text = condition.as_str().unwrap_or_else(|| condition["condition"].as_str().unwrap());
            measured.threshold(text).unwrap();
        }
    }
}

#[test]
fn every_metric_with_a_fixed_name_is_known_by_it() {
    for name in Metric::NAMES {
        let metric = Metric::named(name);
        assert_eq!(metric.to_string(), name);
        assert!(!matches!(metric, Metric::Custom(_)), "{name}");
        assert!(!metric.aggregates().is_empty(), "{name}");
    }
    let others = Clock::ALL.len() + FailureClass::ALL.len() + 5;
    assert_eq!(Metric::NAMES.len(), others);
}

#[test]
fn a_bound_is_the_number_that_was_written() {
    for (text, micros_or_share) in [
        ("errors rate < 0.3%", 3.0 / 1000.0),
        ("errors rate < 29%", 29.0 / 100.0),
        ("p99 < 1.1ms", 1_100.0),
        ("p99 < 0.07s", 70_000.0),
        ("p99 < 1.1m", 66_000_000.0),
    ] {
        let bound = read(text).bound.in_base_unit();
        assert!(bound.total_cmp(&micros_or_share).is_eq(), "{text}: {bound}");
    }
}

#[test]
fn a_looser_bound_on_the_same_side_demands_the_same() {
    let base = read("errors{tool=a} rate < 1%");
    assert!(base.demands_the_same_as(&read("errors{tool=a} <= 5%")));
    assert!(base.demands_the_same_as(&read("errors{tool=a} <= 5% abort")));
    for other in [
        "errors{tool=a} rate < 1% over 5s",
        "errors rate < 1%",
        "errors{tool=a} rate > 1%",
        "errors{tool=a} count < 1",
        "ok{tool=a} rate < 1%",
    ] {
        assert!(!base.demands_the_same_as(&read(other)), "{other}");
    }
}

#[test]
fn each_comparison_has_its_side_and_its_margin() {
    let cases = [
        (Comparison::Below, [true, false, false], 1.0),
        (Comparison::AtMost, [true, true, false], 1.0),
        (Comparison::Above, [false, false, true], -1.0),
        (Comparison::AtLeast, [false, true, true], -1.0),
        (Comparison::Equal, [false, true, false], -1.0),
    ];
    for (comparison, holds, margin_at_one) in cases {
        assert_eq!([1.0, 2.0, 3.0].map(|observed| comparison.holds(observed, 2.0)), holds, "{comparison:?}");
        assert!((comparison.margin(1.0, 2.0) - margin_at_one).abs() < 1e-9, "{comparison:?}");
    }
}

fn words() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "response_time",
        "errors",
        "checks",
        "custom.metric",
        "{",
        "}",
        "tool",
        "=",
        ",",
        "search",
        "'a b'",
        "\"",
        "p(99)",
        "p",
        "(",
        ")",
        "p99.9",
        "med",
        "rate",
        "count",
        "per_s",
        "<",
        "<=",
        ">",
        "==",
        "500",
        "0",
        "-1",
        "1.5",
        "ms",
        "%",
        "/s",
        "µs",
        " ",
        "日本",
        "\\",
        " over ",
        " abort ",
        " after ",
        "10s",
        "1m1.5s",
    ])
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        if let Err(refusal) = text.parse::<Threshold>() {
            prop_assert!(text.get(refusal.span).is_some());
        }
    }

    #[test]
    fn what_is_displayed_reads_back_as_the_same(words in prop::collection::vec(words(), 0..12)) {
        let text = words.concat();
        match text.parse::<Threshold>() {
            Ok(threshold) => prop_assert_eq!(read(&threshold.to_string()), threshold),
            Err(refusal) => prop_assert!(text.get(refusal.span).is_some()),
        }
    }

    #[test]
    fn any_name_and_number_read_back_as_the_same(
        name in any::<String>(),
        value in 0.0..3_600.0_f64,
        percentile in 0.0..=100.0_f64,
        window in prop::option::of(1..=3_600_u64),
        abort in prop::option::of(0..100_000_000_u64),
    ) {
        let filter = Filter { subject: Subject::Tool, name };
        let window = window.map(|seconds| format!(" over {}", human(Duration::from_secs(seconds)))).unwrap_or_default();
        let abort = abort.map(|micros| format!(" {}", Abort { after: Duration::from_micros(micros) })).unwrap_or_default();
        let text = format!("response_time{{{filter}}} p({percentile}) <= {value}s{window}{abort}");
        let threshold = read(&text);
        prop_assert_eq!(&threshold.filters, &vec![filter]);
        prop_assert_eq!(threshold.to_string(), text);
    }
}
