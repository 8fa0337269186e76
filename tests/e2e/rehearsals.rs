//! `plugin inspect`, `plugin test` and `plugin check`: what a plugin's author sees of it, with a server and without one.
//!
//! One plugin does whatever its configuration says, good or bad; it is built once, however many tests ask for it.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::tool::{Ended, GUESTS, Tool, server};

/// The plugin's library; it takes the place of the template's.
const MOODY: &str = r#"//! Does what its mood is.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pmcp_loadtest_guest::{
    Error, Findings, Iteration, Manifest, Metric, Outcome, Plan, Plugin, Step, VirtualUser, info, json, plugin,
};
use serde::Deserialize;

static PLANS: AtomicU32 = AtomicU32::new(0);

#[derive(Deserialize)]
#[serde(default)]
struct Config {
    mood: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { mood: "good".to_owned() }
    }
}

struct Moody {
    config: &'static Config,
}

impl Plugin for Moody {
    type Config = Config;

    fn manifest() -> Manifest {
        let mood = json!({"type": "string", "default": "good", "description": "What it is like"});
        Manifest::new()
            .config_schema(&json!({"type": "object", "properties": {"mood": mood}, "additionalProperties": false}))
            .metric(Metric::counter("greetings").unit("words"))
            .requires_tool("echo")
    }

    fn open(config: &'static Config, _: VirtualUser) -> Result<Self, Error> {
        Ok(Self { config })
    }

    fn plan(&mut self, iteration: Iteration) -> Result<Plan, Error> {
        let number = iteration.number;
        let echo = |message: &str| Step::call("echo", json!({"message": message}));
        Ok(match self.config.mood.as_str() {
            "good" => {
                info!("greeting {number}");
                Plan::from(echo(&format!("hello {number}"))).step(Step::think(Duration::from_secs(3600)))
            }
            "panics" if number % 2 == 1 => panic!("no more of iteration {number}"),
            "mistypes" => Step::call("ecko", json!({})).into(),
            "misfits" => Step::call("echo", json!({"message": number})).into(),
            "shares" => echo(&PLANS.fetch_add(1, Ordering::Relaxed).to_string()).into(),
            _ => echo("hello").into(),
        })
    }

    fn learn(&mut self, outcomes: &[Outcome], findings: &mut Findings) {
        for outcome in outcomes {
            findings.check("it is heard", outcome.is_ok() && self.config.mood != "doubts");
            findings.sample("greetings", 1.0);
        }
    }
}

plugin!(Moody);
"#;

/// The plugin's file.
fn moody() -> String {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    let built = FILE.get_or_init(|| {
        let file = PathBuf::from(GUESTS).join("moody.wasm");
        let made = Tool::new("plugin new moody").end().expect(0);
        let build = made.then("plugin build moody --out").arg(&file.display().to_string());
        build.with_file("moody/src/lib.rs", MOODY).compiling().end().expect(0);
        file
    });
    built.display().to_string()
}

/// A subcommand of `plugin` on the file, in a mood.
fn on_moody(command: &str, words: &str, mood: &str) -> Ended {
    let tool = Tool::new(&format!("plugin {command}")).arg(&moody());
    let tool = words.split_whitespace().fold(tool, Tool::arg);
    tool.arg("--config").arg(&json!({ "mood": mood }).to_string()).end()
}

/// Whether these texts stand in this order.
fn in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("`{part}` is not in its place in\n{text}");
        };
        rest = after;
    }
}

#[test]
fn inspect_tells_what_a_plugin_is_to_a_person_and_to_a_machine() {
    let shown = Tool::new("plugin inspect").arg(&moody()).end().expect(0);
    in_order(
        &shown.stdout,
        &["moody 0.1.0", "needs", "tool echo", "greetings (counter in words)", "  mood  string"],
    );
    let json = Tool::new("plugin inspect --format json").arg(&moody()).end().expect(0);
    let found: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(found["config_schema"]["properties"]["mood"]["default"], "good");
    assert_eq!(found["requires_tools"], json!(["echo"]));

    let missing = Tool::new("plugin inspect nowhere.wasm").end().expect(2);
    assert!(missing.stderr.contains("the plugin cannot be read"), "{}", missing.stderr);
    let other = Tool::new("plugin inspect text.wasm").with_file("text.wasm", "text").end().expect(5);
    assert!(other.stderr.contains("this is not a WebAssembly file"), "{}", other.stderr);
}

#[test]
fn test_shows_each_step_with_its_answer_and_what_was_found_in_it() {
    let dry = on_moody("test", "--iterations 2", "good").expect(0);
    in_order(
        &dry.stdout,
        &[
            "iteration 0",
            "info    greeting 0",
            "  1 tools/call echo",
            "{\"message\":\"hello 0\"}",
            "      ok · ",
            "made up for `echo`",
            "  2 think 3600000 ms",
            "  check   ok      it is heard",
            "  value   greetings = 1",
            "iteration 1",
            "  check   ok      it is heard",
            "2 iterations: 2 whole",
            "calls 2 · ok 2 · checks 2 of 2",
            "a dry run",
        ],
    );
    let server = server("{}");
    let tool = Tool::new("plugin test").arg(&moody()).arg(&server.url());
    let live = tool.arg("--config").arg("{\"mood\":\"calm\"}").end().expect(0);
    in_order(&live.stdout, &["{\"message\":\"hello\"}", "\"text\":\"hello\"", "5 iterations: 5 whole"]);
    assert!(!live.stdout.contains("a dry run"), "{}", live.stdout);
    assert_eq!(server.counters().methods.get("tools/call"), Some(&5));
}

#[test]
fn test_offers_the_tools_of_a_file_and_those_that_the_plugin_needs() {
    let tools = json!({"tools": [{"name": "eckig", "inputSchema": {"type": "object"}}]}).to_string();
    let tool = Tool::new("plugin test --tools tools.json --iterations 1")
        .arg(&moody())
        .with_file("tools.json", &tools);
    let ended = tool.arg("--config").arg("{\"mood\":\"mistypes\"}").end().expect(5);
    in_order(&ended.stdout, &["  1 tools/call ecko", "    not sent: the server lists no tool `ecko`"]);
}

#[test]
fn what_goes_wrong_is_shown_where_it_did_and_decides_the_exit_code() {
    let doubts = on_moody("test", "--iterations 1", "doubts").expect(99);
    in_order(&doubts.stdout, &["iteration 0", "  check   FAILED  it is heard", "checks 0 of 1"]);

    let panics = on_moody("test", "--iterations 3", "panics").expect(5);
    let said = "  FAILED  panicked: ";
    in_order(
        &panics.stdout,
        &[
            "iteration 0",
            "iteration 1",
            "FAILED\n",
            said,
            "no more of iteration 1",
            "    in <moody::Moody as",
            "iteration 2",
        ],
    );
    assert!(panics.stdout.contains("2 whole, 1 failed by the plugin"), "{}", panics.stdout);

    let config = Tool::new("plugin test --config {\"moot\":1}").arg(&moody()).end().expect(2);
    assert!(config.stderr.contains("cannot be configured like this"), "{}", config.stderr);
    let nobody = Tool::new("plugin test").arg(&moody()).arg("http://127.0.0.1:1/mcp").end().expect(4);
    assert!(nobody.stderr.contains("refused"), "{}", nobody.stderr);
}

#[test]
fn check_finds_which_rules_a_plugin_breaks() {
    let good = on_moody("check", "--calls 20", "good").expect(0);
    let rules = ["imports", "config", "failures", "deterministic", "independent", "arguments"];
    let rules = rules.map(|rule| format!("ok      {rule}"));
    in_order(&good.stdout, &rules.each_ref().map(String::as_str));
    in_order(&good.stdout, &["20 iterations of seed 0, twice", "note    cost"]);

    let panics = on_moody("check", "--calls 20", "panics").expect(5);
    in_order(&panics.stdout, &["FAILED  failures", "no more of", "in <moody::Moody as", "fix: "]);
    let shares = on_moody("check", "--calls 20 --seed 7", "shares").expect(5);
    in_order(
        &shares.stdout,
        &[
            "ok      deterministic 20 iterations of seed 7",
            "FAILED  independent",
            "alone ",
            "shared",
            "fix: ",
        ],
    );
    let misfits = on_moody("check", "--calls 20", "misfits").expect(0);
    let what = ["note    arguments     echo: 20 of 20 do not fit", "is not of type \"string\"", "fix: "];
    in_order(&misfits.stdout, &what);
    on_moody("check", "--calls 20 --strict-arguments", "misfits").expect(5);

    let config = Tool::new("plugin check --config {\"moot\":1}").arg(&moody()).end().expect(5);
    in_order(&config.stdout, &["ok      imports", "FAILED  config", "fix: "]);
    let other = Tool::new("plugin check text.wasm").with_file("text.wasm", "text").end().expect(5);
    in_order(&other.stdout, &["FAILED  imports", "this is not a WebAssembly file", "fix: "]);
}

#[test]
fn a_check_asks_a_server_for_its_tools_and_sends_it_no_step() {
    let server = server("{}");
    let checked = Tool::new("plugin check --calls 20").arg(&moody()).arg(&server.url()).end().expect(0);
    assert!(checked.stdout.contains("ok      arguments     20 fit"), "{}", checked.stdout);
    assert_eq!(server.counters().methods.get("tools/call"), None);
    assert_eq!(server.counters().methods.get("tools/list"), Some(&1));
}
