//! What fails in the load fails an iteration; what goes on failing is given up, and whatever runs beside it goes on.

use serde_json::Value;

use super::scenario;
use crate::tool::{ECHO, Ended, Tool, number, server, text};

/// Most memory that a run with a hostile plugin may come to: little beside what it asks for.
const MOST_MEMORY: u64 = 1 << 30;

/// A run of scenarios beside one that calls `echo`.
fn run(words: &str, limits: &str, hows: &[&str]) -> Ended {
    let server = server("{}");
    let scenarios: String = hows.iter().map(|how| scenario(how)).collect();
    let config = format!("[plugins]\nmemory = \"64 MiB\"\n{limits}\n{ECHO}\n{scenarios}");
    Tool::run(&server, words).config(&config).end()
}

/// Asserts what holds whatever plugins do; the report.
fn sound(ended: &Ended) -> Value {
    let report = ended.report();
    let books = |name: &str| number(&report, &format!("/books/{name}"));
    let plugins = report["plugins"].as_object().expect("a table").values();
    let failed: u64 = plugins.map(|plugin| number(plugin, "/failed_iterations")).sum();
    assert_eq!(
        books("iterations_started"),
        books("iterations_completed") + books("iterations_interrupted") + failed
    );
    let memory = number(&report, "/generator/peak_rss_bytes");
    assert!(memory < MOST_MEMORY, "{memory} bytes");
    let shown = |c: char| c.is_control() && c != '\n';
    assert!(!ended.stdout.contains(shown), "{:?}", ended.stdout);
    assert!(!ended.stderr.contains(shown), "{:?}", ended.stderr);
    report
}

/// Whether a plugin's failures hold one of this kind whose message or backtrace has these words.
fn failed(plugin: &Value, fault: &str, words: &str) -> bool {
    let failures = plugin["failures"].as_array().expect("a list");
    failures.iter().any(|failure| failure["fault"] == fault && failure.to_string().contains(words))
}

#[test]
fn what_a_plugin_gets_wrong_in_a_plan_is_told_and_costs_the_others_nothing() {
    let cases = [
        ("bad-json", "invalid_step", "arguments are no JSON object"),
        ("no-object", "invalid_step", "`[\\\"message\\\"]`"),
        ("control", "invalid_step", "control character"),
        ("large", "invalid_step", "arguments of 10"),
        ("unknown-tool", "invalid_step", "the server lists no tool `ecco"),
        ("custom", "invalid_step", "no action `subs cribe`"),
        ("none", "contract", "next gave no plan"),
        ("two", "contract", "next gave 2 plans for 1 iterations"),
        ("many-steps", "contract", "more than 1000 steps"),
        ("more", "contract", "more than 1000 steps"),
        ("labels-that-are-none", "invalid_step", "a label is one to 200 characters"),
        ("checks", "contract", "at most 1,000"),
        ("checks-without-names", "contract", "one to 200 bytes"),
        ("check-in-colour", "contract", "on one line"),
        ("values", "contract", "is not declared in the manifest"),
        ("values", "contract", "NaN is no value"),
        ("values", "contract", "-1 is no value for the metric `trend`"),
        ("injection", "invalid_step", "is not a header name"),
        ("paths", "invalid_step", "does not begin with `/`"),
        ("next-err", "error", "out of stock"),
        ("next-refused", "error", "made do with less"),
        ("every-fifth", "trap", "panicked: the fifth"),
    ];
    let mut hows: Vec<&str> = cases.iter().map(|(how, ..)| *how).collect();
    hows.extend(["log-flood", "long-lines", "labels", "captures", "thousand-captures", "million-captures"]);
    hows.dedup();
    let ended = run("--vus 2 --iterations 400 --seed 7", "", &hows).expect(5);
    let report = sound(&ended);
    assert!(number(&report, "/books/iterations_completed") > 0);
    for (how, fault, words) in cases {
        let plugin = &report["plugins"][how];
        assert!(failed(plugin, fault, words), "{how}: `{words}` is missing in {:#}", plugin["failures"]);
        assert_eq!(plugin["given_up"], Value::Null, "{how}");
    }
    let flood = &report["plugins"]["log-flood"];
    assert!(
        number(flood, "/further_log_lines") > 99_000 && flood["log"].as_array().expect("a list").len() <= 20
    );
    assert!(report["plugins"]["checks"]["checks"].as_object().expect("a table").len() <= 1_000);
}

#[test]
fn a_plugin_that_goes_on_failing_is_given_up_and_the_others_go_on() {
    let cases = [
        ("next-loop", "timeout", "next took longer than 500ms"),
        ("next-allocate", "memory", "next wanted more memory than 64MiB"),
        ("next-recurse", "trap", "recurse"),
        ("next-panic", "trap", "misbehaving::"),
        ("next-hush", "trap", "unreachable"),
        ("later-open-panic", "trap", "panicked: the shelves"),
    ];
    let hows: Vec<&str> = cases.iter().map(|(how, ..)| *how).collect();
    let ended = run("--vus 2 --iterations 300", "call_timeout = \"500ms\"", &hows).expect(5);
    let report = sound(&ended);
    for (how, fault, words) in cases {
        let plugin = &report["plugins"][how];
        assert!(failed(plugin, fault, words), "{how}: `{words}` is missing in {:#}", plugin["failures"]);
        assert!(plugin["given_up"].is_string(), "{how}: {plugin:#}");
    }
    assert!(
        text(&report, "/verdict/reason").contains("was given up during the run"),
        "{}",
        report["verdict"]
    );
    assert!(number(&report, "/books/iterations_completed") > 200);
}

#[test]
fn a_plugin_that_will_not_end_holds_the_end_up_for_no_longer_than_its_patience() {
    for how in ["finish-loop", "drop-loop"] {
        let ended = run("--vus 40 --workers 1 --duration 1s", "call_timeout = \"200ms\"", &[how]).expect(5);
        let report = sound(&ended);
        assert!(failed(&report["plugins"][how], "timeout", "took longer than 200ms"), "{how}");
        let seconds = report["duration_secs"].as_f64().expect("seconds");
        assert!(seconds < 5.0, "{how}: {seconds} s");
    }
    let ended = run("--vus 4 --iterations 40", "", &["finish-panic", "drop-hush"]);
    let report = sound(&ended);
    assert!(failed(&report["plugins"]["finish-panic"], "trap", "panicked: the shelves"));
    assert!(failed(&report["plugins"]["drop-hush"], "trap", "drop trapped"));
}

#[test]
fn plans_that_never_end_or_never_wait_end_with_the_run() {
    for how in ["think", "empty", "more-slowly", "slow", "timeouts"] {
        let ended = run("--vus 3 --workers 1 --duration 1s --graceful-stop 2s", "", &[how]);
        let report = sound(&ended);
        let seconds = report["duration_secs"].as_f64().expect("seconds");
        assert!(seconds < 5.0, "{how}: {seconds} s");
        assert_eq!(report["plugins"][how]["given_up"], Value::Null, "{how}");
    }
}

#[test]
fn a_plugin_may_end_its_virtual_user_or_the_run_and_is_heard() {
    let ended = run("--vus 2 --duration 60s", "", &["stop-run"]);
    let report = sound(&ended);
    assert_eq!(text(&report, "/manifest/stop"), "plugin_stopped");
    assert!(text(&report, "/verdict/reason").contains("stopped the run: sold out"), "{}", report["verdict"]);
    let ended = run("--vus 2 --duration 60s", "", &["stop-vu"]);
    let report = sound(&ended);
    assert!(report["duration_secs"].as_f64().expect("seconds") < 30.0);
    assert!(report["plugins"]["stop-vu"]["log"].to_string().contains("se en enough"));
}
