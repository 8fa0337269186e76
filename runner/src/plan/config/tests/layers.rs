//! Flags beat the file, the file beats the defaults, and the environment is asked only for what the file names.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::time::Duration;

use super::{SCENARIO, SEARCH, TARGET, plain, with};
use crate::plan::config::{Overrides, resolve};
use crate::plan::{
    Action, AnyStage, ConnectionPolicy, Executor, HttpStep, PluginLimits, Protocol, Revision, ScenarioChoice,
    Secret, SessionPolicy, Settings, Stage, ThinkTime, TransportKind, WarmUp,
};

fn users(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

#[test]
fn the_shortest_file_gets_the_defaults() {
    let resolved = plain(&format!("{TARGET}{SCENARIO}")).unwrap();
    let duration = Duration::from_secs(30);
    assert_eq!(
        resolved.plan.loads[0].executor,
        Executor::ConstantVus { vus: users(10), spawn_rate: None, duration }
    );
    assert_eq!(resolved.plan.loads[0].graceful_stop, Duration::from_secs(30));
    assert_eq!(resolved.plan.settings, Settings::default());
    assert_eq!(resolved.plan.target.protocol, Protocol::Auto);
    assert_eq!((resolved.origin.as_str(), resolved.notes.len()), ("loadtest.toml", 0));
}

#[test]
fn every_setting_of_the_file_arrives() {
    let text = format!(
        "{TARGET}protocol = \"2025-06-18\"\n[settings]\ntimeout = \"2s\"\nseed = 7\nsession = \"per-iteration\"\n\
         connection = \"per-request\"\ntransport = \"reqwest\"\nworkers = 3\nmax_body_bytes = \"1MiB\"\ngraceful_stop = \"1s\"\n\
         quick_ack = false\nmin_samples = 1\n{SCENARIO}"
    );
    let plan = plain(&text).unwrap().plan;
    assert_eq!(
        plan.settings,
        Settings {
            timeout: Duration::from_secs(2),
            seed: 7,
            session: SessionPolicy::PerIteration,
            connection: ConnectionPolicy::PerRequest,
            transport: TransportKind::Reqwest,
            workers: NonZeroUsize::new(3).unwrap(),
            max_body_bytes: 1 << 20,
            quick_ack: false,
            min_samples: 1,
            scenario_choice: ScenarioChoice::default(),
            warm_up: WarmUp::default(),
            plugins: PluginLimits::default(),
        }
    );
    assert_eq!(plan.loads[0].graceful_stop, Duration::from_secs(1));
    assert_eq!(plan.target.protocol, Protocol::Pinned(Revision::V2025_06_18));
}

#[test]
fn flags_beat_the_file() {
    let text =
        format!("{TARGET}[settings]\ntimeout = \"2s\"\nseed = 7\nvirtual_users = 5\nworkers = 3\n{SCENARIO}");
    let flags = Overrides {
        url: Some("https://example.test/mcp#part".parse().unwrap()),
        vus: Some(2),
        timeout: Some(Duration::from_secs(1)),
        seed: Some(8),
        workers: Some(1),
        session: Some(SessionPolicy::Shared),
        connection: Some(ConnectionPolicy::PerRequest),
        transport: Some(TransportKind::Reqwest),
        protocol: Some(Protocol::Pinned(Revision::V2026_07_28)),
        min_samples: Some(3),
        quick_ack: Some(false),
        graceful_stop: Some(Duration::ZERO),
        max_body_bytes: Some(9),
        ..Overrides::default()
    };
    let plan = with(&text, &flags).unwrap().plan;
    assert_eq!(plan.target.url.as_str(), "https://example.test/mcp");
    assert_eq!(plan.target.protocol, Protocol::Pinned(Revision::V2026_07_28));
    assert_eq!(plan.loads[0].executor.max_vus(), 2);
    assert_eq!(plan.loads[0].graceful_stop, Duration::ZERO);
    assert_eq!(
        plan.settings,
        Settings {
            timeout: Duration::from_secs(1),
            seed: 8,
            session: SessionPolicy::Shared,
            connection: ConnectionPolicy::PerRequest,
            transport: TransportKind::Reqwest,
            workers: NonZeroUsize::MIN,
            max_body_bytes: 9,
            quick_ack: false,
            min_samples: 3,
            scenario_choice: ScenarioChoice::default(),
            warm_up: WarmUp::default(),
            plugins: PluginLimits::default(),
        }
    );
}

#[test]
fn each_executor_can_be_asked_for() {
    let load = |lines: &str| {
        plain(&format!("{TARGET}[load]\n{lines}\n{SCENARIO}")).unwrap().plan.loads[0].executor.clone()
    };
    let ten = NonZeroU64::new(10).unwrap();
    let minute = Duration::from_mins(1);
    assert_eq!(
        load("executor = \"constant-vus\"\nvus = 3\nduration = \"1m\""),
        Executor::ConstantVus { vus: users(3), spawn_rate: None, duration: minute }
    );
    assert_eq!(
        load("stages = [{ duration = \"1m\", target = 3 }]"),
        Executor::RampingVus { from: 0, stages: vec![Stage { duration: minute, target: 3 }] }
    );
    assert_eq!(
        load("iterations = 10\nmax_duration = \"1m\""),
        Executor::SharedIterations { vus: users(1), iterations: ten, max_duration: Some(minute) }
    );
    assert_eq!(
        load("executor = \"per-vu-iterations\"\nvus = 3\niterations = 10"),
        Executor::PerVuIterations { vus: users(3), iterations: ten, max_duration: None }
    );
}

#[test]
fn a_ramp_of_the_command_line_replaces_whatever_the_file_asks_for() {
    let stages = vec![Stage { duration: Duration::from_secs(1), target: 4 }];
    let flags = Overrides { stages: vec![AnyStage::Users(stages[0])], ..Overrides::default() };
    let plan = with(&format!("{TARGET}[load]\nvus = 3\niterations = 9\n{SCENARIO}"), &flags).unwrap().plan;
    assert_eq!(plan.loads[0].executor, Executor::RampingVus { from: 0, stages });
}

#[test]
fn a_total_of_iterations_replaces_a_number_for_each_with_a_note() {
    let flags = Overrides { iterations: Some(6), ..Overrides::default() };
    let text =
        format!("{TARGET}[load]\nexecutor = \"per-vu-iterations\"\nvus = 3\niterations = 10\n{SCENARIO}");
    let resolved = with(&text, &flags).unwrap();
    let six = NonZeroU64::new(6).unwrap();
    let expected = Executor::SharedIterations { vus: users(3), iterations: six, max_duration: None };
    assert_eq!(resolved.plan.loads[0].executor, expected);
    assert_eq!(resolved.notes.len(), 1, "{:?}", resolved.notes);
}

#[test]
fn headers_of_the_command_line_replace_those_of_the_same_name() {
    let text = format!("{TARGET}headers = {{ x-b = \"1\", X-A = \"2\" }}\n{SCENARIO}");
    let flags = Overrides { headers: vec![("x-a".to_owned(), Secret::new("3"))], ..Overrides::default() };
    let target = with(&text, &flags).unwrap().plan.target;
    let headers: Vec<_> =
        target.headers.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
    assert_eq!(headers, [("x-b", "1"), ("x-a", "3")]);
}

#[test]
fn a_bearer_token_comes_from_the_variable_that_the_file_names_unless_a_flag_gives_one() {
    let text = format!("{TARGET}auth = {{ bearer_env = \"MCP_TOKEN\" }}\n{SCENARIO}");
    let from = |flags: &Overrides, value: Option<&str>| {
        let lookup = |name: &str| value.filter(|_| name == "MCP_TOKEN").map(str::to_owned);
        let plan = resolve(Some(("loadtest.toml", &text)), flags, &lookup).unwrap().plan;
        let headers: Vec<_> =
            plan.target.headers.iter().map(|(name, value)| format!("{name}: {}", value.reveal())).collect();
        headers.join("\n")
    };
    assert_eq!(from(&Overrides::default(), Some("abc")), "Authorization: Bearer abc");
    let flags = Overrides { api_key: Some(Secret::new("key")), ..Overrides::default() };
    assert_eq!(from(&flags, None), "Authorization: Bearer key");
    let headers = vec![("authorization".to_owned(), Secret::new("Basic abc"))];
    assert_eq!(from(&Overrides { headers, ..Overrides::default() }, None), "authorization: Basic abc");
}

#[test]
fn only_the_scenarios_that_are_asked_for_run() {
    let text = format!("{TARGET}{SCENARIO}name = \"a\"\n{SCENARIO}name = \"b\"\n{SCENARIO}");
    let flags = Overrides { scenarios: vec!["b".to_owned(), "ping".to_owned()], ..Overrides::default() };
    let names: Vec<_> = with(&text, &flags).unwrap().plan.scenarios.into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["b", "ping"]);
}

#[test]
fn thresholds_of_the_command_line_replace_those_on_the_same_side_of_the_same_figure() {
    let text = format!(
        "{TARGET}[thresholds]\nresponse_time = [\"p(95) < 200ms\", \"p(99) < 500ms\"]\n\"errors{{tool=search}}\" = [\"rate < 1%\"]\n{SEARCH}"
    );
    let flags = Overrides {
        thresholds: vec!["response_time p(99) <= 1s".to_owned(), "response_time p(99) > 1ms".to_owned()],
        assertions: vec!["errors<5%".to_owned()],
        ..Overrides::default()
    };
    let shown = |flags: &Overrides| {
        let thresholds = with(&text, flags).unwrap().plan.thresholds;
        thresholds.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let file =
        ["response_time p(95) < 200ms", "response_time p(99) < 500ms", "errors{tool=search} rate < 1%"];
    assert_eq!(shown(&Overrides::default()), file);
    let both = [
        "response_time p(95) < 200ms",
        "errors{tool=search} rate < 1%",
        "response_time p(99) <= 1s",
        "response_time p(99) > 1ms",
        "errors rate < 5%",
    ];
    assert_eq!(shown(&flags), both);
}

#[test]
fn a_threshold_on_what_does_not_run_this_time_is_left_out_with_a_note() {
    let text = format!(
        "{TARGET}[thresholds]\n\"errors{{tool=search}}\" = [\"rate < 1%\"]\nerrors = [\"rate < 5%\"]\n{SEARCH}{SCENARIO}"
    );
    let flags = Overrides { scenarios: vec!["ping".to_owned()], ..Overrides::default() };
    let resolved = with(&text, &flags).unwrap();
    assert_eq!(resolved.plan.thresholds.len(), 1);
    assert!(matches!(resolved.notes.as_slice(), [note] if note.contains("errors{tool=search} rate < 1%")));
}

#[test]
fn a_threshold_can_be_about_what_it_takes_to_hold_a_session() {
    let text =
        format!("{TARGET}[thresholds]\n\"response_time{{method=initialize}}\" = [\"max < 1s\"]\n{SCENARIO}");
    let plan = plain(&text).unwrap().plan;
    let covered: Vec<String> = plan
        .series()
        .into_iter()
        .filter(|key| plan.thresholds[0].covers(key))
        .map(|key| key.method)
        .collect();
    assert_eq!(covered, ["initialize"]);
}

#[test]
fn steps_carry_their_keys() {
    let text = format!(
        "{TARGET}[[scenario]]\nthink_time = \"1s..3s\"\n[[scenario.step]]\ntype = \"http\"\nname = \"probe\"\nmethod = \"delete\"\n\
         path = \"/admin?x=1\"\nheaders = {{ x-a = \"1\" }}\nbody = \"hello\"\nexpect_status = [401, 403]\ntimeout = \"1s\"\n\
         [[scenario.step]]\ntype = \"think\"\nduration = \"250ms\"\n[[scenario.step]]\ntype = \"session/close\"\n"
    );
    let scenario = &plain(&text).unwrap().plan.scenarios[0];
    let millis = Duration::from_millis;
    assert_eq!(scenario.name, "scenario-1");
    assert_eq!(scenario.think_time, Some(ThinkTime::Uniform { min: millis(1000), max: millis(3000) }));
    assert_eq!(
        (scenario.steps()[0].label.as_deref(), scenario.steps()[0].timeout),
        (Some("probe"), Some(millis(1000)))
    );
    let http = HttpStep {
        method: "DELETE".to_owned(),
        path: "/admin?x=1".to_owned(),
        headers: vec![("x-a".to_owned(), "1".to_owned())],
        body: Some("hello".to_owned()),
        expect_status: vec![401, 403],
    };
    assert_eq!(scenario.steps()[0].action, Action::Http(http));
    assert_eq!(scenario.steps()[1].action, Action::Think(ThinkTime::constant(millis(250))));
    assert_eq!(scenario.steps()[2].action, Action::CloseSession);
}

#[test]
fn a_text_that_looks_like_a_placeholder_is_sent_as_it_stands_with_a_note() {
    let text = format!(
        "{TARGET}[[scenario]]\ntype = \"tools/call\"\ntool = \"a\"\narguments = {{ q = [\"{{{{x}}}}\"] }}\n"
    );
    let notes = plain(&text).unwrap().notes;
    assert!(notes.len() == 1 && notes[0].contains("{{...}} is sent as it stands"), "{notes:?}");
}

#[test]
fn the_starter_file_that_init_writes_runs_as_it_is() {
    let text = crate::plan::starter::starter(Some("http://127.0.0.1:3000/mcp"), None);
    let resolved = plain(&text).unwrap();
    assert_eq!(
        (resolved.plan.loads[0].executor.max_vus(), resolved.notes.len()),
        (10, 0),
        "{:?}",
        resolved.notes
    );
}

#[test]
fn a_condition_in_a_table_is_the_one_in_a_text() {
    let under = |condition: &str| {
        let text = format!("{TARGET}[thresholds]\nend = [{condition}]\n{SCENARIO}{SEARCH}");
        plain(&text).unwrap().plan.thresholds.remove(0).to_string()
    };
    for (table, text) in [
        ("{ condition = 'p(99) < 1s' }", "p(99) < 1s"),
        ("{ condition = 'p(99) < 1s', window = '10s' }", "p(99) < 1s over 10s"),
        ("{ condition = 'p99 < 1s over 10s', abort_on_fail = true }", "p(99) < 1s over 10s abort"),
        ("{ condition = 'p99 < 1s', abort_on_fail = false }", "p(99) < 1s"),
        ("{ abort_on_fail = true, delay_abort = '5s', condition = 'p99<1s' }", "p(99) < 1s abort after 5s"),
        (
            "{ condition = 'p99<1s', abort_on_fail = true, delay_abort_eval = '5s' }",
            "p(99) < 1s abort after 5s",
        ),
    ] {
        assert_eq!(under(table), format!("end {text}"));
        assert_eq!(under(&format!("'{text}'")), format!("end {text}"));
    }
}
