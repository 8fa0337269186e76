//! The closed model: how many virtual users are wanted at an instant, and when that changes.

use std::cmp::Ordering;
use std::time::Duration;

use crate::plan::{Executor, Rate, Stage};

/// Virtual users wanted `elapsed` after the start of the load; zero once its duration is over. An open load wants those that it begins
/// with.
///
/// ```
/// use std::time::Duration;
/// use pmcp_loadtest::plan::{Executor, Stage, schedule::vus_wanted};
/// let ramp = Executor::RampingVus { from: 0, stages: vec![Stage { duration: Duration::from_secs(10), target: 100 }] };
/// assert_eq!(vus_wanted(&ramp, Duration::from_secs(5)), 50);
/// ```
pub fn vus_wanted(executor: &Executor, elapsed: Duration) -> u32 {
    if executor.duration().is_some_and(|duration| elapsed >= duration) {
        return 0;
    }
    match executor {
        Executor::ConstantVus { vus, spawn_rate: Some(rate), .. } => spawned(*rate, elapsed).min(vus.get()),
        Executor::ConstantVus { vus, spawn_rate: None, .. }
        | Executor::SharedIterations { vus, .. }
        | Executor::PerVuIterations { vus, .. } => vus.get(),
        Executor::RampingVus { from, stages } => match leg_at(*from, stages, elapsed) {
            Some(leg) => leg.wanted(elapsed),
            None => 0,
        },
        Executor::ConstantArrivalRate { pool, .. } | Executor::RampingArrivalRate { pool, .. } => pool.vus,
    }
}

/// The first instant after `elapsed` at which another number of virtual users may be wanted; `None` where that never changes again
/// before the end.
///
/// ```
/// use std::time::Duration;
/// use pmcp_loadtest::plan::{Executor, Stage, schedule::next_change};
/// let ramp = Executor::RampingVus { from: 0, stages: vec![Stage { duration: Duration::from_secs(10), target: 100 }] };
/// assert_eq!(next_change(&ramp, Duration::ZERO), Some(Duration::from_millis(50)));
/// assert_eq!(next_change(&ramp, Duration::from_millis(50)), Some(Duration::from_millis(150)));
/// ```
pub fn next_change(executor: &Executor, elapsed: Duration) -> Option<Duration> {
    match executor {
        Executor::ConstantVus { vus, spawn_rate: Some(rate), duration } => {
            let there = spawned(*rate, elapsed);
            let next = instant_of(f64::from(there) / rate.get())?;
            (there < vus.get() && next < *duration).then_some(next.max(elapsed + Duration::from_nanos(1)))
        }
        Executor::RampingVus { from, stages } => leg_at(*from, stages, elapsed).map(|leg| leg.next(elapsed)),
        _ => None,
    }
}

/// How many are there when `rate` of them start per second, the first at once.
fn spawned(rate: Rate, elapsed: Duration) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and is not negative"
    )]
    let spawned = (elapsed.as_secs_f64() * rate.get() + 1e-9).floor() as u32;
    spawned.saturating_add(1)
}

fn instant_of(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

/// One stretch of a ramp, with where it begins.
#[derive(Debug, Clone, Copy)]
struct Leg {
    begins: Duration,
    from: u32,
    stage: Stage,
}

fn leg_at(from: u32, stages: &[Stage], elapsed: Duration) -> Option<Leg> {
    let mut leg = Leg { begins: Duration::ZERO, from, stage: *stages.first()? };
    for stage in stages {
        leg.stage = *stage;
        if elapsed < leg.ends() {
            return Some(leg);
        }
        leg = Leg { begins: leg.ends(), from: stage.target, stage: *stage };
    }
    None
}

impl Leg {
    fn ends(&self) -> Duration {
        self.begins + self.stage.duration
    }

    /// The nearest whole number to the straight line, half way up.
    fn wanted(&self, elapsed: Duration) -> u32 {
        let (from, to) = (i128::from(self.from), i128::from(self.stage.target));
        let gone = nanos(elapsed.saturating_sub(self.begins));
        let length = nanos(self.stage.duration).max(1);
        let wanted = (2 * from * length + 2 * (to - from) * gone + length).div_euclid(2 * length);
        u32::try_from(wanted).unwrap_or(0)
    }

    /// When the wanted number differs from that at `elapsed`; the end of the leg where it does not any more.
    fn next(&self, elapsed: Duration) -> Duration {
        let (from, to) = (i128::from(self.from), i128::from(self.stage.target));
        let wanted = i128::from(self.wanted(elapsed));
        let length = nanos(self.stage.duration);
        let gone = match to.cmp(&from) {
            Ordering::Equal => return self.ends(),
            // The line reaches the half above.
            Ordering::Greater => {
                let (rise, slope) = ((2 * (wanted - from) + 1) * length, 2 * (to - from));
                (rise + slope - 1).div_euclid(slope)
            }
            // It falls below the half beneath, which itself still belongs to the number.
            Ordering::Less => {
                let (fall, slope) = ((2 * (from - wanted) + 1) * length, 2 * (from - to));
                fall.div_euclid(slope) + 1
            }
        };
        let at = u64::try_from(gone).map_or(self.ends(), |gone| self.begins + Duration::from_nanos(gone));
        at.max(elapsed + Duration::from_nanos(1)).min(self.ends())
    }
}

fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn users_that_start_one_after_the_other_are_all_there_in_the_end() {
        let executor = Executor::ConstantVus {
            vus: NonZeroU32::new(10).unwrap(),
            spawn_rate: Rate::per_second(2.0),
            duration: Duration::from_mins(1),
        };
        let at = |millis| vus_wanted(&executor, Duration::from_millis(millis));
        assert_eq!(
            [at(0), at(499), at(500), at(4499), at(4500), at(59_999), at(60_000)],
            [1, 1, 2, 9, 10, 10, 0]
        );
        assert_eq!(next_change(&executor, Duration::ZERO), Some(Duration::from_millis(500)));
        assert_eq!(next_change(&executor, Duration::from_millis(4500)), None);
    }

    proptest! {
        #[test]
        fn between_two_changes_the_number_stays_and_at_a_change_it_moves_by_one(
            from in 0_u32..60,
            targets in prop::collection::vec((1_u64..5_000, 0_u32..60), 1..5),
        ) {
            let stages: Vec<Stage> = targets
                .iter()
                .map(|&(millis, target)| Stage { duration: Duration::from_millis(millis), target })
                .collect();
            let ramp = Executor::RampingVus { from, stages: stages.clone() };
            let whole = ramp.duration().unwrap();
            let mut at = Duration::ZERO;
            let mut changes = 0;
            while let Some(next) = next_change(&ramp, at) {
                prop_assert!(next > at && next <= whole);
                let before = next.saturating_sub(Duration::from_nanos(1));
                prop_assert_eq!(vus_wanted(&ramp, before), vus_wanted(&ramp, at), "{:?}..{:?}", at, next);
                if next < whole {
                    let moved = vus_wanted(&ramp, next).abs_diff(vus_wanted(&ramp, at));
                    prop_assert!(moved <= 1);
                    changes += moved;
                }
                at = next;
            }
            let mut last = from;
            let expected: u32 = stages
                .iter()
                .map(|stage| stage.target.abs_diff(std::mem::replace(&mut last, stage.target)))
                .sum();
            // The last step of the last stage may fall on the very end.
            prop_assert!(changes == expected || changes + 1 == expected, "{} of {}", changes, expected);
        }
    }
}
