//! What more cores would bring. In: the capacity of one server, measured at several numbers of cores. Out: the capacity to expect at
//! another number, from the Universal Scalability Law with its uncertainty; or why the measurements do not carry that.
//!
//! The law (N. J. Gunther, "Guerrilla Capacity Planning", 2007): X(N) = lambda N / (1 + sigma (N-1) + kappa N (N-1)), with the
//! capacity of one core, the share of work that waits in line, and the cost of keeping cores coherent. A sweep of the load on one
//! machine says nothing of more cores, nor do replicas, which share sessions and stores: they are a curve of their own.

mod fit;
mod prediction;
mod refusal;
#[cfg(test)]
mod tests;
mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use fit::{Law, UslParameters};
pub use prediction::{Interval, LeftOut, ModelPrediction, Peak, Prediction};
pub use refusal::Refusal;

/// What is asked, and all that was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalingQuestion<'a> {
    /// The number of cores to predict for.
    pub target_cores: u32,
    /// What was measured; several points of the same number of cores count as one.
    pub points: &'a [CorePoint],
    /// What a capacity counts, per second: `calls` or `sessions`.
    pub unit: &'a str,
    /// Predicts even for more than twice the largest number of cores that was measured.
    pub forced: bool,
    /// Seed of the resampling: the same seed gives the same interval.
    pub seed: u64,
}

/// The capacity of a server that was given so many cores and no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CorePoint {
    /// How many cores it had.
    pub cores: u32,
    /// One entry per independent search for the capacity.
    pub repeats: Vec<CapacityRepeat>,
    /// What ran out first, such as `cpu` or `database`, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<String>,
}

/// What one search for the capacity came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CapacityRepeat {
    /// The highest load that met the objectives, per second.
    pub per_s: f64,
    /// What kind of answer that is.
    pub kind: CapacityKind,
}

/// What kind of answer a search for the capacity gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum CapacityKind {
    /// The load at which the server itself gave out: the only kind that scales with its cores.
    Capacity,
    /// A lower bound: no load that was tried failed.
    AtLeast,
    /// The generator was the bottleneck.
    GeneratorBound,
    /// A rate limit was found, not a capacity.
    RateLimited,
    /// The server did not recover from an overload.
    Metastable,
    /// The measurement cannot be trusted.
    Invalid,
}

/// What came of the question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Scalability {
    /// A prediction, with its uncertainty.
    Predicted(Prediction),
    /// The measurements do not carry one.
    Refused {
        /// All the reasons, never empty.
        reasons: Vec<Refusal>,
    },
}

/// Predicts the capacity at the number of cores that is asked for, or refuses to.
///
/// ```
/// use pmcp_loadtest::judge::scalability::{
///     CapacityKind, CapacityRepeat, CorePoint, Scalability, ScalingQuestion, extrapolate,
/// };
/// let points: Vec<CorePoint> = [(1, 200.0), (2, 390.0), (4, 750.0), (8, 1_400.0)]
///     .map(|(cores, per_s)| CorePoint {
///         cores,
///         repeats: [0.99, 1.0, 1.01].map(|noise| CapacityRepeat { per_s: per_s * noise, kind: CapacityKind::Capacity }).to_vec(),
///         bottleneck: None,
///     })
///     .to_vec();
/// let question = ScalingQuestion { target_cores: 16, points: &points, unit: "calls", forced: false, seed: 7 };
/// let Scalability::Predicted(prediction) = extrapolate(&question) else { panic!("refused") };
/// assert!((2_300.0..2_600.0).contains(&prediction.per_s));
/// assert!(prediction.interval.low < prediction.per_s && prediction.per_s < prediction.interval.high);
/// ```
pub fn extrapolate(question: &ScalingQuestion<'_>) -> Scalability {
    let counts = core_counts(question.points);
    let mut reasons = refusal::refusals(question, &counts);
    if reasons.is_empty() {
        match prediction::predict(question, &counts) {
            Ok(prediction) => return Scalability::Predicted(prediction),
            Err(reason) => reasons.push(reason),
        }
    }
    Scalability::Refused { reasons }
}

/// All capacities that were measured with a number of cores.
#[derive(Debug, Clone, PartialEq)]
struct CoreCount {
    cores: u32,
    per_s: Vec<f64>,
}

impl CoreCount {
    fn mean(&self) -> f64 {
        self.per_s.iter().sum::<f64>() / self.per_s.len() as f64
    }
}

/// The points by number of cores, the fewest first.
fn core_counts(points: &[CorePoint]) -> Vec<CoreCount> {
    let mut counts: Vec<CoreCount> = Vec::new();
    for point in points {
        let per_s = point.repeats.iter().map(|repeat| repeat.per_s);
        match counts.iter_mut().find(|count| count.cores == point.cores) {
            Some(count) => count.per_s.extend(per_s),
            None => counts.push(CoreCount { cores: point.cores, per_s: per_s.collect() }),
        }
    }
    counts.sort_by_key(|count| count.cores);
    counts
}
