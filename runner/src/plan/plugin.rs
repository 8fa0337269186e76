//! Scenarios that are code: which plugin, with what configuration, and what every plugin of a run is allowed.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The plugin of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginUse {
    /// The component's file; relative to the working directory of the program.
    pub file: PathBuf,
    /// What the plugin is set up with: an object, empty where nothing was given.
    pub config: Value,
}

/// Which virtual users share an instance of a plugin, and so the memory of its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum InstancePolicy {
    /// An instance for each virtual user while there are few enough to stay in the processor's caches, above that one per worker.
    #[default]
    Auto,
    /// An instance for each virtual user: none can disturb another.
    PerVu,
    /// An instance for all virtual users of a worker.
    PerWorker,
}

/// What every plugin of a run is allowed. What goes beyond is that plugin's failure, never the run's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginLimits {
    /// Who shares an instance.
    pub instances: InstancePolicy,
    /// Most memory of an instance, bytes.
    pub memory_bytes: u64,
    /// Longest time of one call that plans or learns (`next`, `finish`).
    pub call_timeout: Duration,
    /// Longest time of one call that starts something (`describe`, `setup`, `open`).
    pub start_timeout: Duration,
    /// Largest component file that is loaded, bytes.
    pub file_bytes: u64,
    /// Most steps of one iteration. A plan without steps counts as one, so that no iteration goes on for ever.
    pub steps: u32,
    /// Largest arguments, parameters or body of one step, bytes.
    pub arguments_bytes: u64,
    /// Most of a result that is handed over to the plugin, bytes.
    pub result_bytes: u64,
    /// Most log lines of a level that a worker keeps; what comes beyond is counted.
    pub log_lines: u32,
}

impl Default for PluginLimits {
    fn default() -> Self {
        Self {
            instances: InstancePolicy::Auto,
            memory_bytes: 64 << 20,
            call_timeout: Duration::from_secs(1),
            start_timeout: Duration::from_secs(10),
            file_bytes: 64 << 20,
            steps: 1000,
            arguments_bytes: 1 << 20,
            result_bytes: 64 << 10,
            log_lines: 20,
        }
    }
}
