//! How long a trial must be, so that its calls can decide what is asked. In: the question and what calls come of a load. Out: a length.

use std::time::Duration;

use super::question::Question;
use super::trial::Purpose;
use crate::plan::objective::LONGEST_TRIAL;

/// The shortest trial that finds the way.
const SHORTEST: Duration = Duration::from_secs(10);
/// The shortest trial that confirms.
const SHORTEST_CONFIRMING: Duration = Duration::from_mins(1);
/// Calls that take as long as the slowest of a hundred must fit so many times.
const SLOW_CALLS: u32 = 20;
/// What settling takes of a trial.
const SETTLING: Duration = Duration::from_secs(2);

/// The misses that are expected of a trial at exactly the bound.
fn expected_misses(purpose: Purpose) -> f64 {
    match purpose {
        // Far from the bound, where most of these trials are, little more than the fewest calls decide.
        Purpose::Bracket => 4.0,
        Purpose::Refine | Purpose::Confirm | Purpose::Contrast => 10.0,
    }
}

/// The length of a trial at a load. `calls_per_load` is by objective, per second and unit of load; `p99` of the trial below.
pub(super) fn of_trial(
    question: &Question,
    purpose: Purpose,
    load: f64,
    calls_per_load: &[f64],
    p99: Duration,
) -> Duration {
    let shortest = match purpose {
        Purpose::Bracket | Purpose::Refine => SHORTEST,
        Purpose::Confirm | Purpose::Contrast => SHORTEST_CONFIRMING,
    };
    let demands = question.objectives.iter().zip(calls_per_load);
    let seconds = demands.map(|(objective, per_load)| {
        expected_misses(purpose) / (objective.most_missed() * per_load * load).max(1e-9)
    });
    let for_calls = seconds.fold(0.0, f64::max).min(LONGEST_TRIAL.as_secs_f64());
    let length = SETTLING + Duration::from_secs_f64(for_calls);
    shortest.max(length).max(p99 * SLOW_CALLS).min(LONGEST_TRIAL)
}

/// The lowest load at which the longest trial has the fewest calls that can show every objective to be kept.
pub(super) fn lowest_decidable(question: &Question, calls_per_load: &[f64]) -> f64 {
    let seconds = LONGEST_TRIAL.saturating_sub(SETTLING).as_secs_f64();
    let demands = question.objectives.iter().zip(calls_per_load);
    demands
        .map(|(objective, per_load)| objective.fewest_calls() / (per_load * seconds).max(1e-9))
        .fold(0.0, f64::max)
}
