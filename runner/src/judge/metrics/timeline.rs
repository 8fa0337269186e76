//! One row per second of the run, over all operations.
//!
//! Memory is bounded by the length of the run: about a hundred bytes per second. Only the last [`OPEN_SECONDS`] keep a histogram;
//! when a second falls out of them its percentiles are read off and the histogram serves another second.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Arrivals, Histogram, SeriesMetrics};

/// Seconds whose histogram is still open: the current one, those the live rate looks back over, and so the delay that a worker's
/// delta may have.
const OPEN_SECONDS: u64 = 4;

/// What happened in one second of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimelineRow {
    /// Whole seconds since the origin at its beginning.
    pub second: u64,
    /// Operations that came to an end: ok or failed.
    pub requests: u64,
    /// Of them, those that were ok.
    pub ok: u64,
    /// Of them, those that failed.
    pub errors: u64,
    /// The largest number of virtual users that was reported in it.
    pub active_vus: u32,
    /// Iterations of the open model that became due in it, and those that were dropped.
    pub arrivals: Arrivals,
    /// Bytes of requests.
    pub bytes_sent: u64,
    /// Bytes of responses.
    pub bytes_received: u64,
    /// Median response time of ok operations.
    pub p50: Option<Duration>,
    /// 95th percentile of it.
    pub p95: Option<Duration>,
    /// 99th percentile of it.
    pub p99: Option<Duration>,
    /// The longest.
    pub max: Option<Duration>,
}

/// The rows so far.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// Row `i` is second `i`.
    rows: Vec<TimelineRow>,
    /// Response times of the last seconds, oldest first, without gaps, ending with the last row.
    open: VecDeque<Histogram>,
}

/// The last few whole seconds, taken together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Recent {
    /// How many whole seconds it covers; zero in the first second of a run.
    pub(crate) seconds: u64,
    /// Operations that came to an end in them.
    pub(crate) requests: u64,
    /// Response times of the ok ones.
    pub(crate) response_time: Histogram,
}

impl Timeline {
    /// Makes sure that `second` has a row, and notes how many virtual users it had.
    pub(super) fn reach(&mut self, second: u64, active_vus: u32) {
        while self.rows.len() as u64 <= second {
            self.rows.push(TimelineRow { second: self.rows.len() as u64, ..TimelineRow::default() });
            let histogram = if self.open.len() as u64 == OPEN_SECONDS { self.close_oldest() } else { None };
            self.open.push_back(histogram.unwrap_or_default());
        }
        let row = &mut self.rows[index_of(second)];
        row.active_vus = row.active_vus.max(active_vus);
    }

    /// Counts iterations of the open model in `second`, which has been reached.
    pub(super) fn count_arrivals(&mut self, second: u64, arrivals: Arrivals) {
        self.rows[index_of(second)].arrivals.add(arrivals);
    }

    /// Adds samples of one operation to `second`, which has been reached. Counts are exact whenever they come; percentiles cover
    /// what came before the second was closed.
    pub(super) fn add(&mut self, second: u64, series: &SeriesMetrics) {
        let row = &mut self.rows[index_of(second)];
        row.requests += series.outcomes.requests();
        row.ok += series.outcomes.ok();
        row.errors += series.outcomes.errors();
        row.bytes_sent += series.bytes_sent;
        row.bytes_received += series.bytes_received;
        let first_open = self.first_open();
        if let Some(histogram) =
            second.checked_sub(first_open).and_then(|offset| self.open.get_mut(index_of(offset)))
        {
            histogram.add(&series.response_time);
        }
    }

    /// All rows, those of open seconds with the percentiles known so far.
    pub(super) fn rows(&self) -> Vec<TimelineRow> {
        let mut rows = self.rows.clone();
        let first_open = index_of(self.first_open());
        for (row, histogram) in rows[first_open..].iter_mut().zip(&self.open) {
            row.read_off(histogram);
        }
        rows
    }

    /// One row, with the percentiles known so far.
    pub(super) fn row(&self, second: u64) -> Option<TimelineRow> {
        let mut row = *self.rows.get(usize::try_from(second).ok()?)?;
        if let Some(histogram) =
            second.checked_sub(self.first_open()).and_then(|offset| self.open.get(index_of(offset)))
        {
            row.read_off(histogram);
        }
        Some(row)
    }

    /// The last whole seconds, without the one that is still running.
    pub(super) fn recent(&self) -> Recent {
        let mut recent = Recent::default();
        let first_open = index_of(self.first_open());
        let whole = self.open.len().saturating_sub(1);
        for (row, histogram) in self.rows[first_open..].iter().zip(&self.open).take(whole) {
            recent.seconds += 1;
            recent.requests += row.requests;
            recent.response_time.add(histogram);
        }
        recent
    }

    fn first_open(&self) -> u64 {
        (self.rows.len() - self.open.len()) as u64
    }

    /// Closes the oldest open second and gives back its histogram, emptied. The newest row has no histogram yet.
    fn close_oldest(&mut self) -> Option<Histogram> {
        let mut histogram = self.open.pop_front()?;
        let closed = self.rows.len() - self.open.len() - 2;
        self.rows[closed].read_off(&histogram);
        histogram.clear();
        Some(histogram)
    }
}

impl TimelineRow {
    fn read_off(&mut self, response_time: &Histogram) {
        self.p50 = response_time.quantile(0.5);
        self.p95 = response_time.quantile(0.95);
        self.p99 = response_time.quantile(0.99);
        self.max = response_time.max();
    }
}

fn index_of(second: u64) -> usize {
    usize::try_from(second).expect("a run's seconds fit the address space")
}
