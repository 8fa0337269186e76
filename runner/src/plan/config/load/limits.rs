//! What the figures of a load may be: above zero, below a bound, and not so large together that a sum overflows.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::plan::{Rate, RateStage, Stage, duration};

/// Most virtual users that can be asked for: more than one machine has ports for, and few enough to keep in memory.
const MOST_USERS: u32 = 1_000_000;

/// A number of virtual users that can be had.
pub(super) fn users_fit(users: u32) -> Result<NonZeroU32, String> {
    match NonZeroU32::new(users) {
        None => Err("zero virtual users do nothing".to_owned()),
        Some(_) if users > MOST_USERS => {
            Err(format!("{users} virtual users are more than the {MOST_USERS} allowed"))
        }
        Some(users) => Ok(users),
    }
}

/// A length that a run or a load can have.
pub(super) fn length_fits(length: Duration) -> Result<Duration, String> {
    if length.is_zero() {
        return Err("a run of no length does nothing".to_owned());
    }
    if length > duration::LONGEST {
        return Err("this is longer than a year".to_owned());
    }
    Ok(length)
}

/// A rate at which something happens.
pub(super) fn rate_fits(rate: Rate) -> Result<Rate, String> {
    if rate.is_zero() {
        return Err("at a rate of zero nothing ever begins".to_owned());
    }
    if rate > Rate::HIGHEST {
        return Err(format!("{rate} is more than {}", Rate::HIGHEST));
    }
    Ok(rate)
}

/// Whether a ramp of virtual users can be run. Each length is checked before they are added up, so the sum cannot overflow.
pub(super) fn stages_fit(from: u32, stages: &[Stage]) -> Result<(), String> {
    for stage in stages {
        if stage.duration.is_zero() {
            return Err("a stage of no length has no place on a ramp".to_owned());
        }
        if stage.target > 0 {
            users_fit(stage.target)?;
        }
    }
    length_fits(whole(stages.iter().map(|stage| stage.duration)))?;
    if from == 0 && stages.iter().all(|stage| stage.target == 0) {
        return Err("a ramp whose targets are all zero does nothing".to_owned());
    }
    Ok(())
}

/// Whether a ramp of rates can be run.
pub(super) fn rate_stages_fit(from: Rate, stages: &[RateStage]) -> Result<(), String> {
    if let Some(stage) = stages.iter().find(|stage| stage.target > Rate::HIGHEST) {
        rate_fits(stage.target)?;
    }
    length_fits(whole(stages.iter().map(|stage| stage.duration)))?;
    let begins = std::iter::once(from).chain(stages.iter().map(|stage| stage.target));
    let still = begins
        .zip(stages)
        .all(|(from, stage)| stage.duration.is_zero() || (from.is_zero() && stage.target.is_zero()));
    if still {
        return Err("on a ramp whose rates are all zero nothing ever begins".to_owned());
    }
    Ok(())
}

fn whole(lengths: impl Iterator<Item = Duration>) -> Duration {
    lengths.fold(Duration::ZERO, Duration::saturating_add)
}
