//! When things are due: how many virtual users are wanted at an instant, when iterations of the open model arrive, and which of all
//! these belong to whom.
//!
//! A function of its arguments: no clock, no waiting. `drive/executor` keeps what is decided here.

mod arrivals;
mod population;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub use arrivals::{Arrival, Arrivals, expected_arrivals, rate_wanted};
pub use population::{next_change, vus_wanted};

use super::{Plan, Rate};

/// What the loads of a plan want `elapsed` after the start of the run: virtual users of the closed ones, and iterations per second of the
/// open ones.
pub fn wanted(plan: &Plan, elapsed: Duration) -> (u32, Rate) {
    let begun = plan.loads.iter().filter_map(|load| Some((load, elapsed.checked_sub(load.start)?)));
    let mut wanted = (0_u32, 0.0);
    for (load, elapsed) in begun {
        if load.executor.is_open() {
            wanted.1 += rate_wanted(&load.executor, elapsed).get();
        } else {
            wanted.0 = wanted.0.saturating_add(vus_wanted(&load.executor, elapsed));
        }
    }
    (wanted.0, Rate::per_second(wanted.1).unwrap_or_default())
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
    /// The only stripe.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Most parts that the command line divides a run into: more machines than anybody has.
    pub const MOST_SHARDS: u32 = 10_000;

    /// This stripe's part with number `index` of `of`: what a worker has of a machine's.
    ///
    /// ```
    /// use pmcp_loadtest::plan::schedule::Stripe;
    /// let second_of_three = Stripe { index: 1, of: 3 };
    /// let halves = [second_of_three.part(0, 2), second_of_three.part(1, 2)];
    /// assert_eq!(halves.map(|half| half.item(0)), [1, 4]);
    /// assert_eq!(halves.map(|half| half.item(1)), [7, 10]);
    /// ```
    #[must_use]
    pub fn part(self, index: u32, of: u32) -> Self {
        Self { index: self.index + self.of * index, of: self.of * of }
    }

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

impl Default for Stripe {
    fn default() -> Self {
        Self::WHOLE
    }
}

/// Reads the part of a run that the command line asks for: its number, from one, and how many there are.
///
/// ```
/// use pmcp_loadtest::plan::schedule::Stripe;
/// assert_eq!("1/3".parse(), Ok(Stripe { index: 0, of: 3 }));
/// assert_eq!(Stripe { index: 0, of: 3 }.to_string(), "1/3");
/// assert!("4/3".parse::<Stripe>().is_err());
/// ```
impl FromStr for Stripe {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let whole = |text: &str| text.trim().parse::<u32>().ok();
        let (number, of) = text
            .split_once('/')
            .and_then(|(number, of)| whole(number).zip(whole(of)))
            .ok_or_else(|| format!("`{text}` is not a part of the run; write 1/3 for the first of three"))?;
        if of == 0 || of > Self::MOST_SHARDS {
            return Err(format!("a run has 1 to {} parts, not {of}", Self::MOST_SHARDS));
        }
        if number == 0 || number > of {
            return Err(format!("the parts of {of} are called 1/{of} to {of}/{of}"));
        }
        Ok(Self { index: number - 1, of })
    }
}

impl fmt::Display for Stripe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index + 1, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::Stripe;

    #[test]
    fn a_part_that_is_none_is_refused() {
        for text in ["0/3", "4/3", "1/0", "1/10001", "1", "1/", "/3", "-1/3", "1/3/3", "a/b", "1/99999999999"]
        {
            assert!(text.parse::<Stripe>().is_err(), "{text}");
        }
        for index in 0..3 {
            let stripe = Stripe { index, of: 3 };
            assert_eq!(stripe.to_string().parse(), Ok(stripe));
        }
    }
}
