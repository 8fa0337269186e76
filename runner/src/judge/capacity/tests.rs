//! Decisions, by tables: trials from slices, loads from trials, and the next step from what was seen.

use std::time::Duration;

use super::rungs::{Bounds, rungs};
use super::*;

fn question() -> Question {
    Question::of(vec!["p99 < 200ms".parse().unwrap()])
}

fn trial(purpose: Purpose, seconds: u64) -> Trial {
    Trial { number: 1, load: 100.0, length: Duration::from_secs(seconds), purpose }
}

/// A quarter of a second at 100/s.
fn slice(finished: u64, good: u64) -> Slice {
    let calls = Counts { due: 25, finished, good };
    let median = Some(Duration::from_millis(20));
    Slice { length: Duration::from_millis(250), objectives: vec![calls], calls, throttled: 0, median }
}

/// Shows slices until the watch has enough, and says what came of it.
fn watched(question: &Question, trial: Trial, slice_of: impl Fn(u32) -> Slice) -> TrialResult {
    let mut watch = TrialWatch::new(question, trial, Duration::from_millis(20));
    let mut index = 0;
    while watch.see(slice_of(index)) != Course::Stop {
        index += 1;
    }
    watch.conclude(Closing::default())
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

#[test]
fn a_trial_without_a_miss_passes_in_its_time() {
    let result = watched(&question(), trial(Purpose::Refine, 10), |_| slice(25, 25));
    assert_eq!(result.verdict, TrialVerdict::Passed);
    assert!(near(result.held_s, 10.0) && near(result.trimmed_s, 2.0));
    assert_eq!((result.due, result.objectives[0].calls), (1000, 800));
    assert!(near(result.ok_per_s, 100.0));
}

#[test]
fn misses_at_the_bound_extend_a_trial_to_three_times_its_length_and_leave_it_weak() {
    let at_the_bound = |index: u32| slice(25, if index.is_multiple_of(4) { 24 } else { 25 });
    let result = watched(&question(), trial(Purpose::Refine, 10), at_the_bound);
    assert!(near(result.held_s, 30.0), "{}", result.held_s);
    assert_eq!(result.verdict, TrialVerdict::PassedWeakly);
}

#[test]
fn a_trial_that_confirms_is_not_extended() {
    let at_the_bound = |index: u32| slice(25, if index.is_multiple_of(4) { 24 } else { 25 });
    let result = watched(&question(), trial(Purpose::Confirm, 20), at_the_bound);
    assert!(near(result.held_s, 20.0) && !result.verdict.is_sure());
}

#[test]
fn what_cannot_be_rescued_is_stopped_early() {
    let result = watched(&question(), trial(Purpose::Refine, 60), |_| slice(25, 5));
    assert_eq!((result.verdict, &result.remarks[0]), (TrialVerdict::Failed, &Remark::BeyondRescue));
    assert!(result.held_s < 10.0, "{}", result.held_s);
}

#[test]
fn a_backlog_that_grows_stops_a_trial_before_its_calls_count_as_misses() {
    let result =
        watched(&question(), trial(Purpose::Refine, 60), |index| slice(if index < 8 { 25 } else { 15 }, 15));
    assert_eq!(result.verdict, TrialVerdict::Failed);
    let bracket =
        watched(&Question::of(vec!["p99 < 2s".parse().unwrap()]), trial(Purpose::Refine, 60), |_| {
            slice(15, 15)
        });
    assert_eq!(bracket.remarks[0], Remark::GrowingBacklog);
    assert!(bracket.backlog > 0 && bracket.held_s < 30.0);
}

#[test]
fn few_calls_show_nothing_even_if_none_missed() {
    let few = |_| {
        let calls = Counts { due: 1, finished: 1, good: 1 };
        Slice { objectives: vec![calls], calls, ..slice(1, 1) }
    };
    let result = watched(&question(), trial(Purpose::Bracket, 10), few);
    assert_eq!(result.verdict, TrialVerdict::PassedWeakly);
    assert!(result.is(Remark::TooFewCalls));
}

#[test]
fn a_trial_that_cannot_be_trusted_is_never_a_failure() {
    let question = question();
    let mut watch = TrialWatch::new(&question, trial(Purpose::Bracket, 10), Duration::ZERO);
    while watch.see(slice(25, 0)) != Course::Stop {}
    let result = watch.conclude(Closing { invalid: Some("no port left".to_owned()), ..Closing::default() });
    assert_eq!(result.verdict, TrialVerdict::Invalid);
}

#[test]
fn refusals_for_being_too_many_are_told_apart() {
    let result =
        watched(&question(), trial(Purpose::Bracket, 10), |_| Slice { throttled: 10, ..slice(25, 15) });
    assert!(result.is(Remark::Throttled));
}

/// The result of a trial at a load.
fn result(load: f64, purpose: Purpose, verdict: TrialVerdict) -> TrialResult {
    TrialResult {
        load,
        verdict,
        invalid: None,
        ..watched(&question(), trial(purpose, 10), |_| slice(25, 25))
    }
}

#[test]
fn loads_are_decided_by_sure_trials_or_by_two_that_agree() {
    use Purpose::{Confirm, Refine};
    use TrialVerdict::{Failed, FailedWeakly, Invalid, Passed, PassedWeakly};
    for (trials, verdict) in [
        (vec![(Refine, Passed)], LoadVerdict::Passed),
        (vec![(Refine, Failed)], LoadVerdict::Failed),
        (vec![(Refine, PassedWeakly)], LoadVerdict::Open),
        (vec![(Refine, PassedWeakly), (Refine, FailedWeakly)], LoadVerdict::Open),
        (vec![(Refine, PassedWeakly), (Refine, FailedWeakly), (Refine, PassedWeakly)], LoadVerdict::Passed),
        (vec![(Refine, FailedWeakly), (Refine, Failed)], LoadVerdict::Failed),
        (vec![(Confirm, Passed)], LoadVerdict::Open),
        (vec![(Refine, Passed), (Confirm, Failed), (Confirm, FailedWeakly)], LoadVerdict::Failed),
        (vec![(Refine, Invalid)], LoadVerdict::Open),
        (vec![(Refine, Invalid), (Refine, Invalid)], LoadVerdict::Invalid),
        (vec![(Refine, Invalid), (Refine, Passed)], LoadVerdict::Passed),
    ] {
        let results: Vec<TrialResult> =
            trials.iter().map(|(purpose, verdict)| result(100.0, *purpose, *verdict)).collect();
        assert_eq!(rungs(&results)[0].verdict, verdict, "{trials:?}");
    }
}

#[test]
fn a_later_failure_below_beats_an_earlier_pass_above() {
    let trials = [(50.0, TrialVerdict::Passed), (200.0, TrialVerdict::Passed), (100.0, TrialVerdict::Failed)];
    let results: Vec<TrialResult> =
        trials.iter().map(|(load, verdict)| result(*load, Purpose::Bracket, *verdict)).collect();
    let rungs = rungs(&results);
    let bounds = Bounds::of(&rungs);
    assert!(near(bounds.lo.unwrap().load, 50.0) && near(bounds.hi.unwrap().load, 100.0));
}

/// A search after its probe: 20 ms a call, one session alone.
fn probed(question: Question) -> Search {
    let mut search = Search::new(question);
    assert_eq!(search.next(), Step::Probe(Duration::from_secs(10)));
    let p50 = Some(Duration::from_millis(20));
    let ten = Duration::from_secs(10);
    let probe = Probe { length: ten, iterations: 500, busy: ten, calls: vec![500], p50, p99: p50 };
    search.observe(ten, Observed::Probe(probe));
    search
}

fn next_trial(search: &Search) -> Trial {
    match search.next() {
        Step::Trial(trial) => trial,
        step => panic!("{step:?}"),
    }
}

fn try_it(search: &mut Search, verdict: TrialVerdict) -> f64 {
    let trial = next_trial(search);
    let elapsed = Duration::from_secs(20 * u64::from(trial.number));
    let result = TrialResult { number: trial.number, ..result(trial.load, trial.purpose, verdict) };
    search.observe(elapsed, Observed::Trial(result));
    if let Step::CoolDown(_) = search.next() {
        let rest = Rest { seconds: 5.0, recovered: true, p50_us: Some(20_000) };
        search.observe(elapsed + Duration::from_secs(5), Observed::Rest(rest));
    }
    trial.load
}

#[test]
fn loads_double_while_they_pass_and_are_then_halved_between() {
    let mut search = probed(question());
    let loads =
        [TrialVerdict::Passed, TrialVerdict::Passed, TrialVerdict::Failed].map(|v| try_it(&mut search, v));
    assert!(near(loads[0], 25.0) && near(loads[1], 50.0) && near(loads[2], 100.0), "{loads:?}");
    assert!(near(next_trial(&search).load, 5000_f64.sqrt()));
    assert_eq!(next_trial(&search).purpose, Purpose::Refine);
    assert_eq!(search.next(), search.next());
}

#[test]
fn a_first_load_that_fails_is_divided_by_four() {
    let mut search = probed(question());
    try_it(&mut search, TrialVerdict::Failed);
    assert!(near(next_trial(&search).load, 6.25));
}

#[test]
fn a_trial_that_failed_is_followed_by_a_cool_down_and_one_that_passed_is_not() {
    let mut search = probed(question());
    search.observe(
        Duration::from_secs(30),
        Observed::Trial(result(25.0, Purpose::Bracket, TrialVerdict::Passed)),
    );
    assert!(matches!(search.next(), Step::Trial(_)));
    search.observe(
        Duration::from_secs(50),
        Observed::Trial(result(50.0, Purpose::Bracket, TrialVerdict::Failed)),
    );
    assert!(matches!(search.next(), Step::CoolDown(_)));
}

#[test]
fn a_cool_down_lasts_until_the_trickle_is_fast_again_and_nothing_else_runs() {
    let rest = CoolDown {
        shortest: Duration::from_secs(5),
        longest: Duration::from_mins(1),
        recovered: Duration::from_millis(24),
    };
    for (seconds, in_flight, millis, over) in [
        (4, 0, Some(20), None),
        (5, 0, Some(24), Some(true)),
        (5, 1, Some(20), None),
        (5, 0, Some(25), None),
        (5, 0, None, None),
        (60, 0, Some(25), Some(false)),
        (60, 1, None, Some(false)),
    ] {
        let p50 = millis.map(Duration::from_millis);
        assert_eq!(
            rest.is_over(Duration::from_secs(seconds), in_flight, p50),
            over,
            "{seconds} {in_flight} {millis:?}"
        );
    }
}

#[test]
fn both_bounds_are_confirmed_before_the_answer() {
    let mut search = probed(Question { ceiling: None, ..question() });
    let mut purposes = Vec::new();
    // What is at most 170/s passes surely, everything above fails narrowly.
    let answer = loop {
        let Step::Trial(trial) = search.next() else {
            let Step::Answer(answer) = search.next() else { panic!("{:?}", search.next()) };
            break answer;
        };
        purposes.push(trial.purpose);
        try_it(&mut search, if trial.load <= 170.0 { TrialVerdict::Passed } else { TrialVerdict::Failed });
    };
    let (lo, hi) = (answer.lo.clone().unwrap(), answer.hi.clone().unwrap());
    assert_eq!(answer.finding, Finding::Between);
    assert!(lo.confirmed && hi.confirmed && lo.load <= 170.0 && hi.load > 170.0 && hi.load / lo.load <= 1.05);
    assert_eq!(purposes.iter().filter(|purpose| **purpose == Purpose::Confirm).count(), 4);
    let [lo, hi] = [lo.load, hi.load].map(|load| format!("{load:.1} iterations/s"));
    assert_eq!(
        answer.headline(),
        format!("The capacity is {lo}: that load kept to every objective, and {hi} did not.")
    );
    assert!(answer.details()[0].starts_with("What breaks first is response_time p(99) < 200ms"));
}

#[test]
fn an_answer_reads_back_from_json_as_it_was_written() {
    let mut search = probed(Question { deadline: Duration::from_mins(1), ..question() });
    try_it(&mut search, TrialVerdict::Passed);
    let Step::Answer(answer) = ({
        search.observe(
            Duration::from_secs(59),
            Observed::Rest(Rest { seconds: 5.0, recovered: true, p50_us: None }),
        );
        search.next()
    }) else {
        panic!("{:?}", search.next())
    };
    assert_eq!(answer.finding, Finding::Deadline);
    let text = serde_json::to_string(&answer).unwrap();
    assert_eq!(serde_json::from_str::<Answer>(&text).unwrap(), *answer);
}
