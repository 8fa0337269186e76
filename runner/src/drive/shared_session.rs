//! The one session that all virtual users of a run share, across workers. Off the path of a request: a virtual user looks here only
//! when it starts or when the server has forgotten the session.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::link::{Due, Link};
use super::protocol::template::Dialect;
use super::session::{NotOpened, Session};
use crate::judge::Moment;

/// A session by its head lines, if one is open.
#[derive(Debug)]
pub(crate) struct SharedSession {
    dialect: Dialect,
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    lines: String,
    stateful: bool,
    /// How many have joined; whoever opened it included.
    joined: u64,
}

/// Request ids that each who joins has for itself: ids must be unique within a session. A million ranges stay below 2^53, the
/// largest integer that every JSON library reads exactly.
const IDS_EACH: u64 = 1 << 32;

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
        due: Due,
        timeout: Duration,
    ) -> Result<(Session, Moment), NotOpened> {
        let mut open = self.open.lock().await;
        if let Some(Open { lines, stateful, joined }) = open.as_mut() {
            let mut session = Session::adopt(self.dialect, lines.clone(), *stateful, *joined * IDS_EACH);
            session.answer_requests(&link.context);
            *joined += 1;
            return Ok((session, link.context.clock.now()));
        }
        let welcome = Session::open(link, self.dialect, due, timeout).await?;
        let lines = welcome.session.lines().to_owned();
        *open = Some(Open { lines, stateful: welcome.session.stateful, joined: 1 });
        Ok((welcome.session, welcome.end))
    }

    /// The server has forgotten the session with these lines: the next to join opens another. True for the first who says so.
    pub(crate) async fn lost(&self, lines: &str) -> bool {
        self.open.lock().await.take_if(|open| open.lines == lines).is_some()
    }

    /// Closes the session, if one is open.
    pub(crate) async fn close(&self, link: &mut Link, timeout: Duration) {
        if let Some(Open { lines, stateful, .. }) = self.open.lock().await.take() {
            let now = link.context.clock.now();
            Session::adopt(self.dialect, lines, stateful, 0).close(link, now, timeout).await;
        }
    }
}
