//! What a run comes to: passed, failed or inconclusive, with a reason and the process's exit code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wording::{count, counted};
use super::{Gate, GateName, Observation, StopReason};
use crate::error::ExitCode;
use crate::plan::SeriesId;

/// The end of a run in one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Passed, failed or inconclusive.
    pub outcome: VerdictOutcome,
    /// What the process ends with.
    pub exit: ExitCode,
    /// Why, as a fragment for a person.
    pub reason: String,
}

/// What a run can come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictOutcome {
    /// Everything that was asked holds.
    Passed,
    /// Something that was asked does not hold.
    Failed,
    /// The measurement cannot be trusted, so neither can be said.
    Inconclusive,
}

impl VerdictOutcome {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl Verdict {
    /// Judges a finished run. What ended it early goes first; then the measurement's own validity (91) beats what it shows (99).
    ///
    /// One exception: that no call succeeded needs no sample size, so too few samples do not hide it.
    pub fn new(observation: &Observation, gates: &[Gate]) -> Self {
        ended_early(observation)
            .or_else(|| untrusted(gates.iter().filter(|gate| gate.name != GateName::Samples)))
            .or_else(|| nothing_succeeded(observation))
            .or_else(|| untrusted(gates.iter()))
            // Thresholds are judged here.
            .unwrap_or_else(|| passed(observation))
    }

    /// Whether everything that was asked holds.
    pub fn passed(&self) -> bool {
        self.outcome == VerdictOutcome::Passed
    }

    fn failed(exit: ExitCode, reason: String) -> Self {
        Self { outcome: VerdictOutcome::Failed, exit, reason }
    }

    fn inconclusive(exit: ExitCode, reason: String) -> Self {
        Self { outcome: VerdictOutcome::Inconclusive, exit, reason }
    }
}

fn ended_early(observation: &Observation) -> Option<Verdict> {
    match &observation.stop {
        StopReason::Completed => None,
        StopReason::Interrupted => {
            let after = observation.elapsed.as_secs_f64();
            let reason =
                format!("interrupted after {after:.1} s; the figures cover what was measured until then");
            Some(Verdict::inconclusive(ExitCode::Interrupted, reason))
        }
        StopReason::TargetLost { message } => {
            let reason = format!("the target was lost and no virtual user could go on: {message}");
            Some(Verdict::failed(ExitCode::Unreachable, reason))
        }
    }
}

fn untrusted<'a>(gates: impl Iterator<Item = &'a Gate>) -> Option<Verdict> {
    let mut failed = gates.filter(|gate| gate.failed());
    let first = failed.next()?;
    let others = match failed.count() {
        0 => String::new(),
        1 => ", and one more check of the measurement failed".to_owned(),
        more => format!(", and {more} more checks of the measurement failed"),
    };
    let reason = format!("the measurement cannot be trusted: {}{others}", first.finding);
    Some(Verdict::inconclusive(ExitCode::Inconclusive, reason))
}

fn nothing_succeeded(observation: &Observation) -> Option<Verdict> {
    let operations = observation.metrics.outcomes();
    if operations.ok() > 0 {
        return None;
    }
    let attempted = operations.requests() + operations.cancelled();
    let reason = if attempted > 0 {
        format!("none of {} succeeded", counted(attempted, "call"))
    } else {
        let handshake = &observation.metrics.series(SeriesId::INITIALIZE).outcomes;
        let attempts = handshake.errors();
        if attempts == 0 {
            return None;
        }
        format!("no call could be made: {} failed", counted(attempts, "handshake"))
    };
    Some(Verdict::failed(ExitCode::Failed, reason))
}

fn passed(observation: &Observation) -> Verdict {
    let outcomes = observation.metrics.outcomes();
    let (requests, errors) = (outcomes.requests(), outcomes.errors());
    let reason = if errors == 0 {
        format!("all {} succeeded; no threshold was set", counted(requests, "call"))
    } else {
        format!("{} of {} failed, which no threshold forbids", count(errors), counted(requests, "call"))
    };
    Verdict { outcome: VerdictOutcome::Passed, exit: ExitCode::Passed, reason }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::judge::fixtures::{Run, plan};
    use crate::judge::{Outcome, TransportFault, judge_validity};

    fn verdict(run: Run) -> Verdict {
        let plan = plan();
        let observation = run.finish();
        Verdict::new(&observation, &judge_validity(&plan, &observation))
    }

    fn code(verdict: &Verdict) -> u8 {
        verdict.exit.code()
    }

    #[test]
    fn a_sound_run_without_errors_passes_and_says_that_nothing_was_demanded() {
        let verdict = verdict(Run::new().calls("search", 500, 10, Outcome::Ok));
        assert!(verdict.passed());
        assert_eq!(code(&verdict), 0);
        assert_eq!(verdict.reason, "all 500 calls succeeded; no threshold was set");
    }

    #[test]
    fn errors_alone_do_not_fail_a_run_but_are_named() {
        let run =
            Run::new().calls("search", 500, 10, Outcome::Ok).calls("search", 20, 10, Outcome::ToolError);
        assert_eq!(verdict(run).reason, "20 of 520 calls failed, which no threshold forbids");
    }

    #[test]
    fn a_run_in_which_no_call_succeeded_fails_however_few_there_were() {
        let verdict = verdict(Run::new().calls("search", 3, 5000, Outcome::Timeout));
        assert_eq!((code(&verdict), verdict.outcome), (99, VerdictOutcome::Failed));
        assert_eq!(verdict.reason, "none of 3 calls succeeded");
    }

    #[test]
    fn calls_that_hang_until_the_end_did_not_succeed() {
        let verdict = verdict(Run::new().calls("search", 4, 5000, Outcome::Cancelled));
        assert_eq!(code(&verdict), 99);
    }

    #[test]
    fn a_run_that_never_got_past_the_handshake_fails() {
        let verdict = verdict(Run::new().handshakes(8, 5, Outcome::HttpError { status: 500 }));
        assert_eq!(verdict.reason, "no call could be made: 8 handshakes failed");
    }

    #[test]
    fn nothing_measured_at_all_is_inconclusive() {
        let verdict = verdict(Run::new());
        assert_eq!((code(&verdict), verdict.outcome), (91, VerdictOutcome::Inconclusive));
    }

    #[test]
    fn too_few_samples_are_inconclusive() {
        let verdict = verdict(Run::new().calls("search", 99, 10, Outcome::Ok));
        assert_eq!(code(&verdict), 91);
        assert_eq!(
            verdict.reason,
            "the measurement cannot be trusted: 99 calls were measured, 100 are needed"
        );
    }

    #[test]
    fn a_generator_out_of_ports_is_inconclusive_even_when_nothing_succeeded() {
        let no_port = Outcome::Transport(TransportFault::NoPort);
        assert_eq!(code(&verdict(Run::new().calls("search", 500, 1, no_port))), 91);
    }

    #[test]
    fn a_lost_target_ends_with_its_message_and_code_four() {
        let stop = StopReason::TargetLost { message: "connection refused".to_owned() };
        let verdict = verdict(Run::new().calls("search", 500, 10, Outcome::Ok).stopped(stop));
        assert_eq!((code(&verdict), verdict.outcome), (4, VerdictOutcome::Failed));
        assert!(verdict.reason.ends_with("connection refused"));
    }

    #[test]
    fn an_interrupted_run_says_how_far_it_came() {
        let run = Run::new().calls("search", 500, 10, Outcome::Ok).stopped(StopReason::Interrupted);
        let verdict = verdict(run.lasting(Duration::from_millis(12_300)));
        assert_eq!((code(&verdict), verdict.outcome), (130, VerdictOutcome::Inconclusive));
        assert!(verdict.reason.starts_with("interrupted after 12.3 s"), "{}", verdict.reason);
    }
}
