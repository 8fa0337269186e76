//! What virtual users do: weighted scenarios of steps, and the series their samples are counted under.

use std::time::Duration;

use serde_json::Value;

use super::headers::{self, Written};
use super::plugin::PluginUse;
use super::think_time::ThinkTime;

/// One pass of a virtual user. Which scenario an iteration takes is drawn by weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Name in reports; unique within the run.
    pub name: String,
    /// Share of the iterations, relative to the other scenarios; the sum over all is above zero.
    pub weight: u32,
    /// Pause after every step.
    pub think_time: Option<ThinkTime>,
    /// In the closed model: shortest time from the beginning of an iteration to that of the virtual user's next one.
    pub pacing: Option<Duration>,
    /// Where the steps come from.
    pub script: Script,
}

/// Where the steps of a scenario come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Script {
    /// They are written down: done in order; never empty.
    Steps(Vec<Step>),
    /// A plugin chooses them, one plan after the other.
    Plugin(PluginUse),
}

impl Scenario {
    /// The steps that are written down; none where a plugin chooses them.
    pub fn steps(&self) -> &[Step] {
        match &self.script {
            Script::Steps(steps) => steps,
            Script::Plugin(_) => &[],
        }
    }

    /// The mean time that an iteration spends thinking: after each of its calls, and in its pauses. A plugin itself decides how many
    /// steps an iteration has; one pause is counted for it.
    pub fn mean_think_time(&self) -> Duration {
        let after_call = self.think_time.map(|pause| pause.mean()).unwrap_or_default();
        match &self.script {
            Script::Plugin(_) => after_call,
            Script::Steps(steps) => steps.iter().fold(Duration::ZERO, |sum, step| {
                sum.saturating_add(match &step.action {
                    Action::Think(pause) => pause.mean(),
                    Action::CloseSession => Duration::ZERO,
                    _ => after_call,
                })
            }),
        }
    }
}

/// One step of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Name of the step's row in reports, where the user gave one; else the tool, URI or prompt serves.
    pub label: Option<String>,
    /// Overrides the run's per-request timeout.
    pub timeout: Option<Duration>,
    /// What is done.
    pub action: Action,
}

/// What a step does: an MCP request, a plain HTTP request, a pause, or the end of the session.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `tools/call`.
    CallTool {
        /// The tool's name.
        tool: String,
        /// A JSON object.
        arguments: Value,
    },
    /// `tools/list`, first page.
    ListTools,
    /// `resources/read`.
    ReadResource {
        /// The resource's URI.
        uri: String,
    },
    /// `resources/list`, first page.
    ListResources,
    /// `prompts/get`.
    GetPrompt {
        /// The prompt's name.
        prompt: String,
        /// Names and values, in the file's order; values are strings by protocol.
        arguments: Vec<(String, String)>,
    },
    /// `prompts/list`, first page.
    ListPrompts,
    /// `ping` in the session era, `server/discover` where ping is gone (2026-07-28).
    Ping,
    /// A plain HTTP request beside MCP.
    Http(HttpStep),
    /// The existing command's `code_mode` step: `validate_code`, then `execute_code` with the approval token it returned; measured as one call.
    CodeMode {
        /// What is validated and executed.
        code: String,
        /// The code's language.
        format: String,
    },
    /// A pause.
    Think(ThinkTime),
    /// Ends the session; the next request opens another.
    CloseSession,
}

/// A plain HTTP request to the target's origin.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpStep {
    /// Upper-case method token.
    pub method: String,
    /// Path and query on the target's origin; begins with `/`.
    pub path: String,
    /// Extra headers.
    pub headers: Vec<(String, String)>,
    /// Request body, sent as it is.
    pub body: Option<String>,
    /// Statuses that count as ok; empty means 200-299.
    pub expect_status: Vec<u16>,
}

impl HttpStep {
    /// What is wrong with a method, and what to do.
    pub(crate) fn mistake_in_method(method: &str) -> Option<(&'static str, &'static str)> {
        let is_method =
            !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
        (!is_method).then_some(("this is not an HTTP method", "write one such as \"GET\" or \"DELETE\""))
    }

    /// What is wrong with a path, and what to do.
    pub(crate) fn mistake_in_path(path: &str) -> Option<(&'static str, &'static str)> {
        if !path.starts_with('/') {
            let help = "begin with `/`: it is a path on the target's origin, not a whole URL";
            return Some(("this path does not begin with `/`", help));
        }
        let sendable = path.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'#');
        let help = "percent-encode blanks and whatever is not ASCII; a `#` is never sent";
        (!sendable).then_some(("this path has characters that cannot be sent", help))
    }

    /// What is wrong with the request, and what to do.
    pub fn mistake(&self) -> Option<(String, &'static str)> {
        let of_line = Self::mistake_in_method(&self.method).or_else(|| Self::mistake_in_path(&self.path));
        let of_headers =
            || self.headers.iter().find_map(|(name, value)| headers::mistake(name, value, Written::ByStep));
        of_line.map(|(message, help)| (message.to_owned(), help)).or_else(of_headers)
    }
}

/// Index of a series within a run; samples carry this instead of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub u32);

impl SeriesId {
    /// `server/discover` or `initialize` when a session is opened.
    pub const INITIALIZE: Self = Self(0);
    /// `notifications/initialized`.
    pub const INITIALIZED: Self = Self(1);
    /// The DELETE that ends a session.
    pub const CLOSE: Self = Self(2);
    /// How many lifecycle series stand before the first step's.
    pub const LIFECYCLE: u32 = 3;

    /// The index into per-series vectors.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a series counts: the key of every table in the report.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SeriesKey {
    /// Whether this is the load itself or what it takes to hold a session.
    pub kind: SeriesKind,
    /// Scenario it belongs to; empty for lifecycle series.
    pub scenario: String,
    /// MCP method, or the HTTP method of a plain request.
    pub method: String,
    /// Tool, URI, prompt or path; `None` where the method has no object.
    pub name: Option<String>,
    /// The step's own label, where the user gave one.
    pub label: Option<String>,
}

/// Whether a series is the load itself or what it takes to hold a session. Lifecycle samples never enter the run's totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SeriesKind {
    /// A step's request.
    Operation,
    /// Handshake or close of a session.
    Lifecycle,
}

impl Action {
    /// The method a step is reported under; `None` for a pause, which is not a request, and for the end of a session, whose DELETE is
    /// reported with the handshakes.
    pub fn method(&self) -> Option<&str> {
        Some(match self {
            Self::CallTool { .. } => "tools/call",
            Self::ListTools => "tools/list",
            Self::ReadResource { .. } => "resources/read",
            Self::ListResources => "resources/list",
            Self::GetPrompt { .. } => "prompts/get",
            Self::ListPrompts => "prompts/list",
            Self::Ping => "ping",
            Self::Http(_) => "http",
            Self::CodeMode { .. } => "code_mode",
            Self::Think(_) | Self::CloseSession => return None,
        })
    }

    /// The tool, URI, prompt or path the step is about.
    pub fn object(&self) -> Option<String> {
        match self {
            Self::CallTool { tool, .. } => Some(tool.clone()),
            Self::ReadResource { uri } => Some(uri.clone()),
            Self::GetPrompt { prompt, .. } => Some(prompt.clone()),
            Self::Http(step) => Some(format!("{} {}", step.method, step.path)),
            Self::CodeMode { format, .. } => Some(format.clone()),
            Self::ListTools
            | Self::ListResources
            | Self::ListPrompts
            | Self::Ping
            | Self::Think(_)
            | Self::CloseSession => None,
        }
    }
}

impl SeriesKey {
    /// The name of its row in the report's `per_tool`: its label, where it has one; else its [object](Self::object).
    pub fn row_name(&self) -> Option<String> {
        row_name(self.label.as_deref(), &self.method, self.name.as_deref())
    }

    /// What it is about: a tool, URI, prompt or path; `code_mode/<format>` as in schema 1.1; `None` where its method has no object.
    pub fn object(&self) -> Option<String> {
        object(&self.method, self.name.as_deref())
    }
}

/// See [`SeriesKey::row_name`].
pub(crate) fn row_name(label: Option<&str>, method: &str, name: Option<&str>) -> Option<String> {
    label.map(str::to_owned).or_else(|| object(method, name))
}

fn object(method: &str, name: Option<&str>) -> Option<String> {
    let name = name?;
    Some(if method == "code_mode" { format!("code_mode/{name}") } else { name.to_owned() })
}

/// The series of a run: lifecycle first, then each request step of each scenario in order.
pub(crate) fn series_of(scenarios: &[Scenario]) -> Vec<SeriesKey> {
    let lifecycle = ["initialize", "notifications/initialized", "session/close"].map(|method| SeriesKey {
        kind: SeriesKind::Lifecycle,
        scenario: String::new(),
        method: method.to_owned(),
        name: None,
        label: None,
    });
    let operations = scenarios.iter().flat_map(|scenario| {
        scenario.steps().iter().filter_map(|step| {
            step.action.method().map(|method| SeriesKey {
                kind: SeriesKind::Operation,
                scenario: scenario.name.clone(),
                method: method.to_owned(),
                name: step.action.object(),
                label: step.label.clone(),
            })
        })
    });
    lifecycle.into_iter().chain(operations).collect()
}
