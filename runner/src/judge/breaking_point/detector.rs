//! Watches the seconds of a run go by: which symptoms show, since when, and whether they last.

use std::time::Duration;

use super::baseline::{Baseline, FEWEST_CALLS, QuietestStretch};
use super::plateau::knee;
use super::symptom::Symptom;
use super::{BreakingPoint, BreakingPointFinding, BreakingPointReason, Confidence, LoadSecond, median};
use crate::plan::BreakingPointRule;

/// How long after its last rise the load may still be what breaks a server: queues fill and timeouts run out first.
const AFTERMATH: u64 = 30;
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
    /// For how many seconds the server has been well again, under more load.
    well: u32,
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

    /// Takes the next whole second of the run; they come in order, from the first. Gives back a breaking point in the second in which
    /// it is noticed.
    ///
    /// What comes afterwards adds to the confidence of [`finding`](Self::finding), or withdraws it: a server that is well under more
    /// load, for twice as long as a breaking point must last, has stalled and not broken.
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
        if is.vus < was.vus || exceeds(was.rate_per_s, is.rate_per_s) {
            self.risen = None;
        } else if is.vus > was.vus || exceeds(is.rate_per_s, was.rate_per_s) {
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
            if !may_show || !symptom.shows(&self.seconds, baseline, &self.rule) {
                *since = None;
            } else if since.is_none() {
                *since = Some(newest);
            }
        }
    }

    /// The first symptom that lasts, if one does.
    fn find(&self, baseline: &Baseline) -> Option<Found> {
        let lasting = self
            .showing()
            .filter(|(symptom, since)| symptom.lasts(&self.seconds[*since..], baseline, &self.rule));
        let begun = lasting.map(|(symptom, since)| match symptom {
            Symptom::Plateau => (symptom, self.knee(since, baseline)),
            _ => (symptom, since),
        });
        // A plateau says least of what happened: where calls fail as well, that is why no more of them are ok.
        let (symptom, begin) = begun.min_by_key(|(symptom, begin)| (*symptom == Symptom::Plateau, *begin))?;
        let second = &self.seconds[begin];
        let before = &self.seconds[(begin + 1).saturating_sub(SECONDS_BEFORE)..=begin];
        let mut reasons: Vec<_> = self.showing().map(|(symptom, _)| symptom.reason()).collect();
        reasons.dedup();
        let mut found = Found {
            point: BreakingPoint {
                at: Duration::from_secs(second.row.second),
                vus: second.row.active_vus,
                rate_per_s: median(before.iter().map(|second| second.row.requests), u64::cmp).unwrap_or(0)
                    as f64,
                reason: symptom.reason(),
                detail: symptom.detail(&self.seconds[begin..], baseline),
                confidence: Confidence::Low,
            },
            symptom,
            since: begin,
            reasons,
            baseline_calls: baseline.requests,
            lasts: true,
            well: 0,
        };
        found.point.confidence = self.confidence(&found);
        Some(found)
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

    /// Sees whether what was found goes on, and what else shows beside it; withdraws it where the server is well under more load.
    fn follow_up(&mut self) {
        let Some(now) = self.seconds.last().copied() else { return };
        let Some(mut found) = self.found.take() else { return };
        let showing: Vec<Symptom> = self.showing().map(|(symptom, _)| symptom).collect();
        let then = self.seconds[found.since].wanted;
        let carries_more = now.wanted.vus > then.vus || now.wanted.rate_per_s > then.rate_per_s;
        let is_well = showing.is_empty() && self.risen.is_some() && carries_more && now.row.ok > 0;
        found.well = if is_well { found.well + 1 } else { 0 };
        if found.well >= 2 * self.rule.seconds {
            return;
        }
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

    /// The symptoms that show, and where in `seconds` each began.
    fn showing(&self) -> impl Iterator<Item = (Symptom, usize)> {
        Symptom::ALL.into_iter().zip(self.since).filter_map(|(symptom, since)| Some((symptom, since?)))
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

/// Whether a planned rate is higher than another by more than rounding.
fn exceeds(rate: f64, other: f64) -> bool {
    rate > other * (1.0 + 1e-6)
}
