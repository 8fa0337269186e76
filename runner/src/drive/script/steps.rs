//! Scenarios made ready to run: every step's request is text before the load begins.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::drive::protocol::mirror::{MirroredHeader, mirrored_values};
use crate::drive::protocol::template::{Dialect, Template};
use crate::plan::{Action, Plan, Script, SeriesId, Step, ThinkTime};

/// The headers that mirror arguments (`x-mcp-header`), by tool.
pub(crate) type ToolHeaders = HashMap<String, Vec<MirroredHeader>>;

/// All scenarios of a run, ready.
#[derive(Debug)]
pub(crate) struct Steps {
    scenarios: Vec<ReadyScenario>,
}

/// A scenario, ready.
#[derive(Debug)]
pub(crate) struct ReadyScenario {
    pub(crate) think_time: Option<ThinkTime>,
    /// Shortest time from the beginning of an iteration to that of the next, in the closed model.
    pub(crate) pacing: Option<Duration>,
    pub(crate) script: ReadyScript,
}

/// Where the steps of an iteration come from.
#[derive(Debug)]
pub(crate) enum ReadyScript {
    /// They are there.
    Steps(Vec<ReadyStep>),
    /// This plugin plans them, by its number.
    Plugin(usize),
}

/// A step, ready.
#[derive(Debug)]
pub(crate) enum ReadyStep {
    /// One request.
    Call { series: SeriesId, timeout: Duration, template: Template },
    /// `validate_code`, then `execute_code` with the token it gave.
    CodeMode { series: SeriesId, timeout: Duration, validate: Template, code: String },
    /// A pause.
    Think(ThinkTime),
    /// The end of the session.
    EndSession,
}

impl ReadyStep {
    /// Whether it asks nothing of the server that an iteration would be incomplete without.
    pub(crate) fn is_pause(&self) -> bool {
        matches!(self, Self::Think(_) | Self::EndSession)
    }
}

impl Steps {
    /// Makes a plan's scenarios ready for a server of this dialect.
    pub(crate) fn prepare(plan: &Plan, dialect: Dialect, headers: &ToolHeaders) -> Self {
        let mut series = SeriesId::LIFECYCLE;
        let mut plugins = 0;
        let scenarios: Vec<ReadyScenario> = plan
            .scenarios
            .iter()
            .map(|scenario| ReadyScenario {
                think_time: scenario.think_time,
                pacing: scenario.pacing,
                script: match &scenario.script {
                    Script::Steps(steps) => {
                        ReadyScript::Steps(ready_steps(steps, plan, dialect, headers, &mut series))
                    }
                    Script::Plugin(_) => {
                        plugins += 1;
                        ReadyScript::Plugin(plugins - 1)
                    }
                },
            })
            .collect();
        Self { scenarios }
    }

    /// The scenario with this place in the plan.
    pub(crate) fn scenario(&self, index: usize) -> &ReadyScenario {
        &self.scenarios[index]
    }
}

fn ready_steps(
    steps: &[Step],
    plan: &Plan,
    dialect: Dialect,
    headers: &ToolHeaders,
    series: &mut u32,
) -> Vec<ReadyStep> {
    let ready = steps.iter().map(|step| {
        let id = SeriesId(*series);
        if step.action.method().is_some() {
            *series += 1;
        }
        ready_step(step, id, plan, dialect, headers)
    });
    ready.collect()
}

fn ready_step(
    step: &Step,
    series: SeriesId,
    plan: &Plan,
    dialect: Dialect,
    headers: &ToolHeaders,
) -> ReadyStep {
    let timeout = step.timeout.unwrap_or(plan.settings.timeout);
    let template = match &step.action {
        Action::Think(pause) => return ReadyStep::Think(*pause),
        Action::CloseSession => return ReadyStep::EndSession,
        Action::CodeMode { code, format } => {
            let validate =
                call_tool(dialect, "validate_code", &json!({"code": code, "format": format}), headers);
            return ReadyStep::CodeMode { series, timeout, validate, code: code.clone() };
        }
        Action::CallTool { tool, arguments } => call_tool(dialect, tool, arguments, headers),
        Action::ListTools => dialect.call("tools/list", Map::new(), None, &[]),
        Action::ReadResource { uri } => {
            dialect.call("resources/read", params([("uri", uri.as_str().into())]), Some(uri), &[])
        }
        Action::ListResources => dialect.call("resources/list", Map::new(), None, &[]),
        Action::GetPrompt { prompt, arguments } => {
            let values: Map<String, Value> =
                arguments.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
            let params = params([("name", prompt.as_str().into()), ("arguments", values.into())]);
            dialect.call("prompts/get", params, Some(prompt), &[])
        }
        Action::ListPrompts => dialect.call("prompts/list", Map::new(), None, &[]),
        Action::Ping if dialect.revision.is_modern() => {
            dialect.call("server/discover", Map::new(), None, &[])
        }
        Action::Ping => dialect.call("ping", Map::new(), None, &[]),
        Action::Http(step) => Template::plain(step),
    };
    ReadyStep::Call { series, timeout, template }
}

fn params<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn call_tool(dialect: Dialect, tool: &str, arguments: &Value, headers: &ToolHeaders) -> Template {
    let mirrored = headers.get(tool).map(|headers| mirrored_values(headers, arguments)).unwrap_or_default();
    let params = params([("name", tool.into()), ("arguments", arguments.clone())]);
    dialect.call("tools/call", params, Some(tool), &mirrored)
}

/// The second call of a `code_mode` step, made up from the answer to the first; `None` where it holds no approval token.
///
/// The token is `approval_token` in the first text block, read as JSON, as the existing command does it.
pub(crate) fn execute_code(dialect: Dialect, code: &str, validated: &[u8]) -> Option<Template> {
    let answer: Value = serde_json::from_slice(validated).ok()?;
    let blocks = answer["result"]["content"].as_array()?;
    let text = blocks.iter().find(|block| block["type"] == "text")?["text"].as_str()?;
    let token = serde_json::from_str::<Value>(text).ok()?.get("approval_token")?.as_str()?.to_owned();
    Some(call_tool(
        dialect,
        "execute_code",
        &json!({"code": code, "approval_token": token}),
        &ToolHeaders::new(),
    ))
}
