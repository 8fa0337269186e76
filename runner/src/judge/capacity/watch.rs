//! Watches one trial: slices in, and after each of them whether to go on; at the end what came of it. It knows no clock, only the
//! lengths of the slices.

use std::time::Duration;

use super::question::{Question, Variable};
use super::statistics::{Confidence, Tally, design_effect, sure_growth, wilson};
use super::trial::{
    Closing, Counts, ObjectiveResult, Purpose, Remark, Slice, Trial, TrialResult, TrialVerdict,
};
use crate::judge::stationarity::warm_up_length;
use crate::plan::Objective;

/// Sub-windows whose spread tells how bunched the misses are.
const WINDOWS: usize = 20;
/// A trial that decides nothing is held for so many times its length at most.
const LONGEST_EXTENSION: u32 = 3;
/// What is dropped at the beginning at least.
const SETTLING: Duration = Duration::from_secs(2);
/// And at least so many times what a call took in the probe: until the first calls are answered, nothing is.
const SETTLING_CALLS: u32 = 5;
/// A backlog that grows more slowly than this share of what becomes due is no reason to stop early.
const SLOW_GROWTH: f64 = 0.02;

/// How long a backlog may take to be worked off where no objective says how long a call may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether a trial goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// The load is held until so much time has passed since its beginning.
    Hold(Duration),
    /// The load is taken away. What is still running may end; slices of that time are seen as well.
    Stop,
}

/// The judge of one trial.
#[derive(Debug, Clone)]
pub struct TrialWatch<'a> {
    question: &'a Question,
    trial: Trial,
    /// What a call took in the probe.
    typical: Duration,
    slices: Vec<Slice>,
    held: Duration,
    until: Duration,
    /// Slices up to here are those in which the load was held.
    held_slices: usize,
    stopped: bool,
    early: Option<Remark>,
}

/// Where counting begins, and whether the response times had settled there.
#[derive(Debug, Clone, Copy)]
struct Settled {
    from: usize,
    stationary: bool,
}

impl<'a> TrialWatch<'a> {
    /// Begins to watch a trial; `typical` is the median response time of the probe.
    pub fn new(question: &'a Question, trial: Trial, typical: Duration) -> Self {
        Self {
            question,
            trial,
            typical,
            slices: Vec::new(),
            held: Duration::ZERO,
            until: trial.length,
            held_slices: 0,
            stopped: false,
            early: None,
        }
    }

    /// Takes what was seen since the slice before.
    pub fn see(&mut self, slice: Slice) -> Course {
        let whole_second = (self.held + slice.length).as_secs() > self.held.as_secs();
        self.held += if self.stopped { Duration::ZERO } else { slice.length };
        self.slices.push(slice);
        if self.stopped {
            return Course::Stop;
        }
        self.held_slices = self.slices.len();
        let over = self.held >= self.until;
        if !over && !whole_second {
            return Course::Hold(self.until);
        }
        let settled = Settled { from: self.after_first_answers(), stationary: true };
        self.early = self.reason_to_stop(settled);
        if self.early.is_none() && over && self.is_open() && self.until < self.longest() {
            self.until = (self.until + self.trial.length).min(self.longest());
        }
        self.stopped = self.early.is_some() || self.held >= self.until;
        if self.stopped { Course::Stop } else { Course::Hold(self.until) }
    }

    /// What came of the trial, once nothing of it is running any more.
    pub fn conclude(self, closing: Closing) -> TrialResult {
        let settled = self.settled();
        let objectives = self.judge(settled);
        let counted = &self.slices[settled.from.min(self.slices.len())..];
        let calls = sum(counted, |slice| slice.calls);
        let held_counted = &self.slices[settled.from.min(self.held_slices)..self.held_slices];
        let held_time: f64 = held_counted.iter().map(|slice| slice.length.as_secs_f64()).sum();
        let held_good = sum(held_counted, |slice| slice.calls).good as f64;
        let trimmed: Duration = self.slices[..settled.from].iter().map(|slice| slice.length).sum();
        let throttled: u64 = self.slices.iter().map(|slice| slice.throttled).sum();
        let micros =
            |time: Option<Duration>| time.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        TrialResult {
            number: self.trial.number,
            load: self.trial.load,
            purpose: self.trial.purpose,
            held_s: self.held.as_secs_f64(),
            trimmed_s: trimmed.as_secs_f64(),
            verdict: self.verdict(&objectives, &closing),
            remarks: self.remarks(settled, &objectives),
            invalid: closing.invalid,
            objectives,
            due: sum(&self.slices, |slice| slice.calls).due,
            throttled,
            ok_ratio: if calls.finished == 0 { 0.0 } else { calls.good as f64 / calls.finished as f64 },
            ok_per_s: if held_time > 0.0 { held_good / held_time } else { 0.0 },
            backlog: backlog(&self.slices[..self.held_slices], |slice| slice.calls),
            p50_us: micros(closing.p50),
            p99_us: micros(closing.p99),
            first_event_p50_us: micros(closing.first_event_p50),
            worst_tool: closing.worst_tool,
        }
    }

    fn confidence(&self) -> Confidence {
        match self.trial.purpose {
            Purpose::Bracket | Purpose::Refine => Confidence::Usual,
            Purpose::Confirm | Purpose::Contrast => Confidence::Strict,
        }
    }

    /// How long the trial may become. One that confirms is repeated instead.
    fn longest(&self) -> Duration {
        match self.trial.purpose {
            Purpose::Bracket | Purpose::Refine => self.trial.length * LONGEST_EXTENSION,
            Purpose::Confirm | Purpose::Contrast => self.trial.length,
        }
    }

    /// Whether more calls may still decide what these did not.
    fn is_open(&self) -> bool {
        let results = self.judge(self.settled());
        let failed = results.iter().any(|result| result.verdict == TrialVerdict::Failed);
        !failed && results.iter().any(|result| !result.verdict.is_sure())
    }

    /// Why the load should be taken away at once.
    fn reason_to_stop(&self, settled: Settled) -> Option<Remark> {
        let remaining = self.longest().saturating_sub(self.held).as_secs_f64();
        let counted = self.slices.get(settled.from..).filter(|counted| counted.len() >= 4)?;
        let seconds: f64 = counted.iter().map(|slice| slice.length.as_secs_f64()).sum();
        let beyond_rescue = self.question.objectives.iter().enumerate().any(|(index, objective)| {
            let due = sum(counted, |slice| slice.objectives[index]).due as f64;
            let seen = tally(counted, index);
            let calls = seen.calls as f64 + due / seconds * remaining;
            let effect = design_effect(&windows(counted, index));
            let share = if calls > 0.0 { seen.missed as f64 / calls } else { 0.0 };
            wilson(share, calls / effect, Confidence::Strict).0 > objective.most_missed()
        });
        if beyond_rescue {
            return Some(Remark::BeyondRescue);
        }
        if self.question.variable == Variable::Sessions {
            return None;
        }
        let steps: Vec<f64> =
            counted.iter().map(|slice| slice.calls.due as f64 - slice.calls.finished as f64).collect();
        let all = sum(counted, |slice| slice.calls);
        let due = all.due as f64 / counted.len() as f64;
        let answered_per_second = all.finished as f64 / seconds;
        let waiting = backlog(&self.slices, |slice| slice.calls) as f64;
        let patience = self.patience().as_secs_f64();
        let grows = sure_growth(&steps).is_some_and(|growth| growth > SLOW_GROWTH * due);
        (grows && waiting > answered_per_second * patience).then_some(Remark::GrowingBacklog)
    }

    /// A backlog that takes longer to work off makes every call miss that becomes due now.
    fn patience(&self) -> Duration {
        let times = self.question.objectives.iter().filter_map(Objective::within);
        times.min().unwrap_or(PATIENCE).max(self.typical)
    }

    fn judge(&self, settled: Settled) -> Vec<ObjectiveResult> {
        let counted = &self.slices[settled.from.min(self.slices.len())..];
        let judged = self.question.objectives.iter().enumerate().map(|(index, objective)| {
            let seen = tally(counted, index);
            let effect = design_effect(&windows(counted, index));
            let independent = seen.calls as f64 / effect;
            let (lower, upper) = wilson(seen.share(), independent, self.confidence());
            let most = objective.most_missed();
            let enough = seen.calls as f64 >= objective.fewest_calls();
            let verdict = match seen.share() <= most {
                _ if self.early.is_some() && lower > most => TrialVerdict::Failed,
                true if upper <= most && enough && settled.stationary => TrialVerdict::Passed,
                true => TrialVerdict::PassedWeakly,
                false if lower > most => TrialVerdict::Failed,
                false => TrialVerdict::FailedWeakly,
            };
            ObjectiveResult {
                objective: objective.to_string(),
                calls: seen.calls,
                missed: seen.missed,
                missed_ratio: seen.share(),
                bound_ratio: most,
                design_effect: effect,
                lower_ratio: lower,
                upper_ratio: upper,
                verdict,
            }
        });
        judged.collect()
    }

    fn verdict(&self, objectives: &[ObjectiveResult], closing: &Closing) -> TrialVerdict {
        if closing.invalid.is_some() {
            return TrialVerdict::Invalid;
        }
        if self.early.is_some() {
            return TrialVerdict::Failed;
        }
        // The worst of the objectives is that of the trial.
        let worst = [TrialVerdict::Failed, TrialVerdict::FailedWeakly, TrialVerdict::PassedWeakly];
        let has = |verdict: &TrialVerdict| objectives.iter().any(|result| result.verdict == *verdict);
        worst.into_iter().find(has).unwrap_or(TrialVerdict::Passed)
    }

    fn remarks(&self, settled: Settled, objectives: &[ObjectiveResult]) -> Vec<Remark> {
        let mut remarks: Vec<Remark> = self.early.into_iter().collect();
        if !settled.stationary {
            remarks.push(Remark::NotStationary);
        }
        let throttled: u64 = self.slices.iter().map(|slice| slice.throttled).sum();
        let all = sum(&self.slices, |slice| slice.calls);
        if throttled > 0 && throttled * 2 >= all.finished - all.good {
            remarks.push(Remark::Throttled);
        }
        let demands = self.question.objectives.iter().zip(objectives);
        if demands.into_iter().any(|(demand, result)| (result.calls as f64) < demand.fewest_calls()) {
            remarks.push(Remark::TooFewCalls);
        }
        remarks
    }

    /// The first slice after the answers to the first calls must have come.
    fn after_first_answers(&self) -> usize {
        let settling = SETTLING.max(self.typical * SETTLING_CALLS).min(self.trial.length / 2);
        let mut passed = Duration::ZERO;
        let before = self.slices.iter().take_while(|slice| {
            passed += slice.length;
            passed <= settling
        });
        before.count().min(self.held_slices)
    }

    fn settled(&self) -> Settled {
        let from = self.after_first_answers();
        let (medians, starts) = self.medians_by_second(from);
        match warm_up_length(&medians) {
            Some(seconds) if self.trial.purpose == Purpose::Bracket => {
                Settled { from: starts.get(seconds).copied().unwrap_or(from), stationary: true }
            }
            // Near the bound a queue that fills and empties looks like warm-up, and what is trimmed then are the misses: trimmed so,
            // four to five times as many searches in simulation ended more than a width too high.
            warm_up => Settled { from, stationary: warm_up.is_some() },
        }
    }

    /// The median response time of each second from a slice on, in seconds, and the slice with which it begins. A second without an
    /// answer has the last one's.
    fn medians_by_second(&self, from: usize) -> (Vec<f64>, Vec<usize>) {
        let (mut medians, mut starts): (Vec<f64>, Vec<usize>) = (Vec::new(), Vec::new());
        let mut second: Vec<f64> = Vec::new();
        let (mut start, mut passed) = (from, Duration::ZERO);
        for (index, slice) in self.slices[..self.held_slices].iter().enumerate().skip(from) {
            second.extend(slice.median.map(|median| median.as_secs_f64()));
            passed += slice.length;
            if passed < Duration::from_millis(999) {
                continue;
            }
            second.sort_by(f64::total_cmp);
            let median = second.get(second.len() / 2).or(medians.last()).copied();
            medians.extend(median);
            starts.extend(median.map(|_| start));
            second.clear();
            (start, passed) = (index + 1, Duration::ZERO);
        }
        (medians, starts)
    }
}

fn sum(slices: &[Slice], of: impl Fn(&Slice) -> Counts) -> Counts {
    slices.iter().map(of).fold(Counts::default(), |sum, next| Counts {
        due: sum.due + next.due,
        finished: sum.finished + next.finished,
        good: sum.good + next.good,
    })
}

fn backlog(slices: &[Slice], of: impl Fn(&Slice) -> Counts) -> u64 {
    let all = sum(slices, of);
    all.due.saturating_sub(all.finished)
}

fn tally(slices: &[Slice], index: usize) -> Tally {
    let counts = sum(slices, |slice| slice.objectives[index]);
    Tally { calls: counts.finished, missed: counts.finished.saturating_sub(counts.good) }
}

/// As many sub-windows of the same number of slices as there can be.
fn windows(slices: &[Slice], index: usize) -> Vec<Tally> {
    slices.chunks(slices.len().div_ceil(WINDOWS).max(1)).map(|window| tally(window, index)).collect()
}
