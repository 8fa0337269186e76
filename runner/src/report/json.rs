//! The report as JSON: written, read back, and described by its schema.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Report;

/// The major version this tool reads; minor ones only add.
const MAJOR: &str = "2";

impl Report {
    /// The report as indented JSON with a newline at its end. The order of keys is always the same.
    pub fn to_json(&self) -> String {
        written(self)
    }

    /// Reads a report of this major version; what a later minor version added is ignored.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        read(text)
    }

    /// The JSON Schema of reports, as `cargo pmcp loadtest schema report` prints it.
    pub fn json_schema() -> Value {
        schemars::schema_for!(Self).to_value()
    }
}

/// A report as indented JSON with a newline at its end.
pub(super) fn written(report: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report has string keys and finite numbers");
    text.push('\n');
    text
}

/// A report of any kind and of this major version.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, ReadError> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: String,
    }
    // The version first: a report of another version deserves a better answer than the first field it lacks.
    let Version { schema_version } = serde_json::from_str(text).map_err(ReadError::Json)?;
    if schema_version.split('.').next() != Some(MAJOR) {
        return Err(ReadError::Version(schema_version));
    }
    serde_json::from_str(text).map_err(ReadError::Json)
}

/// Why a text is not a report of this version.
#[derive(Debug)]
pub enum ReadError {
    /// Not JSON, or not the shape of a report; names line and column.
    Json(serde_json::Error),
    /// A report of another major version.
    Version(String),
    /// A report of a kind that this version does not know.
    Kind(String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(formatter, "not a load test report: {error}"),
            Self::Kind(found) => {
                write!(formatter, "a report of the kind `{found}`, which this tool does not know")
            }
            Self::Version(found) => {
                write!(formatter, "a report of schema version {found}; this tool reads version {MAJOR}")
            }
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::Version(_) | Self::Kind(_) => None,
        }
    }
}
