//! One thing to do: a request, a notification, a pause or the session's end.

use std::time::Duration;

use serde::Serialize;

use crate::action::Action;
pub use crate::wire::ListKind;
use crate::{HttpRequest, wire};

/// One thing to do, and what is asked of its answer.
///
/// Arguments, parameters and payloads are anything that `serde` writes as a JSON object: a struct, a map, `json!`; `()` stands for
/// none. What is no JSON object fails the iteration, with a text that names the step.
///
/// ```
/// use std::time::Duration;
/// use pmcp_loadtest_guest::{Plan, Step, json};
///
/// let plan: Plan = [
///     Step::call("search", json!({ "query": "boots", "limit": 3 })).capture("/structuredContent/items/0/id"),
///     Step::think(Duration::from_secs(2)),
///     Step::read("shop://cart").label("cart").timeout(Duration::from_secs(1)),
/// ]
/// .into();
/// # let _ = plan;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Step {
    wire: wire::Step,
    /// Why it cannot be sent: kept until the plan is handed over, so that a plan reads without a `?` at every step.
    fault: Option<Box<str>>,
}

impl Step {
    fn new(action: Action) -> Self {
        Self { wire: wire::Step { action, options: None }, fault: None }
    }

    /// Calls a tool.
    pub fn call(tool: impl Into<String>, arguments: impl Serialize) -> Self {
        let name = tool.into();
        match object(arguments) {
            Ok(text) => Self::call_text(name, text.unwrap_or_else(|| "{}".to_owned())),
            Err(reason) => {
                let fault = format!("the arguments of `{name}` {reason}");
                Self::call_text(name, "").faulty(fault)
            }
        }
    }

    /// Calls a tool with arguments that are JSON text already: a template filled in, or what
    /// [`target::generate_arguments`](crate::target::generate_arguments) gave. Text that is no JSON object is an invalid step, and
    /// not sent.
    pub fn call_text(tool: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self::new(Action::CallTool(wire::ToolCall { name: tool.into(), arguments: arguments.into() }))
    }

    /// Reads a resource.
    pub fn read(uri: impl Into<String>) -> Self {
        Self::new(Action::ReadResource(uri.into()))
    }

    /// Gets a prompt, with the arguments it asks for.
    pub fn prompt<K: Into<String>, V: Into<String>>(
        name: impl Into<String>,
        arguments: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let arguments = arguments.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self::new(Action::GetPrompt(wire::PromptCall { name: name.into(), arguments }))
    }

    /// Asks for the first page of a list. The next page's cursor is at `/nextCursor` of the result.
    pub fn list(kind: ListKind) -> Self {
        Self::new(Action::List(wire::ListRequest { kind, cursor: None }))
    }

    /// Asks for the page of a list that begins at `cursor`.
    pub fn list_from(kind: ListKind, cursor: impl Into<String>) -> Self {
        Self::new(Action::List(wire::ListRequest { kind, cursor: Some(cursor.into()) }))
    }

    /// Asks whether the server is there: `ping`, or `server/discover` where the protocol has no ping.
    pub fn ping() -> Self {
        Self::new(Action::Ping)
    }

    /// A JSON-RPC request of any method.
    pub fn request(method: impl Into<String>, params: impl Serialize) -> Self {
        Self::raw(method.into(), params, Action::Request)
    }

    /// A JSON-RPC notification of any method.
    pub fn notify(method: impl Into<String>, params: impl Serialize) -> Self {
        Self::raw(method.into(), params, Action::Notify)
    }

    fn raw(method: String, params: impl Serialize, action: fn(wire::RawRequest) -> Action) -> Self {
        match object(params) {
            Ok(params) => Self::new(action(wire::RawRequest { method, params })),
            Err(reason) => {
                let fault = format!("the parameters of `{method}` {reason}");
                Self::new(action(wire::RawRequest { method, params: None })).faulty(fault)
            }
        }
    }

    /// A plain HTTP request to the target's origin, beside MCP.
    pub fn http(request: HttpRequest) -> Self {
        Self::new(Action::Http(request.into_wire()))
    }

    /// Runs code on a server in code mode: `validate_code`, then `execute_code` with the token it gave, measured as one call.
    pub fn code(code: impl Into<String>, format: impl Into<String>) -> Self {
        Self::new(Action::CodeMode(wire::CodeRequest { code: code.into(), format: format.into() }))
    }

    /// A pause, to the millisecond. It has no outcome, and is no part of any latency.
    pub fn think(pause: Duration) -> Self {
        Self::new(Action::Think(milliseconds(pause)))
    }

    /// Ends the session; the next request opens another. It has no outcome.
    pub fn end_session() -> Self {
        Self::new(Action::EndSession)
    }

    /// An action that came after this version of the interface; ask [`host::supports`](crate::host::supports) first.
    pub fn custom(kind: impl Into<String>, payload: impl Serialize) -> Self {
        let kind = kind.into();
        match object(payload) {
            Ok(payload) => {
                let payload = payload.unwrap_or_else(|| "{}".to_owned());
                Self::new(Action::Custom(wire::Extension { kind, payload }))
            }
            Err(reason) => {
                let fault = format!("the payload of `{kind}` {reason}");
                Self::new(Action::Custom(wire::Extension { kind, payload: String::new() })).faulty(fault)
            }
        }
    }

    /// Its row in the report; otherwise that is the tool, URI, prompt or path. At most 1,000 different ones per scenario: nothing
    /// with an id in it.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.options().label = Some(label.into());
        self
    }

    /// Hand over what this JSON Pointer (RFC 6901) finds in the result: [`Outcome::captured`](crate::Outcome::captured). Cheaper than
    /// the [whole result](Self::want_result) where that is large.
    pub fn capture(mut self, pointer: impl Into<String>) -> Self {
        self.options().capture.push(pointer.into());
        self
    }

    /// Hand over the whole result, cut off at the host's limit: [`Outcome::result`](crate::Outcome::result).
    pub fn want_result(mut self) -> Self {
        self.options().want_body = true;
        self
    }

    /// Longest wait for the answer, to the millisecond; otherwise the run's timeout.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options().timeout_ms = Some(milliseconds(timeout));
        self
    }

    /// Members for `_meta` of the request.
    pub fn meta(mut self, members: impl Serialize) -> Self {
        match object(members) {
            Ok(meta) => {
                self.options().meta = meta;
                self
            }
            Err(reason) => self.faulty(format!("the members for `_meta` {reason}")),
        }
    }

    /// What is done.
    pub fn action(&self) -> &Action {
        &self.wire.action
    }

    /// The tool that is called, if it is a tool call.
    pub fn tool(&self) -> Option<&str> {
        match self.action() {
            Action::CallTool(call) => Some(&call.name),
            _ => None,
        }
    }

    /// The arguments of a tool call, parsed; `Null` for any other step and for text that is no JSON. For tests.
    pub fn arguments(&self) -> serde_json::Value {
        match self.action() {
            Action::CallTool(call) => serde_json::from_str(&call.arguments).unwrap_or_default(),
            _ => serde_json::Value::Null,
        }
    }

    fn options(&mut self) -> &mut wire::StepOptions {
        self.wire.options.get_or_insert_with(|| wire::StepOptions {
            label: None,
            capture: Vec::new(),
            want_body: false,
            timeout_ms: None,
            meta: None,
        })
    }

    fn faulty(mut self, fault: String) -> Self {
        self.fault.get_or_insert(fault.into());
        self
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn from_wire(wire: wire::Step) -> Self {
        Self { wire, fault: None }
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn wire(&self) -> &wire::Step {
        &self.wire
    }

    pub(crate) fn into_wire(self) -> Result<wire::Step, String> {
        match self.fault {
            None => Ok(self.wire),
            Some(fault) => Err(fault.into()),
        }
    }
}

/// The text of a JSON object, `None` of `null`.
fn object(value: impl Serialize) -> Result<Option<String>, String> {
    let text = serde_json::to_string(&value).map_err(|error| format!("have no JSON form: {error}"))?;
    match text.as_bytes() {
        [b'{', ..] => Ok(Some(text)),
        b"null" => Ok(None),
        _ => Err(format!("are no JSON object: {text}")),
    }
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
