//! What a run must show to pass: in the file, on the command line, in the environment.

use serde_json::Value;

use crate::tool::{ECHO, Tool, number, server, text};

const SLOW: &str = r#"{"latency": [{"delay": {"constant": {"ms": 5}}}]}"#;

fn file(thresholds: &str) -> String {
    format!("[thresholds]\n{thresholds}\n{ECHO}")
}

#[test]
fn thresholds_that_hold_pass_and_stand_in_the_report() {
    let server = server(SLOW);
    let ended = Tool::run(&server, "--vus 2 --iterations 20")
        .config(&file("response_time = [\"p(99) < 5s\"]\n\"errors{tool=echo}\" = [\"rate < 1%\"]"))
        .arg("--threshold")
        .arg("requests count == 20")
        .end()
        .expect(0);
    let report = ended.report();
    let results = report["thresholds"].as_array().expect("a list");
    let texts: Vec<&str> = results.iter().map(|result| result["text"].as_str().expect("a text")).collect();
    assert_eq!(texts, ["response_time p(99) < 5s", "errors{tool=echo} rate < 1%", "requests count == 20"]);
    assert!(results.iter().all(|result| result["passed"] == true && result["samples"] == 20), "{results:?}");
    assert_eq!(report["config"]["thresholds"].as_array().map(Vec::len), Some(3));
    assert!(ended.stdout.contains("3 of 3 thresholds held; all 20 calls succeeded"), "{}", ended.stdout);
}

#[test]
fn a_threshold_that_fails_ends_with_ninety_nine_and_what_was_observed() {
    let server = server(SLOW);
    let ended = Tool::run(&server, "--vus 2 --iterations 20")
        .config(&file("response_time = [\"min < 4ms\"]"))
        .end()
        .expect(99);
    let report = ended.report();
    assert_eq!(number(&report, "/verdict/exit_code"), 99);
    assert!(
        text(&report, "/verdict/reason").contains("response_time min < 4ms, observed "),
        "{}",
        ended.stdout
    );
    let result = &report["thresholds"][0];
    assert!(result["observed"].as_f64().expect("a number") >= 4_000.0, "{result}");
    assert!(result["margin"].as_f64().expect("a number") <= 0.0, "{result}");
    assert_eq!((result["bound"].as_f64(), result["unit"].as_str()), (Some(4_000.0), Some("us")));
    assert!(ended.stdout.contains("✗ response_time min < 4ms"), "{}", ended.stdout);
    assert!(ended.stdout.contains("thresholds     0 of 1 held"), "{}", ended.stdout);
}

#[test]
fn the_short_spelling_comes_from_the_command_line_or_the_environment() {
    let server = server(SLOW);
    let run = || Tool::run(&server, "--vus 1 --iterations 5").echoing();
    run().arg("--assert").arg("p99<5s").arg("--assert").arg("errors<1%").end().expect(0);
    run().arg("--assert").arg("p99<1ms").end().expect(99);
    run().env("MCP_LOADTEST_ASSERT", "p99<5s\np50<1ms\n").end().expect(99);
    let ended = run().env("MCP_LOADTEST_THRESHOLD", "\nresponse_time{tool=echo} p(99) < 5s").end().expect(0);
    let report: Value = ended.report();
    assert_eq!(text(&report, "/thresholds/0/text"), "response_time{tool=echo} p(99) < 5s");
}

#[test]
fn what_is_no_threshold_is_pointed_at_before_anything_is_sent() {
    let server = server("{}");
    let run = || Tool::run(&server, "");
    let cases = [
        (
            run().config(&file("errors = [\"p(99) < 1s\"]")),
            ".pmcp/loadtest.toml:2:12",
            "it has rate, count, per_s",
        ),
        (run().echoing().arg("--threshold").arg("response_time p(99) < 500"), "--threshold:1:23", "500ms"),
        (run().echoing().arg("--assert").arg("p999<1s"), "--assert:1:1", "from 0 to 100"),
        (run().echoing().arg("--assert").arg("errors{tool=ecko}<1%"), "--assert:1:1", "did you mean `echo`"),
        (run().echoing().arg("--assert").arg("eror<1"), "--assert:1:1", "did you mean `errors`"),
    ];
    for (tool, place, help) in cases {
        let ended = tool.end().expect(2);
        assert!(ended.stderr.contains(place) && ended.stderr.contains(help), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
    assert_eq!(server.counters().connections, 0);
}

#[test]
fn a_threshold_without_samples_fails_and_says_so() {
    let server = server(SLOW);
    let ended = Tool::run(&server, "--vus 1 --iterations 5")
        .echoing()
        .arg("--threshold")
        .arg("failed_time max < 60m")
        .end()
        .expect(99);
    let report = ended.report();
    assert_eq!(text(&report, "/thresholds/0/finding"), "no samples");
    assert_eq!(report["thresholds"][0]["observed"], Value::Null);
    assert!(ended.stdout.contains("failed_time max < 60m: no samples"), "{}", ended.stdout);
}

#[test]
fn a_saved_report_shows_its_thresholds_again() {
    let server = server(SLOW);
    let ended = Tool::run(&server, "--vus 1 --iterations 5 --out r.json")
        .echoing()
        .arg("--assert")
        .arg("p99<1ms")
        .end();
    let shown = ended.expect(99).then("report r.json").end().expect(0);
    assert!(shown.stdout.contains("✗ response_time p(99) < 1ms"), "{}", shown.stdout);
}

#[test]
fn a_run_shorter_than_its_window_is_judged_as_a_whole_and_the_report_says_so() {
    let server = server(SLOW);
    let ended = Tool::run(&server, "--vus 2 --iterations 20")
        .config(&file("response_time = [{ condition = \"p(99) < 5s\", window = \"10m\" }]"))
        .end()
        .expect(0);
    let result = &ended.report()["thresholds"][0];
    assert_eq!(result["text"], "response_time p(99) < 5s over 10m");
    assert_eq!((result["window_s"].as_u64(), result.get("window_from_s")), (Some(600), None));
    assert!(
        text(result, "/finding").ends_with("in the whole run, which is shorter than the window"),
        "{result}"
    );
}

#[test]
fn what_no_run_could_decide_in_its_time_is_refused_before_anything_is_sent() {
    let server = server("{}");
    for (condition, help) in [
        ("p(99) < 1s over 10m", "shorten the window, lengthen the run"),
        ("p(99) < 1s over 1.5s", "write 2s"),
        ("p(99) < 1s abort_on_fail", "write `abort` behind the bound"),
        ("p(99) < 1s warm_up 5s", "write `warm_up` under [settings]"),
    ] {
        let text = format!("response_time {condition}");
        let ended =
            Tool::run(&server, "--duration 3s").echoing().arg("--threshold").arg(&text).end().expect(2);
        assert!(ended.stderr.contains("--threshold:1:"), "{}", ended.stderr);
        assert!(ended.stderr.contains(help), "{}", ended.stderr);
    }
    let growing =
        Tool::run(&server, "--duration 3s").echoing().arg("--assert").arg("count > 9 abort").end().expect(2);
    assert!(growing.stderr.contains("still grows"), "{}", growing.stderr);
}
