//! Everything that was asked is in the report, no secret is, and the hash covers what it says.

use super::{ResolvedConfig, fnv_1a};
use crate::plan::config::{Overrides, resolve};
use crate::plan::{Plan, Stripe};

const TEXT: &str = r#"
    [target]
    url = "https://one.test/mcp?api_key=hunter2&page=1"
    headers = { X-Tenant = "hunter2" }
    auth = { bearer = "hunter2" }
    [settings]
    seed = 1
    timeout = "2s"
    workers = 2
    [load]
    stages = [{ duration = "1.5s", target = 3 }]
    [thresholds]
    "response_time{tool=search}" = ["p99 < 0.5s"]
    [[scenario]]
    name = "mixed"
    think_time = "1s..3s"
    [[scenario.step]]
    type = "tools/call"
    name = "find"
    tool = "search"
    arguments = { query = "a", limit = 5 }
    timeout = "250ms"
    [[scenario.step]]
    type = "prompts/get"
    prompt = "greet"
    arguments = { who = "Ada" }
    [[scenario.step]]
    type = "http"
    path = "/health?token=hunter2"
    headers = { X-Key = "hunter2" }
    expect_status = 401
    [[scenario.step]]
    type = "think"
    duration = "10ms"
    [[scenario.step]]
    type = "session/close"
    [[scenario]]
    type = "code_mode"
    code = "query { me }"
    [plugins]
    memory = "32MiB"
    [[scenario]]
    plugin = "plugins/shopper.wasm"
    config = { catalog = 500, tags = ["a", "b"] }
"#;

fn plan(text: &str) -> Plan {
    resolve(Some(("loadtest.toml", text)), &Overrides::default(), &|_| None).unwrap().plan
}

fn hash(text: &str) -> String {
    ResolvedConfig::from(&plan(text)).hash()
}

#[test]
fn everything_that_was_asked_is_there_and_no_secret_is() {
    let json = serde_json::to_string_pretty(&ResolvedConfig::from(&plan(TEXT))).unwrap();
    assert!(!json.contains("hunter2"), "{json}");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(json);
    });
}

#[test]
fn what_is_written_is_read_back() {
    let config = ResolvedConfig::from(&plan(TEXT));
    let json = serde_json::to_string(&config).unwrap();
    let again: ResolvedConfig = serde_json::from_str(&json).unwrap();
    assert_eq!(again, config);
    assert_eq!(again.hash(), config.hash());
}

#[test]
fn the_hash_is_the_same_for_another_server_token_seed_and_machine() {
    for (from, to) in [
        ("one.test/mcp", "two.test/"),
        ("bearer = \"hunter2\"", "bearer = \"other\""),
        ("seed = 1", "seed = 2"),
        ("workers = 2", "workers = 4"),
        ("query = \"a\", limit = 5", "limit = 5, query = \"a\""),
        ("\"1.5s\"", "\"1500ms\""),
        ("plugins/shopper.wasm", "/elsewhere/shopper.wasm"),
    ] {
        assert!(TEXT.contains(from), "{from}");
        assert_eq!(hash(TEXT), hash(&TEXT.replace(from, to)), "{from} -> {to}");
    }
}

#[test]
fn the_hash_changes_with_the_load_and_its_meaning() {
    for (from, to) in [
        ("target = 3", "target = 4"),
        ("\"1.5s\"", "\"1.6s\""),
        ("limit = 5", "limit = 6"),
        ("\"1s..3s\"", "\"1s..4s\""),
        ("timeout = \"2s\"", "timeout = \"3s\""),
        ("seed = 1", "session = \"per-iteration\""),
        ("seed = 1", "quick_ack = false"),
        ("expect_status = 401", "expect_status = 403"),
        ("X-Tenant", "X-Other"),
        ("plugins/shopper.wasm", "plugins/browser.wasm"),
        ("catalog = 500", "catalog = 501"),
        ("32MiB", "33MiB"),
        ("p99 < 0.5s", "p99 < 0.6s"),
    ] {
        assert!(TEXT.contains(from), "{from}");
        assert_ne!(hash(TEXT), hash(&TEXT.replace(from, to)), "{from} -> {to}");
    }
}

/// Every key of a load that is not in [`TEXT`].
const LOADS: &str = r#"
    [target]
    url = "https://one.test/mcp"
    [settings]
    scenario_choice = "per-vu"
    warm_up = "10s"
    [breaking_point]
    seconds = 4
    stop = true
    [[load]]
    name = "steady"
    vus = 4
    spawn_rate = "2/s"
    duration = "1m"
    scenarios = ["paced"]
    [[load]]
    name = "ramp"
    start_vus = 5
    stages = [{ duration = "1m", target = 0 }]
    graceful_stop = "3s"
    graceful_ramp_down = "2s"
    scenarios = ["paced"]
    [[load]]
    name = "spike"
    start = "30s"
    rate = 50
    duration = "20s"
    vus = 20
    max_vus = 300
    max_wait = "1s"
    arrivals = "poisson"
    scenarios = ["open"]
    [[load]]
    name = "rise"
    start_rate = 6
    stages = [{ duration = "1m", rate = 60 }]
    scenarios = ["open"]
    [[scenario]]
    name = "paced"
    type = "ping"
    pacing = "1500ms"
    think_time = "exponential 7ms"
    [[scenario]]
    name = "open"
    type = "ping"
    think_time = "log-normal 8ms sigma 0.5"
"#;

#[test]
fn every_key_of_every_load_changes_the_report_and_the_hash() {
    for (from, to) in [
        ("\"per-vu\"", "\"per-iteration\""),
        ("warm_up = \"10s\"", "warm_up = \"auto\""),
        ("seconds = 4", "seconds = 5"),
        ("stop = true", "error_ratio = 0.1"),
        ("\"steady\"", "\"calm\""),
        ("spawn_rate = \"2/s\"", "spawn_rate = \"3/s\""),
        ("start_vus = 5", "start_vus = 6"),
        ("graceful_stop = \"3s\"", "graceful_stop = \"4s\""),
        ("graceful_ramp_down = \"2s\"", "graceful_ramp_down = \"1s\""),
        ("start = \"30s\"", "start = \"31s\""),
        ("rate = 50\n", "rate = 51\n"),
        ("vus = 20", "vus = 21"),
        ("max_vus = 300", "max_vus = 301"),
        ("max_wait = \"1s\"", "max_wait = \"2s\""),
        ("\"poisson\"", "\"even\""),
        ("start_rate = 6", "start_rate = 7"),
        ("rate = 60", "rate = 61"),
        ("scenarios = [\"open\"]", "scenarios = [\"open\", \"other\"]"),
        ("\"1500ms\"", "\"1501ms\""),
        ("exponential 7ms", "exponential 9ms"),
        ("exponential 7ms", "7ms"),
        ("log-normal 8ms", "log-normal 9ms"),
        ("sigma 0.5", "sigma 0.6"),
    ] {
        assert!(LOADS.contains(from), "{from}");
        let other = "[[scenario]]\nname = \"other\"\ntype = \"ping\"\n";
        let (before, after) = (format!("{LOADS}{other}"), format!("{}{other}", LOADS.replacen(from, to, 1)));
        assert_ne!(hash(&before), hash(&after), "{from} -> {to}");
    }
}

#[test]
fn a_shard_is_named_and_has_the_hash_of_the_whole() {
    let whole = ResolvedConfig::from(&plan(LOADS));
    let part = Plan { shard: Stripe { index: 1, of: 3 }, ..plan(LOADS) };
    let part = ResolvedConfig::from(&part);
    assert_eq!((whole.shard.as_deref(), part.shard.as_deref()), (None, Some("2/3")));
    assert_eq!(whole.hash(), part.hash());
}

#[test]
fn the_limits_of_plugins_mean_nothing_to_a_run_without_one() {
    let text = "[target]\nurl = \"http://one.test/\"\n[[scenario]]\ntype = \"ping\"\n";
    assert_eq!(hash(text), hash(&format!("{text}[plugins]\nmemory = \"32MiB\"\n")));
}

#[test]
fn the_hash_function_is_the_published_one() {
    assert_eq!(fnv_1a(b""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(fnv_1a(b"foobar"), 0x8594_4171_f739_67e8);
}
