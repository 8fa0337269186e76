//! Samples in, counts and histograms out.
//!
//! A [`Recorder`] belongs to one worker and is the only thing on the path of a request; a [`Delta`] is what it gathered since the
//! last tick; [`Metrics`] is the sum of all deltas of all workers. Merging is associative and commutative.

mod buckets;
mod histogram;
mod recorder;
mod series;
mod sums;
#[cfg(test)]
mod tests;
mod timeline;
mod trend;
mod warm_up;

pub use buckets::SIGNIFICANT_DIGITS;
pub use histogram::{Histogram, LARGEST};
pub use recorder::{Arrivals, Delta, Recorder};
pub use series::{Failures, Outcomes, SeriesMetrics};
pub use sums::Sums;
pub use timeline::TimelineRow;
pub use trend::Trend;
pub use warm_up::{WarmUpFacts, found};

pub(in crate::judge) use buckets::Packed;
pub(crate) use timeline::Recent;

use sums::is_operation;
use timeline::Timeline;
use warm_up::{Settling, found_in};

use std::time::Duration;

use super::PluginMetrics;
use crate::plan::{SeriesId, WarmUp};

/// All that was recorded, by series, the timeline, and what plugins did.
#[derive(Debug)]
pub struct Metrics {
    /// The whole run; once it is [`Metrics::settle`]d, without what is left out.
    sums: Sums,
    /// What may be left out apart from what is not, until that is decided.
    settling: Option<Settling>,
    timeline: Timeline,
}

impl Metrics {
    /// Empty metrics for `series` series to begin with, of a run that leaves out so much of its beginning.
    pub fn new(series: usize, warm_up: WarmUp) -> Self {
        Self { sums: Sums::new(series), settling: Settling::new(warm_up), timeline: Timeline::default() }
    }

    /// Adds what a worker gathered in `second` (whole seconds since the origin).
    ///
    /// `active_vus` is the number of virtual users of the whole run, as far as known; a row of the timeline keeps the largest.
    /// Deltas of one second may come in any order and up to three seconds late. An empty delta counts too: it tells that the
    /// second has come. A series not heard of before is added.
    pub fn merge(&mut self, delta: &Delta, second: u64, active_vus: u32) {
        self.timeline.reach(second, active_vus);
        self.timeline.count_arrivals(second, delta.arrivals());
        for (id, gathered) in delta.series() {
            if is_operation(id) {
                self.timeline.add(second, gathered);
            }
        }
        self.sums.gather(delta);
        if let Some(settling) = &mut self.settling {
            settling.gather(delta, second);
        }
    }

    /// Leaves out what the run is to leave out, once it is over; `window` is the measured one. From then on all sums are without it;
    /// the timeline keeps every second. Handshakes, and what plugins did and what it cost, are never left out: only operations,
    /// checks and custom metrics are.
    pub fn settle(mut self, window: Duration) -> (Self, WarmUpFacts) {
        let rows = self.timeline.rows();
        // The last second is cut short.
        let whole = usize::try_from(window.as_secs()).unwrap_or(usize::MAX).min(rows.len());
        let found = found_in(&rows[..whole]);
        let rule = self.settling.as_ref().map_or(WarmUp::None, Settling::rule);
        let untrimmed = self.sums.total();
        let trimmed = self.settling.as_ref().map_or(Duration::ZERO, |settling| settling.trimmed(found));
        if let Some(settling) = self.settling.take().filter(|_| !trimmed.is_zero()) {
            self.sums = self.sums.counting_only(settling.sums_after(trimmed));
        }
        (self, WarmUpFacts { rule, trimmed, stationary: found.is_some(), untrimmed })
    }

    /// The sums.
    pub fn sums(&self) -> &Sums {
        &self.sums
    }

    /// One series; an empty one where nothing was heard of it.
    pub fn series(&self, id: SeriesId) -> &SeriesMetrics {
        self.sums.series(id)
    }

    /// What each plugin did; see [`Sums::plugins`].
    pub fn plugins(&self) -> &[PluginMetrics] {
        self.sums.plugins()
    }

    /// The sum of the series that `belongs` picks: a tool's, a method's, a scenario's.
    pub fn sum(&self, belongs: impl Fn(SeriesId) -> bool) -> SeriesMetrics {
        self.sums.sum(belongs)
    }

    /// The sum of all operations: the run's totals. What it takes to hold a session (handshake, close) is not in it.
    pub fn total(&self) -> SeriesMetrics {
        self.sums.total()
    }

    /// One row per second since the origin, without gaps, over all operations.
    pub fn timeline(&self) -> Vec<TimelineRow> {
        self.timeline.rows()
    }

    /// One row of the timeline, as far as it is known.
    pub fn row(&self, second: u64) -> Option<TimelineRow> {
        self.timeline.row(second)
    }

    /// The last whole seconds, for the display of a running test.
    pub(crate) fn recent(&self) -> Recent {
        self.timeline.recent()
    }

    /// Calls of all operations by what came of them. Cheaper than [`Metrics::total`], which adds histograms too.
    pub(crate) fn outcomes(&self) -> Outcomes {
        self.sums.outcomes()
    }
}
