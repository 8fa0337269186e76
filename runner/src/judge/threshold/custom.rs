//! What plugins counted: their checks, and the metrics that they declare.

use super::{Observed, Reading, Stretch, filtered_by, nothing};
use crate::judge::{MetricFacts, MetricKind, PluginMetrics, Trend};
use crate::plan::Threshold;
use crate::plan::threshold::{Aggregate, Bound, Subject, Unit};

/// The share of checks that held, and how many were made.
pub(super) fn checks(threshold: &Threshold, stretch: &Stretch<'_>) -> (Observed, u64) {
    let wanted = filtered_by(threshold, Subject::Check);
    let scenario = filtered_by(threshold, Subject::Scenario);
    let plugins = stretch.plugins.iter().zip(stretch.metrics.plugins());
    let counted = plugins.filter(|(facts, _)| scenario.is_none_or(|name| name == facts.scenario));
    let checks = counted.flat_map(|(_, metrics)| &metrics.checks);
    let counts = checks.filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name));
    let (passed, made) = counts.fold((0, 0), |(passed, made), (_, counts)| {
        (passed + counts.passed, made + counts.passed + counts.failed)
    });
    (Observed::Value(passed as f64 / made as f64), made)
}

/// A custom metric, over all plugins that declare it.
pub(super) fn reading(name: &str, threshold: &Threshold, stretch: &Stretch<'_>) -> Reading {
    let of =
        |observed, samples, unit: &str, bound| Reading { observed, samples, unit: unit.to_owned(), bound };
    let bound = threshold.bound;
    let declared: Vec<(&MetricFacts, Option<&PluginMetrics>, usize)> = declarations(name, threshold, stretch);
    let Some((facts, ..)) = declared.first() else {
        return of(nothing("no plugin declares this metric"), 0, "", bound.value);
    };
    if declared.iter().any(|(other, ..)| (other.kind, &other.unit) != (facts.kind, &facts.unit)) {
        return of(
            nothing("plugins declare this metric in different ways; filter by scenario"),
            0,
            "",
            bound.value,
        );
    }
    let Some(aggregate) = accepted(facts.kind, threshold.aggregate) else {
        let why =
            format!("{} has no {}; it has {}", kind(facts.kind), threshold.aggregate, words(facts.kind));
        return of(Observed::Nothing(why), 0, "", bound.value);
    };
    let metric_unit = facts.unit.as_deref().unwrap_or_default();
    let unit = match aggregate {
        Aggregate::Rate => "ratio",
        Aggregate::PerSecond => "per_s",
        _ => metric_unit,
    };
    let Some(bound) = converted(bound, unit) else {
        let why =
            format!("a bound in `{}` cannot be compared with a metric in `{unit}`", bound.unit.as_str());
        return of(Observed::Nothing(why), 0, unit, bound.value);
    };
    let values = Combined::of(&declared);
    let observed =
        if values.count == 0 { nothing("no samples") } else { values.observed(aggregate, stretch) };
    of(observed, values.count, unit, bound)
}

/// Whoever declares the metric, with what it counted so far, and the metric's number.
fn declarations<'a>(
    name: &str,
    threshold: &Threshold,
    stretch: &Stretch<'a>,
) -> Vec<(&'a MetricFacts, Option<&'a PluginMetrics>, usize)> {
    let scenario = filtered_by(threshold, Subject::Scenario);
    let wanted = stretch.plugins.iter().enumerate();
    let wanted = wanted.filter(|(_, facts)| scenario.is_none_or(|name| name == facts.scenario));
    let declared = wanted.filter_map(|(plugin, facts)| {
        let index = facts.metrics.iter().position(|metric| metric.name == name)?;
        Some((&facts.metrics[index], stretch.metrics.plugins().get(plugin), index))
    });
    declared.collect()
}

/// The values of one metric of several plugins.
#[derive(Default)]
struct Combined {
    count: u64,
    sum: f64,
    nonzero: u64,
    min: f64,
    max: f64,
    trend: Trend,
}

impl Combined {
    fn of(declared: &[(&MetricFacts, Option<&PluginMetrics>, usize)]) -> Self {
        let mut sum = Self { min: f64::INFINITY, max: f64::NEG_INFINITY, ..Self::default() };
        let values = declared.iter().filter_map(|(_, metrics, index)| (*metrics)?.values.get(*index));
        for values in values.filter(|values| values.count > 0) {
            sum.count += values.count;
            sum.sum += values.sum;
            sum.nonzero += values.nonzero;
            sum.min = sum.min.min(values.min);
            sum.max = sum.max.max(values.max);
            sum.trend.add(&values.trend);
        }
        sum
    }

    fn observed(&self, aggregate: Aggregate, stretch: &Stretch<'_>) -> Observed {
        let quantile = |quantile| self.trend.quantile(quantile).map_or(Observed::Beyond, Observed::Value);
        match aggregate {
            Aggregate::Percentile(percentile) => quantile(percentile.quantile()),
            Aggregate::Median => quantile(0.5),
            Aggregate::Mean => Observed::Value(self.sum / self.count as f64),
            Aggregate::Min => Observed::Value(self.min),
            Aggregate::Max => Observed::Value(self.max),
            Aggregate::Rate => Observed::Value(self.nonzero as f64 / self.count as f64),
            Aggregate::Count => Observed::Value(self.sum),
            Aggregate::PerSecond => stretch.per_second(self.sum),
        }
    }
}

/// The aggregate, if metrics of this kind have it.
fn accepted(kind: MetricKind, aggregate: Aggregate) -> Option<Aggregate> {
    let has = match kind {
        MetricKind::Counter => matches!(aggregate, Aggregate::Count | Aggregate::PerSecond),
        MetricKind::Gauge => matches!(aggregate, Aggregate::Mean | Aggregate::Min | Aggregate::Max),
        MetricKind::Rate => aggregate == Aggregate::Rate,
        MetricKind::Trend => !matches!(aggregate, Aggregate::Rate | Aggregate::Count | Aggregate::PerSecond),
    };
    has.then_some(aggregate)
}

fn kind(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "a counter",
        MetricKind::Gauge => "a gauge",
        MetricKind::Rate => "a rate",
        MetricKind::Trend => "a trend",
    }
}

fn words(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "count, per_s",
        MetricKind::Gauge => "mean, min, max",
        MetricKind::Rate => "rate",
        MetricKind::Trend => "p(N), med, mean, min, max",
    }
}

/// The bound in the unit of what it is compared with. A bare number is in that unit already; times and shares are converted.
fn converted(bound: Bound, unit: &str) -> Option<f64> {
    let micros = match unit {
        "us" | "µs" | "microseconds" => Some(1.0),
        "ms" | "milliseconds" => Some(1e3),
        "s" | "seconds" => Some(1e6),
        "m" | "min" | "minutes" => Some(6e7),
        _ => None,
    };
    match bound.unit {
        Unit::Plain => Some(bound.value),
        Unit::Percent if unit == "ratio" => Some(bound.in_base_unit()),
        Unit::Percent => (unit == "%").then_some(bound.value),
        Unit::PerSecond => (unit == "per_s").then_some(bound.value),
        _ => micros.map(|micros| bound.in_base_unit() / micros),
    }
}
