//! What plugins counted: their checks, and the metrics that they declare.

use super::{Observed, Reading, Stretch, filtered_by, nothing};
use crate::judge::{MetricFacts, MetricKind, PluginFacts, PluginMetrics, Trend};
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
    let declared = match declared(name, threshold, stretch.plugins) {
        Ok(declared) => declared,
        Err(why) => {
            let bound = threshold.bound.value;
            return Reading { observed: Observed::Nothing(why), samples: 0, unit: String::new(), bound };
        }
    };
    let values = Combined::of(&declared.places, stretch.metrics.plugins());
    let observed = match values.count {
        0 => nothing("no samples"),
        _ => values.observed(threshold.aggregate, stretch),
    };
    Reading { observed, samples: values.count, unit: declared.unit, bound: declared.bound }
}

/// A custom metric that plugins declare in such a way that a threshold can be judged.
#[derive(Debug)]
pub(super) struct Declared {
    /// The number of each plugin that declares it, and of the metric among that plugin's.
    places: Vec<(usize, usize)>,
    /// The unit of what the metric comes to.
    unit: String,
    /// The bound in that unit.
    bound: f64,
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
    fn of(places: &[(usize, usize)], plugins: &[PluginMetrics]) -> Self {
        let mut sum = Self { min: f64::INFINITY, max: f64::NEG_INFINITY, ..Self::default() };
        let values = places.iter().filter_map(|(plugin, index)| plugins.get(*plugin)?.values.get(*index));
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
