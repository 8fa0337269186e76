//! What was left out at the beginning of the run, with the figures that it would have come to.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figures::Figures;
use super::timeline::Second;
use crate::judge::Observation;
use crate::judge::metrics::found;
use crate::plan::WarmUp;

/// The beginning of the run. `totals`, `per_scenario`, `per_method`, `per_tool`, `series` of operations, `metrics`, checks and metrics of
/// plugins, `thresholds` and `validity` are without the seconds that were left out; `timeline`, `books`, `lifecycle` and what plugins did
/// are of the whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WarmUpReport {
    /// What was asked.
    pub rule: WarmUpRule,
    /// How many seconds were left out.
    pub trimmed_s: u64,
    /// Whether the median response times settled in the first half of the run and within a minute, by the rule MSER-5.
    pub stationary: bool,
    /// The totals with the seconds that were left out; null where there are none.
    pub untrimmed: Option<Figures>,
}

/// How the warm-up is determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WarmUpRule {
    /// Nothing is left out.
    None,
    /// So many seconds as were asked for.
    Fixed,
    /// As many as the rule MSER-5 finds on the median response times of each second.
    Auto,
}

/// What looks like warm-up and was not left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Suspected {
    /// How many seconds.
    pub(super) seconds: u64,
    /// Their median response time: the median of the seconds' own, microseconds.
    pub(super) during_us: u64,
    /// That of the other seconds.
    pub(super) after_us: u64,
}

impl WarmUpReport {
    pub(super) fn new(observation: &Observation) -> Self {
        let facts = &observation.warm_up;
        Self {
            rule: match facts.rule {
                WarmUp::None => WarmUpRule::None,
                WarmUp::Fixed(_) => WarmUpRule::Fixed,
                WarmUp::Auto => WarmUpRule::Auto,
            },
            trimmed_s: facts.trimmed.as_secs(),
            stationary: facts.stationary,
            untrimmed: (!facts.trimmed.is_zero()).then(|| Figures::new(&facts.untrimmed, observation.window)),
        }
    }
}

/// The seconds at the beginning of a run of `window_us` that look like warm-up: two at least, with medians that are far from the others'.
pub(super) fn suspected(rows: &[Second], window_us: u64) -> Option<Suspected> {
    let window = Duration::from_micros(window_us).as_secs().min(rows.len() as u64);
    let rows = &rows[..usize::try_from(window).ok()?];
    let medians: Vec<Option<f64>> = rows.iter().map(|row| row.p50_us.map(|micros| micros as f64)).collect();
    let longest = usize::try_from(WarmUp::LONGEST_FOUND.as_secs()).ok()?;
    let seconds = found(&medians).filter(|seconds| (2..=longest).contains(seconds))?;
    let (during, after) = rows.split_at(seconds);
    let (during_us, after_us) = (median(during)?, median(after)?);
    let apart = during_us.max(after_us) as f64 > 1.5 * during_us.min(after_us) as f64;
    apart.then_some(Suspected { seconds: seconds as u64, during_us, after_us })
}

/// The median of the seconds' medians.
fn median(rows: &[Second]) -> Option<u64> {
    let mut medians: Vec<u64> = rows.iter().filter_map(|row| row.p50_us).collect();
    medians.sort_unstable();
    medians.get(medians.len() / 2).copied()
}
