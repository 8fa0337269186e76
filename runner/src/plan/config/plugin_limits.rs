//! The `[plugins]` table: what every plugin of the run is allowed. Each limit has its own: one of zero would let nothing through.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::error::Problems;
use super::file::PluginsTable;
use super::value::{At, DurationText, Size};
use crate::plan::{PluginLimits, duration, size};

/// A page of WebAssembly, and all that 32-bit addresses reach.
const MEMORY: RangeInclusive<u64> = 64 << 10..=4 << 30;
/// Compiled code takes many times the size of its file.
const FILE: RangeInclusive<u64> = 1..=1 << 30;
/// What is handed over is copied into the plugin's memory, or out of it.
const HANDED_OVER: RangeInclusive<u64> = 1..=1 << 30;
/// Shorter than the tick that calls are timed with is no limit; longer than an hour nobody waits.
const CALL: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_hours(1);
/// Steps and log lines.
const COUNT: RangeInclusive<u32> = 1..=1_000_000;

/// The limits; one that cannot be is noted, and its default stands in.
pub(super) fn resolve(table: &PluginsTable, problems: &mut Problems<'_>) -> PluginLimits {
    let default = PluginLimits::default();
    let mut bytes = |given: Option<&At<Size>>, allowed: RangeInclusive<u64>, default: u64| {
        let given = given.map(|at| At { value: at.value.0, span: at.span.clone() });
        within(given, &allowed, default, size::human, problems)
    };
    let memory_bytes = bytes(table.memory.as_ref(), MEMORY, default.memory_bytes);
    let file_bytes = bytes(table.max_file.as_ref(), FILE, default.file_bytes);
    let arguments_bytes = bytes(table.max_arguments.as_ref(), HANDED_OVER, default.arguments_bytes);
    let result_bytes = bytes(table.max_result.as_ref(), HANDED_OVER, default.result_bytes);
    let mut time = |given: Option<&At<DurationText>>, default: Duration| {
        let given =
            given.and_then(|at| problems.duration(at).map(|value| At { value, span: at.span.clone() }));
        within(given, &CALL, default, duration::human, problems)
    };
    let call_timeout = time(table.call_timeout.as_ref(), default.call_timeout);
    let start_timeout = time(table.start_timeout.as_ref(), default.start_timeout);
    let mut count = |given: Option<&At<u32>>, default: u32| {
        within(given.cloned(), &COUNT, default, |count| count, problems)
    };
    PluginLimits {
        instances: table.instances.unwrap_or(default.instances),
        memory_bytes,
        call_timeout,
        start_timeout,
        file_bytes,
        steps: count(table.max_steps.as_ref(), default.steps),
        arguments_bytes,
        result_bytes,
        log_lines: count(table.max_log_lines.as_ref(), default.log_lines),
    }
}

/// The limit that was given if it is one, else the default; `write` is how such a value is written.
fn within<T: Copy + PartialOrd + Default, W: Display>(
    given: Option<At<T>>,
    allowed: &RangeInclusive<T>,
    default: T,
    write: impl Fn(T) -> W,
    problems: &mut Problems<'_>,
) -> T {
    let Some(At { value, span }) = given else { return default };
    if allowed.contains(&value) {
        return value;
    }
    let (least, most) = (write(*allowed.start()), write(*allowed.end()));
    let message = if value == T::default() {
        "a limit of zero lets nothing through".to_owned()
    } else if value < *allowed.start() {
        format!("{} is less than {least}, the lowest limit there can be", write(value))
    } else {
        format!("{} is more than {most}, the highest limit there can be", write(value))
    };
    problems.at(&span, message, format!("write {least} to {most}; the default is {}", write(default)));
    default
}
