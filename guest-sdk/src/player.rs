//! The plugin's side of the boundary for one virtual user, the same in WebAssembly and in a rehearsal.
//!
//! In: turns as the host takes them. Out: plans as the host wants them.

use crate::findings::Findings;
use crate::wire;
use crate::{Error, Iteration, Outcome, Plugin, Run, VirtualUser};

/// A plugin that is set up: what every virtual user of an instance is opened with.
#[derive(Debug)]
pub(crate) struct Setup<P: Plugin> {
    config: &'static P::Config,
    run: &'static Run,
}

impl<P: Plugin> Setup<P> {
    /// The configuration is parsed once and stays for as long as the instance lives, which is why it may leak.
    pub(crate) fn new(info: wire::SetupInfo) -> Result<Self, String> {
        let config = serde_json::from_str(&info.config)
            .map_err(|error| format!("the configuration does not fit: {error}"))?;
        let run = Run { scenario: info.scenario, seed: info.seed, vus: info.vus };
        Ok(Self { config: Box::leak(Box::new(config)), run: Box::leak(Box::new(run)) })
    }

    pub(crate) fn open(&self, vu: wire::VuContext) -> Result<Player<P>, String> {
        let plugin =
            P::open(self.config, VirtualUser::new(vu.vu, vu.seed, self.run)).map_err(|error| text(&error))?;
        Ok(Player { plugin, findings: Findings::new(), failure: None })
    }
}

/// One virtual user's plugin, and what it has still to hand over.
#[derive(Debug)]
pub(crate) struct Player<P> {
    plugin: P,
    /// Learnt, but not yet handed over: a call that fails has no place for them.
    findings: Findings,
    /// Of an iteration planned ahead: its turn comes with the next call.
    failure: Option<String>,
}

impl<P: Plugin> Player<P> {
    pub(crate) fn next(&mut self, turn: wire::Turn) -> Result<Vec<wire::Plan>, String> {
        let mut outcomes = self.learn(turn.outcomes);
        if turn.round == 0 {
            outcomes.clear();
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let mut plans = Vec::with_capacity(turn.iterations.len());
        for (position, iteration) in turn.iterations.into_iter().enumerate() {
            // Only the first may be under way; those planned ahead begin.
            let round = if position == 0 { turn.round } else { 0 };
            let iteration =
                Iteration::new(iteration.number, iteration.seed, round, std::mem::take(&mut outcomes));
            match self.plan(iteration) {
                Ok(plan) => {
                    let last = plan.then != wire::Flow::Done;
                    plans.push(plan);
                    if last {
                        break;
                    }
                }
                Err(failure) if plans.is_empty() => return Err(failure),
                Err(failure) => {
                    self.failure = Some(failure);
                    break;
                }
            }
        }
        Ok(plans)
    }

    pub(crate) fn finish(&mut self, outcomes: Vec<wire::Outcome>) -> Option<wire::Findings> {
        self.learn(outcomes);
        self.plugin.finish(&mut self.findings);
        std::mem::take(&mut self.findings).into_wire()
    }

    fn learn(&mut self, outcomes: Vec<wire::Outcome>) -> Vec<Outcome> {
        // The same layout in and out: collected in place, without an allocation.
        let outcomes: Vec<_> = outcomes.into_iter().map(Outcome::from_wire).collect();
        if !outcomes.is_empty() {
            self.plugin.learn(&outcomes, &mut self.findings);
        }
        outcomes
    }

    fn plan(&mut self, iteration: Iteration) -> Result<wire::Plan, String> {
        let plan = self.plugin.plan(iteration).map_err(|error| text(&error))?;
        plan.into_wire(&mut self.findings)
    }
}

/// An error with all its causes.
fn text(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
