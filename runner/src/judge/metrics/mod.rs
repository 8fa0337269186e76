//! Samples in, counts and histograms out.
//!
//! A [`Recorder`] belongs to one worker and is the only thing on the path of a request; a [`Delta`] is what it gathered since the
//! last tick; [`Metrics`] is the sum of all deltas of all workers. Merging is associative and commutative.

mod buckets;
mod histogram;
mod recorder;
mod series;
#[cfg(test)]
mod tests;
mod timeline;
mod trend;

use std::sync::LazyLock;

pub use buckets::SIGNIFICANT_DIGITS;
pub use histogram::{Histogram, LARGEST};
pub use recorder::{Delta, Recorder};
pub use series::{Failures, Outcomes, SeriesMetrics};
pub use timeline::TimelineRow;
pub use trend::Trend;

pub(crate) use timeline::Recent;

use timeline::Timeline;

use super::PluginMetrics;
use crate::plan::SeriesId;

/// All that was recorded, by series, the timeline, and what plugins did.
#[derive(Debug)]
pub struct Metrics {
    series: Vec<SeriesMetrics>,
    timeline: Timeline,
    plugins: Vec<PluginMetrics>,
}

impl Metrics {
    /// Empty metrics for `series` series to begin with.
    pub fn new(series: usize) -> Self {
        let series = std::iter::repeat_with(SeriesMetrics::default).take(series).collect();
        Self { series, timeline: Timeline::default(), plugins: Vec::new() }
    }

    /// Adds what a worker gathered in `second` (whole seconds since the origin).
    ///
    /// `active_vus` is the number of virtual users of the whole run, as far as known; a row of the timeline keeps the largest.
    /// Deltas of one second may come in any order and up to three seconds late. An empty delta counts too: it tells that the
    /// second has come. A series not heard of before is added.
    pub fn merge(&mut self, delta: &Delta, second: u64, active_vus: u32) {
        self.timeline.reach(second, active_vus);
        for (id, gathered) in delta.series() {
            if id.index() >= self.series.len() {
                self.series.resize_with(id.index() + 1, SeriesMetrics::default);
            }
            self.series[id.index()].add(gathered);
            if is_operation(id) {
                self.timeline.add(second, gathered);
            }
        }
        if self.plugins.len() < delta.plugins().len() {
            self.plugins.resize_with(delta.plugins().len(), PluginMetrics::default);
        }
        for (plugin, gathered) in self.plugins.iter_mut().zip(delta.plugins()) {
            plugin.add(gathered);
        }
    }

    /// One series; an empty one where nothing was heard of it.
    pub fn series(&self, id: SeriesId) -> &SeriesMetrics {
        static UNHEARD: LazyLock<SeriesMetrics> = LazyLock::new(SeriesMetrics::default);
        self.series.get(id.index()).unwrap_or(&UNHEARD)
    }

    /// What each plugin did, by its number among the scenarios that are plugins, in the order of the plan. There may be fewer than
    /// plugins: those that were not heard of are missing at the end.
    pub fn plugins(&self) -> &[PluginMetrics] {
        &self.plugins
    }

    /// The sum of the series that `belongs` picks: a tool's, a method's, a scenario's.
    pub fn sum(&self, belongs: impl Fn(SeriesId) -> bool) -> SeriesMetrics {
        let mut sum = SeriesMetrics::default();
        for (id, series) in (0_u32..).map(SeriesId).zip(&self.series) {
            if belongs(id) && !series.is_empty() {
                sum.add(series);
            }
        }
        sum
    }

    /// The sum of all operations: the run's totals. What it takes to hold a session (handshake, close) is not in it.
    pub fn total(&self) -> SeriesMetrics {
        self.sum(is_operation)
    }

    /// One row per second since the origin, without gaps, over all operations.
    pub fn timeline(&self) -> Vec<TimelineRow> {
        self.timeline.rows()
    }

    /// The last whole seconds, for the display of a running test.
    pub(crate) fn recent(&self) -> Recent {
        self.timeline.recent()
    }

    /// Calls of all operations by what came of them. Cheaper than [`Metrics::total`], which adds histograms too.
    pub(crate) fn outcomes(&self) -> Outcomes {
        let mut sum = Outcomes::default();
        for series in self.series.iter().skip(SeriesId::LIFECYCLE as usize) {
            sum.add(&series.outcomes);
        }
        sum
    }
}

fn is_operation(id: SeriesId) -> bool {
    id.0 >= SeriesId::LIFECYCLE
}
