//! Answers the requests that a server makes of its client while it works: `ping`, `elicitation/create`, and a refusal for the rest.
//!
//! An answer is a POST of its own, on a connection of its own, because the one that carried the request is still busy with it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::context::Context;
use super::protocol::template::Template;
use super::transport::{Responder, Transport};

/// How long a server may take to accept an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Answers for one session.
#[derive(Debug)]
pub(crate) struct SessionResponder {
    context: Rc<Context>,
    session_lines: String,
    elicitation: bool,
    /// A connection that no answer is using at the moment.
    idle: RefCell<Option<Transport>>,
}

impl SessionResponder {
    pub(crate) fn new(context: Rc<Context>, session_lines: String, elicitation: bool) -> Rc<Self> {
        Rc::new(Self { context, session_lines, elicitation, idle: RefCell::new(None) })
    }

    async fn answer(self: Rc<Self>, answer: Value) {
        let template = Template::notification(&answer);
        let idle = self.idle.borrow_mut().take();
        let mut transport = idle.unwrap_or_else(|| self.context.new_transport());
        let request = template.request(0, &self.session_lines);
        let slot = self.context.deadlines.slot();
        let now = self.context.clock.now();
        slot.arm(now.after(ANSWER_TIMEOUT));
        transport.exchange(&self.context, &slot, &request, now).await;
        self.idle.replace(Some(transport));
    }
}

/// A handle that can be lent to a request.
#[derive(Debug, Clone)]
pub(crate) struct ResponderHandle(pub(crate) Rc<SessionResponder>);

impl Responder for ResponderHandle {
    fn take(&self, requests: Vec<Box<[u8]>>) {
        for request in requests.iter().flat_map(|text| requests_in(text)) {
            let answer = answer_to(&request, self.0.elicitation);
            self.0.context.book(|books| books.server_requests += 1);
            tokio::task::spawn_local(Rc::clone(&self.0).answer(answer));
        }
    }
}

/// The requests in a text: one, or those of a batch (2025-03-26).
fn requests_in(text: &[u8]) -> Vec<Value> {
    match serde_json::from_slice(text) {
        Ok(Value::Array(batch)) => batch.into_iter().filter(is_request).collect(),
        Ok(message) if is_request(&message) => vec![message],
        _ => Vec::new(),
    }
}

fn is_request(message: &Value) -> bool {
    message.get("method").is_some() && message.get("id").is_some_and(|id| !id.is_null())
}

/// The answer to one request of a server.
fn answer_to(message: &Value, elicitation: bool) -> Value {
    let id = &message["id"];
    match message["method"].as_str().unwrap_or_default() {
        "ping" => json!({"jsonrpc": "2.0", "id": id, "result": {}}),
        "elicitation/create" if elicitation => {
            json!({"jsonrpc": "2.0", "id": id, "result": elicited(&message["params"])})
        }
        method => {
            let message = format!("{method}: this client does not offer it");
            json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": message}})
        }
    }
}

/// The answer to an input request of a call in several rounds (2026-07-28); `None` where the client cannot give it.
pub(crate) fn input_response(request: &Value, elicitation: bool) -> Option<Value> {
    (elicitation && request["method"] == "elicitation/create").then(|| elicited(&request["params"]))
}

/// Fills in a form: every property's default, or the plainest value of its type.
fn elicited(params: &Value) -> Value {
    let empty = Map::new();
    let properties = params["requestedSchema"]["properties"].as_object().unwrap_or(&empty);
    let content: Map<String, Value> =
        properties.iter().map(|(name, schema)| (name.clone(), plainest_value(schema))).collect();
    json!({"action": "accept", "content": content})
}

fn plainest_value(schema: &Value) -> Value {
    if let Some(default) = schema.get("default") {
        return default.clone();
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(first) = schema["oneOf"].get(0).and_then(|option| option.get("const")) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("boolean") => json!(true),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("array") => json!([]),
        _ => json!("load test"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_is_answered_with_its_own_id() {
        assert_eq!(answer_to(&json!({"id": 0, "method": "ping"}), false)["id"], json!(0));
        assert_eq!(
            answer_to(&json!({"id": "a", "method": "ping"}), false),
            json!({"jsonrpc": "2.0", "id": "a", "result": {}})
        );
    }

    #[test]
    fn the_requests_of_a_batch_are_answered_one_by_one() {
        let batch = br#"[{"id":1,"method":"ping"},{"id":2,"result":{}},{"method":"notifications/x"},{"id":"b","method":"ping"}]"#;
        let ids: Vec<Value> = requests_in(batch).iter().map(|request| request["id"].clone()).collect();
        assert_eq!(ids, [json!(1), json!("b")]);
    }

    #[test]
    fn what_was_not_declared_is_refused() {
        assert_eq!(answer_to(&json!({"id": 1, "method": "roots/list"}), true)["error"]["code"], -32601);
        assert_eq!(
            answer_to(&json!({"id": 1, "method": "elicitation/create"}), false)["error"]["code"],
            -32601
        );
    }

    #[test]
    fn a_form_is_filled_with_its_defaults() {
        let schema = json!({"properties": {
            "name": {"type": "string", "default": "John"}, "age": {"type": "integer", "default": 30},
            "sure": {"type": "boolean"}, "size": {"enum": ["s", "m"]}, "count": {"type": "integer", "minimum": 3}, "free": {"type": "string"}}});
        let answer = answer_to(
            &json!({"id": 1, "method": "elicitation/create", "params": {"requestedSchema": schema}}),
            true,
        );
        assert_eq!(answer["result"]["action"], "accept");
        assert_eq!(
            answer["result"]["content"],
            json!({"name": "John", "age": 30, "sure": true, "size": "s", "count": 3, "free": "load test"})
        );
    }
}
