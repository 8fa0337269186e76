//! One trial of a search, as data: what is to be driven, what is seen of it by and by, and what came of it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A load to be held for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// Which trial of the search, from 1.
    pub number: u32,
    /// The load, in the unit of the question's variable.
    pub load: f64,
    /// How long to hold it, unless the trial is stopped early or extended.
    pub length: Duration,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a trial is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To find a load that passes and one that fails.
    Bracket,
    /// To bring the two closer together.
    Refine,
    /// To make sure of a bound, longer and more strictly.
    Confirm,
    /// To see, below a bound that was not confirmed, whether the server has become slower since.
    Contrast,
}

/// What became of the calls of one kind during a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Calls that became due.
    pub due: u64,
    /// Calls that came to an end: answered, failed, timed out, cut off, or dropped because nobody was free to send them.
    pub finished: u64,
    /// Of those that came to an end, the good ones: ok, and within the objective's time.
    pub good: u64,
}

/// What is seen of a trial in a second or less. Slices follow each other without a gap.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// How long it is: at most a second; 250 ms gives the sub-windows of a short trial their number.
    pub length: Duration,
    /// By objective, in the order of the question: the calls that it covers.
    pub objectives: Vec<Counts>,
    /// All calls; good ones are ok, however long they took.
    pub calls: Counts,
    /// Finished calls that the server refused because there were too many (429).
    pub throttled: u64,
    /// The median response time of the ok calls that finished; `None` without any.
    pub median: Option<Duration>,
}

/// What is known of a trial when it is over: nothing of it is running any more.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Closing {
    /// Why the measurement cannot be trusted, as a fragment with its figures: the findings of the failed gates.
    pub invalid: Option<String>,
    /// Response times of ok calls.
    pub p50: Option<Duration>,
    /// Response times of ok calls.
    pub p99: Option<Duration>,
    /// From sending to the first event, of ok calls.
    pub first_event_p50: Option<Duration>,
    /// The tool (resource, prompt, path) with the largest share of misses.
    pub worst_tool: Option<String>,
}

/// What a trial says about its load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrialVerdict {
    /// Every objective was surely kept.
    Passed,
    /// Every objective was kept as far as was seen, but chance may have done it.
    PassedWeakly,
    /// An objective was missed, but chance may have done it.
    FailedWeakly,
    /// An objective was surely missed.
    Failed,
    /// The generator, not the server, may have set the figures: it says nothing about the server.
    Invalid,
}

/// Why a trial was stopped before its time, or was doubted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// So many calls had missed that the rest could not make up for it.
    BeyondRescue,
    /// More calls became due than were answered, steadily.
    GrowingBacklog,
    /// Response times were still moving in its second half.
    NotStationary,
    /// At least half of the misses were refusals because there were too many calls (429).
    Throttled,
    /// There were too few calls to show what was asked, even had none missed.
    TooFewCalls,
}

/// What a trial showed of one objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectiveResult {
    /// The objective: `response_time p(99) < 500ms`.
    pub objective: String,
    /// Calls that count, after settling.
    pub calls: u64,
    /// Of them, those that missed.
    pub missed: u64,
    /// The share that missed.
    pub missed_ratio: f64,
    /// The share that may miss.
    pub bound_ratio: f64,
    /// How many calls say as much as a single independent one.
    pub design_effect: f64,
    /// Lower bound of the share that misses in the long run.
    pub lower_ratio: f64,
    /// Upper bound of the share that misses in the long run.
    pub upper_ratio: f64,
    /// What follows for this objective.
    pub verdict: TrialVerdict,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrialResult {
    /// Which trial of the search, from 1.
    pub number: u32,
    /// The load, in the unit of the question's variable.
    pub load: f64,
    /// What it was for.
    pub purpose: Purpose,
    /// Seconds for which the load was held.
    pub held_s: f64,
    /// Seconds at its beginning that were not counted.
    pub trimmed_s: f64,
    /// What follows.
    pub verdict: TrialVerdict,
    /// What is to be said about it.
    pub remarks: Vec<Remark>,
    /// Why it is invalid; present where it is.
    pub invalid: Option<String>,
    /// By objective, in the order of the question.
    pub objectives: Vec<ObjectiveResult>,
    /// Calls that became due, settling included.
    pub due: u64,
    /// Calls that the server refused because there were too many.
    pub throttled: u64,
    /// The share of all finished calls, after settling, that ended ok.
    pub ok_ratio: f64,
    /// Ok answers per second, after settling, while the load was held.
    pub ok_per_s: f64,
    /// Calls that were due and not finished when the load was taken away.
    pub backlog: u64,
    /// Response time of ok calls.
    pub p50_us: Option<u64>,
    /// Response time of ok calls.
    pub p99_us: Option<u64>,
    /// From sending to the first event, of ok calls.
    pub first_event_p50_us: Option<u64>,
    /// The tool with the largest share of misses.
    pub worst_tool: Option<String>,
}

impl TrialVerdict {
    /// Whether every objective was kept as far as was seen.
    pub fn passed(self) -> bool {
        matches!(self, Self::Passed | Self::PassedWeakly)
    }

    /// Whether an objective was missed as far as was seen.
    pub fn failed(self) -> bool {
        matches!(self, Self::Failed | Self::FailedWeakly)
    }

    /// Whether chance does not explain it.
    pub fn is_sure(self) -> bool {
        matches!(self, Self::Passed | Self::Failed)
    }
}

impl TrialResult {
    /// The first objective, in the order of the question, that was missed most in relation to what it allows.
    pub fn broken(&self) -> Option<&ObjectiveResult> {
        let excess = |result: &ObjectiveResult| result.missed_ratio / result.bound_ratio;
        let missed = self.objectives.iter().filter(|result| result.verdict.failed());
        missed.reduce(|worst, next| if excess(next) > excess(worst) { next } else { worst })
    }

    /// The objective that decides: the one that was missed most, or came closest to it, in relation to what it allows.
    pub fn decisive(&self) -> Option<&ObjectiveResult> {
        let used = |result: &&ObjectiveResult| result.missed_ratio / result.bound_ratio;
        self.broken()
            .or_else(|| self.objectives.iter().max_by(|left, right| used(left).total_cmp(&used(right))))
    }

    /// Whether this is said about it.
    pub fn is(&self, remark: Remark) -> bool {
        self.remarks.contains(&remark)
    }
}
