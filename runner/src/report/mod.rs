//! A finished run and its renderings: value in, text out. Pure.
//!
//! In: what was asked (`plan`) and what was seen (`judge`). Out: a [`Report`], which is what `--out` writes and every other rendering
//! reads. Its JSON Schema is published, additive within major version 2, and a superset of schema 1.1.

mod breaking_point;
mod capacity;
mod compatible;
mod figures;
mod json;
mod manifest;
mod plugins;
mod saved;
mod scalability;
mod series;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod timeline;
mod warm_up;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::plan::ResolvedConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use breaking_point::{BreakingPlace, BreakingPoint};
pub use capacity::{
    CapacityReport, CapacityReportKind, QuestionAsked, SearchConfig, SearchFacts, SearchManifest,
};
pub use compatible::{Latency, ReportConfig, ReportMetrics, ReportScenario, ToolFigures, ToolLatency};
pub use figures::{Distribution, FailureKind, Figures};
pub use json::ReadError;
pub use manifest::{DroppedTool, Generator, Manifest, RunManifest, Server, Worker};
pub use plugins::{
    CallTimes, Check, CustomMetric, EncodedTrend, LoggedLine, PluginFailures, PluginReport, Summary,
};
pub use saved::SavedReport;
pub use scalability::{Measured, Prospect, ScalabilityReport, ScalabilityReportKind};
pub use series::{Encoded, Histograms, Kind, Series};
pub use text::TextStyle;
pub use timeline::{BookCounts, Second};
pub use warm_up::{WarmUpReport, WarmUpRule};

use crate::judge::{Gate, Observation, ThresholdResult, Verdict, VerdictOutcome};
use crate::plan::{Plan, SeriesId, SeriesKey, SeriesKind};

/// The version of the report's schema: readers of major version 2 ignore what they do not know.
pub const SCHEMA_VERSION: &str = "2.0";

/// A finished run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "cargo pmcp loadtest report")]
pub struct Report {
    /// Version of this schema.
    pub schema_version: String,
    /// When the run ended.
    pub timestamp: String,
    /// What was tested, without user name, password and query.
    pub target_url: String,
    /// Wall time from the start to the last virtual user's end.
    pub duration_secs: f64,
    /// Passed, failed or inconclusive.
    pub verdict: ReportVerdict,
    /// Whether the measurement can be trusted: each gate with what was observed.
    pub validity: Vec<Gate>,
    /// What the run had to show to pass, in the order in which it was asked for: each threshold with what was observed.
    #[serde(default)]
    pub thresholds: Vec<ThresholdResult>,
    /// What it takes to repeat the run.
    pub manifest: RunManifest,
    /// The resolved configuration.
    pub config: ReportConfig,
    /// Who answered.
    pub server: Server,
    /// What the generator itself cost.
    pub generator: Generator,
    /// The totals under the names of schema 1.1.
    pub metrics: ReportMetrics,
    /// Failed calls by the categories of schema 1.1 (`jsonrpc`, `http`, `timeout`, `connection`), and beside them `tool_error`,
    /// `protocol`, `check_failed`. Only those that occurred; the sum is `metrics.error_count`.
    pub errors: BTreeMap<String, u64>,
    /// What was left out at the beginning; null in reports that do not know of it.
    #[serde(default)]
    pub warm_up: Option<WarmUpReport>,
    /// All operations; handshakes are not among them.
    pub totals: Figures,
    /// By scenario.
    pub per_scenario: BTreeMap<String, Figures>,
    /// By MCP method.
    pub per_method: BTreeMap<String, Figures>,
    /// By tool, URI, prompt or path, or by the label that a step has instead; in one namespace.
    pub per_tool: BTreeMap<String, ToolFigures>,
    /// What it took to hold sessions, by method.
    pub lifecycle: BTreeMap<String, Figures>,
    /// Counts beside the samples.
    pub books: BookCounts,
    /// What plugins did, by scenario; only those that are plugins.
    #[serde(default)]
    pub plugins: BTreeMap<String, PluginReport>,
    /// Second by second.
    pub timeline: Vec<Second>,
    /// Where the server left its baseline while the load rose.
    pub breaking_point: BreakingPoint,
    /// The raw material, in the order of the configuration: lifecycle first, then each step of each scenario, then the steps that
    /// plugins chose, by scenario, method and name.
    pub series: Vec<Series>,
}

/// What the run came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportVerdict {
    /// Passed, failed or inconclusive.
    pub outcome: VerdictOutcome,
    /// What the process ended with.
    pub exit_code: u8,
    /// Why.
    pub reason: String,
}

impl Report {
    /// The report of a finished run.
    pub fn new(
        plan: &Plan,
        observation: &Observation,
        gates: Vec<Gate>,
        thresholds: Vec<ThresholdResult>,
        verdict: Verdict,
        manifest: Manifest,
    ) -> Self {
        let config = ResolvedConfig::from(plan);
        let groups = Groups { keys: &observation.series, observation };
        let totals = Figures::new(&observation.metrics.total(), observation.measured());
        let per_method = groups.by(SeriesKind::Operation, |key| Some(key.method.clone()));
        let per_tool = groups.by(SeriesKind::Operation, SeriesKey::row_name);
        let ended_at = observation.started_at.checked_add(observation.elapsed);
        Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            timestamp: ended_at.unwrap_or(observation.started_at).to_string(),
            target_url: plan.target.shown_url(),
            duration_secs: figures::rounded(observation.elapsed.as_secs_f64()),
            verdict: ReportVerdict {
                outcome: verdict.outcome,
                exit_code: verdict.exit.code(),
                reason: verdict.reason,
            },
            validity: gates.into_iter().map(rounded_gate).collect(),
            thresholds: thresholds.into_iter().map(rounded_threshold).collect(),
            manifest: RunManifest::new(manifest, plan, observation, &config),
            config: ReportConfig::new(plan, config),
            server: Server::from(&observation.server),
            generator: Generator::from(&observation.generator),
            metrics: ReportMetrics::new(&totals, &per_method),
            errors: compatible::categories(&totals.failed_by_class),
            warm_up: Some(WarmUpReport::new(observation)),
            totals,
            per_scenario: groups.by(SeriesKind::Operation, |key| Some(key.scenario.clone())),
            per_method,
            per_tool: per_tool.into_iter().map(|(name, figures)| (name, ToolFigures::new(figures))).collect(),
            lifecycle: groups.by(SeriesKind::Lifecycle, |key| Some(key.method.clone())),
            books: BookCounts::from(&observation.books),
            plugins: plugins::plugins(observation),
            timeline: observation.metrics.timeline().iter().map(Second::from).collect(),
            breaking_point: BreakingPoint::new(&observation.breaking_point, observation.started_at),
            series: groups.series(plan.series().len()),
        }
    }
}

/// The series of a run, and how to sum them.
struct Groups<'a> {
    keys: &'a [SeriesKey],
    observation: &'a Observation,
}

impl Groups<'_> {
    /// How long series of `kind` were measured: nothing is left out of what it takes to hold sessions.
    fn length(&self, kind: SeriesKind) -> Duration {
        match kind {
            SeriesKind::Operation => self.observation.measured(),
            SeriesKind::Lifecycle => self.observation.window,
        }
    }

    /// The figures of every group of series of `kind` that share a name.
    fn by(&self, kind: SeriesKind, name: impl Fn(&SeriesKey) -> Option<String>) -> BTreeMap<String, Figures> {
        let name_of = |key: &SeriesKey| (key.kind == kind).then(|| name(key)).flatten();
        let mut groups = BTreeMap::new();
        for group in self.keys.iter().filter_map(name_of) {
            groups.entry(group).or_insert_with_key(|group| {
                let belongs =
                    |id: SeriesId| self.keys.get(id.index()).and_then(name_of).as_ref() == Some(group);
                Figures::new(&self.observation.metrics.sum(belongs), self.length(kind))
            });
        }
        groups
    }

    /// Every series: the `planned` ones in their order, then those found during the run by name, for they come as it happens.
    fn series(&self, planned: usize) -> Vec<Series> {
        let mut keys: Vec<(SeriesId, &SeriesKey)> = (0_u32..).map(SeriesId).zip(self.keys).collect();
        let found = planned.min(keys.len());
        keys[found..].sort_by_key(|(_, key)| (&key.scenario, &key.method, &key.name, &key.label));
        let series = keys.into_iter().map(|(id, key)| {
            let metrics = self.observation.metrics.series(id);
            Series::new(key, metrics, Figures::new(metrics, self.length(key.kind)))
        });
        series.collect()
    }
}

fn rounded_gate(gate: Gate) -> Gate {
    Gate { observed: gate.observed.map(figures::rounded), bound: figures::rounded(gate.bound), ..gate }
}

fn rounded_threshold(threshold: ThresholdResult) -> ThresholdResult {
    ThresholdResult {
        observed: threshold.observed.map(figures::rounded),
        bound: figures::rounded(threshold.bound),
        margin: threshold.margin.map(figures::rounded),
        ..threshold
    }
}
