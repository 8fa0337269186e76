//! A report of any kind, as it is found in a file.

use serde::Deserialize;
use serde_json::Value;

use super::json::{self, ReadError};
use super::{CapacityReport, Report, ReportVerdict, ScalabilityReport, TextStyle};

/// A report of any kind.
#[derive(Debug, Clone, PartialEq)]
pub enum SavedReport {
    /// Of a run.
    Run(Box<Report>),
    /// Of a search for capacity.
    Capacity(Box<CapacityReport>),
    /// Of what more cores would bring.
    Scalability(Box<ScalabilityReport>),
}

impl SavedReport {
    /// Reads a report of this major version by its `kind`; one without a kind is that of a run.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        #[derive(Deserialize)]
        struct Kind {
            kind: Option<String>,
        }
        let Kind { kind } = serde_json::from_str(text).map_err(ReadError::Json)?;
        Ok(match kind.as_deref() {
            None => Self::Run(Box::new(Report::from_json(text)?)),
            Some("capacity") => Self::Capacity(Box::new(CapacityReport::from_json(text)?)),
            Some("scalability") => Self::Scalability(Box::new(ScalabilityReport::from_json(text)?)),
            Some(other) => return Err(ReadError::Kind(other.to_owned())),
        })
    }

    /// The summary for a person.
    pub fn text(&self, style: TextStyle, saved_to: Option<&str>) -> String {
        match self {
            Self::Run(report) => report.text(style, saved_to),
            Self::Capacity(report) => report.text(style, saved_to),
            Self::Scalability(report) => report.text(style, saved_to),
        }
    }

    /// What it came to.
    pub fn verdict(&self) -> &ReportVerdict {
        match self {
            Self::Run(report) => &report.verdict,
            Self::Capacity(report) => &report.verdict,
            Self::Scalability(report) => &report.verdict,
        }
    }

    /// The report as indented JSON.
    pub fn to_json(&self) -> String {
        match self {
            Self::Run(report) => report.to_json(),
            Self::Capacity(report) => report.to_json(),
            Self::Scalability(report) => report.to_json(),
        }
    }
}

impl CapacityReport {
    /// The report as indented JSON with a newline at its end. The order of keys is always the same.
    pub fn to_json(&self) -> String {
        json::written(self)
    }

    /// Reads a report of this major version; what a later minor version added is ignored.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        json::read(text)
    }

    /// The JSON Schema of such reports, as `cargo pmcp loadtest schema capacity` prints it.
    pub fn json_schema() -> Value {
        schemars::schema_for!(Self).to_value()
    }
}

impl ScalabilityReport {
    /// The report as indented JSON with a newline at its end. The order of keys is always the same.
    pub fn to_json(&self) -> String {
        json::written(self)
    }

    /// Reads a report of this major version; what a later minor version added is ignored.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        json::read(text)
    }

    /// The JSON Schema of such reports, as `cargo pmcp loadtest schema scalability` prints it.
    pub fn json_schema() -> Value {
        schemars::schema_for!(Self).to_value()
    }
}
