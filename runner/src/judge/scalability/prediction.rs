//! The prediction: a fit, how far off it may be, and what other laws would say.

use pmcp_loadtest_arguments::Draws;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fit::{Law, Mean, UslParameters, fit};
use super::refusal::{MOST_MISPREDICTION, Refusal};
use super::{CoreCount, ScalingQuestion};

/// Resamples of an interval.
const RESAMPLES: u32 = 2_000;
/// The share of resamples that lie within an interval.
const COVERED: f64 = 0.95;
/// A relative error that is called none: keeps the logarithm of a perfect fit finite.
const EXACT: f64 = 1e-6;

/// The capacity to expect, with its uncertainty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Prediction {
    /// The number of cores it is for.
    pub target_cores: u32,
    /// The fewest cores that were measured.
    pub fewest_cores: u32,
    /// The most cores that were measured.
    pub most_cores: u32,
    /// What is counted per second: `calls` or `sessions`.
    pub unit: String,
    /// The capacity to expect, by the Universal Scalability Law.
    pub per_s: f64,
    /// Where another measurement would lie, by 2,000 resamples.
    pub interval: Interval,
    /// The fitted law.
    pub parameters: UslParameters,
    /// Where kappa may lie; the peak is visible only if that leaves out zero.
    pub kappa: Interval,
    /// From which number of cores on more of them bring less; null where no peak is visible.
    pub peak: Option<Peak>,
    /// What each law says, the simplest first.
    pub models: Vec<ModelPrediction>,
    /// The lowest and the highest of them.
    pub spread: Interval,
    /// The law that needs the fewest words for the points: the one of the least `aicc`.
    pub most_plausible: Law,
    /// How well the largest number of cores is predicted by the others.
    pub left_out: LeftOut,
    /// Whether it goes further beyond the measurements than they carry by themselves.
    pub forced: bool,
}

/// From here to there; of resamples, where 95 % of them lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The number of cores with the highest capacity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Peak {
    /// By the fit.
    pub cores: f64,
    /// By the resamples.
    pub interval: Interval,
}

/// What one law says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelPrediction {
    /// Which.
    pub law: Law,
    /// Its unknowns.
    pub parameters: UslParameters,
    /// Akaike's information criterion, corrected for few points (Hurvich and Tsai 1989): less is better, two less is much.
    pub aicc: f64,
    /// The capacity to expect by it.
    pub per_s: f64,
}

/// The largest number of cores against what the others predict for it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// The largest number of cores.
    pub cores: u32,
    /// What the others predict for it, per second.
    pub predicted_per_s: f64,
    /// What was measured, per second.
    pub measured_per_s: f64,
}

/// Fits, checks, resamples. The counts are those of a question that nothing else speaks against.
pub(super) fn predict(question: &ScalingQuestion<'_>, counts: &[CoreCount]) -> Result<Prediction, Refusal> {
    let (Some(fewest), Some(most)) = (counts.first(), counts.last()) else { return Err(Refusal::NoFit) };
    let target = f64::from(question.target_cores);
    let means = means(counts);
    let left_out = left_out(counts)?;
    let models: Vec<ModelPrediction> = Law::ALL
        .into_iter()
        .map(|law| model(law, counts, &means, target))
        .collect::<Option<_>>()
        .ok_or(Refusal::NoFit)?;
    let parameters = models.last().ok_or(Refusal::NoFit)?.parameters;
    let resamples = resample(counts, RESAMPLES, question.seed);
    let kappa = kappa_of(&resamples).ok_or(Refusal::NoFit)?;
    let peak = parameters.peak().filter(|_| kappa.low > 0.0).and_then(|cores| {
        let peaks = resamples.iter().filter_map(|resample| resample.usl.peak());
        Some(Peak { cores, interval: interval(peaks)? })
    });
    let least = models.iter().min_by(|left, right| left.aicc.total_cmp(&right.aicc)).ok_or(Refusal::NoFit)?;
    let by_model = || models.iter().map(|model| model.per_s);
    Ok(Prediction {
        target_cores: question.target_cores,
        fewest_cores: fewest.cores,
        most_cores: most.cores,
        unit: question.unit.to_owned(),
        per_s: parameters.capacity(target),
        interval: expected(&resamples, &kappa, target).ok_or(Refusal::NoFit)?,
        parameters,
        kappa,
        peak,
        spread: Interval {
            low: by_model().fold(f64::INFINITY, f64::min),
            high: by_model().fold(0.0, f64::max),
        },
        most_plausible: least.law,
        models,
        left_out,
        forced: question.target_cores > most.cores.saturating_mul(super::refusal::FARTHEST),
    })
}

fn means(counts: &[CoreCount]) -> Vec<Mean> {
    let mean = |count: &CoreCount| Mean {
        cores: count.cores.into(),
        per_s: count.mean(),
        repeats: count.per_s.len() as f64,
    };
    counts.iter().map(mean).collect()
}

/// Predicts the largest number of cores from the others.
fn left_out(counts: &[CoreCount]) -> Result<LeftOut, Refusal> {
    let Some((largest, others)) = counts.split_last() else { return Err(Refusal::NoFit) };
    let fitted = fit(Law::Usl, &means(others)).ok_or(Refusal::NoFit)?;
    let (predicted_per_s, measured_per_s) = (fitted.capacity(largest.cores.into()), largest.mean());
    if (predicted_per_s / measured_per_s - 1.0).abs() > MOST_MISPREDICTION {
        return Err(Refusal::LargestMispredicted { cores: largest.cores, predicted_per_s, measured_per_s });
    }
    Ok(LeftOut { cores: largest.cores, predicted_per_s, measured_per_s })
}

fn model(law: Law, counts: &[CoreCount], means: &[Mean], target: f64) -> Option<ModelPrediction> {
    let parameters = fit(law, means)?;
    let errors = counts.iter().flat_map(|count| {
        let fitted = parameters.capacity(count.cores.into());
        count.per_s.iter().map(move |per_s| (per_s / fitted - 1.0).powi(2))
    });
    let points: f64 = means.iter().map(|mean| mean.repeats).sum();
    let variance = (errors.sum::<f64>() / points).max(EXACT * EXACT);
    // The error's own size is an unknown too.
    let unknowns = law.unknowns() as f64 + 1.0;
    let correction = 2.0 * unknowns * (unknowns + 1.0) / (points - unknowns - 1.0);
    // Errors relative to the fit are larger where the fit is lower, which the second term of the likelihood takes back.
    let scale: f64 = means.iter().map(|mean| mean.repeats * parameters.capacity(mean.cores).ln()).sum();
    let aicc = points * variance.ln() + 2.0 * scale + 2.0 * unknowns + correction;
    Some(ModelPrediction { law, parameters, aicc, per_s: parameters.capacity(target) })
}

/// One more measurement campaign, as it could have been.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resample {
    /// The fit of it.
    pub(super) usl: UslParameters,
    /// The fit of it without coherency.
    amdahl: UslParameters,
    /// How far off one more measurement would be, relative.
    error: f64,
}

/// Where kappa may lie.
pub(super) fn kappa_of(resamples: &[Resample]) -> Option<Interval> {
    interval(resamples.iter().map(|resample| resample.usl.kappa))
}

/// Where another measurement at the target may lie.
///
/// Where kappa may be zero, Amdahl's law may hold as well, and a kappa that cannot be negative then only ever lowers the prediction:
/// the interval spans both laws.
pub(super) fn expected(resamples: &[Resample], kappa: &Interval, target: f64) -> Option<Interval> {
    let by = |law: fn(&Resample) -> UslParameters| {
        interval(resamples.iter().map(|resample| law(resample).capacity(target) * (1.0 + resample.error)))
    };
    let usl = by(|resample| resample.usl)?;
    if kappa.low > 0.0 {
        return Some(usl);
    }
    let amdahl = by(|resample| resample.amdahl)?;
    Some(Interval { low: usl.low.min(amdahl.low), high: usl.high.max(amdahl.high) })
}

/// The bootstrap over repeats: every mean capacity, each of its repeats off by a relative error drawn from those of all repeats.
///
/// Three repeats are too few to draw from alone, and a search ends within the same share of any capacity. Errors around a mean of `n`
/// are too small by the square root of (n - 1) / n, which is made up for. One more such error
/// is that of the measurement that is predicted.
pub(super) fn resample(counts: &[CoreCount], resamples: u32, seed: u64) -> Vec<Resample> {
    let errors: Vec<f64> = counts
        .iter()
        .flat_map(|count| {
            let (mean, repeats) = (count.mean(), count.per_s.len() as f64);
            let inflated = (repeats / (repeats - 1.0)).sqrt();
            count.per_s.iter().map(move |per_s| (per_s / mean - 1.0) * inflated)
        })
        .collect();
    let one = |number: u32| {
        let mut draws = Draws::new(seed, 0, number.into());
        let mut error = || {
            let drawn = usize::try_from(draws.below(errors.len() as u64)).ok();
            drawn.and_then(|index| errors.get(index)).copied().unwrap_or_default()
        };
        let means: Vec<Mean> = counts
            .iter()
            .map(|count| {
                let repeats = count.per_s.len();
                let off = (0..repeats).map(|_| error()).sum::<f64>() / repeats as f64;
                Mean { cores: count.cores.into(), per_s: count.mean() * (1.0 + off), repeats: repeats as f64 }
            })
            .collect();
        Some(Resample { usl: fit(Law::Usl, &means)?, amdahl: fit(Law::Amdahl, &means)?, error: error() })
    };
    (0..resamples).filter_map(one).collect()
}

/// Where [`COVERED`] of the values lie; `None` of nothing.
pub(super) fn interval(values: impl Iterator<Item = f64>) -> Option<Interval> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let outside = (1.0 - COVERED) / 2.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
    let cut = (values.len() as f64 * outside) as usize;
    Some(Interval { low: *values.get(cut)?, high: *values.get(values.len().checked_sub(cut + 1)?)? })
}
