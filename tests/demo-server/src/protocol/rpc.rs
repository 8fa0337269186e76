//! JSON-RPC 2.0: bodies in, messages out, and answers as bytes.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

pub(crate) const PARSE_ERROR: i64 = -32700;
pub(crate) const INVALID_REQUEST: i64 = -32600;
pub(crate) const METHOD_NOT_FOUND: i64 = -32601;
pub(crate) const INVALID_PARAMS: i64 = -32602;
pub(crate) const HEADER_MISMATCH: i64 = -32020;
pub(crate) const MISSING_CAPABILITY: i64 = -32021;
pub(crate) const UNSUPPORTED_VERSION: i64 = -32022;
/// Session era only; the modern era says [`INVALID_PARAMS`].
pub(crate) const RESOURCE_NOT_FOUND: i64 = -32002;

/// Every request method of either era.
const METHODS: [&str; 15] = [
    "initialize",
    "ping",
    "server/discover",
    "subscriptions/listen",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
];

/// A message from a client.
#[derive(Debug)]
pub(crate) enum Message {
    Request(Call),
    Notification,
    Response { id: Value, reply: Value },
}

/// A request from a client.
#[derive(Debug)]
pub(crate) struct Call {
    /// The id's JSON text, echoed as it came.
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) params: Map<String, Value>,
}

impl Call {
    /// What the call is about: tool, prompt or URI.
    pub(crate) fn name(&self) -> Option<&str> {
        let key = if self.method == "resources/read" { "uri" } else { "name" };
        self.params.get(key).and_then(Value::as_str)
    }

    /// The tool that is called, if one is.
    pub(crate) fn tool(&self) -> Option<&str> {
        self.name().filter(|_| self.method == "tools/call")
    }

    /// The `_meta` object.
    pub(crate) fn meta(&self) -> Option<&Map<String, Value>> {
        self.params.get("_meta").and_then(Value::as_object)
    }

    /// The method as the books count it.
    pub(crate) fn counted_method(&self) -> &'static str {
        METHODS.iter().find(|known| **known == self.method).copied().unwrap_or("other")
    }
}

/// An error answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RpcError {
    /// HTTP status that carries it.
    pub(crate) status: u16,
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) data: Option<Value>,
}

impl RpcError {
    /// An error of the envelope: the request was refused before anything ran.
    pub(crate) fn refused(code: i64, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into(), data: None }
    }

    /// An error of the handler, which rides on HTTP 200.
    pub(crate) fn handled(code: i64, message: impl Into<String>) -> Self {
        Self { status: 200, code, message: message.into(), data: None }
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn with_data(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    jsonrpc: Option<String>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: Option<String>,
    params: Option<Map<String, Value>>,
    result: Option<Value>,
    error: Option<Value>,
}

/// Reads a body; an error is the answer to it.
pub(crate) fn parse(body: &[u8]) -> Result<Message, RpcError> {
    let invalid = |message: &str| RpcError::refused(INVALID_REQUEST, message);
    let envelope: Envelope<'_> = match serde_json::from_slice(body) {
        Ok(envelope) => envelope,
        Err(error) if error.is_data() => {
            return Err(invalid("not a JSON-RPC message (batches are not served)"));
        }
        Err(_) => return Err(RpcError::refused(PARSE_ERROR, "the body is no JSON")),
    };
    if envelope.jsonrpc.as_deref() != Some("2.0") {
        return Err(invalid("jsonrpc must be \"2.0\""));
    }
    match (envelope.method, envelope.id) {
        (Some(method), Some(id)) => {
            if !matches!(serde_json::from_str(id.get()), Ok(Value::String(_) | Value::Number(_))) {
                return Err(invalid("an id is a string or a number"));
            }
            let params = envelope.params.unwrap_or_default();
            Ok(Message::Request(Call { id: id.get().to_owned(), method, params }))
        }
        (Some(_), None) => Ok(Message::Notification),
        (None, Some(id)) => match envelope.result.or(envelope.error) {
            Some(reply) => {
                Ok(Message::Response { id: serde_json::from_str(id.get()).unwrap_or_default(), reply })
            }
            None => Err(invalid("neither request nor response")),
        },
        (None, None) => Err(invalid("neither request nor response")),
    }
}

/// An answer with a result.
pub(crate) fn result_text(id: &str, result: &Value) -> Vec<u8> {
    let mut text = Vec::with_capacity(256);
    text.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    text.extend_from_slice(id.as_bytes());
    text.extend_from_slice(br#","result":"#);
    text.extend_from_slice(result.to_string().as_bytes());
    text.push(b'}');
    text
}

/// An answer with an error.
pub(crate) fn error_text(id: &str, error: &RpcError) -> Vec<u8> {
    let mut body = json!({ "code": error.code, "message": error.message });
    if let Some(data) = &error.data {
        body["data"] = data.clone();
    }
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{body}}}"#).into_bytes()
}

/// A notification, or with an id a request of the server's own.
pub(crate) fn outgoing_text(id: Option<&str>, method: &str, params: &Value) -> Vec<u8> {
    let mut message = json!({ "jsonrpc": "2.0" });
    if let Some(id) = id {
        message["id"] = id.into();
    }
    message["method"] = method.into();
    message["params"] = params.clone();
    message.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Message, RpcError, error_text, parse, result_text};

    #[test]
    fn the_id_is_echoed_as_it_came() {
        for id in ["7", "\"a\\u0062\"", "-1"] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            let Message::Request(call) = parse(body.as_bytes()).unwrap() else { panic!("no request") };
            assert_eq!(call.id, id);
            let answer: Value = serde_json::from_slice(&result_text(&call.id, &json!({}))).unwrap();
            assert_eq!(answer["id"], serde_json::from_str::<Value>(id).unwrap());
        }
    }

    #[test]
    fn what_is_no_message_is_refused_with_its_code() {
        let code = |body: &str| parse(body.as_bytes()).unwrap_err().code;
        assert_eq!(code("{"), -32700);
        assert_eq!(code("[]"), -32600);
        assert_eq!(code(r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#), -32600);
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#), -32600);
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1}"#), -32600);
    }

    #[test]
    fn responses_and_notifications_are_told_apart() {
        assert!(matches!(parse(br#"{"jsonrpc":"2.0","method":"x"}"#), Ok(Message::Notification)));
        assert!(matches!(
            parse(br#"{"jsonrpc":"2.0","id":"a","result":{}}"#),
            Ok(Message::Response { id, .. }) if id == "a"
        ));
    }

    #[test]
    fn an_error_carries_its_data() {
        let error = RpcError::refused(-32022, "no").with_data(json!({ "supported": ["x"] }));
        let answer: Value = serde_json::from_slice(&error_text("1", &error)).unwrap();
        assert_eq!(answer["error"]["data"]["supported"][0], "x");
    }
}
