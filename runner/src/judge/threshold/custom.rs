//! Metrics that plugins declare: whether a threshold on one can be judged, and what its values come to.

use std::time::Duration;

use super::tally::Tally;
use super::{Observed, filtered_by, per_second};
use crate::judge::{MetricFacts, MetricKind, PluginFacts};
use crate::plan::Threshold;
use crate::plan::threshold::{Aggregate, Bound, Subject, Unit};

/// A custom metric that plugins declare in such a way that a threshold can be judged.
#[derive(Debug)]
pub(super) struct Declared {
    /// The number of each plugin that declares it, and of the metric among that plugin's.
    pub(super) places: Vec<(usize, usize)>,
    /// The unit of what the metric comes to.
    pub(super) unit: String,
    /// The bound in that unit.
    pub(super) bound: f64,
}

/// What plugins declare under a name; or why a threshold on it cannot be judged, as a fragment for a person.
pub(super) fn declared(
    name: &str,
    threshold: &Threshold,
    plugins: &[PluginFacts],
) -> Result<Declared, String> {
    let scenario = filtered_by(threshold, Subject::Scenario);
    let counted =
        plugins.iter().enumerate().filter(|(_, facts)| scenario.is_none_or(|name| name == facts.scenario));
    let declarations: Vec<(usize, usize, &MetricFacts)> = counted
        .filter_map(|(plugin, facts)| {
            let index = facts.metrics.iter().position(|metric| metric.name == name)?;
            Some((plugin, index, &facts.metrics[index]))
        })
        .collect();
    let Some((.., facts)) = declarations.first() else {
        return Err("no plugin declares this metric".to_owned());
    };
    if declarations.iter().any(|(.., other)| (other.kind, &other.unit) != (facts.kind, &facts.unit)) {
        return Err("plugins declare this metric in different ways; filter by scenario".to_owned());
    }
    let aggregate = threshold.aggregate;
    if !has(facts.kind, aggregate) {
        return Err(format!("{} has no {aggregate}; it has {}", title(facts.kind), words(facts.kind)));
    }
    let unit = match aggregate {
        Aggregate::Rate => "ratio",
        Aggregate::PerSecond => "per_s",
        _ => facts.unit.as_deref().unwrap_or_default(),
    };
    let bound = converted(threshold.bound, unit).ok_or_else(|| {
        let metric = if unit.is_empty() { "without a unit".to_owned() } else { format!("in `{unit}`") };
        format!("a bound in `{}` cannot be compared with a metric {metric}", threshold.bound.unit.as_str())
    })?;
    let places = declarations.iter().map(|(plugin, index, _)| (*plugin, *index)).collect();
    Ok(Declared { places, unit: unit.to_owned(), bound })
}

/// What the values of a custom metric come to.
pub(super) fn observed(aggregate: Aggregate, tally: &Tally, length: Duration) -> Observed {
    let quantile = |quantile| tally.trend.quantile(quantile).map_or(Observed::Beyond, Observed::Value);
    let counts = &tally.counts;
    match aggregate {
        Aggregate::Percentile(percentile) => quantile(percentile.quantile()),
        Aggregate::Median => quantile(0.5),
        Aggregate::Mean => Observed::Value(counts.sum / counts.samples as f64),
        Aggregate::Min => Observed::Value(counts.min),
        Aggregate::Max => Observed::Value(counts.max),
        Aggregate::Rate => Observed::Value(counts.hits as f64 / counts.samples as f64),
        Aggregate::Count => Observed::Value(counts.sum),
        Aggregate::PerSecond => per_second(counts.sum, length),
    }
}

/// Whether metrics of this kind have this aggregate.
fn has(kind: MetricKind, aggregate: Aggregate) -> bool {
    match kind {
        MetricKind::Counter => matches!(aggregate, Aggregate::Count | Aggregate::PerSecond),
        MetricKind::Gauge => matches!(aggregate, Aggregate::Mean | Aggregate::Min | Aggregate::Max),
        MetricKind::Rate => aggregate == Aggregate::Rate,
        MetricKind::Trend => !matches!(aggregate, Aggregate::Rate | Aggregate::Count | Aggregate::PerSecond),
    }
}

fn title(kind: MetricKind) -> &'static str {
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
