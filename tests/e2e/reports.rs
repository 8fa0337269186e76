//! The report as others read it: by its schema, by `report`, and by its own promises.

use serde_json::Value;

use crate::tool::{Ended, Tool, number, server};

/// A run with some of everything: several methods, failures of several kinds, sessions.
fn varied() -> Ended {
    let server = server(
        r#"{"latency": [{"delay": {"constant": {"ms": 3}}}], "faults": [
            {"rate": 0.2, "kind": "tool-error", "only": {"tool": "echo"}},
            {"rate": 0.2, "kind": {"status": 503}, "only": {"tool": "add"}}]}"#,
    );
    let mix = r#"
[[scenario]]
name = "mix"
weight = 3
[[scenario.step]]
type = "tools/call"
tool = "echo"
arguments = { message = "hello" }
[[scenario.step]]
type = "tools/call"
tool = "add"
arguments = { a = 1, b = 2 }
[[scenario]]
type = "tools/list"
"#;
    Tool::run(&server, "--protocol 2025-11-25 --vus 3 --iterations 40").config(mix).end().judged()
}

fn schema(of: &str) -> Value {
    serde_json::from_str(&Tool::new(&format!("schema {of}")).end().expect(0).stdout).expect("JSON")
}

#[test]
fn a_real_report_follows_the_published_schema() {
    let published = include_str!("../../runner/schemas/report.schema.json");
    let published: Value = serde_json::from_str(published).expect("JSON");
    assert_eq!(schema("report"), published, "what is printed is what is published");
    let validator = jsonschema::validator_for(&published).expect("a schema");
    let report = varied().report();
    let faults: Vec<String> = validator.iter_errors(&report).map(|fault| fault.to_string()).collect();
    assert_eq!(faults, [""; 0]);
}

#[test]
fn the_printed_schema_of_the_configuration_accepts_what_the_library_holds() {
    let validator = jsonschema::validator_for(&schema("config")).expect("a schema");
    let text = Tool::new("scenarios quickstart").end().expect(0).stdout;
    let file: Value = toml::from_str(&text).expect("TOML");
    assert!(validator.is_valid(&file));
}

#[test]
fn a_saved_report_prints_as_it_was_printed() {
    let ended = varied();
    let file = format!(".pmcp/reports/{}", ended.reports()[0]);
    let (shown, json) = (ended.stdout.clone(), ended.file(&file).expect("the report"));
    let again = ended.then(&format!("report {file} --color never")).end().expect(0);
    // Only the run itself knows where it wrote its report.
    let without_file = |text: &str| {
        text.lines().filter(|line| !line.contains(".json")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(without_file(&again.stdout), without_file(&shown));
    let as_json = again.then(&format!("report {file} --format json")).end().expect(0);
    assert_eq!(as_json.stdout.trim_end(), json.trim_end());
}

#[test]
fn the_parts_of_a_report_add_up_to_its_totals() {
    let report = varied().report();
    for key in ["requests", "ok", "failed", "cancelled", "bytes_sent", "bytes_received"] {
        let total = number(&report, &format!("/totals/{key}"));
        for table in ["per_scenario", "per_method"] {
            let rows = report[table].as_object().expect("rows").values();
            let sum: u64 = rows.map(|row| row[key].as_u64().expect("a count")).sum();
            assert_eq!(sum, total, "{table} {key}");
        }
    }
    let seconds = report["timeline"].as_array().expect("rows").iter();
    assert_eq!(
        seconds.map(|second| number(second, "/requests")).sum::<u64>(),
        number(&report, "/totals/requests")
    );
    assert_eq!(number(&report, "/totals/response_time/count"), number(&report, "/totals/ok"));
}

#[test]
fn the_same_seed_sends_the_same_requests() {
    let sent = |seed: u64, workers: u32| {
        let server = server("{}");
        let file = crate::tool::ECHO.to_owned()
            + "[[scenario]]\ntype = \"tools/list\"\n[[scenario]]\ntype = \"prompts/list\"\n";
        let words = format!("--vus 4 --iterations 30 --seed {seed} --workers {workers}");
        let report = Tool::run(&server, &words).config(&file).end().judged().report();
        report["metrics"]["operation_counts"].clone()
    };
    assert_eq!(sent(3, 1), sent(3, 2), "whatever the number of workers");
    assert!((4..12).any(|seed| sent(seed, 1) != sent(3, 1)), "and another seed sends others");
}
