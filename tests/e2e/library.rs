//! Every scenario of the library runs against the demo server, shortened, without an error.

use crate::tool::{Tool, number, server};

fn names() -> Vec<String> {
    let listed = Tool::new("scenarios").end().expect(0).stdout;
    listed.lines().filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

#[test]
fn every_scenario_of_the_library_runs_without_errors() {
    let names = names();
    assert!(names.len() >= 6 && names.iter().any(|name| name == "quickstart"), "{names:?}");
    let server = server("{}");
    for name in names {
        for protocol in ["2026-07-28", "2025-11-25"] {
            let words = format!(
                "--scenario {name} --protocol {protocol} --vus 6 --duration 400ms --graceful-stop 0s"
            );
            let report = Tool::run(&server, &words).end().judged().report();
            assert!(number(&report, "/totals/ok") > 0, "{name} {protocol}");
            assert_eq!(
                number(&report, "/totals/failed"),
                0,
                "{name} {protocol}: {:#}",
                report["totals"]["failures"]
            );
        }
    }
}

#[test]
fn a_printed_scenario_is_a_file_to_start_from() {
    let server = server("{}");
    for name in names() {
        let text = Tool::new(&format!("scenarios {name}")).end().expect(0).stdout;
        let words = "--vus 2 --duration 300ms --graceful-stop 0s";
        let report = Tool::run(&server, words).config(&text).end().judged().report();
        assert_eq!(number(&report, "/totals/failed"), 0, "{name}");
    }
}
