//! Scenarios that are plugins: from the file, from flags, and their limits.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{SCENARIO, TARGET, gallery, plain, with};
use crate::plan::config::{Overrides, Resolved, read_plugin_config, resolve};
use crate::plan::{InstancePolicy, Plan, PluginLimits, PluginUse, Script, ThinkTime};

const SHOPPER: &str = "[[scenario]]\nplugin = \"shopper.wasm\"\n";

/// The plugins of a plan, by the names of their scenarios.
fn plugins(plan: &Plan) -> Vec<(&str, &PluginUse)> {
    let named = plan.scenarios.iter().map(|scenario| (scenario.name.as_str(), &scenario.script));
    let plugins = named.filter_map(|(name, script)| match script {
        Script::Plugin(plugin) => Some((name, plugin)),
        Script::Steps(_) => None,
    });
    plugins.collect()
}

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn naming(plugin: &str) -> Overrides {
    let url = Some("http://127.0.0.1:3000/mcp".parse().unwrap());
    Overrides { url, plugin: Some(plugin.into()), ..Overrides::default() }
}

#[test]
fn a_plugin_stands_beside_steps_with_name_weight_think_time_and_configuration() {
    let text = format!(
        "{TARGET}{SCENARIO}[[scenario]]\nname = \"buys\"\nweight = 30\nthink_time = \"1s..3s\"\nplugin = \"shopper.wasm\"\n\
         config = {{ catalog = 500, mix = [0.5, {{ deep = true }}], since = 2026-01-02 }}\n"
    );
    let plan = plain(&text).unwrap().plan;
    let config = json!({"catalog": 500, "mix": [0.5, {"deep": true}], "since": "2026-01-02"});
    assert_eq!(plugins(&plan), [("buys", &PluginUse { file: "shopper.wasm".into(), config })]);
    let pause = ThinkTime::Uniform { min: Duration::from_secs(1), max: Duration::from_secs(3) };
    assert_eq!((plan.scenarios[1].weight, plan.scenarios[1].think_time), (30, Some(pause)));
    assert_eq!(plan.series().len(), 4, "the steps of a plugin have no series yet");
}

#[test]
fn a_plugin_is_looked_for_in_the_folder_of_the_file() {
    for (file, plugin, found) in [
        ("loadtest.toml", "shopper.wasm", "shopper.wasm"),
        (".pmcp/loadtest.toml", "plugins/shopper.wasm", ".pmcp/plugins/shopper.wasm"),
        ("/work/loadtest.toml", "shopper.wasm", "/work/shopper.wasm"),
        (".pmcp/loadtest.toml", "/tmp/shopper.wasm", "/tmp/shopper.wasm"),
    ] {
        let text = format!("{TARGET}[[scenario]]\nplugin = \"{plugin}\"\n");
        let plan = resolve(Some((file, &text)), &Overrides::default(), &|_| None).unwrap().plan;
        let [("shopper", PluginUse { file, config })] = plugins(&plan)[..] else { panic!("{plan:?}") };
        assert_eq!((file.as_path(), config), (Path::new(found), &json!({})));
    }
}

#[test]
fn plugins_without_names_are_called_after_their_files() {
    let text = format!("{TARGET}{SHOPPER}{SHOPPER}[[scenario]]\nplugin = \"  .wasm\"\n");
    let plan = plain(&text).unwrap().plan;
    let names: Vec<&str> = plugins(&plan).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["shopper", "shopper #2", "scenario-3"]);
}

#[test]
fn a_scenario_with_a_plugin_that_cannot_be_played_is_refused() {
    let scenario = |lines: &str| format!("{TARGET}[[scenario]]\n{lines}\n");
    assert_shown!(gallery(&[
        ("no file", &scenario("plugin = \"\"")),
        ("a folder", &scenario("plugin = \"..\"")),
        ("not a text", &scenario("plugin = 7")),
        ("a plugin and a step", &scenario("plugin = \"a.wasm\"\ntype = \"tools/call\"\ntool = \"echo\"")),
        ("a plugin and steps", &scenario("plugin = \"a.wasm\"\n[[scenario.step]]\ntype = \"ping\"")),
        ("a configuration without a plugin", &scenario("type = \"ping\"\nconfig = { catalog = 500 }")),
        ("a configuration that is no table", &scenario("plugin = \"a.wasm\"\nconfig = 500")),
        ("a number that JSON lacks", &scenario("plugin = \"a.wasm\"\nconfig = { share = nan }")),
        ("a plugin in a step", &scenario("[[scenario.step]]\nplugin = \"a.wasm\"")),
    ]));
}

#[test]
fn every_limit_of_the_file_arrives() {
    let text = format!(
        "{TARGET}{SHOPPER}[plugins]\ninstances = \"per-worker\"\nmemory = \"4GiB\"\ncall_timeout = \"250ms\"\nstart_timeout = \"1m\"\n\
         max_file = \"1MiB\"\nmax_steps = 7\nmax_arguments = \"2kB\"\nmax_result = 9\nmax_log_lines = 3\n"
    );
    let limits = PluginLimits {
        instances: InstancePolicy::PerWorker,
        memory_bytes: 4 << 30,
        call_timeout: Duration::from_millis(250),
        start_timeout: Duration::from_mins(1),
        file_bytes: 1 << 20,
        steps: 7,
        arguments_bytes: 2000,
        result_bytes: 9,
        log_lines: 3,
    };
    assert_eq!(plain(&text).unwrap().plan.settings.plugins, limits);
}

#[test]
fn a_limit_that_cannot_be_is_refused_with_the_range_and_the_default() {
    let limit = |line: &str| format!("{TARGET}{SHOPPER}[plugins]\n{line}\n");
    assert_shown!(gallery(&[
        ("no memory", &limit("memory = 0")),
        ("less than a page", &limit("memory = \"1kB\"")),
        ("more than 32 bits", &limit("memory = \"5GiB\"")),
        ("no time", &limit("call_timeout = \"0s\"")),
        ("a day", &limit("start_timeout = \"1d\"")),
        ("no steps", &limit("max_steps = 0")),
        ("no log", &limit("max_log_lines = 0")),
        ("nothing to read", &limit("max_result = 0")),
        ("an unknown policy", &limit("instances = \"per-core\"")),
        ("an unknown limit", &limit("max_memory = \"1MiB\"")),
        ("several", &limit("max_file = 0\nmax_arguments = 0")),
    ]));
}

#[test]
fn a_plugin_of_the_flags_needs_no_file() {
    let flags =
        Overrides { plugin_config: Some(object(json!({"catalog": 5}))), ..naming("out/shopper.wasm") };
    let Resolved { plan, origin, notes, .. } = resolve(None, &flags, &|_| None).unwrap();
    let expected = PluginUse { file: PathBuf::from("out/shopper.wasm"), config: json!({"catalog": 5}) };
    assert_eq!(plugins(&plan), [("shopper", &expected)]);
    assert_eq!((origin.as_str(), notes.len(), plan.loads[0].executor.max_vus()), ("out/shopper.wasm", 0, 10));
}

#[test]
fn a_plugin_of_the_flags_replaces_the_scenarios_of_the_file_with_a_note() {
    let text =
        format!("{TARGET}[settings]\nvirtual_users = 3\nrequest_interval_ms = 20\n{SCENARIO}{SHOPPER}");
    let Resolved { plan, notes, .. } = with(&text, &naming("other.wasm")).unwrap();
    assert_eq!(plan.scenarios.len(), 1);
    assert_eq!(plugins(&plan)[0].0, "other");
    assert_eq!(plan.scenarios[0].think_time, Some(ThinkTime::constant(Duration::from_millis(20))));
    assert_eq!(plan.loads[0].executor.max_vus(), 3);
    assert_eq!(notes, ["--plugin replaces the scenarios of loadtest.toml, and keeps the rest of it"]);
}

#[test]
fn a_configuration_of_the_flags_replaces_that_of_the_only_plugin_that_runs() {
    let text = format!("{TARGET}{SCENARIO}{SHOPPER}config = {{ catalog = 500, deep = true }}\n");
    let config = Some(object(json!({"catalog": 5})));
    let flags = Overrides { plugin_config: config, ..Overrides::default() };
    let plan = with(&text, &flags).unwrap().plan;
    assert_eq!(plugins(&plan)[0].1.config, json!({"catalog": 5}));
    let two = format!("{text}[[scenario]]\nplugin = \"browser.wasm\"\n");
    let flags = Overrides { scenarios: vec!["browser".to_owned()], ..flags };
    assert_eq!(plugins(&with(&two, &flags).unwrap().plan)[0].1.config, json!({"catalog": 5}));
}

#[test]
fn flags_that_contradict_the_file_or_each_other_are_refused() {
    let config = Some(object(json!({"catalog": 5})));
    let configured = Overrides { plugin_config: config, ..Overrides::default() };
    let both = Overrides { scenarios: vec!["ping".to_owned()], ..naming("a.wasm") };
    let no_target = Overrides { url: None, ..naming("a.wasm") };
    let one = format!("{TARGET}{SCENARIO}");
    let several = format!("{TARGET}{SHOPPER}{SHOPPER}");
    let pictures = [
        with(&one, &configured).unwrap_err(),
        with(&several, &configured).unwrap_err(),
        with(&one, &both).unwrap_err(),
        with(&one, &naming("..")).unwrap_err(),
        resolve(None, &no_target, &|_| None).unwrap_err(),
    ];
    assert_shown!(pictures.map(|errors| errors.to_string()).join("\n\n"));
}

#[test]
fn a_configuration_that_is_no_json_object_is_pointed_at() {
    let texts = [
        "",
        "500",
        "[1]",
        "{\"catalog\": }",
        "{\"a\": 1,\n \"é\": tru}",
        "{\"a\": 1} {",
        "{'a': 1}",
        "{\"token\": \"abc\" 1}",
    ];
    let pictures = texts.map(|text| read_plugin_config("--plugin-config", text).unwrap_err().to_string());
    assert_shown!(pictures.join("\n\n"));
}
