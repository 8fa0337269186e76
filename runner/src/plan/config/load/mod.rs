//! The shape of the load, from whoever said it last: the file, then the flags.
//!
//! In: what [`tables`] read from the file, and the flags. Out: an [`Executor`] whose numbers are sane: no zero users, no zero
//! length, no sum that overflows.

mod tables;

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use super::error::Problems;
use super::file::File;
use super::overrides::Overrides;
use crate::plan::{Executor, Stage, duration};
use tables::{InFile, Shape};

/// Virtual users, if nobody says how many.
const USERS: NonZeroU32 = NonZeroU32::new(10).expect("ten");

/// Length of the run, if nobody says how long.
const LENGTH: Duration = Duration::from_secs(30);

/// Most virtual users that can be asked for: more than one machine has ports for, and few enough to keep in memory.
const MOST_USERS: u32 = 1_000_000;

/// The executor; `None` once its mistakes are noted.
pub(super) fn resolve(
    file: &File,
    overrides: &Overrides,
    problems: &mut Problems<'_>,
    notes: &mut Vec<String>,
) -> Option<Executor> {
    let in_file = tables::read(file, problems);
    let flags = Flags::check(overrides, problems);
    if !flags.stages.is_empty() {
        return Some(Executor::RampingVus { from: 0, stages: flags.stages });
    }
    let users = flags.users.or(in_file.users);
    let length = flags.length.or(in_file.length);
    if let Some(iterations) = flags.iterations {
        return Some(total(iterations, users, length, &in_file, notes));
    }
    let vus = users.unwrap_or(NonZeroU32::MIN);
    Some(match in_file.shape? {
        Shape::Constant => Executor::ConstantVus {
            vus: users.unwrap_or(USERS),
            spawn_rate: None,
            duration: length.unwrap_or(LENGTH),
        },
        Shape::Ramp(stages) if flags.users.is_some() || flags.length.is_some() => {
            let vus = users.unwrap_or_else(|| peak(&stages));
            let duration = length.unwrap_or_else(|| sum(&stages));
            notes.push(format!(
                "--vus and --duration replace the file's stages: {vus} virtual users for {}",
                duration::human(duration)
            ));
            Executor::ConstantVus { vus, spawn_rate: None, duration }
        }
        Shape::Ramp(stages) => {
            if !in_file.idle.is_empty() {
                let keys = in_file.idle.join(" and ");
                notes.push(format!("{keys} in [settings]: no effect, because stages shape the load"));
            }
            Executor::RampingVus { from: 0, stages }
        }
        Shape::Shared(iterations) => Executor::SharedIterations { vus, iterations, max_duration: length },
        Shape::PerVu(iterations) => Executor::PerVuIterations { vus, iterations, max_duration: length },
    })
}

/// What `--iterations` asks for: a total, as in the existing command, whatever the file's executor is.
fn total(
    iterations: NonZeroU64,
    users: Option<NonZeroU32>,
    length: Option<Duration>,
    in_file: &InFile,
    notes: &mut Vec<String>,
) -> Executor {
    let stages = match &in_file.shape {
        Some(Shape::Ramp(stages)) => Some(stages),
        _ => None,
    };
    let vus = users.or(stages.map(|stages| peak(stages))).unwrap_or(NonZeroU32::MIN);
    let max_duration = length.or(stages.map(|stages| sum(stages)));
    match (&in_file.shape, max_duration) {
        (Some(Shape::Ramp(_)), Some(longest)) => notes.push(format!(
            "--iterations replaces the file's stages: {iterations} iterations by {vus} virtual users, in {} at most",
            duration::human(longest)
        )),
        (Some(Shape::PerVu(_)), _) => notes.push(format!(
            "--iterations is a total: {iterations} iterations are shared by {vus} virtual users, instead of the file's number for each"
        )),
        _ => {}
    }
    Executor::SharedIterations { vus, iterations, max_duration }
}

/// The highest target of a ramp that [`stages_fit`].
fn peak(stages: &[Stage]) -> NonZeroU32 {
    stages.iter().filter_map(|stage| NonZeroU32::new(stage.target)).max().unwrap_or(NonZeroU32::MIN)
}

fn sum(stages: &[Stage]) -> Duration {
    stages.iter().map(|stage| stage.duration).sum()
}

/// What the flags say about the load. Where something is wrong with them, it is noted and the number is left out.
#[derive(Debug)]
struct Flags {
    users: Option<NonZeroU32>,
    length: Option<Duration>,
    iterations: Option<NonZeroU64>,
    stages: Vec<Stage>,
}

impl Flags {
    fn check(overrides: &Overrides, problems: &mut Problems<'_>) -> Self {
        let help = "leave it out to run what the file says";
        let Overrides { vus, duration, iterations, stages, .. } = overrides;
        if let Some(reason) = vus.and_then(|users| users_fit(users).err()) {
            problems.anywhere(format!("--vus: {reason}"), help);
        }
        if let Some(reason) = duration.and_then(|length| length_fits(length).err()) {
            problems.anywhere(format!("--duration: {reason}"), help);
        }
        if *iterations == Some(0) {
            problems.anywhere("--iterations: zero iterations do nothing", help);
        }
        if !stages.is_empty() {
            if let Err(reason) = stages_fit(stages) {
                problems.anywhere(format!("--stage: {reason}"), help);
            }
            if vus.is_some() || duration.is_some() || iterations.is_some() {
                let message = "--stage already says how many virtual users there are and for how long";
                problems.anywhere(message, "leave out --vus, --duration and --iterations, or --stage");
            }
        }
        Self {
            users: vus.and_then(NonZeroU32::new),
            length: *duration,
            iterations: iterations.and_then(NonZeroU64::new),
            stages: stages.clone(),
        }
    }
}

fn users_fit(users: u32) -> Result<NonZeroU32, String> {
    match NonZeroU32::new(users) {
        None => Err("zero virtual users do nothing".to_owned()),
        Some(_) if users > MOST_USERS => {
            Err(format!("{users} virtual users are more than the {MOST_USERS} allowed"))
        }
        Some(users) => Ok(users),
    }
}

fn length_fits(length: Duration) -> Result<Duration, String> {
    if length.is_zero() {
        return Err("a run of no length does nothing".to_owned());
    }
    if length > duration::LONGEST {
        return Err("this is longer than a year".to_owned());
    }
    Ok(length)
}

/// Whether a ramp that is not empty can be run. Each length is checked before they are added up, so the sum cannot overflow.
fn stages_fit(stages: &[Stage]) -> Result<(), String> {
    let mut whole = Duration::ZERO;
    for stage in stages {
        whole = whole.saturating_add(stage.duration);
        if stage.duration.is_zero() {
            return Err("a stage of no length has no place on a ramp".to_owned());
        }
        if stage.target > 0 {
            users_fit(stage.target)?;
        }
    }
    length_fits(whole)?;
    if stages.iter().all(|stage| stage.target == 0) {
        return Err("a ramp whose targets are all zero does nothing".to_owned());
    }
    Ok(())
}
