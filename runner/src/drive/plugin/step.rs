//! From a guest's step to a request: everything a guest writes is checked here, before a byte of it is sent.
//!
//! What a guest gets wrong is a reason in words, never a failure of ours: the step is not sent, and the iteration goes on as a failed
//! step lets it.

use std::fmt::Write as _;
use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::bindings::{Action, Step, StepOptions, types};
use super::guests::Guests;
use super::host::{has_control, shortened};
use super::watch::listing;
use crate::drive::protocol::mirror::mirrored_values;
use crate::drive::protocol::template::Template;
use crate::drive::script::steps::ReadyStep;
use crate::drive::series::step_key;
use crate::judge::wording;
use crate::plan::size;
use crate::plan::{HttpStep, SeriesId, ThinkTime};

/// Longest label of a step, characters.
const LONGEST_LABEL: usize = 200;

/// A step as it is done, and what it was asked beside it.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) step: ReadyStep,
    pub(super) options: Option<StepOptions>,
}

impl Guests {
    /// Makes a request of a guest's step; the error says what is wrong with it.
    pub(super) fn check(&self, step: Step, timeout: Duration) -> Result<Checked, String> {
        let Step { action, options } = step;
        let label = options.as_ref().and_then(|options| options.label.as_deref());
        if label.is_some_and(|label| label.is_empty() || label.len() > LONGEST_LABEL || has_control(label)) {
            return Err("a label is one to 200 characters on one line".to_owned());
        }
        let timeout = match options.as_ref().and_then(|options| options.timeout_ms) {
            Some(0) => return Err("a timeout of zero lets no answer arrive".to_owned()),
            Some(milliseconds) => Duration::from_millis(milliseconds.into()),
            None => timeout,
        };
        let meta = options.as_ref().and_then(|options| options.meta.as_deref());
        let step = match action {
            Action::Think(milliseconds) => {
                let milliseconds = if self.skips_pauses() { 0 } else { milliseconds };
                let pause = Duration::from_millis(milliseconds.into());
                ReadyStep::Think(ThinkTime::constant(pause))
            }
            Action::EndSession => ReadyStep::EndSession,
            Action::CodeMode(code) => self.code_mode(code, label, timeout)?,
            action => {
                let (series, template) = self.request(action, label, meta)?;
                ReadyStep::Call { series, timeout, template }
            }
        };
        Ok(Checked { step, options })
    }

    fn request(
        &self,
        action: Action,
        label: Option<&str>,
        meta: Option<&str>,
    ) -> Result<(SeriesId, Template), String> {
        let dialect = self.plugin.dialect;
        let mut params = Map::new();
        if let Some(meta) = meta {
            params.insert("_meta".to_owned(), Value::Object(self.object(meta, "_meta")?));
        }
        Ok(match action {
            Action::CallTool(call) => {
                let form = self.plugin.forms.get(&call.name).ok_or_else(|| self.unknown_tool(&call.name))?;
                // What is not sent gets no row.
                let template = self.tool_call(form, &call, params)?;
                (self.row_of(form, &call.name, label), template)
            }
            Action::ReadResource(uri) => {
                // A label stands for all the resources that are read under it.
                let series =
                    self.series("resources/read", Some(uri.as_str()).filter(|_| label.is_none()), label);
                params.insert("uri".to_owned(), uri.as_str().into());
                (series, dialect.call("resources/read", params, Some(&uri), &[]))
            }
            Action::GetPrompt(prompt) => {
                let series = self.series("prompts/get", Some(&prompt.name), label);
                let arguments: Map<String, Value> =
                    prompt.arguments.into_iter().map(|(name, value)| (name, value.into())).collect();
                params.insert("name".to_owned(), prompt.name.as_str().into());
                params.insert("arguments".to_owned(), arguments.into());
                (series, dialect.call("prompts/get", params, Some(&prompt.name), &[]))
            }
            Action::List(list) => {
                let method = listing(list.kind);
                if let Some(cursor) = list.cursor {
                    params.insert("cursor".to_owned(), cursor.into());
                }
                (self.series(method, None, label), dialect.call(method, params, None, &[]))
            }
            Action::Ping => {
                let method = if dialect.revision.is_modern() { "server/discover" } else { "ping" };
                (self.series("ping", None, label), dialect.call(method, params, None, &[]))
            }
            Action::Request(raw) => self.raw_request(&raw, params, label)?,
            Action::Notify(raw) => {
                self.check_method(&raw)?;
                if let Some(text) = &raw.params {
                    params.extend(self.object(text, "params")?);
                }
                (self.series(&raw.method, None, label), dialect.notification(&raw.method, params))
            }
            Action::Http(request) => self.http(request, label)?,
            Action::Custom(extension) => {
                return Err(format!("this version knows no action `{}`", shortened(&extension.kind)));
            }
            Action::CodeMode(_) | Action::Think(_) | Action::EndSession => {
                unreachable!("these are no single request, and were taken before")
            }
        })
    }

    /// The path that most steps take: the arguments are checked and copied, never built up as values.
    fn tool_call(
        &self,
        form: &ToolForm,
        call: &types::ToolCall,
        params: Map<String, Value>,
    ) -> Result<Template, String> {
        if let Some(reason) = &form.dropped {
            return Err(format!("the tool `{}` cannot be called: {reason}", shortened(&call.name)));
        }
        self.check_size(&call.arguments, "arguments")?;
        check_object(&call.arguments, "arguments")?;
        if form.mirrored.is_empty() && params.is_empty() {
            let buffer = self.buffers.borrow_mut().pop().unwrap_or_default();
            return Ok(form.call.with_arguments(&call.arguments, buffer));
        }
        let arguments = Value::Object(self.object(&call.arguments, "arguments")?);
        let mirrored = mirrored_values(&form.mirrored, &arguments);
        let mut params = params;
        params.insert("name".to_owned(), call.name.as_str().into());
        params.insert("arguments".to_owned(), arguments);
        Ok(self.plugin.dialect.call("tools/call", params, Some(&call.name), &mirrored))
    }

    fn unknown_tool(&self, name: &str) -> String {
        let nearest = self
            .plugin
            .forms
            .keys()
            .max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)));
        let hint = nearest.map(|nearest| format!("; the nearest it has is `{nearest}`")).unwrap_or_default();
        format!("the server lists no tool `{}`{hint}", shortened(name))
    }

    fn raw_request(
        &self,
        raw: &types::RawRequest,
        mut params: Map<String, Value>,
        label: Option<&str>,
    ) -> Result<(SeriesId, Template), String> {
        self.check_method(raw)?;
        if let Some(text) = &raw.params {
            params.extend(self.object(text, "params")?);
        }
        // What 2026-07-28 wants mirrored in `mcp-name` (transports, "Request headers").
        let name = match raw.method.as_str() {
            "tools/call" | "prompts/get" => params.get("name"),
            "resources/read" => params.get("uri"),
            _ => None,
        };
        let name = name.and_then(Value::as_str).map(str::to_owned);
        let series = self.series(&raw.method, name.as_deref(), label);
        Ok((series, self.plugin.dialect.call(&raw.method, params, name.as_deref(), &[])))
    }

    fn check_method(&self, raw: &types::RawRequest) -> Result<(), String> {
        let method = &raw.method;
        if method.is_empty() || method.len() > 100 || !method.bytes().all(|byte| (0x21..0x7f).contains(&byte))
        {
            return Err(format!("`{}` is no method: printable ASCII without blanks", shortened(method)));
        }
        if matches!(method.as_str(), "initialize" | "notifications/initialized") {
            return Err(format!("`{method}` is the client's own; end the session to have it sent again"));
        }
        raw.params.as_deref().map_or(Ok(()), |params| self.check_size(params, "params"))
    }

    fn http(&self, request: types::HttpRequest, label: Option<&str>) -> Result<(SeriesId, Template), String> {
        let types::HttpRequest { method, path, headers, body, expect_status } = request;
        if let Some(body) = &body {
            self.check_size(body, "body")?;
        }
        let step = HttpStep { method: method.to_ascii_uppercase(), path, headers, body, expect_status };
        if let Some((message, help)) = step.mistake() {
            return Err(format!("{message}; {help}"));
        }
        let object = label.is_none().then(|| format!("{} {}", step.method, step.path));
        Ok((self.series("http", object.as_deref(), label), Template::plain(&step)))
    }

    fn code_mode(
        &self,
        request: types::CodeRequest,
        label: Option<&str>,
        timeout: Duration,
    ) -> Result<ReadyStep, String> {
        let types::CodeRequest { code, format } = request;
        self.check_size(&code, "code")?;
        let series = self.series("code_mode", Some(&format), label);
        let arguments = json!({"code": code, "format": format});
        let mut params = Map::new();
        params.insert("name".to_owned(), "validate_code".into());
        params.insert("arguments".to_owned(), arguments);
        let validate = self.plugin.dialect.call("tools/call", params, Some("validate_code"), &[]);
        Ok(ReadyStep::CodeMode { series, timeout, validate, code })
    }

    /// The row of a tool's calls; the one without a label is remembered by the tool's place.
    fn row_of(&self, form: &ToolForm, tool: &str, label: Option<&str>) -> SeriesId {
        if label.is_some() {
            return self.series("tools/call", Some(tool), label);
        }
        if let Some(Some(id)) = self.rows.borrow().get(form.place) {
            return *id;
        }
        let id = self.series("tools/call", Some(tool), None);
        let mut rows = self.rows.borrow_mut();
        if rows.len() <= form.place {
            rows.resize(form.place + 1, None);
        }
        rows[form.place] = Some(id);
        id
    }

    /// Takes back the memory of a request that was sent.
    pub(super) fn recycle(&self, step: ReadyStep) {
        if let ReadyStep::Call { template, .. } = step {
            let mut buffers = self.buffers.borrow_mut();
            if buffers.len() < MOST_BUFFERS {
                buffers.push(template.into_buffer());
            }
        }
    }

    /// The row that a step counts under.
    fn series(&self, method: &str, name: Option<&str>, label: Option<&str>) -> SeriesId {
        let mut key = self.key.borrow_mut();
        key.clear();
        for part in [Some(method), name, label] {
            key.push_str(part.unwrap_or_default());
            // No part holds a line break but a name from a guest, which then only has a row too many.
            key.push('\n');
        }
        if let Some(id) = self.series.borrow().get(key.as_str()) {
            return *id;
        }
        let name = name.map(shortened);
        let key_of_row = step_key(&self.plugin.facts.scenario, method, name.as_deref(), label);
        let id = self.plugin.series.add(key_of_row);
        let mut known = self.series.borrow_mut();
        if known.len() < MOST_REMEMBERED {
            known.insert(key.clone(), id);
        }
        id
    }

    fn check_size(&self, text: &str, what: &str) -> Result<(), String> {
        let limit = self.plugin.limits.arguments_bytes;
        if text.len() as u64 > limit {
            let (is, may) = (wording::bytes(text.len() as u64), size::human(limit));
            return Err(format!("{what} of {is}; at most {may} are allowed (`max_arguments`)"));
        }
        Ok(())
    }

    fn object(&self, text: &str, what: &str) -> Result<Map<String, Value>, String> {
        self.check_size(text, what)?;
        serde_json::from_str(text).map_err(|error| not_an_object(what, &error))
    }
}

/// Buffers that a worker keeps for requests to come. One is enough, but for virtual users that come back at the same time.
const MOST_BUFFERS: usize = 16;
/// Rows that a worker remembers the way to; a plugin that names things anew every time asks the registry instead.
const MOST_REMEMBERED: usize = 4096;

/// Whether a text is one JSON object and nothing else.
fn check_object(text: &str, what: &str) -> Result<(), String> {
    if !text.trim_ascii_start().starts_with('{') {
        let mut start: String = text.chars().take(20).collect();
        if start.len() < text.len() {
            let _ = write!(start, "…");
        }
        return Err(format!("{what} are no JSON object: `{}`", shortened(&start)));
    }
    serde_json::from_str::<IgnoredAny>(text).map(drop).map_err(|error| not_an_object(what, &error))
}

fn not_an_object(what: &str, error: &serde_json::Error) -> String {
    format!("{what} are no JSON object: {error}")
}

/// A tool as steps call it.
#[derive(Debug)]
pub(super) struct ToolForm {
    /// Which of the target's tools it is.
    pub(super) place: usize,
    pub(super) call: crate::drive::protocol::template::CallForm,
    pub(super) mirrored: Vec<crate::drive::protocol::mirror::MirroredHeader>,
    /// Why it must not be called (2026-07-28: its declaration of mirrored headers is invalid).
    pub(super) dropped: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::check_object;

    #[test]
    fn arguments_are_one_json_object() {
        for text in ["{}", " {\"a\": [1, \"\\n\"]} ", "{\"a\":{}}"] {
            assert_eq!(check_object(text, "arguments"), Ok(()), "{text}");
        }
        for text in ["", "null", "[1]", "{", "{\"a\"}", "{} {}", "{}\u{0}", "{\"a\":\"\n\"}", "{,}"] {
            let told = check_object(text, "arguments").unwrap_err();
            assert!(told.starts_with("arguments are no JSON object: "), "{told}");
        }
    }
}
