//! The session era's sessions, the server's own questions, and answers that wait to be fetched.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::draws::Draws;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A session: what `initialize` agreed.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) capabilities: Value,
    requests: AtomicU64,
}

/// Why a session could not be used or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoSession {
    Unknown,
    /// It just served its last request by script.
    WornOut,
    /// No more can be opened.
    Full,
}

/// The open sessions.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    open: Mutex<HashMap<String, Arc<Session>>>,
    opened: AtomicU64,
}

impl Sessions {
    /// Opens a session, unless there are `most` already, and gives its id.
    pub(crate) fn open(
        &self,
        capabilities: Value,
        seed: u64,
        most: Option<usize>,
    ) -> Result<String, NoSession> {
        let mut open = locked(&self.open);
        if most.is_some_and(|most| open.len() >= most) {
            return Err(NoSession::Full);
        }
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        // The process id is in it, so that a restarted server knows none of the old sessions.
        let mut draws = Draws::new(seed, number, u64::from(std::process::id()));
        let id = format!("{:016x}{:016x}", draws.next_u64(), draws.next_u64());
        open.insert(id.clone(), Arc::new(Session { capabilities, requests: AtomicU64::new(0) }));
        Ok(id)
    }

    /// Finds a session for one more request; `most` requests wear it out.
    pub(crate) fn enter(&self, id: &str, most: Option<u64>) -> Result<Arc<Session>, NoSession> {
        let mut open = locked(&self.open);
        let session = Arc::clone(open.get(id).ok_or(NoSession::Unknown)?);
        let used = session.requests.fetch_add(1, Ordering::Relaxed);
        if most.is_some_and(|most| used >= most) {
            open.remove(id);
            return Err(NoSession::WornOut);
        }
        Ok(session)
    }

    /// Whether a session is open.
    pub(crate) fn knows(&self, id: &str) -> bool {
        locked(&self.open).contains_key(id)
    }

    /// Ends a session; whether there was one.
    pub(crate) fn close(&self, id: &str) -> bool {
        locked(&self.open).remove(id).is_some()
    }
}

/// The server's own requests that wait for an answer, and the answers that wait to be fetched by GET.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    questions: Mutex<HashMap<String, oneshot::Sender<Value>>>,
    parked: Mutex<HashMap<String, (Instant, Vec<u8>)>>,
    numbers: AtomicU64,
}

impl Mailbox {
    /// A number that no event or question had before.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// A fresh request id and where its answer will arrive.
    pub(crate) fn ask(&self) -> (String, oneshot::Receiver<Value>) {
        let id = format!("demo-{}", self.number());
        let (sender, receiver) = oneshot::channel();
        locked(&self.questions).insert(id.clone(), sender);
        (id, receiver)
    }

    /// Gives up on an answer.
    pub(crate) fn forget(&self, id: &str) {
        locked(&self.questions).remove(id);
    }

    /// Delivers an answer; whether somebody waited for it.
    pub(crate) fn answer(&self, id: &Value, reply: Value) -> bool {
        let waiting = id.as_str().and_then(|id| locked(&self.questions).remove(id));
        waiting.is_some_and(|sender| sender.send(reply).is_ok())
    }

    /// Keeps an answer that is ready at `ready` for the client that saw `event` last.
    pub(crate) fn park(&self, event: String, ready: Instant, message: Vec<u8>) {
        locked(&self.parked).insert(event, (ready, message));
    }

    /// The answer kept for the client that saw `event` last.
    pub(crate) fn fetch(&self, event: &str) -> Option<(Instant, Vec<u8>)> {
        locked(&self.parked).remove(event)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Mailbox, NoSession, Sessions};

    #[test]
    fn a_full_table_opens_again_after_a_close() {
        let sessions = Sessions::default();
        let first = sessions.open(json!({}), 0, Some(1)).unwrap();
        assert_eq!(sessions.open(json!({}), 0, Some(1)), Err(NoSession::Full));
        assert!(sessions.close(&first));
        assert!(!sessions.close(&first));
        let second = sessions.open(json!({}), 0, Some(1)).unwrap();
        assert_ne!(first, second);
    }

    #[test]
    fn a_session_wears_out_once_and_is_unknown_then() {
        let sessions = Sessions::default();
        let id = sessions.open(json!({}), 0, None).unwrap();
        assert!(sessions.enter(&id, Some(1)).is_ok());
        assert_eq!(sessions.enter(&id, Some(1)).unwrap_err(), NoSession::WornOut);
        assert_eq!(sessions.enter(&id, Some(1)).unwrap_err(), NoSession::Unknown);
    }

    #[test]
    fn an_answer_reaches_its_question_once() {
        let mailbox = Mailbox::default();
        let (id, mut receiver) = mailbox.ask();
        assert!(!mailbox.answer(&json!("demo-99"), Value::Null));
        assert!(mailbox.answer(&json!(id), json!(1)));
        assert!(!mailbox.answer(&json!(id), json!(2)));
        assert_eq!(receiver.try_recv().unwrap(), json!(1));
    }
}
