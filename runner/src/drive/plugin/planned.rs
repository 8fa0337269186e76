//! A plan on its way: which of its steps come next, and what follows them.

use super::bindings::{self, Step, StepOptions};
use super::failure::Failure;
use super::host::shortened;
use super::outcome::wants_answer;
use crate::drive::script::steps::ReadyStep;
use crate::judge::PluginFault;

/// A plan, on its way.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(super) iteration: u64,
    steps: std::vec::IntoIter<Step>,
    position: usize,
    failed: bool,
    keep_going: bool,
    /// What follows the steps.
    pub(crate) then: Flow,
}

/// What follows the steps of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flow {
    /// The iteration is complete.
    Done,
    /// The iteration goes on with another plan.
    More,
    /// The virtual user ends, for this reason.
    StopVu(String),
    /// The run ends, for this reason.
    StopRun(String),
}

/// What is next in a plan.
#[derive(Debug)]
pub(super) struct NextStep {
    /// Its place in the plan.
    pub(super) position: usize,
    pub(super) step: Step,
    /// Whether one before it failed, and it is not done.
    pub(super) skipped: bool,
}

/// A step of a plan, and how its outcome gets back to the guest.
#[derive(Debug)]
pub(crate) struct PlannedStep {
    pub(crate) step: ReadyStep,
    pub(super) options: Option<StepOptions>,
    pub(super) position: usize,
    pub(super) watched: bool,
}

impl PlannedStep {
    /// Whether the answer has to be kept.
    pub(crate) fn wants_answer(&self) -> bool {
        self.watched || self.options.as_ref().is_some_and(wants_answer)
    }
}

impl Planned {
    pub(super) fn new(iteration: u64, steps: Vec<Step>, then: bindings::Flow, keep_going: bool) -> Self {
        let then = match then {
            bindings::Flow::Done => Flow::Done,
            bindings::Flow::More => Flow::More,
            bindings::Flow::StopVu(reason) => Flow::StopVu(shortened(&reason)),
            bindings::Flow::StopRun(reason) => Flow::StopRun(shortened(&reason)),
        };
        Self { iteration, steps: steps.into_iter(), position: 0, failed: false, keep_going, then }
    }

    /// What is next, if there is anything left.
    pub(super) fn next(&mut self) -> Option<NextStep> {
        let step = self.steps.next()?;
        let position = self.position;
        self.position += 1;
        Some(NextStep { position, step, skipped: self.failed && !self.keep_going })
    }

    /// A step of it failed.
    pub(super) fn fail(&mut self) {
        self.failed = true;
    }

    /// How many steps it has left.
    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether what is left asks nothing of the server.
    pub(crate) fn rests(&self) -> bool {
        use bindings::Action::{EndSession, Think};
        self.steps.as_slice().iter().all(|step| matches!(step.action, Think(_) | EndSession))
    }

    /// What is left of an iteration's steps after this plan's. A plan without steps counts as one.
    ///
    /// # Errors
    /// Where they are too many.
    pub(crate) fn spend(&self, steps: StepsLeft) -> Result<StepsLeft, Failure> {
        let StepsLeft { left, of } = steps;
        let spent = u32::try_from(self.len().max(1)).unwrap_or(u32::MAX);
        let left = left.checked_sub(spent).ok_or_else(|| {
            let what = format!(
                "an iteration of more than {of} steps (`max_steps`); a plan without steps counts as one"
            );
            Failure::new(PluginFault::Contract, what)
        })?;
        Ok(StepsLeft { left, of })
    }
}

/// How many more steps an iteration may have, and how many it may have in all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepsLeft {
    left: u32,
    of: u32,
}

impl StepsLeft {
    pub(super) fn all(of: u32) -> Self {
        Self { left: of, of }
    }
}
