//! `init` writes a file that `run` accepts, and in which whatever is not commented out works.

use crate::tool::{Ended, Tool, number, server, text};

const FILE: &str = ".pmcp/loadtest.toml";

/// Calls that are valid and fail all the same: one tool's purpose is to fail, another wants a token that only a third can give.
const FAIL_BY_NATURE: [&str; 2] = ["flaky", "execute_code"];

/// Makes the virtual users of a file do everything in it, at once.
fn hurried(file: &str) -> String {
    let mut once = String::new();
    for line in file.lines().filter(|line| !line.starts_with("think_time")) {
        // One scenario with every step: each is done in every iteration.
        let scenario = line == "[[scenario]]" || line.starts_with("weight = ") || line.starts_with("name = ");
        if !scenario
            || !once.contains("[[scenario]]")
            || (line.starts_with("weight") && !once.contains("weight ="))
        {
            once.extend([line, "\n"]);
        }
    }
    once
}

#[test]
fn every_active_call_of_the_file_succeeds_on_the_server_it_was_written_for() {
    for (script, protocol) in [
        (r#"{"form": "json"}"#, "2026-07-28"),
        (r#"{"form": "sse", "page_size": 2}"#, "2026-07-28"),
        (r#"{"form": "sse-primed", "page_size": 1}"#, "2025-11-25"),
        (r#"{"form": "json", "page_size": 3}"#, "2025-03-26"),
    ] {
        let server = server(script);
        let started = Tool::new(&format!("init {} --protocol {protocol}", server.url())).end().expect(0);
        let file = started.file(FILE).expect("the starter file");
        assert!(started.stdout.contains(FILE) && started.stderr.contains("12 tools"), "{}", started.stderr);
        let run = Tool::run(&server, &format!("--protocol {protocol} --vus 1 --iterations 2 --timeout 30s"));
        let report = run.config(&hurried(&file)).end().judged().report();
        let rows = report["per_tool"].as_object().expect("rows");
        assert!(rows.len() > 12, "tools, resources and prompts are there: {:?}", rows.keys());
        assert!(!rows.contains_key("delete_item"), "what destroys is commented out");
        for (name, row) in rows.iter().filter(|(name, _)| !FAIL_BY_NATURE.contains(&name.as_str())) {
            assert_eq!(row["failed"], 0, "{script} {protocol} {name}: {:#}", row["failures"]);
            assert_eq!(number(row, "/ok"), 2, "{name}");
        }
    }
}

#[test]
fn the_file_runs_as_it_stands_without_naming_the_server_again() {
    let server = server(r#"{"latency": [{"delay": {"constant": {"ms": 2}}}]}"#);
    let started = Tool::new(&format!("init {}", server.url())).end().expect(0);
    let run = started.then("run --vus 20 --duration 1s --graceful-stop 0s --min-samples 1 --progress none");
    assert!(number(&run.end().judged().report(), "/totals/ok") > 0);
}

#[test]
fn what_destroys_is_commented_out_with_the_reason() {
    let server = server("{}");
    let file = Tool::new(&format!("init {}", server.url())).end().expect(0).file(FILE).expect("the file");
    assert!(file.contains("Commented out because the server says that this tool is destructive"), "{file}");
    assert!(
        file.contains("# tool = \"delete_item\"") && !file.contains("\ntool = \"delete_item\""),
        "{file}"
    );
}

fn refused(ended: &Ended) {
    assert!(ended.stderr.contains("there already") && ended.stderr.contains("-y"), "{}", ended.stderr);
    assert_eq!(ended.file(FILE).as_deref(), Some("# mine\n"));
}

#[test]
fn a_file_that_is_there_is_only_overwritten_on_demand() {
    refused(&Tool::new("init").with_file(FILE, "# mine\n").end().expect(2));
    for yes in ["-y", "--yes", "--force"] {
        let ended = Tool::new(&format!("init {yes}")).with_file(FILE, "# mine\n").end().expect(0);
        assert!(ended.file(FILE).expect("a file").contains("[[scenario]]"));
    }
}

#[test]
fn an_existing_file_is_refused_before_the_server_is_asked() {
    let server = server("{}");
    refused(&Tool::new(&format!("init {}", server.url())).with_file(FILE, "# mine\n").end().expect(2));
    assert_eq!(server.counters().connections, 0);
}

#[test]
fn without_a_url_the_file_is_an_example_that_run_accepts() {
    let server = server(r#"{"latency": [{"delay": {"constant": {"ms": 2}}}]}"#);
    let started = Tool::new("init").end().expect(0);
    let words = format!("run {} --vus 2 --iterations 2 --min-samples 1 --progress none", server.url());
    let report = started.then(&words).end().judged().report();
    assert_eq!(text(&report, "/manifest/stop"), "completed");
}

#[test]
fn a_server_that_is_not_there_leaves_no_file_behind() {
    let url = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        format!("http://{}/mcp", listener.local_addr().expect("an address"))
    };
    let ended = Tool::new(&format!("init {url}")).end().expect(4);
    assert!(ended.stderr.to_lowercase().contains("connection refused"), "{}", ended.stderr);
    assert_eq!(ended.file(FILE), None);
}
