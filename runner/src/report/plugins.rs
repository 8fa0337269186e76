//! The scenarios that were plugins: what their code cost, how it failed, and what it checked and measured itself.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figures::{per_second, ratio, rounded, whole_micros};
use crate::judge::{
    CheckCounts, LogLevel, MetricFacts, MetricKind, Observation, PluginFacts, PluginFault, PluginMetrics,
    Trend, Values,
};

/// `plugins[SCENARIO]`: what one plugin did in the whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PluginReport {
    /// Its name, by its own account.
    pub name: String,
    /// Its version, by its own account.
    pub version: String,
    /// The component's file, as it was named.
    pub file: String,
    /// SHA-256 of the component, hexadecimal.
    pub sha256: String,
    /// Version of the interface it was built for.
    pub interface: String,
    /// Whether every virtual user had an instance of its own; else those of a worker shared one.
    pub own_instances: bool,
    /// Instances started.
    pub instances: u64,
    /// Why it was given up during the run; null where it was not.
    pub given_up: Option<String>,
    /// Iterations that were planned to their end.
    pub iterations: u64,
    /// Iterations that the plugin's failure ended.
    pub failed_iterations: u64,
    /// Calls that plan or learn.
    pub calls: CallTimes,
    /// Time of all calls together, those that start something included.
    pub guest_time_us: u64,
    /// Of it: time of the calls that start something.
    pub start_time_us: u64,
    /// CPU time of all worker threads together.
    pub workers_cpu_us: u64,
    /// The plugin's share of what the generator cost, at most: `guest_time_us / workers_cpu_us`, and no more than 1, because its time is
    /// taken by the wall and a busy machine takes some of it away. Null where that was not measured.
    pub cpu_share_ratio: Option<f64>,
    /// How it failed, one entry per kind and message; the first 64 in that order.
    pub failures: Vec<PluginFailures>,
    /// Failures beyond those.
    pub further_failures: u64,
    /// Its checks by name; the first 1,000 in text order.
    pub checks: BTreeMap<String, Check>,
    /// Verdicts of checks beyond those.
    pub further_checks: u64,
    /// Its custom metrics by name.
    pub metrics: BTreeMap<String, CustomMetric>,
    /// What it logged, each line once.
    pub log: Vec<LoggedLine>,
    /// Lines it logged beyond those.
    pub further_log_lines: u64,
}

/// Times of calls in microseconds; null where there were none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallTimes {
    /// How many.
    pub count: u64,
    /// Median.
    pub p50_us: Option<f64>,
    /// 90th percentile.
    pub p90_us: Option<f64>,
    /// 99th percentile.
    pub p99_us: Option<f64>,
    /// Longest.
    pub max_us: Option<f64>,
}

/// Failures of one kind with one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginFailures {
    /// How it failed.
    pub fault: PluginFault,
    /// What the plugin said, or what is to be said of it.
    pub message: String,
    /// How many.
    pub count: u64,
    /// The first of them, by iteration: which iteration of its virtual user.
    pub iteration: u64,
    /// The first: which virtual user.
    pub vu: u64,
    /// The first: where in the plugin's code, innermost first.
    pub backtrace: Vec<String>,
}

/// Verdicts of one check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// How often it held.
    pub passed: u64,
    /// How often it did not.
    pub failed: u64,
    /// `passed / (passed + failed)`.
    pub passed_ratio: f64,
    /// What one that failed said.
    pub message: Option<String>,
}

/// The values of one custom metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomMetric {
    /// Its unit, for people.
    pub unit: Option<String>,
    /// How many values there were.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// What its kind makes of them.
    #[serde(flatten)]
    pub summary: Summary,
}

/// What is made of the values of a custom metric; figures are null where there were none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Summary {
    /// They add up.
    Counter {
        /// The sum over the measured window.
        per_s: f64,
    },
    /// They are a level.
    Gauge {
        /// Lowest.
        min: Option<f64>,
        /// Mean.
        mean: Option<f64>,
        /// Highest.
        max: Option<f64>,
    },
    /// Each is zero or something else.
    Rate {
        /// How many were other than zero.
        nonzero: u64,
        /// `nonzero / count`.
        nonzero_ratio: f64,
    },
    /// They are a distribution.
    Trend {
        /// Smallest.
        min: Option<f64>,
        /// Mean.
        mean: Option<f64>,
        /// Median.
        p50: Option<f64>,
        /// 90th percentile.
        p90: Option<f64>,
        /// 95th percentile.
        p95: Option<f64>,
        /// 99th percentile.
        p99: Option<f64>,
        /// Largest.
        max: Option<f64>,
        /// The distribution, whole.
        histogram: Option<EncodedTrend>,
    },
}

/// A histogram of thousandths, 0.001 to 10^12, three significant digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EncodedTrend {
    /// `HdrHistogram`'s V2 form, deflated, in base64.
    pub hdr_v2_deflate_base64: String,
    /// Values above 10^12, which are not in it.
    pub overflow: u64,
}

/// A line that a plugin logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedLine {
    /// How important it is.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
    /// How often.
    pub count: u64,
}

/// Every plugin by its scenario.
pub(super) fn plugins(observation: &Observation) -> BTreeMap<String, PluginReport> {
    let reports = observation
        .plugins()
        .map(|(facts, metrics)| (facts.scenario.clone(), PluginReport::new(facts, metrics, observation)));
    reports.collect()
}

impl PluginReport {
    fn new(facts: &PluginFacts, metrics: &PluginMetrics, observation: &Observation) -> Self {
        let workers_cpu: Duration = observation.generator.workers.iter().map(|worker| worker.cpu).sum();
        let share = metrics.guest_time.as_secs_f64() / workers_cpu.as_secs_f64();
        let retired = observation.retired.iter().find(|plugin| plugin.scenario == facts.scenario);
        let custom = facts.metrics.iter().enumerate().map(|(index, metric)| {
            let values = metrics.values.get(index).cloned().unwrap_or_default();
            (metric.name.clone(), CustomMetric::new(metric, &values, observation.measured()))
        });
        Self {
            name: facts.name.clone(),
            version: facts.version.clone(),
            file: facts.file.clone(),
            sha256: facts.sha256.clone(),
            interface: facts.interface.clone(),
            own_instances: facts.own_instances,
            instances: metrics.instances,
            given_up: retired.map(|plugin| plugin.message.clone()),
            iterations: metrics.iterations,
            failed_iterations: metrics.failed_iterations,
            calls: CallTimes::new(&metrics.call_us),
            guest_time_us: whole_micros(metrics.guest_time),
            start_time_us: whole_micros(metrics.start_time),
            workers_cpu_us: whole_micros(workers_cpu),
            cpu_share_ratio: (!workers_cpu.is_zero()).then(|| rounded(share.min(1.0))),
            failures: failures(metrics),
            further_failures: metrics.further_failures,
            checks: metrics.checks.iter().map(|(name, counts)| (name.clone(), Check::from(counts))).collect(),
            further_checks: metrics.further_checks,
            metrics: custom.collect(),
            log: log(metrics),
            further_log_lines: metrics.further_log_lines,
        }
    }
}

fn failures(metrics: &PluginMetrics) -> Vec<PluginFailures> {
    let failures = metrics.failures.iter().map(|failure| PluginFailures {
        fault: failure.fault,
        message: failure.message.clone(),
        count: failure.count,
        iteration: failure.iteration,
        vu: failure.vu,
        backtrace: failure.backtrace.clone(),
    });
    failures.collect()
}

fn log(metrics: &PluginMetrics) -> Vec<LoggedLine> {
    let lines = metrics.log.iter().map(|line| LoggedLine {
        level: line.level,
        message: line.message.clone(),
        count: line.count,
    });
    lines.collect()
}

impl CallTimes {
    fn new(calls: &Trend) -> Self {
        Self {
            count: calls.count(),
            p50_us: calls.quantile(0.5),
            p90_us: calls.quantile(0.9),
            p99_us: calls.quantile(0.99),
            max_us: calls.max(),
        }
    }
}

impl From<&CheckCounts> for Check {
    fn from(counts: &CheckCounts) -> Self {
        let CheckCounts { passed, failed, message } = counts;
        Self {
            passed: *passed,
            failed: *failed,
            passed_ratio: ratio(*passed, passed + failed),
            message: message.clone(),
        }
    }
}

impl CustomMetric {
    fn new(facts: &MetricFacts, values: &Values, window: Duration) -> Self {
        Self {
            unit: facts.unit.clone(),
            count: values.count,
            sum: shortened(values.sum),
            summary: Summary::new(facts.kind, values, window),
        }
    }
}

impl Summary {
    fn new(kind: MetricKind, values: &Values, window: Duration) -> Self {
        let Values { count, sum, trend, .. } = values;
        let known = |figure: f64| (*count > 0).then(|| shortened(figure));
        let mean = known(sum / *count as f64);
        match kind {
            MetricKind::Counter => Self::Counter { per_s: shortened(per_second(*sum, window)) },
            MetricKind::Gauge => Self::Gauge { min: known(values.min), mean, max: known(values.max) },
            MetricKind::Rate => {
                Self::Rate { nonzero: values.nonzero, nonzero_ratio: ratio(values.nonzero, *count) }
            }
            MetricKind::Trend => Self::Trend {
                min: known(values.min),
                mean,
                p50: trend.quantile(0.5),
                p90: trend.quantile(0.9),
                p95: trend.quantile(0.95),
                p99: trend.quantile(0.99),
                max: known(values.max),
                histogram: EncodedTrend::of(trend),
            },
        }
    }
}

impl EncodedTrend {
    fn of(trend: &Trend) -> Option<Self> {
        (!trend.is_empty())
            .then(|| Self { hdr_v2_deflate_base64: trend.to_base64(), overflow: trend.overflow() })
    }

    /// The distribution itself, or why it cannot be read.
    pub fn decode(&self) -> Result<Trend, String> {
        Trend::from_base64(&self.hdr_v2_deflate_base64, self.overflow)
    }
}

/// As many decimals as every JSON reader gives back the same number for; and no infinity, which JSON does not know.
fn shortened(value: f64) -> f64 {
    match value.abs() {
        ..1e9 => rounded(value),
        1e9..1e15 => value.round(),
        _ => value.clamp(f64::MIN, f64::MAX),
    }
}

#[cfg(test)]
pub(super) mod tests;
