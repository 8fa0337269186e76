//! Where the workers of an open load meet before it begins, so that its arrivals are spaced over all of them and find virtual users that
//! are ready.

use std::sync::OnceLock;

use tokio::sync::Barrier;

use crate::drive::clock::Clock;
use crate::judge::Moment;

/// The starting line of one load, for all workers of this machine.
#[derive(Debug)]
pub(crate) struct StartLine {
    everybody: Barrier,
    at: OnceLock<Moment>,
}

impl StartLine {
    pub(crate) fn of(workers: u32) -> Self {
        Self { everybody: Barrier::new(workers as usize), at: OnceLock::new() }
    }

    /// Waits for the others; the instant at which all of them begin.
    pub(super) async fn meet(&self, clock: Clock) -> Moment {
        self.everybody.wait().await;
        *self.at.get_or_init(|| clock.now())
    }
}
