//! What a search learns of a server that is hardly loaded: before the first trial, and between a trial that was too much and the next.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::question::{Question, Variable};

/// How much slower than in the probe a server may be to count as recovered.
const SLOWER: f64 = 1.2;
/// A difference that is always allowed: a fifth of very little is less than what chance does.
const LEAST_DIFFERENCE: Duration = Duration::from_micros(500);

/// What a single session saw on its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// How long it went on.
    pub length: Duration,
    /// Iterations that it finished.
    pub iterations: u64,
    /// How long its iterations took, without thinking; together.
    pub busy: Duration,
    /// By objective, in the order of the question: calls that it covers.
    pub calls: Vec<u64>,
    /// Median response time of ok calls; `None` without any.
    pub p50: Option<Duration>,
    /// 99th percentile of the response times of ok calls; `None` without any.
    pub p99: Option<Duration>,
}

/// Lets a server recover before the next trial: a trickle of one session, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoolDown {
    /// How long at least.
    pub shortest: Duration,
    /// After how long the server counts as not recovered.
    pub longest: Duration,
    /// The median response time of the trickle, since the last look, from which on it has recovered.
    pub recovered: Duration,
}

/// What came of a cool-down.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rest {
    /// Seconds that it took.
    pub seconds: f64,
    /// Whether nothing was in flight any more, and the trickle was about as fast as the probe.
    pub recovered: bool,
    /// Median response time of the trickle at its end, in microseconds; absent where nothing was answered.
    pub p50_us: Option<u64>,
}

impl Probe {
    /// The first load to try: what keeps one session's worth of the server half busy, whatever the sessions think in between.
    pub(super) fn first_load(&self, variable: Variable) -> f64 {
        let busy = self.busy.as_secs_f64().max(1e-6);
        match variable {
            Variable::Rate => 0.5 * self.iterations as f64 / busy,
            Variable::Sessions => variable.nearest(0.5 * self.length.as_secs_f64() / busy),
        }
    }

    /// By objective: calls per second and unit of load.
    pub(super) fn calls_per_load(&self, variable: Variable) -> Vec<f64> {
        let per = match variable {
            Variable::Rate => self.iterations as f64,
            Variable::Sessions => self.length.as_secs_f64(),
        };
        self.calls.iter().map(|calls| *calls as f64 / per.max(1e-6)).collect()
    }

    /// Why it says too little to begin with, if it does.
    pub(super) fn shortcoming(&self, question: &Question) -> Option<String> {
        if self.iterations == 0 || self.p50.is_none() {
            return Some("a single session finished no iteration, or no call of it was ok".to_owned());
        }
        let uncovered = self.calls.iter().position(|calls| *calls == 0);
        let objective = uncovered.and_then(|index| question.objectives.get(index))?;
        Some(format!("no call of a single session is one that `{objective}` is about"))
    }
}

impl CoolDown {
    pub(super) fn after(probe: &Probe) -> Self {
        let p50 = probe.p50.unwrap_or_default();
        Self {
            shortest: Duration::from_secs(5),
            longest: Duration::from_mins(1),
            recovered: p50.mul_f64(SLOWER).max(p50 + LEAST_DIFFERENCE),
        }
    }

    /// Whether the cool-down ends: `Some(true)` where the server recovered, `Some(false)` where it had its time and did not.
    ///
    /// `in_flight` are calls of the trial that still run; `p50` is the trickle's median since the last look. Looks five seconds apart have
    /// enough calls in them that chance does not look like recovery.
    pub fn is_over(&self, elapsed: Duration, in_flight: u64, p50: Option<Duration>) -> Option<bool> {
        let recovered = in_flight == 0 && p50.is_some_and(|p50| p50 <= self.recovered);
        match elapsed {
            elapsed if elapsed < self.shortest => None,
            _ if recovered => Some(true),
            elapsed if elapsed >= self.longest => Some(false),
            _ => None,
        }
    }
}
