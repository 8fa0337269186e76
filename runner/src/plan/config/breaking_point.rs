//! The `[breaking_point]` table: what takes a server out of its baseline, and whether the run ends there.

use super::error::Problems;
use super::file::BreakingPointTable;
use super::overrides::Overrides;
use super::value::At;
use crate::plan::BreakingPointRule;

/// The rule; one that nothing or everything meets is refused.
pub(super) fn resolve(
    table: Option<&At<BreakingPointTable>>,
    overrides: &Overrides,
    problems: &mut Problems<'_>,
) -> BreakingPointRule {
    let stop = overrides.stop_at_breaking_point;
    let defaults = BreakingPointRule::default();
    let Some(At { value: table, span }) = table else { return BreakingPointRule { stop, ..defaults } };
    let number = |at: &Option<At<f64>>, default: f64| at.as_ref().map_or(default, |at| at.value);
    let rule = BreakingPointRule {
        error_ratio: number(&table.error_ratio, defaults.error_ratio),
        response_time_factor: number(&table.response_time_factor, defaults.response_time_factor),
        plateau_ratio: number(&table.plateau_ratio, defaults.plateau_ratio),
        dropped_ratio: number(&table.dropped_ratio, defaults.dropped_ratio),
        seconds: table.seconds.as_ref().map_or(defaults.seconds, |at| at.value),
        stop: stop || table.stop.unwrap_or(defaults.stop),
    };
    if let Err((key, reason)) = rule.validate() {
        let place = match key {
            "error_ratio" => table.error_ratio.as_ref().map(|at| &at.span),
            "response_time_factor" => table.response_time_factor.as_ref().map(|at| &at.span),
            "plateau_ratio" => table.plateau_ratio.as_ref().map(|at| &at.span),
            "dropped_ratio" => table.dropped_ratio.as_ref().map(|at| &at.span),
            _ => table.seconds.as_ref().map(|at| &at.span),
        };
        problems.at(place.unwrap_or(span), reason, "leave it out to take the default");
    }
    rule
}
