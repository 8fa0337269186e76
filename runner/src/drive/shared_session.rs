//! The one session that all virtual users of a run share, across workers. Off the path of a request: a virtual user looks here only
//! when it starts or when the server has forgotten the session.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::link::Link;
use super::protocol::template::Dialect;
use super::session::{NotOpened, Session};
use crate::judge::Moment;

/// A session by its head lines, if one is open.
#[derive(Debug)]
pub(crate) struct SharedSession {
    dialect: Dialect,
    open: Mutex<Option<Open>>,
}

#[derive(Debug, Clone)]
struct Open {
    lines: String,
    stateful: bool,
}

impl SharedSession {
    pub(crate) fn new(dialect: Dialect) -> Arc<Self> {
        Arc::new(Self { dialect, open: Mutex::new(None) })
    }

    /// Joins the session; the first to come opens it, the others wait meanwhile.
    ///
    /// # Errors
    /// [`NotOpened`] where it had to be opened and could not be.
    pub(crate) async fn join(
        self: Arc<Self>,
        link: &mut Link,
        due: Moment,
        timeout: Duration,
    ) -> Result<(Session, Moment), NotOpened> {
        let mut open = self.open.lock().await;
        if let Some(Open { lines, stateful }) = open.clone() {
            let session = Session::adopt(self.dialect, lines, stateful);
            return Ok((session, link.context.clock.now()));
        }
        let welcome = Session::open(link, self.dialect, due, timeout).await?;
        *open = Some(Open { lines: welcome.session.lines().to_owned(), stateful: welcome.session.stateful });
        Ok((welcome.session, welcome.end))
    }

    /// The server has forgotten the session with these lines: the next to join opens another.
    pub(crate) async fn lost(&self, lines: &str) {
        let mut open = self.open.lock().await;
        if open.as_ref().is_some_and(|open| open.lines == lines) {
            *open = None;
        }
    }

    /// Closes the session, if one is open.
    pub(crate) async fn close(&self, link: &mut Link, timeout: Duration) {
        if let Some(Open { lines, stateful }) = self.open.lock().await.take() {
            let now = link.context.clock.now();
            Session::adopt(self.dialect, lines, stateful).close(link, now, timeout).await;
        }
    }
}
