//! What the file says about the load: `[load]` or `[[load]]`, `[[stage]]`, and `virtual_users` and `duration` of `[settings]`.

use std::collections::BTreeSet;
use std::num::{NonZeroU32, NonZeroU64};
use std::ops::Range;
use std::time::Duration;

use super::keys::{executor_of, keys_of};
use super::limits::{length_fits, rate_fits, users_fit};
use super::said::{By, Said};
use super::stages::{is_of_rates, ramp, rate_ramp};
use super::{Draft, PoolKeys, Shape, Tables};
use crate::plan::config::error::Problems;
use crate::plan::config::file::{ExecutorWord, LoadTable, SettingsTable};
use crate::plan::config::value::{At, Figure};
use crate::plan::{Rate, duration};

pub(super) const USERS_HELP: &str = "write 1 to 1000000";
pub(super) const LENGTH_HELP: &str = "write a length above zero and up to a year, such as \"30s\"";

/// Reads and checks the tables; at least one load. Where something is wrong with a figure, it is noted and left out.
pub(super) fn read(tables: &Tables<'_>, problems: &mut Problems<'_>) -> Vec<Draft> {
    if let ([_, ..], [first, ..]) = (tables.loads, tables.stages) {
        problems.at(&first.span, "stages shape the load, and so does [load]", "keep one of them");
    }
    check_names(tables.loads, problems);
    match tables.loads {
        [] => vec![unwritten(tables, problems)],
        [load] => vec![written(load, Some(tables.settings), problems)],
        several => {
            refuse_settings(tables.settings, problems);
            several.iter().map(|load| written(load, None, problems)).collect()
        }
    }
}

/// Where there are several loads, each has a name of its own.
fn check_names(loads: &[At<LoadTable>], problems: &mut Problems<'_>) {
    let mut names = BTreeSet::new();
    for load in loads {
        match &load.value.name {
            Some(name) if name.value.trim().is_empty() || name.value.chars().any(char::is_control) => {
                problems.at(&name.span, "this cannot be a name", "write a word or two on one line");
            }
            Some(name) if !names.insert(&name.value) => {
                let message = format!("there are two loads called `{}`", name.value);
                problems.at(&name.span, message, "rename one of them");
            }
            None if loads.len() > 1 => {
                let message = "there are several loads, and this one has no name";
                problems.at(&load.span, message, "write `name = \"...\"`, as it shall be called in reports");
            }
            _ => {}
        }
    }
}

/// Of several loads, none is meant by what `[settings]` says.
fn refuse_settings(settings: &SettingsTable, problems: &mut Problems<'_>) {
    let SettingsTable { virtual_users, duration, duration_secs, .. } = settings;
    let keys = [
        ("virtual_users", "vus", virtual_users.as_ref().map(|at| &at.span)),
        ("duration", "duration", duration.as_ref().map(|at| &at.span)),
        ("duration_secs", "duration", duration_secs.as_ref().map(|at| &at.span)),
    ];
    for (key, own, span) in keys {
        if let Some(span) = span {
            let message = format!("there are several loads, and `{key}` does not say which it is for");
            problems.at(span, message, format!("write `{own}` into each [[load]] that needs it"));
        }
    }
}

/// The load of a file that has no `[load]`.
fn unwritten(tables: &Tables<'_>, problems: &mut Problems<'_>) -> Draft {
    let shape = match tables.stages {
        [] => Some(Shape::Constant { spawn_rate: None }),
        stages if is_of_rates(stages) => rate_ramp(Rate::default(), stages, problems),
        stages => ramp(0, stages, problems),
    };
    let by = tables.stages.first().map(|stage| By::File(stage.span.clone()));
    completed(Draft { by, shape, ..Draft::default() }, &LoadTable::default(), Some(tables.settings), problems)
}

/// A `[load]`; `settings` has what it leaves out, where it is the only one.
fn written(load: &At<LoadTable>, settings: Option<&SettingsTable>, problems: &mut Problems<'_>) -> Draft {
    let At { value: table, span } = load;
    let mut optional = |at: &Option<_>| at.as_ref().and_then(|at| problems.duration(at));
    let draft = Draft {
        by: Some(By::File(span.clone())),
        name: table.name.as_ref().map(|name| name.value.clone()).unwrap_or_default(),
        start: optional(&table.start).unwrap_or_default(),
        graceful_stop: optional(&table.graceful_stop),
        graceful_ramp_down: optional(&table.graceful_ramp_down),
        scenarios: table.scenarios.clone(),
        pool: PoolKeys {
            max_wait: optional(&table.max_wait),
            max_vus: table.max_vus.as_ref().and_then(|at| said_users(at, problems)),
            spacing: table.arrivals.as_ref().map(|at| at.value),
        },
        shape: shape_of(load, problems),
        ..Draft::default()
    };
    completed(draft, table, settings, problems)
}

/// The draft with its users and its length, from `[load]` or else from `[settings]`.
fn completed(
    draft: Draft,
    table: &LoadTable,
    settings: Option<&SettingsTable>,
    problems: &mut Problems<'_>,
) -> Draft {
    let (of_users, of_rates) = (
        matches!(draft.shape, Some(Shape::Ramp { .. })),
        matches!(draft.shape, Some(Shape::ArrivalRamp { .. })),
    );
    let in_settings = settings.and_then(|settings| settings.virtual_users.as_ref());
    if let (Some(_), Some(at)) = (&table.vus, in_settings) {
        let message = "the number of virtual users stands here and in [load]";
        problems.at(&at.span, message, "keep the one in [load]");
    }
    let given = settings.map(|settings| {
        [
            ("virtual_users", of_users && settings.virtual_users.is_some()),
            ("duration", settings.duration.is_some()),
            ("duration_secs", settings.duration_secs.is_some()),
        ]
    });
    let given = given.filter(|_| of_users || of_rates).into_iter().flatten();
    let users = table.vus.as_ref().or(in_settings);
    Draft {
        idle: given.filter(|(_, given)| *given).map(|(key, _)| key).collect(),
        // Existing files have zeros where their stages make a number idle.
        users: users.filter(|at| !(of_users && at.value == 0)).and_then(|at| said_users(at, problems)),
        length: length(table, settings, of_users || of_rates, problems),
        ..draft
    }
}

/// The length of the load, which may stand in one of four places.
fn length(
    table: &LoadTable,
    settings: Option<&SettingsTable>,
    ramps: bool,
    problems: &mut Problems<'_>,
) -> Option<Duration> {
    let in_load = table.duration.as_ref().or(table.max_duration.as_ref());
    let in_load = in_load.and_then(|at| Some((problems.duration(at)?, at.span.clone())));
    let in_settings = settings.and_then(|settings| {
        problems.either(settings.duration.as_ref(), settings.duration_secs.as_ref(), Duration::from_secs)
    });
    if let (Some(_), Some((_, span))) = (&in_load, &in_settings) {
        problems.at(span, "the length of the run stands here and in [load]", "keep the one in [load]");
    }
    let (length, span) = in_load.or(in_settings).filter(|(length, _)| !(ramps && length.is_zero()))?;
    length_fits(length).map_err(|reason| problems.at(&span, reason, LENGTH_HELP)).ok()
}

/// The shape that a `[load]` describes, once its keys are checked against its executor.
fn shape_of(load: &At<LoadTable>, problems: &mut Problems<'_>) -> Option<Shape> {
    let table = &load.value;
    let word = executor_of(table, problems);
    let (name, _) = keys_of(word);
    let place = table.executor.as_ref().map_or(&load.span, |at| &at.span);
    let stages = table.stages.as_ref().map(|stages| stages.value.as_slice()).unwrap_or_default();
    match word {
        ExecutorWord::ConstantVus => {
            let spawn_rate = match &table.spawn_rate {
                Some(at) => Some(rate_above_zero(at, problems)?),
                None => None,
            };
            Some(Shape::Constant { spawn_rate })
        }
        ExecutorWord::RampingVus if stages.is_empty() => {
            let help = "write `stages = [ { duration = \"30s\", target = 50 } ]`";
            problems.at(place, "ramping-vus needs `stages`", help);
            None
        }
        ExecutorWord::RampingVus => {
            let from = match &table.start_vus {
                Some(at) if at.value > 0 => users(at, problems)?.get(),
                _ => 0,
            };
            ramp(from, stages, problems)
        }
        ExecutorWord::SharedIterations => iterations(table, place, name, problems).map(Shape::Shared),
        ExecutorWord::PerVuIterations => iterations(table, place, name, problems).map(Shape::PerVu),
        ExecutorWord::ConstantArrivalRate => {
            let Some(at) = &table.rate else {
                problems.at(place, "constant-arrival-rate needs `rate`", "write `rate = \"200/s\"`");
                return None;
            };
            rate_above_zero(at, problems).map(Shape::Arrivals)
        }
        ExecutorWord::RampingArrivalRate if stages.is_empty() => {
            let help = "write `stages = [ { duration = \"30s\", rate = \"50/s\" } ]`";
            problems.at(place, "ramping-arrival-rate needs `stages`", help);
            None
        }
        ExecutorWord::RampingArrivalRate => {
            let from = match &table.start_rate {
                Some(at) => problems.rate(at)?,
                None => Rate::default(),
            };
            rate_ramp(from, stages, problems)
        }
    }
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

fn rate_above_zero(at: &At<Figure>, problems: &mut Problems<'_>) -> Option<Rate> {
    let rate = problems.rate(at)?;
    rate_fits(rate).map_err(|reason| problems.at(&at.span, reason, "write a rate above zero")).ok()
}

/// A number of virtual users, at least one.
pub(super) fn users(at: &At<u32>, problems: &mut Problems<'_>) -> Option<NonZeroU32> {
    users_fit(at.value).map_err(|reason| problems.at(&at.span, reason, USERS_HELP)).ok()
}

fn said_users(at: &At<u32>, problems: &mut Problems<'_>) -> Option<Said<NonZeroU32>> {
    Some(Said { value: users(at, problems)?, by: By::File(at.span.clone()) })
}

/// Whether a load that begins at `start` and is so long ends within a year.
pub(super) fn ends_in_time(start: Duration, length: Duration) -> bool {
    start.saturating_add(length) <= duration::LONGEST
}
