//! What the trials so far say about loads. In: the results of trials. Out: a verdict for each load, and the bounds between which the
//! capacity lies.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::trial::{Purpose, TrialResult, TrialVerdict};

/// Trials that agree and so decide a load near the bound: the majority of three, exceed ratio 0.5.
const AGREEING: usize = 2;
/// A share of misses surely so many times what is allowed is not near the bound.
const FAR: f64 = 3.0;

/// What the trials at a load say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadVerdict {
    /// The objectives were kept.
    Passed,
    /// An objective was missed.
    Failed,
    /// The generator could not drive it: nothing is known of the server.
    Invalid,
    /// It takes another trial.
    Open,
}

/// The trials at one load.
#[derive(Debug, Clone)]
pub(super) struct Rung<'a> {
    pub(super) load: f64,
    pub(super) verdict: LoadVerdict,
    /// In the order in which they were made.
    pub(super) trials: Vec<&'a TrialResult>,
}

/// The loads between which the capacity lies.
#[derive(Debug, Clone)]
pub(super) struct Bounds<'a> {
    /// The highest load that passed below every one that failed.
    pub(super) lo: Option<Rung<'a>>,
    /// The lowest load that failed or could not be driven.
    pub(super) hi: Option<Rung<'a>>,
}

/// All loads that were tried, the lowest first.
pub(super) fn rungs(trials: &[TrialResult]) -> Vec<Rung<'_>> {
    let mut rungs: Vec<Rung<'_>> = Vec::new();
    for trial in trials.iter().filter(|trial| trial.purpose != Purpose::Contrast) {
        match rungs.iter_mut().find(|rung| rung.load.total_cmp(&trial.load) == Ordering::Equal) {
            Some(rung) => rung.trials.push(trial),
            None => {
                rungs.push(Rung { load: trial.load, verdict: LoadVerdict::Open, trials: vec![trial] });
            }
        }
    }
    for rung in &mut rungs {
        rung.verdict = verdict(&rung.trials);
    }
    rungs.sort_by(|one, other| one.load.total_cmp(&other.load));
    rungs
}

impl<'a> Bounds<'a> {
    /// A later failure at a lower load beats an earlier pass higher up, because `lo` is looked for below `hi`.
    pub(super) fn of(rungs: &[Rung<'a>]) -> Self {
        let is_top = |rung: &&Rung<'a>| matches!(rung.verdict, LoadVerdict::Failed | LoadVerdict::Invalid);
        let hi = rungs.iter().find(is_top).cloned();
        let below = rungs.iter().take_while(|rung| hi.as_ref().is_none_or(|hi| rung.load < hi.load));
        let lo = below.filter(|rung| rung.verdict == LoadVerdict::Passed).last().cloned();
        Self { lo, hi }
    }
}

impl Rung<'_> {
    /// Whether its verdict comes from trials that were made to confirm it.
    pub(super) fn is_confirmed(&self) -> bool {
        self.trials.iter().any(|trial| trial.purpose == Purpose::Confirm) && self.verdict != LoadVerdict::Open
    }

    /// Whether it failed by so much that nobody needs to make sure.
    pub(super) fn is_far_beyond(&self) -> bool {
        self.verdict == LoadVerdict::Invalid || self.trials.iter().any(|trial| by_far(trial))
    }

    /// The trial that shows the verdict best: the last of those that agree with it.
    pub(super) fn witness(&self) -> Option<&TrialResult> {
        let agrees = |trial: &&&TrialResult| match self.verdict {
            LoadVerdict::Passed => trial.verdict.passed(),
            LoadVerdict::Failed => trial.verdict.failed(),
            LoadVerdict::Invalid => trial.verdict == TrialVerdict::Invalid,
            LoadVerdict::Open => true,
        };
        self.trials.iter().rev().find(agrees).copied()
    }
}

/// Whether a trial failed by several times what was allowed.
fn by_far(trial: &TrialResult) -> bool {
    trial.verdict == TrialVerdict::Failed
        && trial.objectives.iter().any(|result| result.lower_ratio > FAR * result.bound_ratio)
}

fn verdict(trials: &[&TrialResult]) -> LoadVerdict {
    let valid: Vec<&TrialResult> =
        trials.iter().copied().filter(|trial| trial.verdict != TrialVerdict::Invalid).collect();
    if valid.is_empty() {
        return if trials.len() < AGREEING { LoadVerdict::Open } else { LoadVerdict::Invalid };
    }
    // What was made to confirm replaces what found the way.
    let confirming: Vec<&TrialResult> =
        valid.iter().copied().filter(|trial| trial.purpose == Purpose::Confirm).collect();
    if confirming.is_empty() { majority(&valid, true) } else { majority(&confirming, false) }
}

/// The verdict that enough trials agree on; where one may decide alone, it must be sure.
fn majority(trials: &[&TrialResult], one_may_do: bool) -> LoadVerdict {
    let passed = trials.iter().filter(|trial| trial.verdict.passed()).count();
    let failed = trials.len() - passed;
    let sure = |trial: &&&TrialResult| one_may_do && trial.verdict.is_sure();
    let alone = trials.iter().find(sure).filter(|_| trials.len() == 1);
    match alone.map(|trial| trial.verdict.passed()) {
        Some(true) => LoadVerdict::Passed,
        Some(false) => LoadVerdict::Failed,
        None if passed >= AGREEING => LoadVerdict::Passed,
        None if failed >= AGREEING => LoadVerdict::Failed,
        None => LoadVerdict::Open,
    }
}
