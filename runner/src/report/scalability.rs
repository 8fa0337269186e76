//! What more cores would bring, as data: the capacity at each number of cores that was measured, and the prediction or the reasons
//! against one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::manifest::Manifest;
use super::{CapacityReport, ReportVerdict, SCHEMA_VERSION};
use crate::error::ExitCode;
use crate::judge::VerdictOutcome;
use crate::judge::capacity::{Answer, AtLeast, Finding, Variable};
use crate::judge::scalability::{
    CapacityKind, CapacityRepeat, CorePoint, Scalability, ScalingQuestion, extrapolate,
};

/// The unit of the points: iterations per second, as a search by rate counts.
const UNIT: &str = "iterations";

/// What more cores would bring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "cargo pmcp loadtest scalability report")]
pub struct ScalabilityReport {
    /// Version of this schema.
    pub schema_version: String,
    /// What kind of report this is.
    pub kind: ScalabilityReportKind,
    /// When it was made.
    pub timestamp: String,
    /// Whether there is a prediction.
    pub verdict: ReportVerdict,
    /// The process that made it.
    pub manifest: Manifest,
    /// The number of cores that was asked for.
    pub target_cores: u32,
    /// Seed of the resampling.
    pub seed: u64,
    /// Whether a prediction further than the points carry was asked for.
    pub forced: bool,
    /// What was measured, the fewest cores first.
    pub points: Vec<CorePoint>,
    /// The prediction, or why there is none.
    pub scalability: Scalability,
    /// The same in sentences.
    pub sentences: Vec<String>,
    /// What a person should know, one sentence each.
    pub notes: Vec<String>,
    /// The searches behind the points, where they were made for this report.
    pub searches: Vec<CapacityReport>,
}

/// The kind of such a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ScalabilityReportKind {
    /// Capacities at several numbers of cores.
    Scalability,
}

/// What is asked of the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prospect {
    /// The number of cores to predict for; twice the largest measured where none is named.
    pub cores: Option<u32>,
    /// Whether to predict further than the points carry.
    pub forced: bool,
    /// Seed of the resampling.
    pub seed: u64,
}

/// One capacity and the number of cores that it was measured at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// How many cores the server had.
    pub cores: u32,
    /// What the search came to.
    pub repeat: CapacityRepeat,
}

impl Measured {
    /// What an answer says of a server with so many cores; `None` where a load is no rate.
    pub fn of(answer: &Answer, cores: u32) -> Option<Self> {
        let kind = match &answer.finding {
            Finding::Between => CapacityKind::Capacity,
            Finding::AtLeast { because: AtLeast::Ceiling } => CapacityKind::AtLeast,
            Finding::AtLeast { because: AtLeast::Generator { .. } } => CapacityKind::GeneratorBound,
            Finding::RateLimit { .. } => CapacityKind::RateLimited,
            Finding::Metastable { .. } => CapacityKind::Metastable,
            Finding::Degrading { .. }
            | Finding::BelowFloor { .. }
            | Finding::TooFewCalls { .. }
            | Finding::Deadline
            | Finding::Interrupted
            | Finding::Unmeasurable { .. } => CapacityKind::Invalid,
        };
        let per_s = answer.lo.as_ref().map_or(0.0, |lo| lo.load);
        (answer.variable == Variable::Rate).then_some(Self { cores, repeat: CapacityRepeat { per_s, kind } })
    }
}

impl ScalabilityReport {
    /// Fits what was measured. `interrupted` where not all of it was.
    pub fn new(
        measured: &[Measured],
        prospect: Prospect,
        manifest: Manifest,
        now: jiff::Timestamp,
        interrupted: bool,
    ) -> Self {
        let points = points(measured);
        let largest = points.last().map_or(0, |point| point.cores);
        let target_cores = prospect.cores.unwrap_or(largest.saturating_mul(2));
        let question = ScalingQuestion {
            target_cores,
            points: &points,
            unit: UNIT,
            forced: prospect.forced,
            seed: prospect.seed,
        };
        let scalability = extrapolate(&question);
        let sentences = scalability.sentences();
        let first = sentences.first().cloned().unwrap_or_default();
        let (outcome, exit, reason) = match &scalability {
            _ if interrupted => (
                VerdictOutcome::Inconclusive,
                ExitCode::Interrupted,
                format!("interrupted after {} searches", measured.len()),
            ),
            Scalability::Predicted(_) => (VerdictOutcome::Passed, ExitCode::Passed, first),
            Scalability::Refused { .. } => (
                VerdictOutcome::Inconclusive,
                ExitCode::Inconclusive,
                format!("the measurements do not carry a prediction for {target_cores} cores"),
            ),
        };
        Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            kind: ScalabilityReportKind::Scalability,
            timestamp: now.to_string(),
            verdict: ReportVerdict { outcome, exit_code: exit.code(), reason },
            manifest,
            target_cores,
            seed: prospect.seed,
            forced: prospect.forced,
            points,
            scalability,
            sentences,
            notes: Vec::new(),
            searches: Vec::new(),
        }
    }
}

impl ScalabilityReport {
    /// What its points were made of.
    pub fn measured(&self) -> Vec<Measured> {
        let of_point = |point: &CorePoint| {
            let cores = point.cores;
            point.repeats.iter().map(move |repeat| Measured { cores, repeat: *repeat }).collect::<Vec<_>>()
        };
        self.points.iter().flat_map(of_point).collect()
    }
}

/// What was measured, by number of cores, the fewest first.
fn points(measured: &[Measured]) -> Vec<CorePoint> {
    let mut points: Vec<CorePoint> = Vec::new();
    for Measured { cores, repeat } in measured {
        match points.iter_mut().find(|point| point.cores == *cores) {
            Some(point) => point.repeats.push(*repeat),
            None => {
                points.push(CorePoint { cores: *cores, repeats: vec![*repeat], bottleneck: None });
            }
        }
    }
    points.sort_by_key(|point| point.cores);
    points
}
