//! The `[settings]` table that is not the shape of the load: times, policies, limits.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::time::Duration;

use super::error::Problems;
use super::file::{PluginsTable, SettingsTable};
use super::overrides::Overrides;
use super::plugin_limits;
use super::value::{At, DurationText, PauseText};
use crate::plan::{Settings, ThinkTime, WarmUp, duration};

/// How long running iterations may go on after the end, unless the user says otherwise; k6's default.
const GRACEFUL_STOP: Duration = Duration::from_secs(30);

/// Most worker threads that can be asked for.
const MOST_WORKERS: u32 = 1024;

const DURATION_HELP: &str = "write a number and a unit (d, h, m, s, ms, us), such as \"30s\" or \"1m30s\"";

impl Problems<'_> {
    /// The duration that stands at `at`.
    pub(super) fn duration(&mut self, at: &At<DurationText>) -> Option<Duration> {
        duration::parse(&at.value.0).map_err(|message| self.at(&at.span, message, DURATION_HELP)).ok()
    }

    /// The pause that stands at `at`.
    pub(super) fn pause(&mut self, at: &At<PauseText>) -> Option<ThinkTime> {
        let help = "write a length, a range or a distribution, such as \"250ms\", \"1s..3s\", \"exponential 2s\" or \"log-normal 1s sigma 0.5\"";
        at.value.0.parse().map_err(|message| self.at(&at.span, message, help)).ok()
    }

    /// The duration of a key that counts in a unit of its own, which `of` turns into a duration.
    pub(super) fn counted(&mut self, at: &At<u64>, of: fn(u64) -> Duration) -> Option<Duration> {
        let duration = Some(of(at.value)).filter(|duration| *duration <= duration::LONGEST);
        if duration.is_none() {
            self.at(&at.span, "this is longer than a year", "write less");
        }
        duration
    }

    /// A duration that is spelt in one of two ways, and where it stands; both at once is a mistake.
    pub(super) fn either(
        &mut self,
        text: Option<&At<DurationText>>,
        number: Option<&At<u64>>,
        of: fn(u64) -> Duration,
    ) -> Option<(Duration, Range<usize>)> {
        if let (Some(text), Some(_)) = (text, number) {
            self.at(&text.span, "this is said twice, in two spellings", "keep one of them");
        }
        match (text, number) {
            (Some(text), _) => self.duration(text).map(|duration| (duration, text.span.clone())),
            (None, Some(number)) => self.counted(number, of).map(|duration| (duration, number.span.clone())),
            (None, None) => None,
        }
    }
}

/// The settings, and how long running iterations may go on after the end.
pub(super) fn resolve(
    table: &SettingsTable,
    plugins: &PluginsTable,
    overrides: &Overrides,
    problems: &mut Problems<'_>,
    notes: &mut Vec<String>,
) -> (Settings, Duration) {
    if table.expected_interval_ms.is_some() {
        notes.push(
            "expected_interval_ms has no effect: every call is counted once, as it was measured, and none is made up".to_owned(),
        );
    }
    let defaults = Settings::default();
    let settings = Settings {
        timeout: timeout(table, overrides, problems).unwrap_or(defaults.timeout),
        seed: overrides.seed.or(table.seed).unwrap_or(defaults.seed),
        session: overrides.session.or(table.session).unwrap_or(defaults.session),
        connection: overrides.connection.or(table.connection).unwrap_or(defaults.connection),
        transport: overrides.transport.or(table.transport).unwrap_or(defaults.transport),
        workers: workers(table, overrides, problems).unwrap_or(defaults.workers),
        max_body_bytes: max_body_bytes(table, overrides, problems).unwrap_or(defaults.max_body_bytes),
        quick_ack: overrides.quick_ack.or(table.quick_ack).unwrap_or(defaults.quick_ack),
        min_samples: overrides.min_samples.or(table.min_samples).unwrap_or(defaults.min_samples),
        scenario_choice: table.scenario_choice.unwrap_or(defaults.scenario_choice),
        warm_up: overrides.warm_up.or(warm_up(table, problems)).unwrap_or(defaults.warm_up),
        plugins: plugin_limits::resolve(plugins, problems),
    };
    let graceful_stop = table.graceful_stop.as_ref().and_then(|at| problems.duration(at));
    (settings, overrides.graceful_stop.or(graceful_stop).unwrap_or(GRACEFUL_STOP))
}

fn warm_up(table: &SettingsTable, problems: &mut Problems<'_>) -> Option<WarmUp> {
    let at = table.warm_up.as_ref()?;
    let help = "write \"auto\", \"none\", or whole seconds such as \"10s\"";
    at.value.0.parse().map_err(|message: String| problems.at(&at.span, message, help)).ok()
}

fn timeout(table: &SettingsTable, overrides: &Overrides, problems: &mut Problems<'_>) -> Option<Duration> {
    let help = "every answer takes some time; the default is 5s";
    let in_file = problems.either(table.timeout.as_ref(), table.timeout_ms.as_ref(), Duration::from_millis);
    if let Some((Duration::ZERO, span)) = &in_file {
        problems.at(span, "the timeout is zero", help);
    }
    if overrides.timeout == Some(Duration::ZERO) {
        problems.anywhere("--timeout is zero", help);
    }
    overrides.timeout.or(in_file.map(|(duration, _)| duration))
}

fn workers(
    table: &SettingsTable,
    overrides: &Overrides,
    problems: &mut Problems<'_>,
) -> Option<NonZeroUsize> {
    let fits = |workers: u32| (1..=MOST_WORKERS).contains(&workers);
    let message = |workers: u32| format!("{workers} worker threads cannot do the work");
    let help = format!("write 1 to {MOST_WORKERS}; the default is one per core");
    if let Some(at) = table.workers.as_ref().filter(|at| !fits(at.value)) {
        problems.at(&at.span, message(at.value), help.as_str());
    }
    if let Some(workers) = overrides.workers.filter(|workers| !fits(*workers)) {
        problems.anywhere(format!("--workers: {}", message(workers)), help);
    }
    let workers = overrides.workers.or(table.workers.as_ref().map(|at| at.value))?;
    NonZeroUsize::new(usize::try_from(workers).ok()?)
}

fn max_body_bytes(table: &SettingsTable, overrides: &Overrides, problems: &mut Problems<'_>) -> Option<u64> {
    let help = "every answer has some bytes; the default is 64MiB";
    if let Some(at) = table.max_body_bytes.as_ref().filter(|at| at.value.0 == 0) {
        problems.at(&at.span, "no answer fits into zero bytes", help);
    }
    if overrides.max_body_bytes == Some(0) {
        problems.anywhere("--max-body-bytes: no answer fits into zero bytes", help);
    }
    overrides.max_body_bytes.or(table.max_body_bytes.as_ref().map(|at| at.value.0))
}
