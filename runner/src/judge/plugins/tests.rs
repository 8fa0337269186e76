use proptest::prelude::*;

use super::counting::MOST_CHECKS;
use super::*;

const FAULTS: [PluginFault; 6] = [
    PluginFault::Error,
    PluginFault::Trap,
    PluginFault::Timeout,
    PluginFault::Memory,
    PluginFault::InvalidStep,
    PluginFault::Contract,
];
const LEVELS: [LogLevel; 3] = [LogLevel::Error, LogLevel::Info, LogLevel::Trace];
const KINDS: [MetricKind; 4] = [MetricKind::Counter, MetricKind::Gauge, MetricKind::Rate, MetricKind::Trend];
/// Small enough that a test can overflow it.
const LOG_LIMIT: usize = 2;

/// One thing that a plugin does. Names and messages are numbers: few repeat, many go beyond what is kept.
#[derive(Debug, Clone)]
enum Event {
    Iteration { failed: bool },
    Call { nanoseconds: u64, starts: bool },
    Failure { fault: usize, message: u8, vu: u64, iteration: u64 },
    Check { name: u16, ok: bool, message: Option<u8> },
    Value { metric: usize, value: i32 },
    Line { level: usize, message: u8 },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<bool>().prop_map(|failed| Event::Iteration { failed }),
        (0_u64..5_000_000, any::<bool>())
            .prop_map(|(nanoseconds, starts)| Event::Call { nanoseconds, starts }),
        (0..FAULTS.len(), any::<u8>(), 0_u64..9, 0_u64..9)
            .prop_map(|(fault, message, vu, iteration)| Event::Failure { fault, message, vu, iteration }),
        (0_u16..40, any::<bool>(), any::<Option<u8>>()).prop_map(|(name, ok, message)| Event::Check {
            name,
            ok,
            message
        }),
        (0..KINDS.len(), -1_000_i32..1_000).prop_map(|(metric, value)| Event::Value { metric, value }),
        (0..LEVELS.len(), 0_u8..12).prop_map(|(level, message)| Event::Line { level, message }),
    ]
}

fn apply(metrics: &mut PluginMetrics, event: &Event) {
    match *event {
        Event::Iteration { failed: true } => metrics.failed_iterations += 1,
        Event::Iteration { failed: false } => metrics.iterations += 1,
        Event::Call { nanoseconds, starts: true } => metrics.record_start(nanoseconds),
        Event::Call { nanoseconds, starts: false } => metrics.record_call(nanoseconds),
        Event::Failure { fault, message, vu, iteration } => {
            let backtrace = vec![format!("frame {vu}")];
            metrics.record_failure(FAULTS[fault], &message.to_string(), backtrace, vu, iteration);
        }
        Event::Check { name, ok, message } => {
            let message = message.map(|message| message.to_string());
            assert!(metrics.record_check(&name.to_string(), ok, message.as_deref()));
        }
        Event::Value { metric, value } => {
            let counted = metrics.record_value(metric, KINDS[metric], value.into());
            assert_eq!(counted, value >= 0 || KINDS[metric] != MetricKind::Trend);
        }
        Event::Line { level, message } => metrics.log(LEVELS[level], &message.to_string(), LOG_LIMIT),
    }
}

/// What a worker counts that sees all of `events`.
fn of(events: &[Event]) -> PluginMetrics {
    let mut metrics = PluginMetrics::default();
    for event in events {
        apply(&mut metrics, event);
    }
    metrics
}

fn sum(parts: &[&PluginMetrics]) -> PluginMetrics {
    let mut sum = PluginMetrics::default();
    for part in parts {
        sum.add(part);
    }
    sum
}

fn failed(fault: PluginFault, message: &str) -> PluginMetrics {
    let mut metrics = PluginMetrics::default();
    metrics.record_failure(fault, message, Vec::new(), 1, 1);
    metrics
}

#[test]
fn failures_of_one_kind_with_one_message_are_one_entry_that_tells_of_the_first() {
    let mut metrics = PluginMetrics::default();
    metrics.record_failure(PluginFault::Trap, "boom", vec!["later".to_owned()], 1, 7);
    metrics.record_failure(PluginFault::Trap, "boom", vec!["first".to_owned()], 9, 2);
    metrics.record_failure(PluginFault::Timeout, "boom", Vec::new(), 3, 3);
    assert_eq!(metrics.failures.len(), 2);
    let trap = &metrics.failures[0];
    assert_eq!((trap.fault, trap.count, trap.iteration, trap.vu), (PluginFault::Trap, 2, 2, 9));
    assert_eq!(trap.backtrace, ["first"]);
}

#[test]
fn endless_new_messages_fill_no_memory_and_stay_counted() {
    let mut metrics = PluginMetrics::default();
    for number in 0..1_000 {
        metrics.record_failure(PluginFault::Error, &format!("item {number}"), Vec::new(), 0, number);
        metrics.log(LogLevel::Warn, &format!("item {number}"), 20);
    }
    assert_eq!((metrics.failures.len(), metrics.further_failures), (64, 936));
    assert_eq!((metrics.log.len(), metrics.further_log_lines), (20, 980));
}

#[test]
fn a_thousand_checks_are_kept_apart_and_one_more_is_refused() {
    let mut metrics = PluginMetrics::default();
    for number in 0..MOST_CHECKS {
        assert!(metrics.record_check(&number.to_string(), true, None));
    }
    assert!(!metrics.record_check("one more", true, None));
    assert!(metrics.record_check("7", false, Some("a known one")));
    assert_eq!((metrics.checks.len(), metrics.checks["7"].failed), (MOST_CHECKS, 1));
}

#[test]
fn checks_of_several_workers_beyond_a_thousand_are_counted_as_a_number() {
    let checks = |numbers: std::ops::Range<usize>| {
        let mut metrics = PluginMetrics::default();
        numbers.for_each(|number| assert!(metrics.record_check(&format!("{number:04}"), true, None)));
        metrics
    };
    let (low, middle, high) = (checks(0..700), checks(400..1_200), checks(900..1_500));
    let all = sum(&[&low, &middle, &high]);
    assert_eq!((all.checks.len(), all.further_checks), (MOST_CHECKS, 700 + 800 + 600 - 1_300 - 100));
    assert_eq!((all.checks["0500"].passed, all.checks["0950"].passed), (2, 2));
    assert_eq!(all, sum(&[&high, &low, &middle]));
}

#[test]
fn of_the_messages_of_a_check_the_smallest_stays_and_a_check_that_held_says_nothing() {
    let mut metrics = PluginMetrics::default();
    assert!(metrics.record_check("total", true, Some("unheard")));
    assert_eq!(metrics.checks["total"].message, None);
    assert!(metrics.record_check("total", false, Some("b")));
    assert!(metrics.record_check("total", false, Some("a")));
    assert!(metrics.record_check("total", false, None));
    assert_eq!(metrics.checks["total"], CheckCounts { passed: 1, failed: 3, message: Some("a".to_owned()) });
}

#[test]
fn a_value_is_refused_where_it_cannot_be_counted() {
    let table = [
        (MetricKind::Counter, f64::NAN, false),
        (MetricKind::Gauge, f64::INFINITY, false),
        (MetricKind::Trend, -1.0, false),
        (MetricKind::Gauge, -1.0, true),
        (MetricKind::Trend, 1e300, true),
        (MetricKind::Rate, 0.0, true),
    ];
    for (kind, value, counted) in table {
        let mut metrics = PluginMetrics::default();
        assert_eq!(metrics.record_value(2, kind, value), counted, "{kind:?} {value}");
        assert_eq!(metrics.is_empty(), !counted, "{kind:?} {value}");
    }
}

#[test]
fn a_sum_that_does_not_fit_stays_a_number() {
    let mut metrics = PluginMetrics::default();
    for value in [f64::MAX, f64::MAX, f64::MIN] {
        assert!(metrics.record_value(0, MetricKind::Counter, value));
        assert!(metrics.values[0].sum.is_finite());
    }
    let twice = sum(&[&metrics, &metrics]);
    assert!(twice.values[0].sum.is_finite());
}

#[test]
fn extremes_of_negative_levels_are_not_pulled_to_zero() {
    let mut metrics = PluginMetrics::default();
    assert!(metrics.record_value(1, MetricKind::Gauge, -5.0));
    assert!(metrics.record_value(1, MetricKind::Gauge, -2.0));
    let all = sum(&[&PluginMetrics::default(), &metrics]);
    assert_eq!((all.values[1].min, all.values[1].max), (-5.0, -2.0));
    assert_eq!(all.values[0], Values::default());
}

#[test]
fn a_line_that_repeats_is_kept_once_with_its_number() {
    let mut metrics = PluginMetrics::default();
    for (level, message) in [(LogLevel::Info, "ready"), (LogLevel::Error, "lost"), (LogLevel::Info, "ready")]
    {
        metrics.log(level, message, 20);
    }
    let lines: Vec<_> =
        metrics.log.iter().map(|line| (line.level, line.message.as_str(), line.count)).collect();
    assert_eq!(lines, [(LogLevel::Error, "lost", 1), (LogLevel::Info, "ready", 2)]);
    assert_eq!(metrics.further_log_lines, 0);
}

#[test]
fn what_a_plugin_says_is_cut_off_between_characters() {
    let long = "ä".repeat(1_500);
    let mut metrics = failed(PluginFault::Error, &long);
    metrics.log(LogLevel::Info, &long, 20);
    assert!(metrics.record_check(&long, false, Some(&long)));
    assert_eq!(metrics.failures[0].message.chars().count(), 1_000);
    assert_eq!(metrics.log[0].message.chars().count(), 1_000);
    let (name, counts) = metrics.checks.first_key_value().unwrap();
    assert_eq!((name.chars().count(), counts.message.as_ref().unwrap().chars().count()), (200, 1_000));
}

proptest! {
    // Walking many buckets is slow without optimization.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn adding_is_associative_and_commutative_and_dividing_the_work_changes_nothing(
        left in prop::collection::vec(event(), 0..150),
        middle in prop::collection::vec(event(), 0..150),
        right in prop::collection::vec(event(), 0..150),
    ) {
        let (a, b, c) = (of(&left), of(&middle), of(&right));
        let one_by_one = sum(&[&a, &b, &c]);
        prop_assert_eq!(&one_by_one, &sum(&[&c, &a, &b]));
        prop_assert_eq!(&one_by_one, &sum(&[&a, &sum(&[&b, &c])]));
        prop_assert_eq!(&one_by_one, &sum(&[&of(&[left, middle, right].concat())]));
    }

    #[test]
    fn what_was_cleared_is_empty_and_counts_anew(
        before in prop::collection::vec(event(), 0..60),
        after in prop::collection::vec(event(), 0..60),
    ) {
        let mut metrics = of(&before);
        prop_assert_eq!(metrics.is_empty(), before.is_empty());
        metrics.clear();
        prop_assert!(metrics.is_empty());
        for event in &after {
            apply(&mut metrics, event);
        }
        // Lists that were longer before stay so, with nothing in them.
        let mut fresh = of(&after);
        fresh.values.resize_with(metrics.values.len().max(fresh.values.len()), Values::default);
        fresh.log_limit = fresh.log_limit.max(metrics.log_limit);
        prop_assert_eq!(sum(&[&metrics]), fresh);
    }
}
