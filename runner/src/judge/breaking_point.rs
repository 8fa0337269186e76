//! Where a server breaks under a rising load. In: the seconds of a run as they close, each with what the load wanted in it. Out: the
//! second from which on the server was out of its own baseline, with the reason and how far that can be trusted.

mod baseline;
mod detector;
mod plateau;
#[cfg(test)]
mod simulation;
mod symptom;
#[cfg(test)]
mod tests;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TimelineRow;

pub use detector::BreakingPointDetector;

/// One closed second of a run.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LoadSecond {
    /// What came of it.
    pub row: TimelineRow,
    /// What the load wanted in it.
    pub wanted: WantedLoad,
}

/// What the load wanted in a second, over all of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WantedLoad {
    /// Virtual users of closed executors that the schedule wanted.
    pub vus: u32,
    /// Arrivals per second that the schedule of open executors wanted, as planned: random arrivals must not look like a rise.
    pub rate_per_s: f64,
    /// Iterations of open executors that came due.
    pub arrivals: u64,
    /// Of them, those that were dropped.
    pub dropped: u64,
}

/// What came of looking for a breaking point.
#[derive(Debug, Clone, PartialEq)]
pub enum BreakingPointFinding {
    /// Nothing was looked for, for this reason, which is a fragment for a person.
    NotLookedFor(String),
    /// The load rose, and the server stayed within its baseline.
    NotFound,
    /// The server left its baseline.
    Found(BreakingPoint),
}

/// Where a server left its baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakingPoint {
    /// When it began, not when it was noticed: whole seconds from the origin.
    pub at: Duration,
    /// Virtual users that were active then.
    pub vus: u32,
    /// Calls that came to an end per second, just before: the median of the last seconds.
    pub rate_per_s: f64,
    /// What showed it first.
    pub reason: BreakingPointReason,
    /// What was observed and what the baseline was, as a fragment for a person.
    pub detail: String,
    /// How far it can be trusted.
    pub confidence: Confidence,
}

/// What shows that a server is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum BreakingPointReason {
    /// More calls failed than at the baseline.
    ErrorRate,
    /// Calls took a multiple of what they took at the baseline, or none was answered.
    ResponseTime,
    /// The load grew, and throughput did not.
    ThroughputPlateau,
    /// Iterations were dropped because no virtual user was free.
    Dropped,
}

/// How far a finding can be trusted: one point each for a second reason, for lasting twice as long as it must, and for at least 100
/// calls on both sides of the comparison. Three points are high, two are medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Confidence {
    /// None of the three holds, or one.
    Low,
    /// Two of them hold.
    Medium,
    /// All of them hold.
    High,
}

impl LoadSecond {
    fn ok_per_s(&self) -> f64 {
        self.row.ok as f64
    }

    /// The load as one number; `None` where closed and open parts cannot be added up.
    fn load(&self) -> Option<f64> {
        match (self.wanted.vus, self.wanted.rate_per_s) {
            (0, rate) => Some(rate),
            (vus, 0.0) => Some(f64::from(vus)),
            _ => None,
        }
    }
}

/// The middle of `values`, the upper one of two; `None` of nothing.
fn median<T: Copy>(
    values: impl Iterator<Item = T>,
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_by(order);
    values.get(values.len() / 2).copied()
}
