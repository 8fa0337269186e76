//! Servers of which the truth is not a number: limiters, leaks, those that never recover; and generators and questions with an end.

use std::time::Duration;

use pmcp_loadtest::judge::capacity::{Answer, AtLeast, Finding, Question, Remark, Variable};

use crate::bench::{Arrivals, Bench};
use crate::server::{Habit, Queue};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;

fn question(objective: &str) -> Question {
    Question::of(vec![objective.parse().expect("an objective")])
}

/// Four workers, 20 ms each.
fn bench(habit: Habit, seed: u64) -> Bench {
    Bench::new(Box::new(Queue::new(4, 0.02, habit, seed)), seed)
}

fn lo(answer: &Answer) -> f64 {
    answer.lo.as_ref().map_or(0.0, |lo| lo.load)
}

#[test]
fn a_limiter_is_named_with_its_limit() {
    for seed in SEEDS {
        let habit = Habit::Limits { per_second: 80.0, burst: 20.0 };
        let answer = bench(habit, seed).search(question("errors < 1%"));
        let Finding::RateLimit { ok_per_s } = answer.finding else { panic!("{}", answer.headline()) };
        assert!((76.0..84.0).contains(&ok_per_s), "{ok_per_s}");
        assert!(answer.trials.iter().any(|trial| trial.is(Remark::Throttled)));
        assert!(answer.headline().contains("(429)"), "{}", answer.headline());
    }
}

#[test]
fn a_server_that_does_not_recover_is_a_finding() {
    for seed in SEEDS {
        let habit = Habit::Tips { waiting: 50, factor: 20.0 };
        let answer = bench(habit, seed).search(question("p99 < 200ms"));
        let Finding::Metastable { before_us, after_us, .. } = answer.finding else {
            panic!("{}", answer.headline())
        };
        assert!(after_us.is_none_or(|after| after > 3 * before_us), "{before_us} {after_us:?}");
    }
}

#[test]
fn a_server_that_becomes_slower_is_a_finding() {
    for seed in SEEDS {
        // A quarter slower after every minute of full load.
        let answer = bench(Habit::Leaks(0.000_025), seed).search(question("p99 < 200ms"));
        // What a load that passed does later, or what a single session does after a rest: whichever is looked at first.
        match answer.finding {
            Finding::Degrading { passed_load, failed_load } => assert!(failed_load < passed_load),
            Finding::Metastable { before_us, after_us, .. } => {
                assert!(after_us.is_some_and(|after| after > before_us));
            }
            _ => panic!("{}", answer.headline()),
        }
    }
}

#[test]
fn a_generator_at_its_end_gives_a_lower_bound() {
    for seed in SEEDS {
        let mut bench = bench(Habit::None, seed);
        bench.generator = 120.0;
        let answer = bench.search(question("p99 < 200ms"));
        let Finding::AtLeast { because: AtLeast::Generator { why } } = &answer.finding else {
            panic!("{}", answer.headline())
        };
        assert!(why.contains("send lateness"));
        assert!((114.0..=120.0).contains(&lo(&answer)), "{}", answer.headline());
    }
}

#[test]
fn a_ceiling_that_holds_is_a_lower_bound() {
    let question = Question { ceiling: Some(100.0), ..question("p99 < 200ms") };
    let answer = bench(Habit::None, 1).search(question);
    assert_eq!(answer.finding, Finding::AtLeast { because: AtLeast::Ceiling });
    assert_eq!(lo(&answer).to_string(), "100");
    assert!(answer.trials.iter().all(|trial| trial.load <= 100.0));
}

#[test]
fn a_server_that_never_keeps_to_it_is_not_even_good_for_the_floor() {
    let question = Question { floor: Some(10.0), ..question("p99 < 20ms") };
    let answer = bench(Habit::None, 1).search(question);
    assert_eq!(answer.finding, Finding::BelowFloor { load: 10.0 });
    assert_eq!(answer.headline(), "Not even 10.0 iterations/s keeps to the objectives.");
}

#[test]
fn a_load_with_too_few_calls_to_tell_is_not_guessed_at() {
    let answer = bench(Habit::None, 1).search(question("p99.9 < 60ms"));
    let Finding::TooFewCalls { load } = answer.finding else { panic!("{}", answer.headline()) };
    // 2,995 calls in 118 s.
    assert!((25.0..26.0).contains(&load), "{load}");
}

#[test]
fn the_deadline_ends_a_search_with_what_is_known() {
    let question = Question { deadline: Duration::from_mins(2), ..question("p99 < 200ms") };
    let answer = bench(Habit::None, 1).search(question);
    assert_eq!(answer.finding, Finding::Deadline);
    // A cool-down may take a minute.
    assert!(answer.elapsed_s <= 180.0);
    assert!((90.0..200.0).contains(&lo(&answer)));
    assert!(answer.headline().contains("not confirmed"), "{}", answer.headline());
}

#[test]
fn sessions_are_whole_and_bounded_by_what_they_wait() {
    for seed in SEEDS {
        let mut bench = bench(Habit::None, seed);
        bench.think = 1.0;
        let question = Question { variable: Variable::Sessions, ..question("p95 < 100ms") };
        let answer = bench.search(question);
        assert_eq!(answer.finding, Finding::Between, "{}", answer.headline());
        assert!(answer.trials.iter().all(|trial| trial.load.fract() == 0.0));
        // Each starts a call every 1.05 s or so; the open system carries 163/s, and a closed one a little more.
        assert!((160.0..195.0).contains(&lo(&answer)), "{}", answer.headline());
    }
}

#[test]
fn of_several_objectives_the_one_that_breaks_first_is_named() {
    let texts = ["errors < 1%", "p99 < 200ms", "p50 < 1s"];
    let objectives = texts.map(|text| text.parse().expect("an objective")).to_vec();
    let mut bench = bench(Habit::None, 1);
    bench.arrivals = Arrivals::Poisson;
    let answer = bench.search(Question::of(objectives));
    assert_eq!(answer.finding, Finding::Between);
    assert_eq!(
        answer.broke_first.map(|broken| broken.objective),
        Some("response_time p(99) < 200ms".to_owned())
    );
}

#[test]
fn a_server_that_answers_nothing_cannot_be_measured() {
    let server = Queue::new(1, 1e6, Habit::None, 1);
    let answer = Bench::new(Box::new(server), 1).search(question("p99 < 200ms"));
    assert!(matches!(answer.finding, Finding::Unmeasurable { .. }));
    assert!(answer.trials.is_empty());
}
