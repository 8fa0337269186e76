//! One MCP session: opened, used, closed. In the stateless revision (2026-07-28) there is nothing to open; a session is then only
//! the counter of request ids.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::context::Context;
use super::link::{Due, Link, Measured};
use super::protocol::reply::Expect;
use super::protocol::template::{Dialect, Template};
use super::responder::{ResponderHandle, SessionResponder};
use super::transport::{Body, Request, RequestKind, Responder};
use crate::judge::{Moment, Outcome, ProtocolFault};
use crate::plan::{Revision, SeriesId};

/// A session in use.
#[derive(Debug)]
pub(crate) struct Session {
    lines: String,
    last_id: u64,
    dialect: Dialect,
    /// Whether the server gave it an id, so that it has to be closed.
    pub(crate) stateful: bool,
    responder: Option<ResponderHandle>,
    /// Reads the server's own stream while the session lasts.
    listener: Option<JoinHandle<()>>,
}

/// A session that could not be opened.
#[derive(Debug)]
pub(crate) struct NotOpened {
    /// The request that failed.
    pub(crate) measured: Measured,
    /// What a person should know.
    pub(crate) detail: String,
}

/// What a server said when a session was opened.
#[derive(Debug)]
pub(crate) struct Welcome {
    /// The session.
    pub(crate) session: Session,
    /// The `initialize` result; null where there was no handshake.
    pub(crate) result: Value,
    /// When the last request of the handshake was over.
    pub(crate) end: Moment,
}

impl Session {
    /// A session of the stateless revision.
    pub(crate) fn stateless(dialect: Dialect) -> Self {
        Self { lines: dialect.lines(), last_id: 0, dialect, stateful: false, responder: None, listener: None }
    }

    /// Uses a session that is open already: the one that all virtual users share. Its request ids go on after `last_id`.
    pub(crate) fn adopt(dialect: Dialect, lines: String, stateful: bool, last_id: u64) -> Self {
        Self { lines, last_id, dialect, stateful, responder: None, listener: None }
    }

    /// Opens a session in the dialect's revision, or in the one the server answers with; each request counts as a lifecycle sample.
    ///
    /// # Errors
    /// [`NotOpened`] with the request that failed.
    pub(crate) async fn open(
        link: &mut Link,
        dialect: Dialect,
        due: Due,
        timeout: Duration,
    ) -> Result<Welcome, NotOpened> {
        if dialect.revision.is_modern() {
            return Ok(Welcome { session: Self::stateless(dialect), result: Value::Null, end: due.ready });
        }
        let (mut welcome, id) = initialize(link, dialect, due, timeout).await?;
        let session = &mut welcome.session;
        if let Some(id) = id {
            session.stateful = true;
            session.lines = format!("mcp-session-id: {id}\r\n{}", session.lines);
            link.context.book(|books| books.sessions_opened += 1);
        }
        session.answer_requests(&link.context);
        let initialized =
            Template::notification(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        let measured =
            link.request(&initialized.request(0, &session.lines), welcome.end.into(), timeout).await;
        link.context.record(SeriesId::INITIALIZED, &measured, link.detail());
        welcome.end = measured.clocks.end;
        if !measured.outcome.is_ok() {
            let detail = link.detail().to_owned();
            welcome.session.close(link, measured.clocks.end, timeout).await;
            return Err(NotOpened { measured, detail });
        }
        if dialect.elicitation {
            welcome.session.listen(link, timeout).await;
            welcome.end = link.context.clock.now();
        }
        Ok(welcome)
    }

    /// Answers what the server asks: an event stream may carry requests at any time, and a plain ping must always be answered.
    pub(crate) fn answer_requests(&mut self, context: &Rc<Context>) {
        let responder =
            SessionResponder::new(Rc::clone(context), self.lines.clone(), self.dialect.elicitation);
        self.responder = Some(ResponderHandle(responder));
    }

    /// Head lines of every request in this session.
    pub(crate) fn lines(&self) -> &str {
        &self.lines
    }

    /// The next request id. Ids count from 1 in every session, as the protocol's own client libraries do.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(crate) fn responder(&self) -> Option<&dyn Responder> {
        self.responder.as_ref().map(|responder| responder as &dyn Responder)
    }

    /// The revision this session speaks, and what we declared in it.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) fn elicitation(&self) -> bool {
        self.dialect.elicitation
    }

    /// Whether a stream that broke off can be taken up again: the session era only.
    pub(crate) fn can_resume(&self) -> bool {
        !self.dialect.revision.is_modern()
    }

    /// Whether this answer says that the server has forgotten the session (404 for a session id it gave out).
    pub(crate) fn is_lost(&self, measured: &Measured) -> bool {
        self.stateful && measured.in_session && measured.status == 404
    }

    /// Ends the session with DELETE, if there is anything to end. A server may refuse with 405, which is its right.
    pub(crate) async fn close(mut self, link: &mut Link, due: Moment, timeout: Duration) {
        if let Some(listener) = self.listener.take() {
            listener.abort();
        }
        if !self.stateful {
            return;
        }
        let request = Request {
            kind: RequestKind::Delete,
            session_lines: &self.lines,
            step_lines: "",
            body: Body::default(),
            expect: Expect::Status(&[200, 202, 204, 405]),
            keep_answer: false,
            responder: None,
        };
        let measured = link.request(&request, due.into(), timeout).await;
        link.context.record(SeriesId::CLOSE, &measured, link.detail());
        if measured.outcome.is_ok() {
            link.context.book(|books| books.sessions_closed += 1);
        }
    }

    /// Lets go of a session that the server has forgotten: there is nothing to close.
    pub(crate) fn forget(mut self) {
        if let Some(listener) = self.listener.take() {
            listener.abort();
        }
    }

    /// Opens the server's own stream (GET) and answers what comes on it; returns once the server has accepted or refused it, or has
    /// kept us waiting for so long: some send no head before they have something to say.
    async fn listen(&mut self, link: &Link, timeout: Duration) {
        let (accepted, waiting) = oneshot::channel();
        let watch = StreamWatch { responder: self.responder.clone(), accepted: RefCell::new(Some(accepted)) };
        let (context, lines) = (Rc::clone(&link.context), self.lines.clone());
        self.listener = Some(tokio::task::spawn_local(async move {
            let slot = context.deadlines.slot();
            let mut transport = context.new_transport();
            let request = Request {
                kind: RequestKind::Stream,
                session_lines: &lines,
                step_lines: "",
                body: Body::default(),
                expect: Expect::Stream,
                keep_answer: false,
                responder: Some(&watch),
            };
            transport.exchange(&context, &slot, &request, context.clock.now()).await;
        }));
        link.slot.arm(link.context.clock.now().after(timeout));
        // An error means that the stream was refused, or is late: the session works without it.
        let _ = link.slot.guard(waiting).await;
    }
}

/// Tells when a stream's head has come, and passes on what comes after it.
#[derive(Debug)]
struct StreamWatch {
    responder: Option<ResponderHandle>,
    accepted: RefCell<Option<oneshot::Sender<()>>>,
}

impl Responder for StreamWatch {
    fn take(&self, requests: Vec<Box<[u8]>>) {
        if let Some(responder) = &self.responder {
            responder.take(requests);
        }
    }

    fn opened(&self) {
        if let Some(accepted) = self.accepted.borrow_mut().take() {
            // Nobody waits any more: the session is being closed.
            let _ = accepted.send(());
        }
    }
}

/// The first request of a session. Returns the session as far as it is known, and its id.
async fn initialize(
    link: &mut Link,
    dialect: Dialect,
    due: Due,
    timeout: Duration,
) -> Result<(Welcome, Option<String>), NotOpened> {
    let mut params = Map::new();
    params.insert("protocolVersion".to_owned(), dialect.revision.as_str().into());
    params.insert("capabilities".to_owned(), dialect.capabilities());
    params.insert("clientInfo".to_owned(), Dialect::client_info());
    let template = dialect.call("initialize", params, None, &[]);
    let mut request = template.request(1, "");
    request.keep_answer = true;
    let mut measured = link.request(&request, due, timeout).await;
    let mut detail = link.detail().to_owned();
    let result = match serde_json::from_slice::<Value>(link.answer()) {
        Ok(mut answer) => answer["result"].take(),
        Err(_) => Value::Null,
    };
    let offered =
        result["protocolVersion"].as_str().and_then(Revision::parse).filter(|revision| !revision.is_modern());
    if measured.outcome.is_ok() && offered.is_none() {
        measured.outcome = Outcome::Protocol(ProtocolFault::Result);
        detail = format!("the server answered initialize with protocolVersion {}", result["protocolVersion"]);
    }
    link.context.record(SeriesId::INITIALIZE, &measured, &detail);
    let Some(revision) = offered.filter(|_| measured.outcome.is_ok()) else {
        return Err(NotOpened { measured, detail });
    };
    let id = link.session_id().map(str::to_owned);
    let lines = if revision >= Revision::V2025_06_18 {
        format!("mcp-protocol-version: {revision}\r\n")
    } else {
        String::new()
    };
    let session = Session {
        lines,
        last_id: 1,
        dialect: Dialect { revision, ..dialect },
        stateful: false,
        responder: None,
        listener: None,
    };
    Ok((Welcome { session, result, end: measured.clocks.end }, id))
}
