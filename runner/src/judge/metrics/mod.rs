//! Samples in, counts and histograms out.
//!
//! A [`Recorder`] belongs to one worker and is the only thing on the path of a request; a [`Delta`] is what it gathered since the
//! last tick; [`Metrics`] is the sum of all deltas of all workers. Merging is associative and commutative.

use crate::judge::Sample;

/// One worker's metrics since its last tick.
#[derive(Debug)]
pub struct Recorder {}

/// What a worker gathered between two ticks.
#[derive(Debug)]
pub struct Delta {}

/// All that was recorded, by series, and the timeline.
#[derive(Debug)]
pub struct Metrics {}

impl Recorder {
    /// A recorder for `series` series.
    pub fn new(_series: usize) -> Self {
        Self {}
    }

    /// Counts one sample. `message` is asked for only when this is the first of its outcome in its series since the last tick.
    pub fn record(&mut self, _sample: &Sample, _in_window: bool, _message: impl FnOnce() -> String) {}

    /// Hands over what was gathered and starts anew in `recycled`, which is emptied first.
    pub fn take(&mut self, _recycled: Option<Delta>) -> Delta {
        Delta {}
    }
}

impl Metrics {
    /// Empty metrics for `series` series.
    pub fn new(_series: usize) -> Self {
        Self {}
    }

    /// Adds what a worker gathered in `second` (whole seconds since the origin).
    pub fn merge(&mut self, _delta: &Delta, _second: u64, _active_vus: u32) {}
}
