//! A plan as a value that can be written into a report: everything that was asked, without secrets; and its hash.
//!
//! In: a [`Plan`]. Out: [`ResolvedConfig`], whose words and keys are those of the file and whose times are whole microseconds.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Action, Executor, InstancePolicy, Load, Plan, Pool, Rate, Scenario, Script, Settings, Step, Target,
    ThinkTime,
};

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
    /// What every plugin was allowed; only where a scenario is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugins: Option<ResolvedPluginLimits>,
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

/// The shape of the load; which keys are present depends on the executor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedLoad {
    /// Its name, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it began, in microseconds after the start of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_us: Option<u64>,
    /// The scenarios that it draws from, where these are not all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scenarios: Vec<String>,
    /// How iterations are started.
    pub executor: String,
    /// Iterations per second, at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_s: Option<f64>,
    /// How arrivals were spaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spacing: Option<String>,
    /// Most virtual users of an open load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_vus: Option<u32>,
    /// How long an arrival waited for a free virtual user at the longest, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_wait_us: Option<u64>,
    /// Virtual users that started per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spawn_rate_per_s: Option<f64>,
    /// Concurrent virtual users; those at the beginning, where their number moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vus: Option<u32>,
    /// Length of the run, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<u64>,
    /// Iterations in all, or of every virtual user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u64>,
    /// When a run of iterations ends at the latest, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_duration_us: Option<u64>,
    /// The ramp.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<ResolvedStage>,
    /// How long running iterations may go on after the end, in microseconds.
    pub graceful_stop_us: u64,
    /// How long a running iteration may go on once a falling ramp has no place for its virtual user, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graceful_ramp_down_us: Option<u64>,
}

/// A stretch of a ramp.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedStage {
    /// How long it takes, in microseconds.
    pub duration_us: u64,
    /// Virtual users at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<u32>,
    /// Iterations per second at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_per_s: Option<f64>,
}

/// What a virtual user does in one iteration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedScenario {
    /// Name in reports.
    pub name: String,
    /// Share of the iterations, relative to the other scenarios.
    pub weight: u32,
    /// Pause after every step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub think_time: Option<ResolvedPause>,
    /// Shortest time from the beginning of an iteration to that of the virtual user's next one, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pacing_us: Option<u64>,
    /// The plugin that chose the steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// What the plugin was set up with, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// What is done, in order; empty where a plugin chose.
    pub steps: Vec<ResolvedStep>,
}

/// A pause, by its distribution: which keys are present depends on it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedPause {
    /// Shortest pause of an even distribution, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_us: Option<u64>,
    /// Longest pause of an even distribution, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_us: Option<u64>,
    /// Mean of an exponential distribution, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_us: Option<u64>,
    /// Median of a log-normal distribution, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_us: Option<u64>,
    /// Standard deviation of the logarithm of a log-normal distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma: Option<f64>,
}

/// One step; which keys are present depends on its type.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedStep {
    /// What the step does.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name of its row in reports, where the user gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Longest wait for its answer, in microseconds, where it has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_us: Option<u64>,
    /// The keys of its type, as in the file; header values and secret-looking query values are redacted.
    #[serde(flatten)]
    pub keys: Map<String, Value>,
}

impl From<&Plan> for ResolvedConfig {
    fn from(plan: &Plan) -> Self {
        Self {
            target: target(&plan.target),
            settings: ResolvedSettings { plugins: plugin_limits(plan), ..settings(&plan.settings) },
            loads: plan.loads.iter().map(|it| load(it, &plan.scenarios)).collect(),
            scenarios: plan.scenarios.iter().map(scenario).collect(),
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
    /// a plugin, and what only the generator's machine or the weight of the samples depends on (`workers`, `min_samples`).
    pub fn hash(&self) -> String {
        let mut config = serde_json::json!(self);
        for (table, key) in
            [("target", "url"), ("settings", "seed"), ("settings", "workers"), ("settings", "min_samples")]
        {
            if let Some(Value::Object(table)) = config.get_mut(table) {
                table.remove(key);
            }
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

/// The query of a plain request without the values of parameters that are called like a secret.
fn public_query(query: &str) -> String {
    let secret = ["key", "token", "secret", "password", "auth", "sig", "credential", "code"];
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if secret.iter().any(|word| name.to_ascii_lowercase().contains(word)) => {
            format!("{name}=redacted")
        }
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
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
        plugins: None,
    }
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

fn load(load: &Load, scenarios: &[Scenario]) -> ResolvedLoad {
    let named = ResolvedLoad {
        executor: load.executor.name().to_owned(),
        name: Some(load.name.clone()).filter(|name| !name.is_empty()),
        start_us: Some(micros(load.start)).filter(|start| *start > 0),
        scenarios: if load.scenarios.len() == scenarios.len() {
            Vec::new()
        } else {
            load.scenarios.iter().map(|&place| scenarios[place].name.clone()).collect()
        },
        graceful_stop_us: micros(load.graceful_stop),
        ..ResolvedLoad::default()
    };
    let pooled = |pool: &Pool| ResolvedLoad {
        vus: Some(pool.vus),
        max_vus: Some(pool.max_vus.get()),
        max_wait_us: Some(micros(pool.max_wait)),
        spacing: Some(pool.spacing.as_str().to_owned()),
        ..named.clone()
    };
    match &load.executor {
        Executor::ConstantVus { vus, spawn_rate, duration } => ResolvedLoad {
            vus: Some(vus.get()),
            spawn_rate_per_s: spawn_rate.map(Rate::get),
            duration_us: Some(micros(*duration)),
            ..named
        },
        Executor::RampingVus { from, stages } => {
            let stages = stages.iter().map(|stage| ResolvedStage {
                duration_us: micros(stage.duration),
                target: Some(stage.target),
                target_per_s: None,
            });
            ResolvedLoad {
                vus: Some(*from).filter(|from| *from > 0),
                stages: stages.collect(),
                graceful_ramp_down_us: Some(micros(load.graceful_ramp_down)),
                ..named
            }
        }
        Executor::ConstantArrivalRate { rate, duration, pool } => ResolvedLoad {
            rate_per_s: Some(rate.get()),
            duration_us: Some(micros(*duration)),
            ..pooled(pool)
        },
        Executor::RampingArrivalRate { from, stages, pool } => {
            let stages = stages.iter().map(|stage| ResolvedStage {
                duration_us: micros(stage.duration),
                target: None,
                target_per_s: Some(stage.target.get()),
            });
            ResolvedLoad { rate_per_s: Some(from.get()), stages: stages.collect(), ..pooled(pool) }
        }
        Executor::SharedIterations { vus, iterations, max_duration }
        | Executor::PerVuIterations { vus, iterations, max_duration } => ResolvedLoad {
            vus: Some(vus.get()),
            iterations: Some(iterations.get()),
            max_duration_us: max_duration.map(micros),
            ..named
        },
    }
}

fn scenario(scenario: &Scenario) -> ResolvedScenario {
    let plugin = match &scenario.script {
        Script::Plugin(plugin) => Some(plugin),
        Script::Steps(_) => None,
    };
    ResolvedScenario {
        name: scenario.name.clone(),
        weight: scenario.weight,
        think_time: scenario.think_time.map(pause),
        pacing_us: scenario.pacing.map(micros),
        plugin: plugin.map(|plugin| plugin.file.display().to_string()),
        config: plugin.map(|plugin| plugin.config.clone()),
        steps: scenario.steps().iter().map(step).collect(),
    }
}

fn pause(pause: ThinkTime) -> ResolvedPause {
    let none = ResolvedPause::default();
    match pause {
        ThinkTime::Uniform { min, max } => {
            ResolvedPause { min_us: Some(micros(min)), max_us: Some(micros(max)), ..none }
        }
        ThinkTime::Exponential { mean } => ResolvedPause { mean_us: Some(micros(mean)), ..none },
        ThinkTime::LogNormal { median, sigma } => {
            ResolvedPause { median_us: Some(micros(median)), sigma: Some(sigma), ..none }
        }
    }
}

fn step(step: &Step) -> ResolvedStep {
    ResolvedStep {
        kind: kind(&step.action).to_owned(),
        name: step.label.clone(),
        timeout_us: step.timeout.map(micros),
        keys: keys(&step.action),
    }
}

/// The word of the file for what a step does.
fn kind(action: &Action) -> &str {
    match action {
        Action::Think(_) => "think",
        Action::CloseSession => "session/close",
        request => request.method().unwrap_or_default(),
    }
}

/// The keys of a step's type.
fn keys(action: &Action) -> Map<String, Value> {
    let pairs: Vec<(&str, Value)> = match action {
        Action::CallTool { tool, arguments } => {
            vec![("tool", Value::from(tool.as_str())), ("arguments", arguments.clone())]
        }
        Action::ReadResource { uri } => vec![("uri", Value::from(uri.as_str()))],
        Action::GetPrompt { prompt, arguments } => {
            let arguments = arguments.iter().map(|(key, text)| (key.clone(), Value::from(text.as_str())));
            vec![("prompt", Value::from(prompt.as_str())), ("arguments", Value::Object(arguments.collect()))]
        }
        Action::Http(step) => {
            let path = match step.path.split_once('?') {
                Some((path, query)) => format!("{path}?{}", public_query(query)),
                None => step.path.clone(),
            };
            let headers =
                step.headers.iter().map(|(name, _)| (name.to_ascii_lowercase(), Value::from(REDACTED)));
            let mut pairs = vec![("method", Value::from(step.method.as_str())), ("path", Value::from(path))];
            if !step.headers.is_empty() {
                pairs.push(("headers", Value::Object(headers.collect())));
            }
            pairs.extend(step.body.as_deref().map(|body| ("body", Value::from(body))));
            if !step.expect_status.is_empty() {
                pairs.push(("expect_status", Value::from(step.expect_status.clone())));
            }
            pairs
        }
        Action::CodeMode { code, format } => {
            vec![("code", Value::from(code.as_str())), ("format", Value::from(format.as_str()))]
        }
        Action::Think(range) => vec![("duration", serde_json::json!(pause(*range)))],
        Action::ListTools
        | Action::ListResources
        | Action::ListPrompts
        | Action::Ping
        | Action::CloseSession => Vec::new(),
    };
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::{ResolvedConfig, fnv_1a};
    use crate::plan::Plan;
    use crate::plan::config::{Overrides, resolve};

    const TEXT: &str = r#"
        [target]
        url = "https://one.test/mcp?api_key=hunter2&page=1"
        headers = { X-Tenant = "hunter2" }
        auth = { bearer = "hunter2" }
        [settings]
        seed = 1
        timeout = "2s"
        workers = 2
        [load]
        stages = [{ duration = "1.5s", target = 3 }]
        [thresholds]
        "response_time{tool=search}" = ["p99 < 0.5s"]
        [[scenario]]
        name = "mixed"
        think_time = "1s..3s"
        [[scenario.step]]
        type = "tools/call"
        name = "find"
        tool = "search"
        arguments = { query = "a", limit = 5 }
        timeout = "250ms"
        [[scenario.step]]
        type = "prompts/get"
        prompt = "greet"
        arguments = { who = "Ada" }
        [[scenario.step]]
        type = "http"
        path = "/health?token=hunter2"
        headers = { X-Key = "hunter2" }
        expect_status = 401
        [[scenario.step]]
        type = "think"
        duration = "10ms"
        [[scenario.step]]
        type = "session/close"
        [[scenario]]
        type = "code_mode"
        code = "query { me }"
        [plugins]
        memory = "32MiB"
        [[scenario]]
        plugin = "plugins/shopper.wasm"
        config = { catalog = 500, tags = ["a", "b"] }
    "#;

    fn plan(text: &str) -> Plan {
        resolve(Some(("loadtest.toml", text)), &Overrides::default(), &|_| None).unwrap().plan
    }

    fn hash(text: &str) -> String {
        ResolvedConfig::from(&plan(text)).hash()
    }

    #[test]
    fn everything_that_was_asked_is_there_and_no_secret_is() {
        let json = serde_json::to_string_pretty(&ResolvedConfig::from(&plan(TEXT))).unwrap();
        assert!(!json.contains("hunter2"), "{json}");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(json);
        });
    }

    #[test]
    fn what_is_written_is_read_back() {
        let config = ResolvedConfig::from(&plan(TEXT));
        let json = serde_json::to_string(&config).unwrap();
        let again: ResolvedConfig = serde_json::from_str(&json).unwrap();
        assert_eq!(again, config);
        assert_eq!(again.hash(), config.hash());
    }

    #[test]
    fn the_hash_is_the_same_for_another_server_token_seed_and_machine() {
        for (from, to) in [
            ("one.test/mcp", "two.test/"),
            ("bearer = \"hunter2\"", "bearer = \"other\""),
            ("seed = 1", "seed = 2"),
            ("workers = 2", "workers = 4"),
            ("query = \"a\", limit = 5", "limit = 5, query = \"a\""),
            ("\"1.5s\"", "\"1500ms\""),
            ("plugins/shopper.wasm", "/elsewhere/shopper.wasm"),
        ] {
            assert!(TEXT.contains(from), "{from}");
            assert_eq!(hash(TEXT), hash(&TEXT.replace(from, to)), "{from} -> {to}");
        }
    }

    #[test]
    fn the_hash_changes_with_the_load_and_its_meaning() {
        for (from, to) in [
            ("target = 3", "target = 4"),
            ("\"1.5s\"", "\"1.6s\""),
            ("limit = 5", "limit = 6"),
            ("\"1s..3s\"", "\"1s..4s\""),
            ("timeout = \"2s\"", "timeout = \"3s\""),
            ("seed = 1", "session = \"per-iteration\""),
            ("seed = 1", "quick_ack = false"),
            ("expect_status = 401", "expect_status = 403"),
            ("X-Tenant", "X-Other"),
            ("plugins/shopper.wasm", "plugins/browser.wasm"),
            ("catalog = 500", "catalog = 501"),
            ("32MiB", "33MiB"),
            ("p99 < 0.5s", "p99 < 0.6s"),
        ] {
            assert!(TEXT.contains(from), "{from}");
            assert_ne!(hash(TEXT), hash(&TEXT.replace(from, to)), "{from} -> {to}");
        }
    }

    #[test]
    fn the_limits_of_plugins_mean_nothing_to_a_run_without_one() {
        let text = "[target]\nurl = \"http://one.test/\"\n[[scenario]]\ntype = \"ping\"\n";
        assert_eq!(hash(text), hash(&format!("{text}[plugins]\nmemory = \"32MiB\"\n")));
    }

    #[test]
    fn the_hash_function_is_the_published_one() {
        assert_eq!(fnv_1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv_1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
