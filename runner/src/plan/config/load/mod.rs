//! The shape of the load, from whoever said it last: the file, then the flags.
//!
//! In: what [`tables`] read from the file, what [`flags`] say, and the scenarios. Out: [`Load`]s whose figures are sane: no zero
//! users, no zero length, no sum that overflows, no rate that its virtual users cannot carry.

mod drawing;
mod flags;
mod keys;
mod limits;
mod pool;
mod said;
mod stages;
mod tables;

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use super::error::Problems;
use super::file::{LoadTable, SettingsTable, StageTable};
use super::overrides::Overrides;
use super::threshold::Known;
use super::value::At;
use crate::plan::duration::human;
use crate::plan::schedule::expected_arrivals;
use crate::plan::{Executor, Load, Rate, RateStage, Scenario, Spacing, Stage};
use drawing::Drawn;
use flags::Flags;
use said::{By, Said};

/// Virtual users, if nobody says how many.
const USERS: NonZeroU32 = NonZeroU32::new(10).expect("ten");

/// Length of the run, if nobody says how long.
const LENGTH: Duration = Duration::from_secs(30);

/// Everything in the file that shapes the load.
#[derive(Debug)]
pub(super) struct Tables<'a> {
    /// `[load]`, or each `[[load]]`.
    pub(super) loads: &'a [At<LoadTable>],
    /// `[[stage]]`.
    pub(super) stages: &'a [At<StageTable>],
    /// `[settings]`.
    pub(super) settings: &'a SettingsTable,
}

impl Tables<'_> {
    /// Whether the load is shaped by the file at all, and not by flags and defaults alone.
    pub(super) fn says_anything(&self) -> bool {
        let SettingsTable { virtual_users, duration, duration_secs, .. } = self.settings;
        let settings = virtual_users.is_some() || duration.is_some() || duration_secs.is_some();
        settings || !self.loads.is_empty() || !self.stages.is_empty()
    }
}

/// What a load takes from the rest of the configuration.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    /// The scenarios; missing where they could not be read.
    pub(super) scenarios: Option<Known<'a>>,
    /// Whether a flag replaced the scenarios of the file by a plugin.
    pub(super) replaced: bool,
    /// Longest wait for one answer.
    pub(super) timeout: Duration,
    /// How long running iterations may go on after the end of a load that does not say it.
    pub(super) graceful_stop: Duration,
}

/// A load as far as it was said; what is missing gets its default when everything else is known.
#[derive(Debug, Clone, Default)]
struct Draft {
    /// Who said that there is such a load.
    by: Option<By>,
    name: String,
    start: Duration,
    graceful_stop: Option<Duration>,
    graceful_ramp_down: Option<Duration>,
    scenarios: Option<At<Vec<At<String>>>>,
    /// How iterations are started; `None` if that could not be understood.
    shape: Option<Shape>,
    /// Virtual users; of an open load, those at the beginning.
    users: Option<Said<NonZeroU32>>,
    /// Length of the load; of a load of iterations: when it ends at the latest.
    length: Option<Duration>,
    pool: PoolKeys,
    /// Keys of `[settings]` that stages make idle.
    idle: Vec<&'static str>,
}

/// How iterations are started.
#[derive(Debug, Clone)]
enum Shape {
    Constant { spawn_rate: Option<Rate> },
    Ramp { from: u32, stages: Vec<Stage> },
    Shared(NonZeroU64),
    PerVu(NonZeroU64),
    Arrivals(Rate),
    ArrivalRamp { from: Rate, stages: Vec<RateStage> },
}

/// What was said about the virtual users of an open load, besides how many there are from the beginning.
#[derive(Debug, Clone, Default)]
struct PoolKeys {
    max_vus: Option<Said<NonZeroU32>>,
    max_wait: Option<Duration>,
    spacing: Option<Spacing>,
}

/// The loads; `None` once their mistakes are noted.
pub(super) fn resolve(
    tables: &Tables<'_>,
    overrides: &Overrides,
    surroundings: &Surroundings<'_>,
    problems: &mut Problems<'_>,
    notes: &mut Vec<String>,
) -> Option<Vec<Load>> {
    let known_problems = problems.count();
    let drafts = tables::read(tables, problems);
    let flags = Flags::check(overrides, problems);
    let drafts = flags.applied(drafts, problems, notes);
    let loads: Vec<Load> = drafts
        .into_iter()
        .filter_map(|draft| load(draft, overrides, surroundings, problems, notes))
        .collect();
    if loads.is_empty() && problems.count() == known_problems && surroundings.scenarios.is_some() {
        problems.anywhere(
            "no load draws from the scenarios that were asked for",
            "leave out --scenario, or name others",
        );
    }
    surroundings.scenarios.is_some().then_some(loads).filter(|loads| !loads.is_empty())
}

/// A load with everything that nobody said; `None` where that cannot be, or where all its scenarios were left out.
fn load(
    draft: Draft,
    overrides: &Overrides,
    surroundings: &Surroundings<'_>,
    problems: &mut Problems<'_>,
    notes: &mut Vec<String>,
) -> Option<Load> {
    let places = match drawing::resolve(&draft, surroundings, problems, notes)? {
        Drawn::Places(places) => places,
        Drawn::LeftOut => {
            notes.push(format!("load `{}` is left out: none of its scenarios was asked for", draft.name));
            return None;
        }
    };
    let chosen = surroundings.scenarios.map_or(&[][..], |known| known.chosen);
    let drawn = places.iter().filter_map(|&place| chosen.get(place));
    let scenarios: Vec<&Scenario> = drawn.filter(|scenario| scenario.weight > 0).collect();
    if !draft.idle.is_empty() {
        let keys = draft.idle.join(" and ");
        notes.push(format!("{keys} in [settings]: no effect, because stages shape the load"));
    }
    let executor = executor(&draft, &scenarios, surroundings.timeout, problems)?;
    if executor.duration().is_some_and(|length| !tables::ends_in_time(draft.start, length)) {
        let help = "begin it earlier, or make it shorter";
        problems.said(&draft.said(), "this load ends more than a year after the start of the run", help);
    }
    notes.extend(remarks(&executor));
    let graceful_stop = overrides.graceful_stop.or(draft.graceful_stop).unwrap_or(surroundings.graceful_stop);
    Some(Load {
        name: draft.name,
        executor,
        start: draft.start,
        graceful_stop,
        graceful_ramp_down: draft.graceful_ramp_down.unwrap_or(graceful_stop),
        scenarios: places,
    })
}

fn executor(
    draft: &Draft,
    scenarios: &[&Scenario],
    timeout: Duration,
    problems: &mut Problems<'_>,
) -> Option<Executor> {
    let users = draft.users.as_ref().map(|said| said.value);
    let vus = users.unwrap_or(NonZeroU32::MIN);
    let mut pool =
        |peak: Rate| pool::resolve(peak, &draft.pool, draft.users.as_ref(), scenarios, timeout, problems);
    let executor = match draft.shape.clone()? {
        Shape::Constant { spawn_rate } => Executor::ConstantVus {
            vus: users.unwrap_or(USERS),
            spawn_rate,
            duration: draft.length.unwrap_or(LENGTH),
        },
        Shape::Ramp { from, stages } => Executor::RampingVus { from, stages },
        Shape::Shared(iterations) => {
            Executor::SharedIterations { vus, iterations, max_duration: draft.length }
        }
        Shape::PerVu(iterations) => Executor::PerVuIterations { vus, iterations, max_duration: draft.length },
        Shape::Arrivals(rate) => {
            let duration = draft.length.unwrap_or(LENGTH);
            Executor::ConstantArrivalRate { rate, duration, pool: pool(rate) }
        }
        Shape::ArrivalRamp { from, stages } => {
            let peak = stages.iter().map(|stage| stage.target.get()).fold(from.get(), f64::max);
            let pool = pool(Rate::per_second(peak).unwrap_or_default());
            Executor::RampingArrivalRate { from, stages, pool }
        }
    };
    pool::refuse_overload(&executor, scenarios, draft.pool.max_vus.as_ref(), &draft.said(), problems);
    Some(executor)
}

/// What is allowed and yet may not be meant.
fn remarks(executor: &Executor) -> Option<String> {
    match executor {
        Executor::ConstantVus { vus, spawn_rate: Some(rate), duration } => {
            let started = rate.get() * duration.as_secs_f64() + 1.0;
            (started < f64::from(vus.get())).then(|| {
                let (started, length) = (started.floor(), human(*duration));
                format!(
                    "at a spawn rate of {rate} only {started} of {vus} virtual users start within {length}"
                )
            })
        }
        executor => {
            let length = executor.duration().filter(|_| executor.is_open())?;
            (expected_arrivals(executor, length) <= 1.0).then(|| {
                format!("the rate is so low that no second iteration begins within {}", human(length))
            })
        }
    }
}

impl Draft {
    /// Who said that there is this load.
    fn said(&self) -> By {
        self.by.clone().unwrap_or(By::Flag("--duration"))
    }

    /// When it ends, after the start of the run, as far as that was said.
    fn ends(&self) -> Option<Duration> {
        let length = self.length_of_stages().or(self.length)?;
        Some(self.start.saturating_add(length))
    }

    /// The length of its ramp.
    fn length_of_stages(&self) -> Option<Duration> {
        match &self.shape {
            Some(Shape::Ramp { stages, .. }) => Some(stages.iter().map(|stage| stage.duration).sum()),
            Some(Shape::ArrivalRamp { stages, .. }) => Some(stages.iter().map(|stage| stage.duration).sum()),
            _ => None,
        }
    }

    /// The most virtual users of its ramp.
    fn peak_of_stages(&self) -> Option<NonZeroU32> {
        match &self.shape {
            Some(Shape::Ramp { from, stages }) => {
                NonZeroU32::new(stages.iter().map(|stage| stage.target).fold(*from, u32::max))
            }
            _ => None,
        }
    }
}

impl Shape {
    /// Whether iterations begin when they are due, not when a virtual user is free.
    fn is_open(&self) -> bool {
        matches!(self, Self::Arrivals(_) | Self::ArrivalRamp { .. })
    }
}
