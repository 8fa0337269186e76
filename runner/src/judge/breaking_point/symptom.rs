//! How a server shows that it is broken: in one second, over several, and in words.

use std::time::Duration;

use super::baseline::{Baseline, CALLS_FOR_P95};
use super::plateau::is_plateau;
use super::{BreakingPointReason, LoadSecond, median};
use crate::judge::wording::{number, rate, share, time};
use crate::plan::BreakingPointRule;

/// Fewest ok calls over which a response time counts as long.
const FEWEST_SLOW_CALLS: u64 = 20;
/// Fewest due iterations over which a share of them counts as dropped.
const FEWEST_ARRIVALS: u64 = 20;
/// Answers that a second without any must lack, by the baseline, before it is one that says something.
const MISSED_ANSWERS: f64 = 10.0;
/// Standard errors between the share of failed calls and the baseline's.
const BEYOND_NOISE: f64 = 3.0;

/// A way in which a second is out of the baseline; two of them are a matter of response time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symptom {
    Dropped,
    Errors,
    Median,
    Tail,
    Plateau,
}

impl Symptom {
    /// Of those that began in the same second, the first here is the reason that is given.
    pub(super) const ALL: [Self; 5] = [Self::Dropped, Self::Errors, Self::Median, Self::Tail, Self::Plateau];

    pub(super) fn reason(self) -> BreakingPointReason {
        match self {
            Self::Dropped => BreakingPointReason::Dropped,
            Self::Errors => BreakingPointReason::ErrorRate,
            Self::Median | Self::Tail => BreakingPointReason::ResponseTime,
            Self::Plateau => BreakingPointReason::ThroughputPlateau,
        }
    }

    /// Whether it shows in the last of `seconds`.
    pub(super) fn shows(self, seconds: &[LoadSecond], baseline: &Baseline, rule: &BreakingPointRule) -> bool {
        let Some(now) = seconds.last() else { return false };
        let (row, wanted) = (&now.row, &now.wanted);
        match self {
            Self::Dropped => wanted.dropped as f64 > rule.dropped_ratio * wanted.arrivals as f64,
            Self::Errors => {
                row.errors as f64 > (baseline.error_ratio() + rule.error_ratio).min(1.0) * row.requests as f64
            }
            Self::Median => match row.p50 {
                Some(p50) => p50 > baseline.p50.mul_f64(rule.response_time_factor),
                None => row.requests == 0 && missed_answers(now, baseline) >= MISSED_ANSWERS,
            },
            Self::Tail => match (row.p95, baseline.p95) {
                (Some(p95), Some((typical, highest))) if row.ok >= CALLS_FOR_P95 => {
                    p95 > highest.max(typical.mul_f64(rule.response_time_factor))
                }
                _ => false,
            },
            Self::Plateau => is_plateau(seconds, baseline, rule.plateau_ratio),
        }
    }

    /// Whether it is more than chance, where it shows in all of `seconds`.
    pub(super) fn lasts(self, seconds: &[LoadSecond], baseline: &Baseline, rule: &BreakingPointRule) -> bool {
        // The tail is the noisier figure.
        let needed = if self == Self::Tail { 2 * rule.seconds } else { rule.seconds };
        let sum = |count: fn(&LoadSecond) -> u64| seconds.iter().map(count).sum::<u64>();
        let enough = match self {
            Self::Plateau => true,
            Self::Dropped => sum(|second| second.wanted.arrivals) >= FEWEST_ARRIVALS,
            Self::Median | Self::Tail => {
                let silent = seconds.iter().filter(|second| second.row.requests == 0).count() as f64;
                sum(|second| second.row.ok) as f64 + silent * MISSED_ANSWERS >= FEWEST_SLOW_CALLS as f64
            }
            Self::Errors => differs(
                (sum(|second| second.row.errors), sum(|second| second.row.requests)),
                (baseline.errors, baseline.requests),
            ),
        };
        seconds.len() >= needed as usize && enough
    }

    /// What was observed in `seconds` and what the baseline was.
    pub(super) fn detail(self, seconds: &[LoadSecond], baseline: &Baseline) -> String {
        let sum = |count: fn(&LoadSecond) -> u64| seconds.iter().map(count).sum::<u64>() as f64;
        let typical = |value: fn(&LoadSecond) -> Option<Duration>| {
            median(seconds.iter().filter_map(value), Duration::cmp)
        };
        let shown = |duration: Duration| time(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
        let length = seconds.len();
        match self {
            Self::Dropped => {
                let dropped =
                    sum(|second| second.wanted.dropped) / sum(|second| second.wanted.arrivals).max(1.0);
                format!(
                    "{} of the iterations due were dropped over {length} s: no virtual user was free",
                    share(dropped)
                )
            }
            Self::Errors => {
                let failed = sum(|second| second.row.errors) / sum(|second| second.row.requests).max(1.0);
                format!(
                    "{} of calls failed over {length} s, {} at the baseline",
                    share(failed),
                    share(baseline.error_ratio())
                )
            }
            Self::Median => match typical(|second| second.row.p50) {
                Some(p50) => format!(
                    "the median response time was {} over {length} s, {} at the baseline",
                    shown(p50),
                    shown(baseline.p50)
                ),
                None => format!("no call was answered for {length} s"),
            },
            Self::Tail => {
                let (p95, before) =
                    (typical(|second| second.row.p95), baseline.p95.map(|(typical, _)| typical));
                format!(
                    "95 % of calls took up to {} over {length} s, up to {} at the baseline",
                    shown(p95.unwrap_or_default()),
                    shown(before.unwrap_or_default())
                )
            }
            Self::Plateau => {
                let loads = || seconds.iter().filter_map(LoadSecond::load);
                let (from, to) =
                    (loads().next().unwrap_or_default(), loads().next_back().unwrap_or_default());
                let unit =
                    if seconds.iter().any(|second| second.wanted.vus > 0) { "VUs" } else { "arrivals/s" };
                let height =
                    median(seconds.iter().map(LoadSecond::ok_per_s), f64::total_cmp).unwrap_or_default();
                format!(
                    "throughput stayed near {} calls/s while the load grew from {} to {} {unit}",
                    rate(height),
                    number(from),
                    number(to)
                )
            }
        }
    }
}

/// Whether one share is larger than another beyond noise: the pooled test of two proportions, with Agresti's and Caffo's two calls
/// more on either side (The American Statistician 54(4), 2000), for counts may be none.
fn differs((errors, requests): (u64, u64), (base_errors, base_requests): (u64, u64)) -> bool {
    let (n, base_n) = ((requests + 2) as f64, (base_requests + 2) as f64);
    let (p, base_p) = ((errors + 1) as f64 / n, (base_errors + 1) as f64 / base_n);
    let pooled = (p * n + base_p * base_n) / (n + base_n);
    p - base_p > BEYOND_NOISE * (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / base_n)).sqrt()
}

/// How many answers the load of a second would have brought at the least, at the baseline.
fn missed_answers(second: &LoadSecond, baseline: &Baseline) -> f64 {
    second.load().zip(baseline.fewest_ok_per_load).map_or(0.0, |(load, per_load)| load * per_load)
}
