//! The command as a person or a pipeline meets it: exit codes, streams, files, and which word beats which.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::Value;

use crate::tool::{ECHO, Tool, number, server, text};

/// A listener that says the same thing to everybody, and its URL.
fn says(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // Whoever connected may have gone already; then there is nobody to tell.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

/// A URL where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    format!("http://{}/mcp", listener.local_addr().expect("an address"))
}

const SLOW: &str = r#"{"latency": [{"delay": {"constant": {"ms": 5}}}]}"#;

#[test]
fn a_sound_run_passes() {
    let server = server(SLOW);
    let ended = Tool::run(&server, "--vus 2 --iterations 20").echoing().end().expect(0);
    let report = ended.report();
    assert_eq!((text(&report, "/verdict/outcome"), number(&report, "/verdict/exit_code")), ("passed", 0));
    assert!(ended.stdout.contains("passed") && ended.stdout.contains("20 calls"), "{}", ended.stdout);
    assert!(ended.stdout.contains(&ended.reports()[0]), "the summary says where the report is");
}

#[test]
fn the_demo_needs_nothing() {
    let ended = Tool::new("run --demo --duration 1s --min-samples 1 --progress none").end().expect(0);
    assert!(number(&ended.report(), "/totals/ok") > 0);
}

#[test]
fn a_mistake_in_the_file_is_pointed_at_before_anything_is_sent() {
    let server = server("{}");
    let ended = Tool::run(&server, "").config(&ECHO.replace("tool =", "tol =")).end().expect(2);
    assert!(ended.stderr.contains(".pmcp/loadtest.toml:4"), "{}", ended.stderr);
    assert!(ended.stderr.contains("^^^") && ended.stderr.contains("did you mean `tool`"), "{}", ended.stderr);
    assert_eq!((server.counters().http_requests, ended.stdout.as_str()), (0, ""));
}

#[test]
fn mistakes_on_the_command_line_are_usage_errors_that_say_what_would_be_right() {
    for (words, hint) in [
        ("run", "cargo pmcp loadtest init"),
        ("run localhost:3000", "such as http://127.0.0.1:3000/mcp"),
        ("run --demo --scenario nope", "quickstart"),
        ("run --demo http://127.0.0.1:1/mcp", "run [OPTIONS] [URL]"),
        ("run --demo --duratoin 5s", "'--duration'"),
        ("run --demo --vus 0", "zero virtual users"),
        ("run --demo --iterations 0", "zero iterations"),
        ("run --demo --duration 5x", "unit"),
        ("run --demo --protocol 2024-11-05", "2025-03-26"),
        ("run --demo --stage 30", "30s:50"),
        ("run --config nowhere.toml", "nowhere.toml"),
        ("run --demo --plugin-config {\"catalog\":}", "--> --plugin-config:1:12"),
        ("run --demo --plugin-config @nowhere.json", "nowhere.json"),
        ("run --demo --plugin-config {}", "none of the scenarios is a plugin"),
        ("run --demo --plugin a.wasm --scenario smoke", "cannot be used with"),
        ("scenarios nope", "quickstart"),
        ("report nowhere.json", "nowhere.json"),
        ("nonsense", "Usage"),
    ] {
        let ended = Tool::new(words).end().expect(2);
        assert!(ended.stderr.contains(hint), "{words}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{words}");
    }
}

#[test]
fn a_target_that_wants_credentials_ends_with_three() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let answer: &str =
            format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno").leak();
        let ended = Tool::new(&format!("run {}", says(answer))).echoing().end().expect(3);
        assert!(
            ended.stderr.contains("--api-key") && ended.stderr.contains(&status[..3]),
            "{}",
            ended.stderr
        );
        assert!(ended.reports().is_empty());
    }
}

#[test]
fn a_target_that_is_not_there_ends_with_four_and_the_root_cause() {
    let ended = Tool::new(&format!("run {}", nobody())).echoing().end().expect(4);
    assert!(ended.stderr.to_lowercase().contains("connection refused"), "{}", ended.stderr);
    assert!(ended.reports().is_empty(), "no report, not even a part of one");
}

#[test]
fn a_target_that_speaks_something_else_ends_with_four_and_a_hint() {
    for answer in [
        "220 mail.example ESMTP\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ] {
        let ended = Tool::new(&format!("run {}", says(answer))).echoing().end().expect(4);
        assert!(ended.stderr.contains("handshake") || ended.stderr.contains("HTTP"), "{}", ended.stderr);
        assert!(ended.stderr.contains("next:"), "{}", ended.stderr);
    }
}

#[test]
fn a_run_in_which_no_call_succeeds_fails() {
    let server =
        server(r#"{"faults": [{"rate": 1, "kind": "tool-error", "only": {"method": "tools/call"}}]}"#);
    let report = Tool::run(&server, "--vus 1 --iterations 3").echoing().end().expect(99).report();
    assert_eq!(text(&report, "/verdict/outcome"), "failed");
}

#[test]
fn too_few_calls_are_inconclusive() {
    let server = server(SLOW);
    let words = format!("run {} --progress none --vus 1 --iterations 3", server.url());
    let ended = Tool::new(&words).echoing().end().expect(91);
    assert!(ended.stdout.contains("3 calls were measured, 100 are needed"), "{}", ended.stdout);
    assert_eq!(text(&ended.report(), "/verdict/outcome"), "inconclusive");
}

#[test]
fn help_is_what_it_was() {
    for (name, words) in [
        ("help", "--help"),
        ("help_run", "run --help"),
        ("help_capacity", "capacity --help"),
        ("help_init", "init --help"),
        ("help_plugin", "plugin --help"),
        ("help_plugin_build", "plugin build --help"),
        ("help_plugin_inspect", "plugin inspect --help"),
        ("help_plugin_test", "plugin test --help"),
        ("help_plugin_check", "plugin check --help"),
    ] {
        let ended = Tool::new(words).env("COLUMNS", "100").end().expect(0);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/e2e/snapshots");
        insta::with_settings!({ snapshot_path => folder, prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, ended.stdout);
        });
    }
}

#[cfg(unix)]
#[test]
fn another_verb_is_handed_to_the_next_program_of_the_name() {
    let tool = Tool::new("upload scenario.toml")
        .with_program("cargo-pmcp", "#!/bin/sh\necho \"theirs: $*\"\nexit 7\n");
    let path = format!("{}:/usr/bin:/bin", tool.folder().join("bin").display());
    let ended = tool.env("PATH", &path).end().expect(7);
    assert_eq!(ended.stdout, "theirs: pmcp loadtest upload scenario.toml\n");
}

#[test]
fn quiet_is_silent_but_for_the_report() {
    let server = server(SLOW);
    let words = format!("run {} --vus 1 --iterations 3 --min-samples 1 --quiet", server.url());
    let ended = Tool::new(&words).echoing().end().expect(0);
    assert_eq!(ended.stderr, "");
    assert!(ended.stdout.contains("passed"), "{}", ended.stdout);
}

#[test]
fn json_on_standard_output_is_the_report_and_nothing_else() {
    let server = server(SLOW);
    let ended = Tool::run(&server, "--vus 1 --iterations 3 --format json --out deep/down/r.json")
        .echoing()
        .end()
        .expect(0);
    let file = ended.file("deep/down/r.json").expect("the file that was asked for");
    assert_eq!(ended.stdout.trim_end(), file.trim_end());
    assert_eq!(number(&serde_json::from_str(&file).expect("JSON"), "/totals/ok"), 3);
    assert!(ended.reports().is_empty(), "and nowhere else");
}

#[test]
fn no_report_writes_none() {
    let server = server(SLOW);
    let ended = Tool::run(&server, "--vus 1 --iterations 3 --no-report").echoing().end().expect(0);
    assert!(ended.reports().is_empty());
}

#[test]
fn a_report_that_cannot_be_written_is_found_before_anything_is_sent() {
    let server = server("{}");
    for out in [".pmcp", "loadtest.lock/r.json"] {
        let tool = Tool::run(&server, &format!("--iterations 3 --out {out}"))
            .echoing()
            .with_file("loadtest.lock", "");
        let ended = tool.end().expect(2);
        assert!(ended.stderr.contains("cannot write the report"), "{}", ended.stderr);
    }
    assert_eq!(server.counters().connections, 0);
}

#[test]
fn what_an_earlier_run_left_half_written_is_no_obstacle() {
    let server = server(SLOW);
    let tool = Tool::run(&server, "--vus 1 --iterations 3 --out r.json")
        .echoing()
        .with_file("r.json.partial", "{\"half");
    let ended = tool.end().expect(0);
    assert!(ended.file("r.json").is_some() && ended.file("r.json.partial").is_none());
}

#[test]
fn progress_for_machines_is_json_line_by_line_and_ends_with_the_end() {
    let server = server(SLOW);
    let words = format!("run {} --progress jsonl --vus 2 --duration 1s --min-samples 1", server.url());
    let ended = Tool::new(&words).echoing().end().judged();
    let lines: Vec<Value> =
        ended.stderr.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect();
    let (last, before) = lines.split_last().expect("lines");
    assert_eq!(last["type"], "end");
    assert_eq!(last["exit_code"].as_i64(), ended.code.map(i64::from));
    assert!(before.iter().any(|line| line["type"] == "progress"), "{}", ended.stderr);
    assert!(before.iter().all(|line| line["type"] != "end"));
}

#[test]
fn an_error_ends_the_lines_for_machines_as_well() {
    let ended = Tool::new(&format!("run {} --progress jsonl", nobody())).echoing().end().expect(4);
    let ends: Vec<Value> = ended.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(ends.last().map(|line| &line["exit_code"]), Some(&Value::from(4)), "{}", ended.stderr);
}

#[test]
fn colour_is_where_it_was_asked_for_and_nowhere_else() {
    let server = server(SLOW);
    let stdout = |words: &str, variables: &[(&str, &str)]| {
        let words = format!("run {} --vus 1 --iterations 2 --min-samples 1 --quiet {words}", server.url());
        let tool =
            variables.iter().fold(Tool::new(&words).echoing(), |tool, (key, value)| tool.env(key, value));
        tool.end().expect(0).stdout
    };
    assert!(!stdout("", &[]).contains('\u{1b}'), "a pipe is no terminal");
    assert!(stdout("--color always", &[]).contains('\u{1b}'));
    assert!(
        stdout("--color always", &[("NO_COLOR", "1")]).contains('\u{1b}'),
        "what was typed beats the variable"
    );
    assert!(!stdout("", &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]).contains('\u{1b}'));
    assert!(!stdout("--no-color", &[("CLICOLOR_FORCE", "1")]).contains('\u{1b}'));
}

#[test]
fn flags_beat_the_environment_which_beats_the_file_which_beats_defaults() {
    let server = server(SLOW);
    let file =
        format!("[settings]\nvirtual_users = 2\ntimeout = \"7s\"\nseed = 5\nsession = \"shared\"\n{ECHO}");
    let tool = Tool::run(&server, "--iterations 6 --seed 9").config(&file);
    let tool =
        tool.env("MCP_LOADTEST_VUS", "3").env("MCP_LOADTEST_SEED", "8").env("MCP_LOADTEST_TIMEOUT", "6s");
    let report = tool.end().expect(0).report();
    let config = &report["config"];
    assert_eq!(config["settings"]["seed"], 9, "the flag");
    assert_eq!(
        (config["virtual_users"].as_u64(), config["timeout_ms"].as_u64()),
        (Some(3), Some(6000)),
        "the environment"
    );
    assert_eq!(config["settings"]["session"], "shared", "the file");
    assert_eq!(config["settings"]["connection"], "keep-alive", "the default");
}

#[test]
fn the_configuration_of_a_folder_above_is_found() {
    let server = server(SLOW);
    let tool = Tool::run(&server, "--vus 1 --iterations 2").echoing().with_file("deep/down/x", "");
    let mut command = tool.command();
    let output = command.current_dir(tool.folder().join("deep/down")).output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn headers_come_from_the_environment_line_by_line() {
    let server = server(SLOW);
    let tool = Tool::run(&server, "--iterations 6").config(ECHO);
    let report = tool.env("MCP_LOADTEST_HEADER", "X-One: 1\nX-Two: a, b").end().expect(0).report();
    let headers = report["config"]["target"]["headers"].as_object().unwrap();
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["x-one", "x-two"]);
}
