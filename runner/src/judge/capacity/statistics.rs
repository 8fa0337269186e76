//! The little statistics that a trial is judged by. In: counts by sub-window. Out: how much a call says when misses come in bunches, the
//! bounds of a share, and whether a backlog grows for good. All functions of their arguments.

/// How sure a bound is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// Wrong once in twenty times: for finding the way.
    Usual,
    /// Wrong once in a hundred times: for confirming, and for what ends a trial early.
    Strict,
}

impl Confidence {
    /// The standard errors that a one-sided bound lies away from the estimate.
    fn deviations(self) -> f64 {
        match self {
            Self::Usual => 1.644_854,
            Self::Strict => 2.326_348,
        }
    }
}

/// How many calls, and how many of them missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Calls.
    pub calls: u64,
    /// Those that missed.
    pub missed: u64,
}

impl Tally {
    /// The share that missed; zero where there are no calls.
    pub fn share(self) -> f64 {
        if self.calls == 0 { 0.0 } else { self.missed as f64 / self.calls as f64 }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { calls: self.calls + other.calls, missed: self.missed + other.missed }
    }
}

/// The lower and upper bound of a share of which `calls` independent ones show `share` (E. B. Wilson, "Probable inference, the law of
/// succession, and statistical inference", JASA 22(158), 1927). Without calls anything is possible: 0 to 1.
pub fn wilson(share: f64, calls: f64, confidence: Confidence) -> (f64, f64) {
    if calls <= 0.0 {
        return (0.0, 1.0);
    }
    let z = confidence.deviations();
    let weight = z * z / calls;
    let centre = (share + weight / 2.0) / (1.0 + weight);
    let reach = z * (share * (1.0 - share) / calls + weight / (4.0 * calls)).sqrt() / (1.0 + weight);
    ((centre - reach).max(0.0), (centre + reach).min(1.0))
}

/// How many calls say as much as a single independent one: the variance of the sub-windows' shares over the one that independent calls
/// would have (batch means). A bunch of m misses in one window gives m; at least 1.
pub fn design_effect(windows: &[Tally]) -> f64 {
    let windows: Vec<Tally> = windows.iter().copied().filter(|window| window.calls > 0).collect();
    let all = windows.iter().fold(Tally::default(), |sum, window| sum.and(*window));
    let share = all.share();
    if windows.len() < 2 || share <= 0.0 || share >= 1.0 {
        return 1.0;
    }
    // Each window's distance in units of its own expected one, so that windows of different sizes weigh the same.
    let squares: f64 = windows
        .iter()
        .map(|window| window.calls as f64 * (window.share() - share).powi(2) / (share * (1.0 - share)))
        .sum();
    (squares / (windows.len() - 1) as f64).max(1.0)
}

/// The mean growth per step of a level that moved by `steps`, if it is surely more than none.
///
/// It is judged by its steps and not by a line through the levels: a backlog wanders, and a line through something that wanders is
/// significant far too often (spurious regression).
pub fn sure_growth(steps: &[f64]) -> Option<f64> {
    let count = steps.len() as f64;
    if steps.len() < 4 {
        return None;
    }
    let mean = steps.iter().sum::<f64>() / count;
    let variance = steps.iter().map(|step| (step - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let error = (variance / count).sqrt();
    (mean > 0.0 && mean > Confidence::Strict.deviations() * error).then_some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(missed: &[u64]) -> Vec<Tally> {
        missed.iter().map(|&missed| Tally { calls: 100, missed }).collect()
    }

    #[test]
    fn bounds_are_those_worked_out_by_hand() {
        // One-sided 95 %; none of 268 is the fewest that show 99 %.
        for (share, calls, low, high) in [
            (0.1, 100.0, 0.0607, 0.1604),
            (0.0, 268.0, 0.0, 0.0100),
            (1.0, 268.0, 0.9900, 1.0),
            (0.5, 10.0, 0.2692, 0.7308),
        ] {
            let (lower, upper) = wilson(share, calls, Confidence::Usual);
            assert!(
                (lower - low).abs() < 1e-4 && (upper - high).abs() < 1e-4,
                "{share} of {calls}: {lower} {upper}"
            );
        }
        assert_eq!(wilson(0.0, 0.0, Confidence::Usual), (0.0, 1.0));
    }

    #[test]
    fn a_stricter_bound_lies_further_out() {
        let (usual, strict) = (wilson(0.1, 100.0, Confidence::Usual), wilson(0.1, 100.0, Confidence::Strict));
        assert!(strict.0 < usual.0 && usual.1 < strict.1);
    }

    #[test]
    fn misses_that_come_in_one_bunch_count_as_one() {
        let mut missed = vec![0; 20];
        missed[7] = 40;
        let effect = design_effect(&windows(&missed));
        assert!((35.0..45.0).contains(&effect), "{effect}");
    }

    #[test]
    fn misses_that_are_spread_evenly_count_each() {
        assert_eq!(design_effect(&windows(&[1; 20])).to_string(), "1");
        assert_eq!(design_effect(&windows(&[0; 20])).to_string(), "1");
        assert_eq!(design_effect(&[]).to_string(), "1");
    }

    #[test]
    fn growth_that_chance_explains_is_none() {
        assert_eq!(sure_growth(&[3.0, -3.0, 2.0, -1.0, 1.0, -2.0, 4.0, -3.0]), None);
        assert_eq!(sure_growth(&[-1.0; 10]), None);
        assert_eq!(sure_growth(&[5.0; 3]), None);
    }

    #[test]
    fn steady_growth_is_seen_through_noise() {
        let growth = sure_growth(&[5.0, 3.0, 6.0, 4.0, 5.0, 7.0, 4.0, 6.0]).unwrap();
        assert!((growth - 5.0).abs() < 1e-9);
    }
}
