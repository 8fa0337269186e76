//! One virtual user's side of a plugin: asks for plans, keeps those made ahead, hands over what came of them.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use wasmtime::component::ResourceAny;

use super::bindings::{self, Findings, Iteration, Outcome, Plan, Status, Turn};
use super::failure::Failure;
use super::guests::{Guests, SharedInstance};
use super::host::shortened;
use super::outcome::{outcome, unsent, wants_answer};
use super::step::Checked;
use crate::drive::link::{Link, Measured};
use crate::drive::script::steps::ReadyStep;
use crate::judge::{LogLevel, Moment, PluginFault, PluginMetrics};
use pmcp_loadtest_arguments::Draws;

/// Failures that end an instance in a row, without a plan between them, after which the plugin is given up.
const PATIENCE: u32 = 3;
/// Longest name of a check, characters.
const LONGEST_NAME: usize = 200;

/// A virtual user's side of a plugin.
#[derive(Debug)]
pub(crate) struct Guest {
    guests: Rc<Guests>,
    vu: u64,
    open: Option<Open>,
    /// Plans of iterations to come.
    ahead: VecDeque<(Iteration, Plan)>,
    /// Outcomes of the plan that was run last, in the order of its steps.
    outcomes: Vec<Outcome>,
    /// The stream behind the host's random numbers.
    random: Draws,
    /// Failures in a row that ended the instance.
    failures: u32,
    /// When its last call was over.
    pub(crate) free: Moment,
}

/// An instance, and the side of the virtual user in it.
#[derive(Debug)]
struct Open {
    instance: SharedInstance,
    scenario: ResourceAny,
}

/// How many more steps an iteration may have, and how many it may have in all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepsLeft {
    left: u32,
    of: u32,
}

/// A plan, on its way.
#[derive(Debug)]
pub(crate) struct Planned {
    iteration: u64,
    steps: std::vec::IntoIter<bindings::Step>,
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

/// A step of a plan, and how its outcome gets back to the guest.
#[derive(Debug)]
pub(crate) struct PlannedStep {
    pub(crate) step: ReadyStep,
    options: Option<bindings::StepOptions>,
    position: usize,
}

impl PlannedStep {
    /// Whether the answer has to be kept.
    pub(crate) fn wants_answer(&self) -> bool {
        self.options.as_ref().is_some_and(wants_answer)
    }
}

impl Planned {
    /// What is left of an iteration's steps after this plan's. A plan without steps counts as one.
    ///
    /// # Errors
    /// Where they are too many.
    pub(crate) fn spend(&self, steps: StepsLeft) -> Result<StepsLeft, Failure> {
        let StepsLeft { left, of } = steps;
        let spent = u32::try_from(self.steps.len().max(1)).unwrap_or(u32::MAX);
        let left = left.checked_sub(spent).ok_or_else(|| {
            contract(format!(
                "an iteration of more than {of} steps (`max_steps`); a plan without steps counts as one"
            ))
        })?;
        Ok(StepsLeft { left, of })
    }

    /// Whether what is left asks nothing of the server.
    pub(crate) fn rests(&self) -> bool {
        use bindings::Action::{EndSession, Think};
        self.steps.as_slice().iter().all(|step| matches!(step.action, Think(_) | EndSession))
    }
}

impl Guest {
    pub(crate) fn new(guests: Rc<Guests>, vu: u64) -> Self {
        Self {
            guests,
            vu,
            open: None,
            ahead: VecDeque::new(),
            outcomes: Vec::new(),
            random: Draws::new(0, 0, 0),
            failures: 0,
            free: Moment::ORIGIN,
        }
    }

    /// Most steps of an iteration.
    pub(crate) fn most_steps(&self) -> StepsLeft {
        StepsLeft { left: self.guests.plugin.limits.steps, of: self.guests.plugin.limits.steps }
    }

    /// How many iterations may be planned in one call.
    pub(crate) fn plans_ahead(&self) -> usize {
        self.guests.plugin.loaded.account.plans_ahead as usize
    }

    /// The plan of an iteration, if it was made ahead.
    pub(crate) fn planned_ahead(&mut self, number: u64) -> Option<Planned> {
        while let Some((iteration, plan)) = self.ahead.pop_front() {
            if iteration.number == number {
                return Some(self.take_up(iteration.number, plan));
            }
        }
        None
    }

    /// Asks for the plan of the first of `iterations`, and for those of the others, which come later. `round` counts the plans that
    /// the first one has had. The guest is told what came of its plan before.
    pub(crate) fn plan(&mut self, iterations: Vec<Iteration>, round: u32) -> Result<Planned, Failure> {
        let number = iterations.first().map_or(0, |iteration| iteration.number);
        let asked = self.ask(iterations, round);
        self.guests.learn_from(&asked);
        match asked {
            Ok(plan) => {
                self.failures = 0;
                Ok(self.take_up(number, plan))
            }
            Err(failure) => {
                if failure.is_fatal() {
                    self.open = None;
                    self.failures += 1;
                }
                if self.failures >= PATIENCE {
                    self.guests.plugin.give_up(&failure.message);
                }
                Err(failure)
            }
        }
    }

    fn ask(&mut self, iterations: Vec<Iteration>, round: u32) -> Result<Plan, Failure> {
        self.ahead.clear();
        if self.open.as_ref().is_some_and(|open| open.instance.borrow().is_broken()) {
            // Somebody who shares the instance broke it.
            self.open = None;
        }
        let (instance, scenario) = match &self.open {
            Some(open) => (Rc::clone(&open.instance), open.scenario),
            None => {
                let (entered, _) = self.guests.timed(PluginMetrics::record_start, || self.enter());
                let Open { instance, scenario } = entered?;
                self.open = Some(Open { instance: Rc::clone(&instance), scenario });
                (instance, scenario)
            }
        };
        if round == 0 {
            self.random = Draws::new(iterations.first().map_or(0, |iteration| iteration.seed), 0, 0);
        }
        let turn = Turn { iterations, round, outcomes: std::mem::take(&mut self.outcomes) };
        let mut instance = instance.borrow_mut();
        let (plans, end) = self
            .guests
            .timed(PluginMetrics::record_call, || instance.next(scenario, &turn, &mut self.random));
        self.free = end;
        self.guests.collect_log(&mut instance);
        let plans = plans?;
        if plans.len() > turn.iterations.len() {
            let (given, asked) = (plans.len(), turn.iterations.len());
            return Err(contract(format!("next gave {given} plans for {asked} iterations")));
        }
        let mut plans = turn.iterations.into_iter().zip(plans);
        let Some((_, plan)) = plans.next() else { return Err(contract("next gave no plan")) };
        self.ahead.extend(plans);
        Ok(plan)
    }

    fn enter(&self) -> Result<Open, Failure> {
        let instance = self.guests.instance()?;
        let scenario = {
            let mut borrowed = instance.borrow_mut();
            let scenario = borrowed.open(self.guests.plugin.vu_context(self.vu));
            self.guests.collect_log(&mut borrowed);
            scenario?
        };
        Ok(Open { instance, scenario })
    }

    /// Counts what a plan found, and makes it ready to be followed.
    fn take_up(&mut self, iteration: u64, plan: Plan) -> Planned {
        let Plan { steps, then, keep_going, findings } = plan;
        if let Some(findings) = findings {
            self.count(iteration, &findings);
        }
        let then = match then {
            bindings::Flow::Done => Flow::Done,
            bindings::Flow::More => Flow::More,
            bindings::Flow::StopVu(reason) => Flow::StopVu(shortened(&reason)),
            bindings::Flow::StopRun(reason) => Flow::StopRun(shortened(&reason)),
        };
        Planned { iteration, steps: steps.into_iter(), position: 0, failed: false, keep_going, then }
    }

    /// The next step of a plan that is to be done. A wrong one is a failure of the plugin's and is told to it.
    pub(crate) fn next_step(&mut self, planned: &mut Planned, timeout: Duration) -> Option<PlannedStep> {
        loop {
            let step = planned.steps.next()?;
            let position = planned.position;
            planned.position += 1;
            if planned.failed && !planned.keep_going {
                self.tell(|| unsent(position, Status::Skipped));
                continue;
            }
            match self.guests.check(step, timeout) {
                Ok(Checked { step, options }) => return Some(PlannedStep { step, options, position }),
                Err(reason) => {
                    planned.failed = true;
                    let failure = Failure::new(PluginFault::InvalidStep, reason.as_str());
                    self.count_failure(failure, planned.iteration);
                    self.tell(|| unsent(position, Status::Invalid(reason)));
                }
            }
        }
    }

    /// Tells what came of a step's call.
    pub(crate) fn learn(
        &mut self,
        planned: &mut Planned,
        step: &PlannedStep,
        measured: &Measured,
        link: &Link,
    ) {
        planned.failed |= !measured.outcome.is_ok();
        let limit = self.guests.plugin.limits.result_bytes;
        self.tell(|| outcome(step.position, measured, link, step.options.as_ref(), limit));
    }

    fn tell(&mut self, outcome: impl FnOnce() -> Outcome) {
        if self.guests.plugin.loaded.account.wants_outcomes {
            self.outcomes.push(outcome());
        }
    }

    /// Forgets what came of the last plan: its iteration came to nothing, or the guest starts anew.
    pub(crate) fn forget(&mut self) {
        self.outcomes.clear();
        self.ahead.clear();
    }

    /// Counts an iteration that came to an end.
    pub(crate) fn count_iteration(&self, completed: bool, failed: bool) {
        self.guests.record(|metrics| {
            metrics.iterations += u64::from(completed);
            metrics.failed_iterations += u64::from(failed);
        });
    }

    /// Says something in the plugin's log.
    pub(crate) fn note(&self, text: &str) {
        let limit = self.guests.plugin.limits.log_lines as usize;
        self.guests.record(|metrics| metrics.log(LogLevel::Info, text, limit));
    }

    /// The run is to end.
    pub(crate) fn ask_to_stop(&self, reason: &str) {
        self.guests.plugin.ask_to_stop(reason);
    }

    /// Counts a failure of the plugin.
    pub(crate) fn count_failure(&self, failure: Failure, iteration: u64) {
        let Failure { fault, message, backtrace } = failure;
        self.guests.record(|metrics| metrics.record_failure(fault, &message, backtrace, self.vu, iteration));
    }

    fn count(&self, iteration: u64, findings: &Findings) {
        let mut mistakes: Vec<String> = Vec::new();
        self.guests.record(|metrics| {
            for check in &findings.checks {
                let fits = !check.name.is_empty() && check.name.len() <= LONGEST_NAME;
                if !fits || !metrics.record_check(&check.name, check.ok, check.message.as_deref()) {
                    mistakes.push(MISTAKE_IN_CHECK.to_owned());
                }
            }
            for sample in &findings.samples {
                mistakes.extend(self.count_sample(metrics, sample));
            }
        });
        for mistake in mistakes {
            self.count_failure(contract(mistake), iteration);
        }
    }

    /// Counts a value of a custom metric, or says why it cannot be counted.
    fn count_sample(&self, metrics: &mut PluginMetrics, sample: &bindings::Sample) -> Option<String> {
        let declared = &self.guests.plugin.facts.metrics;
        let Some(index) = declared.iter().position(|metric| metric.name == sample.metric) else {
            return Some(format!(
                "the metric `{}` is not declared in the manifest",
                shortened(&sample.metric)
            ));
        };
        let counted = metrics.record_value(index, declared[index].kind, sample.value);
        (!counted).then(|| format!("{} is no value for the metric `{}`", sample.value, sample.metric))
    }

    /// The virtual user ends: hands over what came of its last plan, and gives its side back.
    pub(crate) fn end(&mut self) {
        let Some(Open { instance, scenario }) = self.open.take() else { return };
        let mut instance = instance.borrow_mut();
        if instance.is_broken() {
            return;
        }
        let outcomes = std::mem::take(&mut self.outcomes);
        let wants_finish = self.guests.plugin.loaded.account.wants_finish;
        let (ended, _) = self.guests.timed(PluginMetrics::record_call, || {
            let findings = if wants_finish { instance.finish(scenario, &outcomes)? } else { None };
            instance.close(scenario).map(|()| findings)
        });
        self.guests.collect_log(&mut instance);
        drop(instance);
        match ended {
            Ok(findings) => findings.iter().for_each(|findings| self.count(0, findings)),
            Err(failure) => self.count_failure(failure, 0),
        }
    }
}

const MISTAKE_IN_CHECK: &str =
    "a check's name is one to 200 bytes long, and a plugin has at most 1,000 of them";

fn contract(message: impl Into<String>) -> Failure {
    Failure::new(PluginFault::Contract, message)
}
