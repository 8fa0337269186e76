//! Files of the existing command run unchanged, and mean what they meant.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::json;

use super::{Overrides, with};
use crate::plan::config::Resolved;
use crate::plan::{Action, Executor, Stage, ThinkTime};

/// Every shape of the existing format.
pub(super) const EVERYTHING: &str = r#"
[settings]
virtual_users = 4
duration_secs = 30
timeout_ms = 2000
expected_interval_ms = 0
request_interval_ms = 250

[[scenario]]
type = "tools/call"
weight = 6
tool = "lookup"
arguments = { key = "k1", limit = 3, nested = { b = 1.5, a = [true, "x"] } }

[[scenario]]
type = "tools/call"
weight = 1
tool = "lookup"

[[scenario]]
type = "resources/read"
weight = 3
uri = "docs://index"

[[scenario]]
type = "prompts/get"
weight = 0
prompt = "greet"
arguments = { who = "Ada" }

[[scenario]]
type = "code_mode"
weight = 2
code = "query { me }"
"#;

/// A ramp of the existing format.
pub(super) const STAGES: &str = "
[[stage]]
target_vus = 5
duration_secs = 10
[[stage]]
target_vus = 0
duration_secs = 60
";

/// The URL is never in an existing file; it comes from the command line.
fn run(text: &str, flags: Overrides) -> Resolved {
    let url = Some("http://127.0.0.1:3000/mcp".parse().unwrap());
    with(text, &Overrides { url, ..flags }).unwrap_or_else(|errors| panic!("{errors}"))
}

fn constant(vus: u32, secs: u64) -> Executor {
    Executor::ConstantVus {
        vus: NonZeroU32::new(vus).unwrap(),
        spawn_rate: None,
        duration: Duration::from_secs(secs),
    }
}

#[test]
fn a_table_with_a_type_is_a_scenario_of_one_step() {
    let plan = run(EVERYTHING, Overrides::default()).plan;
    let summary: Vec<_> = plan
        .scenarios
        .iter()
        .map(|scenario| (scenario.name.as_str(), scenario.weight, scenario.steps().len()))
        .collect();
    assert_eq!(
        summary,
        [
            ("lookup", 6, 1),
            ("lookup #2", 1, 1),
            ("docs://index", 3, 1),
            ("greet", 0, 1),
            ("code_mode/graphql", 2, 1)
        ]
    );
    assert_eq!(plan.loads[0].executor, constant(4, 30));
    assert_eq!(plan.settings.timeout, Duration::from_secs(2));
}

#[test]
fn arguments_keep_their_values_and_their_order_and_are_an_empty_object_if_absent() {
    let plan = run(EVERYTHING, Overrides::default()).plan;
    let arguments = |index: usize| match &plan.scenarios[index].steps()[0].action {
        Action::CallTool { arguments, .. } => arguments.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(arguments(0), r#"{"key":"k1","limit":3,"nested":{"b":1.5,"a":[true,"x"]}}"#);
    assert_eq!(arguments(1), json!({}).to_string());
    let who = vec![("who".to_owned(), "Ada".to_owned())];
    assert_eq!(
        plan.scenarios[3].steps()[0].action,
        Action::GetPrompt { prompt: "greet".to_owned(), arguments: who }
    );
    let code_mode = Action::CodeMode { code: "query { me }".to_owned(), format: "graphql".to_owned() };
    assert_eq!(plan.scenarios[4].steps()[0].action, code_mode);
}

#[test]
fn request_interval_is_a_constant_pause_after_every_step() {
    let pause = Duration::from_millis(250);
    let plan = run(EVERYTHING, Overrides::default()).plan;
    assert!(plan.scenarios.iter().all(|it| it.think_time == Some(ThinkTime::constant(pause))));
    let none = run(&EVERYTHING.replace("= 250", "= 0"), Overrides::default()).plan;
    assert!(none.scenarios.iter().all(|it| it.think_time.is_none()));
}

#[test]
fn expected_interval_is_accepted_with_a_note_that_it_does_nothing() {
    let resolved = run(EVERYTHING, Overrides::default());
    assert_eq!(resolved.notes.len(), 1, "{:?}", resolved.notes);
    assert!(resolved.notes[0].starts_with("expected_interval_ms has no effect"), "{:?}", resolved.notes);
    let other = run(
        &EVERYTHING.replace("expected_interval_ms = 0", "expected_interval_ms = 100"),
        Overrides::default(),
    );
    assert_eq!(other.plan, resolved.plan);
}

#[test]
fn stages_shape_the_load_and_make_users_and_duration_idle() {
    let resolved = run(&format!("{EVERYTHING}{STAGES}"), Overrides::default());
    let stage = |target, secs| Stage { target, duration: Duration::from_secs(secs) };
    assert_eq!(
        resolved.plan.loads[0].executor,
        Executor::RampingVus { from: 0, stages: vec![stage(5, 10), stage(0, 60)] }
    );
    assert!(
        resolved
            .notes
            .iter()
            .any(|note| note.starts_with("virtual_users and duration_secs in [settings]: no effect")),
        "{:?}",
        resolved.notes
    );
    let zeros = EVERYTHING
        .replace("virtual_users = 4", "virtual_users = 0")
        .replace("duration_secs = 30", "duration_secs = 0");
    assert_eq!(run(&format!("{zeros}{STAGES}"), Overrides::default()).plan, resolved.plan);
}

#[test]
fn users_and_duration_of_the_command_line_beat_stages_with_a_note() {
    let text = format!("{EVERYTHING}{STAGES}");
    let both = run(
        &text,
        Overrides { vus: Some(20), duration: Some(Duration::from_mins(1)), ..Overrides::default() },
    );
    assert_eq!(both.plan.loads[0].executor, constant(20, 60));
    let note = "--vus and --duration replace the file's stages: 20 virtual users for 1m";
    assert!(both.notes.iter().any(|it| it == note), "{:?}", both.notes);
    let vus = run(&text, Overrides { vus: Some(20), ..Overrides::default() });
    assert_eq!(vus.plan.loads[0].executor, constant(20, 30));
    let duration = run(&text, Overrides { duration: Some(Duration::from_secs(7)), ..Overrides::default() });
    assert_eq!(duration.plan.loads[0].executor, constant(4, 7));
}

#[test]
fn without_numbers_in_the_file_flags_take_what_is_missing_from_the_stages() {
    let text = format!("[[scenario]]\ntype = \"ping\"\n{STAGES}");
    let vus = run(&text, Overrides { vus: Some(20), ..Overrides::default() });
    assert_eq!(vus.plan.loads[0].executor, constant(20, 70));
    let duration = run(&text, Overrides { duration: Some(Duration::from_secs(7)), ..Overrides::default() });
    assert_eq!(duration.plan.loads[0].executor, constant(5, 7));
}

#[test]
fn iterations_of_the_command_line_are_a_total_that_ends_at_the_latest_with_the_duration() {
    let iterations = Overrides { iterations: Some(1000), ..Overrides::default() };
    let Executor::SharedIterations { vus, iterations: total, max_duration } =
        run(EVERYTHING, iterations.clone()).plan.loads[0].executor
    else {
        panic!("not shared iterations")
    };
    assert_eq!((vus.get(), total.get(), max_duration), (4, 1000, Some(Duration::from_secs(30))));
    let staged = run(&format!("[[scenario]]\ntype = \"ping\"\n{STAGES}"), iterations);
    let Executor::SharedIterations { vus, max_duration, .. } = staged.plan.loads[0].executor else {
        panic!("not shared iterations")
    };
    assert_eq!((vus.get(), max_duration), (5, Some(Duration::from_secs(70))));
}
