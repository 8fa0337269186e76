//! One request's way back to its client: what is said before the answer, the answer, and their form on the wire.

use std::time::Duration;

use serde_json::{Value, json};

use super::Era;
use super::rpc::outgoing_text;
use crate::http::response::{LAST_CHUNK, chunk, stream_head, whole};
use crate::http::wire::{Gone, Wire};
use crate::play::performance::Performance;
use crate::script::Form;
use crate::shared::Shared;

/// Who asks, and what it declared.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) era: Era,
    pub(crate) capabilities: Value,
    pub(crate) progress_token: Option<Value>,
    /// Whether it wants log notifications.
    pub(crate) logs: bool,
}

impl Caller {
    /// Whether it declared a capability.
    pub(crate) fn declares(&self, capability: &str) -> bool {
        self.capabilities.get(capability).is_some()
    }
}

/// An answer in the making. Bytes gather in `out` and leave in one write, unless something has to be waited for between.
#[derive(Debug)]
pub(crate) struct Exchange<'x, 'w> {
    wire: &'x mut Wire<'w>,
    pub(crate) shared: &'x Shared,
    pub(crate) performance: &'x Performance,
    pub(crate) caller: Caller,
    /// Number of the request since the script was set; draws are keyed by it.
    pub(crate) ordinal: u64,
    /// Session opened by this very request.
    pub(crate) opened_session: Option<String>,
    out: Vec<u8>,
    streaming: bool,
}

impl<'x, 'w> Exchange<'x, 'w> {
    pub(crate) fn new(
        wire: &'x mut Wire<'w>,
        shared: &'x Shared,
        performance: &'x Performance,
        caller: Caller,
        ordinal: u64,
    ) -> Self {
        Self {
            wire,
            shared,
            performance,
            caller,
            ordinal,
            opened_session: None,
            out: Vec::new(),
            streaming: false,
        }
    }

    /// Says something before the answer; it leaves with the next pause or with the answer.
    pub(crate) fn notify(&mut self, method: &str, params: &Value) {
        self.event(&outgoing_text(None, method, params));
    }

    /// Reports progress, if the client asked for it.
    pub(crate) fn progress(&mut self, progress: u64, total: u64) {
        if let Some(token) = self.caller.progress_token.clone() {
            let params = json!({ "progressToken": token, "progress": progress, "total": total });
            self.notify("notifications/progress", &params);
        }
    }

    /// Writes a log line, if the client wants them.
    pub(crate) fn log(&mut self, text: &str) {
        if self.caller.logs {
            self.notify("notifications/message", &json!({ "level": "info", "logger": "demo", "data": text }));
        }
    }

    /// Asks the client something and waits for what it posts. Session era only.
    pub(crate) async fn ask(&mut self, method: &str, params: &Value) -> Result<Value, Gone> {
        let (id, answer) = self.shared.mailbox.ask();
        self.shared.books.note(|counters| counters.server_requests += 1);
        self.event(&outgoing_text(Some(&id), method, params));
        let waited = self.wait_for(answer).await;
        if waited.is_err() {
            self.shared.mailbox.forget(&id);
        }
        waited?.map_err(|_| Gone)
    }

    /// Waits, with everything said so far sent.
    pub(crate) async fn pause(&mut self, pause: Duration) -> Result<(), Gone> {
        if pause.is_zero() {
            return Ok(());
        }
        self.flush().await?;
        self.wire.pause(pause).await
    }

    /// Waits for something else, with everything said so far sent.
    pub(crate) async fn wait_for<T>(&mut self, event: impl Future<Output = T>) -> Result<T, Gone> {
        self.flush().await?;
        self.wire.wait_for(event).await
    }

    /// Holds the connection until the client goes away.
    pub(crate) async fn outwait(&mut self) {
        self.wire.outwait().await;
    }

    /// One message as an event of the stream, which is opened if it was not yet.
    pub(crate) fn event(&mut self, message: &[u8]) {
        self.open_stream();
        let id = match self.performance.script.form {
            Form::SsePrimed if self.caller.era == Era::Session => {
                format!("id: {}\n", self.shared.mailbox.number())
            }
            _ => String::new(),
        };
        let parts = [b"event: message\n".as_slice(), id.as_bytes(), b"data: ", message, b"\n\n"];
        chunk(&mut self.out, &parts);
    }

    /// A comment, which clients ignore.
    pub(crate) fn comment(&mut self) {
        self.open_stream();
        chunk(&mut self.out, &[b": keep-alive\n\n"]);
    }

    fn open_stream(&mut self) {
        if self.streaming {
            return;
        }
        self.streaming = true;
        self.out.extend(stream_head(&self.session_header()));
        if self.performance.script.form == Form::SsePrimed && self.caller.era == Era::Session {
            self.prime();
        }
    }

    /// The event that carries an id, a `retry` and no data; gives its id.
    fn prime(&mut self) -> String {
        let id = self.shared.mailbox.number().to_string();
        let retry = self.performance.script.retry.as_millis();
        chunk(&mut self.out, &[format!("id: {id}\nretry: {retry}\ndata: \n\n").as_bytes()]);
        id
    }

    /// Opens the stream, primes it and ends it; gives the id of its last event.
    pub(crate) fn hang_up_primed(&mut self) -> (String, Vec<u8>) {
        self.streaming = true;
        self.out.extend(stream_head(&self.session_header()));
        let id = self.prime();
        self.out.extend_from_slice(LAST_CHUNK);
        (id, std::mem::take(&mut self.out))
    }

    fn session_header(&self) -> Vec<(&'static str, &str)> {
        self.opened_session.iter().map(|id| ("Mcp-Session-Id", id.as_str())).collect()
    }

    /// Everything that is still unsent, with the answer at its end.
    pub(crate) fn answer(&mut self, status: u16, message: &[u8]) -> Vec<u8> {
        let stream = self.streaming || (status == 200 && self.performance.script.form != Form::Json);
        if stream {
            self.event(message);
            self.out.extend_from_slice(LAST_CHUNK);
            return std::mem::take(&mut self.out);
        }
        whole(status, "application/json", &self.session_header(), message)
    }

    /// Sends finished bytes as the script cuts them.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        self.wire.send(bytes, self.performance.script.split).await
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        let bytes = std::mem::take(&mut self.out);
        if bytes.is_empty() { Ok(()) } else { self.send(&bytes).await }
    }

    /// Ends an open stream without an answer.
    pub(crate) async fn end_stream(&mut self) -> Result<(), Gone> {
        self.out.extend_from_slice(LAST_CHUNK);
        self.flush().await
    }
}
