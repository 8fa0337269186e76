//! Objectives: what a server must keep to while its capacity is searched, such as `p(99) < 500ms` or `errors < 0.1%`.
//!
//! In: the text or the [`Threshold`] of a demand. Out: an [`Objective`] in counting form, "at least this share of the calls that were
//! due ends well, within this time", or a [`Refusal`]. Only that form adds up over shards and over trials, and only there a call that
//! never came back is a miss instead of a gap.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use super::threshold::{Aggregate, Clock, Comparison, Filter, Metric, Refusal};
use super::{SeriesKey, Threshold, duration};

/// The longest that a trial of the search may be planned for.
pub const LONGEST_TRIAL: Duration = Duration::from_mins(2);

/// Probability of taking a share for kept that is not, when no call missed.
const DOUBT: f64 = 0.05;

const EXAMPLES: &str = "write a percentile of the response time, such as `p(99) < 500ms`, or a bound on failures, such as `errors < 0.1%`";

/// At least `share` of the calls that were due end ok, within a time where there is one.
///
/// It is only made of a [`Threshold`], and reads back as the same one.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    threshold: Threshold,
    share: f64,
    within: Option<Duration>,
}

/// What the search has to decide an objective with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Means {
    /// How long a call may take before it is given up.
    pub timeout: Duration,
    /// Calls per second at the highest load that is allowed; `None` where nothing bounds it.
    pub most_calls_per_second: Option<f64>,
}

/// Where the parts of a threshold stand in its text.
struct Parts {
    subject: Range<usize>,
    comparison: Range<usize>,
    bound: Range<usize>,
}

impl Objective {
    /// The least share of due calls that must be good, above 0 and below 1.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// The largest share of due calls that may miss, above 0 and below 1.
    pub fn most_missed(&self) -> f64 {
        1.0 - self.share
    }

    /// The longest response time of a good call; `None` where any ok call is good.
    pub fn within(&self) -> Option<Duration> {
        self.within
    }

    /// Which calls count; all where it is empty.
    pub fn filters(&self) -> &[Filter] {
        &self.threshold.filters
    }

    /// Whether calls of this series count.
    pub fn covers(&self, series: &SeriesKey) -> bool {
        self.threshold.covers(series)
    }

    /// The demand that it was made of.
    pub fn threshold(&self) -> &Threshold {
        &self.threshold
    }

    /// The fewest due calls that can show the share to be kept, none of them missing: 299 for 99 %, 2,995 for 99.9 %.
    pub fn fewest_calls(&self) -> f64 {
        (DOUBT.ln() / self.share.ln()).ceil()
    }

    /// Refuses what no sample can decide with these means. The span is one of the objective's text as it is displayed.
    pub fn check(&self, means: &Means) -> Result<(), Refusal> {
        let text = self.to_string();
        let parts = Parts::of(&text);
        if let Some(within) = self.within.filter(|within| *within > means.timeout) {
            let message = format!(
                "calls are given up after {}, so none can end within {}",
                duration::human(means.timeout),
                duration::human(within)
            );
            let help = format!("raise the timeout to {} or more", duration::human(within));
            return Err(Refusal { span: parts.bound, message, help });
        }
        let Some(rate) = means.most_calls_per_second else { return Ok(()) };
        let (calls, needed) = ((rate * LONGEST_TRIAL.as_secs_f64()).floor(), self.fewest_calls());
        if calls < needed {
            let message = format!(
                "the longest trial, {} at the highest load, has {calls} calls, and it takes {needed} to show this",
                duration::human(LONGEST_TRIAL)
            );
            let help = "ask for a smaller share, or allow a higher load".to_owned();
            return Err(Refusal { span: parts.subject, message, help });
        }
        Ok(())
    }

    /// The objective of a threshold that is spelled `text`.
    fn of(threshold: Threshold, text: &str) -> Result<Self, Refusal> {
        let parts = Parts::of(text);
        let refuse = |span: &Range<usize>, message: String, help: &str| {
            Err(Refusal { span: span.clone(), message, help: help.to_owned() })
        };
        let sign = threshold.comparison;
        if !matches!(sign, Comparison::Below | Comparison::AtMost) {
            let message = format!("a load that is too high never breaks `{}`", sign.as_str());
            return refuse(&parts.comparison, message, "an objective is an upper bound: write < or <=");
        }
        let (share, within) = match (&threshold.metric, threshold.aggregate) {
            (
                Metric::Time(Clock::ResponseTime),
                aggregate @ (Aggregate::Percentile(_) | Aggregate::Median),
            ) => {
                let share = match aggregate {
                    Aggregate::Percentile(percentile) => percentile.quantile(),
                    _ => 0.5,
                };
                (share, Some(Duration::from_secs_f64(threshold.bound.in_base_unit() / 1e6)))
            }
            (Metric::Errors, Aggregate::Rate) => (1.0 - threshold.bound.in_base_unit(), None),
            (Metric::Time(Clock::ResponseTime), aggregate) => {
                let message = format!("the {aggregate} is not a share of the calls");
                return refuse(&parts.subject, message, "write a percentile, such as `p(99) < 500ms`");
            }
            (Metric::Time(clock), _) => {
                let message = format!("capacity is not searched by `{}`", clock.as_str());
                let help = "write `response_time`, which runs from the moment at which a call was due";
                return refuse(&parts.subject, message, help);
            }
            (metric, aggregate) => {
                let message = format!("`{metric} {aggregate}` cannot be an objective");
                return refuse(&parts.subject, message, EXAMPLES);
            }
        };
        let (where_share_stands, most) = match within {
            Some(_) => (&parts.subject, "write `p(99.9)` or less"),
            None => (&parts.bound, "write a share above zero, such as 0.1%"),
        };
        if within == Some(Duration::ZERO) {
            return refuse(&parts.bound, "no call ends in no time".to_owned(), "write a longer time");
        }
        if share >= 1.0 {
            let message = "no number of calls shows that none ever misses".to_owned();
            return refuse(where_share_stands, message, most);
        }
        if share <= 0.0 {
            let message = "every load keeps to this".to_owned();
            return refuse(where_share_stands, message, EXAMPLES);
        }
        Ok(Self { threshold, share, within })
    }
}

impl Parts {
    /// The bound has no sign of comparison in it, so that the last one is the comparison, whatever the filters are called.
    fn of(text: &str) -> Self {
        let sign = |character: char| "<>=".contains(character);
        let end = text.rfind(sign).map_or(text.len(), |at| at + 1);
        let start = text[..end].trim_end_matches(sign).len();
        let start = start.max(end.saturating_sub(2));
        let subject = &text[..start];
        let leading = subject.len() - subject.trim_start().len();
        let bound = text[end..].trim();
        let bound_start = text.len() - text[end..].trim_start().len();
        Self {
            subject: leading..subject.trim_end().len().max(leading),
            comparison: start..end,
            bound: bound_start..bound_start + bound.len(),
        }
    }
}

impl FromStr for Objective {
    type Err = Refusal;

    /// ```
    /// use pmcp_loadtest::plan::Objective;
    /// let objective: Objective = "p99<500ms".parse().map_err(|_| "refused")?;
    /// assert_eq!(objective.to_string(), "response_time p(99) < 500ms");
    /// assert_eq!("mean < 500ms".parse::<Objective>().unwrap_err().span, 0..4);
    /// # Ok::<(), &str>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, Refusal> {
        Self::of(text.parse()?, text)
    }
}

impl TryFrom<Threshold> for Objective {
    type Error = Refusal;

    /// The span of a refusal is one of the threshold's text as it is displayed.
    fn try_from(threshold: Threshold) -> Result<Self, Refusal> {
        let text = threshold.to_string();
        Self::of(threshold, &text)
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.threshold.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Objective {
        text.parse().unwrap_or_else(|refusal: Refusal| panic!("{text}: {refusal:?}"))
    }

    fn refused(text: &str) -> (&str, String) {
        let refusal = text.parse::<Objective>().expect_err(text);
        assert!(!refusal.help.is_empty(), "{text}");
        (&text[refusal.span], refusal.message)
    }

    #[test]
    fn percentiles_and_error_rates_become_shares_of_due_calls_and_read_back() {
        let millis = |millis| Some(Duration::from_millis(millis));
        for (text, share, within, shown) in [
            ("p99<500ms", 0.99, millis(500), "response_time p(99) < 500ms"),
            (
                "response_time{tool=search} p(99.9) <= 2s",
                0.999,
                millis(2000),
                "response_time{tool=search} p(99.9) <= 2s",
            ),
            ("med < 20ms", 0.5, millis(20), "response_time med < 20ms"),
            ("errors < 0.1%", 0.999, None, "errors rate < 0.1%"),
            ("errors{method=tools/call} rate <= 0.01", 0.99, None, "errors{method=tools/call} rate <= 0.01"),
        ] {
            let objective = read(text);
            assert!((objective.share() - share).abs() < 1e-12, "{text}");
            assert_eq!(objective.within(), within, "{text}");
            assert_eq!(objective.to_string(), shown);
            assert_eq!(read(shown), objective);
            assert_eq!(Objective::try_from(objective.threshold().clone()), Ok(objective));
        }
    }

    #[test]
    fn what_is_not_a_share_of_due_calls_is_refused_where_it_stands() {
        for (text, span, message) in [
            ("mean < 5ms", "mean", "the mean is not a share of the calls"),
            ("response_time max < 5ms", "response_time max", "the max is not a share of the calls"),
            ("lateness p(99) < 5ms", "lateness p(99)", "capacity is not searched by `lateness`"),
            ("service_time p(99) < 5ms", "service_time p(99)", "capacity is not searched by `service_time`"),
            ("errors count < 5", "errors count", "`errors count` cannot be an objective"),
            ("requests > 200/s", ">", "a load that is too high never breaks `>`"),
            ("p(99) >= 5ms", ">=", "a load that is too high never breaks `>=`"),
            ("timeout count < 1", "timeout count", "`timeout count` cannot be an objective"),
        ] {
            assert_eq!(refused(text), (span, message.to_owned()));
        }
    }

    #[test]
    fn what_no_sample_can_decide_is_refused_where_it_stands() {
        for (text, span, message) in [
            ("p(100) < 5s", "p(100)", "no number of calls shows that none ever misses"),
            ("errors <= 0%", "0%", "no number of calls shows that none ever misses"),
            ("p(0) < 5s", "p(0)", "every load keeps to this"),
            ("errors <= 100%", "100%", "every load keeps to this"),
            ("p(99) <= 0ms", "0ms", "no call ends in no time"),
        ] {
            assert_eq!(refused(text), (span, message.to_owned()));
        }
    }

    #[test]
    fn names_with_signs_in_them_do_not_move_the_span() {
        let text = "response_time{tool=\"a<=b\"} max < 5ms";
        assert_eq!(refused(text).0, "response_time{tool=\"a<=b\"} max");
    }

    #[test]
    fn a_time_above_the_timeout_is_refused() {
        let means = Means { timeout: Duration::from_secs(1), most_calls_per_second: None };
        let refusal = read("p99 < 2s").check(&means).unwrap_err();
        assert_eq!(refusal.message, "calls are given up after 1s, so none can end within 2s");
        assert_eq!(&"response_time p(99) < 2s"[refusal.span], "2s");
        assert_eq!(read("p99 < 1s").check(&means), Ok(()));
    }

    #[test]
    fn a_share_that_the_longest_trial_cannot_show_is_refused() {
        let means = |rate| Means { timeout: Duration::from_secs(5), most_calls_per_second: Some(rate) };
        let objective = read("p(99.9) < 1s");
        assert_eq!(objective.fewest_calls().to_string(), "2995");
        assert!(
            objective.check(&means(24.9)).unwrap_err().message.contains("has 2988 calls, and it takes 2995")
        );
        assert_eq!(objective.check(&means(25.0)), Ok(()));
    }
}
