//! What the virtual users were to do, as a report shows it: without the values of headers and of parameters that look like secrets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{REDACTED, micros};
use crate::plan::{Action, Scenario, Script, Step, ThinkTime};

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

/// A scenario of the plan.
pub(super) fn resolved(scenario: &Scenario) -> ResolvedScenario {
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
