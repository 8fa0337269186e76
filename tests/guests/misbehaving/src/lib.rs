//! A plugin that does what no plugin should: `config.how` says what. For the tests of the host, which has to bear it.
//!
//! `<call>-<mischief>` breaks one call in one way; every other word is a kind of plan. Built on the raw bindings, because the SDK
//! would not let most of it through.

mod mischief;
mod plans;

use std::cell::RefCell;

use pmcp_loadtest_guest::bindings::exports::pmcp::loadtest::plugin::{Guest, GuestScenario, Scenario};
use pmcp_loadtest_guest::bindings::pmcp::loadtest::{host, types as wire};

thread_local! {
    /// What to do; of the instance, as the host must cope with that, too.
    static HOW: RefCell<String> = const { RefCell::new(String::new()) };
}

struct Misbehaving;

struct User(u32);

fn how() -> String {
    HOW.with_borrow(Clone::clone)
}

/// Does what is to be done in this call, if anything is.
fn misbehave(call: &str) -> Result<(), String> {
    match how().strip_prefix(call).and_then(|rest| rest.strip_prefix('-')) {
        Some(mischief) => mischief::commit(mischief),
        None => Ok(()),
    }
}

impl Guest for Misbehaving {
    type Scenario = User;

    fn describe() -> wire::Manifest {
        let metric = |name: &str, kind| wire::MetricDef { name: name.to_owned(), kind, unit: None };
        wire::Manifest {
            name: "misbehaving".to_owned(),
            version: "0.0.0".to_owned(),
            description: String::new(),
            config_schema: Some(r#"{"type": "object", "required": ["how"]}"#.to_owned()),
            hooks: wire::Hooks::OUTCOMES | wire::Hooks::FINISH,
            plans_ahead: u32::MAX,
            metrics: vec![
                metric("trend", wire::MetricKind::Trend),
                metric("counter", wire::MetricKind::Counter),
            ],
            requires_tools: Vec::new(),
        }
    }

    fn setup(info: wire::SetupInfo) -> Result<(), String> {
        std::panic::set_hook(Box::new(|panic| {
            let message = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            host::panicked(message, &place);
        }));
        let config: serde_json::Value =
            serde_json::from_str(&info.config).map_err(|error| error.to_string())?;
        HOW.set(config["how"].as_str().unwrap_or_default().to_owned());
        misbehave("setup")
    }

    fn open(vu: wire::VuContext) -> Result<Scenario, String> {
        misbehave("open")?;
        if vu.vu > 0 {
            misbehave("later-open")?;
        }
        Ok(Scenario::new(User(vu.vu)))
    }
}

impl GuestScenario for User {
    fn next(&self, turn: wire::Turn) -> Result<Vec<wire::Plan>, String> {
        misbehave("next")?;
        plans::plan(&how(), self.0, &turn)
    }

    fn finish(&self, _: Vec<wire::Outcome>) -> Option<wire::Findings> {
        // There is no way to say no here.
        misbehave("finish").err().map(|_| wire::Findings { checks: Vec::new(), samples: Vec::new() })
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // As above.
        let _ = misbehave("drop");
    }
}

#[cfg(target_family = "wasm")]
pmcp_loadtest_guest::bindings::export_plugin!(Misbehaving with_types_in pmcp_loadtest_guest::bindings);

// Where nothing is exported, too, the type is in use.
#[cfg(not(target_family = "wasm"))]
const _: fn() -> wire::Manifest = Misbehaving::describe;
