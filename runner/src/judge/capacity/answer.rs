//! What a search found, as data for a report: the bounds, why it ended, and every trial on the way.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::probe::Rest;
use super::question::{Precision, Question, Variable};
use super::rungs::{Bounds, LoadVerdict, Rung};
use super::trial::{Remark, TrialResult};

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// What can be said, and why not more.
    pub finding: Finding,
    /// What a load is a number of.
    pub variable: Variable,
    /// How far the bounds were to be apart.
    pub precision: Precision,
    /// What was to be kept to.
    pub objectives: Vec<String>,
    /// The highest load that passed below every one that failed.
    pub lo: Option<Bound>,
    /// The lowest load that failed, or that the generator could not drive.
    pub hi: Option<Bound>,
    /// What broke at `hi`.
    pub broke_first: Option<Broken>,
    /// The most ok answers per second in any trial: what the server does at its limit, whatever the objectives.
    pub saturation_ok_per_s: f64,
    /// Seconds that the search took.
    pub elapsed_s: f64,
    /// Every trial, in order.
    pub trials: Vec<TrialResult>,
    /// Every cool-down, in order.
    pub rests: Vec<Rest>,
}

/// One bound of the capacity. Both together are a decision, not a confidence interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bound {
    /// The load.
    pub load: f64,
    /// What its trials say.
    pub verdict: LoadVerdict,
    /// Whether trials were made to confirm it.
    pub confirmed: bool,
    /// Trials at it that passed.
    pub passed: u32,
    /// Trials at it that failed.
    pub failed: u32,
    /// The number of the trial that shows it: figures at this load are that trial's.
    pub witness: u32,
}

/// What broke first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Broken {
    /// The objective.
    pub objective: String,
    /// The tool with the largest share of misses.
    pub tool: Option<String>,
}

/// What can be said about the capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    /// It lies between `lo` and `hi`, which are no further apart than was asked.
    Between,
    /// It is at least `lo`.
    AtLeast {
        /// Why no more is known.
        because: AtLeast,
    },
    /// The server refuses what exceeds a limit (429): that is its limit, and its capacity is not known.
    RateLimit {
        /// Ok calls per second that it let pass.
        ok_per_s: f64,
    },
    /// After an overload the server did not recover, though nothing loaded it any more.
    Metastable {
        /// The load of the trial before.
        after_load: f64,
        /// Median response time before any load.
        before_us: u64,
        /// Median response time of a single session afterwards; absent where nothing was answered.
        after_us: Option<u64>,
    },
    /// The server became slower while it worked: a load that passed earlier does no longer.
    Degrading {
        /// The load that passed.
        passed_load: f64,
        /// The lower load that failed later.
        failed_load: f64,
    },
    /// Not even the lowest load passed.
    BelowFloor {
        /// The lowest load.
        load: f64,
    },
    /// Lower loads would have too few calls in the longest trial to show that the objectives are kept.
    TooFewCalls {
        /// The lowest load that could be decided; it failed.
        load: f64,
    },
    /// The time was over; `lo` and `hi` are what was known by then.
    Deadline,
    /// Somebody ended it; `lo` and `hi` are what was known by then.
    Interrupted,
    /// There was nothing to search with.
    Unmeasurable {
        /// Why, as a fragment.
        why: String,
    },
}

/// Why no more is known than that the capacity is at least this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum AtLeast {
    /// It is the highest load that was allowed.
    Ceiling,
    /// The generator cannot do more.
    Generator {
        /// Which gate failed, as a fragment with its figures.
        why: String,
    },
}

impl Answer {
    pub(super) fn new(
        finding: Finding,
        question: &Question,
        bounds: &Bounds<'_>,
        trials: &[TrialResult],
        rests: &[Rest],
        elapsed: Duration,
    ) -> Self {
        let broken = bounds.hi.as_ref().filter(|hi| hi.verdict == LoadVerdict::Failed).and_then(broken);
        Self {
            finding,
            variable: question.variable,
            precision: question.precision,
            objectives: question.objectives.iter().map(ToString::to_string).collect(),
            lo: bounds.lo.as_ref().and_then(Bound::of),
            hi: bounds.hi.as_ref().and_then(Bound::of),
            broke_first: broken,
            saturation_ok_per_s: trials.iter().map(|trial| trial.ok_per_s).fold(0.0, f64::max),
            elapsed_s: elapsed.as_secs_f64(),
            trials: trials.to_vec(),
            rests: rests.to_vec(),
        }
    }

    /// The trial whose figures stand for a bound.
    pub fn witness(&self, bound: &Bound) -> Option<&TrialResult> {
        self.trials.iter().find(|trial| trial.number == bound.witness)
    }
}

impl Bound {
    fn of(rung: &Rung<'_>) -> Option<Self> {
        let count = |passed: bool| {
            let agrees = |trial: &&&TrialResult| {
                if passed { trial.verdict.passed() } else { trial.verdict.failed() }
            };
            u32::try_from(rung.trials.iter().filter(agrees).count()).unwrap_or(u32::MAX)
        };
        Some(Self {
            load: rung.load,
            verdict: rung.verdict,
            confirmed: rung.is_confirmed(),
            passed: count(true),
            failed: count(false),
            witness: rung.witness()?.number,
        })
    }
}

fn broken(hi: &Rung<'_>) -> Option<Broken> {
    let witness = hi.witness()?;
    let objective = witness.broken().or_else(|| witness.objectives.first())?;
    Some(Broken { objective: objective.objective.clone(), tool: witness.worst_tool.clone() })
}

/// Ok calls per second of the last trial at `hi`, where most of its misses were refusals for being too many.
pub(super) fn rate_limit(hi: &Rung<'_>) -> Option<f64> {
    let witness = hi.witness().filter(|trial| trial.is(Remark::Throttled))?;
    Some(witness.ok_per_s)
}
