//! Answers for tests of what is made of them.

use super::answer::{Answer, Bound, Broken, Finding};
use super::probe::Rest;
use super::question::{Precision, Variable};
use super::rungs::LoadVerdict;
use super::trial::{ObjectiveResult, Purpose, Remark, TrialResult, TrialVerdict};

/// A bound that its trials agree on; shown by trial 1 where it passed, by trial 2 where it failed.
pub(crate) fn bound(load: f64, passed: bool) -> Bound {
    Bound {
        load,
        verdict: if passed { LoadVerdict::Passed } else { LoadVerdict::Failed },
        confirmed: passed,
        passed: if passed { 3 } else { 0 },
        failed: if passed { 0 } else { 2 },
        witness: if passed { 1 } else { 2 },
    }
}

/// A trial with so many misses among 1,000 calls, of ten allowed.
pub(crate) fn trial(number: u32, load: f64, missed: u64, verdict: TrialVerdict) -> TrialResult {
    let ratio = missed as f64 / 1_000.0;
    TrialResult {
        number,
        load,
        purpose: Purpose::Bracket,
        held_s: 12.25,
        trimmed_s: 2.0,
        verdict,
        remarks: if verdict.failed() { vec![Remark::GrowingBacklog] } else { Vec::new() },
        invalid: (verdict == TrialVerdict::Invalid)
            .then(|| "the generator used 98 % of its cores".to_owned()),
        objectives: vec![ObjectiveResult {
            objective: "response_time p(99) < 500ms".to_owned(),
            calls: 1_000,
            missed,
            missed_ratio: ratio,
            bound_ratio: 0.01,
            design_effect: 1.2,
            lower_ratio: ratio * 0.8,
            upper_ratio: ratio * 1.2,
            verdict,
        }],
        due: 1_225,
        throttled: 0,
        ok_ratio: 1.0 - ratio,
        ok_per_s: load * (1.0 - ratio),
        backlog: missed,
        p50_us: Some(12_300),
        p99_us: Some(45_600 + missed * 1_000),
        first_event_p50_us: Some(11_900),
        worst_tool: (missed > 0).then(|| "search".to_owned()),
    }
}

/// An answer between 120 and 126 iterations per second, found in two trials.
pub(crate) fn answer(finding: Finding) -> Answer {
    Answer {
        finding,
        variable: Variable::Rate,
        precision: Precision::Usual,
        objectives: vec!["response_time p(99) < 500ms".to_owned()],
        lo: Some(bound(120.0, true)),
        hi: Some(bound(126.0, false)),
        broke_first: Some(Broken {
            objective: "response_time p(99) < 500ms".to_owned(),
            tool: Some("search".to_owned()),
        }),
        saturation_ok_per_s: 131.25,
        elapsed_s: 480.0,
        trials: vec![trial(1, 120.0, 2, TrialVerdict::Passed), trial(2, 126.0, 230, TrialVerdict::Failed)],
        rests: vec![Rest { seconds: 5.0, recovered: true, p50_us: Some(12_400) }],
    }
}
