//! What to do next: steps, and what follows them.

use crate::findings::{Findings, Verdict};
pub use crate::wire::Flow;
use crate::{Step, wire};

/// Steps to do one after the other, and what follows them.
///
/// A [`Step`], an array, a `Vec` or an iterator of steps becomes a plan with `.into()` or `.collect()`. The steps after one that
/// failed are skipped, unless [`keep_going`](Self::keep_going) says otherwise.
///
/// ```
/// use pmcp_loadtest_guest::{Plan, Step};
/// let search = Plan::from(Step::list(pmcp_loadtest_guest::ListKind::Tools)).then_more();
/// let farewell = Plan::new().step(Step::end_session()).then_stop_user("has seen everything");
/// # let _ = (search, farewell);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Plan {
    steps: Vec<Step>,
    then: Flow,
    keep_going: bool,
    findings: Findings,
}

impl Plan {
    /// No steps; the iteration is complete.
    pub fn new() -> Self {
        Self { steps: Vec::new(), then: Flow::Done, keep_going: false, findings: Findings::new() }
    }

    /// Adds a step.
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Adds a step, where steps are decided one by one.
    pub fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// The iteration goes on after these steps: [`Plugin::plan`](crate::Plugin::plan) is asked for another round, and sees the outcomes of
    /// this one.
    pub fn then_more(self) -> Self {
        Self { then: Flow::More, ..self }
    }

    /// The virtual user ends after these steps, for this reason.
    pub fn then_stop_user(self, reason: impl Into<String>) -> Self {
        Self { then: Flow::StopVu(reason.into()), ..self }
    }

    /// The whole run ends after these steps, for this reason.
    pub fn then_stop_run(self, reason: impl Into<String>) -> Self {
        Self { then: Flow::StopRun(reason.into()), ..self }
    }

    /// Runs the steps after one that failed, too.
    pub fn keep_going(self) -> Self {
        Self { keep_going: true, ..self }
    }

    /// Records a check, as [`Findings::check`].
    pub fn check(mut self, name: impl Into<String>, verdict: impl Verdict) -> Self {
        self.findings.check(name, verdict);
        self
    }

    /// Records a value of a custom metric, as [`Findings::sample`].
    pub fn sample(mut self, metric: impl Into<String>, value: f64) -> Self {
        self.findings.sample(metric, value);
        self
    }

    /// The steps, in their order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What follows the steps.
    pub fn then(&self) -> &Flow {
        &self.then
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn keeps_going(&self) -> bool {
        self.keep_going
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn from_wire(plan: wire::Plan) -> Self {
        Self {
            steps: plan.steps.into_iter().map(Step::from_wire).collect(),
            then: plan.then,
            keep_going: plan.keep_going,
            findings: plan.findings.map(Findings::from_wire).unwrap_or_default(),
        }
    }

    /// The plan as it crosses the boundary, with the findings that were made before it; they stay where it cannot cross.
    pub(crate) fn into_wire(self, learnt: &mut Findings) -> Result<wire::Plan, String> {
        let steps = self.steps.into_iter().map(Step::into_wire).collect::<Result<_, _>>()?;
        let mut findings = std::mem::take(learnt);
        findings.append(self.findings);
        Ok(wire::Plan { steps, then: self.then, keep_going: self.keep_going, findings: findings.into_wire() })
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Vec<Step>> for Plan {
    fn from(steps: Vec<Step>) -> Self {
        Self { steps, ..Self::new() }
    }
}

impl From<Step> for Plan {
    fn from(step: Step) -> Self {
        vec![step].into()
    }
}

impl<const COUNT: usize> From<[Step; COUNT]> for Plan {
    fn from(steps: [Step; COUNT]) -> Self {
        Vec::from(steps).into()
    }
}

impl FromIterator<Step> for Plan {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        steps.into_iter().collect::<Vec<_>>().into()
    }
}

impl Extend<Step> for Plan {
    fn extend<I: IntoIterator<Item = Step>>(&mut self, steps: I) {
        self.steps.extend(steps);
    }
}
