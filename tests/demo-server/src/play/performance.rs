//! A script being played since an instant: numbers the requests and says what falls on each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::fault::FaultKind;
use super::latency::stalled;
use crate::catalog::Catalog;
use crate::draws::Draws;
use crate::script::Script;

/// The rule number under which latency draws, apart from the faults' numbers.
const LATENCY_RULE: u64 = u64::MAX;
const MINUTE: u64 = 60;

/// A script in play.
#[derive(Debug)]
pub(crate) struct Performance {
    pub(crate) script: Script,
    pub(crate) catalog: Catalog,
    since: Instant,
    requests: AtomicU64,
    rules: Vec<RuleState>,
    workers: Option<Semaphore>,
    /// Minute number in the high half, requests in that minute in the low one.
    window: AtomicU64,
}

#[derive(Debug, Default)]
struct RuleState {
    matched: AtomicU64,
    played: AtomicU64,
}

/// What falls on one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cue {
    /// Number of the request since the script was set.
    pub(crate) ordinal: u64,
    pub(crate) fault: Option<FaultKind>,
    pub(crate) delay: Duration,
}

impl Performance {
    pub(crate) fn new(script: Script, since: Instant) -> Self {
        Self {
            catalog: Catalog::new(script.conformance),
            since,
            requests: AtomicU64::new(0),
            rules: script.faults.iter().map(|_| RuleState::default()).collect(),
            workers: script.workers.map(|count| Semaphore::new(count.get() as usize)),
            window: AtomicU64::new(0),
            script,
        }
    }

    /// Numbers a request and draws what falls on it.
    pub(crate) fn cue(&self, method: &str, name: Option<&str>) -> Cue {
        let ordinal = self.requests.fetch_add(1, Ordering::Relaxed);
        Cue { ordinal, fault: self.fault(ordinal, method, name), delay: self.delay(ordinal, method, name) }
    }

    fn fault(&self, ordinal: u64, method: &str, name: Option<&str>) -> Option<FaultKind> {
        let mut rule = 0;
        self.script.faults.iter().zip(&self.rules).find_map(|(fault, state)| {
            rule += 1;
            if !fault.only.matches(method, name)
                || state.matched.fetch_add(1, Ordering::Relaxed) < fault.after
            {
                return None;
            }
            if !Draws::new(self.script.seed, ordinal, rule).hits(fault.rate) {
                return None;
            }
            let played = state.played.fetch_add(1, Ordering::Relaxed);
            fault.at_most.is_none_or(|most| played < most).then(|| fault.kind.clone())
        })
    }

    fn delay(&self, ordinal: u64, method: &str, name: Option<&str>) -> Duration {
        let matching = self.script.latency.iter().find(|latency| latency.only.matches(method, name));
        matching.map_or(Duration::ZERO, |latency| {
            latency.delay.draw(&mut Draws::new(self.script.seed, ordinal, LATENCY_RULE))
        })
    }

    /// How much longer an answer that is ready now has to wait for the stalls to pass.
    pub(crate) fn stalled(&self, now: Instant) -> Duration {
        if self.script.stalls.is_empty() {
            return Duration::ZERO;
        }
        stalled(&self.script.stalls, now.duration_since(self.since))
    }

    /// When the server dies, if the script says so.
    pub(crate) fn death(&self) -> Option<Instant> {
        self.script.die_at.map(|at| self.since + at)
    }

    /// One of the script's workers, as soon as one is free; `None` where their number has no bound.
    pub(crate) async fn worker(&self) -> Option<SemaphorePermit<'_>> {
        match &self.workers {
            // The semaphore is never closed, so an error cannot come.
            Some(workers) => workers.acquire().await.ok(),
            None => None,
        }
    }

    /// Counts a request against the rate limit: `Err` with the seconds until the next minute when it is above.
    pub(crate) fn admit(&self, now: Instant) -> Result<(), u64> {
        let Some(limit) = self.script.requests_per_minute else { return Ok(()) };
        let elapsed = now.duration_since(self.since).as_secs();
        let minute = elapsed / MINUTE;
        let count_up =
            |window: u64| Some(if window >> 32 == minute { window + 1 } else { (minute << 32) + 1 });
        let before =
            self.window.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count_up).unwrap_or_default();
        let used = if before >> 32 == minute { before & 0xffff_ffff } else { 0 };
        if used < limit { Ok(()) } else { Err(MINUTE - elapsed % MINUTE) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Performance;
    use crate::{Fault, FaultKind, Script};

    fn played(script: Script, requests: usize) -> Vec<bool> {
        let performance = Performance::new(script, Instant::now());
        (0..requests).map(|_| performance.cue("tools/call", Some("echo")).fault.is_some()).collect()
    }

    #[test]
    fn the_same_seed_plays_the_same_faults() {
        let script = |seed| Script { seed, ..Script::default() }.fault(Fault::new(0.3, FaultKind::Drop));
        assert_eq!(played(script(1), 200), played(script(1), 200));
        assert_ne!(played(script(1), 200), played(script(2), 200));
    }

    #[test]
    fn a_fault_spares_the_first_and_stops_at_its_bound() {
        let script = Script::default().fault(Fault::new(1.0, FaultKind::Drop).after(2).at_most(3));
        assert_eq!(played(script, 8), [false, false, true, true, true, false, false, false]);
    }

    #[test]
    fn a_fault_falls_on_its_tool_only() {
        let script = Script::default().fault(Fault::new(1.0, FaultKind::Drop).on_tool("add"));
        let performance = Performance::new(script, Instant::now());
        assert_eq!(performance.cue("tools/call", Some("echo")).fault, None);
        assert_eq!(performance.cue("tools/list", None).fault, None);
        assert_eq!(performance.cue("tools/call", Some("add")).fault, Some(FaultKind::Drop));
    }

    #[test]
    fn the_rate_limit_opens_again_with_the_next_minute() {
        let start = Instant::now();
        let performance =
            Performance::new(Script { requests_per_minute: Some(2), ..Script::default() }, start);
        let at = |seconds| performance.admit(start + Duration::from_secs(seconds));
        assert_eq!([at(0), at(1), at(20), at(59)], [Ok(()), Ok(()), Err(40), Err(1)]);
        assert_eq!([at(60), at(61), at(62)], [Ok(()), Ok(()), Err(58)]);
    }
}
