//! Scenarios that are code: components, run in a sandbox, that choose the steps of virtual users.
//!
//! In: the files that a plan names, and what is known of the target. Out: [`Guest`]s, one per virtual user, which plan iterations
//! and are told what came of them. A guest's failure is data; it never ends the process, and no wait ever holds a borrow of an
//! instance. Design: section 8; costs and rules: `reference/wasm-plugins.md`.

mod bindings;
mod engine;
mod failure;
mod findings;
mod guest;
mod guests;
mod host;
mod inspection;
mod instance;
mod interface;
mod load;
mod outcome;
mod planned;
mod rehearsal;
mod step;
#[cfg(feature = "wasi")]
mod wasi;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

pub(crate) use self::bindings::Iteration;
use self::bindings::SetupInfo;
use self::engine::Machine;
pub(crate) use self::failure::Failure;
pub(crate) use self::guest::Guest;
pub(crate) use self::guests::Guests;
use self::host::TargetFacts;
pub use self::inspection::{Inspection, inspect};
use self::instance::Instance;
pub(crate) use self::load::Loaded;
pub(crate) use self::planned::{Flow, Planned};
use self::step::ToolForm;
pub(crate) use self::watch::Watcher;
pub use self::watch::{Event, EventKind, Pauses};
use super::protocol::template::Dialect;
use super::script::steps::ToolHeaders;
use super::series::SeriesRegistry;
use crate::error::{Error, ExitCode};
use crate::judge::{PluginFacts, RetiredPlugin};
use crate::plan::discovery::Discovery;
use crate::plan::{Plan, PluginLimits, PluginUse, Script};
use pmcp_loadtest_arguments::Draws;

/// The plugins of a plan, before the target is known. Without any, nothing of the engine is started.
#[derive(Debug)]
pub(crate) struct Candidates {
    machine: Option<Machine>,
    loaded: Vec<Loaded>,
}

/// The plugins of a run.
#[derive(Debug)]
pub(crate) struct Plugins {
    /// Counts the epochs by which calls are limited.
    _machine: Option<Machine>,
    /// In the order of their scenarios.
    pub(crate) all: Vec<Arc<Plugin>>,
}

/// A plugin, ready to be instantiated for a run against a known target.
#[derive(Debug)]
pub(crate) struct Plugin {
    /// Which of the run's plugins it is.
    pub(crate) number: usize,
    pub(crate) facts: PluginFacts,
    loaded: Loaded,
    target: Arc<TargetFacts>,
    setup: SetupInfo,
    limits: PluginLimits,
    dialect: Dialect,
    forms: HashMap<String, ToolForm>,
    series: Arc<SeriesRegistry>,
    /// Why nobody may call it any more.
    given_up: OnceLock<String>,
    /// Why it wants the run to end.
    stop: OnceLock<String>,
}

/// The scenarios of a plan that are plugins, in order.
fn plugin_scenarios(plan: &Plan) -> impl Iterator<Item = (&str, &PluginUse)> {
    plan.scenarios.iter().filter_map(|scenario| match &scenario.script {
        Script::Plugin(plugin) => Some((scenario.name.as_str(), plugin)),
        Script::Steps(_) => None,
    })
}

impl Candidates {
    /// Loads what a plan names and holds its configurations against the plugins' schemas.
    ///
    /// # Errors
    /// [`ExitCode::Usage`] where a file or a configuration is wrong, [`ExitCode::Plugin`] where a file is no plugin of this
    /// interface.
    pub(crate) fn load(plan: &Plan) -> Result<Self, Error> {
        let mut scenarios = plugin_scenarios(plan).peekable();
        if scenarios.peek().is_none() {
            return Ok(Self { machine: None, loaded: Vec::new() });
        }
        let machine = Machine::start()?;
        let load = |(scenario, plugin): (&str, &PluginUse)| {
            let loaded = Loaded::from_file(&machine.engine, &plugin.file, &plan.settings.plugins)?;
            loaded.check_config(&plugin.config, scenario)?;
            Ok(loaded)
        };
        let loaded = scenarios.map(load).collect::<Result<_, Error>>()?;
        Ok(Self { machine: Some(machine), loaded })
    }

    /// Whether there are any: whoever plans at run time may ask for everything that the target has.
    pub(crate) fn are_there(&self) -> bool {
        !self.loaded.is_empty()
    }

    /// Brings the plugins together with the target, and sets one instance of each up to see that it can be.
    ///
    /// # Errors
    /// [`ExitCode::Plugin`] where a plugin needs a tool that the target lacks, or cannot be set up.
    pub(crate) fn attach(
        self,
        plan: &Plan,
        discovery: &Discovery,
        dialect: Dialect,
        headers: &ToolHeaders,
        dropped: &[(String, String)],
        series: &Arc<SeriesRegistry>,
    ) -> Result<Plugins, Error> {
        let target = Arc::new(TargetFacts::new(discovery));
        let settings = &plan.settings;
        let vus = plan.max_vus();
        let workers = u32::try_from(settings.workers.get()).unwrap_or(u32::MAX).min(vus.max(1));
        let attach = |(number, ((scenario, plugin), loaded)): (usize, ((&str, &PluginUse), Loaded))| {
            loaded.check_tools(discovery)?;
            let mut plugin = Plugin {
                number,
                facts: loaded.facts(scenario),
                target: Arc::clone(&target),
                setup: SetupInfo {
                    config: plugin.config.to_string(),
                    scenario: scenario.to_owned(),
                    seed: settings.seed,
                    vus,
                },
                limits: settings.plugins.clone(),
                dialect,
                forms: forms(discovery, dialect, headers, dropped),
                series: Arc::clone(series),
                given_up: OnceLock::new(),
                stop: OnceLock::new(),
                loaded,
            };
            let memory = plugin.try_out()?;
            plugin.facts.own_instances =
                guests::own_instances(settings.plugins.instances, vus, workers, memory);
            Ok(Arc::new(plugin))
        };
        let all =
            plugin_scenarios(plan).zip(self.loaded).enumerate().map(attach).collect::<Result<_, Error>>()?;
        Ok(Plugins { _machine: self.machine, all })
    }
}

impl Plugins {
    /// What is known of them before the load.
    pub(crate) fn facts(&self) -> Vec<PluginFacts> {
        self.all.iter().map(|plugin| plugin.facts.clone()).collect()
    }

    /// Those that were given up during the run.
    pub(crate) fn retired(&self) -> Vec<RetiredPlugin> {
        let retired = self.all.iter().filter_map(|plugin| {
            let message = plugin.given_up()?.to_owned();
            Some(RetiredPlugin { scenario: plugin.facts.scenario.clone(), message })
        });
        retired.collect()
    }

    /// Which of them wants the run to end, and why.
    pub(crate) fn stop(&self) -> Option<(String, String)> {
        self.all.iter().find_map(|plugin| Some((plugin.facts.name.clone(), plugin.stop.get()?.clone())))
    }

    /// Why those that were given up were.
    pub(crate) fn failure(&self) -> String {
        let failures = self
            .all
            .iter()
            .filter_map(|plugin| Some(format!("plugin `{}`: {}", plugin.facts.name, plugin.given_up()?)));
        failures.collect::<Vec<_>>().join("; ")
    }
}

/// The tools as steps call them.
fn forms(
    discovery: &Discovery,
    dialect: Dialect,
    headers: &ToolHeaders,
    dropped: &[(String, String)],
) -> HashMap<String, ToolForm> {
    let form = |place: usize, name: &String| ToolForm {
        place,
        mirrored: headers.get(name).cloned().unwrap_or_default(),
        dropped: dropped.iter().find(|(tool, _)| tool == name).map(|(_, reason)| reason.clone()),
        call: dialect.call_form(name),
    };
    discovery
        .tools
        .iter()
        .enumerate()
        .map(|(place, tool)| (tool.name.clone(), form(place, &tool.name)))
        .collect()
}

impl Plugin {
    /// Sets one instance up and opens a virtual user's side: whatever is wrong with them is better known before the load.
    /// Returns how much memory the instance took, bytes.
    fn try_out(&self) -> Result<usize, Error> {
        let mut trial = Instance::start(self).map_err(|failure| self.unusable("set up", &failure))?;
        trial
            .open(self.vu_context(0))
            .map_err(|failure| self.unusable("opened for a virtual user", &failure))?;
        Ok(trial.memory())
    }

    fn unusable(&self, what: &str, failure: &Failure) -> Error {
        let message = format!("the plugin `{}` cannot be {what}: {}", self.facts.name, failure.in_full());
        Error::new(ExitCode::Plugin, message)
            .at(format!("{}, scenario `{}`", self.facts.file, self.facts.scenario))
            .advise("mend the plugin or its `config`; `cargo pmcp loadtest plugin test` runs it alone")
    }

    /// A virtual user, as the plugin is told of it. Its seed depends on the run's seed, the plugin's place and the number.
    fn vu_context(&self, vu: u64) -> bindings::VuContext {
        let place = u64::MAX - self.number as u64;
        let seed = Draws::new(self.setup.seed, vu, place).next_u64();
        bindings::VuContext { vu: u32::try_from(vu).unwrap_or(u32::MAX), seed }
    }

    /// Nobody is to call it any more.
    fn give_up(&self, why: &str) {
        // The first reason is the one that counts.
        let _ = self.given_up.set(why.to_owned());
    }

    /// Why nobody may call it any more.
    pub(crate) fn given_up(&self) -> Option<&str> {
        self.given_up.get().map(String::as_str)
    }

    /// The run is to end.
    fn ask_to_stop(&self, why: &str) {
        // As above.
        let _ = self.stop.set(why.to_owned());
    }
}
