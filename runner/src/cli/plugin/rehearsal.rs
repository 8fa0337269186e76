//! A plugin run for its author: which file, set up with what, against which server; told event by event.
//!
//! In: flags. Out: a [`Rehearsal`], which runs as often as it is asked to.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;

use pmcp_loadtest_demo_server::{DemoServer, Script};
use tokio::task::LocalSet;
use url::Url;

use super::super::subject::control_runtime;
use super::super::{locate, values};
use super::dry;
use crate::drive::transport::MemoryServer;
use crate::drive::{Controls, Event, Inspection, Pauses, Prepared, Survey, prepare, prepare_in_memory};
use crate::error::{Error, ExitCode};
use crate::judge::Observation;
use crate::plan::config::{Overrides, resolve};
use crate::plan::discovery::Discovery;
use crate::plan::{Executor, InstancePolicy, Load, Plan, Protocol, Revision, Secret};

/// The address of a server that is not there.
const NOWHERE: &str = "http://dry.invalid/mcp";

/// Which plugin, set up with what, against which server.
#[derive(Debug, clap::Args)]
pub(super) struct Subject {
    /// The plugin's file
    #[arg(value_name = "FILE.wasm")]
    pub(super) file: PathBuf,
    /// The server's MCP endpoint
    #[arg(value_parser = values::url, conflicts_with_all = ["demo", "tools"])]
    url: Option<Url>,
    /// Start the embedded demo server, and take that
    #[arg(long, conflicts_with = "tools")]
    demo: bool,
    /// The tools of a server that is not there: a JSON file with the result of tools/list [default: the demo server's]
    #[arg(long, value_name = "FILE")]
    tools: Option<PathBuf>,
    /// What the plugin is set up with: a JSON object, or @FILE.json
    #[arg(long, value_name = "JSON|@FILE", visible_alias = "plugin-config")]
    config: Option<String>,
    /// Seed of every random draw
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Protocol revision: auto, 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26
    #[arg(long, value_name = "REVISION", env = "MCP_LOADTEST_PROTOCOL", hide_env = true)]
    protocol: Option<Protocol>,
    /// A header to send with every request (repeatable)
    #[arg(long = "header", value_name = "K: V", value_parser = values::header)]
    headers: Vec<(String, Secret)>,
    /// A key to send as `Authorization: Bearer KEY`
    #[arg(long, value_name = "KEY", value_parser = values::secret, env = "MCP_API_KEY", hide_env_values = true)]
    api_key: Option<Secret>,
}

/// Where steps go.
#[derive(Debug)]
enum Stage {
    /// To the server that the plan names.
    Live,
    /// Nowhere: answers are made up.
    Dry(MemoryServer),
}

/// A plugin and a stage for it.
#[derive(Debug)]
pub(super) struct Rehearsal {
    plan: Plan,
    stage: Stage,
    /// Serves as long as this lives.
    _demo: Option<DemoServer>,
}

/// Who runs how many iterations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cast {
    pub(super) vus: NonZeroU32,
    /// Of each virtual user.
    pub(super) iterations: NonZeroU64,
    pub(super) instances: InstancePolicy,
}

impl Subject {
    /// Whether a server was named.
    pub(super) fn has_server(&self) -> bool {
        self.url.is_some() || self.demo
    }

    /// Makes a stage of the server that was named; without one, of the tools at hand.
    ///
    /// # Errors
    /// [`ExitCode::Usage`] where a flag is wrong, [`ExitCode::Internal`] where the demo server cannot start.
    pub(super) fn on_stage(&self, plugin: &Inspection) -> Result<Rehearsal, Error> {
        if self.has_server() {
            let demo = if self.demo { Some(start_demo()?) } else { None };
            let url = demo.as_ref().map(|demo| whole(&demo.url())).transpose()?.or_else(|| self.url.clone());
            let plan = self.plan(url, self.protocol)?;
            return Ok(Rehearsal { plan, stage: Stage::Live, _demo: demo });
        }
        self.dry(plugin, &self.survey()?)
    }

    /// A stage without a server: what these tools and this plugin's needs come to.
    ///
    /// # Errors
    /// [`ExitCode::Usage`] where a flag is wrong.
    pub(super) fn dry(&self, plugin: &Inspection, offer: &Discovery) -> Result<Rehearsal, Error> {
        let mut offer = offer.clone();
        if !self.has_server() {
            dry::add_required(&mut offer, &plugin.requires_tools);
        }
        let plan = self.plan(Some(whole(NOWHERE)?), Some(Protocol::Pinned(Revision::V2025_11_25)))?;
        Ok(Rehearsal { plan, stage: Stage::Dry(dry::server(offer)), _demo: None })
    }

    /// What the server offers; without one, the tools of a file, or what the demo server offers.
    ///
    /// # Errors
    /// Those of [`prepare`]; [`ExitCode::Usage`] where the file holds no tools.
    pub(super) fn survey(&self) -> Result<Discovery, Error> {
        if let Some(file) = &self.tools {
            return dry::offer_of(&file.display().to_string(), &locate::read(file)?);
        }
        let demo = if self.url.is_none() { Some(start_demo()?) } else { None };
        let url = demo.as_ref().map(|demo| whole(&demo.url())).transpose()?.or_else(|| self.url.clone());
        let Self { protocol, headers, api_key, .. } = self;
        let overrides = Overrides {
            url,
            protocol: *protocol,
            headers: headers.clone(),
            api_key: api_key.clone(),
            ..Overrides::default()
        };
        // A plan needs something to do, which is never done.
        let nothing = ("plugin", "[[scenario]]\ntype = \"ping\"\n");
        let plan = resolve(Some(nothing), &overrides, &|_| None)?.plan;
        Ok(control_runtime()?.block_on(prepare(Arc::new(plan), Survey::Everything))?.discovery)
    }

    fn plan(&self, url: Option<Url>, protocol: Option<Protocol>) -> Result<Plan, Error> {
        let config =
            self.config.as_deref().map(|given| values::plugin_config("--config", given)).transpose()?;
        let overrides = Overrides {
            url,
            protocol,
            seed: self.seed,
            headers: self.headers.clone(),
            api_key: self.api_key.clone(),
            plugin: Some(self.file.clone()),
            plugin_config: config,
            ..Overrides::default()
        };
        let mut plan = resolve(None, &overrides, &|_| None)?.plan;
        plan.settings.workers = NonZeroUsize::MIN;
        Ok(plan)
    }
}

impl Rehearsal {
    /// The seed of every random draw.
    pub(super) fn seed(&self) -> u64 {
        self.plan.settings.seed
    }

    /// Whether no server is asked.
    pub(super) fn is_dry(&self) -> bool {
        matches!(self.stage, Stage::Dry(_))
    }

    /// Brings the plugin together with the server.
    ///
    /// # Errors
    /// Those of [`prepare`].
    pub(super) fn prepare(&self, cast: Cast) -> Result<Ready, Error> {
        let mut plan = self.plan.clone();
        let Cast { vus, iterations, instances } = cast;
        let executor = Executor::PerVuIterations { vus, iterations, max_duration: None };
        plan.loads = vec![Load::simple(executor, plan.loads[0].graceful_stop, plan.scenarios.len())];
        plan.settings.plugins.instances = instances;
        let plan = Arc::new(plan);
        let runtime = control_runtime()?;
        let set = LocalSet::new();
        let (prepared, pauses) = match &self.stage {
            Stage::Live => (runtime.block_on(prepare(plan, Survey::Everything))?, Pauses::Kept),
            Stage::Dry(server) => {
                let prepared = set.block_on(&runtime, prepare_in_memory(plan, server.clone()))?;
                (prepared, Pauses::Skipped)
            }
        };
        Ok(Ready { runtime, set, prepared, pauses })
    }
}

/// A rehearsal that can begin.
#[derive(Debug)]
pub(super) struct Ready {
    runtime: tokio::runtime::Runtime,
    set: LocalSet,
    pub(super) prepared: Prepared,
    pauses: Pauses,
}

impl Ready {
    /// Runs it to its end, and tells what happens.
    pub(super) fn run(self, tell: impl Fn(Event) + 'static) -> Observation {
        let Self { runtime, set, prepared, pauses } = self;
        set.block_on(&runtime, prepared.rehearse(Controls::unattended(), pauses, tell))
    }
}

fn start_demo() -> Result<DemoServer, Error> {
    DemoServer::start(Script::default())
        .map_err(|error| Error::new(ExitCode::Internal, "cannot start the demo server").because(error))
}

fn whole(url: &str) -> Result<Url, Error> {
    url.parse().map_err(|error| Error::new(ExitCode::Internal, format!("`{url}` is no URL")).because(error))
}
