//! How long a step is to be expected to take: what the later steps of an open conversation are planned by.
//!
//! The time that a step really took would move the plan of those behind it, and hide that they are late (coordinated omission within a
//! conversation). What is expected is the smallest median of any hundred calls so far: it forgets a cold start, and a server that gets slow
//! does not raise it.

use std::time::Duration;

use crate::plan::SeriesId;

/// Calls that a median is taken of.
const BLOCK: usize = 100;

/// The expected service times of all series.
#[derive(Debug, Default)]
pub struct Expectations {
    series: Vec<Expectation>,
}

#[derive(Debug, Default, Clone)]
struct Expectation {
    /// Microseconds.
    block: Vec<u32>,
    expected: Option<u32>,
}

impl Expectations {
    /// Learns from the service time of a call that was ok.
    pub fn learn(&mut self, series: SeriesId, service: Duration) {
        if series.index() >= self.series.len() {
            self.series.resize_with(series.index() + 1, Expectation::default);
        }
        let Expectation { block, expected } = &mut self.series[series.index()];
        block.push(u32::try_from(service.as_micros()).unwrap_or(u32::MAX));
        if block.len() == BLOCK {
            let (_, median, _) = block.select_nth_unstable(BLOCK / 2);
            *expected = Some(expected.map_or(*median, |expected| expected.min(*median)));
            block.clear();
        }
    }

    /// The service time to be expected; `None` before the first hundred calls.
    pub fn of(&self, series: SeriesId) -> Option<Duration> {
        let expected = self.series.get(series.index())?.expected?;
        Some(Duration::from_micros(expected.into()))
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
    fn a_cold_start_is_forgotten_and_a_slow_server_does_not_raise_it() {
        assert_eq!(after([50; 100].into_iter().chain([5; 100])), Some(5));
        assert_eq!(after([5; 100].into_iter().chain([500; 300])), Some(5));
    }

    #[test]
    fn a_stall_in_the_midst_of_the_calls_does_not_move_it() {
        assert_eq!(after([5; 60].into_iter().chain([1000; 40])), Some(5));
    }
}
