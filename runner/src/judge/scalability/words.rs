//! The answer in sentences.

use std::fmt;

use super::{CapacityKind, Interval, Law, Prediction, Refusal, Scalability};
use crate::judge::wording::{count, number, rate, share};

impl Scalability {
    /// The answer in sentences, one each.
    pub fn sentences(&self) -> Vec<String> {
        match self {
            Self::Predicted(prediction) => prediction.sentences(),
            Self::Refused { reasons } => {
                reasons.iter().map(|reason| format!("not predicted: {reason}")).collect()
            }
        }
    }
}

impl Prediction {
    /// The prediction in sentences: the capacity, the peak, what other laws say.
    ///
    /// The first one reads `predicted 1,900 [1,600–2,150] calls/s at 16 cores, from 1–8 cores, if the same resource stays the
    /// bottleneck`.
    pub fn sentences(&self) -> Vec<String> {
        let Self { target_cores, fewest_cores, most_cores, unit, .. } = self;
        let mut sentences = vec![format!(
            "predicted {} {} {unit}/s at {target_cores} cores, from {fewest_cores}–{most_cores} cores, \
             if the same resource stays the bottleneck",
            rough(self.per_s),
            range(&self.interval),
        )];
        sentences.push(match self.peak {
            Some(peak) => format!(
                "peak at {} {} cores: more of them bring less",
                rough(peak.cores),
                range(&peak.interval)
            ),
            None => "no peak visible".to_owned(),
        });
        let law = |law: Law| match law {
            Law::Linear => "linear growth",
            Law::Amdahl => "Amdahl's law",
            Law::Usl => "the Universal Scalability Law",
        };
        sentences.push(format!(
            "other laws put it between {} and {} {unit}/s; {} explains the points best",
            rough(self.spread.low),
            rough(self.spread.high),
            law(self.most_plausible)
        ));
        if self.forced {
            sentences.push(format!(
                "more than twice the {most_cores} cores that were measured: predicted because it was forced"
            ));
        }
        sentences
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewCoreCounts { found, needed } => {
                write!(
                    formatter,
                    "{found} different numbers of cores were measured; measure at least {needed}"
                )
            }
            Self::TooFewRepeats { cores, found, needed } => write!(
                formatter,
                "{} measured {}; measure it at least {needed} times",
                at(*cores),
                times(*found),
            ),
            Self::NotACapacity { cores, kind } => write!(formatter, "{} {}", at(*cores), why_not(*kind)),
            Self::NotANumber { cores } => write!(formatter, "{} no capacity", at(*cores)),
            Self::BottleneckChanged { from, to, cores } => write!(
                formatter,
                "the bottleneck changed from {from} to {to} at {cores} cores, so the points are not of one curve"
            ),
            Self::LargestMispredicted { cores, predicted_per_s, measured_per_s } => write!(
                formatter,
                "without the points of {cores} cores the others predict {}/s there, where {}/s were measured: {} off",
                rough(*predicted_per_s),
                rough(*measured_per_s),
                share((predicted_per_s / measured_per_s - 1.0).abs()),
            ),
            Self::TooFar { target_cores, largest_cores } => write!(
                formatter,
                "{target_cores} cores are more than twice the {largest_cores} that were measured; measure more, or force it"
            ),
            Self::NoFit => formatter.write_str("no curve of the law goes through the points"),
        }
    }
}

fn at(cores: u32) -> String {
    format!("{cores} {}", if cores == 1 { "core:" } else { "cores:" })
}

fn times(number: usize) -> String {
    if number == 1 { "once".to_owned() } else { format!("{} times", count(number as u64)) }
}

fn why_not(kind: CapacityKind) -> &'static str {
    match kind {
        CapacityKind::Capacity => "a capacity",
        CapacityKind::AtLeast => "no load failed, so the capacity is not known",
        CapacityKind::GeneratorBound => "the generator was the bottleneck",
        CapacityKind::RateLimited => "a rate limit was found, which more cores do not move",
        CapacityKind::Metastable => "the server did not recover from an overload",
        CapacityKind::Invalid => "the measurement cannot be trusted",
    }
}

/// Three significant digits: a prediction is worth no more.
fn rough(value: f64) -> String {
    if value < 100.0 {
        return if value < 10.0 { number(value) } else { rate(value) };
    }
    let step = 10_f64.powf(value.log10().floor() - 2.0);
    number((value / step).round() * step)
}

fn range(interval: &Interval) -> String {
    format!("[{}–{}]", rough(interval.low), rough(interval.high))
}
