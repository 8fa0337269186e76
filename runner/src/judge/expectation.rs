//! How long a step is to be expected to take: what the later steps of an open conversation are planned by.
//!
//! The time that a step really took would move the plan of those behind it, and hide that they are late (coordinated omission within a
//! conversation). What is expected is a mean, so that what is now longer and now shorter adds up to nothing: the median of the means of
//! the first blocks of calls. It forgets a cold start and a stall among them, and a server that gets slow later does not raise it.

use std::time::Duration;

use crate::plan::SeriesId;

/// Calls that a mean is taken of.
const BLOCK: u32 = 100;
/// Blocks after which what is expected stays.
const BLOCKS: usize = 11;

/// The expected service times of all series.
#[derive(Debug, Default)]
pub struct Expectations {
    series: Vec<Expectation>,
}

#[derive(Debug, Default, Clone)]
struct Expectation {
    /// The block at hand: how many, and together how long.
    calls: u32,
    time: Duration,
    /// The means of the blocks before, ascending.
    means: Vec<Duration>,
}

impl Expectations {
    /// Learns from the service time of a call that was ok.
    pub fn learn(&mut self, series: SeriesId, service: Duration) {
        if series.index() >= self.series.len() {
            self.series.resize_with(series.index() + 1, Expectation::default);
        }
        self.series[series.index()].learn(service);
    }

    /// The service time to be expected; `None` before the first hundred calls.
    pub fn of(&self, series: SeriesId) -> Option<Duration> {
        let means = &self.series.get(series.index())?.means;
        means.get(means.len().saturating_sub(1) / 2).copied()
    }
}

impl Expectation {
    fn learn(&mut self, service: Duration) {
        if self.means.len() == BLOCKS {
            return;
        }
        self.calls += 1;
        self.time += service;
        if self.calls == BLOCK {
            let mean = self.time / BLOCK;
            let place = self.means.partition_point(|earlier| *earlier < mean);
            self.means.insert(place, mean);
            (self.calls, self.time) = (0, Duration::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: SeriesId = SeriesId(7);

    fn after(milliseconds: impl IntoIterator<Item = u64>) -> Option<u128> {
        let mut expectations = Expectations::default();
        for time in milliseconds {
            expectations.learn(STEP, Duration::from_millis(time));
        }
        expectations.of(STEP).map(|expected| expected.as_millis())
    }

    #[test]
    fn nothing_is_expected_before_a_hundred_calls() {
        assert_eq!(after([5; 99]), None);
        assert_eq!(after([5; 100]), Some(5));
        assert_eq!(Expectations::default().of(STEP), None);
    }

    #[test]
    fn what_varies_is_expected_to_take_its_mean() {
        assert_eq!(after((0..1000).map(|call| if call % 10 == 0 { 40 } else { 10 })), Some(13));
    }

    #[test]
    fn a_cold_start_is_forgotten_and_a_slow_server_does_not_raise_it() {
        assert_eq!(after([50; 100].into_iter().chain([5; 100])), Some(5));
        assert_eq!(after(vec![5; 1100].into_iter().chain(vec![500; 3000])), Some(5));
    }

    #[test]
    fn a_stall_among_the_first_calls_does_not_move_it() {
        assert_eq!(after([5; 300].into_iter().chain([1000; 100]).chain([5; 300])), Some(5));
    }
}
