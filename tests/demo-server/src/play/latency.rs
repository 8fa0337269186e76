//! How long an answer takes: drawn delays, and spans in which the server stands still.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Only;
use crate::draws::Draws;
use crate::script::millis;

/// A service time and the requests it falls on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// How long.
    pub delay: Delay,
    /// Requests it is confined to.
    #[serde(default)]
    pub only: Only,
}

impl From<Delay> for Latency {
    fn from(delay: Delay) -> Self {
        Self { delay, only: Only::default() }
    }
}

/// A distribution of service times. The runtime's timer rounds up to whole milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Delay {
    /// Always the same.
    Constant {
        /// The time.
        #[serde(rename = "ms", with = "millis")]
        time: Duration,
    },
    /// Evenly drawn.
    Uniform {
        /// Shortest.
        #[serde(rename = "min_ms", with = "millis")]
        min: Duration,
        /// Longest.
        #[serde(rename = "max_ms", with = "millis")]
        max: Duration,
    },
    /// Exponential, as of a memoryless server.
    Exponential {
        /// Mean.
        #[serde(rename = "mean_ms", with = "millis")]
        mean: Duration,
    },
    /// Mostly one time, for some requests a longer one.
    Tail {
        /// The usual time.
        #[serde(rename = "usual_ms", with = "millis")]
        usual: Duration,
        /// The time of slow requests.
        #[serde(rename = "slow_ms", with = "millis")]
        slow: Duration,
        /// Share of slow requests, 0 to 1.
        share: f64,
    },
}

impl Delay {
    /// A constant time of whole milliseconds.
    pub fn constant_ms(millis: u64) -> Self {
        Self::Constant { time: Duration::from_millis(millis) }
    }

    pub(crate) fn draw(&self, draws: &mut Draws) -> Duration {
        match self {
            Self::Constant { time } => *time,
            Self::Uniform { min, max } => *min + max.saturating_sub(*min).mul_f64(draws.unit()),
            Self::Exponential { mean } => mean.mul_f64(-(1.0 - draws.unit()).ln()),
            Self::Tail { usual, slow, share } => {
                if draws.hits(*share) {
                    *slow
                } else {
                    *usual
                }
            }
        }
    }
}

/// A span in which nothing is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// Its begin.
    #[serde(rename = "from_ms", with = "millis")]
    pub from: Duration,
    /// Its end.
    #[serde(rename = "to_ms", with = "millis")]
    pub to: Duration,
}

/// How much longer an answer that is ready at `elapsed` has to wait for the stalls to pass.
pub(crate) fn stalled(stalls: &[Stall], elapsed: Duration) -> Duration {
    let until = stalls.iter().filter(|stall| stall.from <= elapsed).map(|stall| stall.to).max();
    until.map_or(Duration::ZERO, |until| until.saturating_sub(elapsed))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Delay, Stall, stalled};
    use crate::draws::Draws;

    fn mean_ms(delay: &Delay) -> f64 {
        (0..20_000).map(|n| delay.draw(&mut Draws::new(3, n, 0)).as_secs_f64() * 1e3).sum::<f64>() / 20_000.0
    }

    #[test]
    fn drawn_times_have_the_mean_of_their_distribution() {
        let ms = Duration::from_millis;
        assert!((mean_ms(&Delay::Uniform { min: ms(10), max: ms(30) }) - 20.0).abs() < 0.3);
        assert!((mean_ms(&Delay::Exponential { mean: ms(20) }) - 20.0).abs() < 0.5);
        assert!((mean_ms(&Delay::Tail { usual: ms(1), slow: ms(101), share: 0.1 }) - 11.0).abs() < 0.7);
    }

    #[test]
    fn an_answer_due_in_a_stall_waits_for_its_end() {
        let stalls = [Stall { from: Duration::from_secs(1), to: Duration::from_secs(3) }];
        let wait = |seconds| stalled(&stalls, Duration::from_secs_f64(seconds)).as_secs_f64();
        assert_eq!((wait(0.5), wait(1.0), wait(2.5), wait(3.0), wait(9.0)), (0.0, 2.0, 0.5, 0.0, 0.0));
    }
}
