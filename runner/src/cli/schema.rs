//! `schema`: prints the JSON Schemas.

use clap::ValueEnum;

use super::print;
use crate::plan::config;
use crate::report::{CapacityReport, Report, ScalabilityReport};

/// Print a JSON Schema
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Of what
    of: Subject,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Subject {
    /// The configuration file (.pmcp/loadtest.toml)
    Config,
    /// The JSON report of `run`
    Report,
    /// The JSON report of `capacity`
    Capacity,
    /// The JSON report of `capacity --cores` and `capacity --fit`
    Scalability,
}

/// Prints the schema that was asked for.
pub(super) fn schema(arguments: &Arguments) {
    let schema = match arguments.of {
        Subject::Config => config::schema().to_value(),
        Subject::Report => Report::json_schema(),
        Subject::Capacity => CapacityReport::json_schema(),
        Subject::Scalability => ScalabilityReport::json_schema(),
    };
    print::data(&format!("{schema:#}\n"));
}
