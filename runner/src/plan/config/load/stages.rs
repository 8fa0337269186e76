//! The stages of a ramp, one by one: of virtual users, or of a rate.

use std::num::NonZeroU32;
use std::ops::Range;
use std::time::Duration;

use super::Shape;
use super::limits::{length_fits, rate_stages_fit, stages_fit};
use super::tables::{LENGTH_HELP, USERS_HELP, users};
use crate::plan::config::error::Problems;
use crate::plan::config::file::StageTable;
use crate::plan::config::value::{At, Figure};
use crate::plan::{Rate, RateStage, Stage};

/// Whether the targets are rates, going by how they are written.
pub(super) fn is_of_rates(tables: &[At<StageTable>]) -> bool {
    let text = |target: &At<Figure>| matches!(target.value, Figure::Text(_));
    tables.iter().any(|table| table.value.rate.is_some() || table.value.target.as_ref().is_some_and(text))
}

/// A ramp of virtual users; each stage is checked for itself, then the whole.
pub(super) fn ramp(from: u32, tables: &[At<StageTable>], problems: &mut Problems<'_>) -> Option<Shape> {
    let read: Vec<Option<Stage>> = tables.iter().map(|table| stage(table, problems)).collect();
    let stages: Vec<Stage> = read.into_iter().collect::<Option<_>>()?;
    let span = &tables.first()?.span;
    stages_fit(from, &stages).map_err(|reason| problems.at(span, reason, "change the stages")).ok()?;
    Some(Shape::Ramp { from, stages })
}

/// A ramp of rates; each stage is checked for itself, then the whole.
pub(super) fn rate_ramp(from: Rate, tables: &[At<StageTable>], problems: &mut Problems<'_>) -> Option<Shape> {
    let read: Vec<Option<RateStage>> = tables.iter().map(|table| rate_stage(table, problems)).collect();
    let stages: Vec<RateStage> = read.into_iter().collect::<Option<_>>()?;
    let span = &tables.first()?.span;
    rate_stages_fit(from, &stages).map_err(|reason| problems.at(span, reason, "change the stages")).ok()?;
    Some(Shape::ArrivalRamp { from, stages })
}

fn stage(table: &At<StageTable>, problems: &mut Problems<'_>) -> Option<Stage> {
    let StageTable { target, target_vus, rate, .. } = &table.value;
    if let Some(at) = rate {
        let message = "this is a rate, and the other stages are numbers of virtual users";
        problems.at(&at.span, message, "write `target = 50`, or rates in all stages");
        return None;
    }
    said_once(target.as_ref(), target_vus.is_some(), problems);
    let length = length(table, problems);
    if let Some((length, span)) = &length
        && let Err(reason) = length_fits(*length)
    {
        problems.at(span, reason.replace("run", "stage"), LENGTH_HELP);
        return None;
    }
    let target = match (target, target_vus) {
        (Some(at), _) => At { value: whole(at, problems)?, span: at.span.clone() },
        (None, Some(at)) => At { value: at.value, span: at.span.clone() },
        (None, None) => {
            let help = "write `target = 50` (or `target_vus = 50`)";
            problems.at(&table.span, "this stage has no target", help);
            return None;
        }
    };
    let target = if target.value == 0 { Some(0) } else { users(&target, problems).map(NonZeroU32::get) };
    Some(Stage { duration: length?.0, target: target? })
}

fn rate_stage(table: &At<StageTable>, problems: &mut Problems<'_>) -> Option<RateStage> {
    let StageTable { target, target_vus, rate, .. } = &table.value;
    if let Some(at) = target_vus {
        let message = "these are virtual users, and the ramp is one of rates";
        problems.at(&at.span, message, "write `rate = \"50/s\"`");
        return None;
    }
    said_once(target.as_ref(), rate.is_some(), problems);
    let length = length(table, problems);
    let Some(rate) = target.as_ref().or(rate.as_ref()) else {
        problems.at(&table.span, "this stage has no rate", "write `rate = \"50/s\"`");
        return None;
    };
    Some(RateStage { target: problems.rate(rate)?, duration: length?.0 })
}

fn said_once(target: Option<&At<Figure>>, again: bool, problems: &mut Problems<'_>) {
    if let Some(at) = target.filter(|_| again) {
        problems.at(&at.span, "this is said twice, in two spellings", "keep one of them");
    }
}

fn length(table: &At<StageTable>, problems: &mut Problems<'_>) -> Option<(Duration, Range<usize>)> {
    let StageTable { duration, duration_secs, .. } = &table.value;
    if duration.is_none() && duration_secs.is_none() {
        let help = "write `duration = \"30s\"` (or `duration_secs = 30`)";
        problems.at(&table.span, "this stage has no length", help);
    }
    problems.either(duration.as_ref(), duration_secs.as_ref(), Duration::from_secs)
}

/// A number of virtual users.
fn whole(at: &At<Figure>, problems: &mut Problems<'_>) -> Option<u32> {
    let (message, help) = match &at.value {
        Figure::Whole(number) if *number < 0 => ("there are no negative virtual users", "write 0 or more"),
        Figure::Whole(number) => match u32::try_from(*number) {
            Ok(number) => return Some(number),
            Err(_) => ("these are more virtual users than anybody has", USERS_HELP),
        },
        Figure::Real(_) => ("there are no parts of virtual users", "write a whole number"),
        Figure::Text(_) => (
            "this stage is one of virtual users",
            "write a number without quotes, or `executor = \"ramping-arrival-rate\"` for rates",
        ),
    };
    problems.at(&at.span, message, help);
    None
}

impl Problems<'_> {
    /// The rate that stands at `at`; it may be zero.
    pub(super) fn rate(&mut self, at: &At<Figure>) -> Option<Rate> {
        let rate = match &at.value {
            Figure::Text(text) => text.parse(),
            #[expect(clippy::cast_precision_loss, reason = "rates that large are refused")]
            Figure::Whole(number) => in_range(*number as f64),
            Figure::Real(number) => in_range(*number),
        };
        let help = "write how many, and per what: \"200/s\", \"90/m\", \"5/h\", or a number per second";
        rate.map_err(|reason| self.at(&at.span, reason, help)).ok()
    }
}

fn in_range(per_second: f64) -> Result<Rate, String> {
    let rate = Rate::per_second(per_second).ok_or_else(|| format!("{per_second} is not a rate"))?;
    if rate > Rate::HIGHEST { Err(format!("{rate} is more than {}", Rate::HIGHEST)) } else { Ok(rate) }
}
