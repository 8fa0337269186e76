//! Where the server broke, under the names of schema 1.1 and beside them what it did not say.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figures::rounded;
use crate::judge::{self, BreakingPointFinding, BreakingPointReason, Confidence};

/// `breaking_point`: where the server left its baseline while the load rose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BreakingPoint {
    /// Whether it did.
    pub detected: bool,
    /// Why nothing was looked for; only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_looked_for: Option<String>,
    /// Where; only if it did.
    #[serde(flatten)]
    pub place: Option<BreakingPlace>,
}

/// Where the server left its baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BreakingPlace {
    /// Virtual users that were active then.
    pub vus: u32,
    /// What showed it first.
    pub reason: BreakingPointReason,
    /// What was observed, and what the baseline was.
    pub detail: String,
    /// When it began.
    pub timestamp: String,
    /// The same in whole seconds since the start, as in `timeline`.
    pub second: u64,
    /// Calls per second that the server completed just before.
    pub rate_per_s: f64,
    /// How far it can be trusted: a point each for a second reason, for lasting twice as long as it must, and for at least 100 calls
    /// both in it and in the baseline. Three points are high, two are medium.
    pub confidence: Confidence,
}

impl BreakingPoint {
    pub(super) fn new(finding: &BreakingPointFinding, started_at: Timestamp) -> Self {
        let (not_looked_for, place) = match finding {
            BreakingPointFinding::NotLookedFor(reason) => (Some(reason.clone()), None),
            BreakingPointFinding::NotFound => (None, None),
            BreakingPointFinding::Found(point) => (None, Some(BreakingPlace::new(point, started_at))),
        };
        Self { detected: place.is_some(), not_looked_for, place }
    }
}

impl BreakingPlace {
    fn new(point: &judge::BreakingPoint, started_at: Timestamp) -> Self {
        Self {
            vus: point.vus,
            reason: point.reason,
            detail: point.detail.clone(),
            timestamp: started_at.checked_add(point.at).unwrap_or(started_at).to_string(),
            second: point.at.as_secs(),
            rate_per_s: rounded(point.rate_per_s),
            confidence: point.confidence,
        }
    }
}
