//! The figures of one row: counts, rates and a distribution per clock.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judge::{Histogram, SeriesMetrics};

/// Everything the report says of one tool, method, scenario, or of the whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// Calls that came to an end of their own: `ok` + `failed`.
    pub requests: u64,
    /// Calls that did what they were meant to do.
    pub ok: u64,
    /// Calls that did not.
    pub failed: u64,
    /// Calls cut off by the end of the run; neither ok nor failed, and in no distribution but `lateness`.
    pub cancelled: u64,
    /// `failed / requests`; zero where there were none.
    pub failed_ratio: f64,
    /// Calls that ended within the measured window: the count under `requests_per_s`.
    pub requests_in_window: u64,
    /// Of them, those that were ok: the count under `ok_per_s`.
    pub ok_in_window: u64,
    /// Throughput over the measured window.
    pub requests_per_s: f64,
    /// Throughput of ok calls over the measured window.
    pub ok_per_s: f64,
    /// Bytes of requests, heads and bodies.
    pub bytes_sent: u64,
    /// Bytes of responses, heads and bodies.
    pub bytes_received: u64,
    /// Failed calls by class: `tool_error`, `rpc_error`, `http_error`, `throttled`, `timeout`, `transport`, `protocol`,
    /// `check_failed`. Only those that occurred.
    pub failed_by_class: BTreeMap<String, u64>,
    /// Failed calls by class and code. Beyond 64 kinds per series, failures are in `failed_by_class` only.
    pub failures: Vec<FailureKind>,
    /// Answered - due, of ok calls.
    pub response_time: Distribution,
    /// Answered - sent, of ok calls.
    pub service_time: Distribution,
    /// End - due, of failed calls.
    pub failed_time: Distribution,
    /// Sent - ready, of all calls: how late the generator was.
    pub lateness: Distribution,
    /// Response head complete - sent, of ok calls.
    pub headers: Distribution,
    /// First event of the body complete - sent, of ok calls.
    pub first_event: Distribution,
    /// End of the exchange - sent, of ok calls.
    pub end: Distribution,
}

/// Calls that failed in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailureKind {
    /// As in `failed_by_class`.
    pub class: String,
    /// JSON-RPC error code, HTTP status or kind of fault; null where the class has none.
    pub code: Option<String>,
    /// How many.
    pub count: u64,
    /// What one of them said.
    pub message: Option<String>,
}

/// A distribution of times in microseconds. A figure is null where nothing was counted, or where it lies among the overflow.
///
/// Percentiles are the smallest recorded time that this share of calls did not exceed, to three significant digits. They are given
/// however few calls there were: `count` tells what they are worth.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// How many times were counted, overflow included.
    pub count: u64,
    /// How many of them were above one hour; they are counted, not clamped.
    pub overflow: u64,
    /// The shortest.
    pub min_us: Option<u64>,
    /// Mean of those up to one hour.
    pub mean_us: Option<f64>,
    /// Median.
    pub p50_us: Option<u64>,
    /// 90th percentile.
    pub p90_us: Option<u64>,
    /// 95th percentile.
    pub p95_us: Option<u64>,
    /// 99th percentile.
    pub p99_us: Option<u64>,
    /// 99.9th percentile.
    pub p99_9_us: Option<u64>,
    /// The longest.
    pub max_us: Option<u64>,
}

impl Figures {
    /// The figures of `metrics`, with rates over `window`.
    pub(super) fn new(metrics: &SeriesMetrics, window: Duration) -> Self {
        let outcomes = &metrics.outcomes;
        let failures = outcomes.failures().iter().map(|kind| FailureKind {
            class: kind.outcome.class().to_owned(),
            code: kind.outcome.code(),
            count: kind.count,
            message: kind.message.clone(),
        });
        Self {
            requests: outcomes.requests(),
            ok: outcomes.ok(),
            failed: outcomes.errors(),
            cancelled: outcomes.cancelled(),
            failed_ratio: ratio(outcomes.errors(), outcomes.requests()),
            requests_in_window: metrics.in_window,
            ok_in_window: metrics.in_window_ok,
            requests_per_s: rounded(per_second(metrics.in_window as f64, window)),
            ok_per_s: rounded(per_second(metrics.in_window_ok as f64, window)),
            bytes_sent: metrics.bytes_sent,
            bytes_received: metrics.bytes_received,
            failed_by_class: outcomes
                .by_class()
                .into_iter()
                .map(|(class, count)| (class.to_owned(), count))
                .collect(),
            failures: failures.collect(),
            response_time: Distribution::new(&metrics.response_time),
            service_time: Distribution::new(&metrics.service_time),
            failed_time: Distribution::new(&metrics.failed_time),
            lateness: Distribution::new(&metrics.lateness),
            headers: Distribution::new(&metrics.headers),
            first_event: Distribution::new(&metrics.first_event),
            end: Distribution::new(&metrics.end),
        }
    }
}

impl Distribution {
    /// Reads the figures off a histogram.
    pub(super) fn new(histogram: &Histogram) -> Self {
        let at = |quantile| histogram.quantile(quantile).map(whole_micros);
        Self {
            count: histogram.count(),
            overflow: histogram.overflow(),
            min_us: histogram.min().map(whole_micros),
            mean_us: histogram.mean().map(|mean| rounded(mean.as_secs_f64() * 1e6)),
            p50_us: at(0.5),
            p90_us: at(0.9),
            p95_us: at(0.95),
            p99_us: at(0.99),
            p99_9_us: at(0.999),
            max_us: histogram.max().map(whole_micros),
        }
    }
}

/// Whole microseconds; a run's times fit by far.
pub(super) fn whole_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Six decimals: more than any figure here is worth, and few enough that every JSON reader gives back the same number.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { rounded(part as f64 / whole as f64) }
}

pub(super) fn per_second(sum: f64, window: Duration) -> f64 {
    if window.is_zero() { 0.0 } else { sum / window.as_secs_f64() }
}
