//! The search itself: a function of what was seen so far. In: the probe, the results of trials and cool-downs, each with the time that
//! has passed. Out: what to do next.

use std::time::Duration;

use super::answer::{Answer, AtLeast, Finding, rate_limit};
use super::length;
use super::probe::{CoolDown, Probe, Rest};
use super::question::{Question, Variable};
use super::rungs::{Bounds, LoadVerdict, Rung, rungs};
use super::trial::{Purpose, Trial, TrialResult, TrialVerdict};
use super::watch::TrialWatch;

/// How long a single session is watched before the first trial.
const PROBE: Duration = Duration::from_secs(10);
/// The factor by which loads rise while they pass.
const UP: f64 = 2.0;
/// The factor by which they fall while none has passed.
const DOWN: f64 = 4.0;
/// The lowest load, unless one is given, as a share of the first one: four steps down.
const FLOOR: f64 = 1.0 / 256.0;
/// The load of a contrast, as a share of the one that failed.
const CONTRAST: f64 = 0.9;

/// Loads that were found to fail after they had passed, from which on a contrast is asked for.
const OVERTURNED: usize = 3;

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// One session alone for so long.
    Probe(Duration),
    /// A load to be held.
    Trial(Trial),
    /// A trickle of one session until the server has recovered.
    CoolDown(CoolDown),
    /// The search is over.
    Answer(Box<Answer>),
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// Of a probe.
    Probe(Probe),
    /// Of a trial.
    Trial(TrialResult),
    /// Of a cool-down.
    Rest(Rest),
}

/// A search for the highest load that keeps to the objectives.
#[derive(Debug, Clone)]
pub struct Search {
    question: Question,
    probe: Option<Probe>,
    trials: Vec<TrialResult>,
    rests: Vec<Rest>,
    /// Whether the last trial was too much, or may have been.
    tired: bool,
    elapsed: Duration,
}

/// What follows from the trials so far.
enum Next {
    Try(f64, Purpose),
    End(Finding),
}

impl Search {
    /// A search that has seen nothing.
    pub fn new(question: Question) -> Self {
        Self {
            question,
            probe: None,
            trials: Vec::new(),
            rests: Vec::new(),
            tired: false,
            elapsed: Duration::ZERO,
        }
    }

    /// What is asked.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The trials so far.
    pub fn trials(&self) -> &[TrialResult] {
        &self.trials
    }

    /// The highest load that passed and the lowest that failed or could not be driven, so far.
    pub fn bracket(&self) -> (Option<f64>, Option<f64>) {
        let bounds = Bounds::of(&rungs(&self.trials));
        (bounds.lo.map(|rung| rung.load), bounds.hi.map(|rung| rung.load))
    }

    /// The judge of a trial that this search has asked for.
    pub fn watch(&self, trial: Trial) -> TrialWatch<'_> {
        let typical = self.probe.as_ref().and_then(|probe| probe.p50).unwrap_or_default();
        TrialWatch::new(&self.question, trial, typical)
    }

    /// The answer where somebody ends the search before its time: what is known by then.
    pub fn give_up(&mut self, elapsed: Duration) -> Answer {
        self.elapsed = elapsed;
        let rungs = rungs(&self.trials);
        let bounds = Bounds::of(&rungs);
        Answer::new(Finding::Interrupted, &self.question, &bounds, &self.trials, &self.rests, elapsed)
    }

    /// Takes what came of the step before; `elapsed` is the time since the search began.
    pub fn observe(&mut self, elapsed: Duration, observed: Observed) {
        self.elapsed = elapsed;
        match observed {
            Observed::Probe(probe) => self.probe = Some(probe),
            Observed::Trial(result) => {
                self.tired = !result.verdict.passed();
                self.trials.push(result);
            }
            Observed::Rest(rest) => {
                self.tired = false;
                self.rests.push(rest);
            }
        }
    }

    /// What to do next; the same until something else is observed.
    pub fn next(&self) -> Step {
        let Some(probe) = &self.probe else { return Step::Probe(PROBE) };
        let rungs = rungs(&self.trials);
        let bounds = Bounds::of(&rungs);
        if let Some(why) = probe.shortcoming(&self.question) {
            return self.answer(Finding::Unmeasurable { why }, &bounds);
        }
        if self.tired {
            let rest = CoolDown::after(probe);
            if self.elapsed + rest.shortest > self.question.deadline {
                return self.answer(Finding::Deadline, &bounds);
            }
            return Step::CoolDown(rest);
        }
        if let Some(finding) = self.never_recovered(probe).or_else(|| self.degrading()) {
            return self.answer(finding, &bounds);
        }
        match self.next_load(probe, &rungs, &bounds) {
            Next::End(finding) => self.answer(finding, &bounds),
            Next::Try(load, purpose) => {
                let trial = self.trial(probe, load, purpose);
                if self.elapsed + trial.length > self.question.deadline {
                    return self.answer(Finding::Deadline, &bounds);
                }
                Step::Trial(trial)
            }
        }
    }

    fn answer(&self, finding: Finding, bounds: &Bounds<'_>) -> Step {
        let answer = Answer::new(finding, &self.question, bounds, &self.trials, &self.rests, self.elapsed);
        Step::Answer(Box::new(answer))
    }

    fn trial(&self, probe: &Probe, load: f64, purpose: Purpose) -> Trial {
        let calls_per_load = self.calls_per_load(probe);
        // The slow calls of an overload say nothing about how long a trial must be.
        let passed = self.trials.iter().rev().find(|trial| trial.verdict.passed());
        let p99 = passed.and_then(|trial| trial.p99_us).map(Duration::from_micros).or(probe.p99);
        let length =
            length::of_trial(&self.question, purpose, load, &calls_per_load, p99.unwrap_or_default());
        let number = u32::try_from(self.trials.len() + 1).unwrap_or(u32::MAX);
        Trial { number, load, length, purpose }
    }

    /// By objective: calls per second and unit of load, as the last trial that passed had them.
    fn calls_per_load(&self, probe: &Probe) -> Vec<f64> {
        let passed = self.trials.iter().rev().find(|trial| trial.verdict.passed());
        let counted = passed.map(|trial| {
            let load_seconds = (trial.held_s - trial.trimmed_s) * trial.load;
            trial.objectives.iter().map(|result| result.calls as f64 / load_seconds.max(1e-9)).collect()
        });
        counted.unwrap_or_else(|| probe.calls_per_load(self.question.variable))
    }

    /// The finding that ends a search whose server did not come back from the trial before.
    fn never_recovered(&self, probe: &Probe) -> Option<Finding> {
        let rest = self.rests.last().filter(|rest| !rest.recovered)?;
        let before = probe.p50.unwrap_or_default();
        Some(Finding::Metastable {
            after_load: self.trials.last()?.load,
            before_us: u64::try_from(before.as_micros()).unwrap_or(u64::MAX),
            after_us: rest.p50_us,
        })
    }

    /// The finding that ends a search in which less fails than what passed before.
    fn degrading(&self) -> Option<Finding> {
        let contrast = self.trials.last().filter(|trial| trial.purpose == Purpose::Contrast)?;
        if contrast.verdict != TrialVerdict::Failed {
            return None;
        }
        let sure =
            |trial: &&TrialResult| trial.verdict == TrialVerdict::Passed && trial.load >= contrast.load;
        let passed_load = self.trials.iter().filter(sure).map(|trial| trial.load).reduce(f64::min)?;
        Some(Finding::Degrading { passed_load, failed_load: contrast.load })
    }

    fn next_load(&self, probe: &Probe, rungs: &[Rung<'_>], bounds: &Bounds<'_>) -> Next {
        if let Some(contrast) = self.contrast(rungs) {
            return Next::Try(contrast, Purpose::Contrast);
        }
        let below_hi = |rung: &&Rung<'_>| bounds.hi.as_ref().is_none_or(|hi| rung.load < hi.load);
        let open = rungs.iter().filter(below_hi).find(|rung| rung.verdict == LoadVerdict::Open);
        if let Some(trial) = open.and_then(|rung| rung.trials.last()) {
            return Next::Try(trial.load, trial.purpose);
        }
        match (&bounds.lo, &bounds.hi) {
            (None, None) => Next::Try(self.first_load(probe), Purpose::Bracket),
            (Some(lo), None) => self.above(lo),
            (None, Some(hi)) => self.below(probe, hi),
            (Some(lo), Some(hi)) => self.between(lo, hi),
        }
    }

    /// Loads are confirmed from the first confirmation on; what it overturns was found by trials that are too short there.
    fn confirms(&self) -> bool {
        self.trials.iter().any(|trial| trial.purpose == Purpose::Confirm)
    }

    /// The factor to the next load where there is one bound only, and what a trial there is for.
    fn stride(&self, finding_the_way: f64) -> (f64, Purpose) {
        if self.confirms() {
            (self.question.precision.step(), Purpose::Confirm)
        } else {
            (finding_the_way, Purpose::Bracket)
        }
    }

    /// The load of a contrast, once a second load is found to fail though it, or more, passed earlier. Once is chance: what found the
    /// way was short.
    fn contrast(&self, rungs: &[Rung<'_>]) -> Option<f64> {
        let last = self.trials.last().filter(|trial| trial.purpose == Purpose::Confirm)?;
        let overturned = rungs.iter().filter(|rung| {
            let passed = |trial: &TrialResult| trial.verdict.passed() && trial.load >= rung.load;
            rung.is_confirmed() && rung.verdict == LoadVerdict::Failed && self.trials.iter().any(passed)
        });
        let (lowest, count) =
            overturned.fold((f64::INFINITY, 0), |(lowest, count), rung| (rung.load.min(lowest), count + 1));
        let load = self.question.variable.nearest(last.load * CONTRAST);
        (count >= OVERTURNED && lowest.total_cmp(&last.load).is_eq() && load < last.load).then_some(load)
    }

    fn floor(&self, probe: &Probe) -> f64 {
        let asked = self.question.floor.unwrap_or(probe.first_load(self.question.variable) * FLOOR);
        let decidable =
            length::lowest_decidable(&self.question, &probe.calls_per_load(self.question.variable));
        match self.question.variable {
            Variable::Rate => asked.max(decidable),
            Variable::Sessions => asked.max(decidable).ceil().max(1.0),
        }
    }

    fn first_load(&self, probe: &Probe) -> f64 {
        let first = probe.first_load(self.question.variable).max(self.floor(probe));
        let load = self.question.ceiling.map_or(first, |ceiling| first.min(ceiling));
        self.question.variable.nearest(load)
    }

    /// Everything passed so far.
    fn above(&self, lo: &Rung<'_>) -> Next {
        let ceiling = self.question.ceiling.unwrap_or(f64::INFINITY);
        if lo.load >= ceiling {
            if !lo.is_confirmed() {
                return Next::Try(lo.load, Purpose::Confirm);
            }
            return Next::End(Finding::AtLeast { because: AtLeast::Ceiling });
        }
        let (factor, purpose) = self.stride(UP);
        let step = if self.question.variable == Variable::Sessions { lo.load + 1.0 } else { lo.load };
        Next::Try(self.question.variable.nearest((lo.load * factor).max(step).min(ceiling)), purpose)
    }

    /// Nothing passed so far.
    fn below(&self, probe: &Probe, hi: &Rung<'_>) -> Next {
        let floor = self.floor(probe);
        if hi.load <= floor {
            return Next::End(match invalid(hi) {
                Some(why) => Finding::Unmeasurable { why },
                None if self.question.floor.is_some_and(|asked| asked >= floor) => {
                    Finding::BelowFloor { load: hi.load }
                }
                None if self.decidable_below(probe, hi.load) => Finding::BelowFloor { load: hi.load },
                None => Finding::TooFewCalls { load: hi.load },
            });
        }
        let (factor, purpose) = self.stride(DOWN);
        Next::Try(self.question.variable.nearest((hi.load / factor).max(floor)), purpose)
    }

    fn decidable_below(&self, probe: &Probe, load: f64) -> bool {
        let lowest = length::lowest_decidable(&self.question, &probe.calls_per_load(self.question.variable));
        lowest < load * 0.999
    }

    /// There are two bounds.
    fn between(&self, lo: &Rung<'_>, hi: &Rung<'_>) -> Next {
        let (variable, width) = (self.question.variable, self.question.precision.step());
        if !variable.adjacent(lo.load, hi.load, width) {
            let (load, purpose) = match (self.confirms(), lo.is_confirmed()) {
                (false, _) => ((lo.load * hi.load).sqrt(), Purpose::Refine),
                (true, true) => (lo.load * width, Purpose::Confirm),
                (true, false) => (hi.load / width, Purpose::Confirm),
            };
            let whole = |load: f64| match variable {
                Variable::Rate => load,
                Variable::Sessions => load.round().clamp(lo.load + 1.0, hi.load - 1.0),
            };
            return Next::Try(whole(load), purpose);
        }
        if !lo.is_confirmed() {
            return Next::Try(lo.load, Purpose::Confirm);
        }
        // A bound from above that chance has put there would be as wrong as one from below.
        if !hi.is_confirmed() && !hi.is_far_beyond() {
            return Next::Try(hi.load, Purpose::Confirm);
        }
        Next::End(match (invalid(hi), rate_limit(hi)) {
            (Some(why), _) => Finding::AtLeast { because: AtLeast::Generator { why } },
            (None, Some(ok_per_s)) => Finding::RateLimit { ok_per_s },
            (None, None) => Finding::Between,
        })
    }
}

/// Why a load could not be driven, where it could not.
fn invalid(rung: &Rung<'_>) -> Option<String> {
    let witness = rung.witness().filter(|_| rung.verdict == LoadVerdict::Invalid)?;
    witness.invalid.clone()
}
