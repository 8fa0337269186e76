//! The only thing on the path of a request: one worker's counts since its last tick.

use super::SeriesMetrics;
use crate::judge::{PluginMetrics, Sample};
use crate::plan::SeriesId;

/// One worker's metrics since its last tick.
///
/// Series and plugins are created with the first that is heard of them. After that nothing here allocates, locks or formats, except
/// that a failure asks for one message per tick.
#[derive(Debug)]
pub struct Recorder {
    gathered: Delta,
}

/// What a worker gathered between two ticks.
#[derive(Debug)]
pub struct Delta {
    /// By [`SeriesId`]. Boxed: most series of a worker's first ticks are empty, and moving a delta moves pointers.
    series: Vec<Option<Box<SeriesMetrics>>>,
    /// By the plugin's number.
    plugins: Vec<PluginMetrics>,
    arrivals: Arrivals,
}

/// Iterations of the open model, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Those whose instant came.
    pub due: u64,
    /// Of them, those that no virtual user was free for in time.
    pub dropped: u64,
}

impl Arrivals {
    /// Adds another's counts.
    pub fn add(&mut self, other: Self) {
        self.due += other.due;
        self.dropped += other.dropped;
    }
}

impl Recorder {
    /// A recorder for `series` series to begin with.
    pub fn new(series: usize) -> Self {
        Self { gathered: Delta::new(series) }
    }

    /// Counts one sample. `message` is asked for only when this is the first of its outcome in its series since the last tick,
    /// and never for a call that was ok or cut off by us. A series not heard of before is added.
    pub fn record(&mut self, sample: &Sample, in_window: bool, message: impl FnOnce() -> String) {
        let index = sample.series.index();
        let series = &mut self.gathered.series;
        if index >= series.len() {
            series.resize_with(index + 1, || None);
        }
        series[index].get_or_insert_with(Box::default).record(sample, in_window, message);
    }

    /// What a plugin did since the last tick; `index` is its number among the scenarios that are plugins, in the order of the plan.
    pub fn plugin(&mut self, index: usize) -> &mut PluginMetrics {
        let plugins = &mut self.gathered.plugins;
        if index >= plugins.len() {
            plugins.resize_with(index + 1, PluginMetrics::default);
        }
        &mut plugins[index]
    }

    /// Counts iterations of the open model.
    pub fn arrive(&mut self, arrivals: Arrivals) {
        self.gathered.arrivals.add(arrivals);
    }

    /// Hands over what was gathered and starts anew in `recycled`, which is emptied first.
    ///
    /// Passing back the delta of an earlier tick keeps its memory in use: with two deltas going round nothing is allocated.
    pub fn take(&mut self, recycled: Option<Delta>) -> Delta {
        let mut next = recycled.unwrap_or_else(|| Delta::new(self.gathered.series.len()));
        next.clear();
        std::mem::replace(&mut self.gathered, next)
    }
}

impl Delta {
    fn new(series: usize) -> Self {
        Self {
            series: std::iter::repeat_with(|| None).take(series).collect(),
            plugins: Vec::new(),
            arrivals: Arrivals::default(),
        }
    }

    /// The series that have samples.
    pub(super) fn series(&self) -> impl Iterator<Item = (SeriesId, &SeriesMetrics)> {
        (0_u32..).map(SeriesId).zip(&self.series).filter_map(|(id, slot)| {
            slot.as_deref().filter(|series| !series.is_empty()).map(|series| (id, series))
        })
    }

    /// What each plugin did, by its number; as many as were heard of.
    pub(super) fn plugins(&self) -> &[PluginMetrics] {
        &self.plugins
    }

    /// Iterations of the open model.
    pub(crate) fn arrivals(&self) -> Arrivals {
        self.arrivals
    }

    fn clear(&mut self) {
        self.arrivals = Arrivals::default();
        self.series.iter_mut().flatten().for_each(|series| series.clear());
        self.plugins.iter_mut().for_each(PluginMetrics::clear);
    }
}
