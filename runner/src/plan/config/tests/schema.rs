//! The published schema is the one that the types describe.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::{prop_assert_eq, proptest};
use serde_json::Value;

use super::existing_files::{EVERYTHING, STAGES};
use super::{Overrides, SCENARIO, with};
use crate::plan::config::{resolve, schema};
use crate::plan::library;

/// Compares the file with `text`, or writes it where `UPDATE_SCHEMAS` is set.
fn assert_published(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name);
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(published == text, "schemas/{name} is out of date: run this test with UPDATE_SCHEMAS=1");
}

#[test]
fn the_published_schema_is_up_to_date() {
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    assert_published("config.schema.json", &text);
}

static VALIDATOR: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(schema().as_value()).unwrap());

fn is_valid(text: &str) -> Result<(), String> {
    let file: Value = toml::from_str(text).unwrap();
    VALIDATOR.validate(&file).map_err(|error| error.to_string())
}

#[test]
fn every_file_of_the_library_is_embedded_valid_and_resolves() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    assert_eq!(files.len(), library::ENTRIES.len());
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let entry = library::find(path.file_stem().unwrap().to_str().unwrap()).unwrap();
        assert_eq!(entry.text, text);
        assert!((20..120).contains(&entry.description().len()), "{}", entry.description());
        assert_eq!(is_valid(&text), Ok(()), "{}", entry.name);
        let url = Some("http://127.0.0.1:3000/mcp".parse().unwrap());
        let resolved =
            resolve(Some((entry.name, &text)), &Overrides { url, ..Overrides::default() }, &|_| None);
        assert_eq!(resolved.unwrap().notes, Vec::<String>::new(), "{}", entry.name);
    }
}

#[test]
fn a_file_of_the_existing_command_is_valid() {
    assert_eq!(is_valid(&format!("{EVERYTHING}{STAGES}")), Ok(()));
}

#[test]
fn the_schema_refuses_what_the_parser_refuses() {
    for text in [
        "[setings]",
        "[settings]\nvirtual_user = 1",
        "[settings]\nvirtual_users = -1",
        "[settings]\nduration = \"soon\"",
        "[settings]\nsession = \"per_vu\"",
        "[settings]\nmax_body_bytes = \"64 megs\"",
        "[target]\nprotocol = \"1999-01-01\"",
        "[settings]\nwarm_up = \"soon\"",
        "[settings]\nscenario_choice = \"per-run\"",
        "[load]\nrate = \"fast\"",
        "[load]\nrate = -1",
        "[load]\narrivals = \"uneven\"",
        "[[load]]\nvuss = 1",
        "[[scenario]]\nthink_time = \"poisson 1s\"",
        "[[scenario]]\ntype = \"tool/call\"",
        "[[scenario]]\ntype = \"http\"\nexpect_status = 99",
        "[thresholds]\nerrors = \"rate < 1%\"",
        "[thresholds]\nerrors = [\"rate\"]",
        "[thresholds]\nerrors = [{ threshold = \"rate < 1%\" }]",
    ] {
        assert!(is_valid(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn what_the_parser_accepts_the_schema_accepts(
        settings in proptest::sample::subsequence(SETTINGS, 0..4),
        load in proptest::sample::select(LOADS),
        step in proptest::sample::select(STEPS),
        threshold in proptest::sample::select(THRESHOLDS),
    ) {
        let settings = settings.join("\n");
        let text = format!(
            "[settings]\n{settings}\n[thresholds]\n{threshold}\n{load}\n{SCENARIO}[[scenario]]\n{step}\n"
        );
        let url = Some("http://127.0.0.1/".parse().unwrap());
        if with(&text, &Overrides { url, ..Overrides::default() }).is_ok() {
            prop_assert_eq!(is_valid(&text), Ok(()), "{}", text);
        }
    }
}

const SETTINGS: &[&str] = &[
    "virtual_users = 3",
    "duration = \" 1h 30m\"",
    "duration_secs = 5",
    "timeout = \"0.25s\"",
    "timeout_ms = 1",
    "max_body_bytes = 10",
    "max_body_bytes = \"10 KB\"",
    "max_body_bytes = \" 1gib \"",
    "graceful_stop = \"0s\"",
    "warm_up = \"auto\"",
    "warm_up = \" 1s \"",
    "scenario_choice = \"per-vu\"",
    "min_samples = 0",
];
const THRESHOLDS: &[&str] = &[
    "",
    "errors = []",
    "errors = [\"rate < 1%\", \"== 0\", \"per_s<=.5/s \"]",
    "\"response_time{method='ping'}\" = [\"p(99.9) < 1.5 µs\"]",
];
const LOADS: &[&str] = &[
    "",
    "[load]\niterations = 5",
    "[load]\nexecutor = \"per-vu-iterations\"\niterations = 5\nmax_duration = \"1d\"",
    "[load]\nstages = [{ duration = \"1s\", target = 0 }, { duration_secs = 1, target_vus = 2 }]",
    "[[stage]]\nduration = \"1s\"\ntarget_vus = 2",
    "[load]\nvus = 20\nspawn_rate = 0.5\nstart = \"10s\"\ngraceful_stop = \"0s\"",
    "[load]\nstart_vus = 3\ngraceful_ramp_down = \"1s\"\nstages = [{ duration = \"1s\", target = 0 }]",
    "[load]\nrate = \" 90 / m \"\nvus = 1\nmax_vus = 9\nmax_wait = \"0s\"\narrivals = \"poisson\"\nscenarios = [\"ping\"]",
    "[load]\nrate = 1.5",
    "[load]\nexecutor = \"ramping-arrival-rate\"\nstart_rate = 0\nstages = [{ duration = \"0s\", target = 5 }, { duration_secs = 1, rate = \"5/h\" }]",
    "[[load]]\nname = \"a\"\nvus = 1\n[[load]]\nname = \"b\"\nstages = [{ duration = \"1s\", target = \"5/s\" }]",
];
const STEPS: &[&str] = &[
    "type = \"tools/call\"\ntool = \"a\"\narguments = { a = [1, 2.5, { b = true }], d = 2026-01-01 }",
    "type = \"prompts/get\"\nprompt = \"a\"\narguments = { a = \"b\" }\nthink_time = \"10ms .. 1s\"",
    "type = \"http\"\npath = \"/\"\nheaders = { a = \"b\" }\nexpect_status = []",
    "type = \"http\"\npath = \"/\"\nexpect_status = 404\nweight = 0",
    "type = \"code_mode\"\ncode = \"x\"\ntimeout = \"1us\"",
    "type = \"ping\"\nthink_time = \"exponential 2s\"\npacing = \"100ms\"",
    "type = \"ping\"\nthink_time = \" log-normal  1m 2s sigma .5\"",
    "type = \"ping\"\nthink_time = \"log-normal 1s sigma 0.5\"",
    "type = \"ping\"\nthink_time = \"log-normal 1s p95 4s\"",
];
