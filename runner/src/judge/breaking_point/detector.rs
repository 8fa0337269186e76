//! Watches the seconds of a run go by: which symptoms show, since when, and whether they last.

use std::time::Duration;

use super::baseline::{Baseline, CALLS_FOR_P95, FEWEST_CALLS, QuietestStretch};
use super::plateau::{is_plateau, knee};
use super::{BreakingPoint, BreakingPointFinding, BreakingPointReason, Confidence, LoadSecond, median};
use crate::judge::wording::{number, rate, share, time};
use crate::plan::BreakingPointRule;

/// How long after its last rise the load may still be what breaks a server: queues fill and timeouts run out first.
const AFTERMATH: u64 = 30;
/// Fewest ok calls over which a response time counts as long.
const FEWEST_SLOW_CALLS: u64 = 20;
/// Fewest due iterations over which a share of them counts as dropped.
const FEWEST_ARRIVALS: u64 = 20;
/// Answers that a second without any must lack, by the baseline, before it is one that says something.
const MISSED_ANSWERS: f64 = 10.0;
/// Standard errors between the share of failed calls and the baseline's.
const BEYOND_NOISE: f64 = 3.0;
/// How many seconds before the breaking point its rate is read off.
const SECONDS_BEFORE: usize = 5;

/// Finds the breaking point of a run while it lasts.
///
/// Only a rising load has one. Every second is compared with the run's own baseline, its quietest stretch so far of at least five
/// seconds and 100 ok calls; so a server that is broken from the first seconds on is not seen as one that breaks.
#[derive(Debug)]
pub struct BreakingPointDetector {
    rule: BreakingPointRule,
    seconds: Vec<LoadSecond>,
    quietest: QuietestStretch,
    has_risen: bool,
    /// Whether a rise was ever judged, for which there must be a baseline.
    has_judged: bool,
    /// The second of the last rise; `None` after a fall.
    risen: Option<u64>,
    /// Where in `seconds` each symptom that shows began, by its place in [`Symptom::ALL`].
    since: [Option<usize>; Symptom::ALL.len()],
    found: Option<Found>,
}

/// What was found, and what speaks for it.
#[derive(Debug)]
struct Found {
    point: BreakingPoint,
    symptom: Symptom,
    /// Where in `seconds` it began.
    since: usize,
    reasons: Vec<BreakingPointReason>,
    /// Calls of the baseline that it was compared with.
    baseline_calls: u64,
    /// Whether it still goes on.
    lasts: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symptom {
    Dropped,
    Errors,
    Median,
    Tail,
    Plateau,
}

impl Symptom {
    /// Of those that began in the same second, the first here is the reason that is given.
    const ALL: [Self; 5] = [Self::Dropped, Self::Errors, Self::Median, Self::Tail, Self::Plateau];

    fn reason(self) -> BreakingPointReason {
        match self {
            Self::Dropped => BreakingPointReason::Dropped,
            Self::Errors => BreakingPointReason::ErrorRate,
            Self::Median | Self::Tail => BreakingPointReason::ResponseTime,
            Self::Plateau => BreakingPointReason::ThroughputPlateau,
        }
    }
}

impl BreakingPointDetector {
    /// A detector at the beginning of a run.
    pub fn new(rule: BreakingPointRule) -> Self {
        Self {
            rule,
            seconds: Vec::new(),
            quietest: QuietestStretch::default(),
            has_risen: false,
            has_judged: false,
            risen: None,
            since: [None; Symptom::ALL.len()],
            found: None,
        }
    }

    /// Takes the next whole second of the run; they come in order, from the first. Gives back the breaking point in the one second in
    /// which it is noticed. What comes afterwards only adds to the confidence of [`finding`](Self::finding).
    pub fn observe(&mut self, second: LoadSecond) -> Option<&BreakingPoint> {
        self.follow_load(&second);
        self.seconds.push(second);
        if let Some(baseline) = self.quietest.baseline().copied() {
            self.follow_symptoms(&baseline);
            if self.found.is_some() {
                self.follow_up();
            } else if let Some(found) = self.find(&baseline) {
                return Some(&self.found.insert(found).point);
            }
        }
        if self.since.iter().all(Option::is_none) {
            self.quietest.extend(&second);
        }
        None
    }

    /// What came of it so far.
    pub fn finding(&self) -> BreakingPointFinding {
        match &self.found {
            Some(found) => BreakingPointFinding::Found(found.point.clone()),
            None if !self.has_risen => {
                BreakingPointFinding::NotLookedFor("the load does not rise".to_owned())
            }
            None if !self.has_judged => BreakingPointFinding::NotLookedFor(
                "the load rose before there were 5 seconds and 100 ok calls to compare with".to_owned(),
            ),
            None => BreakingPointFinding::NotFound,
        }
    }

    fn follow_load(&mut self, second: &LoadSecond) {
        let Some(before) = self.seconds.last() else { return };
        let (was, is) = (before.wanted, second.wanted);
        if is.vus < was.vus || is.rate_per_s < was.rate_per_s {
            self.risen = None;
        } else if is.vus > was.vus || is.rate_per_s > was.rate_per_s {
            self.risen = Some(second.row.second);
            self.has_risen = true;
        }
    }

    /// Whether what happens in this second may be the doing of a rising load.
    fn is_ramp(&self, second: &LoadSecond) -> bool {
        self.risen.is_some_and(|risen| second.row.second - risen <= AFTERMATH)
    }

    fn follow_symptoms(&mut self, baseline: &Baseline) {
        let Some(now) = self.seconds.last() else { return };
        let is_ramp = self.is_ramp(now);
        self.has_judged |= is_ramp;
        let newest = self.seconds.len() - 1;
        for (symptom, since) in Symptom::ALL.into_iter().zip(&mut self.since) {
            let may_show = is_ramp || (since.is_some() && self.risen.is_some());
            if !may_show || !shows(symptom, &self.seconds, baseline, &self.rule) {
                *since = None;
            } else if since.is_none() {
                *since = Some(newest);
            }
        }
    }

    /// The first symptom that lasts, if one does.
    fn find(&self, baseline: &Baseline) -> Option<Found> {
        let showing = || {
            Symptom::ALL.into_iter().zip(self.since).filter_map(|(symptom, since)| Some((symptom, since?)))
        };
        let lasting =
            showing().filter(|(symptom, since)| self.lasts(*symptom, &self.seconds[*since..], baseline));
        let begun = lasting.map(|(symptom, since)| match symptom {
            Symptom::Plateau => (symptom, self.knee(since, baseline)),
            _ => (symptom, since),
        });
        // A plateau says least of what happened: where calls fail as well, that is why no more of them are ok.
        let (symptom, begin) = begun.min_by_key(|(symptom, begin)| (*symptom == Symptom::Plateau, *begin))?;
        let second = &self.seconds[begin];
        let before = &self.seconds[(begin + 1).saturating_sub(SECONDS_BEFORE)..=begin];
        let mut reasons: Vec<_> = showing().map(|(symptom, _)| symptom.reason()).collect();
        reasons.dedup();
        let mut found = Found {
            point: BreakingPoint {
                at: Duration::from_secs(second.row.second),
                vus: second.row.active_vus,
                rate_per_s: median(before.iter().map(|second| second.row.requests), u64::cmp).unwrap_or(0)
                    as f64,
                reason: symptom.reason(),
                detail: detail(symptom, &self.seconds[begin..], baseline),
                confidence: Confidence::Low,
            },
            symptom,
            since: begin,
            reasons,
            baseline_calls: baseline.requests,
            lasts: true,
        };
        found.point.confidence = self.confidence(&found);
        Some(found)
    }

    /// Whether a symptom that shows in all of `seconds` is more than chance.
    fn lasts(&self, symptom: Symptom, seconds: &[LoadSecond], baseline: &Baseline) -> bool {
        // The tail is the noisier figure.
        let needed = if symptom == Symptom::Tail { 2 * self.rule.seconds } else { self.rule.seconds };
        let sum = |count: fn(&LoadSecond) -> u64| seconds.iter().map(count).sum::<u64>();
        let enough = match symptom {
            Symptom::Plateau => true,
            Symptom::Dropped => sum(|second| second.wanted.arrivals) >= FEWEST_ARRIVALS,
            Symptom::Median | Symptom::Tail => {
                let silent = seconds.iter().filter(|second| second.row.requests == 0).count() as f64;
                sum(|second| second.row.ok) as f64 + silent * MISSED_ANSWERS >= FEWEST_SLOW_CALLS as f64
            }
            Symptom::Errors => differs(
                (sum(|second| second.row.errors), sum(|second| second.row.requests)),
                (baseline.errors, baseline.requests),
            ),
        };
        seconds.len() >= needed as usize && enough
    }

    /// Where the load was first as high as what a plateau noticed from `since` on could still carry.
    fn knee(&self, since: usize, baseline: &Baseline) -> usize {
        let height = median(self.seconds[since..].iter().map(LoadSecond::ok_per_s), f64::total_cmp);
        let load = height.and_then(|height| knee(height, baseline));
        let rise = self.seconds[..since].iter().rposition(|second| match (second.load(), load) {
            (Some(then), Some(knee)) => then < knee,
            _ => true,
        });
        rise.map_or(since, |below| below + 1)
    }

    /// Sees whether what was found goes on, and what else shows beside it.
    fn follow_up(&mut self) {
        let showing: Vec<Symptom> = Symptom::ALL
            .into_iter()
            .zip(self.since)
            .filter_map(|(symptom, since)| since.map(|_| symptom))
            .collect();
        let Some(mut found) = self.found.take() else { return };
        found.lasts &= showing.contains(&found.symptom);
        if found.lasts {
            for reason in showing.into_iter().map(Symptom::reason) {
                if !found.reasons.contains(&reason) {
                    found.reasons.push(reason);
                }
            }
            found.point.confidence = self.confidence(&found);
        }
        self.found = Some(found);
    }

    fn confidence(&self, found: &Found) -> Confidence {
        let seconds = &self.seconds[found.since..];
        let calls: u64 = seconds.iter().map(|second| second.row.requests).sum();
        let points = [
            found.reasons.len() > 1,
            seconds.len() >= 2 * self.rule.seconds as usize,
            calls.min(found.baseline_calls) >= FEWEST_CALLS,
        ];
        match points.iter().filter(|holds| **holds).count() {
            0 | 1 => Confidence::Low,
            2 => Confidence::Medium,
            _ => Confidence::High,
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

/// Whether a symptom shows in the last of `seconds`.
fn shows(symptom: Symptom, seconds: &[LoadSecond], baseline: &Baseline, rule: &BreakingPointRule) -> bool {
    let Some(now) = seconds.last() else { return false };
    let (row, wanted) = (&now.row, &now.wanted);
    match symptom {
        Symptom::Dropped => wanted.dropped as f64 > rule.dropped_ratio * wanted.arrivals as f64,
        Symptom::Errors => {
            row.errors as f64 > (baseline.error_ratio() + rule.error_ratio).min(1.0) * row.requests as f64
        }
        Symptom::Median => match row.p50 {
            Some(p50) => p50 > baseline.p50.mul_f64(rule.response_time_factor),
            None => row.requests == 0 && missed_answers(now, baseline) >= MISSED_ANSWERS,
        },
        Symptom::Tail => match (row.p95, baseline.p95) {
            (Some(p95), Some((typical, highest))) if row.ok >= CALLS_FOR_P95 => {
                p95 > highest.max(typical.mul_f64(rule.response_time_factor))
            }
            _ => false,
        },
        Symptom::Plateau => is_plateau(seconds, baseline, rule.plateau_ratio),
    }
}

/// How many answers the load of a second would have brought at the baseline.
fn missed_answers(second: &LoadSecond, baseline: &Baseline) -> f64 {
    second.load().zip(baseline.ok_per_load).map_or(0.0, |(load, per_load)| load * per_load)
}

/// What was observed in `seconds` and what the baseline was.
fn detail(symptom: Symptom, seconds: &[LoadSecond], baseline: &Baseline) -> String {
    let sum = |count: fn(&LoadSecond) -> u64| seconds.iter().map(count).sum::<u64>() as f64;
    let typical =
        |value: fn(&LoadSecond) -> Option<Duration>| median(seconds.iter().filter_map(value), Duration::cmp);
    let shown = |duration: Duration| time(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    let length = seconds.len();
    match symptom {
        Symptom::Dropped => {
            let dropped = sum(|second| second.wanted.dropped) / sum(|second| second.wanted.arrivals).max(1.0);
            format!(
                "{} of the iterations due were dropped over {length} s: no virtual user was free",
                share(dropped)
            )
        }
        Symptom::Errors => {
            let failed = sum(|second| second.row.errors) / sum(|second| second.row.requests).max(1.0);
            format!(
                "{} of calls failed over {length} s, {} at the baseline",
                share(failed),
                share(baseline.error_ratio())
            )
        }
        Symptom::Median => match typical(|second| second.row.p50) {
            Some(p50) => format!(
                "the median response time was {} over {length} s, {} at the baseline",
                shown(p50),
                shown(baseline.p50)
            ),
            None => format!("no call was answered for {length} s"),
        },
        Symptom::Tail => {
            let (p95, before) = (typical(|second| second.row.p95), baseline.p95.map(|(typical, _)| typical));
            format!(
                "95 % of calls took up to {} over {length} s, up to {} at the baseline",
                shown(p95.unwrap_or_default()),
                shown(before.unwrap_or_default())
            )
        }
        Symptom::Plateau => {
            let loads = || seconds.iter().filter_map(LoadSecond::load);
            let (from, to) = (loads().next().unwrap_or_default(), loads().next_back().unwrap_or_default());
            let unit = if seconds.iter().any(|second| second.wanted.vus > 0) { "VUs" } else { "arrivals/s" };
            let height = median(seconds.iter().map(LoadSecond::ok_per_s), f64::total_cmp).unwrap_or_default();
            format!(
                "throughput stayed near {} calls/s while the load grew from {} to {} {unit}",
                rate(height),
                number(from),
                number(to)
            )
        }
    }
}
