//! What an answer comes to for whoever reads exit codes. In: an [`Answer`]. Out: a [`Verdict`].

use super::answer::{Answer, AtLeast, Finding};
use crate::error::ExitCode;
use crate::judge::{Verdict, VerdictOutcome};

impl Answer {
    /// Passed where a load is known that the server carries and where that ends; failed where the server is at fault; inconclusive
    /// where the search could not tell.
    pub fn verdict(&self) -> Verdict {
        let known = self.lo.is_some() && self.hi.is_some();
        let (outcome, exit) = match &self.finding {
            Finding::Between | Finding::AtLeast { because: AtLeast::Ceiling } | Finding::RateLimit { .. } => {
                (VerdictOutcome::Passed, ExitCode::Passed)
            }
            Finding::Deadline if known => (VerdictOutcome::Passed, ExitCode::Passed),
            Finding::Metastable { .. } | Finding::Degrading { .. } | Finding::BelowFloor { .. } => {
                (VerdictOutcome::Failed, ExitCode::Failed)
            }
            Finding::AtLeast { because: AtLeast::Generator { .. } }
            | Finding::TooFewCalls { .. }
            | Finding::Deadline
            | Finding::Unmeasurable { .. } => (VerdictOutcome::Inconclusive, ExitCode::Inconclusive),
            Finding::Interrupted => (VerdictOutcome::Inconclusive, ExitCode::Interrupted),
        };
        Verdict { outcome, exit, reason: self.headline() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::capacity::fixtures::{answer, bound};

    #[test]
    fn a_finding_ends_with_the_code_of_whoever_is_at_fault() {
        let why = String::new;
        for (finding, code) in [
            (Finding::Between, 0),
            (Finding::AtLeast { because: AtLeast::Ceiling }, 0),
            (Finding::RateLimit { ok_per_s: 80.0 }, 0),
            (Finding::AtLeast { because: AtLeast::Generator { why: why() } }, 91),
            (Finding::TooFewCalls { load: 1.0 }, 91),
            (Finding::Unmeasurable { why: why() }, 91),
            (Finding::BelowFloor { load: 1.0 }, 99),
            (Finding::Degrading { passed_load: 2.0, failed_load: 1.0 }, 99),
            (Finding::Metastable { after_load: 2.0, before_us: 1, after_us: None }, 99),
            (Finding::Interrupted, 130),
        ] {
            assert_eq!(answer(finding.clone()).verdict().exit.code(), code, "{finding:?}");
        }
    }

    #[test]
    fn a_deadline_is_an_answer_only_between_two_bounds() {
        let both = answer(Finding::Deadline);
        assert_eq!(both.verdict().exit, ExitCode::Passed);
        for open in [Answer { hi: None, ..both.clone() }, Answer { lo: None, ..both.clone() }] {
            assert_eq!(open.verdict().exit, ExitCode::Inconclusive);
        }
        assert!(bound(1.0, true).confirmed, "and whether it is confirmed is said in its sentence");
    }
}
