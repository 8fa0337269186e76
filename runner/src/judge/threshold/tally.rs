//! What a threshold needs of a stretch of time, and no more: its values' distribution, and what can be counted of them.
//!
//! Tallies of stretches add up; a packed one is small, and can be taken away again from a sum that it is in.

use super::custom::declared;
use super::{Stretch, filtered_by, histogram};
use crate::judge::metrics::Packed;
use crate::judge::{Histogram, SeriesMetrics, Trend, Values};
use crate::plan::Threshold;
use crate::plan::threshold::{Clock, Metric, Subject};

/// The values of one threshold over a stretch of time.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Of times.
    pub(super) times: Histogram,
    /// Of the values of a plugin's metric.
    pub(super) trend: Trend,
    /// What there is beside a distribution.
    pub(super) counts: Counts,
}

/// What can be counted of the values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    /// All of them: times, calls, checks, iterations, values of a plugin's metric.
    pub(super) samples: u64,
    /// Those that are what the metric asks for: calls that failed, checks that held, values other than zero.
    pub(super) hits: u64,
    /// Of them, those within the measured window.
    pub(super) in_window: u64,
    /// The sum of the values of a plugin's metric.
    pub(super) sum: f64,
    /// The smallest of them; means nothing without samples.
    pub(super) min: f64,
    /// The largest; likewise.
    pub(super) max: f64,
}

/// A tally in few bytes.
#[derive(Debug)]
pub(super) struct PackedTally {
    times: Packed,
    trend: Packed,
    pub(super) counts: Counts,
}

impl Tally {
    /// Adds what a threshold counts of a stretch of time.
    pub(super) fn gather(&mut self, threshold: &Threshold, stretch: &Stretch<'_>) {
        match &threshold.metric {
            Metric::Time(clock) => self.gather_times(*clock, threshold, stretch),
            Metric::Custom(name) => self.gather_values(name, threshold, stretch),
            Metric::Checks => self.gather_checks(threshold, stretch),
            Metric::Iterations => {
                let done = stretch.iterations;
                self.counts.add(&Counts { samples: done, hits: done, in_window: done, ..Counts::default() });
            }
            Metric::Requests | Metric::Ok | Metric::Errors | Metric::Failures(_) => {
                for calls in stretch.covered(threshold) {
                    self.counts.add(&counted(&threshold.metric, calls));
                }
            }
        }
    }

    fn gather_times(&mut self, clock: Clock, threshold: &Threshold, stretch: &Stretch<'_>) {
        for calls in stretch.covered(threshold) {
            let times = histogram(calls, clock);
            self.times.add(times);
            self.counts.samples += times.count();
        }
    }

    fn gather_checks(&mut self, threshold: &Threshold, stretch: &Stretch<'_>) {
        let wanted = filtered_by(threshold, Subject::Check);
        let scenario = filtered_by(threshold, Subject::Scenario);
        let plugins = stretch.plugins.iter().zip(stretch.metrics.plugins());
        let counted = plugins.filter(|(facts, _)| scenario.is_none_or(|name| name == facts.scenario));
        let checks = counted.flat_map(|(_, metrics)| &metrics.checks);
        for (_, counts) in checks.filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name)) {
            self.counts.samples += counts.passed + counts.failed;
            self.counts.hits += counts.passed;
        }
    }

    fn gather_values(&mut self, name: &str, threshold: &Threshold, stretch: &Stretch<'_>) {
        let Ok(declared) = declared(name, threshold, stretch.plugins) else { return };
        let plugins = stretch.metrics.plugins();
        let values =
            declared.places.iter().filter_map(|&(plugin, index)| plugins.get(plugin)?.values.get(index));
        for values in values.filter(|values| values.count > 0) {
            self.counts.add(&Counts::from(values));
            self.trend.add(&values.trend);
        }
    }

    /// Adds another stretch of time.
    pub(super) fn add(&mut self, other: &Self) {
        self.times.add(&other.times);
        self.trend.add(&other.trend);
        self.counts.add(&other.counts);
    }

    /// Takes the distributions away that were added with this tally. Counts cannot be: the smallest of the rest is not known.
    pub(super) fn take_distributions_away(&mut self, packed: &PackedTally) {
        self.times.take_away(&packed.times);
        self.trend.take_away(&packed.trend);
    }

    pub(super) fn pack(&self) -> PackedTally {
        PackedTally { times: self.times.pack(), trend: self.trend.pack(), counts: self.counts }
    }

    /// Forgets everything and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.times.clear();
        self.trend.clear();
        self.counts = Counts::default();
    }
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        if other.samples == 0 {
            return;
        }
        let first = self.samples == 0;
        self.min = if first { other.min } else { self.min.min(other.min) };
        self.max = if first { other.max } else { self.max.max(other.max) };
        self.samples += other.samples;
        self.hits += other.hits;
        self.in_window += other.in_window;
        self.sum += other.sum;
    }
}

impl From<&Values> for Counts {
    fn from(values: &Values) -> Self {
        let &Values { count: samples, nonzero: hits, sum, min, max, .. } = values;
        Self { samples, hits, in_window: samples, sum, min, max }
    }
}

/// The calls of a series that a metric counts.
fn counted(metric: &Metric, calls: &SeriesMetrics) -> Counts {
    let outcomes = &calls.outcomes;
    let samples = outcomes.requests();
    let (hits, in_window) = match metric {
        Metric::Ok => (outcomes.ok(), calls.in_window_ok),
        Metric::Errors => (outcomes.errors(), calls.in_window - calls.in_window_ok),
        Metric::Failures(class) => {
            let counts = outcomes.by_class();
            let found = counts.iter().find(|(name, _)| *name == class.as_str());
            (found.map_or(0, |(_, count)| *count), 0)
        }
        _ => (samples, calls.in_window),
    };
    Counts { samples, hits, in_window, ..Counts::default() }
}
