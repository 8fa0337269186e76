//! The virtual users of an open load: how many there are where nobody says it, and whether those that are allowed can carry the rate.

use std::num::NonZeroU32;
use std::time::Duration;

use super::PoolKeys;
use super::said::{By, Said};
use crate::plan::config::error::Problems;
use crate::plan::schedule::expected_arrivals;
use crate::plan::{Executor, Pool, Rate, Scenario};

/// Fewest virtual users that an open load gets where nobody says how many: a burst of as many arrivals finds a free one.
const FEWEST: u32 = 10;

/// Most virtual users that an open load gets where nobody says how many: connections and memory of one machine for sure.
const MOST: u32 = 10_000;

/// How long the calls of an iteration may take, beyond its pauses, until virtual users run out where nobody says how many: a server
/// that is slower than that is not keeping up.
const SLOWEST: Duration = Duration::from_secs(2);

/// How long the calls of an iteration are taken to last for the number of virtual users at the beginning.
const USUAL: Duration = Duration::from_millis(100);

/// The virtual users of an open load whose highest rate is `peak`.
///
/// By Little's law, a rate of iterations that each take so long keeps rate times length virtual users busy.
pub(super) fn resolve(
    peak: Rate,
    keys: &PoolKeys,
    users: Option<&Said<NonZeroU32>>,
    scenarios: &[&Scenario],
    timeout: Duration,
    problems: &mut Problems<'_>,
) -> Pool {
    let thinking = scenarios.iter().map(|scenario| scenario.mean_think_time()).max().unwrap_or_default();
    let enough = busy(peak, thinking.saturating_add(SLOWEST)).clamp(FEWEST, MOST);
    let enough = NonZeroU32::new(enough).unwrap_or(NonZeroU32::MIN);
    let max_vus = match (&keys.max_vus, users) {
        (Some(said), _) => said.value,
        (None, Some(users)) => enough.max(users.value),
        (None, None) => enough,
    };
    if let Some(Said { value, by }) = users.filter(|users| users.value > max_vus) {
        let message = format!("{value} virtual users from the beginning are more than the {max_vus} allowed");
        problems.said(by, message, "write fewer, or a larger `max_vus`");
    }
    let usual = busy(peak, thinking.saturating_add(USUAL)).max(FEWEST).min(max_vus.get());
    Pool {
        vus: users.map_or(usual, |said| said.value.get()),
        max_vus,
        max_wait: keys.max_wait.unwrap_or(timeout),
        spacing: keys.spacing.unwrap_or_default(),
    }
}

/// Refuses an open load whose virtual users cannot carry its rate whatever the server does, because too many of them think.
pub(super) fn refuse_overload(
    executor: &Executor,
    scenarios: &[&Scenario],
    max_vus: Option<&Said<NonZeroU32>>,
    otherwise: &By,
    problems: &mut Problems<'_>,
) {
    let Some(pool) = executor.pool() else { return };
    let thinking = mean_think_time(scenarios);
    let busiest = busiest(executor, thinking);
    if busiest <= f64::from(pool.max_vus.get()) {
        return;
    }
    let needed = busy(Rate::per_second(busiest).unwrap_or_default(), Duration::from_secs(1));
    let message = format!(
        "at this rate {needed} virtual users think at the same time, and there are {} at most",
        pool.max_vus
    );
    let help = format!(
        "write `max_vus = {}` or more, lower the rate, or shorten the pauses",
        needed.saturating_add(needed / 4)
    );
    problems.said(max_vus.map_or(otherwise, |said| &said.by), message, help);
}

/// How many virtual users are busy where so many iterations per second begin that each last so long.
fn busy(rate: Rate, length: Duration) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and is not negative"
    )]
    let busy = (rate.get() * length.as_secs_f64()).ceil() as u32;
    busy
}

/// The mean time that an iteration thinks, over the scenarios by weight.
fn mean_think_time(scenarios: &[&Scenario]) -> Duration {
    let weights: f64 = scenarios.iter().map(|scenario| f64::from(scenario.weight)).sum();
    let weighted =
        |scenario: &&Scenario| f64::from(scenario.weight) * scenario.mean_think_time().as_secs_f64();
    let sum: f64 = scenarios.iter().map(weighted).sum();
    Duration::try_from_secs_f64(sum / weights.max(1.0)).unwrap_or(Duration::MAX)
}

/// The number of iterations that begin within the busiest stretch of this length, among those that end with a stage: where a ramp is
/// highest. It is never more than the busiest of all, so nothing is refused that could be carried.
fn busiest(executor: &Executor, length: Duration) -> f64 {
    let ends: Vec<Duration> = match executor {
        Executor::ConstantArrivalRate { duration, .. } => vec![*duration],
        Executor::RampingArrivalRate { stages, .. } => stages
            .iter()
            .scan(Duration::ZERO, |end, stage| {
                *end += stage.duration;
                Some(*end)
            })
            .collect(),
        _ => Vec::new(),
    };
    let within = |end: Duration| {
        expected_arrivals(executor, end) - expected_arrivals(executor, end.saturating_sub(length))
    };
    ends.into_iter().map(within).fold(0.0, f64::max)
}
