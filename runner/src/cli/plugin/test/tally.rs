//! What the iterations came to, in numbers.

use crate::drive::EventKind;
use crate::error::ExitCode;

/// Counts of what was told.
#[derive(Debug, Default)]
pub(in super::super) struct Tally {
    pub(super) iterations: u64,
    pub(super) whole: u64,
    pub(super) with_failed_calls: u64,
    pub(super) failed_by_plugin: u64,
    pub(super) cut_short: u64,
    pub(super) calls: u64,
    pub(super) calls_ok: u64,
    pub(super) checks: u64,
    pub(super) checks_ok: u64,
    pub(super) failures: u64,
    /// Whether the server went away, so that there may be no call at all.
    pub(super) server_lost: bool,
    /// Of the iteration at hand.
    call_failed: bool,
    plugin_failed: bool,
}

impl Tally {
    /// Counts an event.
    pub(super) fn count(&mut self, event: &EventKind) {
        match event {
            EventKind::Answered { outcome, .. } => {
                self.calls += 1;
                self.calls_ok += u64::from(outcome.is_ok());
                self.call_failed |= !outcome.is_ok();
            }
            EventKind::Check { ok, .. } => {
                self.checks += 1;
                self.checks_ok += u64::from(*ok);
            }
            EventKind::Failed { .. } => {
                self.failures += 1;
                self.plugin_failed = true;
            }
            EventKind::Ended { completed } => {
                self.iterations += 1;
                let (call, plugin) =
                    (std::mem::take(&mut self.call_failed), std::mem::take(&mut self.plugin_failed));
                match (plugin, call, completed) {
                    (true, _, _) => self.failed_by_plugin += 1,
                    (false, true, _) => self.with_failed_calls += 1,
                    (false, false, true) => self.whole += 1,
                    (false, false, false) => self.cut_short += 1,
                }
            }
            EventKind::Planned { .. }
            | EventKind::Step { .. }
            | EventKind::Unsent { .. }
            | EventKind::Value { .. }
            | EventKind::Log { .. } => {}
        }
    }

    /// What the command ends with.
    pub(in super::super) fn exit(&self) -> ExitCode {
        if self.failures > 0 {
            ExitCode::Plugin
        } else if self.server_lost || self.calls_ok < self.calls || self.checks_ok < self.checks {
            ExitCode::Failed
        } else {
            ExitCode::Passed
        }
    }
}
