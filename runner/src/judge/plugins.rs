//! What the plugins of a run did: their calls and what those cost, their failures, their checks and custom metrics.
//!
//! In: one [`PluginMetrics`] per worker and tick for each scenario that is a plugin. Out: their sum, which does not depend on the
//! order of adding. Nothing here knows what a plugin is made of.

mod counting;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trend;

/// What is known of a plugin before the load: the same for the whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginFacts {
    /// The scenario that it is the script of.
    pub scenario: String,
    /// Its name, by its own account.
    pub name: String,
    /// Its version, by its own account.
    pub version: String,
    /// The component's file, as the user named it.
    pub file: String,
    /// SHA-256 of the component, lower-case hexadecimal: which code it was.
    pub sha256: String,
    /// Version of the interface it was built for, such as `0.1.0`.
    pub interface: String,
    /// Whether virtual users had instances of their own or shared one per worker.
    pub own_instances: bool,
    /// Custom metrics, in the order that [`PluginMetrics::values`] is in.
    pub metrics: Vec<MetricFacts>,
}

/// A custom metric, as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricFacts {
    /// Its name.
    pub name: String,
    /// How its values are summed up.
    pub kind: MetricKind,
    /// Unit for people.
    pub unit: Option<String>,
}

/// How the values of a custom metric are summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// Adds up.
    Counter,
    /// A level: smallest, largest, mean.
    Gauge,
    /// How many values were other than zero.
    Rate,
    /// A distribution.
    Trend,
}

/// What one plugin scenario did on one worker since the last tick, or on all over the whole run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PluginMetrics {
    /// Iterations that were planned to their end.
    pub iterations: u64,
    /// Iterations that the plugin's failure ended.
    pub failed_iterations: u64,
    /// Time of each call that plans or learns, microseconds.
    pub call_us: Trend,
    /// Time of all calls together, those that start something included.
    pub guest_time: Duration,
    /// Time of each call that starts something (instantiation, `setup`, `open`), microseconds.
    pub start_us: Trend,
    /// Of `guest_time`: time of the calls that start something.
    pub start_time: Duration,
    /// Instances started, those after a failure included.
    pub instances: u64,
    /// Failures, one entry for each kind and message, ordered by them; the first 64 in that order.
    pub failures: Vec<PluginFailure>,
    /// Failures beyond those.
    pub further_failures: u64,
    /// Checks by name; the first 1,000 in text order.
    pub checks: BTreeMap<String, CheckCounts>,
    /// Verdicts of checks beyond those.
    pub further_checks: u64,
    /// Values of the custom metrics, in the order of [`PluginFacts::metrics`]; empty where nothing was recorded yet.
    pub values: Vec<Values>,
    /// What it logged, each line once, ordered by level and text; of each level the first `log_limit` in that order.
    pub log: Vec<LogLine>,
    /// Most lines of a level that are kept, as [`PluginMetrics::log`] was told.
    pub log_limit: usize,
    /// Lines it logged beyond those.
    pub further_log_lines: u64,
}

/// How a plugin failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PluginFault {
    /// It said so itself: `next`, `open` or `setup` returned an error.
    Error,
    /// It trapped: a panic, an overflow of its stack, memory out of bounds.
    Trap,
    /// A call took longer than it may.
    Timeout,
    /// It wanted more memory than it may have.
    Memory,
    /// A step of its plan could not be made into a request.
    InvalidStep,
    /// It answered against the rules of the interface: no plan, too many steps, an undeclared metric.
    Contract,
}

/// Failures of one kind with one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFailure {
    /// How it failed.
    pub fault: PluginFault,
    /// What the plugin said, or what is to be said of it; cut off at 1,000 characters.
    pub message: String,
    /// How many there were.
    pub count: u64,
    /// The first of them, by iteration and then by virtual user: which iteration.
    pub iteration: u64,
    /// The first: which virtual user.
    pub vu: u64,
    /// The first: where in the plugin's code, innermost first; empty where it did not trap.
    pub backtrace: Vec<String>,
}

/// Verdicts of one check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckCounts {
    /// How often it held.
    pub passed: u64,
    /// How often it did not.
    pub failed: u64,
    /// What one that failed said; of several the smallest in text order.
    pub message: Option<String>,
}

/// Values of one custom metric.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values {
    /// How many there were.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest; zero where there were none.
    pub min: f64,
    /// The largest; zero where there were none.
    pub max: f64,
    /// How many were other than zero.
    pub nonzero: u64,
    /// Their distribution, where the metric is a trend.
    pub trend: Trend,
}

/// A line that a plugin logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How important it is.
    pub level: LogLevel,
    /// What it says; cut off at 1,000 characters.
    pub message: String,
    /// How often.
    pub count: u64,
}

/// How important a line is; the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Something went wrong.
    Error,
    /// Something is odd.
    Warn,
    /// Something happened.
    Info,
    /// For whoever writes the plugin.
    Debug,
    /// Everything.
    Trace,
}
