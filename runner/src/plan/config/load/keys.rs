//! Which keys of `[load]` belong to which executor, and which executor they speak of where none is named.

use std::ops::Range;

use super::stages::is_of_rates;
use crate::plan::config::error::Problems;
use crate::plan::config::file::{ExecutorWord, LoadTable};
use crate::plan::config::value::At;

/// The executor of a load, once every key that is given is known to belong to it.
pub(super) fn executor_of(table: &LoadTable, problems: &mut Problems<'_>) -> ExecutorWord {
    let word = table.executor.as_ref().map_or_else(|| likely(table), |at| at.value);
    let (name, takes) = keys_of(word);
    for (key, span) in given(table).into_iter().filter(|(key, _)| !takes.contains(key)) {
        let help = match key {
            "duration" if takes.contains(&"max_duration") => {
                "a run of iterations ends with them; write `max_duration` to end it at the latest".to_owned()
            }
            "rate" if takes.contains(&"start_rate") => {
                "its stages say the rate; write `start_rate` for the one at the beginning".to_owned()
            }
            "vus" if takes.contains(&"start_vus") => {
                "its stages say how many; write `start_vus` for those at the beginning".to_owned()
            }
            _ => format!("it takes {}", takes.join(", ")),
        };
        problems.at(&span, format!("`{key}` does not belong to the executor {name}"), help);
    }
    word
}

/// The word in the file, and the keys that belong to it besides those that every load has.
pub(super) fn keys_of(word: ExecutorWord) -> (&'static str, &'static [&'static str]) {
    match word {
        ExecutorWord::ConstantVus => ("constant-vus", &["vus", "duration", "spawn_rate"]),
        ExecutorWord::RampingVus => ("ramping-vus", &["stages", "start_vus", "graceful_ramp_down"]),
        ExecutorWord::SharedIterations => ("shared-iterations", &["vus", "iterations", "max_duration"]),
        ExecutorWord::PerVuIterations => ("per-vu-iterations", &["vus", "iterations", "max_duration"]),
        ExecutorWord::ConstantArrivalRate => {
            ("constant-arrival-rate", &["rate", "duration", "vus", "max_vus", "max_wait", "arrivals"])
        }
        ExecutorWord::RampingArrivalRate => {
            ("ramping-arrival-rate", &["stages", "start_rate", "vus", "max_vus", "max_wait", "arrivals"])
        }
    }
}

/// The executor that the keys speak of, where none is named.
fn likely(table: &LoadTable) -> ExecutorWord {
    let pooled = table.max_vus.is_some() || table.max_wait.is_some() || table.arrivals.is_some();
    let ramps = table.start_vus.is_some() || table.graceful_ramp_down.is_some();
    match &table.stages {
        Some(stages) if pooled || table.start_rate.is_some() || is_of_rates(&stages.value) => {
            ExecutorWord::RampingArrivalRate
        }
        Some(_) => ExecutorWord::RampingVus,
        None if table.start_rate.is_some() => ExecutorWord::RampingArrivalRate,
        None if table.rate.is_some() || pooled => ExecutorWord::ConstantArrivalRate,
        None if table.iterations.is_some() => ExecutorWord::SharedIterations,
        None if ramps && table.vus.is_none() => ExecutorWord::RampingVus,
        None => ExecutorWord::ConstantVus,
    }
}

/// The keys that are given, besides those that every load has, and where their values stand.
fn given(table: &LoadTable) -> Vec<(&'static str, Range<usize>)> {
    fn place<T>(at: Option<&At<T>>) -> Option<&Range<usize>> {
        at.map(|at| &at.span)
    }
    let keys = [
        ("vus", place(table.vus.as_ref())),
        ("duration", place(table.duration.as_ref())),
        ("spawn_rate", place(table.spawn_rate.as_ref())),
        ("iterations", place(table.iterations.as_ref())),
        ("max_duration", place(table.max_duration.as_ref())),
        ("start_vus", place(table.start_vus.as_ref())),
        ("rate", place(table.rate.as_ref())),
        ("start_rate", place(table.start_rate.as_ref())),
        ("stages", place(table.stages.as_ref())),
        ("max_vus", place(table.max_vus.as_ref())),
        ("max_wait", place(table.max_wait.as_ref())),
        ("arrivals", place(table.arrivals.as_ref())),
        ("graceful_ramp_down", place(table.graceful_ramp_down.as_ref())),
    ];
    keys.into_iter().filter_map(|(key, span)| Some((key, span?.clone()))).collect()
}
