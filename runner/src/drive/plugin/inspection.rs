//! What a plugin file is, found out without a target and without any load.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::engine::Machine;
use super::interface::{self, SERVED};
use super::load::Loaded;
use crate::drive::clock::Clock;
use crate::error::Error;
use crate::judge::MetricFacts;
use crate::plan::PluginLimits;

/// A plugin by its own account, and what its file tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it does, in a sentence.
    pub description: String,
    /// Version of the interface it was built for.
    pub interface: String,
    /// Version of the interface that this program serves.
    pub served_interface: String,
    /// JSON Schema of its configuration.
    pub config_schema: Option<Value>,
    /// Whether it wants to hear what came of its steps.
    pub wants_outcomes: bool,
    /// Whether it wants to hear of its virtual user's end.
    pub wants_finish: bool,
    /// How many iterations are planned in one call.
    pub plans_ahead: u32,
    /// Custom metrics.
    pub metrics: Vec<MetricFacts>,
    /// Tools that the target must have.
    pub requires_tools: Vec<String>,
    /// What it asks of the host.
    pub imports: Vec<String>,
    /// Bytes of the file.
    pub size_bytes: u64,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// Time to read, compile and link it; little where it was compiled before.
    pub load_time: Duration,
}

/// Loads a plugin and asks it what it is.
///
/// # Errors
/// [`ExitCode::Usage`](crate::error::ExitCode::Usage) where there is no such file,
/// [`ExitCode::Plugin`](crate::error::ExitCode::Plugin) where it is not a plugin of this interface.
pub fn inspect(file: &Path, limits: &PluginLimits) -> Result<Inspection, Error> {
    let machine = Machine::start()?;
    let clock = Clock::start();
    let loaded = Loaded::from_file(&machine.engine, file, limits)?;
    let load_time = clock.now().elapsed();
    let Loaded { component, size, sha256, interface, account, .. } = loaded;
    Ok(Inspection {
        name: account.name,
        version: account.version,
        description: account.description,
        interface: interface.to_string(),
        served_interface: SERVED.to_string(),
        config_schema: account.config_schema,
        wants_outcomes: account.wants_outcomes,
        wants_finish: account.wants_finish,
        plans_ahead: account.plans_ahead,
        metrics: account.metrics,
        requires_tools: account.requires_tools,
        imports: interface::imports(&machine.engine, &component),
        size_bytes: size,
        sha256,
        load_time,
    })
}
