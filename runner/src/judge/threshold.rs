//! Whether a run shows what was demanded of it. In: thresholds and what was measured over a stretch of time. Out: a result for each,
//! with what was observed and how far from its bound that is. A threshold that nothing was measured for has failed.

mod custom;
mod tally;
#[cfg(test)]
mod tests;
mod watch;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wording::{count, counted, rate, rounded, share, time};
use super::{Histogram, Observation, PluginFacts, SeriesMetrics, Sums};
use crate::plan::threshold::{Aggregate, Clock, FailureClass, Metric, Subject};
use crate::plan::{SeriesId, SeriesKey, Threshold};
use tally::{Counts, Tally};
use watch::{Seen, Windowed};
pub use watch::{ThresholdWatch, Windows};

/// What was measured over a stretch of time: a second, or a whole run.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    /// Its samples, and what plugins counted in it.
    pub metrics: &'a Sums,
    /// What each series of the metrics counts.
    pub series: &'a [SeriesKey],
    /// The plugins, in the order of [`Sums::plugins`].
    pub plugins: &'a [PluginFacts],
    /// Iterations whose steps were all done in it.
    pub iterations: u64,
    /// How long it is, for what is counted per second.
    pub length: Duration,
}

/// What became of one threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdResult {
    /// The threshold: `response_time{tool=search} p(99) < 300ms`.
    pub text: String,
    /// Its metric: `response_time`.
    pub metric: String,
    /// Whether it held.
    pub passed: bool,
    /// What was observed, in `unit`; null where nothing was, or where it lies above what is recorded.
    pub observed: Option<f64>,
    /// The bound, in `unit`.
    pub bound: f64,
    /// `us`, `ratio`, `count`, `per_s`, or the unit that a plugin gave its metric; empty where it gave none.
    pub unit: String,
    /// How far inside the bound the observed value is, in `unit`; negative outside.
    pub margin: Option<f64>,
    /// How many values it is judged by: times, calls, checks, iterations, or values of a custom metric.
    pub samples: u64,
    /// What was observed, or why nothing was, as a fragment for a person.
    pub finding: String,
    /// Length of its window, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_s: Option<u64>,
    /// Where the worst window begins, in whole seconds since the run's start; `observed`, `margin` and `samples` are those of that
    /// window. Absent where there is no such window, because the run was shorter, or none had samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_from_s: Option<u64>,
}

/// What a metric came to.
#[derive(Debug, Clone, PartialEq)]
enum Observed {
    /// This number.
    Value(f64),
    /// More than is recorded.
    Beyond,
    /// Nothing, for this reason.
    Nothing(String),
}

impl<'a> Stretch<'a> {
    /// The whole run, without what is left out of its beginning; iterations are those of all of it.
    pub fn whole(observation: &'a Observation) -> Self {
        Self {
            metrics: observation.metrics.sums(),
            series: &observation.series,
            plugins: &observation.plugins,
            iterations: observation.books.iterations_completed,
            length: observation.measured(),
        }
    }

    /// The series that count for a threshold.
    fn covered(&self, threshold: &Threshold) -> impl Iterator<Item = &'a SeriesMetrics> {
        let covered = (0_u32..).map(SeriesId).zip(self.series).filter(|(_, key)| threshold.covers(key));
        covered.map(|(id, _)| self.metrics.series(id))
    }
}

/// Judges every threshold, in the order in which they were asked for: those without a window by the whole stretch, the others by what
/// the watch saw of theirs, or by the whole stretch where it was too short for one window.
pub fn judge_thresholds(
    thresholds: &[Threshold],
    stretch: &Stretch<'_>,
    windows: &Windows,
) -> Vec<ThresholdResult> {
    let judged = thresholds.iter().enumerate();
    judged.map(|(place, threshold)| judge(threshold, stretch, windows.of(place))).collect()
}

/// The thresholds on custom metrics that these plugins cannot meet or miss, each with the reason: to be refused before any load is
/// sent, as soon as the plugins are known.
pub fn unanswerable<'a>(
    thresholds: &'a [Threshold],
    plugins: &[PluginFacts],
) -> Vec<(&'a Threshold, String)> {
    let refused = thresholds.iter().filter_map(|threshold| match &threshold.metric {
        Metric::Custom(name) => Some((threshold, custom::declared(name, threshold, plugins).err()?)),
        _ => None,
    });
    refused.collect()
}

fn judge(threshold: &Threshold, stretch: &Stretch<'_>, windowed: Option<Windowed>) -> ThresholdResult {
    let window_s = threshold.window.map(|window| u64::from(window.seconds()));
    let (unit, bound) = match scale(threshold, stretch.plugins) {
        Ok(scale) => scale,
        Err(why) => {
            return result(threshold, (String::new(), threshold.bound.value), &Observed::Nothing(why), 0);
        }
    };
    let scale = (unit, bound);
    match windowed {
        None => {
            let mut tally = Tally::default();
            tally.gather(threshold, stretch);
            let samples = tally.counts.samples;
            let observed = if samples == 0 {
                nothing("no samples")
            } else {
                observed(threshold, &tally, stretch.length)
            };
            let mut result = result(threshold, scale, &observed, samples);
            if window_s.is_some() {
                result.finding += " in the whole run, which is shorter than the window";
            }
            ThresholdResult { window_s, ..result }
        }
        Some(Windowed::Unsampled { windows }) => {
            let why = nothing(&format!("no samples in any of {}", counted(windows, "window")));
            ThresholdResult { window_s, ..result(threshold, scale, &why, 0) }
        }
        Some(Windowed::Worst { from, seen: Seen { observed, samples } }) => {
            let observed = if observed.is_finite() { Observed::Value(observed) } else { Observed::Beyond };
            let result = result(threshold, scale, &observed, samples);
            let end = from + window_s.unwrap_or_default();
            let finding = format!("{} from {from} s to {end} s", result.finding);
            ThresholdResult { window_s, window_from_s: Some(from), finding, ..result }
        }
    }
}

/// The result of what was observed, in the unit and with the bound of `scale`.
fn result(
    threshold: &Threshold,
    (unit, bound): (String, f64),
    observed: &Observed,
    samples: u64,
) -> ThresholdResult {
    let comparison = threshold.comparison;
    let (value, passed, finding) = match observed {
        Observed::Value(value) => (
            Some(*value),
            comparison.holds(*value, bound),
            format!("observed {}", shown(*value, bound, &unit)),
        ),
        Observed::Beyond => {
            (None, comparison.holds(f64::INFINITY, bound), "observed more than is recorded".to_owned())
        }
        Observed::Nothing(why) => (None, false, why.clone()),
    };
    ThresholdResult {
        text: threshold.to_string(),
        metric: threshold.metric.to_string(),
        passed,
        observed: value,
        bound,
        margin: value.map(|value| comparison.margin(value, bound)),
        unit,
        samples,
        finding,
        window_s: None,
        window_from_s: None,
    }
}

/// What the number of a threshold is counted in, and its bound in that unit; or why it cannot be judged.
fn scale(threshold: &Threshold, plugins: &[PluginFacts]) -> Result<(String, f64), String> {
    let unit = match (&threshold.metric, threshold.aggregate) {
        (Metric::Custom(name), _) => {
            let declared = custom::declared(name, threshold, plugins)?;
            return Ok((declared.unit, declared.bound));
        }
        (_, Aggregate::Rate) => "ratio",
        (_, Aggregate::Count) => "count",
        (_, Aggregate::PerSecond) => "per_s",
        _ => "us",
    };
    Ok((unit.to_owned(), threshold.bound.in_base_unit()))
}

/// What a tally over so long a time comes to. There are samples in it, or the number is one of how much there is.
fn observed(threshold: &Threshold, tally: &Tally, length: Duration) -> Observed {
    let aggregate = threshold.aggregate;
    let Counts { samples, hits, in_window, .. } = tally.counts;
    match (&threshold.metric, aggregate) {
        (Metric::Custom(_), _) => custom::observed(aggregate, tally, length),
        (Metric::Time(_), _) => statistic(&tally.times, aggregate),
        (_, Aggregate::Rate) => Observed::Value(hits as f64 / samples as f64),
        (_, Aggregate::PerSecond) => per_second(in_window as f64, length),
        _ => Observed::Value(hits as f64),
    }
}

fn per_second(number: f64, length: Duration) -> Observed {
    match length.as_secs_f64() {
        seconds if seconds > 0.0 => Observed::Value(number / seconds),
        _ => nothing("no time was measured"),
    }
}

impl ThresholdResult {
    /// What was observed, for a person; `None` where nothing was.
    pub fn shown(&self) -> Option<String> {
        self.observed.map(|observed| shown(observed, self.bound, &self.unit))
    }

    /// How far inside the bound the observed value is, as a share of the bound; negative outside. `None` where there is no such share.
    pub fn margin_ratio(&self) -> Option<f64> {
        let bound = self.bound.abs();
        self.margin.filter(|_| bound > 0.0).map(|margin| margin / bound)
    }

    /// Whether it is about calls that failed.
    pub(super) fn limits_failures(&self) -> bool {
        let classes = FailureClass::ALL.map(FailureClass::as_str);
        ["errors", "ok"].into_iter().chain(classes).any(|metric| metric == self.metric)
    }

    /// Orders failures, the worst first: what was measured, by how far outside it is, before what was not.
    pub(super) fn severity(&self) -> f64 {
        match (self.margin, self.margin_ratio()) {
            (_, Some(ratio)) => ratio,
            (Some(_), None) => f64::NEG_INFINITY,
            (None, None) => 0.0,
        }
    }
}

/// A value as a person reads it; with more digits where it would look like the bound and is not.
fn shown(value: f64, bound: f64, unit: &str) -> String {
    let short = |value: f64| match unit {
        "us" => time(rounded(value)),
        "ratio" => share(value),
        "count" => count(rounded(value)),
        "per_s" => format!("{}/s", rate(value)),
        "" => rate(value),
        unit => format!("{} {unit}", rate(value)),
    };
    if short(value) != short(bound) || value.total_cmp(&bound).is_eq() {
        return short(value);
    }
    let exact = |value: f64| (value * 1e6).round() / 1e6;
    match unit {
        "us" => format!("{} µs", exact(value)),
        "ratio" => format!("{} %", exact(value * 100.0)),
        unit => format!("{} {unit}", exact(value)).trim_end().to_owned(),
    }
}

fn nothing(why: &str) -> Observed {
    Observed::Nothing(why.to_owned())
}

fn histogram(calls: &SeriesMetrics, clock: Clock) -> &Histogram {
    match clock {
        Clock::ResponseTime => &calls.response_time,
        Clock::ServiceTime => &calls.service_time,
        Clock::FailedTime => &calls.failed_time,
        Clock::Lateness => &calls.lateness,
        Clock::Headers => &calls.headers,
        Clock::FirstEvent => &calls.first_event,
        Clock::End => &calls.end,
    }
}

/// Microseconds.
fn statistic(times: &Histogram, aggregate: Aggregate) -> Observed {
    let time = match aggregate {
        Aggregate::Percentile(percentile) => times.quantile(percentile.quantile()),
        Aggregate::Median => times.quantile(0.5),
        Aggregate::Min => times.min(),
        Aggregate::Max => times.max(),
        // The mean of all of them is not known where some lie above what is recorded.
        Aggregate::Mean => times.mean().filter(|_| times.overflow() == 0),
        Aggregate::Rate | Aggregate::Count | Aggregate::PerSecond => {
            return nothing("times are not counted");
        }
    };
    time.map_or(Observed::Beyond, |time| Observed::Value(time.as_nanos() as f64 / 1e3))
}

/// The name that a filter asks for, if one asks for this subject.
fn filtered_by(threshold: &Threshold, subject: Subject) -> Option<&str> {
    let filter = threshold.filters.iter().find(|filter| filter.subject == subject)?;
    Some(&filter.name)
}
