//! What a made-up server answers.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::wire;
use crate::{Outcome, RpcError, Status, Step};

/// What a made-up server answers to a step.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Answer {
    status: Status,
    result: Option<Value>,
    latency: Duration,
}

impl Answer {
    /// This result; of a tool call that is the object with `content` and `structuredContent`.
    ///
    /// # Panics
    ///
    /// Where the value has no JSON form.
    pub fn ok(result: impl Serialize) -> Self {
        let result = serde_json::to_value(result).expect("a result has a JSON form");
        Self { result: Some(result), ..Self::failed(Status::Ok) }
    }

    /// A tool result with `isError` and this text.
    pub fn tool_error(text: &str) -> Self {
        let result = json!({ "content": [{ "type": "text", "text": text }], "isError": true });
        Self { result: Some(result), ..Self::failed(Status::ToolError) }
    }

    /// A JSON-RPC error.
    pub fn error(code: i32, message: &str) -> Self {
        let result = json!({ "code": code, "message": message });
        Self {
            result: Some(result),
            ..Self::failed(Status::Rpc(RpcError { code, message: message.to_owned() }))
        }
    }

    /// No answer in time.
    pub fn timed_out() -> Self {
        Self::failed(Status::TimedOut)
    }

    /// Any other way to fail, without a result.
    pub fn failed(status: Status) -> Self {
        Self { status, result: None, latency: Duration::from_millis(1) }
    }

    /// Takes this long; a millisecond unless said.
    pub fn latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    pub(super) fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }

    /// The outcome of `step`, with what it asked for.
    pub(super) fn outcome(self, position: u32, step: &Step) -> Outcome {
        let body = self.result.as_ref().map(ToString::to_string);
        let bytes = body.as_ref().map_or(0, String::len);
        let options = step.wire().options.as_ref();
        let wanted = options.filter(|options| options.want_body || !options.capture.is_empty());
        let data = wanted.zip(self.result).map(|(options, result)| wire::ResultData {
            captured: options.capture.iter().map(|path| result.pointer(path).map(Value::to_string)).collect(),
            body: body.filter(|_| options.want_body),
            truncated: false,
        });
        Outcome::from_wire(wire::Outcome {
            step: position,
            status: self.status,
            latency_us: u32::try_from(self.latency.as_micros()).unwrap_or(u32::MAX),
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            data,
        })
    }
}
