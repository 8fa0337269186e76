//! Where a server breaks under a rising load is found, told while the run goes on, and stands in the report.

use serde_json::Value;

use crate::tool::{Tool, server, text};

/// Serves two at a time, 20 ms each: a hundred in a second.
const SMALL: &str = r#"{"workers": 2, "latency": [{"delay": {"constant": {"ms": 20}}}]}"#;
const HEALTHY: &str = r#"{"latency": [{"delay": {"constant": {"ms": 20}}}]}"#;

#[test]
fn a_ramp_beyond_what_a_server_can_do_finds_its_breaking_point() {
    let server = server(SMALL);
    let words = format!(
        "run {} --color never --min-samples 1 --progress jsonl --stage 9s:360/s --max-vus 300 --graceful-stop 5s",
        server.url()
    );
    let ended = Tool::new(&words).echoing().end().judged();
    let report = ended.report();
    let point = &report["breaking_point"];
    assert_eq!(point["detected"], true, "{}", ended.stdout);
    let figure = |key: &str| point[key].as_f64().unwrap_or_else(|| panic!("no {key}: {point:#}"));
    // 40 more arrive in each second, so that the third is the first with more than a hundred.
    assert!((1.0..=7.0).contains(&figure("second")), "{point:#}");
    assert!((20.0..=130.0).contains(&figure("rate_per_s")), "{point:#}");
    assert!(figure("vus") >= 1.0, "{point:#}");
    assert!(!text(point, "/reason").is_empty() && !text(point, "/detail").is_empty());
    assert!(["low", "medium", "high"].contains(&text(point, "/confidence")), "{point:#}");
    let headline = format!("breaking point {} seconds after the start, at ", figure("second"));
    assert!(ended.stdout.contains(&headline), "{}", ended.stdout);
    let told = ended.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told: Vec<Value> = told.filter(|line| line["breaking_point_s"].is_number()).collect();
    assert!(told.iter().any(|line| line["breaking_point_s"] == point["second"]), "{}", ended.stderr);
}

#[test]
fn a_ramp_that_a_server_can_bear_finds_none() {
    let server = server(HEALTHY);
    let ended = Tool::run(&server, "--stage 6s:120/s --vus 40 --max-vus 100").echoing().end().judged();
    let report = ended.report();
    assert_eq!(report["breaking_point"], serde_json::json!({"detected": false}), "{}", ended.stdout);
    assert!(ended.stdout.contains("breaking point none while the load rose"), "{}", ended.stdout);
}

#[test]
fn under_a_constant_load_none_is_looked_for() {
    let server = server(SMALL);
    for words in ["--rate 20/s --duration 1s --max-vus 20", "--vus 2 --duration 1s"] {
        let ended = Tool::run(&server, words).echoing().end().judged();
        let point = ended.report()["breaking_point"].clone();
        assert_eq!(point["detected"], false, "{point:#}");
        assert!(text(&point, "/not_looked_for").contains("rise"), "{point:#}");
        assert!(!ended.stdout.contains("breaking point"), "{}", ended.stdout);
    }
}
