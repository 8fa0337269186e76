//! One step: its type, and the keys that belong to that type.

use std::ops::Range;

use serde_json::Value;

use super::error::Problems;
use super::file::{StepTable, StepType};
use super::value::{At, Entries};
use crate::plan::headers::{Written, mistake};
use crate::plan::{Action, HttpStep, Step};

/// The step; `None` once its mistakes are noted.
pub(super) fn read(table: At<StepTable>, problems: &mut Problems<'_>) -> Option<Step> {
    let span = table.span;
    let mut table = table.value;
    let Some(kind) = table.kind.as_ref().map(|at| at.value) else {
        let help = "write what it does, such as `type = \"tools/call\"`";
        problems.at(&span, "this step has no `type`", help);
        return None;
    };
    let fits = check_keys(kind, &table, problems);
    let timeout = match &table.timeout {
        Some(at) => {
            let timeout = problems.duration(at)?;
            if timeout.is_zero() {
                problems.at(&at.span, "the timeout is zero", "every answer takes some time");
            }
            Some(timeout)
        }
        None => None,
    };
    let label = table.name.take().map(|name| name.value);
    let action = action(kind, table, &span, problems);
    Some(Step { label, timeout, action: action.filter(|_| fits)? })
}

/// The word in the file, and the keys that belong to it.
fn keys_of(kind: StepType) -> (&'static str, &'static [&'static str]) {
    match kind {
        StepType::CallTool => ("tools/call", &["tool", "arguments", "timeout"]),
        StepType::ListTools => ("tools/list", &["timeout"]),
        StepType::ReadResource => ("resources/read", &["uri", "timeout"]),
        StepType::ListResources => ("resources/list", &["timeout"]),
        StepType::GetPrompt => ("prompts/get", &["prompt", "arguments", "timeout"]),
        StepType::ListPrompts => ("prompts/list", &["timeout"]),
        StepType::Ping => ("ping", &["timeout"]),
        StepType::Http => ("http", &["method", "path", "headers", "body", "expect_status", "timeout"]),
        StepType::Think => ("think", &["duration"]),
        StepType::CloseSession => ("session/close", &[]),
        StepType::CodeMode => ("code_mode", &["code", "format", "timeout"]),
    }
}

/// Whether all keys belong to the type; those that do not are noted.
fn check_keys(kind: StepType, table: &StepTable, problems: &mut Problems<'_>) -> bool {
    let (word, takes) = keys_of(kind);
    let strays: Vec<_> = table.given().into_iter().filter(|(key, _)| !takes.contains(key)).collect();
    for (key, span) in &strays {
        let message = format!("`{key}` does not belong to a step of type `{word}`");
        let takes = if takes.is_empty() { "nothing".to_owned() } else { takes.join(", ") };
        problems.at(span, message, format!("it takes {takes}"));
    }
    strays.is_empty()
}

fn action(
    kind: StepType,
    table: StepTable,
    span: &Range<usize>,
    problems: &mut Problems<'_>,
) -> Option<Action> {
    let mut text = |key: &str, value: Option<At<String>>| needed(kind, key, value, span, problems);
    Some(match kind {
        StepType::CallTool => {
            let tool = text("tool", table.tool)?;
            Action::CallTool { tool, arguments: tool_arguments(table.arguments, problems)? }
        }
        StepType::ListTools => Action::ListTools,
        StepType::ReadResource => Action::ReadResource { uri: text("uri", table.uri)? },
        StepType::ListResources => Action::ListResources,
        StepType::GetPrompt => {
            let prompt = text("prompt", table.prompt)?;
            Action::GetPrompt { prompt, arguments: prompt_arguments(table.arguments, problems)? }
        }
        StepType::ListPrompts => Action::ListPrompts,
        StepType::Ping => Action::Ping,
        StepType::Http => Action::Http(http(table, span, problems)?),
        StepType::Think => {
            let Some(duration) = &table.duration else {
                problems.at(span, "a step of type `think` needs `duration`", "write `duration = \"1s..3s\"`");
                return None;
            };
            Action::Think(problems.pause(duration)?)
        }
        StepType::CloseSession => Action::CloseSession,
        StepType::CodeMode => Action::CodeMode {
            code: text("code", table.code)?,
            format: table.format.map_or_else(|| "graphql".to_owned(), |at| at.value),
        },
    })
}

/// The text of a key that the type cannot do without.
fn needed(
    kind: StepType,
    key: &str,
    value: Option<At<String>>,
    span: &Range<usize>,
    problems: &mut Problems<'_>,
) -> Option<String> {
    let (word, _) = keys_of(kind);
    match value {
        Some(at) if at.value.is_empty() => {
            problems.at(
                &at.span,
                format!("`{key}` is empty"),
                format!("a step of type `{word}` cannot do without it"),
            );
            None
        }
        Some(at) => Some(at.value),
        None => {
            let message = format!("a step of type `{word}` needs `{key}`");
            problems.at(span, message, format!("write `{key} = \"...\"`"));
            None
        }
    }
}

/// The arguments of a tool: a JSON object, empty if none are given.
fn tool_arguments(arguments: Option<At<toml::Value>>, problems: &mut Problems<'_>) -> Option<Value> {
    let Some(at) = arguments else { return Some(Value::Object(serde_json::Map::new())) };
    if !at.value.is_table() {
        problems.at(
            &at.span,
            "the arguments of a tool are a table",
            "write `arguments = { name = \"value\" }`",
        );
        return None;
    }
    json(at.value).map_err(|message| problems.at(&at.span, message, "write a number that JSON has")).ok()
}

/// A TOML value as JSON. Dates become texts; what JSON cannot say is an error.
pub(super) fn json(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| format!("JSON has no number {number}"))?,
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(values) => Value::Array(values.into_iter().map(json).collect::<Result<_, _>>()?),
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| Ok((key, json(value)?)));
            Value::Object(entries.collect::<Result<_, String>>()?)
        }
    })
}

/// The arguments of a prompt, which are texts by protocol.
fn prompt_arguments(
    arguments: Option<At<toml::Value>>,
    problems: &mut Problems<'_>,
) -> Option<Vec<(String, String)>> {
    let Some(at) = arguments else { return Some(Vec::new()) };
    let toml::Value::Table(table) = at.value else {
        problems.at(
            &at.span,
            "the arguments of a prompt are a table",
            "write `arguments = { name = \"value\" }`",
        );
        return None;
    };
    let mut texts = Vec::new();
    for (key, value) in table {
        let toml::Value::String(text) = value else {
            let message = format!(
                "the argument `{key}` is not a text, and the arguments of a prompt are texts by protocol"
            );
            problems.at(&at.span, message, format!("write `{key} = \"...\"`"));
            return None;
        };
        texts.push((key, text));
    }
    Some(texts)
}

fn http(table: StepTable, span: &Range<usize>, problems: &mut Problems<'_>) -> Option<HttpStep> {
    let method = match table.method {
        Some(at) => {
            if let Some((message, help)) = HttpStep::mistake_in_method(&at.value) {
                problems.at(&at.span, message, help);
                return None;
            }
            at.value.to_ascii_uppercase()
        }
        None => "GET".to_owned(),
    };
    let Some(path) = table.path else {
        problems.at(span, "a step of type `http` needs `path`", "write `path = \"/health\"`");
        return None;
    };
    if let Some((message, help)) = HttpStep::mistake_in_path(&path.value) {
        problems.at(&path.span, message, help);
        return None;
    }
    let expect_status = table.expect_status.map(|at| at.value.0).unwrap_or_default();
    let headers = headers(table.headers, problems);
    Some(HttpStep { method, path: path.value, headers, body: table.body.map(|at| at.value), expect_status })
}

fn headers(entries: Option<At<Entries<At<String>>>>, problems: &mut Problems<'_>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for (name, value) in entries.into_iter().flat_map(|at| at.value.0) {
        if let Some((message, help)) = mistake(&name.value, &value.value, Written::ByStep) {
            problems.at(&name.span, message, help);
        }
        headers.push((name.value, value.value));
    }
    headers
}

/// Whether a text of the action looks like a placeholder of a later version: `{{...}}`.
pub(super) fn has_placeholder(action: &Action) -> bool {
    let marked = |text: &str| text.split_once("{{").is_some_and(|(_, rest)| rest.contains("}}"));
    match action {
        Action::CallTool { arguments, .. } => any_text(arguments, &marked),
        Action::GetPrompt { arguments, .. } => arguments.iter().any(|(_, text)| marked(text)),
        Action::ReadResource { uri } => marked(uri),
        Action::Http(step) => marked(&step.path) || step.body.as_deref().is_some_and(marked),
        _ => false,
    }
}

fn any_text(value: &Value, marked: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => marked(text),
        Value::Array(values) => values.iter().any(|value| any_text(value, marked)),
        Value::Object(entries) => entries.values().any(|value| any_text(value, marked)),
        _ => false,
    }
}
