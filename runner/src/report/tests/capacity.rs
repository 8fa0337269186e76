//! Reports of searches: their golden files, their summaries finding by finding, and what is made of several.

use serde_json::Value;

use super::{assert_checked_in, report_of};
use crate::judge::capacity::fixtures::{answer, bound, trial};
use crate::judge::capacity::{
    Answer, AtLeast, Bound, Finding, LoadVerdict, Question, Rest, TrialVerdict, Variable,
};
use crate::judge::fixtures::{Run, plan};
use crate::judge::scalability::{CapacityKind, CapacityRepeat};
use crate::plan::Spacing;
use crate::report::{
    CapacityReport, Manifest, Measured, Prospect, SavedReport, ScalabilityReport, SearchFacts, TextStyle,
};

fn process() -> Manifest {
    let command = ["cargo", "pmcp", "loadtest", "capacity"].map(str::to_owned).to_vec();
    Manifest {
        tool_version: "0.1.0".to_owned(),
        command,
        os: "linux".to_owned(),
        arch: "x86_64".to_owned(),
        cores: 2,
    }
}

fn report(answer: Answer) -> CapacityReport {
    let question = Question {
        variable: answer.variable,
        ceiling: Some(500.0),
        ..Question::of(vec!["p(99) < 500ms".parse().unwrap()])
    };
    let facts = SearchFacts {
        plan: &plan(),
        question: &question,
        arrivals: Spacing::Even,
        started_at: jiff::Timestamp::UNIX_EPOCH,
        server: &Run::new().finish().server,
        server_cores: None,
        notes: &["the load of loadtest.toml plays no part: the search sets its own".to_owned()],
        process: process(),
    };
    CapacityReport::new(facts, answer)
}

fn at(width: usize) -> TextStyle {
    TextStyle { colour: false, width }
}

/// A search whose trials of every verdict lie between its bounds.
fn varied() -> Answer {
    let mut doubtful = trial(3, 123.0, 9, TrialVerdict::PassedWeakly);
    doubtful.first_event_p50_us = None;
    let mut trials = answer(Finding::Between).trials;
    trials.extend([
        doubtful,
        trial(4, 124.5, 12, TrialVerdict::FailedWeakly),
        trial(5, 2_400.0, 0, TrialVerdict::Invalid),
    ]);
    Answer { trials, ..answer(Finding::Between) }
}

/// Every finding, as the answers look that have it.
fn findings() -> Vec<(&'static str, Answer)> {
    let why = || "1 % of the calls were sent more than 6.8 ms late, of 5 ms allowed".to_owned();
    let none = |finding| Answer { lo: None, broke_first: None, ..answer(finding) };
    let driven = Bound { verdict: LoadVerdict::Invalid, ..bound(2_400.0, false) };
    vec![
        ("between", varied()),
        (
            "at_least_ceiling",
            Answer { hi: None, broke_first: None, ..answer(Finding::AtLeast { because: AtLeast::Ceiling }) },
        ),
        (
            "at_least_generator",
            Answer {
                hi: Some(driven),
                broke_first: None,
                ..answer(Finding::AtLeast { because: AtLeast::Generator { why: why() } })
            },
        ),
        ("rate_limit", answer(Finding::RateLimit { ok_per_s: 80.2 })),
        (
            "metastable",
            Answer {
                rests: vec![Rest { seconds: 60.0, recovered: false, p50_us: Some(1_200_000) }],
                ..answer(Finding::Metastable {
                    after_load: 126.0,
                    before_us: 12_300,
                    after_us: Some(1_200_000),
                })
            },
        ),
        ("degrading", answer(Finding::Degrading { passed_load: 150.0, failed_load: 120.0 })),
        ("below_floor", none(Finding::BelowFloor { load: 126.0 })),
        ("too_few_calls", none(Finding::TooFewCalls { load: 126.0 })),
        ("deadline", Answer { lo: Some(bound(120.0, true)), ..answer(Finding::Deadline) }),
        ("interrupted", Answer { hi: None, broke_first: None, ..answer(Finding::Interrupted) }),
        (
            "unmeasurable",
            Answer {
                hi: None,
                trials: Vec::new(),
                rests: Vec::new(),
                saturation_ok_per_s: 0.0,
                ..none(Finding::Unmeasurable { why: "no call of a single session was ok".to_owned() })
            },
        ),
    ]
}

#[test]
fn every_finding_has_its_summary() {
    for (name, answer) in findings() {
        insta::assert_snapshot!(format!("capacity_{name}"), report(answer).text(at(80), Some("r.json")));
    }
}

#[test]
fn a_search_is_shown_in_any_width() {
    for width in [60, 120] {
        let text = report(varied()).text(at(width), None);
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(width), "{text}");
        insta::assert_snapshot!(format!("capacity_at_{width}_columns"), text);
    }
}

#[test]
fn sessions_are_never_called_a_rate() {
    let text = report(Answer { variable: Variable::Sessions, ..answer(Finding::Between) }).text(at(80), None);
    assert!(text.contains("120 sessions") && !text.contains("120.0/s"), "{text}");
    assert!(text.contains("sessions at the same time"), "{text}");
}

fn scalability(cores: &[u32], repeats: u32) -> ScalabilityReport {
    let one = |cores: u32, repeat: u32| Measured {
        cores,
        repeat: CapacityRepeat {
            per_s: 200.0 * f64::from(cores) / (1.0 + 0.01 * f64::from(cores - 1)) + f64::from(repeat),
            kind: CapacityKind::Capacity,
        },
    };
    // In turns, as they are measured.
    let measured: Vec<Measured> =
        (0..repeats).flat_map(|repeat| cores.iter().map(move |cores| one(*cores, repeat))).collect();
    let prospect = Prospect { cores: None, forced: false, seed: 7 };
    ScalabilityReport::new(&measured, prospect, process(), jiff::Timestamp::UNIX_EPOCH, false)
}

#[test]
fn several_numbers_of_cores_come_to_a_prediction_or_to_reasons() {
    let (carried, refused) = (scalability(&[1, 2, 4, 8], 3), scalability(&[2, 1], 1));
    assert_eq!((carried.verdict.exit_code, carried.target_cores), (0, 16));
    assert_eq!((refused.verdict.exit_code, refused.target_cores), (91, 4));
    assert_eq!(refused.points[0].cores, 1, "the fewest first");
    insta::assert_snapshot!("scalability_predicted", carried.text(at(80), None));
    insta::assert_snapshot!("scalability_refused", refused.text(at(80), Some("r.json")));
}

#[test]
fn an_answer_is_a_capacity_only_where_it_says_so() {
    for (name, answer) in findings() {
        let kind = Measured::of(&answer, 4).unwrap().repeat.kind;
        let expected = match name {
            "between" => CapacityKind::Capacity,
            "at_least_ceiling" => CapacityKind::AtLeast,
            "at_least_generator" => CapacityKind::GeneratorBound,
            "rate_limit" => CapacityKind::RateLimited,
            "metastable" => CapacityKind::Metastable,
            _ => CapacityKind::Invalid,
        };
        assert_eq!(kind, expected, "{name}");
    }
    let by_sessions = Answer { variable: Variable::Sessions, ..answer(Finding::Between) };
    assert_eq!(Measured::of(&by_sessions, 4), None);
}

#[test]
fn the_schemas_and_the_golden_files_are_checked_in_and_agree() {
    let check = |name: &str, schema: Value, json: &str| {
        assert_checked_in(&format!("schemas/{name}.schema.json"), &format!("{schema:#}\n"));
        assert_checked_in(&format!("../tests/fixtures/{name}.golden.json"), json);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let value: Value = serde_json::from_str(json).unwrap();
        let faults: Vec<String> = validator.iter_errors(&value).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, [""; 0], "{name}");
    };
    check("capacity", CapacityReport::json_schema(), &report(varied()).to_json());
    let searched = ScalabilityReport { searches: vec![report(varied())], ..scalability(&[1, 2, 4, 8], 3) };
    check("scalability", ScalabilityReport::json_schema(), &searched.to_json());
}

#[test]
fn a_saved_report_is_read_by_its_kind() {
    let run = report_of(Run::new());
    for (name, answer) in findings() {
        let report = report(answer);
        let read = SavedReport::from_json(&report.to_json()).unwrap();
        assert_eq!(read, SavedReport::Capacity(Box::new(report)), "{name}");
    }
    let scaling = scalability(&[1, 2], 1);
    let read = SavedReport::from_json(&scaling.to_json()).unwrap();
    assert_eq!(read, SavedReport::Scalability(Box::new(scaling)));
    assert_eq!(SavedReport::from_json(&run.to_json()).unwrap(), SavedReport::Run(Box::new(run)));
    let later = r#"{"schema_version": "2.9", "kind": "forecast"}"#;
    assert!(SavedReport::from_json(later).unwrap_err().to_string().contains("`forecast`"));
}
