//! What was asked: the validated description of a run. Pure: no clock, no tokio, no I/O.
//!
//! In: a TOML file, the environment and flags, already read as text by `cli`. Out: a [`Plan`], which exists only validated,
//! and the [`schedule`] that says how many virtual users are wanted at an instant.

pub mod breaking_point;
pub mod config;
pub mod discovery;
pub mod duration;
mod headers;
pub mod library;
pub mod load;
pub mod objective;
pub mod plugin;
pub mod resolved;
pub mod scenario;
pub mod schedule;
pub mod settings;
pub mod size;
pub mod starter;
mod think_time;
pub mod threshold;

use std::time::Duration;

pub use breaking_point::BreakingPointRule;
pub use load::{AnyStage, Executor, Load, Pool, Rate, RateStage, Spacing, Stage};
pub use objective::Objective;
pub use plugin::{InstancePolicy, PluginLimits, PluginUse};
pub use resolved::ResolvedConfig;
pub use scenario::{Action, HttpStep, Scenario, Script, SeriesId, SeriesKey, SeriesKind, Step};
pub use schedule::Stripe;
pub use settings::{
    ConnectionPolicy, Protocol, Revision, ScenarioChoice, Secret, SessionPolicy, Settings, Target,
    TransportKind, WarmUp, shown_url,
};
pub use think_time::ThinkTime;
pub use threshold::Threshold;

/// One run, fully resolved and validated: flags over environment over file over defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Who is hit, and how they are spoken to.
    pub target: Target,
    /// Everything that is not the shape of the load.
    pub settings: Settings,
    /// The shapes of the load, side by side; never empty.
    pub loads: Vec<Load>,
    /// Which part of all this is this machine's.
    pub shard: Stripe,
    /// What virtual users do; never empty. A VU draws one per iteration, by weight.
    pub scenarios: Vec<Scenario>,
    /// What counts as the point where the server breaks.
    pub breaking_point: BreakingPointRule,
    /// What the run must show to pass.
    pub thresholds: Vec<Threshold>,
}

impl Plan {
    /// The largest number of virtual users that are ever active at once, of all loads together.
    pub fn max_vus(&self) -> u32 {
        self.loads.iter().map(|load| load.executor.max_vus()).fold(0, u32::saturating_add)
    }

    /// The planned length of the run, from its start to the end of its last load; `None` where only iterations end it.
    pub fn duration(&self) -> Option<Duration> {
        load::end_of(&self.loads)
    }

    /// Whether iterations begin when they are due, and not when a virtual user is free, in some load at least.
    pub fn is_open(&self) -> bool {
        self.loads.iter().any(|load| load.executor.is_open())
    }

    /// The series every sample of this run belongs to, in the order of their [`SeriesId`]s: first the lifecycle methods
    /// (`initialize`, ...), then one per request step in the order of the file.
    pub fn series(&self) -> Vec<SeriesKey> {
        scenario::series_of(&self.scenarios)
    }
}
