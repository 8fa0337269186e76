//! When things are due: how many virtual users are wanted at an instant, and which iterations belong to whom.
//!
//! A function of its arguments: no clock, no waiting. `drive/executor` keeps what is decided here.

use std::time::Duration;

use super::{Executor, Stage};

/// Virtual users wanted `elapsed` after the start; zero once the executor's duration is over.
///
/// ```
/// use std::time::Duration;
/// use pmcp_loadtest::plan::{Executor, Stage, schedule::vus_wanted};
/// let ramp = Executor::RampingVus { stages: vec![Stage { duration: Duration::from_secs(10), target: 100 }] };
/// assert_eq!(vus_wanted(&ramp, Duration::from_secs(5)), 50);
/// ```
pub fn vus_wanted(executor: &Executor, elapsed: Duration) -> u32 {
    if executor.duration().is_some_and(|duration| elapsed >= duration) {
        return 0;
    }
    match executor {
        Executor::ConstantVus { vus, .. }
        | Executor::SharedIterations { vus, .. }
        | Executor::PerVuIterations { vus, .. } => vus.get(),
        Executor::RampingVus { stages } => ramp(stages, elapsed),
    }
}

fn ramp(stages: &[Stage], elapsed: Duration) -> u32 {
    let mut from = 0_u32;
    let mut begins = Duration::ZERO;
    for stage in stages {
        let ends = begins + stage.duration;
        if elapsed < ends {
            let share = elapsed.saturating_sub(begins).as_secs_f64() / stage.duration.as_secs_f64();
            let wanted = f64::from(from) + (f64::from(stage.target) - f64::from(from)) * share;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between two u32 values"
            )]
            return wanted.round() as u32;
        }
        from = stage.target;
        begins = ends;
    }
    0
}

/// One stripe of `of`: the rule that divides iterations and virtual users over workers and machines.
///
/// Item `k` belongs to stripe `k mod of`, so totals are exact for any `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stripe {
    /// Which stripe, from zero.
    pub index: u32,
    /// How many stripes there are; at least one.
    pub of: u32,
}

impl Stripe {
    /// How many of the first `total` items belong to this stripe.
    ///
    /// ```
    /// use pmcp_loadtest::plan::schedule::Stripe;
    /// let shares: Vec<u64> = (0..3).map(|index| Stripe { index, of: 3 }.share_of(10)).collect();
    /// assert_eq!(shares, [4, 3, 3]);
    /// ```
    pub fn share_of(self, total: u64) -> u64 {
        let (index, of) = (u64::from(self.index), u64::from(self.of));
        total / of + u64::from(total % of > index)
    }

    /// The run-wide number of this stripe's `local`-th item.
    pub fn item(self, local: u64) -> u64 {
        local * u64::from(self.of) + u64::from(self.index)
    }
}
