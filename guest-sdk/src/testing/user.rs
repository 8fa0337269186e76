//! A virtual user of a rehearsal: plans are carried out, and their outcomes handed back, as a run does it.

use std::collections::VecDeque;
use std::fmt;

use pmcp_loadtest_arguments::Draws;
use serde_json::{Map, Value};

use super::imports::on_stage;
use super::rehearsal::Answers;
use super::{Answer, World};
use crate::action::Action;
use crate::host::Level;
use crate::player::Player;
use crate::wire::{self, Flow, Hooks};
use crate::{Error, Findings, Outcome, Plan, Plugin, Status, Step};

/// Rounds after which an iteration is taken to be endless.
const MOST_ROUNDS: u32 = 1000;

/// A virtual user of a [`Rehearsal`](super::Rehearsal).
pub struct User<P> {
    player: Player<P>,
    manifest: wire::Manifest,
    world: World,
    answers: Answers,
    /// The run's seed and this user's number.
    key: (u64, u32),
    /// The number of the next iteration.
    iteration: u64,
    /// Plans made ahead.
    ahead: VecDeque<wire::Plan>,
    /// Of the plan before, not yet handed over.
    outcomes: Vec<wire::Outcome>,
    findings: Findings,
    /// Why there are no more iterations.
    ended: Option<String>,
}

/// An iteration that was carried out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Rehearsed {
    /// Its plans, one for each round.
    pub plans: Vec<Plan>,
    /// The outcomes of all its steps, in their order.
    pub outcomes: Vec<Outcome>,
}

impl Rehearsed {
    /// The steps of all its plans, in their order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.plans.iter().flat_map(Plan::steps)
    }
}

impl<P: Plugin> User<P> {
    pub(super) fn new(
        player: Player<P>,
        manifest: wire::Manifest,
        world: World,
        answers: Answers,
        key: (u64, u32),
    ) -> Self {
        Self {
            player,
            manifest,
            world,
            answers,
            key,
            iteration: 0,
            ahead: VecDeque::new(),
            outcomes: Vec::new(),
            findings: Findings::new(),
            ended: None,
        }
    }

    /// Carries out one iteration with all its rounds. An error is the plugin's: its own, a step that is no JSON, a metric that is not
    /// declared, an iteration that does not end, or one after the plugin ended the virtual user.
    pub fn iterate(&mut self) -> Result<Rehearsed, Error> {
        if let Some(reason) = &self.ended {
            return Err(format!("the plugin ended the virtual user: {reason}").into());
        }
        let number = self.iteration;
        self.iteration += 1;
        let mut rehearsed = Rehearsed { plans: Vec::new(), outcomes: Vec::new() };
        for round in 0..MOST_ROUNDS {
            let mut plan = self.plan(number, round)?;
            self.take_findings(plan.findings.take())?;
            let plan = Plan::from_wire(plan);
            let outcomes = self.carry_out(&plan)?;
            if self.manifest.hooks & Hooks::OUTCOMES == Hooks::OUTCOMES {
                self.outcomes = outcomes.iter().cloned().map(Outcome::into_wire).collect();
            }
            rehearsed.outcomes.extend(outcomes);
            if let Flow::StopVu(reason) | Flow::StopRun(reason) = plan.then() {
                self.ended = Some(reason.clone());
            }
            let more = *plan.then() == Flow::More;
            rehearsed.plans.push(plan);
            if !more {
                return Ok(rehearsed);
            }
        }
        Err(format!("iteration {number} did not end after {MOST_ROUNDS} rounds").into())
    }

    /// The virtual user ends. Gives everything that its plugin found from the beginning.
    pub fn finish(mut self) -> Result<Findings, Error> {
        let outcomes = std::mem::take(&mut self.outcomes);
        let findings = on_stage(&mut self.world, || self.player.finish(outcomes));
        self.take_findings(findings)?;
        Ok(self.findings)
    }

    /// What the plugin found so far. What it makes of the outcomes of the last plan, it says in the next call.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// What the plugin logged so far.
    pub fn log(&self) -> &[(Level, String)] {
        &self.world.log
    }

    /// The plan of this round: one made ahead, or else asked for.
    fn plan(&mut self, number: u64, round: u32) -> Result<wire::Plan, Error> {
        if round == 0 {
            if let Some(plan) = self.ahead.pop_front() {
                return Ok(plan);
            }
        }
        let (seed, user) = self.key;
        let ahead = match round {
            0 => u64::from(self.manifest.plans_ahead.max(1)),
            _ => 1,
        };
        let iterations = (number..number + ahead)
            .map(|number| wire::Iteration {
                number,
                seed: Draws::new(seed, u64::from(user), number).next_u64(),
            })
            .collect();
        let turn = wire::Turn { iterations, round, outcomes: std::mem::take(&mut self.outcomes) };
        let plans = on_stage(&mut self.world, || self.player.next(turn))?;
        self.ahead.extend(plans);
        self.ahead.pop_front().ok_or_else(|| "the plugin made no plan".into())
    }

    fn carry_out(&mut self, plan: &Plan) -> Result<Vec<Outcome>, Error> {
        let mut outcomes = Vec::new();
        let mut failed = false;
        for (position, step) in (0..).zip(plan.steps()) {
            if let Some(fault) = fault(step) {
                return Err(format!("step {position} is invalid: {fault}").into());
            }
            if matches!(step.action(), Action::Think(_) | Action::EndSession) {
                continue;
            }
            let answer = if failed && !plan.keeps_going() {
                Answer::failed(Status::Skipped)
            } else {
                (self.answers.borrow_mut())(step)
            };
            failed |= !answer.is_ok();
            outcomes.push(answer.outcome(position, step));
        }
        Ok(outcomes)
    }

    fn take_findings(&mut self, findings: Option<wire::Findings>) -> Result<(), Error> {
        let Some(findings) = findings else { return Ok(()) };
        let findings = Findings::from_wire(findings);
        let declared = |name: &str| self.manifest.metrics.iter().any(|metric| metric.name == name);
        if let Some(name) = findings.metrics().find(|name| !declared(name)) {
            return Err(format!("the manifest does not declare the metric `{name}`").into());
        }
        self.findings.append(findings);
        Ok(())
    }
}

/// What a host would refuse to send.
fn fault(step: &Step) -> Option<String> {
    let object = |text: &str| serde_json::from_str::<Map<String, Value>>(text).err();
    let payload = match step.action() {
        Action::CallTool(call) => object(&call.arguments),
        Action::Request(raw) | Action::Notify(raw) => raw.params.as_deref().and_then(object),
        Action::Http(request) if !request.path.starts_with('/') => {
            return Some(format!("the path `{}` does not begin with `/`", request.path));
        }
        _ => None,
    };
    payload.map(|error| error.to_string())
}

impl<P> fmt::Debug for User<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { world, key, iteration, findings, ended, .. } = self;
        formatter
            .debug_struct("User")
            .field("world", world)
            .field("key", key)
            .field("iteration", iteration)
            .field("findings", findings)
            .field("ended", ended)
            .finish_non_exhaustive()
    }
}
