//! Pauses of virtual users: how long a person or an agent takes before the next step.
//!
//! In: a distribution, and the stream of draws of an iteration. Out: a pause. A pause takes the same number of draws whatever it comes to,
//! so that what is drawn after it stays the same.

mod text;

use std::f64::consts::TAU;
use std::time::Duration;

use pmcp_loadtest_arguments::Draws;

use super::duration::LONGEST;

/// A pause, by its distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ThinkTime {
    /// Drawn evenly from `min..=max`; always the same where they are equal.
    Uniform {
        /// Shortest pause.
        min: Duration,
        /// Longest pause; at least `min`.
        max: Duration,
    },
    /// Exponential: many short pauses and a few long ones, as independent events have between them.
    Exponential {
        /// The mean; above zero.
        mean: Duration,
    },
    /// Log-normal: what people's pauses look like, most of them around the median and some very long.
    LogNormal {
        /// The median; above zero.
        median: Duration,
        /// Standard deviation of the logarithm; finite, not negative.
        sigma: f64,
    },
}

impl ThinkTime {
    /// Always the same pause.
    pub const fn constant(pause: Duration) -> Self {
        Self::Uniform { min: pause, max: pause }
    }

    /// Whether every pause of it is none at all.
    pub fn is_zero(&self) -> bool {
        matches!(self, Self::Uniform { max, .. } if max.is_zero())
    }

    /// The mean of its pauses.
    pub fn mean(&self) -> Duration {
        match *self {
            Self::Uniform { min, max } => (min + max) / 2,
            Self::Exponential { mean } => mean,
            Self::LogNormal { median, sigma } => scaled(median, (sigma * sigma / 2.0).exp()),
        }
    }

    /// A pause, at most a year long.
    pub fn drawn(&self, draws: &mut Draws) -> Duration {
        match *self {
            Self::Uniform { min, max } => {
                let spread = u64::try_from(max.saturating_sub(min).as_nanos()).unwrap_or(u64::MAX - 1);
                let drawn = if spread == 0 { 0 } else { draws.below(spread + 1) };
                min + Duration::from_nanos(drawn)
            }
            Self::Exponential { mean } => scaled(mean, exponential(draws)),
            Self::LogNormal { median, sigma } => scaled(median, (sigma * normal(draws)).exp()),
        }
    }
}

/// A number above 0 and at most 1.
fn share(draws: &mut Draws) -> f64 {
    // 53 bits: as many as the fraction of a double has.
    ((draws.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

/// A draw of the exponential distribution with mean 1, by inversion.
pub(super) fn exponential(draws: &mut Draws) -> f64 {
    -share(draws).ln()
}

/// A draw of the standard normal distribution (Box and Muller, 1958).
fn normal(draws: &mut Draws) -> f64 {
    let radius = (2.0 * exponential(draws)).sqrt();
    radius * (TAU * share(draws)).cos()
}

fn scaled(time: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * factor).map_or(LONGEST, |time| time.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(think_time: ThinkTime) -> Vec<f64> {
        let mut pauses: Vec<f64> = (0..20_000)
            .map(|iteration| think_time.drawn(&mut Draws::new(7, 0, iteration)).as_secs_f64())
            .collect();
        pauses.sort_by(f64::total_cmp);
        pauses
    }

    fn mean(pauses: &[f64]) -> f64 {
        pauses.iter().sum::<f64>() / pauses.len() as f64
    }

    fn close(found: f64, wanted: f64) {
        assert!((found / wanted - 1.0).abs() < 0.03, "{found} for {wanted}");
    }

    #[test]
    fn an_even_pause_has_its_bounds_and_its_mean() {
        let think_time = ThinkTime::Uniform { min: Duration::from_secs(1), max: Duration::from_secs(3) };
        let pauses = pauses(think_time);
        assert!(pauses[0] >= 1.0 && pauses[pauses.len() - 1] <= 3.0);
        close(mean(&pauses), 2.0);
        assert_eq!(think_time.mean(), Duration::from_secs(2));
    }

    #[test]
    fn an_exponential_pause_has_its_mean_and_its_median() {
        let pauses = pauses(ThinkTime::Exponential { mean: Duration::from_secs(2) });
        close(mean(&pauses), 2.0);
        close(pauses[pauses.len() / 2], 2.0 * std::f64::consts::LN_2);
    }

    #[test]
    fn a_log_normal_pause_has_its_median_and_its_95th_percentile() {
        let think_time = ThinkTime::LogNormal { median: Duration::from_secs(1), sigma: 0.5 };
        let pauses = pauses(think_time);
        close(pauses[pauses.len() / 2], 1.0);
        close(pauses[pauses.len() * 95 / 100], (0.5_f64 * 1.645).exp());
        close(mean(&pauses), think_time.mean().as_secs_f64());
    }

    #[test]
    fn the_wildest_pause_still_ends() {
        let think_time = ThinkTime::LogNormal { median: LONGEST, sigma: 1e3 };
        assert!(pauses(think_time).into_iter().all(|pause| pause <= LONGEST.as_secs_f64()));
    }
}
