//! Whether a run shows what was demanded of it. In: thresholds and what was measured over a stretch of time. Out: a result for each,
//! with what was observed and how far from its bound that is. A threshold that nothing was measured for has failed.

mod custom;
#[cfg(test)]
mod tests;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wording::{count, rate, share, time};
use super::{Histogram, Metrics, Observation, PluginFacts, SeriesMetrics};
use crate::plan::threshold::{Aggregate, Clock, FailureClass, Metric, Subject};
use crate::plan::{SeriesKey, Threshold};

/// What was measured over a stretch of time: so far, the whole run.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    /// Its samples, and what plugins counted in it.
    pub metrics: &'a Metrics,
    /// What each series of the metrics counts.
    pub series: &'a [SeriesKey],
    /// The plugins, in the order of [`Metrics::plugins`].
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
}

/// What a metric came to.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    observed: Observed,
    samples: u64,
    unit: String,
    /// What the bound is in that unit.
    bound: f64,
}

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
    /// The whole run.
    pub fn whole(observation: &'a Observation) -> Self {
        Self {
            metrics: &observation.metrics,
            series: &observation.series,
            plugins: &observation.plugins,
            iterations: observation.books.iterations_completed,
            length: observation.window,
        }
    }

    /// The sum of the calls that count for a threshold.
    fn calls(&self, threshold: &Threshold) -> SeriesMetrics {
        self.metrics.sum(|id| self.series.get(id.index()).is_some_and(|key| threshold.covers(key)))
    }

    fn per_second(&self, number: f64) -> Observed {
        match self.length.as_secs_f64() {
            seconds if seconds > 0.0 => Observed::Value(number / seconds),
            _ => nothing("no time was measured"),
        }
    }
}

/// Judges every threshold, in the order in which they were asked for.
pub fn judge_thresholds(thresholds: &[Threshold], stretch: &Stretch<'_>) -> Vec<ThresholdResult> {
    thresholds.iter().map(|threshold| judge(threshold, stretch)).collect()
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

fn judge(threshold: &Threshold, stretch: &Stretch<'_>) -> ThresholdResult {
    let Reading { observed, samples, unit, bound } = reading(threshold, stretch);
    let comparison = threshold.comparison;
    let passed = match observed {
        Observed::Value(value) => comparison.holds(value, bound),
        Observed::Beyond => comparison.holds(f64::INFINITY, bound),
        Observed::Nothing(_) => false,
    };
    let value = match observed {
        Observed::Value(value) => Some(value),
        Observed::Beyond | Observed::Nothing(_) => None,
    };
    let finding = match observed {
        Observed::Value(value) => format!("observed {}", shown(value, bound, &unit)),
        Observed::Beyond => "observed more than is recorded".to_owned(),
        Observed::Nothing(why) => why,
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
        "us" => time(whole(value)),
        "ratio" => share(value),
        "count" => count(whole(value)),
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

fn whole(value: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "as casts saturate at both ends"
    )]
    let whole = value.round() as u64;
    whole
}

fn nothing(why: &str) -> Observed {
    Observed::Nothing(why.to_owned())
}

fn reading(threshold: &Threshold, stretch: &Stretch<'_>) -> Reading {
    let aggregate = threshold.aggregate;
    let (observed, samples) = match &threshold.metric {
        Metric::Custom(name) => return custom::reading(name, threshold, stretch),
        Metric::Checks => custom::checks(threshold, stretch),
        Metric::Time(clock) => {
            let calls = stretch.calls(threshold);
            let times = histogram(&calls, *clock);
            (statistic(times, aggregate), times.count())
        }
        Metric::Iterations => (Observed::Value(stretch.iterations as f64), stretch.iterations),
        Metric::Requests | Metric::Ok | Metric::Errors | Metric::Failures(_) => {
            let calls = stretch.calls(threshold);
            (amount(&threshold.metric, aggregate, &calls, stretch), calls.outcomes.requests())
        }
    };
    let unit = match aggregate {
        Aggregate::Rate => "ratio",
        Aggregate::Count => "count",
        Aggregate::PerSecond => "per_s",
        _ => "us",
    };
    let observed = if samples == 0 { nothing("no samples") } else { observed };
    Reading { observed, samples, unit: unit.to_owned(), bound: threshold.bound.in_base_unit() }
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

fn amount(metric: &Metric, aggregate: Aggregate, calls: &SeriesMetrics, stretch: &Stretch<'_>) -> Observed {
    let outcomes = &calls.outcomes;
    let (number, in_window) = match metric {
        Metric::Ok => (outcomes.ok(), calls.in_window_ok),
        Metric::Errors => (outcomes.errors(), calls.in_window - calls.in_window_ok),
        Metric::Failures(class) => {
            let counts = outcomes.by_class();
            let found = counts.iter().find(|(name, _)| *name == class.as_str());
            (found.map_or(0, |(_, count)| *count), 0)
        }
        _ => (outcomes.requests(), calls.in_window),
    };
    match aggregate {
        Aggregate::Rate => Observed::Value(number as f64 / outcomes.requests() as f64),
        Aggregate::PerSecond => stretch.per_second(in_window as f64),
        _ => Observed::Value(number as f64),
    }
}

/// The name that a filter asks for, if one asks for this subject.
fn filtered_by(threshold: &Threshold, subject: Subject) -> Option<&str> {
    let filter = threshold.filters.iter().find(|filter| filter.subject == subject)?;
    Some(&filter.name)
}
