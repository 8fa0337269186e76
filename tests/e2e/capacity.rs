//! `capacity` as a person meets it: real, short searches of a server whose capacity its script fixes; what is refused before any load;
//! interrupts; several numbers of cores.

use pmcp_loadtest_demo_server::DemoServer;
use serde_json::{Value, json};

use crate::tool::{ECHO, Ended, Running, Tool, server, text};

/// Two calls at a time, 50 ms each: 40 a second and not one more.
const FORTY: &str = r#"{"latency": [{"delay": {"constant": {"ms": 50}}}], "workers": 2}"#;

/// A search that the deadline ends soon after both bounds are found.
const SHORT: &str = "--min-load 20 --max-load 160/s --deadline 40s --workers 1";

/// `capacity` against a server, held to an objective that few calls decide.
fn search(server: &DemoServer, words: &str) -> Tool {
    Tool::new(&format!("capacity {} --color never {words}", server.url()))
        .arg("--objective")
        .arg("p(90) < 600ms")
        .echoing()
}

/// Insists on a search that came to an answer of its own: on a busy machine the generator's own limits may end any.
fn answered(ended: Ended) -> Ended {
    let code = ended.code;
    assert!(
        matches!(code, Some(0 | 91)),
        "{code:?}\n--- stdout\n{}\n--- stderr\n{}",
        ended.stdout,
        ended.stderr
    );
    ended
}

fn loads(report: &Value, verdicts: &[&str]) -> Vec<f64> {
    let trials = report.pointer("/answer/trials").and_then(Value::as_array).expect("trials");
    let said = |trial: &&Value| verdicts.contains(&trial["verdict"].as_str().expect("a verdict"));
    trials.iter().filter(said).map(|trial| trial["load"].as_f64().expect("a load")).collect()
}

#[test]
fn a_search_finds_loads_on_both_sides_of_what_the_server_can_do() {
    let server = server(FORTY);
    let ended = answered(search(&server, &format!("{SHORT} --progress plain")).end());
    let report = ended.report();
    assert!(ended.reports()[0].starts_with("capacity-"), "{:?}", ended.reports());
    assert_eq!((&report["schema_version"], &report["kind"]), (&json!("2.0"), &json!("capacity")));
    assert_eq!(report["verdict"]["exit_code"].as_i64(), ended.code.map(i64::from));
    for passed in loads(&report, &["passed"]) {
        assert!(passed < 44.0, "{passed}/s were carried by a server that can do 40");
    }
    for failed in loads(&report, &["failed"]) {
        assert!(failed > 36.0, "{failed}/s were too much for a server that can do 40");
    }
    assert!(!loads(&report, &["passed", "failed", "invalid"]).is_empty(), "{report:#}");
    for words in [text(&report, "/verdict/reason").split_whitespace().next().expect("words"), "p(90) < 600ms"]
    {
        assert!(ended.stdout.contains(words), "{}", ended.stdout);
    }
    // A line per trial, and no other progress.
    let trials = report["answer"]["trials"].as_array().expect("trials").len();
    let lines = ended.stderr.lines().filter(|line| line.starts_with("trial ")).count();
    assert_eq!(lines, trials, "{}", ended.stderr);
    assert!(!ended.stderr.contains("elapsed"), "{}", ended.stderr);

    let file = format!(".pmcp/reports/{}", ended.reports()[0]);
    let shown = ended.stdout.clone();
    let again = ended.then(&format!("report {file} --color never")).end().expect(0);
    let without_place = |text: &str| {
        text.lines().filter(|line| !line.contains("report  ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(without_place(&again.stdout), without_place(&shown));
}

#[test]
fn machines_get_a_line_for_every_trial_and_for_the_answer() {
    let server = server(FORTY);
    let words = format!("{SHORT} --progress jsonl --format json --no-report");
    let ended = answered(search(&server, &words).end());
    let lines: Vec<Value> =
        ended.stderr.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect();
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).collect::<Vec<_>>();
    let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let trials: Vec<&Value> = report["answer"]["trials"].as_array().expect("trials").iter().collect();
    assert_eq!(
        of("trial").iter().map(|line| &line["load"]).collect::<Vec<_>>(),
        trials.iter().map(|trial| &trial["load"]).collect::<Vec<_>>()
    );
    assert_eq!(of("answer").len(), 1);
    assert_eq!(of("answer")[0]["headline"], report["verdict"]["reason"]);
    assert!(!of("progress").is_empty(), "the trial at hand is shown, too");
    assert_eq!(lines.last().expect("lines")["type"], "end");
    assert!(ended.reports().is_empty());

    let schema = Tool::new("schema capacity").end().expect(0).stdout;
    assert_eq!(schema, include_str!("../../runner/schemas/capacity.schema.json"));
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let faults: Vec<String> = validator.iter_errors(&report).map(|fault| fault.to_string()).collect();
    assert_eq!(faults, [""; 0]);
}

#[test]
fn what_cannot_be_searched_is_refused_before_anything_is_sent() {
    let server = server("{}");
    for (words, hint) in [
        ("--vus 3", "--min-load and --max-load"),
        ("--rate 200/s", "the load is what a search finds"),
        ("--duration 30s", "the load is what a search finds"),
        ("--stage 30s:50", "the load is what a search finds"),
        ("--assert p99<5ms", "--objective"),
        ("--objective p(99)>5ms", "write < or <="),
        ("--objective mean<5ms", "not a share of the calls"),
        ("--objective p(99)<1m", "calls are given up after 5s"),
        ("--objective errors{tool=nope}<1%", "no step is one that this is about"),
        ("--objective p(99.9)<1s --max-load 5", "it takes 2995"),
        ("--min-load 5 --max-load 2", "no load in between"),
        ("--max-load 0", "nothing to search"),
        ("--by sessions --min-load 2.5", "no number of sessions"),
        ("--by cores", "possible values: rate, sessions"),
        ("--deadline 5s", "20s at least"),
        ("--precise", "unexpected argument"),
        ("--cores 1", "--server-cmd"),
        ("--server-cmd x", "--cores"),
        ("--cores 0 --server-cmd x", "without a core"),
        ("--cores 1,4096 --server-cmd x --force", "more than the"),
        ("--fit a.json", "cannot be used with"),
    ] {
        let ended = Tool::new(&format!("capacity {} {words}", server.url())).echoing().end().expect(2);
        assert!(ended.stderr.contains(hint), "{words}: {}", ended.stderr);
        assert_eq!((ended.stdout.as_str(), ended.reports().len()), ("", 0), "{words}");
    }
    assert_eq!(server.counters().connections, 0);
}

#[test]
fn the_thresholds_of_the_file_are_what_is_held_to_and_its_load_plays_no_part() {
    let file = format!(
        "[settings]\nvirtual_users = 7\n[thresholds]\nresponse_time = [\"p(95) < 200ms over 5s\", \"max < 5s\"]\n{ECHO}"
    );
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    drop(listener);
    let search =
        |words: &str| Tool::new(&format!("capacity {url} {words}")).config(&file).end().expect(4).stderr;
    let said = search("");
    for words in [
        "the file's thresholds are what is held to: `response_time p(95) < 200ms`",
        "`response_time max < 5s` is no objective",
        "the load of .pmcp/loadtest.toml plays no part",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(search("--objective p90<1s").contains("the thresholds of the file play no part"));
    let silent = Tool::new(&format!("capacity {url}")).echoing().end().expect(4).stderr;
    assert!(silent.contains("nobody said what is held to: `p(99) < 500ms`"), "{silent}");
    assert!(!silent.contains("plays no part"), "{silent}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_search_answers_with_what_it_knows() {
    let server = server(FORTY);
    let mut running: Running = search(&server, "--min-load 20 --progress plain --workers 1").start();
    running.says("trial  1");
    running.signal(nix::sys::signal::Signal::SIGINT);
    let ended = running.end().expect(130);
    let report = ended.report();
    assert_eq!(report.pointer("/answer/finding/kind"), Some(&json!("interrupted")));
    assert_eq!(report["answer"]["trials"].as_array().expect("trials").len(), 1, "and not the one at hand");
    assert!(ended.stdout.contains("The search was interrupted"), "{}", ended.stdout);
    assert_eq!(server.counters().sessions_opened, server.counters().sessions_closed);
}

/// The summary without its line breaks.
fn unwrapped(ended: &Ended) -> String {
    ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A saved report of a search that found this capacity, made of the golden one.
fn saved(per_s: f64, cores: Option<u32>) -> String {
    let golden = include_str!("../fixtures/capacity.golden.json");
    let mut report: Value = serde_json::from_str(golden).expect("JSON");
    report["answer"]["lo"]["load"] = json!(per_s);
    if let Some(cores) = cores {
        report["manifest"]["server_cores"] = json!(cores);
    }
    report.to_string()
}

#[test]
fn saved_searches_are_fitted_without_any_load() {
    let mut tool = Tool::new("capacity --color never --at 16 --seed 7 --out fit.json --fit");
    for (cores, per_s) in [(1_u32, 200.0), (2, 390.0), (4, 750.0), (8, 1_400.0)] {
        for (repeat, noise) in [0.99, 1.0, 1.01].into_iter().enumerate() {
            let name = format!("{cores}-{repeat}.json");
            // One says it in itself, the others on the command line.
            let (within, typed) =
                if repeat == 0 { (Some(cores), name.clone()) } else { (None, format!("{name}@{cores}")) };
            tool = tool.with_file(&name, &saved(per_s * noise, within)).arg(&typed);
        }
    }
    let ended = tool.end().expect(0);
    assert!(ended.stdout.contains("iterations/s at 16 cores"), "{}", ended.stdout);
    let report: Value = serde_json::from_str(&ended.file("fit.json").expect("a report")).expect("JSON");
    assert_eq!(report["kind"], "scalability");
    assert_eq!(report["scalability"]["outcome"], "predicted");
    // What was measured can be asked again, further than it carries.
    let refused = ended.then("capacity --color never --no-report --at 64 --fit fit.json").end().expect(91);
    assert!(unwrapped(&refused).contains("64 cores are more than twice the 8"), "{}", refused.stdout);
    let forced =
        refused.then("capacity --color never --no-report --at 64 --force --fit fit.json").end().expect(0);
    assert!(unwrapped(&forced).contains("because it was forced"), "{}", forced.stdout);
}

#[test]
fn what_cannot_be_fitted_is_refused_with_the_file_and_what_to_do() {
    for (given, hint) in [
        ("nowhere.json", "nowhere.json"),
        ("nothing.json", "no report that this version reads"),
        ("search.json", "write search.json@4"),
        ("search.json@none", "no number of cores"),
        ("search.json@0", "no number of cores"),
        ("run.json", "the report of a run"),
    ] {
        let tool = Tool::new("capacity --fit").arg(given).with_file("nothing.json", "{}");
        let tool = tool
            .with_file("search.json", &saved(100.0, None))
            .with_file("run.json", include_str!("../fixtures/report.golden.json"));
        let ended = tool.end().expect(2);
        assert!(ended.stderr.contains(hint), "{given}: {}", ended.stderr);
    }
}

#[cfg(target_os = "linux")]
mod cores {
    use super::*;

    /// A port where nobody listens, and the command that will.
    fn demo_command() -> (u16, String) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let port = listener.local_addr().expect("an address").port();
        let binary = env!("CARGO_BIN_EXE_cargo-pmcp");
        (port, format!("'{binary}' pmcp loadtest demo-server --port {port} --script '{FORTY}'"))
    }

    fn measure(port: u16, command: &str, words: &str) -> Tool {
        let words = format!("capacity http://127.0.0.1:{port}/mcp --color never --progress plain {words}");
        Tool::new(&words).arg("--server-cmd").arg(command).arg("--objective").arg("p(90) < 600ms").echoing()
    }

    fn is_gone(port: u16) -> bool {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_err()
    }

    #[test]
    fn a_server_is_started_searched_and_ended_and_its_points_are_shown_though_they_carry_no_prediction() {
        let (port, command) = demo_command();
        let words = "--cores 1 --repeats 2 --force --min-load 20 --max-load 30 --deadline 21s";
        let ended = measure(port, &command, words).end().expect(91);
        assert!(is_gone(port), "what was started is ended");
        let report = ended.report();
        assert!(ended.reports()[0].starts_with("scalability-"), "{:?}", ended.reports());
        let sentences = report["sentences"].to_string();
        for reason in ["1 different numbers of cores were measured", "1 core: measured 2 times"] {
            assert!(sentences.contains(reason), "{reason}: {sentences}");
        }
        assert!(ended.stdout.contains("do not carry a prediction"), "{}", ended.stdout);
        assert_eq!(report["points"][0]["cores"], 1);
        assert_eq!(report["searches"].as_array().expect("searches").len(), 2);
        assert_eq!(report["searches"][1]["manifest"]["server_cores"], 1);
    }

    #[test]
    fn an_interrupt_ends_the_server_too_and_keeps_what_was_measured() {
        let (port, command) = demo_command();
        let mut running = measure(port, &command, "--cores 1 --force --min-load 20").start();
        running.says("trial  1");
        running.signal(nix::sys::signal::Signal::SIGINT);
        let ended = running.end().expect(130);
        assert!(is_gone(port), "what was started is ended");
        assert_eq!(ended.report()["searches"].as_array().expect("searches").len(), 1);
    }

    #[test]
    fn a_server_that_does_not_come_up_is_told_with_its_last_words() {
        let (port, _) = demo_command();
        let ended = measure(port, "echo no such model >&2; exit 3", "--cores 1 --force").end().expect(4);
        assert!(ended.stderr.contains("ended before it answered"), "{}", ended.stderr);
        assert!(ended.stderr.contains("no such model"), "{}", ended.stderr);
    }

    #[test]
    fn a_server_that_is_there_already_is_not_taken_for_ours() {
        let server = server(FORTY);
        let port = url::Url::parse(&server.url()).expect("a URL").port().expect("a port");
        let ended = measure(port, "exit 0", "--cores 1 --force").end().expect(2);
        assert!(ended.stderr.contains("something answers before the server is started"), "{}", ended.stderr);
    }
}
