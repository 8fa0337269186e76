//! The paths of report schema 1.1, the one of the existing `cargo pmcp loadtest`, with the meaning they had there and true counts.
//!
//! Three things differ on purpose: times are fractional milliseconds where 1.1 rounded a fast server to 0; a time that no call had
//! is null where 1.1 said 0; and handshakes are in no figure. Throughput is measured over the window of the load, without the drain.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::figures::{Distribution, Figures};
use crate::plan::Plan;
use crate::plan::resolved::{
    ResolvedBreakingPoint, ResolvedConfig, ResolvedLoad, ResolvedScenario, ResolvedSettings, ResolvedStep,
    ResolvedTarget,
};

/// `config`: the resolved configuration, and beside it the settings under the names of schema 1.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportConfig {
    /// The largest number of virtual users.
    pub virtual_users: u32,
    /// Planned length in whole seconds, rounded up; null where only iterations end the run.
    pub duration_secs: Option<u64>,
    /// Per-request timeout.
    pub timeout_ms: u64,
    /// Always 0: nothing is filled in for calls that were never made.
    pub expected_interval_ms: u64,
    /// The scenarios, as configured.
    pub scenario: Vec<ReportScenario>,
    /// Who was hit.
    pub target: ResolvedTarget,
    /// Everything that is not the shape of the load.
    pub settings: ResolvedSettings,
    /// The shapes of the load.
    pub loads: Vec<ResolvedLoad>,
    /// What counted as the point where the server breaks.
    #[serde(default)]
    pub breaking_point: ResolvedBreakingPoint,
    /// Which part of the run was this machine's, such as `1/3`; missing where it was the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
    /// What the run had to show to pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<String>,
}

/// `config.scenario[]`: a scenario; one of a single step carries that step's `type` and keys itself, as in schema 1.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportScenario {
    /// The scenario.
    #[serde(flatten)]
    pub scenario: ResolvedScenario,
    /// What its only step does.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The keys of its only step.
    #[serde(flatten)]
    pub keys: Map<String, Value>,
}

/// `metrics`: the totals under the names of schema 1.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportMetrics {
    /// `success_count + error_count`.
    pub total_requests: u64,
    /// Calls that were ok.
    pub success_count: u64,
    /// Calls that failed.
    pub error_count: u64,
    /// `error_count / total_requests`, 0 to 1.
    pub error_rate: f64,
    /// Calls per second over the measured window.
    pub throughput_rps: f64,
    /// Response times.
    pub latency: Latency,
    /// Calls by method.
    pub operation_counts: BTreeMap<String, u64>,
    /// Failed calls by method; only methods that had any.
    pub operation_errors: BTreeMap<String, u64>,
}

/// Response times in milliseconds: of ok calls, and of failed ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// Median of ok calls.
    pub p50_ms: Option<f64>,
    /// 95th percentile of ok calls.
    pub p95_ms: Option<f64>,
    /// 99th percentile of ok calls.
    pub p99_ms: Option<f64>,
    /// Median of failed calls.
    pub error_p50_ms: Option<f64>,
    /// 95th percentile of failed calls.
    pub error_p95_ms: Option<f64>,
    /// 99th percentile of failed calls.
    pub error_p99_ms: Option<f64>,
}

/// One entry of `per_tool`: the names of schema 1.1, then the full figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolFigures {
    /// As in `metrics`.
    pub total_requests: u64,
    /// As in `metrics`.
    pub success_count: u64,
    /// As in `metrics`.
    pub error_count: u64,
    /// As in `metrics`.
    pub error_rate: f64,
    /// Response times of ok calls.
    pub latency: ToolLatency,
    /// As the report's own `errors`.
    pub errors: BTreeMap<String, u64>,
    /// Everything else.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Response times of a tool's ok calls in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolLatency {
    /// Median.
    pub p50_ms: Option<f64>,
    /// 95th percentile.
    pub p95_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// Shortest.
    pub min_ms: Option<f64>,
    /// Longest.
    pub max_ms: Option<f64>,
    /// Mean.
    pub mean_ms: Option<f64>,
}

impl From<ResolvedScenario> for ReportScenario {
    fn from(scenario: ResolvedScenario) -> Self {
        let (kind, keys) = match scenario.steps.as_slice() {
            [ResolvedStep { kind, keys, .. }] => (Some(kind.clone()), keys.clone()),
            _ => (None, Map::new()),
        };
        Self { scenario, kind, keys }
    }
}

impl ReportConfig {
    pub(super) fn new(plan: &Plan, resolved: ResolvedConfig) -> Self {
        let ResolvedConfig { target, settings, loads, breaking_point, shard, scenarios, thresholds } =
            resolved;
        Self {
            virtual_users: plan.max_vus(),
            duration_secs: plan.duration().map(whole_seconds_up),
            timeout_ms: u64::try_from(plan.settings.timeout.as_millis()).unwrap_or(u64::MAX),
            expected_interval_ms: 0,
            scenario: scenarios.into_iter().map(ReportScenario::from).collect(),
            target,
            settings,
            loads,
            breaking_point,
            shard,
            thresholds,
        }
    }
}

impl ReportMetrics {
    pub(super) fn new(totals: &Figures, per_method: &BTreeMap<String, Figures>) -> Self {
        let counts =
            |count: fn(&Figures) -> u64| per_method.iter().map(move |(name, row)| (name.clone(), count(row)));
        Self {
            total_requests: totals.requests,
            success_count: totals.ok,
            error_count: totals.failed,
            error_rate: totals.failed_ratio,
            throughput_rps: totals.requests_per_s,
            latency: Latency {
                p50_ms: millis(totals.response_time.p50_us),
                p95_ms: millis(totals.response_time.p95_us),
                p99_ms: millis(totals.response_time.p99_us),
                error_p50_ms: millis(totals.failed_time.p50_us),
                error_p95_ms: millis(totals.failed_time.p95_us),
                error_p99_ms: millis(totals.failed_time.p99_us),
            },
            operation_counts: counts(|row| row.requests).collect(),
            operation_errors: counts(|row| row.failed).filter(|(_, count)| *count > 0).collect(),
        }
    }
}

impl ToolFigures {
    pub(super) fn new(figures: Figures) -> Self {
        let Distribution { p50_us, p95_us, p99_us, min_us, max_us, mean_us, .. } = figures.response_time;
        Self {
            total_requests: figures.requests,
            success_count: figures.ok,
            error_count: figures.failed,
            error_rate: figures.failed_ratio,
            latency: ToolLatency {
                p50_ms: millis(p50_us),
                p95_ms: millis(p95_us),
                p99_ms: millis(p99_us),
                min_ms: millis(min_us),
                max_ms: millis(max_us),
                mean_ms: mean_us.map(|mean| super::figures::rounded(mean / 1e3)),
            },
            errors: categories(&figures.failed_by_class),
            figures,
        }
    }
}

/// Failed calls by the categories of schema 1.1 (`jsonrpc`, `http`, `timeout`, `connection`), and under their own names the classes
/// that it did not see: `tool_error`, `protocol`, `check_failed`. The sum is the number of failed calls.
pub(super) fn categories(by_class: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut categories = BTreeMap::new();
    for (class, count) in by_class {
        let category = match class.as_str() {
            "rpc_error" => "jsonrpc",
            "http_error" | "throttled" => "http",
            "transport" => "connection",
            other => other,
        };
        *categories.entry(category.to_owned()).or_insert(0) += count;
    }
    categories
}

fn millis(micros: Option<u64>) -> Option<f64> {
    micros.map(|micros| micros as f64 / 1e3)
}

fn whole_seconds_up(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
