//! A search for capacity as it goes: what is being done, the bracket closing, each trial that is judged.
//!
//! In: the news of a search, and the snapshots of the trial at hand. Out: a line for each trial; on a terminal a line beneath that is
//! written over; for machines an object each.

use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use super::Console;
use super::remaining::clock;
use crate::drive::capacity::News;
use crate::error::Error;
use crate::judge::Snapshot;
use crate::judge::capacity::{Answer, Search, Step, TrialResult, TrialVerdict, Variable};
use crate::judge::wording::{quoted, share, time};

/// What is being done at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Moment {
    /// In words: `trial 7 at 240.0/s · ≥ 180.0/s, < 360.0/s`.
    pub(super) lead: String,
    /// How long it takes, unless it is ended early or extended.
    pub(super) planned: Option<Duration>,
}

/// Shows a search from its beginning to its answer.
#[derive(Debug)]
pub struct SearchDisplay {
    console: Console,
    moments: watch::Sender<Moment>,
    thread: JoinHandle<()>,
}

impl SearchDisplay {
    /// Begins to show the runs of a search. It ends when the sender of the snapshots is gone.
    ///
    /// # Errors
    /// As [`Console::watch_aside`].
    pub fn start(console: &Console, snapshots: watch::Receiver<Option<Snapshot>>) -> Result<Self, Error> {
        let (moments, receiver) = watch::channel(Moment::default());
        let thread = console.watch_search_aside(snapshots, receiver)?;
        Ok(Self { console: console.clone(), moments, thread })
    }

    /// Shows what happens in the search.
    pub fn tell(&self, search: &Search, news: &News<'_>) {
        let variable = search.question().variable;
        let bracket = bracket(variable, search.bracket());
        match news {
            News::Begins(step) => {
                self.moments.send_replace(moment(step, variable, &bracket));
            }
            News::Judged(trial) => self.console.trial(trial, &trial_line(variable, trial, &bracket)),
            News::Rested(rest) if !rest.recovered => {
                self.console.progress_words(&format!(
                    "rested for {:.0} s, and the server is not as fast as it was",
                    rest.seconds
                ));
            }
            News::Rested(_) => {}
        }
    }

    /// Leaves a clean terminal and says the answer. All senders of snapshots must be gone.
    pub fn end(self, answer: &Answer) {
        // A panic in the display is no reason to lose the answer.
        let _ = self.thread.join();
        self.console.answer(answer);
    }
}

/// What a step is called while it goes on.
fn moment(step: &Step, variable: Variable, bracket: &str) -> Moment {
    let with_bracket = |what: String| if bracket.is_empty() { what } else { format!("{what} · {bracket}") };
    match step {
        Step::Probe(length) => Moment { lead: "probe: one session alone".to_owned(), planned: Some(*length) },
        Step::Trial(trial) => {
            let what = format!("trial {} at {}", trial.number, variable.shown(trial.load));
            Moment { lead: with_bracket(what), planned: Some(trial.length) }
        }
        Step::CoolDown(rest) => {
            Moment { lead: with_bracket("resting".to_owned()), planned: Some(rest.longest) }
        }
        Step::Answer(_) => Moment::default(),
    }
}

/// Between what the capacity lies: `≥ 180.0/s, < 240.0/s`; empty where nothing is known.
fn bracket(variable: Variable, (lo, hi): (Option<f64>, Option<f64>)) -> String {
    let lo = lo.map(|lo| format!("≥ {}", variable.shown(lo)));
    let hi = hi.map(|hi| format!("< {}", variable.shown(hi)));
    lo.into_iter().chain(hi).collect::<Vec<_>>().join(", ")
}

/// A judged trial in a line: load, verdict, misses of those allowed, slowest hundredth, and the bracket that follows.
fn trial_line(variable: Variable, trial: &TrialResult, bracket: &str) -> String {
    let verdict = match trial.verdict {
        TrialVerdict::Passed => "passed",
        TrialVerdict::PassedWeakly => "passed?",
        TrialVerdict::FailedWeakly => "failed?",
        TrialVerdict::Failed => "failed",
        TrialVerdict::Invalid => "invalid",
    };
    let held = clock(Duration::from_secs_f64(trial.held_s.max(0.0)));
    let mut parts = vec![format!(
        "trial {:>2}  {:>11}  {verdict:<7}  {held:>4}",
        trial.number,
        variable.shown(trial.load)
    )];
    match (&trial.invalid, trial.decisive()) {
        (Some(why), _) => parts.push(quoted(why)),
        (None, Some(result)) => {
            parts.push(format!("{} missed of {}", share(result.missed_ratio), share(result.bound_ratio)));
        }
        (None, None) => {}
    }
    parts.extend(trial.p99_us.map(|p99| format!("p99 {}", time(p99))));
    parts.extend((!bracket.is_empty()).then(|| bracket.to_owned()));
    parts.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::capacity::fixtures::trial;
    use crate::judge::capacity::{Purpose, Trial};

    #[test]
    fn a_judged_trial_is_a_line_that_ends_with_the_bracket() {
        let lines = [
            trial_line(Variable::Rate, &trial(1, 120.0, 2, TrialVerdict::Passed), "≥ 120.0/s"),
            trial_line(Variable::Rate, &trial(12, 2_400.0, 230, TrialVerdict::Failed), "< 2,400/s"),
            trial_line(Variable::Sessions, &trial(3, 24.0, 11, TrialVerdict::FailedWeakly), ""),
            trial_line(Variable::Rate, &trial(4, 9.0, 0, TrialVerdict::Invalid), ""),
        ];
        insta::assert_snapshot!(lines.join("\n"), @"
        trial  1      120.0/s  passed    12s  0.20 % missed of 1.0 %  p99 47.6 ms  ≥ 120.0/s
        trial 12      2,400/s  failed    12s  23.0 % missed of 1.0 %  p99 276 ms  < 2,400/s
        trial  3  24 sessions  failed?   12s  1.1 % missed of 1.0 %  p99 56.6 ms
        trial  4       9.00/s  invalid   12s  the generator used 98 % of its cores  p99 45.6 ms
        ");
    }

    #[test]
    fn what_is_being_done_is_said_with_what_is_known() {
        let load =
            Trial { number: 7, load: 240.0, length: Duration::from_secs(12), purpose: Purpose::Refine };
        let known = bracket(Variable::Rate, (Some(180.0), Some(360.0)));
        let shown = moment(&Step::Trial(load), Variable::Rate, &known);
        assert_eq!(shown.lead, "trial 7 at 240.0/s · ≥ 180.0/s, < 360.0/s");
        assert_eq!(shown.planned, Some(Duration::from_secs(12)));
        let probe = moment(&Step::Probe(Duration::from_secs(10)), Variable::Sessions, "");
        assert_eq!(probe.lead, "probe: one session alone");
        assert_eq!(bracket(Variable::Sessions, (None, Some(8.0))), "< 8 sessions");
    }
}
