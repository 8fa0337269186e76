//! Behaves like an agent: looks around, searches, reads what it found and acts on it, with bursts and pauses, as a Markov chain has it.
//! An iteration is a conversation, and a conversation has a session of its own.

mod chain;
mod config;
mod finds;
mod offer;

use std::time::Duration;

use pmcp_loadtest_guest::{
    Error, Findings, Iteration, ListKind, Manifest, Metric, Outcome, Plan, Plugin, Random, Step, VirtualUser,
    plugin,
};
use serde_json::Value;

use chain::{Deed, State};
use config::Config;
use finds::Finds;
use offer::Offer;

/// A virtual user that holds one conversation per iteration.
struct AgentSession {
    config: &'static Config,
    offer: &'static Offer,
    /// The state that was done last; `None` before a conversation.
    state: Option<&'static State>,
    finds: Finds,
    /// Requests of this conversation.
    requests: u32,
}

impl Plugin for AgentSession {
    type Config = Config;

    fn manifest() -> Manifest {
        Manifest::new()
            .config_schema(&config::schema())
            .metric(Metric::trend("conversation_requests").unit("requests"))
            .metric(Metric::trend("conversation_finds").unit("ids and URIs"))
    }

    fn open(config: &'static Config, _: VirtualUser) -> Result<Self, Error> {
        if let Some(fault) = chain::fault(&config.start, &config.states) {
            return Err(fault.into());
        }
        let offer = if let Some(offer) = config.offer.get() {
            offer
        } else {
            let found = Offer::new(config)?;
            config.offer.get_or_init(|| found)
        };
        Ok(Self { config, offer, state: None, finds: Finds::default(), requests: 0 })
    }

    fn plan(&mut self, iteration: Iteration) -> Result<Plan, Error> {
        let mut random = iteration.random;
        if iteration.round == 0 {
            *self = Self { state: None, finds: Finds::default(), requests: 0, ..*self };
        }
        // A state that this server has nothing for is passed through; a chain of nothing but such ends with the conversation.
        for _ in iteration.round..self.config.longest {
            let Some(state) = self.next(&mut random) else { break };
            self.state = Some(state);
            let steps = self.steps(state, &mut random)?;
            if !steps.is_empty() {
                self.requests += u32::try_from(steps.len()).unwrap_or(u32::MAX);
                let mut plan = Plan::new().keep_going();
                let pause = state.pause(self.config.pace, &mut random);
                if pause > Duration::ZERO {
                    plan.push(Step::think(pause));
                }
                plan.extend(steps);
                return Ok(plan.then_more());
            }
        }
        let found = self.finds.ids.len() + self.finds.uris.len();
        let plan = Plan::from(Step::end_session()).sample("conversation_finds", found as f64);
        Ok(plan.sample("conversation_requests", f64::from(self.requests)))
    }

    fn learn(&mut self, outcomes: &[Outcome], findings: &mut Findings) {
        let deed = self.state.map(|state| state.deed);
        for outcome in outcomes {
            let new = match outcome.result::<Value>() {
                Ok(result) if deed != Some(Deed::ListTools) => self.finds.take(&result),
                _ => 0,
            };
            match deed {
                Some(Deed::Search) if outcome.is_ok() => {
                    findings.check("a search leads somewhere", new > 0 || !self.finds.is_empty());
                }
                Some(Deed::Read) => findings.check("what was found can be read", outcome.is_ok()),
                _ => {}
            }
        }
    }
}

impl AgentSession {
    /// The state that follows; `None` ends the conversation.
    fn next(&self, random: &mut Random) -> Option<&'static State> {
        let config = self.config;
        match self.state {
            None => config.states.get(&config.start),
            Some(state) => config.states.get(state.follow(random)?),
        }
    }

    /// What a state comes to on this server; nothing where the server has nothing for it.
    fn steps(&self, state: &State, random: &mut Random) -> Result<Vec<Step>, Error> {
        let times = state.times(random);
        (0..times).filter_map(|_| self.step(state.deed, random).transpose()).collect()
    }

    fn step(&self, deed: Deed, random: &mut Random) -> Result<Option<Step>, Error> {
        let offer = self.offer;
        let step = match deed {
            Deed::ListTools => Some(Step::list(ListKind::Tools)),
            Deed::ListResources => Some(Step::list(ListKind::Resources).want_result()),
            Deed::ListPrompts => Some(Step::list(ListKind::Prompts)),
            Deed::Search => match (random.pick(&offer.searching), random.pick(&self.config.queries)) {
                (Some(tool), Some(words)) => {
                    Some(Step::call(&tool.name, tool.search(words, random.next_u64())?).want_result())
                }
                _ => None,
            },
            Deed::Read => {
                let uri = self.finds.resource(&offer.templates, &offer.listed, random);
                // One row in the report, for there are as many URIs as finds.
                uri.map(|uri| Step::read(uri).label("read a find"))
            }
            Deed::Act => match random.pick(&offer.acting) {
                Some(tool) => Some(Step::call(&tool.name, tool.act(&self.finds, random)?).want_result()),
                None => None,
            },
        };
        Ok(step)
    }
}

plugin!(AgentSession);

#[cfg(test)]
mod tests;
