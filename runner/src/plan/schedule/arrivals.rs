//! The open model: when iterations arrive.
//!
//! The arrival with number k is due when the integral of the rate has come to k; of a Poisson process, when it has come to the sum of
//! k + 1 exponential draws. Both are functions of the plan and the seed alone, so that workers and machines that have a stripe each
//! together send what one alone would.

use std::time::Duration;

use pmcp_loadtest_arguments::Draws;

use super::Stripe;
use crate::plan::think_time::exponential;
use crate::plan::{Executor, Rate, RateStage, Spacing};

/// An iteration of the open model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Its number among those of all stripes.
    pub number: u64,
    /// When it is due, after the start of the load.
    pub due: Duration,
}

/// The arrivals of one stripe, in order.
///
/// ```
/// use std::time::Duration;
/// use pmcp_loadtest::plan::schedule::{Arrivals, Stripe};
/// use pmcp_loadtest::plan::{Executor, Pool, Rate, Spacing};
/// let pool = Pool { vus: 1, max_vus: std::num::NonZeroU32::MIN, max_wait: Duration::ZERO, spacing: Spacing::Even };
/// let rate = Rate::per_second(100.0).unwrap_or_default();
/// let executor = Executor::ConstantArrivalRate { rate, duration: Duration::from_secs(10), pool };
/// assert_eq!(Arrivals::new(&executor, Stripe::WHOLE, 7).count(), 1000);
/// let second = Arrivals::new(&executor, Stripe { index: 1, of: 2 }, 7).next();
/// assert_eq!(second.map(|arrival| arrival.due), Some(Duration::from_millis(10)));
/// ```
#[derive(Debug, Clone)]
pub struct Arrivals {
    legs: Vec<Leg>,
    /// The leg that the next one is looked for in.
    leg: usize,
    stripe: Stripe,
    /// Of this stripe, how many there were.
    local: u64,
    gaps: Option<Gaps>,
}

/// The draws between the arrivals of a Poisson process.
#[derive(Debug, Clone)]
struct Gaps {
    draws: Draws,
    /// How many arrivals were drawn, of all stripes.
    drawn: u64,
    /// The integral of the rate at the last of them.
    sum: f64,
}

/// A stretch of time over which the rate is a straight line.
#[derive(Debug, Clone, Copy)]
struct Leg {
    /// Seconds since the start of the load.
    begins: f64,
    length: f64,
    from: f64,
    to: f64,
    /// The integral of the rate up to its beginning.
    before: f64,
}

impl Arrivals {
    /// The arrivals of this stripe of an open executor; none of a closed one. `seed` is what the gaps of a Poisson process depend on.
    pub fn new(executor: &Executor, stripe: Stripe, seed: u64) -> Self {
        let poisson = executor.pool().is_some_and(|pool| pool.spacing == Spacing::Poisson);
        let gaps = poisson.then(|| Gaps { draws: Draws::of(seed), drawn: 0, sum: 0.0 });
        Self { legs: legs_of(executor), leg: 0, stripe, local: 0, gaps }
    }

    /// The instant at which the integral of the rate comes to `position`.
    fn instant(&mut self, position: f64) -> Option<Duration> {
        loop {
            let leg = self.legs.get(self.leg)?;
            if position < leg.before + leg.area() {
                return Duration::try_from_secs_f64(leg.begins + leg.reaches(position - leg.before)).ok();
            }
            self.leg += 1;
        }
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;
    fn next(&mut self) -> Option<Arrival> {
        let number = self.stripe.item(self.local);
        let position = match &mut self.gaps {
            None => number as f64,
            Some(gaps) => gaps.up_to(number),
        };
        let due = self.instant(position)?;
        self.local += 1;
        Some(Arrival { number, due })
    }
}

impl Gaps {
    /// The integral of the rate at the arrival with this number.
    fn up_to(&mut self, number: u64) -> f64 {
        while self.drawn <= number {
            self.sum += exponential(&mut self.draws);
            self.drawn += 1;
        }
        self.sum
    }
}

impl Leg {
    fn area(&self) -> f64 {
        f64::midpoint(self.from, self.to) * self.length
    }

    /// Seconds after its beginning at which its own area comes to `area`. Solved for the smaller root in the form that does not cancel.
    fn reaches(&self, area: f64) -> f64 {
        if area <= 0.0 {
            return 0.0;
        }
        let slope = (self.to - self.from) / self.length;
        let root = (self.from * self.from + 2.0 * slope * area).max(0.0).sqrt();
        (2.0 * area / (self.from + root)).min(self.length)
    }
}

fn legs_of(executor: &Executor) -> Vec<Leg> {
    let (from, stages) = match executor {
        Executor::ConstantArrivalRate { rate, duration, .. } => {
            (*rate, vec![RateStage { duration: *duration, target: *rate }])
        }
        Executor::RampingArrivalRate { from, stages, .. } => (*from, stages.clone()),
        _ => return Vec::new(),
    };
    let mut next = Leg { begins: 0.0, length: 0.0, from: from.get(), to: 0.0, before: 0.0 };
    let mut legs = Vec::with_capacity(stages.len());
    for stage in stages {
        let leg = Leg { length: stage.duration.as_secs_f64(), to: stage.target.get(), ..next };
        next = Leg { begins: leg.begins + leg.length, before: leg.before + leg.area(), from: leg.to, ..leg };
        // A stage of no length only jumps.
        if leg.length > 0.0 {
            legs.push(leg);
        }
    }
    legs
}

/// The rate that an open load wants `elapsed` after its start; zero before and after, and for a closed one.
pub fn rate_wanted(executor: &Executor, elapsed: Duration) -> Rate {
    let at = elapsed.as_secs_f64();
    let leg = legs_of(executor).into_iter().find(|leg| at < leg.begins + leg.length);
    let rate = leg.map(|leg| leg.from + (leg.to - leg.from) * (at - leg.begins) / leg.length);
    rate.and_then(Rate::per_second).unwrap_or_default()
}

/// How many iterations of an open load begin within `elapsed` after its start, on average: the integral of its rate. Of a closed one
/// that cannot be said, and it is zero.
///
/// ```
/// use std::time::Duration;
/// use pmcp_loadtest::plan::schedule::expected_arrivals;
/// use pmcp_loadtest::plan::{Executor, Pool, Rate, RateStage, Spacing};
/// let pool = Pool { vus: 1, max_vus: std::num::NonZeroU32::MIN, max_wait: Duration::ZERO, spacing: Spacing::Even };
/// let target = Rate::per_second(20.0).unwrap_or_default();
/// let stages = vec![RateStage { duration: Duration::from_secs(10), target }];
/// let ramp = Executor::RampingArrivalRate { from: Rate::default(), stages, pool };
/// assert_eq!(expected_arrivals(&ramp, Duration::from_secs(5)), 25.0);
/// assert_eq!(expected_arrivals(&ramp, Duration::from_secs(60)), 100.0);
/// ```
pub fn expected_arrivals(executor: &Executor, elapsed: Duration) -> f64 {
    let at = elapsed.as_secs_f64();
    let begun = |leg: &Leg| {
        let length = (at - leg.begins).clamp(0.0, leg.length);
        let to = leg.from + (leg.to - leg.from) * length / leg.length;
        Leg { length, to, ..*leg }.area()
    };
    legs_of(executor).iter().map(begun).sum()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;
    use crate::plan::Pool;

    fn pool(spacing: Spacing) -> Pool {
        Pool { vus: 1, max_vus: NonZeroU32::MIN, max_wait: Duration::ZERO, spacing }
    }

    fn rate(per_second: f64) -> Rate {
        Rate::per_second(per_second).unwrap()
    }

    fn ramp(from: f64, stages: &[(f64, f64)], spacing: Spacing) -> Executor {
        let stages = stages
            .iter()
            .map(|&(seconds, target)| RateStage {
                duration: Duration::from_secs_f64(seconds),
                target: rate(target),
            })
            .collect();
        Executor::RampingArrivalRate { from: rate(from), stages, pool: pool(spacing) }
    }

    #[test]
    fn a_ramp_from_nothing_follows_its_parabola() {
        let ramp = ramp(0.0, &[(10.0, 20.0)], Spacing::Even);
        let dues: Vec<f64> = Arrivals::new(&ramp, Stripe::WHOLE, 0).map(|it| it.due.as_secs_f64()).collect();
        assert_eq!(dues.len(), 100);
        for (number, due) in dues.into_iter().enumerate() {
            assert!((due * due - number as f64).abs() < 1e-6, "{number} at {due}");
        }
    }

    #[test]
    fn a_stage_of_no_length_jumps_and_a_rate_of_zero_waits() {
        let ramp = ramp(10.0, &[(1.0, 10.0), (0.0, 0.0), (2.0, 0.0), (0.0, 5.0), (1.0, 5.0)], Spacing::Even);
        let dues: Vec<u128> = Arrivals::new(&ramp, Stripe::WHOLE, 0).map(|it| it.due.as_millis()).collect();
        assert_eq!(dues, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 3000, 3200, 3400, 3600, 3800]);
        assert_eq!(rate_wanted(&ramp, Duration::from_millis(500)), rate(10.0));
        assert_eq!(rate_wanted(&ramp, Duration::from_secs(2)), rate(0.0));
        assert_eq!(rate_wanted(&ramp, Duration::from_secs(9)), rate(0.0));
    }

    #[test]
    fn poisson_arrivals_have_the_mean_and_the_variance_of_their_process() {
        let steady = ramp(100.0, &[(200.0, 100.0)], Spacing::Poisson);
        let mut counts = [0.0_f64; 200];
        for arrival in Arrivals::new(&steady, Stripe::WHOLE, 7) {
            counts[usize::try_from(arrival.due.as_secs()).unwrap()] += 1.0;
        }
        let mean = counts.iter().sum::<f64>() / 200.0;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 199.0;
        assert!((mean - 100.0).abs() < 3.0, "{mean}");
        assert!((variance / mean - 1.0).abs() < 0.35, "{variance}");
    }

    proptest! {
        #[test]
        fn over_any_ramp_there_are_as_many_as_its_integral_within_one(
            from in 0.0_f64..200.0,
            stages in prop::collection::vec((0.0_f64..5.0, 0.0_f64..200.0), 1..6),
            at in 0.0_f64..1.0,
        ) {
            let ramp = ramp(from, &stages, Spacing::Even);
            let until = ramp.duration().unwrap().as_secs_f64() * at;
            let mut integral = 0.0;
            let (mut begins, mut last) = (0.0, from);
            for (length, target) in stages {
                let part = (until - begins).clamp(0.0, length);
                if length > 0.0 {
                    let there = last + (target - last) * part / length;
                    integral += f64::midpoint(last, there) * part;
                }
                (begins, last) = (begins + length, target);
            }
            let before = |it: &Arrival| it.due.as_secs_f64() < until;
            let arrived = Arrivals::new(&ramp, Stripe::WHOLE, 0).take_while(before).count() as f64;
            prop_assert!((arrived - integral).abs() <= 1.0 + 1e-6, "{} for {}", arrived, integral);
        }

        #[test]
        fn the_stripes_together_are_the_whole_and_never_out_of_order(
            of in 1_u32..6,
            poisson: bool,
            seed: u64,
        ) {
            let spacing = if poisson { Spacing::Poisson } else { Spacing::Even };
            let ramp = ramp(5.0, &[(2.0, 50.0), (1.0, 0.0)], spacing);
            let whole: Vec<Arrival> = Arrivals::new(&ramp, Stripe::WHOLE, seed).collect();
            let mut together: Vec<Arrival> =
                (0..of).flat_map(|index| Arrivals::new(&ramp, Stripe { index, of }, seed)).collect();
            together.sort_by_key(|arrival| arrival.number);
            prop_assert!(whole.windows(2).all(|pair| pair[0].due <= pair[1].due));
            prop_assert_eq!(whole, together);
        }
    }
}
