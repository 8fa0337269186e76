use proptest::prelude::*;

use super::*;
use crate::judge::{
    Clocks, MetricFacts, MetricKind, Moment, Outcome, Recorder, Sample, Sums, ThresholdResult,
    judge_thresholds,
};
use crate::plan::{SeriesId, SeriesKind};

/// A call: the series it is of, what came of it, and its time in milliseconds.
type Call = (u32, Outcome, u64);

fn series() -> Vec<SeriesKey> {
    let key = |kind, name: &str| SeriesKey {
        kind,
        scenario: "s".to_owned(),
        method: "tools/call".to_owned(),
        name: Some(name.to_owned()),
        label: None,
    };
    let lifecycle = (0..SeriesId::LIFECYCLE).map(|_| key(SeriesKind::Lifecycle, "session"));
    lifecycle.chain([key(SeriesKind::Operation, "search"), key(SeriesKind::Operation, "store")]).collect()
}

fn plugins() -> Vec<PluginFacts> {
    vec![PluginFacts {
        scenario: "s".to_owned(),
        name: "shopper".to_owned(),
        version: "1.0.0".to_owned(),
        file: "shopper.wasm".to_owned(),
        sha256: String::new(),
        interface: "0.1.0".to_owned(),
        own_instances: true,
        metrics: vec![MetricFacts {
            name: "basket".to_owned(),
            kind: MetricKind::Trend,
            unit: Some("EUR".to_owned()),
        }],
    }]
}

/// A second in which these calls end, an iteration each; every call's plugin sees a basket of its milliseconds and checks that it was ok.
fn second(number: u64, calls: &[Call]) -> Second {
    let mut recorder = Recorder::new(0);
    for &(tool, outcome, milliseconds) in calls {
        let end = Moment::from_nanos(milliseconds * 1_000_000);
        let result = outcome.is_ok().then_some(end);
        let (due, ready, sent) = (Moment::ORIGIN, Moment::ORIGIN, Moment::ORIGIN);
        let clocks = Clocks { due, ready, sent, headers: None, first_event: None, result, end };
        let series = SeriesId(SeriesId::LIFECYCLE + tool);
        let sample = Sample { series, clocks, outcome, bytes_sent: 1, bytes_received: 1 };
        recorder.record(&sample, true, String::new);
        assert!(recorder.plugin(0).record_value(0, MetricKind::Trend, milliseconds as f64));
        assert!(recorder.plugin(0).record_check("fine", outcome.is_ok(), None));
    }
    let mut sums = Sums::default();
    sums.gather(&recorder.take(None));
    Second { number, sums, iterations: calls.len() as u64, ..Second::default() }
}

fn read(text: &str) -> Threshold {
    text.parse().unwrap_or_else(|refusal| panic!("{text}: {refusal:?}"))
}

/// A run of these seconds, watched.
fn watched(text: &str, warm_up: WarmUp, run: &[Vec<Call>]) -> ThresholdWatch {
    let planned = Duration::from_secs(run.len() as u64);
    let mut watch = ThresholdWatch::new(&[read(text)], warm_up, Some(planned));
    for (number, calls) in (0..).zip(run) {
        watch.push(&second(number, calls), &series(), &plugins());
    }
    watch
}

fn sum_of(run: &[Vec<Call>]) -> (Sums, u64) {
    let mut sums = Sums::default();
    for calls in run {
        sums.add(&second(0, calls).sums);
    }
    (sums, run.iter().map(|calls| calls.len() as u64).sum())
}

/// The threshold, judged by all these seconds taken together.
fn as_one(text: &str, run: &[Vec<Call>], windows: &Windows) -> ThresholdResult {
    let (sums, iterations) = sum_of(run);
    let (series, plugins) = (series(), plugins());
    let stretch = Stretch {
        metrics: &sums,
        series: &series,
        plugins: &plugins,
        iterations,
        length: Duration::from_secs(run.len() as u64),
    };
    judge_thresholds(&[read(text)], &stretch, windows).remove(0)
}

fn judged(text: &str, run: &[Vec<Call>]) -> ThresholdResult {
    let windows =
        watched(text, WarmUp::None, run).finish(Duration::from_secs(run.len() as u64), Duration::ZERO);
    as_one(text, run, &windows)
}

fn stop(text: &str, warm_up: WarmUp, run: &[Vec<Call>]) -> Option<String> {
    watched(text, warm_up, run).failed_for_abort().map(|stop| match stop {
        StopReason::ThresholdFailed { text: failed, finding } if *failed == read(text).to_string() => {
            finding.clone()
        }
        other => panic!("{other:?}"),
    })
}

fn ok(calls: usize, milliseconds: u64) -> Vec<Call> {
    vec![(0, Outcome::Ok, milliseconds); calls]
}

#[test]
fn the_worst_window_is_shown_with_its_place() {
    let mut run = vec![ok(10, 20); 60];
    run[31..41].fill(ok(10, 812));
    let result = judged("response_time p(99) < 300ms over 10s", &run);
    assert_eq!((result.passed, result.window_s, result.window_from_s), (false, Some(10), Some(22)));
    // Any window that touches a slow second has a slow 99th percentile; only one has a slow minimum.
    let result = judged("response_time min < 300ms over 10s", &run);
    assert_eq!(result.finding, "observed 812 ms from 31 s to 41 s");
    assert_eq!((result.samples, result.passed), (100, false));
}

#[test]
fn a_window_that_holds_everywhere_passes_with_its_least_margin() {
    let run: Vec<Vec<Call>> = (0..20).map(|second| ok(5, 100 - second)).collect();
    let result = judged("response_time max < 200ms over 5s", &run);
    assert!(result.passed, "{result:?}");
    assert_eq!(result.window_from_s, Some(0));
}

#[test]
fn a_window_without_samples_is_skipped_unless_no_window_has_any() {
    let mut run = vec![ok(1, 5); 3];
    run.extend(vec![Vec::new(); 10]);
    let result = judged("response_time max < 1s over 3s", &run);
    assert!(result.passed && result.samples > 0, "{result:?}");
    let silent = judged("response_time{tool=store} max < 1s over 3s", &run);
    assert_eq!((silent.passed, silent.observed), (false, None));
    assert_eq!(silent.finding, "no samples in any of 11 windows");
}

#[test]
fn a_window_in_which_nothing_happens_is_too_little_where_so_much_must_happen() {
    let mut run = vec![ok(50, 5); 10];
    run[4..7].fill(Vec::new());
    for (text, observed) in [("requests per_s > 10/s over 3s", 0.0), ("iterations count >= 50 over 3s", 0.0)]
    {
        let result = judged(text, &run);
        assert_eq!(
            (result.passed, result.observed, result.window_from_s),
            (false, Some(observed), Some(4)),
            "{text}"
        );
    }
}

#[test]
fn a_run_shorter_than_its_window_is_one_window() {
    let result = judged("response_time max < 1s over 10s", &vec![ok(1, 5); 3]);
    assert!(result.passed);
    assert_eq!(result.finding, "observed 5.00 ms in the whole run, which is shorter than the window");
    assert_eq!((result.window_s, result.window_from_s), (Some(10), None));
}

#[test]
fn a_window_that_is_cut_short_by_the_end_or_touches_the_warm_up_is_none() {
    let mut run = vec![ok(10, 20); 12];
    run[0] = ok(10, 900);
    run[11] = ok(1, 900);
    for (measured, trimmed, max) in [(11, 1, "20.0 ms"), (12, 1, "900 ms"), (11, 0, "900 ms")] {
        let text = "response_time max < 1s over 4s";
        let watch = watched(text, WarmUp::None, &run);
        let measured = Duration::from_millis(measured * 1_000 - 1);
        let windows = watch.finish(measured, Duration::from_secs(trimmed));
        let result = as_one(text, &run, &windows);
        assert!(result.finding.starts_with(&format!("observed {max} from")), "{}", result.finding);
    }
}

#[test]
fn a_threshold_ends_the_run_in_the_second_in_which_it_no_longer_holds() {
    let mut run = vec![ok(9, 20); 5];
    run.push(vec![(0, Outcome::Timeout, 20); 5]);
    let text = "errors rate < 10% abort";
    assert_eq!(stop(text, WarmUp::None, &run).as_deref(), Some("observed 10.0 % from 0 s to 6 s"));
    assert_eq!(stop(text, WarmUp::None, &run[..5]), None);
    assert_eq!(stop("errors rate < 10%", WarmUp::None, &run), None);
    let window = stop("errors rate < 10% over 2s abort", WarmUp::None, &run);
    assert_eq!(window.as_deref(), Some("observed 35.7 % from 4 s to 6 s"));
}

#[test]
fn no_threshold_ends_a_run_before_its_delay_nor_by_its_warm_up() {
    let mut run = vec![ok(9, 900); 3];
    run.extend(vec![ok(9, 20); 17]);
    let slow = "response_time p(99) < 500ms abort";
    let fixed = |seconds| WarmUp::Fixed(Duration::from_secs(seconds));
    assert!(stop(slow, WarmUp::None, &run[..1]).is_some());
    assert_eq!(stop(slow, fixed(3), &run), None);
    assert!(stop(slow, fixed(2), &run).unwrap().ends_with("from 2 s to 3 s"));
    assert_eq!(stop(slow, WarmUp::Auto, &run), None);
    let delayed = "response_time max < 500ms over 2s abort after 6s";
    assert_eq!(stop(delayed, WarmUp::None, &run), None);
    assert!(
        stop("response_time max < 500ms abort after 6s", WarmUp::None, &run).unwrap().ends_with("to 6 s")
    );
    assert!(stop("response_time max < 500ms abort after 6s", fixed(1), &run).unwrap().ends_with("to 7 s"));
}

#[test]
fn what_was_not_measured_yet_ends_no_run() {
    assert_eq!(stop("response_time p(99) < 500ms abort", WarmUp::None, &vec![Vec::new(); 5]), None);
    assert_eq!(stop("no_such_metric max < 5 over 2s abort", WarmUp::None, &vec![ok(1, 1); 5]), None);
}

fn calls() -> impl Strategy<Value = Vec<Vec<Call>>> {
    let outcome = prop::sample::select(vec![Outcome::Ok, Outcome::Ok, Outcome::Timeout, Outcome::ToolError]);
    let call = (0..2_u32, outcome, prop_oneof![1_u64..50, 1_u64..4_000_000]);
    prop::collection::vec(prop::collection::vec(call, 0..6), 1..16)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_the_watch_sees_is_what_every_window_comes_to_by_itself(
        run in calls(),
        seconds in 1_usize..6,
        trimmed in 0_usize..4,
        demand in prop::sample::select(vec![
            "response_time p(90) < 1s", "response_time{tool=search} mean < 1s", "response_time min > 1s", "failed_time max < 1s",
            "errors rate < 1%", "timeout count < 2", "requests per_s > 2/s", "ok{tool=store} per_s > 1/s", "iterations count > 3",
            "checks rate > 50%", "basket max < 5", "basket min > 5", "basket mean < 5", "basket med < 5",
        ]),
    ) {
        let text = format!("{demand} over {seconds}s");
        let length = Duration::from_secs(run.len() as u64);
        let windows = watched(&text, WarmUp::None, &run).finish(length, Duration::from_secs(trimmed as u64));
        let seen = as_one(&text, &run, &windows);
        // By brute force: every window by itself, and the first of those with the least margin.
        let threshold = read(&text);
        let first = trimmed.min(run.len());
        let alone: Vec<(usize, ThresholdResult)> = run[first..]
            .windows(seconds)
            .enumerate()
            .map(|(place, window)| (first + place, as_one(demand, window, &Windows::default())))
            .collect();
        if alone.is_empty() {
            prop_assert_eq!(seen.window_from_s, None);
            prop_assert_eq!(seen.observed, as_one(demand, &run, &Windows::default()).observed);
            return Ok(());
        }
        let amount = matches!(threshold.aggregate, Aggregate::Count | Aggregate::PerSecond);
        let none = alone.iter().all(|(_, result)| result.samples == 0);
        let infinite = |result: &ThresholdResult| match result.observed {
            Some(value) => value,
            None if result.samples == 0 => 0.0,
            None => f64::INFINITY,
        };
        let telling = alone.iter().filter(|(_, result)| !none && (result.samples > 0 || amount));
        let margin = |result: &ThresholdResult| threshold.comparison.margin(infinite(result), result.bound);
        let worst = telling.min_by(|left, right| margin(&left.1).total_cmp(&margin(&right.1)));
        match worst {
            None => prop_assert!(!seen.passed && seen.finding.contains("no samples in any of"), "{:?}", seen),
            Some((from, result)) => {
                prop_assert_eq!(seen.window_from_s, Some(*from as u64));
                prop_assert_eq!(seen.samples, result.samples);
                prop_assert!(seen.observed.unwrap_or(f64::INFINITY).total_cmp(&infinite(result)).is_eq(), "{:?}", seen);
                prop_assert_eq!(seen.passed, threshold.comparison.holds(infinite(result), result.bound));
            }
        }
    }
}
