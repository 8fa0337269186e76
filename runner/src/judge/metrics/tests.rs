use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::judge::{Clocks, Moment, Outcome, ProtocolFault, Sample, TransportFault};

const OPERATION: SeriesId = SeriesId(SeriesId::LIFECYCLE);
const SERIES: usize = 6;

fn call(series: SeriesId, milliseconds: u64, outcome: Outcome) -> Sample {
    let sent = Moment::from_nanos(1_000);
    let end = sent.after(Duration::from_millis(milliseconds));
    Sample {
        series,
        clocks: Clocks {
            due: Moment::ORIGIN,
            ready: Moment::ORIGIN,
            sent,
            headers: Some(end),
            first_event: Some(end),
            result: Some(end),
            end,
        },
        outcome,
        bytes_sent: 100,
        bytes_received: 200,
    }
}

/// The delta of one worker that saw `samples`.
fn delta(samples: &[Sample]) -> Delta {
    let mut recorder = Recorder::new(SERIES);
    for sample in samples {
        recorder.record(sample, true, || "why".to_owned());
    }
    recorder.take(None)
}

#[test]
fn a_handshake_counts_in_its_series_but_not_in_the_totals() {
    let mut metrics = Metrics::new(SERIES, WarmUp::None);
    let samples = [call(SeriesId::INITIALIZE, 500, Outcome::Ok), call(OPERATION, 5, Outcome::Ok)];
    metrics.merge(&delta(&samples), 0, 1);
    assert_eq!(metrics.series(SeriesId::INITIALIZE).outcomes.ok(), 1);
    assert_eq!(metrics.total().outcomes.requests(), 1);
    assert!(metrics.total().response_time.max().unwrap() < Duration::from_millis(6));
    assert_eq!(metrics.timeline()[0].requests, 1);
    assert_eq!(metrics.outcomes().requests(), 1);
}

#[test]
fn times_of_failures_stay_out_of_the_response_time() {
    let mut metrics = Metrics::new(SERIES, WarmUp::None);
    let samples = [call(OPERATION, 5, Outcome::Ok), call(OPERATION, 900, Outcome::Timeout)];
    metrics.merge(&delta(&samples), 0, 1);
    let total = metrics.total();
    assert_eq!((total.response_time.count(), total.failed_time.count()), (1, 1));
    assert!(total.response_time.max().unwrap() < Duration::from_millis(6));
    assert!(total.failed_time.min().unwrap() > Duration::from_millis(899));
    assert_eq!(total.lateness.quantile(1.0), Some(Duration::from_micros(1)));
}

#[test]
fn a_call_cut_off_by_us_is_neither_ok_nor_an_error() {
    let mut metrics = Metrics::new(SERIES, WarmUp::None);
    metrics.merge(&delta(&[call(OPERATION, 5, Outcome::Cancelled)]), 0, 1);
    let total = metrics.total();
    assert_eq!(total.outcomes.cancelled(), 1);
    assert_eq!((total.outcomes.requests(), total.outcomes.errors(), total.in_window), (0, 0, 0));
    assert!(total.response_time.is_empty() && total.failed_time.is_empty());
}

#[test]
fn only_calls_that_ended_in_the_window_count_as_in_it() {
    let mut recorder = Recorder::new(SERIES);
    recorder.record(&call(OPERATION, 5, Outcome::Ok), true, String::new);
    recorder.record(&call(OPERATION, 5, Outcome::Timeout), true, String::new);
    recorder.record(&call(OPERATION, 5, Outcome::Ok), false, String::new);
    let mut metrics = Metrics::new(SERIES, WarmUp::None);
    metrics.merge(&recorder.take(None), 0, 1);
    let total = metrics.total();
    assert_eq!((total.outcomes.requests(), total.in_window, total.in_window_ok), (3, 2, 1));
}

#[test]
fn a_message_is_asked_for_once_per_outcome_and_tick_and_never_for_ok() {
    let mut recorder = Recorder::new(SERIES);
    let mut asked = 0;
    let mut record = |recorder: &mut Recorder, outcome| {
        recorder.record(&call(OPERATION, 1, outcome), true, || {
            asked += 1;
            String::new()
        });
    };
    record(&mut recorder, Outcome::Ok);
    record(&mut recorder, Outcome::RpcError { code: -1 });
    record(&mut recorder, Outcome::RpcError { code: -1 });
    record(&mut recorder, Outcome::RpcError { code: -2 });
    let taken = recorder.take(None);
    record(&mut recorder, Outcome::RpcError { code: -1 });
    recorder.take(Some(taken));
    assert_eq!(asked, 3);
}

#[test]
fn a_recycled_delta_begins_empty() {
    let mut recorder = Recorder::new(SERIES);
    recorder.record(&call(OPERATION, 900, Outcome::Timeout), true, || "slow".to_owned());
    let first = recorder.take(None);
    recorder.take(Some(first));
    recorder.record(&call(OPERATION, 5, Outcome::Ok), true, String::new);
    let mut metrics = Metrics::new(SERIES, WarmUp::None);
    metrics.merge(&recorder.take(None), 0, 1);
    let mut expected = Metrics::new(SERIES, WarmUp::None);
    expected.merge(&delta(&[call(OPERATION, 5, Outcome::Ok)]), 0, 1);
    assert_eq!(metrics.total(), expected.total());
}

#[test]
fn a_series_never_heard_of_is_empty_and_one_that_comes_later_is_added() {
    let late = SeriesId(900);
    let mut metrics = Metrics::new(SERIES, WarmUp::None);
    assert!(metrics.series(late).is_empty());
    let mut recorder = Recorder::new(SERIES);
    let first = recorder.take(None);
    recorder.record(&call(late, 5, Outcome::Ok), true, String::new);
    let second = recorder.take(Some(first));
    metrics.merge(&second, 0, 1);
    // The recycled delta is the longer one now.
    recorder.record(&call(late, 5, Outcome::Ok), true, String::new);
    metrics.merge(&recorder.take(Some(second)), 0, 1);
    assert_eq!(metrics.series(late).outcomes.ok(), 2);
    assert_eq!((metrics.total().outcomes.ok(), metrics.timeline()[0].ok), (2, 2));
    assert!(metrics.series(SeriesId(899)).is_empty());
}

#[test]
fn what_plugins_did_is_carried_by_tick_and_summed_by_number() {
    let mut metrics = Metrics::new(SERIES, WarmUp::None);
    assert_eq!(metrics.plugins().len(), 0);
    let mut workers = [Recorder::new(SERIES), Recorder::new(SERIES)];
    let mut recycled = [None, None];
    for _ in 0..3 {
        for (worker, recycled) in workers.iter_mut().zip(&mut recycled) {
            worker.plugin(1).iterations += 1;
            worker.plugin(1).record_call(2_000);
            let delta = worker.take(recycled.take());
            metrics.merge(&delta, 0, 1);
            *recycled = Some(delta);
        }
    }
    assert!(metrics.plugins()[0].is_empty());
    let second = &metrics.plugins()[1];
    assert_eq!((second.iterations, second.call_us.count(), second.guest_time.as_micros()), (6, 6, 12));
    assert_eq!(metrics.plugins().len(), 2);
}

#[test]
fn endless_new_error_codes_fill_no_memory_and_stay_counted() {
    let samples: Vec<Sample> = (0..1000).map(|code| call(OPERATION, 1, Outcome::RpcError { code })).collect();
    let mut metrics = Metrics::new(SERIES, WarmUp::None);
    metrics.merge(&delta(&samples), 0, 1);
    metrics.merge(&delta(&samples), 1, 1);
    let outcomes = metrics.total().outcomes;
    assert_eq!(outcomes.failures().len(), 64);
    assert_eq!(outcomes.errors(), 2000);
    assert_eq!(outcomes.by_class(), [("rpc_error", 2000)]);
}

#[test]
fn a_second_without_samples_still_has_a_row() {
    let mut metrics = Metrics::new(SERIES, WarmUp::None);
    metrics.merge(&delta(&[call(OPERATION, 5, Outcome::Ok)]), 0, 3);
    metrics.merge(&delta(&[]), 2, 7);
    let rows = metrics.timeline();
    let counts: Vec<_> = rows.iter().map(|row| (row.second, row.requests, row.active_vus)).collect();
    assert_eq!(counts, [(0, 1, 3), (1, 0, 0), (2, 0, 7)]);
    assert_eq!(rows[2].p50, None);
}

#[test]
fn workers_that_report_a_second_late_share_its_row() {
    let mut metrics = Metrics::new(SERIES, WarmUp::None);
    metrics.merge(&delta(&[call(OPERATION, 10, Outcome::Ok)]), 0, 2);
    metrics.merge(&delta(&[call(OPERATION, 10, Outcome::Ok)]), 1, 2);
    metrics.merge(&delta(&[call(OPERATION, 30, Outcome::Ok)]), 0, 2);
    for second in 2..60 {
        metrics.merge(&delta(&[]), second, 2);
    }
    let rows = metrics.timeline();
    assert_eq!((rows[0].requests, rows[1].requests), (2, 1));
    assert_eq!(rows[0].p50.unwrap().as_millis(), 10);
    assert_eq!(rows[0].max.unwrap().as_millis(), 30);
    assert_eq!(rows[1].max.unwrap().as_millis(), 10);
}

#[test]
fn counts_are_exact_even_for_a_delta_that_comes_after_its_second_was_closed() {
    let mut metrics = Metrics::new(SERIES, WarmUp::None);
    metrics.merge(&delta(&[]), 100, 1);
    metrics.merge(&delta(&[call(OPERATION, 10, Outcome::Ok)]), 3, 1);
    assert_eq!((metrics.timeline()[3].requests, metrics.timeline()[3].p50), (1, None));
    assert_eq!(metrics.timeline().len(), 101);
}

#[test]
fn the_recent_view_covers_whole_seconds_only() {
    let mut metrics = Metrics::new(SERIES, WarmUp::None);
    for second in 0..10 {
        metrics.merge(&delta(&vec![call(OPERATION, second + 1, Outcome::Ok); 5]), second, 1);
    }
    let recent = metrics.recent();
    assert_eq!((recent.seconds, recent.requests), (3, 15));
    assert_eq!(recent.response_time.min().unwrap().as_millis(), 7);
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => Just(Outcome::Ok),
        1 => Just(Outcome::ToolError),
        1 => (0_i64..4).prop_map(|code| Outcome::RpcError { code }),
        1 => (500_u16..504).prop_map(|status| Outcome::HttpError { status }),
        1 => Just(Outcome::Timeout),
        1 => Just(Outcome::Transport(TransportFault::Reset)),
        1 => Just(Outcome::Protocol(ProtocolFault::Json)),
        1 => Just(Outcome::Cancelled),
    ]
}

/// A sample with its message and the (worker, second) that sees it.
fn placed_samples() -> impl Strategy<Value = Vec<(Sample, String, usize, u64)>> {
    let series = (0..u32::try_from(SERIES).unwrap()).prop_map(SeriesId);
    let sample =
        (series, 0_u64..10_000, outcomes()).prop_map(|(series, time, outcome)| call(series, time, outcome));
    prop::collection::vec((sample, "[a-c]", 0_usize..3, 0_u64..3), 0..60)
}

/// What each worker gathered in each second.
fn deltas(samples: &[(Sample, String, usize, u64)]) -> Vec<(Delta, u64)> {
    let mut deltas = Vec::new();
    for worker in 0..3 {
        for second in 0..3 {
            let mut recorder = Recorder::new(SERIES);
            for (sample, message, _, _) in
                samples.iter().filter(|(_, _, by, at)| (*by, *at) == (worker, second))
            {
                recorder.record(sample, true, || message.clone());
            }
            deltas.push((recorder.take(None), second));
        }
    }
    deltas
}

proptest! {
    // Walking an hour's buckets is slow without optimization.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn merging_in_any_order_gives_the_same_metrics(
        samples in placed_samples(),
        order in Just((0..9).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let deltas = deltas(&samples);
        let mut forward = Metrics::new(SERIES, WarmUp::None);
        for (delta, second) in &deltas {
            forward.merge(delta, *second, 1);
        }
        let mut shuffled = Metrics::new(SERIES, WarmUp::None);
        for (delta, second) in order.iter().map(|&index| &deltas[index]) {
            shuffled.merge(delta, *second, 1);
        }
        prop_assert_eq!(forward.sums(), shuffled.sums());
        prop_assert_eq!(forward.timeline(), shuffled.timeline());
    }

    #[test]
    fn dividing_the_samples_over_workers_changes_no_count(samples in placed_samples()) {
        let mut divided = Metrics::new(SERIES, WarmUp::None);
        for (delta, second) in deltas(&samples) {
            divided.merge(&delta, second, 1);
        }
        let mut whole = Metrics::new(SERIES, WarmUp::None);
        let all: Vec<Sample> = samples.iter().map(|(sample, ..)| *sample).collect();
        whole.merge(&delta(&all), 0, 1);
        for (divided, whole) in divided.sums.series.iter().zip(&whole.sums.series) {
            prop_assert_eq!(divided.outcomes.by_class(), whole.outcomes.by_class());
            prop_assert_eq!(divided.outcomes.requests(), whole.outcomes.requests());
            prop_assert_eq!(&divided.response_time, &whole.response_time);
            prop_assert_eq!(&divided.failed_time, &whole.failed_time);
        }
    }

    #[test]
    fn adding_series_is_associative(samples in placed_samples()) {
        let part = |worker: usize| {
            let mut recorder = Recorder::new(SERIES);
            for (sample, message, ..) in samples.iter().filter(|(_, _, by, _)| *by == worker) {
                recorder.record(&Sample { series: OPERATION, ..*sample }, true, || message.clone());
            }
            let mut metrics = Metrics::new(SERIES, WarmUp::None);
            metrics.merge(&recorder.take(None), 0, 1);
            metrics.total()
        };
        let (a, b, c) = (part(0), part(1), part(2));
        let mut left = a.clone();
        left.add(&b);
        left.add(&c);
        let mut right = b.clone();
        right.add(&c);
        let mut sum = a.clone();
        sum.add(&right);
        prop_assert_eq!(left, sum);
    }
}

/// A run in which call `n` of second `n` takes as long as asked, a call per second and one handshake at the beginning.
fn seconds_taking(milliseconds: &[u64], warm_up: WarmUp) -> (Metrics, WarmUpFacts) {
    let mut metrics = Metrics::new(SERIES, warm_up);
    for (second, &time) in (0..).zip(milliseconds) {
        let mut recorder = Recorder::new(SERIES);
        let end = Moment::from_nanos(time * 1_000_000);
        let (due, ready, sent) = (Moment::ORIGIN, Moment::ORIGIN, Moment::ORIGIN);
        let clocks = Clocks { due, ready, sent, headers: None, first_event: None, result: Some(end), end };
        let call = |series| Sample { series, clocks, outcome: Outcome::Ok, bytes_sent: 1, bytes_received: 1 };
        if time > 0 {
            recorder.record(&call(SeriesId(SeriesId::LIFECYCLE)), true, String::new);
        }
        if second == 0 {
            recorder.record(&call(SeriesId::INITIALIZE), true, String::new);
        }
        recorder.plugin(0).instances += 1;
        assert!(recorder.plugin(0).record_check("fine", true, None));
        metrics.merge(&recorder.take(None), second, 1);
    }
    metrics.settle(Duration::from_secs(milliseconds.len() as u64))
}

#[test]
fn the_warm_up_that_was_asked_for_is_left_out_of_all_sums_but_not_of_the_timeline() {
    let run: Vec<u64> = [90, 80, 70].into_iter().chain([10; 17]).collect();
    for (warm_up, trimmed) in [
        (WarmUp::None, 0),
        (WarmUp::Fixed(Duration::from_secs(2)), 2),
        (WarmUp::Auto, 3),
        (WarmUp::Fixed(Duration::from_secs(30)), 30),
    ] {
        let (metrics, facts) = seconds_taking(&run, warm_up);
        assert_eq!(
            (facts.rule, facts.trimmed, facts.stationary),
            (warm_up, Duration::from_secs(trimmed), true)
        );
        let counted = 20_u64.saturating_sub(trimmed);
        assert_eq!(metrics.total().outcomes.ok(), counted, "{warm_up:?}");
        assert_eq!(facts.untrimmed.outcomes.ok(), 20);
        let longest = run.get(usize::try_from(trimmed).unwrap()).map(|time| Duration::from_millis(*time));
        let max = metrics.total().response_time.max();
        assert_eq!(max.map(|max| max.as_millis()), longest.map(|longest| longest.as_millis()));
        assert_eq!((metrics.timeline().len(), metrics.timeline()[0].requests), (20, 1));
        assert_eq!(
            metrics.series(SeriesId::INITIALIZE).outcomes.ok(),
            1,
            "sessions are opened at the beginning"
        );
        let plugin = &metrics.plugins()[0];
        assert_eq!(plugin.instances, 20);
        assert_eq!(plugin.checks.get("fine").map_or(0, |checks| checks.passed), counted);
    }
}

#[test]
fn a_run_that_does_not_settle_keeps_all_its_seconds_and_says_so() {
    let rising: Vec<u64> = (1..=40).map(|second| second * 10).collect();
    let (metrics, facts) = seconds_taking(&rising, WarmUp::Auto);
    assert_eq!((facts.trimmed, facts.stationary), (Duration::ZERO, false));
    assert_eq!(metrics.total(), facts.untrimmed);
    let late: Vec<u64> = [500; 100].into_iter().chain([10; 300]).collect();
    let (_, facts) = seconds_taking(&late, WarmUp::Auto);
    assert_eq!((facts.trimmed, facts.stationary), (Duration::ZERO, false), "a warm-up of more than a minute");
}

#[test]
fn a_second_without_a_call_is_one_that_the_next_call_was_waited_for_in() {
    let gaps: Vec<u64> = [0, 0, 0, 900].into_iter().chain([10; 26]).collect();
    assert_eq!(seconds_taking(&gaps, WarmUp::Auto).1.trimmed, Duration::from_secs(4));
    let silent_end: Vec<u64> = [10; 20].into_iter().chain([0; 9]).collect();
    assert_eq!(seconds_taking(&silent_end, WarmUp::Auto).1.trimmed, Duration::ZERO);
    assert_eq!(found(&[None; 30]), Some(0));
}

#[test]
fn what_is_heard_of_late_counts_in_its_second() {
    let mut metrics = Metrics::new(SERIES, WarmUp::Auto);
    let call = |metrics: &mut Metrics, second, milliseconds: u64| {
        let mut recorder = Recorder::new(SERIES);
        let end = Moment::from_nanos(milliseconds * 1_000_000);
        let (due, ready, sent) = (Moment::ORIGIN, Moment::ORIGIN, Moment::ORIGIN);
        let clocks = Clocks { due, ready, sent, headers: None, first_event: None, result: Some(end), end };
        let series = SeriesId(SeriesId::LIFECYCLE);
        let sample = Sample { series, clocks, outcome: Outcome::Ok, bytes_sent: 1, bytes_received: 1 };
        recorder.record(&sample, true, String::new);
        metrics.merge(&recorder.take(None), second, 1);
    };
    for second in 0..80 {
        call(&mut metrics, second, if second < 2 { 500 } else { 10 });
    }
    call(&mut metrics, 1, 700);
    call(&mut metrics, 20, 12);
    let (metrics, facts) = metrics.settle(Duration::from_secs(80));
    assert_eq!(facts.trimmed, Duration::from_secs(2));
    assert_eq!((metrics.total().outcomes.ok(), facts.untrimmed.outcomes.ok()), (79, 82));
}
