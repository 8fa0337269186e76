//! What all connections of a server share.

use std::sync::Arc;

use tokio::sync::{broadcast, watch};

use crate::counters::Books;
use crate::play::performance::Performance;
use crate::protocol::session::{Mailbox, Sessions};
use crate::protocol::streams::Change;

/// Changes that a slow stream may fall behind before it loses the oldest.
const CHANGES_KEPT: usize = 64;

/// The state of one server.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) books: Books,
    pub(crate) sessions: Sessions,
    pub(crate) mailbox: Mailbox,
    pub(crate) changes: broadcast::Sender<Change>,
    pub(crate) performance: watch::Sender<Arc<Performance>>,
}

impl Shared {
    pub(crate) fn new(performance: Performance) -> Self {
        Self {
            books: Books::default(),
            sessions: Sessions::default(),
            mailbox: Mailbox::default(),
            changes: broadcast::Sender::new(CHANGES_KEPT),
            performance: watch::Sender::new(Arc::new(performance)),
        }
    }

    /// The script being played now.
    pub(crate) fn performance(&self) -> Arc<Performance> {
        Arc::clone(&self.performance.borrow())
    }
}
