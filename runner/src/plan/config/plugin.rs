//! Scenarios that are plugins: which file, and what it is set up with.
//!
//! In: `plugin` and `config` of a `[[scenario]]`, or `--plugin` and `--plugin-config`. Out: a [`PluginUse`]. Whether the file is
//! there, is a plugin and likes its configuration is found out later, by those who may read files.

use std::path::Path;

use serde_json::{Map, Value};

use super::error::{ConfigError, ConfigErrors, Problems};
use super::file::ScenarioTable;
use super::overrides::Overrides;
use super::source::Source;
use super::step;
use super::value::At;
use crate::plan::{PluginUse, Scenario, Script, ThinkTime};

/// The plugin of a scenario of the file, whose path is relative to the file's folder; `None` once its mistakes are noted.
pub(super) fn read(
    file: &At<String>,
    table: &mut At<ScenarioTable>,
    problems: &mut Problems<'_>,
) -> Option<PluginUse> {
    let alone = refuse_steps(table, problems);
    let path = Path::new(&file.value);
    if path.file_name().is_none() {
        problems.at(&file.span, "this names no file", "write the plugin's file, such as \"shopper.wasm\"");
        return None;
    }
    let config = match table.value.config.take() {
        Some(config) => config_of(config, problems)?,
        None => Map::new(),
    };
    let folder = Path::new(problems.source().name).parent().unwrap_or(Path::new(""));
    alone.then(|| PluginUse { file: folder.join(path), config: Value::Object(config) })
}

/// Whether the scenario leaves its steps to the plugin; those that it does not are noted.
fn refuse_steps(table: &mut At<ScenarioTable>, problems: &mut Problems<'_>) -> bool {
    let own = table.value.take_own_step();
    let mut strays: Vec<_> = own.given();
    strays.extend(own.kind.map(|kind| ("type", kind.span)));
    strays.extend(table.value.step.take().into_iter().flatten().map(|step| ("step", step.span)));
    for (key, span) in &strays {
        let message = format!("`{key}` cannot stand beside `plugin`: the plugin chooses the steps");
        problems.at(span, message, "give the steps a [[scenario]] of their own, or remove `plugin`");
    }
    strays.is_empty()
}

fn config_of(config: At<toml::Value>, problems: &mut Problems<'_>) -> Option<Map<String, Value>> {
    match step::json(config.value) {
        Ok(Value::Object(config)) => Some(config),
        Ok(_) => {
            let help = "write `config = { name = \"value\" }`";
            problems.at(&config.span, "the configuration of a plugin is a table", help);
            None
        }
        Err(message) => {
            problems.at(&config.span, message, "write a number that JSON has");
            None
        }
    }
}

/// Refuses a `config` that nobody would read.
pub(super) fn refuse_config(table: &ScenarioTable, problems: &mut Problems<'_>) {
    if let Some(config) = &table.config {
        let message = "`config` belongs to a plugin, and this scenario has none";
        problems.at(&config.span, message, "write `plugin = \"FILE.wasm\"`, or remove it");
    }
}

/// The scenario that `--plugin` asks for.
pub(super) fn only(
    file: &Path,
    overrides: &Overrides,
    think_time: Option<ThinkTime>,
    problems: &mut Problems<'_>,
) -> Option<Scenario> {
    if !overrides.scenarios.is_empty() {
        let message = "--plugin already says what the virtual users do";
        problems.anywhere(message, "leave out --scenario, or --plugin");
    }
    let config = overrides.plugin_config.clone().unwrap_or_default();
    let plugin = PluginUse { file: file.to_owned(), config: Value::Object(config) };
    let Some(name) = name_of(&plugin) else {
        problems.anywhere("--plugin names no file", "write the plugin's file, such as shopper.wasm");
        return None;
    };
    Some(Scenario { name, weight: 1, think_time, pacing: None, script: Script::Plugin(plugin) })
}

/// Sets the only plugin up with what `--plugin-config` says, instead of the file's `config`.
pub(super) fn reconfigure(
    scenarios: &mut [Scenario],
    config: &Map<String, Value>,
    problems: &mut Problems<'_>,
) {
    let mut plugins: Vec<(&str, &mut PluginUse)> = scenarios
        .iter_mut()
        .filter_map(|scenario| match &mut scenario.script {
            Script::Plugin(plugin) => Some((scenario.name.as_str(), plugin)),
            Script::Steps(_) => None,
        })
        .collect();
    match plugins.as_mut_slice() {
        [(_, plugin)] => plugin.config = Value::Object(config.clone()),
        [] => problems.anywhere(
            "--plugin-config: none of the scenarios is a plugin",
            "name one with --plugin FILE.wasm, or write `plugin = \"FILE.wasm\"` in a [[scenario]]",
        ),
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| *name).collect();
            problems.anywhere(
                format!("--plugin-config: {} scenarios are plugins: {}", names.len(), names.join(", ")),
                "run one of them with --scenario NAME, or write `config = { ... }` into each in the file",
            );
        }
    }
}

/// What a plugin's scenario is called unless it says otherwise: its file without folder and ending.
pub(super) fn name_of(plugin: &PluginUse) -> Option<String> {
    let stem = plugin.file.file_stem()?.to_string_lossy();
    Some(stem.chars().filter(|character| !character.is_control()).collect())
}

/// Reads the configuration of a plugin from JSON; `name` says where it was written, for the picture of a mistake.
///
/// ```
/// use pmcp_loadtest::plan::config::read_plugin_config;
/// assert_eq!(read_plugin_config("--plugin-config", r#"{"catalog": 500}"#).unwrap()["catalog"], 500);
/// let errors = read_plugin_config("--plugin-config", r#"{"catalog": }"#).unwrap_err();
/// assert!(errors.to_string().contains("--> --plugin-config:1:13"), "{errors}");
/// ```
///
/// # Errors
/// One that points at what is not JSON, or says that it is not an object.
pub fn read_plugin_config(name: &str, text: &str) -> Result<Map<String, Value>, ConfigErrors> {
    let source = Source { name, text };
    let mistake = |message: String, at: usize| {
        let help = "write a JSON object, such as '{\"catalog\": 500}'";
        ConfigErrors::from(ConfigError {
            message,
            place: Some(source.place(&(at..at + 1))),
            help: Some(help.to_owned()),
        })
    };
    match serde_json::from_str(text) {
        Ok(Value::Object(config)) => Ok(config),
        Ok(_) => Err(mistake("the configuration of a plugin is a JSON object".to_owned(), 0)),
        Err(error) => {
            let said = error.to_string();
            let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(reason, _)| reason);
            Err(mistake(format!("this is not JSON: {said}"), offset(text, error.line(), error.column())))
        }
    }
}

/// Where a line and a column are in a text; `serde_json` counts both from one, and columns in bytes.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    before + column.saturating_sub(1)
}
