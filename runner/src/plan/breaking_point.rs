//! From when on a server counts as broken during a ramp: the bounds, and whether the run ends there.

/// What takes a server out of its own baseline while the load rises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakingPointRule {
    /// Share of failed calls above that of the baseline; between 0 and 1.
    pub error_ratio: f64,
    /// Response time as a multiple of that of the baseline; above 1, up to 1,000.
    pub response_time_factor: f64,
    /// Throughput has reached a plateau where more load brings less than this share of what it brought at the baseline; 0 to 1.
    pub plateau_ratio: f64,
    /// Share of due iterations that are dropped, in open load; 0 to 1.
    pub dropped_ratio: f64,
    /// Consecutive seconds that something must last: one bad second is no breaking point.
    pub seconds: u32,
    /// Whether the run ends at the breaking point.
    pub stop: bool,
}

impl Default for BreakingPointRule {
    fn default() -> Self {
        Self {
            error_ratio: 0.05,
            response_time_factor: 3.0,
            plateau_ratio: 0.25,
            dropped_ratio: 0.01,
            seconds: 3,
            stop: false,
        }
    }
}

/// Largest multiple that can be asked for: beyond it every server has timed out.
const MOST_FACTOR: f64 = 1_000.0;
/// Longest persistence that can be asked for: a ramp seldom lasts longer.
const MOST_SECONDS: u32 = 600;

impl BreakingPointRule {
    /// Whether the bounds can be met at all; the first that cannot comes back with its key and, as a sentence, what it may be.
    ///
    /// ```
    /// use pmcp_loadtest::plan::BreakingPointRule;
    /// assert_eq!(BreakingPointRule::default().validate(), Ok(()));
    /// let deaf = BreakingPointRule { response_time_factor: 1.0, ..BreakingPointRule::default() };
    /// assert_eq!(deaf.validate().unwrap_err().0, "response_time_factor");
    /// ```
    pub fn validate(&self) -> Result<(), (&'static str, String)> {
        let shares = [
            ("error_ratio", self.error_ratio),
            ("plateau_ratio", self.plateau_ratio),
            ("dropped_ratio", self.dropped_ratio),
        ];
        for (key, share) in shares {
            if !(share > 0.0 && share < 1.0) {
                return Err((
                    key,
                    format!("`{key}` is {share}; it is a share above 0 and below 1, such as 0.05"),
                ));
            }
        }
        let factor = self.response_time_factor;
        if !(factor > 1.0 && factor <= MOST_FACTOR) {
            let reason = format!(
                "`response_time_factor` is {factor}; it is a multiple of the baseline above 1 and up to {MOST_FACTOR}, such as 3"
            );
            return Err(("response_time_factor", reason));
        }
        if !(1..=MOST_SECONDS).contains(&self.seconds) {
            let reason = format!("`seconds` is {}; write 1 to {MOST_SECONDS}", self.seconds);
            return Err(("seconds", reason));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_that_nothing_or_everything_meets_is_refused_with_its_key() {
        let rule = BreakingPointRule::default();
        for (key, rule) in [
            ("error_ratio", BreakingPointRule { error_ratio: 0.0, ..rule }),
            ("error_ratio", BreakingPointRule { error_ratio: f64::NAN, ..rule }),
            ("plateau_ratio", BreakingPointRule { plateau_ratio: 1.0, ..rule }),
            ("dropped_ratio", BreakingPointRule { dropped_ratio: -0.1, ..rule }),
            ("response_time_factor", BreakingPointRule { response_time_factor: 0.5, ..rule }),
            ("response_time_factor", BreakingPointRule { response_time_factor: f64::INFINITY, ..rule }),
            ("seconds", BreakingPointRule { seconds: 0, ..rule }),
            ("seconds", BreakingPointRule { seconds: 601, ..rule }),
        ] {
            let (refused, reason) = rule.validate().unwrap_err();
            assert_eq!(refused, key);
            assert!(reason.starts_with(&format!("`{key}` is ")), "{reason}");
        }
    }
}
