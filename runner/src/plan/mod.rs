//! What was asked: the validated description of a run. Pure: no clock, no tokio, no I/O.
//!
//! In: a TOML file, the environment and flags, already read as text by `cli`. Out: a [`Plan`], which exists only validated,
//! and the [`schedule`] that says how many virtual users are wanted at an instant.

pub mod config;
pub mod discovery;
pub mod duration;
mod headers;
pub mod library;
pub mod plugin;
pub mod resolved;
pub mod scenario;
pub mod schedule;
pub mod settings;
pub mod size;
pub mod starter;
pub mod threshold;

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;
use std::time::Duration;

pub use plugin::{InstancePolicy, PluginLimits, PluginUse};
pub use resolved::ResolvedConfig;
pub use scenario::{Action, HttpStep, Scenario, Script, SeriesId, SeriesKey, SeriesKind, Step, ThinkTime};
pub use settings::{
    ConnectionPolicy, Protocol, Revision, Secret, SessionPolicy, Settings, Target, TransportKind, shown_url,
};
pub use threshold::Threshold;

/// One run, fully resolved and validated: flags over environment over file over defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Who is hit, and how they are spoken to.
    pub target: Target,
    /// Everything that is not the shape of the load.
    pub settings: Settings,
    /// The shape of the load.
    pub load: Load,
    /// What virtual users do; never empty. A VU draws one per iteration, by weight.
    pub scenarios: Vec<Scenario>,
    /// What the run must show to pass.
    pub thresholds: Vec<Threshold>,
}

/// The shape of the load: which executor, for how long, and how it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Who starts iterations, and when.
    pub executor: Executor,
    /// How long running iterations may go on after the end before they are cut off (outcome `cancelled`).
    pub graceful_stop: Duration,
}

/// How iterations are started: k6's executors, of which the closed ones are here.
#[derive(Debug, Clone, PartialEq)]
pub enum Executor {
    /// A fixed number of virtual users, each starting its next iteration when the last one ended.
    ConstantVus {
        /// How many.
        vus: NonZeroU32,
        /// Length of the run.
        duration: Duration,
    },
    /// A number of virtual users that moves linearly from each stage's target to the next, from zero.
    RampingVus {
        /// The ramp; never empty, and not all targets are zero.
        stages: Vec<Stage>,
    },
    /// A total number of iterations, shared by all virtual users.
    SharedIterations {
        /// How many virtual users.
        vus: NonZeroU32,
        /// Iterations of all virtual users together.
        iterations: NonZeroU64,
        /// When the run ends at the latest; `None` lets it take as long as the iterations do.
        max_duration: Option<Duration>,
    },
    /// A number of iterations for every virtual user.
    PerVuIterations {
        /// How many virtual users.
        vus: NonZeroU32,
        /// Iterations of each virtual user.
        iterations: NonZeroU64,
        /// When the run ends at the latest; `None` lets it take as long as the iterations do.
        max_duration: Option<Duration>,
    },
}

/// A stretch of a ramp: the number of virtual users moves linearly to `target` over `duration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// How long the ramp takes; never zero.
    pub duration: Duration,
    /// Virtual users wanted at its end.
    pub target: u32,
}

/// Reads a stage of the command line: a duration, a colon, and a number of virtual users.
///
/// ```
/// use std::time::Duration;
/// use pmcp_loadtest::plan::Stage;
/// assert_eq!("30s:50".parse(), Ok(Stage { duration: Duration::from_secs(30), target: 50 }));
/// assert!("50".parse::<Stage>().is_err());
/// ```
impl FromStr for Stage {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (duration, target) = text.split_once(':').ok_or_else(|| {
            format!("`{text}` is not a stage; write its length and its users, such as 30s:50")
        })?;
        let target = target.trim();
        Ok(Self {
            duration: duration::parse_flag(duration)?,
            target: target.parse().map_err(|_| format!("`{target}` is not a number of virtual users"))?,
        })
    }
}

impl Executor {
    /// The executor's name in the TOML file and in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ConstantVus { .. } => "constant-vus",
            Self::RampingVus { .. } => "ramping-vus",
            Self::SharedIterations { .. } => "shared-iterations",
            Self::PerVuIterations { .. } => "per-vu-iterations",
        }
    }

    /// The largest number of virtual users that are ever active at once.
    pub fn max_vus(&self) -> u32 {
        match self {
            Self::ConstantVus { vus, .. }
            | Self::SharedIterations { vus, .. }
            | Self::PerVuIterations { vus, .. } => vus.get(),
            Self::RampingVus { stages } => stages.iter().map(|stage| stage.target).max().unwrap_or(0),
        }
    }

    /// The planned length of the run; `None` where only the iterations end it.
    pub fn duration(&self) -> Option<Duration> {
        match self {
            Self::ConstantVus { duration, .. } => Some(*duration),
            Self::RampingVus { stages } => Some(stages.iter().map(|stage| stage.duration).sum()),
            Self::SharedIterations { max_duration, .. } | Self::PerVuIterations { max_duration, .. } => {
                *max_duration
            }
        }
    }
}

impl fmt::Display for Load {
    /// The shape in a few words: `constant-vus: 10 VUs for 30s`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let executor = &self.executor;
        write!(formatter, "{}: ", executor.name())?;
        let at_most = |longest: &Option<Duration>| {
            longest.map(|longest| format!(", at most {}", duration::human(longest))).unwrap_or_default()
        };
        match executor {
            Executor::ConstantVus { vus, duration } => {
                write!(formatter, "{} for {}", virtual_users(*vus), duration::human(*duration))
            }
            Executor::RampingVus { stages } => {
                let targets: Vec<String> = stages
                    .iter()
                    .map(|stage| format!("{} in {}", stage.target, duration::human(stage.duration)))
                    .collect();
                write!(formatter, "0 VUs, then {}", targets.join(", "))
            }
            Executor::SharedIterations { vus, iterations, max_duration } => {
                write!(
                    formatter,
                    "{iterations} iterations shared by {}{}",
                    virtual_users(*vus),
                    at_most(max_duration)
                )
            }
            Executor::PerVuIterations { vus, iterations, max_duration } => {
                write!(
                    formatter,
                    "{iterations} iterations for each of {}{}",
                    virtual_users(*vus),
                    at_most(max_duration)
                )
            }
        }
    }
}

fn virtual_users(number: NonZeroU32) -> String {
    format!("{number} {}", if number.get() == 1 { "VU" } else { "VUs" })
}

impl Plan {
    /// The series every sample of this run belongs to, in the order of their [`SeriesId`]s: first the lifecycle methods
    /// (`initialize`, ...), then one per request step in the order of the file.
    pub fn series(&self) -> Vec<SeriesKey> {
        scenario::series_of(&self.scenarios)
    }
}
