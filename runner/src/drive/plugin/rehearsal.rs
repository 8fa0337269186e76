//! A run on the calling task, one virtual user after the other's heart, told event by event: what plugin authors see of their work.

use super::watch::{Event, Watcher};
use crate::drive::engine::Controls;
use crate::drive::prepare::Prepared;
use crate::judge::Observation;

impl Prepared {
    /// Runs the load on the calling task, as one worker, and tells everything that happens between its plugins and the host.
    ///
    /// Must be called inside a `LocalSet`.
    pub async fn rehearse(self, controls: Controls, tell: impl Fn(Event) + 'static) -> Observation {
        self.run_here(controls, Some(Watcher::new(tell))).await
    }
}
