//! From what was typed to what is run: the TOML file, the flags and the environment become a validated [`Plan`].
//!
//! In: the file's text and name, [`Overrides`], and a way to look up environment variables. Out: [`Resolved`], or
//! [`ConfigErrors`] that show every mistake in the file, with line, column and what to do. Flags beat the file, the file beats
//! defaults. Nothing is ignored silently: what has no effect is an error or, in files of the existing command, a note.

mod breaking_point;
mod condition;
mod error;
mod file;
mod load;
mod overrides;
mod plugin;
mod plugin_limits;
mod scenario;
mod settings;
mod source;
mod step;
mod target;
mod threshold;
mod together;
mod value;
mod wording;

use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::Value;

use super::Plan;
use super::load::end_of;
use error::Problems;
pub use error::{ConfigError, ConfigErrors};
use file::File;
pub use overrides::Overrides;
pub use plugin::read_plugin_config;
pub use source::Place;
use source::Source;
pub(super) use wording::suggestion;

/// A plan and what the user should know about how it came to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The run.
    pub plan: Plan,
    /// Whose settings these are: the file's name, or the plugin's where there is no file.
    pub origin: String,
    /// Whether the file says anything about the shape of the load.
    pub shapes_load: bool,
    /// What was accepted but has no effect, or was overruled; one sentence each, for stderr.
    pub notes: Vec<String>,
}

/// Makes a plan of a file (its name and its text), what overrides it, and the environment.
///
/// The name is the file's path: plugins are looked for in its folder. Where a flag names a plugin, no file is needed.
/// The environment is asked only for the variables that the file names.
///
/// ```
/// use pmcp_loadtest::plan::config::{Overrides, resolve};
/// let text = r#"
///     [target]
///     url = "http://127.0.0.1:3000/mcp"
///     [[scenario]]
///     type = "tools/list"
/// "#;
/// let resolved = resolve(Some(("loadtest.toml", text)), &Overrides::default(), &|_| None)?;
/// assert_eq!(resolved.plan.loads[0].executor.name(), "constant-vus");
/// # Ok::<(), pmcp_loadtest::plan::config::ConfigErrors>(())
/// ```
pub fn resolve(
    file: Option<(&str, &str)>,
    overrides: &Overrides,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Resolved, ConfigErrors> {
    // A plugin that the flags name needs no file.
    let plugin = overrides.plugin.as_ref().map(|file| file.display().to_string());
    let Some((name, text)) = file.or(plugin.as_deref().map(|plugin| (plugin, ""))) else {
        return Err(ConfigErrors::from(ConfigError {
            message: "there is no configuration: nobody said what the virtual users shall do".to_owned(),
            place: None,
            help: Some(
                "write a starter file with `cargo pmcp loadtest init [URL]`, or name one with --config, a scenario of the \
                 library with --scenario, or a plugin with --plugin"
                    .to_owned(),
            ),
        }));
    };
    let source = Source { name, text };
    let mut file: File =
        toml::from_str(text).map_err(|error| ConfigErrors::from(wording::reworded(&error, source)))?;

    let mut problems = Problems::new(source);
    let mut notes = Vec::new();
    let target_table = file.target.take().unwrap_or_default();
    let target = target::resolve(&target_table, overrides, environment, &mut problems);
    let settings_table = file.settings.take().unwrap_or_default();
    let plugins_table = file.plugins.take().unwrap_or_default();
    let (settings, graceful_stop) =
        settings::resolve(&settings_table, &plugins_table, overrides, &mut problems, &mut notes);
    let pause = settings_table.request_interval_ms.as_ref();
    let tables = file.scenario.take().unwrap_or_default();
    let known_problems = problems.count();
    let scenarios = scenario::resolve(tables, pause, settings.session, overrides, &mut problems, &mut notes);
    let known = (problems.count() == known_problems)
        .then_some(threshold::Known { chosen: &scenarios.chosen, left_out: &scenarios.left_out });
    let shaping = load::Tables {
        loads: file.load.as_ref().map(|loads| loads.0.as_slice()).unwrap_or_default(),
        stages: file.stage.as_deref().unwrap_or_default(),
        settings: &settings_table,
    };
    let shapes_load = shaping.says_anything();
    let surroundings = load::Surroundings {
        scenarios: known,
        replaced: overrides.plugin.is_some(),
        timeout: settings.timeout,
        graceful_stop,
    };
    let loads = load::resolve(&shaping, overrides, &surroundings, &mut problems, &mut notes);
    let length = loads.as_deref().and_then(end_of);
    let written = file.thresholds.take().unwrap_or(value::Entries(Vec::new()));
    let thresholds = threshold::resolve(written, overrides, known, length, &mut problems, &mut notes);

    let breaking_point = breaking_point::resolve(file.breaking_point.as_ref(), overrides, &mut problems);
    let shard = overrides.shard.unwrap_or_default();
    if let Some(loads) = &loads {
        let warm_up =
            settings_table.warm_up.as_ref().map(|at| &at.span).filter(|_| overrides.warm_up.is_none());
        together::check_warm_up(settings.warm_up, warm_up, loads, &mut problems);
        together::check_pacing(loads, &scenarios, &mut problems);
        together::check_shard(loads, shard, &mut problems);
        notes.extend(together::undrawn(loads, &scenarios.chosen));
    }
    let scenarios = scenarios.chosen;
    let plan = target.zip(loads).map(|(target, loads)| Plan {
        target,
        settings,
        loads,
        shard,
        scenarios,
        breaking_point,
        thresholds,
    });
    Ok(Resolved { plan: problems.or(plan)?, origin: name.to_owned(), shapes_load, notes })
}

/// The JSON Schema of the file, for editors and for `cargo pmcp loadtest schema config`.
pub fn schema() -> Schema {
    let mut schema = schemars::schema_for!(File);
    schema.insert("title".to_owned(), Value::from("cargo pmcp loadtest configuration"));
    without_null(&mut schema);
    schema
}

/// Takes `null` out of the types: an optional key may be missing, but TOML has no null.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                // The key's own description tells more than that of its type.
                if schema.get(&key).is_none() {
                    schema.insert(key, value);
                }
            }
        }
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    transform_subschemas(&mut without_null as &mut dyn Transform, schema);
}

#[cfg(test)]
mod tests;
