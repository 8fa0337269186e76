//! Requests made up once and sent many times: everything but the id is text before the load begins.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::mirror::encode_header_value;
use super::reply::Expect;
use crate::drive::transport::{Body, Request, RequestKind};
use crate::plan::{HttpStep, Revision};

/// How the client presents itself: the revision it speaks and what it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) revision: Revision,
    /// Whether the client declares that it answers `elicitation/create`.
    pub(crate) elicitation: bool,
}

/// A request, ready but for its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    kind: TemplateKind,
    /// Head lines that go with the body; each ends with CR LF.
    lines: String,
    before: Cow<'static, [u8]>,
    after: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TemplateKind {
    /// A JSON-RPC request.
    Call,
    /// A JSON-RPC message that gets no answer: a notification, or our answer to a request of the server.
    Notification,
    /// A plain HTTP request.
    Plain { method: Box<str>, path: Box<str>, expect_status: Box<[u16]> },
}

impl Dialect {
    /// What the client can do, as `initialize` and `_meta` want it.
    pub(crate) fn capabilities(self) -> Value {
        if self.elicitation { json!({"elicitation": {}}) } else { json!({}) }
    }

    /// Who the client is.
    pub(crate) fn client_info() -> Value {
        json!({"name": "pmcp-loadtest", "version": env!("CARGO_PKG_VERSION")})
    }

    /// A JSON-RPC request. `name` is what it is about (tool, prompt, URI) and `mirrored` the headers of its arguments; both stand in
    /// the head where the revision is 2026-07-28 (transports, section "Request headers").
    pub(crate) fn call(
        self,
        method: &str,
        mut params: Map<String, Value>,
        name: Option<&str>,
        mirrored: &[(String, String)],
    ) -> Template {
        let mut lines = String::new();
        if self.revision.is_modern() {
            self.add_meta(&mut params);
            push_line(&mut lines, "mcp-method", method);
            if let Some(name) = name {
                push_line(&mut lines, "mcp-name", &encode_header_value(name));
            }
            for (header, value) in mirrored {
                push_line(&mut lines, header, value);
            }
        }
        let method = Value::from(method);
        let params =
            if params.is_empty() { String::new() } else { format!(",\"params\":{}", Value::Object(params)) };
        Template {
            kind: TemplateKind::Call,
            lines,
            before: BEFORE_ID.into(),
            after: format!(",\"method\":{method}{params}}}").into_bytes(),
        }
    }

    /// A `tools/call` of a tool, ready but for its arguments.
    pub(crate) fn call_form(self, tool: &str) -> CallForm {
        let mut lines = String::new();
        let mut after = "}}".to_owned();
        if self.revision.is_modern() {
            push_line(&mut lines, "mcp-method", "tools/call");
            push_line(&mut lines, "mcp-name", &encode_header_value(tool));
            after = format!(",\"_meta\":{}}}}}", self.meta());
        }
        let tool = Value::from(tool);
        let before = format!(",\"method\":\"tools/call\",\"params\":{{\"name\":{tool},\"arguments\":");
        CallForm { lines, before, after }
    }

    /// A notification of the client.
    pub(crate) fn notification(self, method: &str, mut params: Map<String, Value>) -> Template {
        let mut lines = String::new();
        if self.revision.is_modern() {
            self.add_meta(&mut params);
            push_line(&mut lines, "mcp-method", method);
        }
        let mut message = json!({"jsonrpc": "2.0", "method": method});
        if !params.is_empty() {
            message["params"] = Value::Object(params);
        }
        Template { lines, ..Template::notification(&message) }
    }

    /// Adds what stands in `_meta` of every request, beside what is there already.
    fn add_meta(self, params: &mut Map<String, Value>) {
        let mut meta = self.meta();
        if let (Some(Value::Object(given)), Value::Object(ours)) = (params.remove("_meta"), &mut meta) {
            for (key, value) in given {
                ours.entry(key).or_insert(value);
            }
        }
        params.insert("_meta".to_owned(), meta);
    }

    fn meta(self) -> Value {
        json!({
            "io.modelcontextprotocol/protocolVersion": self.revision.as_str(),
            "io.modelcontextprotocol/clientInfo": Self::client_info(),
            "io.modelcontextprotocol/clientCapabilities": self.capabilities(),
        })
    }

    /// The head lines that stand in every request outside a session.
    pub(crate) fn lines(self) -> String {
        let mut lines = String::new();
        if self.revision.is_modern() {
            push_line(&mut lines, "mcp-protocol-version", self.revision.as_str());
        }
        lines
    }
}

/// A `tools/call`, ready but for its arguments and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallForm {
    lines: String,
    before: String,
    after: String,
}

impl CallForm {
    /// The call with these arguments: the text of a JSON object. What `buffer` holds is lost; its memory is used.
    pub(crate) fn with_arguments(&self, arguments: &str, mut buffer: Vec<u8>) -> Template {
        buffer.clear();
        buffer.reserve(self.before.len() + arguments.len() + self.after.len());
        for part in [self.before.as_str(), arguments, &self.after] {
            buffer.extend_from_slice(part.as_bytes());
        }
        Template {
            kind: TemplateKind::Call,
            lines: self.lines.clone(),
            before: BEFORE_ID.into(),
            after: buffer,
        }
    }
}

/// What stands before the id of every call.
const BEFORE_ID: &[u8] = br#"{"jsonrpc":"2.0","id":"#;

impl Template {
    /// A JSON-RPC message that gets no answer.
    pub(crate) fn notification(message: &Value) -> Self {
        Self {
            kind: TemplateKind::Notification,
            lines: String::new(),
            before: message.to_string().into_bytes().into(),
            after: Vec::new(),
        }
    }

    /// A plain HTTP request beside MCP.
    pub(crate) fn plain(step: &HttpStep) -> Self {
        let mut lines = String::new();
        if !step.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept")) {
            push_line(&mut lines, "accept", "*/*");
        }
        for (name, value) in &step.headers {
            push_line(&mut lines, name, value);
        }
        Self {
            kind: TemplateKind::Plain {
                method: step.method.as_str().into(),
                path: step.path.as_str().into(),
                expect_status: step.expect_status.as_slice().into(),
            },
            lines,
            before: step.body.clone().unwrap_or_default().into_bytes().into(),
            after: Vec::new(),
        }
    }

    /// The request with this id, in a session with these head lines.
    pub(crate) fn request<'a>(&'a self, id: u64, session_lines: &'a str) -> Request<'a> {
        let (kind, expect, id, session_lines) = match &self.kind {
            TemplateKind::Call => (RequestKind::Message, Expect::Answer { id }, Some(id), session_lines),
            TemplateKind::Notification => (RequestKind::Message, Expect::Accepted, None, session_lines),
            TemplateKind::Plain { method, path, expect_status } => {
                (RequestKind::Plain { method, path }, Expect::Status(expect_status), None, "")
            }
        };
        Request {
            kind,
            session_lines,
            step_lines: &self.lines,
            body: Body { before: &self.before, id, after: &self.after },
            expect,
            keep_answer: false,
            responder: None,
        }
    }

    /// Gives its memory back, for the next [`CallForm::with_arguments`].
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.after
    }

    /// Whether it is a request of the protocol: one that takes an id, and whose answer speaks for the session.
    pub(crate) fn is_call(&self) -> bool {
        self.kind == TemplateKind::Call
    }

    /// The same call with more parameters: what another round of it takes (2026-07-28, multi-round-trip requests). `None` for what
    /// is not a call.
    pub(crate) fn with_params(&self, more: Map<String, Value>) -> Option<Self> {
        let text = [b"{\"id\":0".as_slice(), &self.after].concat();
        let mut message: Value = serde_json::from_slice(&text).ok()?;
        let method = message.get("method")?.clone();
        let params = message.get_mut("params")?.as_object_mut()?;
        params.extend(more);
        let after = format!(",\"method\":{method},\"params\":{}}}", Value::Object(std::mem::take(params)));
        Some(Self { after: after.into_bytes(), ..self.clone() })
    }
}

fn push_line(lines: &mut String, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        lines.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(params) => params,
            other => panic!("{other} is no object"),
        }
    }

    fn body(template: &Template, id: u64) -> Value {
        let request = template.request(id, "");
        let id = request.body.id.map(|id| id.to_string()).unwrap_or_default();
        serde_json::from_slice(&[request.body.before, id.as_bytes(), request.body.after].concat()).unwrap()
    }

    #[test]
    fn a_session_era_call_is_plain_json_rpc() {
        let dialect = Dialect { revision: Revision::V2025_06_18, elicitation: false };
        let call = dialect.call("tools/call", params(json!({"name": "e", "arguments": {}})), Some("e"), &[]);
        assert_eq!(
            body(&call, 9),
            json!({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "e", "arguments": {}}})
        );
        assert_eq!(call.request(9, "s: 1\r\n").step_lines, "");
        assert_eq!(
            body(&dialect.call("ping", Map::new(), None, &[]), 1),
            json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})
        );
    }

    #[test]
    fn a_modern_call_mirrors_its_body_in_the_head() {
        let dialect = Dialect { revision: Revision::V2026_07_28, elicitation: false };
        let mirrored = [("Mcp-Param-Region".to_owned(), "eu".to_owned())];
        let call = dialect.call("tools/call", params(json!({"name": "größe"})), Some("größe"), &mirrored);
        let lines = call.request(1, "").step_lines;
        assert_eq!(
            lines,
            "mcp-method: tools/call\r\nmcp-name: =?base64?Z3LDtsOfZQ==?=\r\nMcp-Param-Region: eu\r\n"
        );
        let meta = &body(&call, 1)["params"]["_meta"];
        assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
        assert_eq!(meta["io.modelcontextprotocol/clientCapabilities"], json!({}));
        assert_eq!(dialect.lines(), "mcp-protocol-version: 2026-07-28\r\n");
    }

    #[test]
    fn a_form_with_arguments_is_the_call_that_would_have_been_built() {
        for revision in Revision::ALL {
            let dialect = Dialect { revision, elicitation: true };
            for (tool, arguments) in [("echo", "{}"), ("gr\"öße", r#"{"a": [1, "x"]}"#)] {
                let value: Value = serde_json::from_str(arguments).unwrap();
                let built = dialect.call(
                    "tools/call",
                    params(json!({"name": tool, "arguments": value})),
                    Some(tool),
                    &[],
                );
                let formed = dialect.call_form(tool).with_arguments(arguments, b"before".to_vec());
                assert_eq!(body(&formed, 5), body(&built, 5));
                assert_eq!(formed.request(5, "").step_lines, built.request(5, "").step_lines);
                assert!(formed.is_call());
            }
        }
    }

    #[test]
    fn what_a_step_puts_into_meta_stands_beside_what_the_protocol_wants() {
        let dialect = Dialect { revision: Revision::V2026_07_28, elicitation: false };
        let given = json!({"_meta": {"traceparent": "00-1", "io.modelcontextprotocol/protocolVersion": "1"}});
        let meta = &body(&dialect.call("tools/list", params(given.clone()), None, &[]), 1)["params"]["_meta"];
        assert_eq!(meta["traceparent"], "00-1");
        assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
        let session_era = Dialect { revision: Revision::V2025_06_18, elicitation: false };
        let meta = &body(&session_era.call("tools/list", params(given), None, &[]), 1)["params"]["_meta"];
        assert_eq!(meta["traceparent"], "00-1");
    }

    #[test]
    fn another_round_keeps_what_was_asked_and_adds_what_was_asked_for() {
        let dialect = Dialect { revision: Revision::V2026_07_28, elicitation: true };
        let call = dialect.call("tools/call", params(json!({"name": "e"})), Some("e"), &[]);
        let again = call.with_params(params(json!({"requestState": "a\"b"}))).unwrap();
        let sent = body(&again, 2);
        assert_eq!((&sent["params"]["name"], &sent["params"]["requestState"]), (&json!("e"), &json!("a\"b")));
        assert_eq!(sent["params"]["_meta"], body(&call, 2)["params"]["_meta"]);
    }

    #[test]
    fn a_plain_request_leaves_the_session_out() {
        let step = HttpStep {
            method: "PUT".into(),
            path: "/x".into(),
            headers: vec![("x-a".into(), "1".into())],
            body: Some("b".into()),
            expect_status: vec![403],
        };
        let template = Template::plain(&step);
        let request = template.request(1, "mcp-session-id: s\r\n");
        assert_eq!((request.session_lines, request.step_lines), ("", "accept: */*\r\nx-a: 1\r\n"));
        assert_eq!((request.body.before, request.body.id), (&b"b"[..], None));
    }
}
