//! From a file to a plugin that can be instantiated: every way in which a file is no plugin of ours has its sentence.

use std::fs;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, Store};

use super::bindings::{Hooks, LoadtestPlugin, LoadtestPluginPre, Manifest, MetricKind};
use super::engine::epochs;
use super::failure::{Failure, LimitsInWords};
use super::host::{HostState, TargetFacts, shortened};
use super::interface::{self, Version};
use crate::error::{Error, ExitCode};
use crate::judge::wording;
use crate::judge::{MetricFacts, MetricKind as Kind, PluginFacts};
use crate::plan::PluginLimits;
use crate::plan::discovery::Discovery;
use crate::plan::duration::human;
use crate::plan::size;

/// Most custom metrics of a plugin.
const MOST_METRICS: usize = 64;
/// Most iterations that are planned in one call, whatever a plugin is willing to do.
const MOST_PLANS_AHEAD: u32 = 32;

/// A plugin that is what it should be, known by its own account; no target yet.
pub(crate) struct Loaded {
    pub(super) pre: LoadtestPluginPre<HostState>,
    /// What was compiled; knows its own imports and exports.
    pub(super) component: Component,
    /// The file as the user named it.
    pub(super) file: String,
    /// Bytes of the file.
    pub(super) size: u64,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub(super) sha256: String,
    /// The version of the interface it was built for.
    pub(super) interface: Version,
    /// What it says of itself.
    pub(super) account: Account,
}

/// What a plugin says of itself, checked.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) description: String,
    pub(super) config_schema: Option<Value>,
    pub(super) wants_outcomes: bool,
    pub(super) wants_finish: bool,
    /// At least one.
    pub(super) plans_ahead: u32,
    pub(super) metrics: Vec<MetricFacts>,
    pub(super) requires_tools: Vec<String>,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Loaded")
            .field("file", &self.file)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl Loaded {
    /// Reads, compiles and links a component, and asks it what it is.
    ///
    /// # Errors
    /// [`ExitCode::Usage`] where there is no such file, [`ExitCode::Plugin`] where it is not a plugin of this interface.
    pub(crate) fn from_file(engine: &Engine, file: &Path, limits: &PluginLimits) -> Result<Self, Error> {
        let shown = file.display().to_string();
        let bytes = read(file, &shown, limits)?;
        let component = compile(engine, &bytes).map_err(|error| error.at(shown.as_str()))?;
        let pre = link(engine, &component).map_err(|error| error.at(shown.as_str()))?;
        let interface = interface::of(engine, &component).map_err(|error| error.at(shown.as_str()))?;
        let manifest = describe(engine, &pre, limits).map_err(|failure| {
            broken(format!("the plugin cannot say what it is: {}", failure.in_full())).at(shown.as_str())
        })?;
        let account = Account::of(manifest).map_err(|what| broken(what).at(shown.as_str()))?;
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { pre, component, file: shown, size: bytes.len() as u64, sha256, interface, account })
    }
}

impl Loaded {
    /// Holds a configuration against the schema that the plugin declares.
    ///
    /// # Errors
    /// [`ExitCode::Usage`] that names the field.
    pub(crate) fn check_config(&self, config: &Value, scenario: &str) -> Result<(), Error> {
        let Some(schema) = &self.account.config_schema else { return Ok(()) };
        let place = format!("{}, `config` of scenario `{scenario}`", self.file);
        let mistakes = mistakes(config, schema).map_err(|error| {
            broken(format!("the plugin's config schema is no JSON Schema: {error}")).at(self.file.as_str())
        })?;
        if mistakes.is_empty() {
            return Ok(());
        }
        let what = format!(
            "the plugin `{}` cannot be configured like this: {}",
            self.account.name,
            mistakes.join("; ")
        );
        Err(Error::new(ExitCode::Usage, what).at(place).advise(format!(
            "`cargo pmcp loadtest plugin inspect {}` prints what its `config` may hold",
            self.file
        )))
    }

    /// Sees whether the target has the tools that the plugin cannot do without.
    ///
    /// # Errors
    /// [`ExitCode::Plugin`] that names those that are missing.
    pub(super) fn check_tools(&self, discovery: &Discovery) -> Result<(), Error> {
        let has = |name: &String| discovery.tools.iter().any(|tool| tool.name == *name);
        let missing: Vec<String> = self
            .account
            .requires_tools
            .iter()
            .filter(|name| !has(name))
            .map(|name| format!("`{}`", shortened(name)))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let what = format!(
            "the plugin `{}` needs {}, which the target does not have",
            self.account.name,
            missing.join(", ")
        );
        Err(broken(what)
            .at(self.file.as_str())
            .advise("run it against a server of the kind that it was written for"))
    }

    /// What is known of the plugin before the load.
    pub(super) fn facts(&self, scenario: &str) -> PluginFacts {
        PluginFacts {
            scenario: scenario.to_owned(),
            name: self.account.name.clone(),
            version: self.account.version.clone(),
            file: self.file.clone(),
            sha256: self.sha256.clone(),
            interface: self.interface.to_string(),
            own_instances: true,
            metrics: self.account.metrics.clone(),
        }
    }
}

/// What does not fit about a configuration, each beginning with its field; the error is that of a schema that is none.
fn mistakes(config: &Value, schema: &Value) -> Result<Vec<String>, String> {
    let validator = jsonschema::validator_for(schema).map_err(|error| error.to_string())?;
    let told = validator.iter_errors(config).map(|error| {
        let field = error.instance_path().to_string();
        let field = field.trim_start_matches('/').replace('/', ".");
        if field.is_empty() { error.to_string() } else { format!("`{field}`: {error}") }
    });
    Ok(told.collect())
}

fn broken(what: impl Into<String>) -> Error {
    Error::new(ExitCode::Plugin, what)
}

/// The file's bytes, if it is not absurdly large and looks like a component.
fn read(file: &Path, shown: &str, limits: &PluginLimits) -> Result<Vec<u8>, Error> {
    let unreadable = |error: std::io::Error| {
        Error::new(ExitCode::Usage, "the plugin cannot be read").at(shown).because(error).advise(
            "name the .wasm file that `cargo pmcp loadtest plugin build` wrote; in a configuration, relative to its own folder",
        )
    };
    let found = fs::metadata(file).map_err(unreadable)?;
    if !found.is_file() {
        // A pipe may never be written to, and a device never end.
        return Err(Error::new(ExitCode::Usage, "this is not a file, and a plugin is one").at(shown).advise(
            "name the .wasm file that `cargo pmcp loadtest plugin build` wrote; in a configuration, relative to its own folder",
        ));
    }
    if found.len() > limits.file_bytes {
        let (is, may) = (wording::bytes(found.len()), size::human(limits.file_bytes));
        return Err(Error::new(ExitCode::Usage, format!("this file has {is}, and a plugin may have {may}"))
            .at(shown)
            .advise("build it in release mode, or raise `max_file` in the [plugins] table"));
    }
    let bytes = fs::read(file).map_err(unreadable)?;
    match kind(&bytes) {
        FileKind::Component => Ok(bytes),
        FileKind::CoreModule => Err(broken("this is a core WebAssembly module, and a plugin is a component")
            .at(shown)
            .advise("`cargo pmcp loadtest plugin build` makes a component of a crate")),
        FileKind::Text => Err(broken("this is WebAssembly text, and a plugin is a binary component")
            .at(shown)
            .advise("assemble it, for example with `wasm-tools parse`")),
        FileKind::Other => Err(broken("this is not a WebAssembly file")
            .at(shown)
            .advise("name the .wasm file that `cargo pmcp loadtest plugin build` wrote")),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Component,
    CoreModule,
    Text,
    Other,
}

/// What the first bytes say (WebAssembly binary format: magic, version, layer).
fn kind(bytes: &[u8]) -> FileKind {
    match bytes {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => FileKind::Component,
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => FileKind::CoreModule,
        _ if bytes.trim_ascii_start().starts_with(b"(component")
            || bytes.trim_ascii_start().starts_with(b"(module") =>
        {
            FileKind::Text
        }
        _ => FileKind::Other,
    }
}

fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, Error> {
    Component::from_binary(engine, bytes).map_err(|error| {
        broken(format!("this component cannot be compiled: {}", shortened(&format!("{error:#}"))))
            .advise("build it again; a file that was cut off on its way looks like this, too")
    })
}

/// Ties the component to the host; what it asks for beyond that is named.
fn link(engine: &Engine, component: &Component) -> Result<LoadtestPluginPre<HostState>, Error> {
    interface::check_imports(engine, component)?;
    let mut linker: Linker<HostState> = Linker::new(engine);
    let internal = |error: wasmtime::Error| {
        Error::new(
            ExitCode::Internal,
            format!("the host's side of the interface is broken: {error:#}; this is a bug"),
        )
    };
    LoadtestPlugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).map_err(internal)?;
    #[cfg(feature = "wasi")]
    super::wasi::add_to_linker(&mut linker).map_err(internal)?;
    let unfit =
        |error: wasmtime::Error| interface::unfit(engine, component, &shortened(&format!("{error:#}")));
    let pre = linker.instantiate_pre(component).map_err(unfit)?;
    LoadtestPluginPre::new(pre).map_err(unfit)
}

/// Asks the plugin what it is, in an instance of its own that knows no target.
fn describe(
    engine: &Engine,
    pre: &LoadtestPluginPre<HostState>,
    limits: &PluginLimits,
) -> Result<Manifest, Failure> {
    let mut store = Store::new(engine, HostState::new(TargetFacts::unknown(), limits.memory_bytes));
    store.limiter(|state| state);
    store.set_hostcall_fuel(usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX));
    store.set_epoch_deadline(epochs(limits.start_timeout));
    let described = pre
        .instantiate(&mut store)
        .and_then(|plugin| plugin.pmcp_loadtest_plugin().call_describe(&mut store));
    described.map_err(|error| {
        let state = store.data_mut();
        let words = LimitsInWords {
            call: "describe",
            time: human(limits.start_timeout),
            memory: size::human(limits.memory_bytes),
        };
        Failure::of(&error, state.last_words.take(), state.take_refusal(), &words)
    })
}

impl Account {
    fn of(manifest: Manifest) -> Result<Self, String> {
        let Manifest {
            name,
            version,
            description,
            config_schema,
            hooks,
            plans_ahead,
            metrics,
            requires_tools,
        } = manifest;
        let name = shortened(&name);
        if name.is_empty() {
            return Err("the plugin has no name".to_owned());
        }
        if metrics.len() > MOST_METRICS {
            return Err(format!(
                "the plugin declares {} custom metrics; {MOST_METRICS} are allowed",
                metrics.len()
            ));
        }
        let metrics: Vec<MetricFacts> = metrics
            .into_iter()
            .map(|metric| MetricFacts {
                name: metric.name,
                kind: kind_of(metric.kind),
                unit: metric.unit.map(|unit| shortened(&unit)),
            })
            .collect();
        for (index, metric) in metrics.iter().enumerate() {
            let shown = shortened(&metric.name);
            if !is_metric_name(&metric.name) {
                return Err(format!(
                    "the plugin declares a custom metric `{shown}`; a name is lower-case letters, digits and underscores"
                ));
            }
            if metrics[..index].iter().any(|earlier| earlier.name == metric.name) {
                return Err(format!("the plugin declares the custom metric `{shown}` twice"));
            }
        }
        let config_schema = config_schema
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| format!("the plugin's config schema is not JSON: {error}"))?;
        let wants_outcomes = hooks.contains(Hooks::OUTCOMES);
        Ok(Self {
            name,
            version: shortened(&version),
            description: shortened(&description),
            config_schema,
            wants_outcomes,
            wants_finish: hooks.contains(Hooks::FINISH),
            plans_ahead: if wants_outcomes { 1 } else { plans_ahead.clamp(1, MOST_PLANS_AHEAD) },
            metrics,
            requires_tools,
        })
    }
}

fn kind_of(kind: MetricKind) -> Kind {
    match kind {
        MetricKind::Counter => Kind::Counter,
        MetricKind::Gauge => Kind::Gauge,
        MetricKind::Rate => Kind::Rate,
        MetricKind::Trend => Kind::Trend,
    }
}

fn is_metric_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 100
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_bytes_tell_what_a_file_is() {
        for (bytes, expected) in [
            (&b"\0asm\x0d\0\x01\0rest"[..], FileKind::Component),
            (b"\0asm\x01\0\0\0rest", FileKind::CoreModule),
            (b"  (component)", FileKind::Text),
            (b"(module)", FileKind::Text),
            (b"\x7fELF", FileKind::Other),
            (b"", FileKind::Other),
            (b"\0asm", FileKind::Other),
        ] {
            assert_eq!(kind(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_metric_has_a_name_that_a_threshold_can_name() {
        for name in ["items", "items_found", "a1"] {
            assert!(is_metric_name(name), "{name}");
        }
        for name in ["", "1a", "Items", "items found", "p(99)", "größe", &"a".repeat(101)] {
            assert!(!is_metric_name(name), "{name}");
        }
    }

    #[test]
    fn a_wrong_configuration_is_told_by_its_fields() {
        let schema = json!({"type": "object", "required": ["words"], "properties": {"pace": {"properties": {"least": {"type": "number"}}}}});
        let told = mistakes(&json!({"pace": {"least": "1"}}), &schema).unwrap();
        assert_eq!(
            told,
            ["\"words\" is a required property", "`pace.least`: \"1\" is not of type \"number\""]
        );
        assert!(mistakes(&json!({}), &json!({"type": "nothing"})).is_err());
    }

    #[test]
    fn a_schema_that_only_refers_to_itself_comes_to_an_end() {
        let ring =
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}});
        for schema in [json!({"$ref": "#"}), json!({"allOf": [{"$ref": "#"}]}), ring] {
            assert_eq!(mistakes(&json!({"x": {}}), &schema), Ok(Vec::new()), "{schema}");
        }
    }
}
