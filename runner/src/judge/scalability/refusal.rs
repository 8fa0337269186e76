//! When the measurements do not carry a prediction, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CapacityKind, CoreCount, ScalingQuestion};

/// Fewest numbers of cores: the law has three unknowns, and one point more shows whether it holds.
pub(super) const FEWEST_COUNTS: usize = 4;
/// Fewest repeats of each: two that disagree do not tell which is wrong.
pub(super) const FEWEST_REPEATS: usize = 3;
/// How far off the largest number of cores may be when it is predicted from the others.
pub(super) const MOST_MISPREDICTION: f64 = 0.10;
/// How far beyond the largest number of cores a prediction goes unforced.
pub(super) const FARTHEST: u32 = 2;

/// Why there is no prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Refusal {
    /// There are not enough different numbers of cores.
    TooFewCoreCounts {
        /// How many there are.
        found: usize,
        /// How many there must be.
        needed: usize,
    },
    /// A number of cores was not measured often enough.
    TooFewRepeats {
        /// The number of cores.
        cores: u32,
        /// How many repeats it has.
        found: usize,
        /// How many it must have.
        needed: usize,
    },
    /// What was found is not the capacity of the server.
    NotACapacity {
        /// The number of cores.
        cores: u32,
        /// What it is.
        kind: CapacityKind,
    },
    /// A capacity is not a positive number, or the number of cores is none.
    NotANumber {
        /// The number of cores.
        cores: u32,
    },
    /// Something else ran out with more cores, so the points are not of one curve.
    BottleneckChanged {
        /// The bottleneck of the fewest cores.
        from: String,
        /// Another.
        to: String,
        /// The number of cores that it was seen at.
        cores: u32,
    },
    /// The largest number of cores is not what the others predict, so neither will be what lies beyond.
    LargestMispredicted {
        /// The largest number of cores.
        cores: u32,
        /// What the others predict for it, per second.
        predicted_per_s: f64,
        /// What was measured, per second.
        measured_per_s: f64,
    },
    /// The number of cores lies too far beyond what was measured.
    TooFar {
        /// The number of cores that was asked for.
        target_cores: u32,
        /// The largest that was measured.
        largest_cores: u32,
    },
    /// No curve of the law goes through the points.
    NoFit,
}

/// All reasons that can be seen before anything is fitted.
pub(super) fn refusals(question: &ScalingQuestion<'_>, counts: &[CoreCount]) -> Vec<Refusal> {
    let mut reasons = Vec::new();
    if counts.len() < FEWEST_COUNTS {
        reasons.push(Refusal::TooFewCoreCounts { found: counts.len(), needed: FEWEST_COUNTS });
    }
    for count in counts {
        let (cores, found) = (count.cores, count.per_s.len());
        if found < FEWEST_REPEATS {
            reasons.push(Refusal::TooFewRepeats { cores, found, needed: FEWEST_REPEATS });
        }
        if cores == 0 || !count.per_s.iter().all(|per_s| *per_s > 0.0 && per_s.is_finite()) {
            reasons.push(Refusal::NotANumber { cores });
        }
    }
    for point in question.points {
        let other = point.repeats.iter().find(|repeat| repeat.kind != CapacityKind::Capacity);
        if let Some(repeat) = other {
            reasons.push(Refusal::NotACapacity { cores: point.cores, kind: repeat.kind });
        }
    }
    reasons.extend(changed_bottleneck(question));
    if let Some(largest) = counts.last()
        && question.target_cores > largest.cores.saturating_mul(FARTHEST)
        && !question.forced
    {
        reasons.push(Refusal::TooFar { target_cores: question.target_cores, largest_cores: largest.cores });
    }
    if question.target_cores == 0 {
        reasons.push(Refusal::NotANumber { cores: 0 });
    }
    reasons
}

fn changed_bottleneck(question: &ScalingQuestion<'_>) -> Option<Refusal> {
    let mut known: Vec<(u32, &str)> = question
        .points
        .iter()
        .filter_map(|point| Some((point.cores, point.bottleneck.as_deref()?)))
        .collect();
    known.sort_by_key(|(cores, _)| *cores);
    let (_, from) = *known.first()?;
    let (cores, to) = *known.iter().find(|(_, bottleneck)| *bottleneck != from)?;
    Some(Refusal::BottleneckChanged { from: from.to_owned(), to: to.to_owned(), cores })
}
