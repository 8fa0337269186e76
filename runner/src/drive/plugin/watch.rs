//! What a guest plans and hears, told as it happens: for whoever writes a plugin.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::bindings::{Action, Step, types};
use crate::judge::{LogLevel, Outcome, PluginFault};

/// Something that happened between a guest and its host.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Which virtual user's.
    pub vu: u64,
    /// In which of its iterations.
    pub iteration: u64,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// The guest gave a plan.
    Planned {
        /// Plans of this iteration before it.
        round: u32,
        /// How many steps it has.
        steps: usize,
        /// What follows them: `done`, `more`, `stop-vu: reason`, `stop-run: reason`.
        then: String,
        /// Whether it was made in an earlier call.
        ahead: bool,
        /// How long the guest took; zero where it was made ahead.
        time: Duration,
    },
    /// A step is about to be done.
    Step {
        /// Its place in the plan.
        position: usize,
        /// Its method: `tools/call`, `resources/read`, `think`, `end-session`, ...
        method: String,
        /// Tool, URI, prompt or path.
        name: Option<String>,
        /// Arguments, parameters or body, as the guest wrote them.
        arguments: Option<String>,
        /// Its row in the report, where the guest gave one.
        label: Option<String>,
    },
    /// A step's call came to an end.
    Answered {
        /// Its place in the plan.
        position: usize,
        /// What came of it.
        outcome: Outcome,
        /// What a person should know of it, should it have failed.
        detail: String,
        /// From when it was due until it was answered.
        time: Duration,
        /// Bytes of the response.
        bytes: u64,
        /// The answer's text; empty where none came.
        answer: String,
    },
    /// A step was not sent.
    Unsent {
        /// Its place in the plan.
        position: usize,
        /// Why: the step was wrong, or one before it failed.
        reason: String,
    },
    /// The guest's verdict on what it heard.
    Check {
        /// Its name.
        name: String,
        /// Whether it held.
        ok: bool,
        /// Why it did not.
        message: Option<String>,
    },
    /// A value of a custom metric.
    Value {
        /// The metric.
        metric: String,
        /// The value.
        value: f64,
    },
    /// The guest logged a line.
    Log {
        /// How important it is.
        level: LogLevel,
        /// What it says.
        message: String,
    },
    /// The guest failed.
    Failed {
        /// How.
        fault: PluginFault,
        /// What is to be said of it.
        message: String,
        /// Where in the guest, innermost first.
        backtrace: Vec<String>,
    },
    /// The iteration is over.
    Ended {
        /// Whether its steps were all done.
        completed: bool,
    },
}

/// What becomes of the times that plugins think while they are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pauses {
    /// They are waited for.
    Kept,
    /// They are passed over: who watches wants to see what is planned, not when.
    Skipped,
}

/// Somebody who is told.
#[derive(Clone)]
pub(crate) struct Watcher {
    tell: Rc<dyn Fn(Event)>,
    pub(super) pauses: Pauses,
}

impl Watcher {
    pub(crate) fn new(pauses: Pauses, tell: impl Fn(Event) + 'static) -> Self {
        Self { tell: Rc::new(tell), pauses }
    }

    pub(super) fn tell(&self, vu: u64, iteration: u64, kind: EventKind) {
        (self.tell)(Event { vu, iteration, kind });
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Watcher")
    }
}

/// A guest's step, for a person.
pub(super) fn shown(position: usize, step: &Step) -> EventKind {
    let (method, name, arguments) = match &step.action {
        Action::CallTool(call) => ("tools/call", Some(call.name.clone()), Some(call.arguments.clone())),
        Action::ReadResource(uri) => ("resources/read", Some(uri.clone()), None),
        Action::GetPrompt(prompt) => {
            let arguments: serde_json::Map<_, _> =
                prompt.arguments.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
            let arguments = serde_json::Value::Object(arguments).to_string();
            ("prompts/get", Some(prompt.name.clone()), Some(arguments))
        }
        Action::List(list) => (listing(list.kind), None, list.cursor.clone()),
        Action::Ping => ("ping", None, None),
        Action::Request(raw) => (raw.method.as_str(), None, raw.params.clone()),
        Action::Notify(raw) => (raw.method.as_str(), None, raw.params.clone()),
        Action::Http(request) => {
            ("http", Some(format!("{} {}", request.method, request.path)), request.body.clone())
        }
        Action::CodeMode(request) => ("code_mode", Some(request.format.clone()), Some(request.code.clone())),
        Action::Think(milliseconds) => ("think", Some(format!("{milliseconds} ms")), None),
        Action::EndSession => ("end-session", None, None),
        Action::Custom(extension) => {
            ("custom", Some(extension.kind.clone()), Some(extension.payload.clone()))
        }
    };
    let label = step.options.as_ref().and_then(|options| options.label.clone());
    EventKind::Step { position, method: method.to_owned(), name, arguments, label }
}

/// The method that lists things of a kind.
pub(super) fn listing(kind: types::ListKind) -> &'static str {
    match kind {
        types::ListKind::Tools => "tools/list",
        types::ListKind::Resources => "resources/list",
        types::ListKind::ResourceTemplates => "resources/templates/list",
        types::ListKind::Prompts => "prompts/list",
    }
}
