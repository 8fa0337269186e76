//! What the file says about the load: `[load]`, `[[stage]]`, and `virtual_users` and `duration` of `[settings]`.

use std::num::{NonZeroU32, NonZeroU64};
use std::ops::Range;
use std::time::Duration;

use super::{length_fits, stages_fit, users_fit};
use crate::plan::Stage;
use crate::plan::config::error::Problems;
use crate::plan::config::file::{ExecutorWord, File, LoadTable, StageTable};
use crate::plan::config::value::At;

const USERS_HELP: &str = "write 1 to 1000000";
const LENGTH_HELP: &str = "write a length above zero and up to a year, such as \"30s\"";

/// What the file says; where something is wrong with it, it is noted and left out.
#[derive(Debug)]
pub(super) struct InFile {
    /// How iterations are started; `None` if that could not be understood.
    pub(super) shape: Option<Shape>,
    /// Virtual users.
    pub(super) users: Option<NonZeroU32>,
    /// Length of the run; of a run of iterations: when it ends at the latest.
    pub(super) length: Option<Duration>,
    /// Keys of `[settings]` that stages make idle.
    pub(super) idle: Vec<&'static str>,
}

/// How iterations are started.
#[derive(Debug)]
pub(super) enum Shape {
    Constant,
    Ramp(Vec<Stage>),
    Shared(NonZeroU64),
    PerVu(NonZeroU64),
}

/// Reads and checks the tables.
pub(super) fn read(file: &File, problems: &mut Problems<'_>) -> InFile {
    let own_stages = file.stage.as_deref().unwrap_or_default();
    let shape = match (&file.load, own_stages) {
        (None, []) => Some(Shape::Constant),
        (None, stages) => ramp(stages, problems),
        (Some(load), stages) => {
            if let [first, ..] = stages {
                problems.at(&first.span, "stages shape the load, and so does [load]", "keep one of them");
            }
            shape_of(load, problems)
        }
    };
    let ramps = matches!(shape, Some(Shape::Ramp(_)));
    let load = file.load.as_ref().map(|load| &load.value);
    let in_load = load.and_then(|load| load.vus.as_ref());
    let settings = file.settings.as_ref();
    let in_settings = settings.and_then(|settings| settings.virtual_users.as_ref());
    if let (Some(_), Some(at)) = (in_load, in_settings) {
        problems.at(
            &at.span,
            "the number of virtual users stands here and in [load]",
            "keep the one in [load]",
        );
    }
    let mut idle = Vec::new();
    if ramps {
        let given = settings.map(|settings| {
            [
                ("virtual_users", settings.virtual_users.is_some()),
                ("duration", settings.duration.is_some()),
                ("duration_secs", settings.duration_secs.is_some()),
            ]
        });
        idle.extend(given.into_iter().flatten().filter(|(_, given)| *given).map(|(key, _)| key));
    }
    InFile {
        // Existing files have zeros where their stages make a number idle.
        users: in_load
            .or(in_settings)
            .filter(|at| !(ramps && at.value == 0))
            .and_then(|at| users(at, problems)),
        length: length(file, ramps, problems),
        shape,
        idle,
    }
}

/// The length of the run, which may stand in one of four places.
fn length(file: &File, ramps: bool, problems: &mut Problems<'_>) -> Option<Duration> {
    let load = file.load.as_ref().map(|load| &load.value);
    let in_load = load.and_then(|load| load.duration.as_ref().or(load.max_duration.as_ref()));
    let in_load = in_load.and_then(|at| Some((problems.duration(at)?, at.span.clone())));
    let in_settings = file.settings.as_ref().and_then(|settings| {
        problems.either(settings.duration.as_ref(), settings.duration_secs.as_ref(), Duration::from_secs)
    });
    if let (Some(_), Some((_, span))) = (&in_load, &in_settings) {
        problems.at(span, "the length of the run stands here and in [load]", "keep the one in [load]");
    }
    let (length, span) = in_load.or(in_settings).filter(|(length, _)| !(ramps && length.is_zero()))?;
    length_fits(length).map_err(|reason| problems.at(&span, reason, LENGTH_HELP)).ok()
}

/// The shape that `[load]` describes, once its keys are checked against its executor.
fn shape_of(load: &At<LoadTable>, problems: &mut Problems<'_>) -> Option<Shape> {
    let table = &load.value;
    let word = table.executor.as_ref().map_or_else(|| likely(table), |at| at.value);
    let (name, takes): (&str, &[&str]) = match word {
        ExecutorWord::ConstantVus => ("constant-vus", &["vus", "duration"]),
        ExecutorWord::RampingVus => ("ramping-vus", &["stages"]),
        ExecutorWord::SharedIterations => ("shared-iterations", &["vus", "iterations", "max_duration"]),
        ExecutorWord::PerVuIterations => ("per-vu-iterations", &["vus", "iterations", "max_duration"]),
    };
    for (key, span) in given(table).into_iter().filter(|(key, _)| !takes.contains(key)) {
        let help = if key == "duration" && takes.contains(&"max_duration") {
            "a run of iterations ends with them; write `max_duration` to end it at the latest".to_owned()
        } else {
            format!("it takes {}", takes.join(", "))
        };
        problems.at(&span, format!("`{key}` does not belong to the executor {name}"), help);
    }
    let place = table.executor.as_ref().map_or(&load.span, |at| &at.span);
    match word {
        ExecutorWord::ConstantVus => Some(Shape::Constant),
        ExecutorWord::RampingVus => match &table.stages {
            Some(stages) if !stages.value.is_empty() => ramp(&stages.value, problems),
            _ => {
                let help = "write `stages = [ { duration = \"30s\", target = 50 } ]`";
                problems.at(place, "ramping-vus needs `stages`", help);
                None
            }
        },
        ExecutorWord::SharedIterations => iterations(table, place, name, problems).map(Shape::Shared),
        ExecutorWord::PerVuIterations => iterations(table, place, name, problems).map(Shape::PerVu),
    }
}

/// The executor that the keys speak of, where none is named.
fn likely(table: &LoadTable) -> ExecutorWord {
    match (&table.stages, &table.iterations) {
        (Some(_), _) => ExecutorWord::RampingVus,
        (None, Some(_)) => ExecutorWord::SharedIterations,
        (None, None) => ExecutorWord::ConstantVus,
    }
}

/// The keys of `[load]` that are given, besides `executor`, and where their values stand.
fn given(table: &LoadTable) -> Vec<(&'static str, Range<usize>)> {
    let keys = [
        ("vus", table.vus.as_ref().map(|at| &at.span)),
        ("duration", table.duration.as_ref().map(|at| &at.span)),
        ("iterations", table.iterations.as_ref().map(|at| &at.span)),
        ("max_duration", table.max_duration.as_ref().map(|at| &at.span)),
        ("stages", table.stages.as_ref().map(|at| &at.span)),
    ];
    keys.into_iter().filter_map(|(key, span)| Some((key, span?.clone()))).collect()
}

fn iterations(
    table: &LoadTable,
    place: &Range<usize>,
    name: &str,
    problems: &mut Problems<'_>,
) -> Option<NonZeroU64> {
    let Some(at) = &table.iterations else {
        problems.at(
            place,
            format!("{name} needs `iterations`"),
            "write how many, such as `iterations = 100`",
        );
        return None;
    };
    let iterations = NonZeroU64::new(at.value);
    if iterations.is_none() {
        problems.at(&at.span, "zero iterations do nothing", "write one or more");
    }
    iterations
}

fn users(at: &At<u32>, problems: &mut Problems<'_>) -> Option<NonZeroU32> {
    users_fit(at.value).map_err(|reason| problems.at(&at.span, reason, USERS_HELP)).ok()
}

/// A ramp; each stage is checked for itself, then the whole.
fn ramp(tables: &[At<StageTable>], problems: &mut Problems<'_>) -> Option<Shape> {
    let read: Vec<Option<Stage>> = tables.iter().map(|table| stage(table, problems)).collect();
    let stages: Vec<Stage> = read.into_iter().collect::<Option<_>>()?;
    let span = &tables.first()?.span;
    stages_fit(&stages).map_err(|reason| problems.at(span, reason, "change the stages")).ok()?;
    Some(Shape::Ramp(stages))
}

fn stage(table: &At<StageTable>, problems: &mut Problems<'_>) -> Option<Stage> {
    let StageTable { duration, duration_secs, target, target_vus } = &table.value;
    if let (Some(at), Some(_)) = (target, target_vus) {
        problems.at(&at.span, "this is said twice, in two spellings", "keep one of them");
    }
    let length = problems.either(duration.as_ref(), duration_secs.as_ref(), Duration::from_secs);
    if let Some((length, span)) = &length
        && let Err(reason) = length_fits(*length)
    {
        problems.at(span, reason.replace("run", "stage"), LENGTH_HELP);
        return None;
    }
    let Some(target) = target.as_ref().or(target_vus.as_ref()) else {
        problems.at(&table.span, "this stage has no target", "write `target = 50` (or `target_vus = 50`)");
        return None;
    };
    let users = if target.value == 0 { Some(0) } else { users(target, problems).map(NonZeroU32::get) };
    if duration.is_none() && duration_secs.is_none() {
        problems.at(
            &table.span,
            "this stage has no length",
            "write `duration = \"30s\"` (or `duration_secs = 30`)",
        );
    }
    Some(Stage { duration: length?.0, target: users? })
}
