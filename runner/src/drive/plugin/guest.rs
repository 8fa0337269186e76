//! One virtual user's side of a plugin: asks for plans, keeps those made ahead, hands over what came of them.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use pmcp_loadtest_arguments::Draws;
use wasmtime::component::ResourceAny;

use super::bindings::{Iteration, Outcome, Plan, Status, Turn};
use super::failure::Failure;
use super::guests::{Guests, SharedInstance};
use super::outcome::{outcome, unsent};
use super::planned::{Flow, NextStep, Planned, PlannedStep, StepsLeft};
use super::step::Checked;
use super::watch::{self, EventKind};
use crate::drive::link::{Link, Measured};
use crate::judge::{LogLevel, Moment, PluginFault, PluginMetrics};

/// Failures that end an instance in a row, without a plan between them, after which the plugin is given up.
const PATIENCE: u32 = 3;

/// A virtual user's side of a plugin.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(super) guests: Rc<Guests>,
    pub(super) vu: u64,
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
        StepsLeft::all(self.guests.plugin.limits.steps)
    }

    /// Whether the times that the plugin thinks are passed over.
    pub(crate) fn skips_pauses(&self) -> bool {
        self.guests.skips_pauses()
    }

    /// How many iterations may be planned in one call.
    pub(crate) fn plans_ahead(&self) -> usize {
        self.guests.plugin.loaded.account.plans_ahead as usize
    }

    /// The plan of an iteration, if it was made ahead.
    pub(crate) fn planned_ahead(&mut self, number: u64) -> Option<Planned> {
        while let Some((iteration, plan)) = self.ahead.pop_front() {
            if iteration.number == number {
                return Some(self.take_up(number, 0, plan, None));
            }
        }
        None
    }

    /// Asks for the plan of the first of `iterations`, and for those of the others, which come later. `round` counts the plans that
    /// the first one has had. The guest is told what came of its plan before.
    pub(crate) fn plan(&mut self, iterations: Vec<Iteration>, round: u32) -> Result<Planned, Failure> {
        let number = iterations.first().map_or(0, |iteration| iteration.number);
        if self.open.as_ref().is_some_and(|open| open.instance.borrow().is_broken()) {
            // Somebody who shares the instance broke it.
            self.leave();
            if round > 0 {
                let what = "its instance was lost to another virtual user's failure (`instances = \"per-vu\"` keeps them apart)";
                return Err(Failure::new(PluginFault::Trap, what));
            }
        }
        let asked = self.ask(iterations, round);
        self.guests.learn_from(&asked);
        match asked {
            Ok((plan, time)) => {
                self.failures = 0;
                Ok(self.take_up(number, round, plan, Some(time)))
            }
            Err(failure) => {
                if failure.is_fatal() {
                    self.leave();
                    self.failures += 1;
                }
                if self.failures >= PATIENCE {
                    self.guests.plugin.give_up(&failure.message);
                }
                Err(failure)
            }
        }
    }

    /// A plan, and how long it took.
    fn ask(&mut self, iterations: Vec<Iteration>, round: u32) -> Result<(Plan, Duration), Failure> {
        self.ahead.clear();
        let number = iterations.first().map_or(0, |iteration| iteration.number);
        let (instance, scenario) = if let Some(open) = &self.open {
            (Rc::clone(&open.instance), open.scenario)
        } else {
            let (entered, _) = self.guests.timed(PluginMetrics::record_start, || self.enter(number));
            let Open { instance, scenario } = entered?;
            self.open = Some(Open { instance: Rc::clone(&instance), scenario });
            (instance, scenario)
        };
        if round == 0 {
            self.random = Draws::new(iterations.first().map_or(0, |iteration| iteration.seed), 0, 0);
        }
        let turn = Turn { iterations, round, outcomes: std::mem::take(&mut self.outcomes) };
        let mut instance = instance.borrow_mut();
        let call = || instance.next(scenario, &turn, &mut self.random);
        let (plans, (began, end)) = self.guests.timed(PluginMetrics::record_call, call);
        self.free = end;
        self.guests.collect_log(&mut instance, self.vu, number);
        let plans = plans?;
        if plans.len() > turn.iterations.len() {
            let (given, asked) = (plans.len(), turn.iterations.len());
            return Err(contract(format!("next gave {given} plans for {asked} iterations")));
        }
        let mut plans = turn.iterations.into_iter().zip(plans);
        let Some((_, plan)) = plans.next() else { return Err(contract("next gave no plan")) };
        self.ahead.extend(plans);
        Ok((plan, end.since(began)))
    }

    /// Takes a place in an instance.
    fn enter(&self, iteration: u64) -> Result<Open, Failure> {
        let instance = self.guests.instance()?;
        let scenario = {
            let mut borrowed = instance.borrow_mut();
            let scenario = borrowed.open(self.guests.plugin.vu_context(self.vu));
            self.guests.collect_log(&mut borrowed, self.vu, iteration);
            scenario?
        };
        Ok(Open { instance, scenario })
    }

    /// Lets go of an instance that is beyond use: whoever comes next knows nothing of what was.
    fn leave(&mut self) {
        self.open = None;
        self.outcomes.clear();
        self.ahead.clear();
    }

    /// Counts what a plan found, and makes it ready to be followed. `time` is what it took to make, if it was made just now.
    fn take_up(&mut self, iteration: u64, round: u32, plan: Plan, time: Option<Duration>) -> Planned {
        let Plan { steps, then, keep_going, findings } = plan;
        if let Some(findings) = findings {
            self.count(iteration, &findings);
        }
        let planned = Planned::new(iteration, steps, then, keep_going);
        self.watch(iteration, || EventKind::Planned {
            round,
            steps: planned.len(),
            then: match &planned.then {
                Flow::Done => "done".to_owned(),
                Flow::More => "more".to_owned(),
                Flow::StopVu(reason) => format!("stop-vu: {reason}"),
                Flow::StopRun(reason) => format!("stop-run: {reason}"),
            },
            ahead: time.is_none(),
            time: time.unwrap_or_default(),
        });
        planned
    }

    /// The next step of a plan that is to be done. A wrong one is a failure of the plugin's and is told to it.
    pub(crate) fn next_step(&mut self, planned: &mut Planned, timeout: Duration) -> Option<PlannedStep> {
        loop {
            let NextStep { position, step, skipped } = planned.next()?;
            if skipped {
                let reason = "an earlier step of the plan failed";
                self.watch(planned.iteration, || EventKind::Unsent { position, reason: reason.to_owned() });
                self.tell(|| unsent(position, Status::Skipped));
                continue;
            }
            self.watch(planned.iteration, || watch::shown(position, &step));
            match self.guests.check(step, timeout) {
                Ok(Checked { step, options }) => {
                    let watched = self.guests.watcher.is_some();
                    return Some(PlannedStep { step, options, position, watched });
                }
                Err(reason) => {
                    planned.fail();
                    self.watch(planned.iteration, || EventKind::Unsent { position, reason: reason.clone() });
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
        step: PlannedStep,
        measured: &Measured,
        link: &Link,
    ) {
        if !measured.outcome.is_ok() {
            planned.fail();
        }
        self.watch(planned.iteration, || EventKind::Answered {
            position: step.position,
            outcome: measured.outcome,
            detail: link.detail().to_owned(),
            time: measured.clocks.answered().since(measured.clocks.due),
            bytes: measured.bytes_received,
            answer: String::from_utf8_lossy(link.answer()).into_owned(),
        });
        let limit = self.guests.plugin.limits.result_bytes;
        self.tell(|| outcome(step.position, measured, link, step.options.as_ref(), limit));
        self.guests.recycle(step.step);
    }

    fn tell(&mut self, outcome: impl FnOnce() -> Outcome) {
        if self.guests.plugin.loaded.account.wants_outcomes {
            self.outcomes.push(outcome());
        }
    }

    /// Tells whoever watches.
    pub(super) fn watch(&self, iteration: u64, event: impl FnOnce() -> EventKind) {
        if let Some(watcher) = &self.guests.watcher {
            watcher.tell(self.vu, iteration, event());
        }
    }

    /// Forgets what came of the last plan: its iteration came to nothing.
    pub(crate) fn forget(&mut self) {
        self.outcomes.clear();
        self.ahead.clear();
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

    /// The virtual user ends: hands over what came of its last plan, and gives its side back.
    pub(crate) fn end(&mut self) {
        let Some(Open { instance, scenario }) = self.open.take() else { return };
        let mut instance = instance.borrow_mut();
        if instance.is_broken() || self.guests.has_given_up() {
            return;
        }
        let outcomes = std::mem::take(&mut self.outcomes);
        let wants_finish = self.guests.plugin.loaded.account.wants_finish;
        let (ended, _) = self.guests.timed(PluginMetrics::record_call, || {
            let findings = if wants_finish { instance.finish(scenario, &outcomes)? } else { None };
            instance.close(scenario).map(|()| findings)
        });
        self.guests.collect_log(&mut instance, self.vu, 0);
        drop(instance);
        // Everybody ends at the same time, and each would keep the worker for as long as a call may last.
        self.guests.learn_from(&ended);
        match ended {
            Ok(findings) => findings.iter().for_each(|findings| self.count(0, findings)),
            Err(failure) => self.count_failure(failure, 0),
        }
    }
}

/// A failure to keep to the rules of the interface.
pub(super) fn contract(message: impl Into<String>) -> Failure {
    Failure::new(PluginFault::Contract, message)
}
