//! The shape of the load: who starts iterations, when, and how it ends.
//!
//! Two models (Schroeder, Wierman, Harchol-Balter: "Open versus closed: a cautionary tale", NSDI 2006). In the closed one a virtual user
//! begins its next iteration when the last one has ended, so that a slow server is asked less. In the open one iterations begin when
//! they are due, whatever the server does.

mod rate;
mod stage;

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::duration::human;
pub use rate::Rate;
pub use stage::{AnyStage, RateStage, Stage};

/// One load: an executor, the scenarios it draws from, and its place in the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Name in reports; unique within the run, and empty where there is only one that nobody named.
    pub name: String,
    /// Who starts iterations, and when.
    pub executor: Executor,
    /// When it begins, after the start of the run.
    pub start: Duration,
    /// How long running iterations may go on after its end before they are cut off (outcome `cancelled`).
    pub graceful_stop: Duration,
    /// How long a running iteration may go on once a falling ramp has no place for its virtual user.
    pub graceful_ramp_down: Duration,
    /// The scenarios it draws from, by their places in the plan, ascending; never empty, and the sum of their weights is above zero.
    pub scenarios: Vec<usize>,
}

/// How iterations are started: k6's six executors.
#[derive(Debug, Clone, PartialEq)]
pub enum Executor {
    /// Closed: a fixed number of virtual users.
    ConstantVus {
        /// How many.
        vus: NonZeroU32,
        /// How many of them start per second; all at once where it is not said.
        spawn_rate: Option<Rate>,
        /// Length of the load.
        duration: Duration,
    },
    /// Closed: a number of virtual users that moves linearly from each stage's target to the next.
    RampingVus {
        /// Virtual users at the beginning.
        from: u32,
        /// The ramp; never empty, and not everything is zero.
        stages: Vec<Stage>,
    },
    /// Closed: a total number of iterations, shared by all virtual users.
    SharedIterations {
        /// How many virtual users.
        vus: NonZeroU32,
        /// Iterations of all virtual users together.
        iterations: NonZeroU64,
        /// When it ends at the latest; `None` lets it take as long as the iterations do.
        max_duration: Option<Duration>,
    },
    /// Closed: a number of iterations for every virtual user.
    PerVuIterations {
        /// How many virtual users.
        vus: NonZeroU32,
        /// Iterations of each virtual user.
        iterations: NonZeroU64,
        /// When it ends at the latest; `None` lets it take as long as the iterations do.
        max_duration: Option<Duration>,
    },
    /// Open: iterations begin at a fixed rate.
    ConstantArrivalRate {
        /// Iterations per second; above zero.
        rate: Rate,
        /// Length of the load.
        duration: Duration,
        /// Who runs them.
        pool: Pool,
    },
    /// Open: iterations begin at a rate that moves linearly from each stage's target to the next.
    RampingArrivalRate {
        /// The rate at the beginning.
        from: Rate,
        /// The ramp; never empty, and not everything is zero.
        stages: Vec<RateStage>,
        /// Who runs them.
        pool: Pool,
    },
}

/// The virtual users of an open load. A virtual user that is free waits for the next arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// How many there are from the beginning.
    pub vus: u32,
    /// How many there may be when arrivals find no free one; at least `vus`.
    pub max_vus: NonZeroU32,
    /// How long an arrival waits for a free one, when there may be no more; then it is dropped.
    pub max_wait: Duration,
    /// How arrivals are spaced.
    pub spacing: Spacing,
}

/// How arrivals are spaced in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Spacing {
    /// Evenly: as many in every stretch of time as its rate says.
    #[default]
    Even,
    /// As independent users come: a Poisson process of that rate.
    Poisson,
}

impl Spacing {
    /// The word in the TOML file and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Even => "even",
            Self::Poisson => "poisson",
        }
    }
}

impl FromStr for Spacing {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        let all = [Self::Even, Self::Poisson];
        let found = all.into_iter().find(|spacing| spacing.as_str() == word);
        found.ok_or_else(|| format!("`{word}` is none of {}", all.map(Self::as_str).join(", ")))
    }
}

impl Load {
    /// A load that begins with the run and draws from the first `scenarios` of the plan.
    pub fn simple(executor: Executor, graceful_stop: Duration, scenarios: usize) -> Self {
        Self {
            name: String::new(),
            executor,
            start: Duration::ZERO,
            graceful_stop,
            graceful_ramp_down: graceful_stop,
            scenarios: (0..scenarios).collect(),
        }
    }

    /// When it ends, after the start of the run; `None` where only its iterations end it.
    pub fn ends(&self) -> Option<Duration> {
        self.executor.duration().map(|duration| self.start.saturating_add(duration))
    }
}

/// When the last of several loads ends, after the start of the run; `None` where only iterations end one.
pub(crate) fn end_of(loads: &[Load]) -> Option<Duration> {
    loads.iter().map(Load::ends).try_fold(Duration::ZERO, |latest, ends| Some(latest.max(ends?)))
}

impl Executor {
    /// The executor's name in the TOML file and in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ConstantVus { .. } => "constant-vus",
            Self::RampingVus { .. } => "ramping-vus",
            Self::SharedIterations { .. } => "shared-iterations",
            Self::PerVuIterations { .. } => "per-vu-iterations",
            Self::ConstantArrivalRate { .. } => "constant-arrival-rate",
            Self::RampingArrivalRate { .. } => "ramping-arrival-rate",
        }
    }

    /// Whether iterations begin when they are due, not when a virtual user is free.
    pub fn is_open(&self) -> bool {
        self.pool().is_some()
    }

    /// The virtual users of an open load.
    pub fn pool(&self) -> Option<&Pool> {
        match self {
            Self::ConstantArrivalRate { pool, .. } | Self::RampingArrivalRate { pool, .. } => Some(pool),
            Self::ConstantVus { .. }
            | Self::RampingVus { .. }
            | Self::SharedIterations { .. }
            | Self::PerVuIterations { .. } => None,
        }
    }

    /// The largest number of virtual users that are ever active at once.
    pub fn max_vus(&self) -> u32 {
        match self {
            Self::ConstantVus { vus, .. }
            | Self::SharedIterations { vus, .. }
            | Self::PerVuIterations { vus, .. } => vus.get(),
            Self::RampingVus { from, stages } => {
                stages.iter().map(|stage| stage.target).fold(*from, u32::max)
            }
            Self::ConstantArrivalRate { pool, .. } | Self::RampingArrivalRate { pool, .. } => {
                pool.max_vus.get()
            }
        }
    }

    /// The planned length of the load; `None` where only the iterations end it.
    pub fn duration(&self) -> Option<Duration> {
        match self {
            Self::ConstantVus { duration, .. } | Self::ConstantArrivalRate { duration, .. } => {
                Some(*duration)
            }
            Self::RampingVus { stages, .. } => Some(stages.iter().map(|stage| stage.duration).sum()),
            Self::RampingArrivalRate { stages, .. } => Some(stages.iter().map(|stage| stage.duration).sum()),
            Self::SharedIterations { max_duration, .. } | Self::PerVuIterations { max_duration, .. } => {
                *max_duration
            }
        }
    }

    /// The planned number of iterations; `None` where only time ends the load.
    pub fn iterations(&self) -> Option<u64> {
        match self {
            Self::SharedIterations { iterations, .. } => Some(iterations.get()),
            Self::PerVuIterations { vus, iterations, .. } => {
                Some(iterations.get().saturating_mul(u64::from(vus.get())))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Load {
    /// The shape in a few words: `constant-vus: 10 VUs for 30s`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let executor = &self.executor;
        if !self.name.is_empty() {
            write!(formatter, "{}, ", self.name)?;
        }
        write!(formatter, "{}: ", executor.name())?;
        let at_most = |longest: &Option<Duration>| {
            longest.map(|longest| format!(", at most {}", human(longest))).unwrap_or_default()
        };
        match executor {
            Executor::ConstantVus { vus, spawn_rate, duration } => {
                let spawned = spawn_rate.map(|rate| format!(", {rate} of them starting")).unwrap_or_default();
                write!(formatter, "{} for {}{spawned}", virtual_users(vus.get()), human(*duration))
            }
            Executor::RampingVus { from, stages } => {
                let targets: Vec<String> = stages
                    .iter()
                    .map(|stage| format!("{} in {}", stage.target, human(stage.duration)))
                    .collect();
                write!(formatter, "{}, then {}", virtual_users(*from), targets.join(", "))
            }
            Executor::SharedIterations { vus, iterations, max_duration } => write!(
                formatter,
                "{iterations} iterations shared by {}{}",
                virtual_users(vus.get()),
                at_most(max_duration)
            ),
            Executor::PerVuIterations { vus, iterations, max_duration } => write!(
                formatter,
                "{iterations} iterations for each of {}{}",
                virtual_users(vus.get()),
                at_most(max_duration)
            ),
            Executor::ConstantArrivalRate { rate, duration, pool } => {
                write!(formatter, "{rate} for {}, {pool}", human(*duration))
            }
            Executor::RampingArrivalRate { from, stages, pool } => {
                let targets: Vec<String> = stages
                    .iter()
                    .map(|stage| match stage.duration {
                        Duration::ZERO => format!("{} at once", stage.target),
                        length => format!("{} in {}", stage.target, human(length)),
                    })
                    .collect();
                write!(formatter, "{from}, then {}, {pool}", targets.join(", "))
            }
        }?;
        if self.start.is_zero() { Ok(()) } else { write!(formatter, ", from {}", human(self.start)) }
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "up to {}", virtual_users(self.max_vus.get()))?;
        if self.spacing == Spacing::Poisson { write!(formatter, ", Poisson arrivals") } else { Ok(()) }
    }
}

fn virtual_users(number: u32) -> String {
    format!("{number} {}", if number == 1 { "VU" } else { "VUs" })
}
