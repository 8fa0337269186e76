//! Thresholds while a run lasts: those that have a window, and those that end the run.
//!
//! In: every second of the run, once, in order. Out: whether the run is to end, and at the end what each window came to. Of a
//! threshold with a window the distributions of the window's seconds are kept, packed, and of every window one number; of one that ends
//! the run its sum so far.
//!
//! A second costs about 0.3 ms per threshold that has a window, however long that is, and a second of the window 2 to 4 KB: measured
//! at 1,000 and at 20,000 calls per second of a long-tailed server with a median of 9 ms.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use super::tally::{Counts, PackedTally, Tally};
use super::{Observed, Stretch, observed, scale, shown};
use crate::judge::{PluginFacts, Second, StopReason};
use crate::plan::threshold::{Aggregate, Window};
use crate::plan::{SeriesKey, Threshold, WarmUp};

/// A run may end this little before a whole second and still have had it.
const TOLERANCE: Duration = Duration::from_millis(10);

/// Watches the thresholds of a run, second by second.
#[derive(Debug)]
pub struct ThresholdWatch {
    /// In the order of the thresholds; `None` where the run as a whole is all that counts.
    watched: Vec<Option<Watched>>,
    /// Seconds at the beginning that may turn out to be warm-up, and cannot end the run.
    settling: u64,
    stop: Option<StopReason>,
}

/// What became of the thresholds that have a window: one entry per threshold, none where there were no full windows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Windows(Vec<Option<Windowed>>);

/// What became of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Windowed {
    /// The window that is furthest from holding, or least far inside.
    Worst {
        /// Whole seconds since the origin at its beginning.
        from: u64,
        /// What it came to.
        seen: Seen,
    },
    /// None of so many windows has samples.
    Unsampled {
        /// How many there were.
        windows: u64,
    },
}

/// What a window came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    /// In the unit of the threshold; infinite, where it is more than is recorded. Without meaning where there were no samples.
    pub(super) observed: f64,
    /// How many values it is judged by.
    pub(super) samples: u64,
}

/// One threshold.
#[derive(Debug)]
struct Watched {
    threshold: Threshold,
    /// What this second adds.
    portion: Tally,
    /// The sum over the window, or over the measured time so far.
    sum: Tally,
    /// The seconds of the window.
    ring: VecDeque<PackedTally>,
    /// By window, in order; the first begins with the run.
    seen: Vec<Seen>,
    /// The bound, in the unit of what is seen.
    bound: f64,
}

impl ThresholdWatch {
    /// Watches these thresholds in a run that leaves out so much of its beginning and is planned to be so long.
    ///
    /// Nothing ends a run while its warm-up lasts; where that is to be found, as long as it can last.
    pub fn new(thresholds: &[Threshold], warm_up: WarmUp, planned: Option<Duration>) -> Self {
        let settling = match warm_up {
            WarmUp::None => Duration::ZERO,
            WarmUp::Fixed(length) => length,
            WarmUp::Auto => planned.map_or(Duration::MAX, |length| length / 2).min(WarmUp::LONGEST_FOUND),
        };
        let watched = thresholds.iter().map(Watched::new).collect();
        Self { watched, settling: settling.as_secs(), stop: None }
    }

    /// Takes in a second that is over. They come in order and without gaps, from the origin on.
    pub fn push(&mut self, second: &Second, series: &[SeriesKey], plugins: &[PluginFacts]) {
        let length = Duration::from_secs(1);
        let stretch =
            Stretch { metrics: &second.sums, series, plugins, iterations: second.iterations, length };
        for watched in self.watched.iter_mut().flatten() {
            let stop = watched.push(second.number, self.settling, &stretch);
            self.stop = self.stop.take().or(stop);
        }
    }

    /// Why the run is to end, if it is: the first threshold that did not hold and is to end it.
    pub fn failed_for_abort(&self) -> Option<&StopReason> {
        self.stop.as_ref()
    }

    /// What the windows came to of a run that was measured for `measured` from the origin on, of which `trimmed` is left out. A window
    /// counts that lies wholly in between.
    pub fn finish(self, measured: Duration, trimmed: Duration) -> Windows {
        let (first, end) = (trimmed.as_secs(), (measured + TOLERANCE).as_secs());
        let windows = self.watched.iter().map(|watched| watched.as_ref()?.windowed(first, end));
        Windows(windows.collect())
    }
}

impl Windows {
    /// What became of the threshold at this place.
    pub(super) fn of(&self, place: usize) -> Option<Windowed> {
        self.0.get(place).copied().flatten()
    }
}

impl Watched {
    fn new(threshold: &Threshold) -> Option<Self> {
        (threshold.window.is_some() || threshold.abort.is_some()).then(|| Self {
            threshold: threshold.clone(),
            portion: Tally::default(),
            sum: Tally::default(),
            ring: VecDeque::new(),
            seen: Vec::new(),
            bound: threshold.bound.in_base_unit(),
        })
    }

    /// Takes in a second. Why the run is to end, if it is.
    fn push(&mut self, second: u64, settling: u64, stretch: &Stretch<'_>) -> Option<StopReason> {
        let end = second + 1;
        let (seen, from) = match self.threshold.window {
            Some(window) => {
                let seen = self.slide(window, stretch)?;
                (seen, end - u64::from(window.seconds()))
            }
            None if second < settling => return None,
            None => {
                self.sum.gather(&self.threshold, stretch);
                (self.see(Duration::from_secs(end - settling)), settling)
            }
        };
        let measured = Duration::from_secs(end.saturating_sub(settling));
        let due = self.threshold.abort.is_some_and(|abort| from >= settling && measured >= abort.after);
        let (unit, bound) = scale(&self.threshold, stretch.plugins).ok()?;
        self.bound = bound;
        let failed = self.says(seen) && !self.threshold.comparison.holds(seen.observed, bound);
        (due && failed).then(|| {
            let observed = if seen.observed.is_finite() {
                shown(seen.observed, bound, &unit)
            } else {
                "more than is recorded".to_owned()
            };
            let finding = format!("observed {observed} from {from} s to {end} s");
            StopReason::ThresholdFailed { text: self.threshold.to_string(), finding }
        })
    }

    /// Moves the window on by a second. What it came to, if it is full.
    fn slide(&mut self, window: Window, stretch: &Stretch<'_>) -> Option<Seen> {
        self.portion.clear();
        self.portion.gather(&self.threshold, stretch);
        self.sum.add(&self.portion);
        self.ring.push_back(self.portion.pack());
        let seconds = window.seconds() as usize;
        if self.ring.len() > seconds
            && let Some(oldest) = self.ring.pop_front()
        {
            self.sum.take_distributions_away(&oldest);
        }
        if self.ring.len() < seconds {
            return None;
        }
        // Summed up anew: the smallest and the largest of the rest follow from no difference, and sums of fractions drift.
        self.sum.counts = Counts::default();
        self.ring.iter().for_each(|second| self.sum.counts.add(&second.counts));
        let seen = self.see(window.length());
        self.seen.push(seen);
        Some(seen)
    }

    fn see(&self, length: Duration) -> Seen {
        let observed = match observed(&self.threshold, &self.sum, length) {
            Observed::Value(value) => value,
            Observed::Beyond => f64::INFINITY,
            Observed::Nothing(_) => 0.0,
        };
        Seen { observed, samples: self.sum.counts.samples }
    }

    /// Whether it says anything. That nothing happened does, where the threshold is about how much happens in a window.
    fn says(&self, seen: Seen) -> bool {
        let amount = matches!(self.threshold.aggregate, Aggregate::Count | Aggregate::PerSecond);
        seen.samples > 0 || (amount && self.threshold.window.is_some())
    }

    /// The worst of the windows that lie between these seconds; `None` where there are none.
    fn windowed(&self, first: u64, end: u64) -> Option<Windowed> {
        let length = u64::from(self.threshold.window?.seconds());
        let windows = (0_u64..).zip(&self.seen).filter(|(from, _)| *from >= first && from + length <= end);
        let windows: Vec<(u64, Seen)> = windows.map(|(from, seen)| (from, *seen)).collect();
        if windows.iter().all(|(_, seen)| seen.samples == 0) {
            return (!windows.is_empty()).then_some(Windowed::Unsampled { windows: windows.len() as u64 });
        }
        let margin = |seen: Seen| self.threshold.comparison.margin(seen.observed, self.bound);
        let telling = windows.into_iter().filter(|(_, seen)| self.says(*seen));
        let worst = telling.min_by(|left, right| margin(left.1).total_cmp(&margin(right.1)));
        worst.map(|(from, seen)| Windowed::Worst { from, seen })
    }
}
