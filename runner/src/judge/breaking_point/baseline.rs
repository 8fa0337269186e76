//! What a server does while it is well: the quietest stretch of the run so far.
//!
//! The stretch whose median response time is lowest, not the first: a cold start is left behind by itself, and what comes later under
//! more load can only be as good or worse.

use std::collections::VecDeque;
use std::time::Duration;

use super::{LoadSecond, median};

/// Fewest seconds of a stretch: a median of fewer follows a single bad one.
const FEWEST_SECONDS: usize = 5;
/// Fewest ok calls of a stretch: with fewer, the median of a stretch is low by chance, and everything after it looks slow.
pub(super) const FEWEST_CALLS: u64 = 100;
/// Fewest ok calls per second for a 95th percentile that more than a handful of calls decides.
pub(super) const CALLS_FOR_P95: u64 = 100;

/// A stretch of seconds, summed up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Baseline {
    /// Median of the seconds' median response times.
    pub(super) p50: Duration,
    /// Median of the seconds' 95th percentiles, and the highest of them; `None` where a second had too few calls for one.
    pub(super) p95: Option<(Duration, Duration)>,
    /// Calls that came to an end.
    pub(super) requests: u64,
    /// Of them, those that failed.
    pub(super) errors: u64,
    /// Ok calls per second and unit of load; `None` where the load is no single number.
    pub(super) ok_per_load: Option<f64>,
    /// The fewest of them in any of its seconds: none, where virtual users all think at the same time.
    pub(super) fewest_ok_per_load: Option<f64>,
}

impl Baseline {
    /// The share of failed calls.
    pub(super) fn error_ratio(&self) -> f64 {
        self.errors as f64 / self.requests.max(1) as f64
    }

    /// The largest share of failed calls that it may have had all the same: Laplace's estimate where none failed.
    pub(super) fn most_error_ratio(&self) -> f64 {
        (self.errors + 1) as f64 / (self.requests + 2) as f64
    }
}

/// The search for the quietest stretch.
#[derive(Debug, Default)]
pub(super) struct QuietestStretch {
    /// The last seconds, just enough of them.
    stretch: VecDeque<LoadSecond>,
    best: Option<Baseline>,
}

impl QuietestStretch {
    /// The baseline so far.
    pub(super) fn baseline(&self) -> Option<&Baseline> {
        self.best.as_ref()
    }

    /// Takes one more second in which nothing was wrong.
    pub(super) fn extend(&mut self, second: &LoadSecond) {
        self.stretch.push_back(*second);
        let mut calls: u64 = self.stretch.iter().map(|second| second.row.ok).sum();
        while self.stretch.len() > FEWEST_SECONDS && calls - self.stretch[0].row.ok >= FEWEST_CALLS {
            calls -= self.stretch[0].row.ok;
            self.stretch.pop_front();
        }
        if self.stretch.len() < FEWEST_SECONDS || calls < FEWEST_CALLS {
            return;
        }
        if let Some(now) = self.sum_up()
            && self.best.is_none_or(|best| now.p50 < best.p50)
        {
            self.best = Some(now);
        }
    }

    fn sum_up(&self) -> Option<Baseline> {
        let rows = || self.stretch.iter().map(|second| &second.row);
        let has_tail = rows().all(|row| row.ok >= CALLS_FOR_P95);
        let p95 = median(rows().filter_map(|row| row.p95), Duration::cmp)
            .zip(rows().filter_map(|row| row.p95).max());
        let per_load = |second: &LoadSecond| match second.load() {
            Some(load) if load > 0.0 => Some(second.ok_per_s() / load),
            _ => None,
        };
        Some(Baseline {
            p50: median(rows().filter_map(|row| row.p50), Duration::cmp)?,
            p95: p95.filter(|_| has_tail),
            requests: rows().map(|row| row.requests).sum(),
            errors: rows().map(|row| row.errors).sum(),
            ok_per_load: median(self.stretch.iter().filter_map(per_load), f64::total_cmp),
            fewest_ok_per_load: self.stretch.iter().filter_map(per_load).min_by(f64::total_cmp),
        })
    }
}
