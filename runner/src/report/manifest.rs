//! What it takes to repeat a run and to know where its figures come from.

use std::time::Duration;

use crate::plan::{Load, ResolvedConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::figures::{rounded, whole_micros};
use crate::judge::{GeneratorUsage, Observation, ServerFacts, StopReason};
use crate::plan::{Plan, shown_url};

/// What only the process itself knows; `cli` fills it in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Version of this tool.
    pub tool_version: String,
    /// The command line, credentials redacted.
    pub command: Vec<String>,
    /// Operating system of the generator.
    pub os: String,
    /// Its processor architecture.
    pub arch: String,
    /// Its cores, as far as this process may use them.
    pub cores: usize,
}

/// `manifest`: the run's identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunManifest {
    /// The process.
    #[serde(flatten)]
    pub process: Manifest,
    /// When the load began.
    pub started_at: String,
    /// Length of the measured window. Throughput is computed over it, without `warm_up.trimmed_s`.
    pub window_us: u64,
    /// Why the load ended: `completed`, `threshold_failed`, `interrupted`, `target_lost`, `plugin_stopped` or `plugins_failed`.
    pub stop: String,
    /// Seed of every random draw.
    pub seed: u64,
    /// What was asked, in short: equal where figures can be compared (see [`ResolvedConfig::hash`]).
    pub config_hash: String,
    /// Who started iterations.
    pub executor: String,
    /// `closed`: a virtual user waits for its answer before it sends again, so a slow server is asked less often.
    pub load_model: String,
    /// Worker threads.
    pub workers: usize,
    /// Who owned a session.
    pub session: String,
    /// How long a connection lived.
    pub connection: String,
    /// What carried the bytes.
    pub transport: String,
}

/// `server`: what the server said of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Server {
    /// `serverInfo.name`.
    pub name: Option<String>,
    /// `serverInfo.version`.
    pub version: Option<String>,
    /// The protocol revision the run spoke.
    pub protocol_revision: String,
    /// Whether it gave out session ids.
    pub stateful: bool,
    /// How many tools it listed.
    pub tools: usize,
    /// Tools that could not be called.
    pub dropped_tools: Vec<DroppedTool>,
}

/// A tool that could not be called, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DroppedTool {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// `generator`: what the generator itself cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Generator {
    /// One entry per worker thread.
    pub workers: Vec<Worker>,
    /// User and system CPU time of the whole process.
    pub process_cpu_us: u64,
    /// Peak resident set; null where the platform does not tell.
    pub peak_rss_bytes: Option<u64>,
}

/// One worker thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Worker {
    /// User and system CPU time.
    pub cpu_us: u64,
    /// How long it was ready to run and others had the CPU; zero where the platform does not tell.
    #[serde(default)]
    pub waited_us: u64,
    /// How long the thread did nothing at all though it had to, but for moments.
    #[serde(default)]
    pub stood_still_us: u64,
    /// The time it was measured over.
    pub wall_us: u64,
    /// `cpu_us / wall_us`.
    pub cpu_ratio: f64,
}

impl Manifest {
    /// The facts of this process; credentials in `command` are redacted.
    pub fn new(tool_version: &str, command: impl IntoIterator<Item = String>, cores: usize) -> Self {
        Self {
            tool_version: tool_version.to_owned(),
            command: redacted(command),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cores,
        }
    }
}

impl RunManifest {
    pub(super) fn new(
        process: Manifest,
        plan: &Plan,
        observation: &Observation,
        config: &ResolvedConfig,
    ) -> Self {
        let stop = match observation.stop {
            StopReason::Completed => "completed",
            StopReason::ThresholdFailed { .. } => "threshold_failed",
            StopReason::Interrupted => "interrupted",
            StopReason::TargetLost { .. } => "target_lost",
            StopReason::BreakingPoint => "breaking_point",
            StopReason::PluginStopped { .. } => "plugin_stopped",
            StopReason::PluginsFailed { .. } => "plugins_failed",
        };
        Self {
            process,
            started_at: observation.started_at.to_string(),
            window_us: whole_micros(observation.window),
            stop: stop.to_owned(),
            seed: plan.settings.seed,
            config_hash: config.hash(),
            executor: words(plan, |load| load.executor.name()),
            load_model: words(plan, |load| if load.executor.is_open() { "open" } else { "closed" }),
            workers: plan.settings.workers.get(),
            session: plan.settings.session.as_str().to_owned(),
            connection: plan.settings.connection.as_str().to_owned(),
            transport: plan.settings.transport.as_str().to_owned(),
        }
    }
}

impl From<&ServerFacts> for Server {
    fn from(facts: &ServerFacts) -> Self {
        let dropped = facts.dropped_tools.iter();
        Self {
            name: facts.name.clone(),
            version: facts.version.clone(),
            protocol_revision: facts.revision.to_string(),
            stateful: facts.stateful,
            tools: facts.tools,
            dropped_tools: dropped
                .map(|(name, reason)| DroppedTool { name: name.clone(), reason: reason.clone() })
                .collect(),
        }
    }
}

impl From<&GeneratorUsage> for Generator {
    fn from(usage: &GeneratorUsage) -> Self {
        let share =
            |cpu: Duration, wall: Duration| if wall.is_zero() { 0.0 } else { cpu.div_duration_f64(wall) };
        let workers = usage.workers.iter().map(|worker| Worker {
            cpu_us: whole_micros(worker.cpu),
            waited_us: whole_micros(worker.waited),
            stood_still_us: whole_micros(worker.stood_still),
            wall_us: whole_micros(worker.wall),
            cpu_ratio: rounded(share(worker.cpu, worker.wall)),
        });
        Self {
            workers: workers.collect(),
            process_cpu_us: whole_micros(usage.process_cpu),
            peak_rss_bytes: Some(usage.peak_rss_bytes).filter(|&bytes| bytes > 0),
        }
    }
}

const REDACTED: &str = "[redacted]";

fn redacted(command: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut flag_before = String::new();
    let redact = |argument: String| {
        let flag = std::mem::take(&mut flag_before);
        if let Some(hidden) = hide_value(&flag, &argument) {
            return hidden;
        }
        if let Some((flag, value)) = argument.split_once('=')
            && let Some(hidden) = hide_value(flag, value)
        {
            return format!("{flag}={hidden}");
        }
        if let Ok(url) = Url::parse(&argument)
            && (!url.username().is_empty() || url.password().is_some() || url.query().is_some())
        {
            return shown_url(&url);
        }
        flag_before.clone_from(&argument);
        argument
    };
    command.into_iter().map(redact).collect()
}

/// What is shown for the value of a flag that carries a credential; `None` for any other flag.
fn hide_value(flag: &str, value: &str) -> Option<String> {
    match flag {
        "--api-key" => Some(REDACTED.to_owned()),
        "--header" | "-H" => Some(match value.split_once(':') {
            Some((name, _)) => format!("{name}: {REDACTED}"),
            None => REDACTED.to_owned(),
        }),
        _ => None,
    }
}

/// What each load is in one respect; once where all are the same.
fn words(plan: &Plan, of: fn(&Load) -> &'static str) -> String {
    let mut words: Vec<&str> = plan.loads.iter().map(of).collect();
    words.dedup();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(arguments: &[&str]) -> Vec<String> {
        redacted(arguments.iter().map(|&argument| argument.to_owned()))
    }

    #[test]
    fn credentials_on_the_command_line_do_not_reach_the_report() {
        assert_eq!(shown(&["run", "--api-key", "s3cret"]), ["run", "--api-key", "[redacted]"]);
        assert_eq!(shown(&["--api-key=s3cret"]), ["--api-key=[redacted]"]);
        assert_eq!(shown(&["--header", "X-Key: s3cret"]), ["--header", "X-Key: [redacted]"]);
        assert_eq!(shown(&["http://me:s3cret@localhost/mcp"]), ["http://localhost/mcp"]);
        assert_eq!(shown(&["http://localhost/mcp?key=s3cret"]), ["http://localhost/mcp?[redacted]"]);
    }

    #[test]
    fn everything_else_on_the_command_line_stays_as_typed() {
        let typed = ["run", "http://localhost:3000/mcp", "--vus", "5", "--duration=30s"];
        assert_eq!(shown(&typed), typed);
    }
}
