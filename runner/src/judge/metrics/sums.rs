//! What was recorded over a stretch of time: a sum per series, and what plugins did. The order of adding does not matter.

use std::sync::LazyLock;

use super::recorder::Delta;
use super::{Outcomes, SeriesMetrics};
use crate::judge::PluginMetrics;
use crate::plan::SeriesId;

/// Sums over a stretch of time: a second, a window, a run.
#[derive(Debug, Default, PartialEq)]
pub struct Sums {
    pub(super) series: Vec<SeriesMetrics>,
    plugins: Vec<PluginMetrics>,
}

impl Sums {
    /// Empty sums for `series` series to begin with.
    pub fn new(series: usize) -> Self {
        let series = std::iter::repeat_with(SeriesMetrics::default).take(series).collect();
        Self { series, plugins: Vec::new() }
    }

    /// Adds what a worker gathered between two ticks. A series not heard of before is added.
    pub fn gather(&mut self, delta: &Delta) {
        for (id, gathered) in delta.series() {
            self.series_mut(id).add(gathered);
        }
        self.add_plugins(delta.plugins());
    }

    /// Adds another stretch of time.
    pub fn add(&mut self, other: &Self) {
        for (id, series) in other.heard() {
            self.series_mut(id).add(series);
        }
        self.add_plugins(&other.plugins);
    }

    /// These sums, but of operations and of the results of plugins only what `counted` has.
    pub(super) fn counting_only(mut self, mut counted: Self) -> Self {
        counted.series.resize_with(self.series.len(), SeriesMetrics::default);
        counted.plugins.resize_with(self.plugins.len(), PluginMetrics::default);
        let operations = SeriesId::LIFECYCLE as usize;
        for (ours, theirs) in self.series.iter_mut().zip(counted.series).skip(operations) {
            *ours = theirs;
        }
        for (ours, theirs) in self.plugins.iter_mut().zip(counted.plugins) {
            ours.replace_results(theirs);
        }
        self
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.series.iter_mut().for_each(SeriesMetrics::clear);
        self.plugins.iter_mut().for_each(PluginMetrics::clear);
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
        for (_, series) in self.heard().filter(|(id, _)| belongs(*id)) {
            sum.add(series);
        }
        sum
    }

    /// The sum of all operations. What it takes to hold a session (handshake, close) is not in it.
    pub fn total(&self) -> SeriesMetrics {
        self.sum(is_operation)
    }

    /// Calls of all operations by what came of them. Cheaper than [`Sums::total`], which adds histograms too.
    pub fn outcomes(&self) -> Outcomes {
        let mut sum = Outcomes::default();
        for series in self.series.iter().skip(SeriesId::LIFECYCLE as usize) {
            sum.add(&series.outcomes);
        }
        sum
    }

    pub(super) fn heard(&self) -> impl Iterator<Item = (SeriesId, &SeriesMetrics)> {
        (0_u32..).map(SeriesId).zip(&self.series).filter(|(_, series)| !series.is_empty())
    }

    pub(super) fn series_mut(&mut self, id: SeriesId) -> &mut SeriesMetrics {
        if id.index() >= self.series.len() {
            self.series.resize_with(id.index() + 1, SeriesMetrics::default);
        }
        &mut self.series[id.index()]
    }

    pub(super) fn add_plugins(&mut self, plugins: &[PluginMetrics]) {
        if self.plugins.len() < plugins.len() {
            self.plugins.resize_with(plugins.len(), PluginMetrics::default);
        }
        for (plugin, gathered) in self.plugins.iter_mut().zip(plugins) {
            plugin.add(gathered);
        }
    }
}

pub(super) fn is_operation(id: SeriesId) -> bool {
    id.0 >= SeriesId::LIFECYCLE
}
