//! The beginning of a run, kept apart until it is known how much of it is warm-up.
//!
//! In: deltas with their second. Out: the sums without the seconds that are left out. Memory: a fixed warm-up needs a second sum, one
//! that is to be found keeps each of the first [`WarmUp::LONGEST_FOUND`] seconds packed, some kilobytes per series and second.

use std::time::Duration;

use super::buckets::Packed;
use super::recorder::Delta;
use super::sums::{Sums, is_operation};
use super::{Histogram, SeriesMetrics, TimelineRow};
use crate::judge::PluginMetrics;
use crate::judge::stationarity::warm_up_length;
use crate::plan::{SeriesId, WarmUp};

/// Seconds whose sums are open for what workers hand over late; as many as the timeline's.
const OPEN_SECONDS: usize = 4;

/// What was left out at the beginning of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct WarmUpFacts {
    /// What was asked.
    pub rule: WarmUp,
    /// How much was left out: whole seconds.
    pub trimmed: Duration,
    /// Whether the median response times settled where the rule MSER-5 looks for it: in the first half of the run, and within
    /// [`WarmUp::LONGEST_FOUND`].
    pub stationary: bool,
    /// The sum of all operations with the seconds that were left out.
    pub untrimmed: SeriesMetrics,
}

/// How many seconds at the beginning are warm-up by the rule MSER-5 on the medians of each second, in any unit; `None` where they
/// never settled.
///
/// A second in which no call ended takes the median of the next one that has any: the calls that ended there were waited for all
/// the time. Behind the last one, the level stays.
pub fn found(medians: &[Option<f64>]) -> Option<usize> {
    let Some(mut level) = medians.iter().rev().find_map(|median| *median) else { return Some(0) };
    let mut values: Vec<f64> = Vec::with_capacity(medians.len());
    for median in medians.iter().rev() {
        level = median.unwrap_or(level);
        values.push(level);
    }
    values.reverse();
    warm_up_length(&values)
}

/// The same of a timeline, as far as warm-up is looked for.
pub(super) fn found_in(rows: &[TimelineRow]) -> Option<usize> {
    let median = |row: &TimelineRow| row.p50.map(|time| time.as_secs_f64());
    let medians: Vec<Option<f64>> = rows.iter().map(median).collect();
    let longest = usize::try_from(WarmUp::LONGEST_FOUND.as_secs()).unwrap_or(usize::MAX);
    found(&medians).filter(|found| *found <= longest)
}

/// What may be left out of the sums, apart from what is not.
#[derive(Debug)]
pub(super) struct Settling {
    rule: WarmUp,
    /// The seconds that are kept apart: none, where it is known what is left out.
    early: Vec<Early>,
    /// How many of them are packed.
    packed: usize,
    /// Everything after the seconds that may be left out.
    later: Sums,
}

/// One second.
#[derive(Debug)]
enum Early {
    Open(Sums),
    Packed(PackedSums),
}

/// What a warm-up leaves out of: operations, and the results of plugins.
#[derive(Debug, Default)]
struct PackedSums {
    series: Vec<(SeriesId, PackedSeries)>,
    plugins: Vec<PluginMetrics>,
}

/// A series with its distributions packed.
#[derive(Debug)]
struct PackedSeries {
    counts: SeriesMetrics,
    times: Vec<Packed>,
}

impl Settling {
    /// `None` where nothing is left out.
    pub(super) fn new(rule: WarmUp) -> Option<Self> {
        (rule != WarmUp::None).then(|| Self { rule, early: Vec::new(), packed: 0, later: Sums::default() })
    }

    /// What was asked.
    pub(super) fn rule(&self) -> WarmUp {
        self.rule
    }

    /// Adds what a worker gathered in `second`.
    pub(super) fn gather(&mut self, delta: &Delta, second: u64) {
        let longest = match self.rule {
            WarmUp::Fixed(length) if second < length.as_secs() => return,
            WarmUp::None | WarmUp::Fixed(_) => 0,
            WarmUp::Auto => WarmUp::LONGEST_FOUND.as_secs(),
        };
        let place = usize::try_from(second).unwrap_or(usize::MAX);
        if second < longest {
            while self.early.len() <= place {
                self.early.push(Early::Open(Sums::default()));
            }
            self.early[place].gather(delta);
        } else {
            self.later.gather(delta);
        }
        while self.packed < self.early.len() && self.packed + OPEN_SECONDS <= place {
            self.early[self.packed].pack();
            self.packed += 1;
        }
    }

    /// How much is left out of a run of which `found` seconds are warm-up by the rule.
    pub(super) fn trimmed(&self, found: Option<usize>) -> Duration {
        match self.rule {
            WarmUp::None => Duration::ZERO,
            WarmUp::Fixed(length) => Duration::from_secs(length.as_secs()),
            WarmUp::Auto => Duration::from_secs(found.unwrap_or(0) as u64),
        }
    }

    /// What came after the first `trimmed`.
    pub(super) fn sums_after(self, trimmed: Duration) -> Sums {
        let mut sums = self.later;
        let first = usize::try_from(trimmed.as_secs()).unwrap_or(usize::MAX);
        for second in self.early.into_iter().skip(first) {
            match second {
                Early::Open(open) => sums.add(&open),
                Early::Packed(packed) => packed.add_to(&mut sums),
            }
        }
        sums
    }
}

impl Early {
    fn gather(&mut self, delta: &Delta) {
        match self {
            Self::Open(sums) => sums.gather(delta),
            // Later than any worker should be, but what it measured counts.
            Self::Packed(packed) => {
                let mut sums = Sums::default();
                packed.add_to(&mut sums);
                sums.gather(delta);
                *packed = PackedSums::of(&sums);
            }
        }
    }

    fn pack(&mut self) {
        if let Self::Open(sums) = self {
            *self = Self::Packed(PackedSums::of(sums));
        }
    }
}

impl PackedSums {
    fn of(sums: &Sums) -> Self {
        let operations = sums.heard().filter(|(id, _)| is_operation(*id));
        Self {
            series: operations.map(|(id, series)| (id, PackedSeries::of(series))).collect(),
            plugins: sums.plugins().iter().map(PluginMetrics::results).collect(),
        }
    }

    fn add_to(&self, sums: &mut Sums) {
        for (id, packed) in &self.series {
            packed.add_to(sums.series_mut(*id));
        }
        sums.add_plugins(&self.plugins);
    }
}

impl PackedSeries {
    fn of(series: &SeriesMetrics) -> Self {
        let times = series.histograms().map(Histogram::pack).into();
        Self { counts: series.without_times(), times }
    }

    fn add_to(&self, series: &mut SeriesMetrics) {
        series.add(&self.counts);
        for (ours, theirs) in series.histograms_mut().into_iter().zip(&self.times) {
            ours.add_packed(theirs);
        }
    }
}
