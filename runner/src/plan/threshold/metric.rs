//! What a threshold can be about, and which aggregates, filters and bounds mean something for it.

use std::fmt;

use super::{Aggregate, Percentile, Subject};

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metric {
    /// A distribution of times.
    Time(Clock),
    /// Calls that came to an end of their own.
    Requests,
    /// Of them, those that did what they were meant to do.
    Ok,
    /// Of them, those that failed.
    Errors,
    /// Of them, those that failed in a certain way.
    Failures(FailureClass),
    /// Checks of plugins: the share that held.
    Checks,
    /// Iterations whose steps were all done.
    Iterations,
    /// A metric that a plugin declares.
    Custom(String),
}

/// The distributions of times that a report has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Clock {
    /// Result - due, of ok calls.
    ResponseTime,
    /// Result - sent, of ok calls.
    ServiceTime,
    /// End - due, of failed calls.
    FailedTime,
    /// Sent - ready, of all calls.
    Lateness,
    /// Response head - sent, of ok calls.
    Headers,
    /// First event - sent, of ok calls.
    FirstEvent,
    /// End - sent, of ok calls.
    End,
}

/// How a call failed, by the classes of the report's `failed_by_class`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// `isError: true`.
    ToolError,
    /// A JSON-RPC error.
    RpcError,
    /// An unexpected HTTP status.
    HttpError,
    /// The server asked to slow down.
    Throttled,
    /// No answer in time.
    Timeout,
    /// The connection could not be had or broke.
    Transport,
    /// What came back is not the protocol.
    Protocol,
    /// An expectation of the scenario did not hold.
    CheckFailed,
}

/// What a bound must be a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    /// A time, with its unit.
    Time,
    /// A share of all, in per cent or as a number from 0 to 1.
    Share,
    /// A number.
    Count,
    /// A number per second.
    PerSecond,
    /// Whatever the plugin says it is.
    Custom,
}

impl Metric {
    /// All that have a fixed name, as they are told to the user.
    pub(in crate::plan) const NAMES: [&'static str; 20] = [
        "response_time",
        "service_time",
        "failed_time",
        "lateness",
        "headers",
        "first_event",
        "end",
        "errors",
        "requests",
        "ok",
        "tool_error",
        "rpc_error",
        "http_error",
        "throttled",
        "timeout",
        "transport",
        "protocol",
        "check_failed",
        "checks",
        "iterations",
    ];

    /// The metric of that name; any name that is not one of ours may be a plugin's.
    pub(super) fn named(name: &str) -> Self {
        let clock = Clock::ALL.into_iter().find(|clock| clock.as_str() == name).map(Self::Time);
        let class = FailureClass::ALL.into_iter().find(|class| class.as_str() == name).map(Self::Failures);
        clock.or(class).unwrap_or_else(|| match name {
            "requests" => Self::Requests,
            "ok" => Self::Ok,
            "errors" => Self::Errors,
            "checks" => Self::Checks,
            "iterations" => Self::Iterations,
            other => Self::Custom(other.to_owned()),
        })
    }

    /// What a bound on this aggregate is a number of; `None` where the metric has no such aggregate.
    pub(super) fn quantity(&self, aggregate: Aggregate) -> Option<Quantity> {
        let statistic = !matches!(aggregate, Aggregate::Rate | Aggregate::Count | Aggregate::PerSecond);
        match (self, aggregate) {
            (Self::Custom(_), _) => Some(Quantity::Custom),
            (Self::Time(_), _) => statistic.then_some(Quantity::Time),
            (Self::Ok | Self::Errors | Self::Failures(_) | Self::Checks, Aggregate::Rate) => {
                Some(Quantity::Share)
            }
            (
                Self::Requests | Self::Ok | Self::Errors | Self::Failures(_) | Self::Iterations,
                Aggregate::Count,
            ) => Some(Quantity::Count),
            (Self::Requests | Self::Ok | Self::Errors, Aggregate::PerSecond) => Some(Quantity::PerSecond),
            _ => None,
        }
    }

    /// The aggregates that the metric has, for people.
    pub(super) fn aggregates(&self) -> Vec<&'static str> {
        let median = Percentile::new(50.0).map(Aggregate::Percentile);
        let words = [
            (median, "p(N)"),
            (Some(Aggregate::Median), "med"),
            (Some(Aggregate::Mean), "mean"),
            (Some(Aggregate::Min), "min"),
            (Some(Aggregate::Max), "max"),
            (Some(Aggregate::Rate), "rate"),
            (Some(Aggregate::Count), "count"),
            (Some(Aggregate::PerSecond), "per_s"),
        ];
        let has = |aggregate: Option<Aggregate>| aggregate.is_some_and(|it| self.quantity(it).is_some());
        words.into_iter().filter(|(aggregate, _)| has(*aggregate)).map(|(_, word)| word).collect()
    }

    /// What it can be filtered by.
    pub(super) fn subjects(&self) -> &'static [Subject] {
        match self {
            Self::Checks => &[Subject::Scenario, Subject::Check],
            Self::Custom(_) => &[Subject::Scenario],
            Self::Iterations => &[],
            Self::Time(_) | Self::Requests | Self::Ok | Self::Errors | Self::Failures(_) => {
                &[Subject::Tool, Subject::Method, Subject::Scenario, Subject::Label]
            }
        }
    }
}

impl Clock {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 7] = [
        Self::ResponseTime,
        Self::ServiceTime,
        Self::FailedTime,
        Self::Lateness,
        Self::Headers,
        Self::FirstEvent,
        Self::End,
    ];

    /// Its name in thresholds and in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResponseTime => "response_time",
            Self::ServiceTime => "service_time",
            Self::FailedTime => "failed_time",
            Self::Lateness => "lateness",
            Self::Headers => "headers",
            Self::FirstEvent => "first_event",
            Self::End => "end",
        }
    }
}

impl FailureClass {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 8] = [
        Self::ToolError,
        Self::RpcError,
        Self::HttpError,
        Self::Throttled,
        Self::Timeout,
        Self::Transport,
        Self::Protocol,
        Self::CheckFailed,
    ];

    /// Its name in thresholds and in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToolError => "tool_error",
            Self::RpcError => "rpc_error",
            Self::HttpError => "http_error",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Transport => "transport",
            Self::Protocol => "protocol",
            Self::CheckFailed => "check_failed",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Time(clock) => clock.as_str(),
            Self::Requests => "requests",
            Self::Ok => "ok",
            Self::Errors => "errors",
            Self::Failures(class) => class.as_str(),
            Self::Checks => "checks",
            Self::Iterations => "iterations",
            Self::Custom(name) => name,
        })
    }
}
