//! What came of a step.

use std::time::Duration;

use serde::de::DeserializeOwned;

pub use crate::wire::{RpcError, Status};
use crate::{Error, wire};

/// What came of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome(wire::Outcome);

impl Outcome {
    pub(crate) fn from_wire(outcome: wire::Outcome) -> Self {
        Self(outcome)
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn into_wire(self) -> wire::Outcome {
        self.0
    }

    /// The step's position in its plan, pauses counted.
    pub fn step(&self) -> usize {
        self.0.step as usize
    }

    /// How it ended.
    pub fn status(&self) -> &Status {
        &self.0.status
    }

    /// Whether it went well.
    pub fn is_ok(&self) -> bool {
        matches!(self.0.status, Status::Ok)
    }

    /// From when the call was due until it was answered.
    pub fn latency(&self) -> Duration {
        Duration::from_micros(u64::from(self.0.latency_us))
    }

    /// Size of the response, head and body, bytes.
    pub fn bytes(&self) -> u32 {
        self.0.bytes
    }

    /// What the `index`th [`capture`](crate::Step::capture) of the step found in the result. An error says what is in the way: the
    /// step failed, its pointer led nowhere, or the value is another type.
    pub fn captured<T: DeserializeOwned>(&self, index: usize) -> Result<T, Error> {
        let text = self.captured_text(index).ok_or_else(|| self.nothing(&format!("capture {index}")))?;
        serde_json::from_str(text)
            .map_err(|error| format!("capture {index} is not as expected: {error}").into())
    }

    /// The same as JSON text; `None` where there is none.
    pub fn captured_text(&self, index: usize) -> Option<&str> {
        self.0.data.as_ref()?.captured.get(index)?.as_deref()
    }

    /// The whole result, where [`want_result`](crate::Step::want_result) asked for it.
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let text = self.result_text().filter(|_| self.is_ok()).ok_or_else(|| self.nothing("result"))?;
        if self.is_truncated() {
            return Err(format!("the result was cut off after {} bytes", text.len()).into());
        }
        serde_json::from_str(text).map_err(|error| format!("the result is not as expected: {error}").into())
    }

    /// The same as JSON text: the error object where the answer was an error; `None` where there was no answer or it was not
    /// asked for.
    pub fn result_text(&self) -> Option<&str> {
        self.0.data.as_ref()?.body.as_deref()
    }

    /// Whether [`result_text`](Self::result_text) was cut off at the host's limit, and so is no JSON any more.
    pub fn is_truncated(&self) -> bool {
        self.0.data.as_ref().is_some_and(|data| data.truncated)
    }

    /// Why something is not there.
    fn nothing(&self, what: &str) -> Error {
        match self.status() {
            Status::Ok => format!("there is no {what}").into(),
            status => format!("there is no {what}: {}", in_words(status)).into(),
        }
    }
}

/// A status in words.
fn in_words(status: &Status) -> String {
    match status {
        Status::Ok => "the step went well".to_owned(),
        Status::ToolError => "the tool answered with an error".to_owned(),
        Status::Rpc(error) => format!("the server answered with error {}: {}", error.code, error.message),
        Status::Http(status) => format!("the server answered with HTTP status {status}"),
        Status::Throttled(status) => format!("the server asked to slow down with HTTP status {status}"),
        Status::TimedOut => "no answer came in time".to_owned(),
        Status::Transport(reason) => format!("the connection failed: {reason}"),
        Status::Protocol(reason) => format!("the answer was not the protocol: {reason}"),
        Status::Invalid(reason) => format!("the step was wrong and not sent: {reason}"),
        Status::Skipped => "an earlier step had failed".to_owned(),
    }
}
