//! The raw material of a report: every series with its histograms, from which all other figures follow, so that reports can be
//! merged and compared exactly.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figures::Figures;
use crate::judge::{Histogram, SeriesMetrics};
use crate::plan::scenario::row_name;
use crate::plan::{SeriesKey, SeriesKind};

/// One step of one scenario, or one lifecycle method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// `operation` or `lifecycle`.
    pub kind: Kind,
    /// Scenario it belongs to; null for lifecycle methods.
    pub scenario: Option<String>,
    /// MCP method.
    pub method: String,
    /// Tool, URI, prompt or path.
    pub name: Option<String>,
    /// The step's own label.
    pub label: Option<String>,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// Its distributions, whole.
    pub histograms: Histograms,
}

/// Whether a series is the load itself or what it takes to hold a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A step's request; part of the totals.
    Operation,
    /// Handshake or close of a session; apart from the totals.
    Lifecycle,
}

/// A distribution per clock; null where nothing was counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Histograms {
    /// Answered - due, of ok calls.
    pub response_time: Option<Encoded>,
    /// Answered - sent, of ok calls.
    pub service_time: Option<Encoded>,
    /// End - due, of failed calls.
    pub failed_time: Option<Encoded>,
    /// Sent - ready, of all calls.
    pub lateness: Option<Encoded>,
    /// Response head complete - sent, of ok calls.
    pub headers: Option<Encoded>,
    /// First event complete - sent, of ok calls.
    pub first_event: Option<Encoded>,
    /// End - sent, of ok calls.
    pub end: Option<Encoded>,
}

/// A histogram of microseconds, 1 us to 1 h, three significant digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Encoded {
    /// `HdrHistogram`'s V2 form, deflated, in base64.
    pub hdr_v2_deflate_base64: String,
    /// Times above one hour, which are not in it.
    pub overflow: u64,
}

impl Encoded {
    fn of(histogram: &Histogram) -> Option<Self> {
        (!histogram.is_empty())
            .then(|| Self { hdr_v2_deflate_base64: histogram.to_base64(), overflow: histogram.overflow() })
    }

    /// The histogram itself, or why it cannot be read.
    pub fn decode(&self) -> Result<Histogram, String> {
        Histogram::from_base64(&self.hdr_v2_deflate_base64, self.overflow)
    }
}

impl Histograms {
    fn new(metrics: &SeriesMetrics) -> Self {
        Self {
            response_time: Encoded::of(&metrics.response_time),
            service_time: Encoded::of(&metrics.service_time),
            failed_time: Encoded::of(&metrics.failed_time),
            lateness: Encoded::of(&metrics.lateness),
            headers: Encoded::of(&metrics.headers),
            first_event: Encoded::of(&metrics.first_event),
            end: Encoded::of(&metrics.end),
        }
    }
}

impl Series {
    /// The key of this series in `per_tool`; `None` where it has no label and its method no object.
    pub fn row_name(&self) -> Option<String> {
        row_name(self.label.as_deref(), &self.method, self.name.as_deref())
    }

    pub(super) fn new(key: &SeriesKey, metrics: &SeriesMetrics, figures: Figures) -> Self {
        let kind = match key.kind {
            SeriesKind::Operation => Kind::Operation,
            SeriesKind::Lifecycle => Kind::Lifecycle,
        };
        Self {
            kind,
            scenario: Some(key.scenario.clone()).filter(|name| !name.is_empty()),
            method: key.method.clone(),
            name: key.name.clone(),
            label: key.label.clone(),
            figures,
            histograms: Histograms::new(metrics),
        }
    }
}
