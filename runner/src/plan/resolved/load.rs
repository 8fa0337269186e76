//! The shape of the load, as a report shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::micros;
use crate::plan::{Executor, Load, Pool, Rate, Scenario};

/// The shape of the load; which keys are present depends on the executor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedLoad {
    /// Its name, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it began, in microseconds after the start of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_us: Option<u64>,
    /// The scenarios that it draws from, where these are not all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scenarios: Vec<String>,
    /// How iterations are started.
    pub executor: String,
    /// Iterations per second, at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_s: Option<f64>,
    /// How arrivals were spaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spacing: Option<String>,
    /// Most virtual users of an open load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_vus: Option<u32>,
    /// How long an arrival waited for a free virtual user at the longest, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_wait_us: Option<u64>,
    /// Virtual users that started per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spawn_rate_per_s: Option<f64>,
    /// Concurrent virtual users; those at the beginning, where their number moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vus: Option<u32>,
    /// Length of the run, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<u64>,
    /// Iterations in all, or of every virtual user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u64>,
    /// When a run of iterations ends at the latest, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_duration_us: Option<u64>,
    /// The ramp.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<ResolvedStage>,
    /// How long running iterations may go on after the end, in microseconds.
    pub graceful_stop_us: u64,
    /// How long a running iteration may go on once a falling ramp has no place for its virtual user, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graceful_ramp_down_us: Option<u64>,
}

/// A stretch of a ramp.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedStage {
    /// How long it takes, in microseconds.
    pub duration_us: u64,
    /// Virtual users at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<u32>,
    /// Iterations per second at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_per_s: Option<f64>,
}

/// A load of the plan; `scenarios` are all of the plan's.
pub(super) fn resolved(load: &Load, scenarios: &[Scenario]) -> ResolvedLoad {
    let named = ResolvedLoad {
        executor: load.executor.name().to_owned(),
        name: Some(load.name.clone()).filter(|name| !name.is_empty()),
        start_us: Some(micros(load.start)).filter(|start| *start > 0),
        scenarios: if load.scenarios.len() == scenarios.len() {
            Vec::new()
        } else {
            load.scenarios.iter().map(|&place| scenarios[place].name.clone()).collect()
        },
        graceful_stop_us: micros(load.graceful_stop),
        ..ResolvedLoad::default()
    };
    let pooled = |pool: &Pool| ResolvedLoad {
        vus: Some(pool.vus),
        max_vus: Some(pool.max_vus.get()),
        max_wait_us: Some(micros(pool.max_wait)),
        spacing: Some(pool.spacing.as_str().to_owned()),
        ..named.clone()
    };
    match &load.executor {
        Executor::ConstantVus { vus, spawn_rate, duration } => ResolvedLoad {
            vus: Some(vus.get()),
            spawn_rate_per_s: spawn_rate.map(Rate::get),
            duration_us: Some(micros(*duration)),
            ..named
        },
        Executor::RampingVus { from, stages } => {
            let stages = stages.iter().map(|stage| ResolvedStage {
                duration_us: micros(stage.duration),
                target: Some(stage.target),
                target_per_s: None,
            });
            ResolvedLoad {
                vus: Some(*from).filter(|from| *from > 0),
                stages: stages.collect(),
                graceful_ramp_down_us: Some(micros(load.graceful_ramp_down)),
                ..named
            }
        }
        Executor::ConstantArrivalRate { rate, duration, pool } => ResolvedLoad {
            rate_per_s: Some(rate.get()),
            duration_us: Some(micros(*duration)),
            ..pooled(pool)
        },
        Executor::RampingArrivalRate { from, stages, pool } => {
            let stages = stages.iter().map(|stage| ResolvedStage {
                duration_us: micros(stage.duration),
                target: None,
                target_per_s: Some(stage.target.get()),
            });
            ResolvedLoad { rate_per_s: Some(from.get()), stages: stages.collect(), ..pooled(pool) }
        }
        Executor::SharedIterations { vus, iterations, max_duration }
        | Executor::PerVuIterations { vus, iterations, max_duration } => ResolvedLoad {
            vus: Some(vus.get()),
            iterations: Some(iterations.get()),
            max_duration_us: max_duration.map(micros),
            ..named
        },
    }
}
