//! A plugin that plans what its configuration says and logs what it hears of it: with it, tests see both ends of the border.

use std::time::Duration;

use pmcp_loadtest_guest::{
    Error, Findings, HttpRequest, Iteration, Manifest, Metric, Outcome, Plan, Plugin, Step, VirtualUser,
    info, json, plugin,
};
use serde::Deserialize;

/// What is planned: the plans of an iteration, one per round.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    rounds: Vec<Round>,
    /// `done`, `stop-user` or `stop-run` after the last round of iteration `ends_at`.
    #[serde(default)]
    ends: String,
    #[serde(default)]
    ends_at: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Round {
    steps: Vec<Does>,
    #[serde(default)]
    keep_going: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Does {
    /// Of a tool, with the iteration's number and seed as arguments.
    call: Option<String>,
    /// Of a path.
    get: Option<String>,
    think_ms: Option<u64>,
    #[serde(default)]
    end_session: bool,
    label: Option<String>,
    #[serde(default)]
    capture: Vec<String>,
    #[serde(default)]
    want_result: bool,
    timeout_ms: Option<u64>,
}

impl Does {
    fn step(&self, iteration: &Iteration) -> Step {
        let mut step = match self {
            Self { call: Some(tool), .. } => {
                Step::call(tool, json!({ "iteration": iteration.number, "seed": iteration.seed.to_string() }))
            }
            Self { get: Some(path), .. } => Step::http(HttpRequest::get(path)),
            Self { think_ms: Some(pause), .. } => Step::think(Duration::from_millis(*pause)),
            Self { end_session: true, .. } => Step::end_session(),
            _ => Step::ping(),
        };
        for pointer in &self.capture {
            step = step.capture(pointer);
        }
        if self.want_result {
            step = step.want_result();
        }
        if let Some(label) = &self.label {
            step = step.label(label);
        }
        match self.timeout_ms {
            Some(timeout) => step.timeout(Duration::from_millis(timeout)),
            None => step,
        }
    }
}

struct Obedient {
    config: &'static Config,
}

impl Plugin for Obedient {
    type Config = Config;

    fn manifest() -> Manifest {
        Manifest::new().metric(Metric::counter("heard")).metric(Metric::trend("latency").unit("us"))
    }

    fn open(config: &'static Config, _: VirtualUser) -> Result<Self, Error> {
        Ok(Self { config })
    }

    fn plan(&mut self, iteration: Iteration) -> Result<Plan, Error> {
        let round = iteration.round as usize;
        let planned = self.config.rounds.get(round).ok_or("asked for a round too many")?;
        let mut plan: Plan = planned.steps.iter().map(|does| does.step(&iteration)).collect();
        if planned.keep_going {
            plan = plan.keep_going();
        }
        if round + 1 < self.config.rounds.len() {
            return Ok(plan.then_more());
        }
        Ok(match self.config.ends.as_str() {
            "stop-user" if iteration.number == self.config.ends_at => plan.then_stop_user("as told"),
            "stop-run" if iteration.number == self.config.ends_at => plan.then_stop_run("as told"),
            _ => plan,
        })
    }

    fn learn(&mut self, outcomes: &[Outcome], findings: &mut Findings) {
        for outcome in outcomes {
            let captured: Vec<Option<&str>> =
                (0..4).map_while(|index| outcome.captured_text(index).map(Some)).collect();
            info!("{} {:?} {captured:?} {:?}", outcome.step(), outcome.status(), outcome.result_text());
            findings.sample("heard", 1.0);
            findings.sample("latency", outcome.latency().as_secs_f64() * 1e6);
            findings.check("it went well", outcome.is_ok());
        }
    }
}

plugin!(Obedient);
