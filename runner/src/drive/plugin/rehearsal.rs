//! A run on the calling task, told event by event: what plugin authors see of their work.

use super::watch::{Event, Pauses, Watcher};
use crate::drive::engine::Controls;
use crate::drive::prepare::Prepared;
use crate::judge::Observation;

impl Prepared {
    /// Runs the load on the calling task, as one worker, and tells everything that happens between its plugins and the host.
    /// `pauses` says what becomes of the times that plugins think.
    ///
    /// Must be called inside a `LocalSet`.
    pub async fn rehearse(
        &self,
        controls: Controls,
        pauses: Pauses,
        tell: impl Fn(Event) + 'static,
    ) -> Observation {
        self.run_here(controls, Some(Watcher::new(pauses, tell))).await
    }
}
