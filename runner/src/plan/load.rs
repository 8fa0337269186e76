//! The shape of the load: who starts iterations, when, and how it ends.
//!
//! Two models (Schroeder, Wierman, Harchol-Balter: "Open versus closed: a cautionary tale", NSDI 2006). In the closed one a virtual user
//! begins its next iteration when the last one has ended, so that a slow server is asked less. In the open one iterations begin when
//! they are due, whatever the server does.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;
use std::time::Duration;

use super::duration::{self, human};

/// One load: an executor, the scenarios it draws from, and its place in the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Name in reports; unique within the run, and empty where there is only one.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spacing {
    /// Evenly: as many in every stretch of time as its rate says.
    #[default]
    Even,
    /// As independent users come: a Poisson process of that rate.
    Poisson,
}

/// A number of events per second; finite, not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Rate(f64);

/// A stretch of a ramp: the number of virtual users moves linearly to `target` over `duration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// How long the ramp takes; never zero.
    pub duration: Duration,
    /// Virtual users wanted at its end.
    pub target: u32,
}

/// A stretch of a ramp: the rate moves linearly to `target` over `duration`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateStage {
    /// How long the ramp takes; zero jumps.
    pub duration: Duration,
    /// The rate at its end.
    pub target: Rate,
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

impl Rate {
    /// A rate of `per_second` events; `None` where it is negative or no number.
    pub fn per_second(per_second: f64) -> Option<Self> {
        (per_second.is_finite() && per_second >= 0.0).then_some(Self(per_second))
    }

    /// Events per second.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Whether nothing ever happens.
    pub fn is_zero(self) -> bool {
        self.0 <= 0.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/s", self.0)
    }
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
                    .map(|stage| format!("{} in {}", stage.target, human(stage.duration)))
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
