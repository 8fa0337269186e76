//! Thresholds: what a run must show to pass, such as `response_time{tool=search} p(99) < 300ms`.
//!
//! In: text of the file or of a flag. Out: a [`Threshold`], or a [`Refusal`] that says which characters are wrong and what can stand
//! there. What is displayed reads back as the same threshold.

mod extent;
mod metric;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

pub use extent::{Abort, Window};
pub use metric::{Clock, FailureClass, Metric};
pub(in crate::plan) use parse::Measured;
pub use parse::Refusal;

use super::scenario::{SeriesKey, SeriesKind};
use parse::is_bare;

/// One demand on a run: a metric of some of its calls, brought to one number, compared with a bound.
///
/// It is only made by reading text: the aggregate, the filters and the unit of the bound are then among those that the metric has.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// What is measured.
    pub metric: Metric,
    /// Of what: only what matches all of these counts. Each subject at most once, in the order of [`Subject::ALL`].
    pub filters: Vec<Filter>,
    /// How many values come to one number.
    pub aggregate: Aggregate,
    /// On which side of the bound the number must be.
    pub comparison: Comparison,
    /// The bound.
    pub bound: Bound,
    /// The sliding window in all of whose positions it must hold; over the whole run, where there is none.
    pub window: Option<Window>,
    /// Whether, and from when on, it ends the run where it does not hold.
    pub abort: Option<Abort>,
}

/// Counts only what has a certain name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Filter {
    /// What the name is a name of.
    pub subject: Subject,
    /// The name, compared letter by letter.
    pub name: String,
}

/// What a filter can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The tool, or the URI, prompt or path: the name of a row in the report's `per_tool`.
    Tool,
    /// The MCP method; `http` for plain requests.
    Method,
    /// The scenario.
    Scenario,
    /// The name that a step was given.
    Label,
    /// The check of a plugin.
    Check,
}

/// How many values come to one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aggregate {
    /// The value that this share of all values does not exceed.
    Percentile(Percentile),
    /// The 50th percentile.
    Median,
    /// The arithmetic mean.
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The share of what could have been counted, 0 to 1.
    Rate,
    /// How many.
    Count,
    /// How many per second of the measured window.
    PerSecond,
}

/// A number from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Percentile(f64);

/// On which side of a bound a number must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
}

/// A number with its unit, as it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// The number; finite.
    pub value: f64,
    /// What it counts.
    pub unit: Unit,
}

/// What a bound counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nothing but itself.
    Plain,
    /// Hundredths.
    Percent,
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Per second.
    PerSecond,
}

impl Threshold {
    /// Whether both put a bound on the same side of the same number, so that one of them can stand for the other.
    pub fn demands_the_same_as(&self, other: &Self) -> bool {
        let side = |comparison| match comparison {
            Comparison::Below | Comparison::AtMost => -1,
            Comparison::Equal => 0,
            Comparison::Above | Comparison::AtLeast => 1,
        };
        let number = |it: &Self| (it.metric.clone(), it.filters.clone(), it.aggregate, it.window);
        number(self) == number(other) && side(self.comparison) == side(other.comparison)
    }

    /// Whether it can be judged before the run is over, if it is to end it; message and help, where it cannot.
    pub(in crate::plan) fn can_abort(&self) -> Result<(), (String, String)> {
        let from_below =
            matches!(self.comparison, Comparison::Above | Comparison::AtLeast | Comparison::Equal);
        let grows = self.aggregate == Aggregate::Count && from_below && self.window.is_none();
        if self.abort.is_some() && grows {
            return Err((
                "a count that still grows would end every run at once".to_owned(),
                "take `abort` away, or count in a window: `over 10s abort`".to_owned(),
            ));
        }
        Ok(())
    }

    /// Whether calls of this series count. What it takes to hold a session counts only where its method is asked for.
    pub fn covers(&self, series: &SeriesKey) -> bool {
        let asked_for = self.filters.iter().any(|filter| filter.subject == Subject::Method);
        (series.kind == SeriesKind::Operation || asked_for)
            && self.filters.iter().all(|filter| filter.subject.of(series).as_deref() == Some(&filter.name))
    }

    /// The metric with its filters: `response_time{tool=search}`.
    pub fn subject(&self) -> String {
        let filters: Vec<String> = self.filters.iter().map(ToString::to_string).collect();
        match filters.as_slice() {
            [] => self.metric.to_string(),
            filters => format!("{}{{{}}}", self.metric, filters.join(",")),
        }
    }
}

impl Subject {
    /// All of them, in the order in which they are displayed.
    pub const ALL: [Self; 5] = [Self::Tool, Self::Method, Self::Scenario, Self::Label, Self::Check];

    /// What a series is called in this respect, if it is called anything.
    pub fn of(self, series: &SeriesKey) -> Option<String> {
        match self {
            Self::Tool => series.object(),
            Self::Method => Some(series.method.clone()),
            Self::Scenario => Some(series.scenario.clone()).filter(|name| !name.is_empty()),
            Self::Label => series.label.clone(),
            Self::Check => None,
        }
    }

    /// The word in a filter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Method => "method",
            Self::Scenario => "scenario",
            Self::Label => "label",
            Self::Check => "check",
        }
    }
}

impl Percentile {
    /// The percentile, if it is one: from 0 to 100.
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=100.0).contains(&value).then_some(Self(value))
    }

    /// As a share of 1.
    pub fn quantile(self) -> f64 {
        shifted(self.0, -2)
    }
}

impl Comparison {
    /// Whether `observed` is on the right side of `bound`.
    pub fn holds(self, observed: f64, bound: f64) -> bool {
        match self {
            Self::Below => observed < bound,
            Self::AtMost => observed <= bound,
            Self::Above => observed > bound,
            Self::AtLeast => observed >= bound,
            // A figure equals a bound if it is the same number: bounds are written with as many digits as they have.
            Self::Equal => observed.total_cmp(&bound).is_eq(),
        }
    }

    /// How far inside the bound `observed` is; negative outside.
    pub fn margin(self, observed: f64, bound: f64) -> f64 {
        match self {
            Self::Below | Self::AtMost => bound - observed,
            Self::Above | Self::AtLeast => observed - bound,
            Self::Equal => -(observed - bound).abs(),
        }
    }

    /// The sign.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
        }
    }
}

impl Bound {
    /// The number in the unit that is measured in: microseconds, shares of 1, or what it counts.
    ///
    /// Exact: `0.3%` is the very number that 3 of 1,000 come to, which a multiplication would miss by its rounding.
    pub fn in_base_unit(self) -> f64 {
        match self.unit {
            Unit::Plain | Unit::Microseconds | Unit::PerSecond => self.value,
            Unit::Percent => shifted(self.value, -2),
            Unit::Milliseconds => shifted(self.value, 3),
            Unit::Seconds => shifted(self.value, 6),
            Unit::Minutes => shifted(self.value, 7) * 6.0,
        }
    }
}

/// The number with its decimal point moved.
fn shifted(value: f64, places: i32) -> f64 {
    format!("{value}e{places}").parse().unwrap_or(value)
}

impl Unit {
    /// The word behind the number; empty for a plain one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Percent => "%",
            Self::Microseconds => "us",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Minutes => "m",
            Self::PerSecond => "/s",
        }
    }

    /// Whether it is a unit of time.
    pub fn is_time(self) -> bool {
        matches!(self, Self::Microseconds | Self::Milliseconds | Self::Seconds | Self::Minutes)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {} {} {}",
            self.subject(),
            self.aggregate,
            self.comparison.as_str(),
            self.bound
        )?;
        if let Some(window) = self.window {
            write!(formatter, " {window}")?;
        }
        if let Some(abort) = self.abort {
            write!(formatter, " {abort}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.subject.as_str();
        if !self.name.is_empty() && self.name.chars().all(is_bare) {
            return write!(formatter, "{subject}={}", self.name);
        }
        let escaped = self.name.replace('\\', r"\\").replace('"', "\\\"");
        write!(formatter, "{subject}=\"{escaped}\"")
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentile(Percentile(value)) => write!(formatter, "p({value})"),
            Self::Median => formatter.write_str("med"),
            Self::Mean => formatter.write_str("mean"),
            Self::Min => formatter.write_str("min"),
            Self::Max => formatter.write_str("max"),
            Self::Rate => formatter.write_str("rate"),
            Self::Count => formatter.write_str("count"),
            Self::PerSecond => formatter.write_str("per_s"),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.value, self.unit.as_str())
    }
}
