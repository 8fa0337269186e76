//! What is asked of a search: what to keep to, what to vary, how narrow the answer must be, and when to stop.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judge::wording::rate;
use crate::plan::Objective;

/// What a search is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What the server must keep to; never empty. Counts of a trial stand in this order.
    pub objectives: Vec<Objective>,
    /// What a load is a number of.
    pub variable: Variable,
    /// How far the answer's bounds may be apart.
    pub precision: Precision,
    /// After how long the search answers with what it has.
    pub deadline: Duration,
    /// The lowest load to try; `None` for a 256th of the first one.
    pub floor: Option<f64>,
    /// The highest load to try.
    pub ceiling: Option<f64>,
}

/// What a load is a number of. The two are never mixed in one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    /// Iterations started per second, whether the ones before have ended or not (open). With one call per iteration: calls per second.
    Rate,
    /// Sessions at the same time, each starting its next iteration when the last one ended (closed). A whole number.
    Sessions,
}

/// How far the bounds of an answer may be apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Five per cent.
    #[default]
    Usual,
    /// Two per cent.
    Fine,
}

impl Question {
    /// When a search ends at the latest, unless something else is asked for.
    pub const DEADLINE: Duration = Duration::from_mins(15);

    /// The question of these objectives with everything else as it is usual.
    pub fn of(objectives: Vec<Objective>) -> Self {
        Self {
            objectives,
            variable: Variable::Rate,
            precision: Precision::Usual,
            deadline: Self::DEADLINE,
            floor: None,
            ceiling: None,
        }
    }
}

impl Variable {
    /// A load in short: `240.0/s`, `12 sessions`.
    pub fn shown(self, load: f64) -> String {
        match self {
            Self::Rate => format!("{}/s", rate(load)),
            Self::Sessions if load.round() <= 1.0 => "1 session".to_owned(),
            Self::Sessions => format!("{load:.0} sessions"),
        }
    }

    /// A load that can be driven: a whole number of sessions, at least one; any rate above zero.
    pub fn nearest(self, load: f64) -> f64 {
        match self {
            Self::Rate => load,
            Self::Sessions => load.round().max(1.0),
        }
    }

    /// Whether nothing can be tried between two loads that a search would tell apart by this width.
    pub(super) fn adjacent(self, lower: f64, higher: f64, width: f64) -> bool {
        // Loads are products of the width; a rounding error must not cost a trial.
        let close = higher <= lower * width * (1.0 + 1e-9);
        close || (self == Self::Sessions && higher - lower < 1.5)
    }
}

impl Precision {
    /// The largest ratio of the answer's bounds.
    pub fn width(self) -> f64 {
        match self {
            Self::Usual => 1.05,
            Self::Fine => 1.02,
        }
    }

    /// The ratio that the bounds are brought to: three quarters of the width. The rest is left to chance.
    pub(super) fn step(self) -> f64 {
        self.width().powf(0.75)
    }
}
