//! Iterations that a plugin plans: asks for a plan, follows it, tells what came of it.
//!
//! Guest code runs after a response is recorded and before anything else is due, never between the two ends of a call. Its time is
//! not the server's: the next call is due when the guest has answered.

use std::rc::Rc;
use std::time::Duration;

use super::{Done, Ended, Vu};
use crate::drive::load::Claim;
use crate::drive::plugin::{Failure, Flow, Guest, Iteration, Planned};
use crate::drive::script::steps::ReadyStep;
use crate::drive::worker::Phase;
use crate::judge::Outcome;
use pmcp_loadtest_arguments::Draws;

/// Iterations in a row that neither sent anything nor waited, after which a virtual user no longer hurries.
const PATIENCE_WITH_IDLENESS: u32 = 10;
/// How long it then waits after each.
const IDLE_PAUSE: Duration = Duration::from_millis(100);
/// How many iterations are looked at for each that is planned ahead, where other scenarios have a share of them.
const LOOK_AHEAD: usize = 4;

impl Vu {
    /// Runs one iteration of the plugin with this number, whose scenario has the place `scenario` in the plan; `None` where it was never
    /// due.
    pub(super) async fn run_plugin(
        &mut self,
        plugin: usize,
        scenario: usize,
        claim: Claim,
        draws: &mut Draws,
    ) -> Option<Ended> {
        let mut guest = self.take_guest(plugin);
        self.fruitless += 1;
        let ended = match self.follow(&mut guest, scenario, claim, draws).await {
            Ok(None) => {
                self.guests[plugin] = Some(guest);
                return None;
            }
            Ok(Some(ended)) => ended,
            Err(failure) => {
                guest.count_failure(failure, claim.iteration);
                guest.forget();
                Ended::Failed
            }
        };
        guest.count_iteration(claim.iteration, ended == Ended::Completed, ended == Ended::Failed);
        let patient = !guest.skips_pauses();
        self.guests[plugin] = Some(guest);
        if self.fruitless > 0 {
            self.rest(patient).await;
        }
        Some(ended)
    }

    fn take_guest(&mut self, plugin: usize) -> Box<Guest> {
        if self.guests.len() <= plugin {
            self.guests.resize_with(plugin + 1, || None);
        }
        let guest = self.guests[plugin].take();
        guest.unwrap_or_else(|| Box::new(Guest::new(Rc::clone(&self.worker.guests[plugin]), self.number)))
    }

    /// Follows plan after plan until the iteration is over.
    ///
    /// # Errors
    /// The plugin's failure to plan.
    async fn follow(
        &mut self,
        guest: &mut Guest,
        scenario: usize,
        claim: Claim,
        draws: &mut Draws,
    ) -> Result<Option<Ended>, Failure> {
        let iteration = Iteration { number: claim.iteration, seed: draws.next_u64() };
        let mut left = guest.most_steps();
        for round in 0.. {
            let ahead = if round == 0 { guest.planned_ahead(claim.iteration) } else { None };
            let planned = if let Some(planned) = ahead {
                Ok(planned)
            } else {
                let iterations = self.iterations_to_plan(guest, scenario, claim, iteration, round);
                let planned = guest.plan(iterations, round);
                self.pass_to(guest.free);
                planned
            };
            // What arrives is planned before it is due.
            if round == 0 && !self.await_arrival(claim).await {
                return Ok(None);
            }
            let mut planned = planned?;
            left = planned.spend(left)?;
            let from = self.free;
            if let Some(ended) = self.follow_plan(guest, scenario, &mut planned, draws).await {
                return Ok(Some(ended));
            }
            match planned.then {
                // Nothing was waited for: others go on, and the end of the run is heard.
                Flow::More if self.free == from => {
                    tokio::task::yield_now().await;
                    if !self.may_go_on() {
                        return Ok(Some(Ended::Interrupted));
                    }
                }
                Flow::More => {}
                Flow::Done => break,
                Flow::StopVu(reason) => {
                    guest.note(&format!("virtual user {} ends: {reason}", self.number));
                    self.member.leave.set(true);
                    break;
                }
                Flow::StopRun(reason) => {
                    guest.ask_to_stop(&reason);
                    self.worker.advance(Phase::Stopping);
                    break;
                }
            }
        }
        Ok(Some(Ended::Completed))
    }

    /// Does the steps of one plan; how the iteration ended, where it ended with them.
    async fn follow_plan(
        &mut self,
        guest: &mut Guest,
        scenario: usize,
        planned: &mut Planned,
        draws: &mut Draws,
    ) -> Option<Ended> {
        let think_time = self.worker.steps.scenario(scenario).think_time;
        let timeout = self.worker.settings().timeout;
        let cut_short = |planned: &Planned| {
            let rests = planned.then != Flow::More && planned.rests();
            Some(if rests { Ended::Completed } else { Ended::Interrupted })
        };
        while let Some(step) = guest.next_step(planned, timeout) {
            match self.perform(&step.step, draws, step.wants_answer()).await {
                Done::Quietly => {
                    if matches!(step.step, ReadyStep::Think(pause) if !pause.is_zero()) {
                        self.fruitless = 0;
                    }
                }
                Done::CutShort => return cut_short(planned),
                Done::NoSession => {
                    self.fruitless = 0; // trying to open one took its time
                    return Some(if self.may_go_on() { Ended::Completed } else { Ended::Interrupted });
                }
                Done::Called(measured) if measured.outcome == Outcome::Cancelled => {
                    return Some(Ended::Interrupted);
                }
                Done::Called(measured) => {
                    self.fruitless = 0;
                    guest.learn(planned, step, &measured, &self.link);
                    if let Some(pause) = think_time
                        && !self.think(pause, draws).await
                    {
                        return cut_short(planned);
                    }
                }
            }
        }
        None
    }

    /// The iteration at hand, and those after it that the plugin may plan in the same call: as many as it is willing to plan, where it
    /// is known now which iterations of this virtual user will be its own.
    fn iterations_to_plan(
        &self,
        guest: &Guest,
        scenario: usize,
        claim: Claim,
        first: Iteration,
        round: u32,
    ) -> Vec<Iteration> {
        let most = if round == 0 { guest.plans_ahead() } else { 1 };
        let mut iterations = Vec::with_capacity(most);
        iterations.push(first);
        if most == 1 {
            return iterations;
        }
        let seed = self.worker.settings().seed;
        for claim in self.load.claims_after(claim).take(most.saturating_mul(LOOK_AHEAD)) {
            if iterations.len() == most {
                break;
            }
            let mut draws = Draws::new(seed, claim.session, claim.iteration);
            let chosen = self.load.mix.choose(self.load.class_of(claim, self.number), &mut draws, |plugin| {
                self.worker.has_given_up(plugin)
            });
            if chosen == Some(scenario) {
                iterations.push(Iteration { number: claim.iteration, seed: draws.next_u64() });
            }
        }
        iterations
    }

    /// Lets others go on: an iteration in which nothing was waited for must not keep the worker to itself. Who is `patient`
    /// does not hurry from one such iteration to the next.
    async fn rest(&mut self, patient: bool) {
        tokio::task::yield_now().await;
        if patient && self.fruitless > PATIENCE_WITH_IDLENESS {
            let from = self.worker.context.clock.now();
            self.wait(from.after(IDLE_PAUSE), Self::may_begin).await;
            self.free = self.worker.context.clock.now();
            let paused = self.free.since(from);
            self.worker.context.book(|books| books.backoff_time += paused);
        }
    }

    /// The virtual user ends: its plugins hear of it, unless everything is being cut off.
    pub(super) fn end_guests(&mut self) {
        if self.is_cut_off() {
            return;
        }
        self.guests.iter_mut().flatten().for_each(|guest| guest.end());
    }
}
