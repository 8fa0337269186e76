//! A plan as a value that can be written into a report: everything that was asked, without secrets; and its hash.
//!
//! In: a [`Plan`]. Out: [`ResolvedConfig`], whose words and keys are those of the file and whose times are whole microseconds.

mod load;
mod scenario;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BreakingPointRule, InstancePolicy, Plan, Script, Settings, Stripe, Target};
pub use load::{ResolvedLoad, ResolvedStage};
pub use scenario::{ResolvedPause, ResolvedScenario, ResolvedStep};

/// What stands in the place of a secret.
const REDACTED: &str = "[redacted]";

/// Everything that was asked of a run, after flags, environment, file and defaults; no secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedConfig {
    /// Who was to be hit, and how they were spoken to.
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
    /// What the virtual users were to do.
    pub scenarios: Vec<ResolvedScenario>,
    /// What the run had to show to pass, such as `response_time{tool=search} p(99) < 300ms`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<String>,
}

/// Who was to be hit, and how they were spoken to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedTarget {
    /// The MCP endpoint, without credentials; a query is redacted.
    pub url: String,
    /// `auto`, or the revision that was asked for.
    pub protocol: String,
    /// The names of the extra headers; every value is redacted.
    pub headers: BTreeMap<String, String>,
}

/// Everything that is not the shape of the load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedSettings {
    /// Longest wait for one answer, in microseconds.
    pub timeout_us: u64,
    /// Seed of every random draw.
    pub seed: u64,
    /// Who owns a session.
    pub session: String,
    /// How long a connection lives.
    pub connection: String,
    /// What carries the bytes.
    pub transport: String,
    /// Worker threads.
    pub workers: usize,
    /// Largest response body that is read.
    pub max_body_bytes: u64,
    /// Whether packets are acknowledged at once.
    pub quick_ack: bool,
    /// Fewest measured calls for a verdict other than inconclusive.
    pub min_samples: u64,
    /// When a virtual user was told which scenario it plays.
    #[serde(default)]
    pub scenario_choice: String,
    /// What of the beginning was left out of the figures: `none`, `auto` or a length.
    #[serde(default)]
    pub warm_up: String,
    /// What every plugin was allowed; only where a scenario is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugins: Option<ResolvedPluginLimits>,
}

/// What counted as the point where the server breaks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedBreakingPoint {
    /// Share of failed calls above that of the baseline.
    pub error_ratio: f64,
    /// Response time as a multiple of that of the baseline.
    pub response_time_factor: f64,
    /// Throughput per load, as a share of that of the baseline.
    pub plateau_ratio: f64,
    /// Share of due iterations that are dropped.
    pub dropped_ratio: f64,
    /// Consecutive seconds that something had to last.
    pub seconds: u32,
    /// Whether the run was to end there.
    pub stop: bool,
}

/// What every plugin was allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedPluginLimits {
    /// Which virtual users shared an instance.
    pub instances: InstancePolicy,
    /// Most memory of an instance.
    pub memory_bytes: u64,
    /// Longest time of one call that plans or learns.
    pub call_timeout_us: u64,
    /// Longest time of one call that starts something.
    pub start_timeout_us: u64,
    /// Largest component file.
    pub file_bytes: u64,
    /// Most steps of one iteration.
    pub steps: u32,
    /// Largest arguments, parameters or body of one step.
    pub arguments_bytes: u64,
    /// Most of a result that was handed over.
    pub result_bytes: u64,
    /// Most log lines of a level that a worker kept.
    pub log_lines: u32,
}

impl From<&Plan> for ResolvedConfig {
    fn from(plan: &Plan) -> Self {
        Self {
            target: target(&plan.target),
            settings: ResolvedSettings { plugins: plugin_limits(plan), ..settings(&plan.settings) },
            loads: plan.loads.iter().map(|it| load::resolved(it, &plan.scenarios)).collect(),
            breaking_point: breaking_point(&plan.breaking_point),
            shard: Some(plan.shard).filter(|shard| *shard != Stripe::WHOLE).map(|shard| shard.to_string()),
            scenarios: plan.scenarios.iter().map(scenario::resolved).collect(),
            thresholds: plan.thresholds.iter().map(ToString::to_string).collect(),
        }
    }
}

impl ResolvedConfig {
    /// A short name for what was asked: FNV-1a, 64 bits, in hexadecimal, over the configuration as JSON with sorted keys.
    ///
    /// Two runs with the same hash asked the same of their servers, so their figures can be compared. It covers everything that
    /// changes the load or its meaning, and what was demanded of it. It leaves out what differs between runs that shall be compared:
    /// the URL (two servers, two releases), the values of headers (two tokens), the seed (two samples of the same load), the folder of
    /// a plugin, and what only the generator's machine or the weight of the samples depends on (`workers`, `min_samples`, the shard).
    pub fn hash(&self) -> String {
        let mut config = serde_json::json!(self);
        for (table, key) in
            [("target", "url"), ("settings", "seed"), ("settings", "workers"), ("settings", "min_samples")]
        {
            if let Some(Value::Object(table)) = config.get_mut(table) {
                table.remove(key);
            }
        }
        if let Some(config) = config.as_object_mut() {
            config.remove("shard");
        }
        for plugin in
            config["scenarios"].as_array_mut().into_iter().flatten().filter_map(|it| it.get_mut("plugin"))
        {
            let name = plugin.as_str().and_then(|file| Path::new(file).file_name());
            *plugin = Value::from(name.map(|name| name.to_string_lossy().into_owned()));
        }
        config.sort_all_objects();
        format!("{:016x}", fnv_1a(config.to_string().as_bytes()))
    }
}

/// Fowler, Noll, Vo: the 64-bit FNV-1a of RFC 9923. Not for adversaries: a hash here tells configurations apart, it proves nothing.
fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Whole microseconds; a plan has none longer than a year.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn target(target: &Target) -> ResolvedTarget {
    ResolvedTarget {
        url: target.shown_url(),
        protocol: target.protocol.to_string(),
        headers: target
            .headers
            .iter()
            .map(|(name, _)| (name.to_ascii_lowercase(), REDACTED.to_owned()))
            .collect(),
    }
}

fn settings(settings: &Settings) -> ResolvedSettings {
    ResolvedSettings {
        timeout_us: micros(settings.timeout),
        seed: settings.seed,
        session: settings.session.as_str().to_owned(),
        connection: settings.connection.as_str().to_owned(),
        transport: settings.transport.as_str().to_owned(),
        workers: settings.workers.get(),
        max_body_bytes: settings.max_body_bytes,
        quick_ack: settings.quick_ack,
        min_samples: settings.min_samples,
        scenario_choice: settings.scenario_choice.as_str().to_owned(),
        warm_up: settings.warm_up.to_string(),
        plugins: None,
    }
}

fn breaking_point(rule: &BreakingPointRule) -> ResolvedBreakingPoint {
    let BreakingPointRule { error_ratio, response_time_factor, plateau_ratio, dropped_ratio, seconds, stop } =
        *rule;
    ResolvedBreakingPoint { error_ratio, response_time_factor, plateau_ratio, dropped_ratio, seconds, stop }
}

/// The limits of plugins, where there are any: they mean nothing to other runs, which keep their hash when a default changes.
fn plugin_limits(plan: &Plan) -> Option<ResolvedPluginLimits> {
    let used = plan.scenarios.iter().any(|scenario| matches!(scenario.script, Script::Plugin(_)));
    let limits = &plan.settings.plugins;
    used.then(|| ResolvedPluginLimits {
        instances: limits.instances,
        memory_bytes: limits.memory_bytes,
        call_timeout_us: micros(limits.call_timeout),
        start_timeout_us: micros(limits.start_timeout),
        file_bytes: limits.file_bytes,
        steps: limits.steps,
        arguments_bytes: limits.arguments_bytes,
        result_bytes: limits.result_bytes,
        log_lines: limits.log_lines,
    })
}

#[cfg(test)]
mod tests;
