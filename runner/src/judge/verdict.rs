//! What a run comes to: passed, failed or inconclusive, with a reason and the process's exit code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wording::{count, counted, quoted};
use super::{BreakingPointFinding, Gate, GateName, Observation, PluginMetrics, StopReason, ThresholdResult};
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
    /// Judges a finished run. What ended it early goes first, then plugins that came to nothing (5); then the measurement's own
    /// validity (91) beats what it shows (99).
    ///
    /// One exception: that no call succeeded needs no sample size, so too few samples do not hide it.
    pub fn new(observation: &Observation, gates: &[Gate], thresholds: &[ThresholdResult]) -> Self {
        ended_early(observation).or_else(|| plugins_failed(observation)).unwrap_or_else(|| {
            untrusted(gates.iter().filter(|gate| gate.name != GateName::Samples))
                .or_else(|| nothing_succeeded(observation))
                .or_else(|| untrusted(gates.iter()))
                .or_else(|| thresholds_failed(thresholds))
                .or_else(|| ended_by_threshold(observation))
                .unwrap_or_else(|| passed(observation, thresholds))
                .remarking(remarks(observation))
        })
    }

    /// Whether everything that was asked holds.
    pub fn passed(&self) -> bool {
        self.outcome == VerdictOutcome::Passed
    }

    fn remarking(mut self, remarks: impl IntoIterator<Item = String>) -> Self {
        for remark in remarks {
            self.reason.push_str("; ");
            self.reason.push_str(&remark);
        }
        self
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
        StopReason::Completed
        | StopReason::BreakingPoint
        | StopReason::PluginStopped { .. }
        | StopReason::ThresholdFailed { .. } => None,
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
        StopReason::PluginsFailed { message } => {
            let reason = format!("plugins failed and no scenario could go on: {}", quoted(message));
            Some(Verdict::failed(ExitCode::Plugin, reason))
        }
    }
}

/// A plugin that was given up, or that not one iteration came to its end with: whatever else was measured, it is not what was asked.
fn plugins_failed(observation: &Observation) -> Option<Verdict> {
    let idle = observation.metrics.outcomes().requests() == 0;
    let fruitless = observation.plugins().find(|(_, metrics)| {
        metrics.iterations == 0 && metrics.failed_iterations > 0 || idle && !metrics.failures.is_empty()
    });
    let reason = match (observation.retired.as_slice(), fruitless) {
        ([], None) => return None,
        ([], Some((facts, metrics))) => {
            format!(
                "plugin {} failed in {}{}",
                facts.scenario,
                match metrics.failed_iterations {
                    0 => "every step that it planned".to_owned(),
                    1 if metrics.iterations == 0 => "its only iteration".to_owned(),
                    failed => format!("all of its {} iterations", count(failed)),
                },
                first_message(metrics)
            )
        }
        ([first, others @ ..], _) => {
            let others = match others.len() {
                0 => String::new(),
                1 => ", and one more plugin".to_owned(),
                more => format!(", and {more} more plugins"),
            };
            format!(
                "plugin {} was given up during the run{others}: {}",
                first.scenario,
                quoted(&first.message)
            )
        }
    };
    Some(Verdict::failed(ExitCode::Plugin, reason))
}

/// What ended a run early that is otherwise judged by its calls, and what plugins did to it.
fn remarks(observation: &Observation) -> Vec<String> {
    let mut remarks = Vec::new();
    if let StopReason::ThresholdFailed { text, finding } = &observation.stop {
        let after = observation.window.as_secs_f64();
        remarks.push(format!("ended early after {after:.1} s because of {text}: {finding}"));
    }
    if let (StopReason::BreakingPoint, BreakingPointFinding::Found(point)) =
        (&observation.stop, &observation.breaking_point)
    {
        remarks.push(format!("ended at the breaking point: {}", point.detail));
    }
    if let StopReason::PluginStopped { plugin, reason } = &observation.stop {
        remarks.push(format!("plugin {plugin} stopped the run: {}", quoted(reason)));
    }
    for (facts, metrics) in observation.plugins().filter(|(_, metrics)| metrics.failed_iterations > 0) {
        remarks.push(format!(
            "plugin {} failed {} of {}{}",
            facts.scenario,
            count(metrics.failed_iterations),
            counted(metrics.iterations + metrics.failed_iterations, "iteration"),
            first_message(metrics)
        ));
    }
    remarks
}

/// What the earliest failure said, behind a colon.
fn first_message(metrics: &PluginMetrics) -> String {
    let earliest = metrics.failures.iter().min_by_key(|failure| (failure.iteration, failure.vu));
    earliest.map(|failure| format!(": {}", quoted(&failure.message))).unwrap_or_default()
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

/// The worst of the thresholds that failed, and how many there were.
fn thresholds_failed(thresholds: &[ThresholdResult]) -> Option<Verdict> {
    let failed: Vec<&ThresholdResult> = thresholds.iter().filter(|threshold| !threshold.passed).collect();
    let worst = failed.iter().min_by(|left, right| left.severity().total_cmp(&right.severity()))?;
    let which = if failed.len() == 1 { "" } else { ", the worst" };
    let (failed, all) = (count(failed.len() as u64), counted(thresholds.len() as u64, "threshold"));
    let reason = format!("{failed} of {all} failed{which}: {}, {}", worst.text, worst.finding);
    Some(Verdict::failed(ExitCode::Failed, reason))
}

/// A threshold ended the run, and what came in while it ended made it hold again: what it was to show it did not.
fn ended_by_threshold(observation: &Observation) -> Option<Verdict> {
    match &observation.stop {
        StopReason::ThresholdFailed { text, .. } => {
            Some(Verdict::failed(ExitCode::Failed, format!("{text} did not hold while the run lasted")))
        }
        _ => None,
    }
}

fn passed(observation: &Observation, thresholds: &[ThresholdResult]) -> Verdict {
    let outcomes = observation.metrics.outcomes();
    let (requests, errors) = (counted(outcomes.requests(), "call"), outcomes.errors());
    let held = format!(
        "{} of {} held",
        count(thresholds.len() as u64),
        counted(thresholds.len() as u64, "threshold")
    );
    let reason = match (errors, thresholds) {
        (0, []) => format!("all {requests} succeeded; no threshold was set"),
        (0, _) => format!("{held}; all {requests} succeeded"),
        (_, []) => format!("{} of {requests} failed, which no threshold forbids", count(errors)),
        (_, [..]) if thresholds.iter().any(ThresholdResult::limits_failures) => {
            format!("{held}; {} of {requests} failed", count(errors))
        }
        (_, [..]) => format!("{held}; {} of {requests} failed, which none of them forbids", count(errors)),
    };
    Verdict { outcome: VerdictOutcome::Passed, exit: ExitCode::Passed, reason }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::judge::fixtures::{Run, plan};
    use crate::judge::{Outcome, PluginFault, RetiredPlugin, Stretch, TransportFault};
    use crate::judge::{judge_thresholds, judge_validity};
    use crate::plan::Threshold;

    fn verdict(run: Run) -> Verdict {
        verdict_under(&[], run)
    }

    /// The verdict where these thresholds were set.
    fn verdict_under(thresholds: &[&str], run: Run) -> Verdict {
        let plan = plan();
        let observation = run.finish();
        let thresholds: Vec<Threshold> = thresholds.iter().map(|text| text.parse().unwrap()).collect();
        let thresholds = judge_thresholds(&thresholds, &Stretch::whole(&observation), &observation.windows);
        Verdict::new(&observation, &judge_validity(&plan, &observation), &thresholds)
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
    fn thresholds_that_hold_are_counted_and_errors_that_they_allow_are_named() {
        let errors = || sound().calls("search", 4, 10, Outcome::ToolError);
        for (thresholds, run, reason) in [
            (&["p99<1s"][..], sound(), "1 of 1 threshold held; all 500 calls succeeded"),
            (&["p99<1s", "errors<1%"], errors(), "2 of 2 thresholds held; 4 of 504 calls failed"),
            (
                &["p99<1s"],
                errors(),
                "1 of 1 threshold held; 4 of 504 calls failed, which none of them forbids",
            ),
        ] {
            let verdict = verdict_under(thresholds, run);
            assert_eq!((code(&verdict), verdict.reason.as_str()), (0, reason));
        }
    }

    #[test]
    fn a_threshold_that_fails_fails_the_run_and_the_worst_is_named() {
        let run = || sound().calls("search", 20, 10, Outcome::ToolError);
        let one = verdict_under(&["p99<1s", "errors<1%"], run());
        assert_eq!((code(&one), one.outcome), (99, VerdictOutcome::Failed));
        assert_eq!(one.reason, "1 of 2 thresholds failed: errors rate < 1%, observed 3.8 %");
        let more = verdict_under(&["p99<1s", "errors<3%", "errors<1%", "errors{tool=fetch}<9"], run());
        assert_eq!(more.reason, "3 of 4 thresholds failed, the worst: errors rate < 1%, observed 3.8 %");
        let silent = verdict_under(&["errors{tool=fetch} count == 0"], run());
        assert_eq!(silent.reason, "1 of 1 threshold failed: errors{tool=fetch} count == 0, no samples");
    }

    #[test]
    fn a_run_that_a_threshold_ended_fails_and_says_when_even_where_it_holds_in_the_end() {
        let stop = || StopReason::ThresholdFailed {
            text: "p(99) < 5ms abort".to_owned(),
            finding: "observed 16.1 ms from 0 s to 4 s".to_owned(),
        };
        let run = || sound().lasting(Duration::from_millis(4_250)).stopped(stop());
        let early =
            "; ended early after 4.2 s because of p(99) < 5ms abort: observed 16.1 ms from 0 s to 4 s";
        let failed = verdict_under(&["p(99) < 5ms abort"], run());
        assert_eq!((code(&failed), failed.outcome), (99, VerdictOutcome::Failed));
        assert!(
            failed.reason.starts_with("1 of 1 threshold failed: response_time p(99) < 5ms abort, observed")
        );
        assert!(failed.reason.ends_with(early), "{}", failed.reason);
        let held = verdict_under(&["p(99) < 1s abort"], run());
        assert_eq!(held.reason, format!("p(99) < 5ms abort did not hold while the run lasted{early}"));
        assert_eq!((code(&held), code(&verdict_under(&[], run().busy(&[0.97, 0.81])))), (99, 91));
    }

    #[test]
    fn a_measurement_that_cannot_be_trusted_beats_a_threshold_that_fails() {
        assert_eq!(code(&verdict_under(&["p99<1us"], sound().busy(&[0.97, 0.81]))), 91);
        assert_eq!(code(&verdict_under(&["p99<1us"], Run::new().calls("search", 99, 10, Outcome::Ok))), 91);
        assert_eq!(code(&verdict_under(&["p99<1us"], sound().stopped(StopReason::Interrupted))), 130);
        let stop = StopReason::TargetLost { message: "connection refused".to_owned() };
        assert_eq!(code(&verdict_under(&["p99<1us"], sound().stopped(stop))), 4);
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

    fn shopper(iterations: u64, failed: u64) -> PluginMetrics {
        let mut metrics = PluginMetrics { iterations, failed_iterations: failed, ..PluginMetrics::default() };
        for iteration in 0..failed {
            let message = if iteration == 0 { "z: out of stock" } else { "a: later" };
            metrics.record_failure(PluginFault::Error, message, Vec::new(), 1, iteration);
        }
        metrics
    }

    fn sound() -> Run {
        Run::new().calls("search", 500, 10, Outcome::Ok)
    }

    #[test]
    fn iterations_that_a_plugin_failed_are_named_where_the_run_passes_with_its_first_message() {
        let verdict = verdict(sound().plugin("shopper", shopper(497, 3)));
        assert!(verdict.passed());
        assert_eq!(
            verdict.reason,
            "all 500 calls succeeded; no threshold was set; plugin shopper failed 3 of 500 iterations: z: out of stock"
        );
    }

    #[test]
    fn a_plugin_that_stops_the_run_ends_it_in_order_and_is_heard() {
        let stop = || StopReason::PluginStopped { plugin: "shopper".into(), reason: "sold out".into() };
        let passed = verdict(sound().plugin("shopper", shopper(500, 0)).stopped(stop()));
        assert_eq!((code(&passed), passed.outcome), (0, VerdictOutcome::Passed));
        assert!(passed.reason.ends_with("; plugin shopper stopped the run: sold out"), "{}", passed.reason);
        let short = Run::new().calls("search", 9, 10, Outcome::Ok).stopped(stop());
        let short = verdict(short.plugin("shopper", shopper(9, 0)));
        assert_eq!(code(&short), 91);
        assert!(short.reason.ends_with("stopped the run: sold out"), "{}", short.reason);
    }

    #[test]
    fn plugins_that_fail_the_run_end_it_with_code_five() {
        let given_up = |scenario: &str| RetiredPlugin {
            scenario: scenario.to_owned(),
            message: "trapped 100 times in a row".to_owned(),
        };
        let all = StopReason::PluginsFailed { message: "setup failed: no catalog".to_owned() };
        let table = [
            (Run::new().stopped(all), "plugins failed and no scenario could go on: setup failed: no catalog"),
            (
                sound().plugin("shopper", shopper(3, 0)).retired(vec![given_up("shopper")]),
                "plugin shopper was given up during the run: trapped 100 times in a row",
            ),
            (
                sound().retired(vec![given_up("shopper"), given_up("buyer")]),
                "plugin shopper was given up during the run, and one more plugin: trapped 100 times in a row",
            ),
            (
                Run::new().handshakes(20, 5, Outcome::Ok).plugin("shopper", shopper(0, 7)),
                "plugin shopper failed in all of its 7 iterations: z: out of stock",
            ),
            (
                sound().plugin("shopper", shopper(0, 1)),
                "plugin shopper failed in its only iteration: z: out of stock",
            ),
        ];
        for (run, reason) in table {
            let verdict = verdict(run);
            assert_eq!((code(&verdict), verdict.outcome), (5, VerdictOutcome::Failed));
            assert_eq!(verdict.reason, reason);
        }
    }

    #[test]
    fn an_interruption_is_heard_before_the_plugins() {
        let run = sound().plugin("shopper", shopper(0, 7)).stopped(StopReason::Interrupted);
        assert_eq!(code(&verdict(run)), 130);
    }

    #[test]
    fn an_interrupted_run_says_how_far_it_came() {
        let run = Run::new().calls("search", 500, 10, Outcome::Ok).stopped(StopReason::Interrupted);
        let verdict = verdict(run.lasting(Duration::from_millis(12_300)));
        assert_eq!((code(&verdict), verdict.outcome), (130, VerdictOutcome::Inconclusive));
        assert!(verdict.reason.starts_with("interrupted after 12.3 s"), "{}", verdict.reason);
    }
}
