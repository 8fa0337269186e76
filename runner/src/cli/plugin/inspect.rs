//! `plugin inspect`: prints what a plugin's file is, without a target and without any load.

mod schema;
mod text;

use std::path::PathBuf;

use serde_json::{Value, json};

use super::super::print;
use super::super::report::{Format, style};
use super::ink::{Colour, Ink};
use crate::drive::{self, Inspection};
use crate::error::Error;
use crate::judge::MetricKind;
use crate::plan::PluginLimits;

/// Print what a plugin's file is, and what its config may hold
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  cargo pmcp loadtest plugin inspect shopper.wasm --format json | jq .config_schema")]
pub(super) struct Arguments {
    /// The plugin's file
    #[arg(value_name = "FILE.wasm")]
    file: PathBuf,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    colour: Colour,
}

/// Prints what the plugin says of itself, and what its file tells.
///
/// # Errors
/// [`ExitCode::Usage`](crate::ExitCode::Usage) where there is no such file, [`ExitCode::Plugin`](crate::ExitCode::Plugin) where it is
/// no plugin.
pub(super) fn inspect(arguments: &Arguments) -> Result<(), Error> {
    let limits = PluginLimits::default();
    let found = drive::inspect(&arguments.file, &limits)?;
    let file = arguments.file.display().to_string();
    print::data(&match arguments.format {
        Format::Text => {
            let mut text =
                text::lines(&found, &file, &limits, Ink::new(style(arguments.colour.color))).join("\n");
            text.push('\n');
            text
        }
        Format::Json => format!("{:#}\n", as_json(&found, &file)),
    });
    Ok(())
}

/// The same for a machine. Units stand in the names.
fn as_json(found: &Inspection, file: &str) -> Value {
    let metrics: Vec<Value> = found
        .metrics
        .iter()
        .map(|metric| json!({"name": metric.name, "kind": kind(metric.kind), "unit": metric.unit}))
        .collect();
    json!({
        "name": found.name,
        "version": found.version,
        "description": found.description,
        "file": file,
        "size_bytes": found.size_bytes,
        "sha256": found.sha256,
        "interface": found.interface,
        "served_interface": found.served_interface,
        "imports": found.imports,
        "wants_outcomes": found.wants_outcomes,
        "wants_finish": found.wants_finish,
        "plans_ahead": found.plans_ahead,
        "requires_tools": found.requires_tools,
        "metrics": metrics,
        "config_schema": found.config_schema,
        "load_time_us": u64::try_from(found.load_time.as_micros()).unwrap_or(u64::MAX),
    })
}

fn kind(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Rate => "rate",
        MetricKind::Trend => "trend",
    }
}
