//! A plugin that plans at random: every value that the interface's types allow, hostile ones first. The same seed, the same plans.
//!
//! For the fuzz of the border where what guests say enters the host.

mod actions;
mod draws;
mod texts;

use pmcp_loadtest_guest::bindings::exports::pmcp::loadtest::plugin::{Guest, GuestScenario, Scenario};
use pmcp_loadtest_guest::bindings::pmcp::loadtest::{host, types as wire};

use draws::Draws;

struct Chaos;

struct User;

impl Guest for Chaos {
    type Scenario = User;

    fn describe() -> wire::Manifest {
        let metric = |name: &str, kind| wire::MetricDef { name: name.to_owned(), kind, unit: None };
        wire::Manifest {
            name: "chaos".to_owned(),
            version: "0.0.0".to_owned(),
            description: String::new(),
            config_schema: None,
            hooks: wire::Hooks::OUTCOMES | wire::Hooks::FINISH,
            plans_ahead: 1,
            metrics: vec![
                metric("counter", wire::MetricKind::Counter),
                metric("gauge", wire::MetricKind::Gauge),
                metric("rate", wire::MetricKind::Rate),
                metric("trend", wire::MetricKind::Trend),
            ],
            requires_tools: Vec::new(),
        }
    }

    fn setup(_: wire::SetupInfo) -> Result<(), String> {
        Ok(())
    }

    fn open(_: wire::VuContext) -> Result<Scenario, String> {
        Ok(Scenario::new(User))
    }
}

impl GuestScenario for User {
    fn next(&self, turn: wire::Turn) -> Result<Vec<wire::Plan>, String> {
        let first = turn.iterations.first().map_or(0, |iteration| iteration.seed);
        let mut draws = Draws::new(first ^ u64::from(turn.round));
        for _ in 0..draws.below(3) {
            host::log(host::Level::Debug, &draws.text());
        }
        match draws.below(60) {
            0 => Err(draws.text()),
            1 => panic!("as it was drawn"),
            2 => Ok(Vec::new()),
            3 => Ok(vec![draws.plan(), draws.plan()]),
            _ => Ok(vec![draws.plan()]),
        }
    }

    fn finish(&self, outcomes: Vec<wire::Outcome>) -> Option<wire::Findings> {
        let mut draws = Draws::new(outcomes.len() as u64);
        assert!(draws.below(20) != 0, "as it was drawn");
        Some(draws.findings())
    }
}

#[cfg(target_family = "wasm")]
pmcp_loadtest_guest::bindings::export_plugin!(Chaos with_types_in pmcp_loadtest_guest::bindings);

// Where nothing is exported, too, the type is in use.
#[cfg(not(target_family = "wasm"))]
const _: fn() -> wire::Manifest = Chaos::describe;
