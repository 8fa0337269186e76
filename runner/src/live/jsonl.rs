//! Progress for machines: every line on stderr is one JSON object, its `type` first, its other keys always in the same order.

use serde::Serialize;

use crate::error::Error;
use crate::judge::capacity::{Answer, Bound, Finding, TrialResult};
use crate::judge::{Snapshot, Verdict, VerdictOutcome};
use crate::report::ReportVerdict;

/// One line of the stream.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line<'a> {
    /// How the run is going.
    Progress(&'a Snapshot),
    /// What a person would have been told.
    Notice {
        /// In words.
        message: &'a str,
    },
    /// A trial of a search for capacity was judged.
    Trial(&'a TrialResult),
    /// A search for capacity is over.
    Answer(AnswerLine<'a>),
    /// The last line.
    End(&'a Ending),
}

impl Line<'_> {
    /// The line, without its line feed.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("maps of names to plain values serialize")
    }
}

/// The answer of a search, without the trials, which had lines of their own.
#[derive(Debug, Serialize)]
pub(super) struct AnswerLine<'a> {
    headline: String,
    finding: &'a Finding,
    lo: Option<&'a Bound>,
    hi: Option<&'a Bound>,
}

impl<'a> From<&'a Answer> for AnswerLine<'a> {
    fn from(answer: &'a Answer) -> Self {
        let Answer { finding, lo, hi, .. } = answer;
        Self { headline: answer.headline(), finding, lo: lo.as_ref(), hi: hi.as_ref() }
    }
}

/// How it all ended, for the last line of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ending {
    /// What the run came to; `None` where there is nothing to judge.
    pub verdict: Option<VerdictOutcome>,
    /// What the process ends with.
    pub exit_code: u8,
    /// Why.
    pub reason: String,
}

impl From<&Verdict> for Ending {
    fn from(verdict: &Verdict) -> Self {
        Self {
            verdict: Some(verdict.outcome),
            exit_code: verdict.exit.code(),
            reason: verdict.reason.clone(),
        }
    }
}

impl From<&ReportVerdict> for Ending {
    fn from(verdict: &ReportVerdict) -> Self {
        let ReportVerdict { outcome, exit_code, reason } = verdict.clone();
        Self { verdict: Some(outcome), exit_code, reason }
    }
}

impl From<&Error> for Ending {
    fn from(error: &Error) -> Self {
        Self { verdict: None, exit_code: error.exit.code(), reason: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ExitCode;
    use crate::live::line::fixtures::under_way;

    #[test]
    fn progress_is_the_snapshot_with_its_type_in_front() {
        insta::assert_snapshot!(Line::Progress(&under_way()).text(), @r#"{"type":"progress","elapsed_s":21.25,"planned_duration_s":30.0,"iterations":25000,"planned_iterations":null,"active_vus":50,"iterations_due":0,"dropped":0,"requests":26231,"ok":26228,"errors":3,"errors_by_class":[{"class":"timeout","count":2},{"class":"rpc_error","count":1}],"recent_per_s":1234.333333,"recent_p50_us":3071,"recent_p99_us":12343}"#);
    }

    #[test]
    fn the_last_line_tells_the_verdict_and_the_exit_code() {
        let verdict = Verdict {
            outcome: VerdictOutcome::Failed,
            exit: ExitCode::Failed,
            reason: "none of 12 calls succeeded".to_owned(),
        };
        insta::assert_snapshot!(Line::End(&Ending::from(&verdict)).text(), @r#"{"type":"end","verdict":"failed","exit_code":99,"reason":"none of 12 calls succeeded"}"#);
    }

    #[test]
    fn without_a_run_there_is_no_verdict_and_a_reason_of_many_lines_is_still_one_line() {
        let error = Error::new(ExitCode::Unreachable, "cannot reach the target").at("http://127.0.0.1:1/mcp");
        insta::assert_snapshot!(Line::End(&Ending::from(&error)).text(), @r#"{"type":"end","verdict":null,"exit_code":4,"reason":"cannot reach the target\n  at: http://127.0.0.1:1/mcp"}"#);
    }

    #[test]
    fn a_search_has_a_line_for_every_trial_and_one_for_its_answer() {
        let answer = crate::judge::capacity::fixtures::answer(Finding::Between);
        let trial: serde_json::Value = serde_json::from_str(&Line::Trial(&answer.trials[0]).text()).unwrap();
        assert_eq!(
            (&trial["type"], &trial["load"], &trial["verdict"]),
            (&"trial".into(), &120.0.into(), &"passed".into())
        );
        let line: serde_json::Value =
            serde_json::from_str(&Line::Answer(AnswerLine::from(&answer)).text()).unwrap();
        assert_eq!((&line["type"], &line["finding"]["kind"]), (&"answer".into(), &"between".into()));
        assert_eq!((&line["lo"]["load"], &line["hi"]["load"]), (&120.0.into(), &126.0.into()));
        assert!(line.get("trials").is_none());
    }

    #[test]
    fn a_notice_is_escaped() {
        insta::assert_snapshot!(Line::Notice { message: "a \"quoted\"\nword" }.text(), @r#"{"type":"notice","message":"a \"quoted\"\nword"}"#);
    }
}
