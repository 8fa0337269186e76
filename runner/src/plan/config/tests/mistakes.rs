//! Every mistake is shown as the user will see it.

use proptest::prelude::{any, prop_assert, proptest};

use super::{SCENARIO, SEARCH, TARGET, gallery, plain, with};
use crate::error::{Error, ExitCode};
use crate::plan::config::{Overrides, resolve};
use crate::plan::{AnyStage, Secret, Stage};

/// `text` below a target and above a scenario, so that it holds the only mistake.
fn alone(text: &str) -> String {
    format!("{TARGET}{text}\n{SCENARIO}")
}

#[test]
fn what_is_not_toml_or_not_the_right_type_is_shown_where_it_stands() {
    assert_shown!(gallery(&[
        ("an open quote", "[settings]\nduration = \"30s\nseed = 1\n"),
        ("a value without quotes", "[settings]\nduration = 30s\n"),
        ("an open table", "[settings\nseed = 1\n"),
        ("no value", "[settings]\nseed =\n"),
        ("a key twice", "[settings]\nseed = 1\nseed = 2\n"),
        ("a text for a number", "[settings]\nvirtual_users = \"10\"\n"),
        ("a negative number", "[settings]\nvirtual_users = -1\n"),
        ("a number beyond counting", "[settings]\nvirtual_users = 99999999999\n"),
        ("a number for a duration", "[settings]\nduration = 30\n"),
        ("a number for a text", "[[scenario]]\ntype = \"tools/call\"\ntool = 7\n"),
        ("a text for a truth", "[settings]\nquick_ack = \"yes\"\n"),
        ("a value for a table", "settings = 4\n"),
        ("one bracket too few", "[scenario]\ntype = \"ping\"\n"),
        ("an unreadable size", "[settings]\nmax_body_bytes = \"64 megs\"\n"),
        ("no status at all", "[[scenario]]\ntype = \"http\"\npath = \"/\"\nexpect_status = []\n"),
        (
            "a status that is none",
            "[[scenario]]\ntype = \"http\"\npath = \"/\"\nexpect_status = [200, 999]\n"
        ),
    ]));
}

#[test]
fn an_unknown_word_is_shown_with_the_nearest_known_one() {
    assert_shown!(gallery(&[
        ("a table", "[setings]\nduration = \"30s\"\n"),
        ("a setting", "[settings]\nvirtual_user = 10\n"),
        ("a setting unlike any other", "[settings]\nzebra = 10\n"),
        ("a step's key", "[[scenario]]\ntype = \"tools/call\"\ntool = \"echo\"\nargs = { a = 1 }\n"),
        ("a type", "[[scenario]]\ntype = \"tool/call\"\ntool = \"echo\"\n"),
        ("a policy", "[settings]\nsession = \"per_vu\"\n"),
        ("a revision", "[target]\nprotocol = \"2025-06-19\"\n"),
        ("an executor", "[load]\nexecutor = \"constant-users\"\n"),
    ]));
}

#[test]
fn what_comes_with_a_later_version_is_refused_and_not_ignored() {
    assert_shown!(gallery(&[
        ("extraction", "[[scenario]]\n[[scenario.step]]\ntype = \"ping\"\nextract = { a = \"$.b\" }\n"),
        ("checks", "[[scenario]]\ntype = \"ping\"\ncheck = { status = \"ok\" }\n"),
        ("feeders", "[feeders]\ntopic = \"topics.csv\"\n"),
        ("client credentials", "[target]\nauth = { client_credentials = { id = \"x\" } }\n"),
        ("completion", "[[scenario]]\ntype = \"completion/complete\"\n"),
    ]));
}

#[test]
fn a_load_that_contradicts_itself_is_refused() {
    assert_shown!(gallery(&[
        ("zero users", &alone("[settings]\nvirtual_users = 0")),
        ("users beyond memory", &alone("[load]\nvus = 4000000000")),
        ("zero length", &alone("[settings]\nduration = \"0s\"")),
        ("a length beyond a year", &alone("[settings]\nduration_secs = 9000000000000000000")),
        ("a length without unit", &alone("[settings]\nduration = \"30\"")),
        ("a length in two spellings", &alone("[settings]\nduration = \"30s\"\nduration_secs = 30")),
        ("a length in two tables", &alone("[settings]\nduration = \"30s\"\n[load]\nduration = \"1m\"")),
        ("users in two tables", &alone("[settings]\nvirtual_users = 1\n[load]\nvus = 2")),
        ("duration and iterations", &alone("[load]\nvus = 1\nduration = \"30s\"\niterations = 10")),
        ("zero iterations", &alone("[load]\niterations = 0")),
        ("iterations missing", &alone("[load]\nexecutor = \"per-vu-iterations\"\nvus = 3")),
        ("stages missing", &alone("[load]\nexecutor = \"ramping-vus\"")),
        (
            "stages of another executor",
            &alone("[load]\nexecutor = \"constant-vus\"\nstages = [{ target = 1, duration = \"1s\" }]")
        ),
        ("stages in two places", &alone("[load]\nvus = 1\n[[stage]]\ntarget_vus = 1\nduration_secs = 1")),
        ("a stage of no length", &alone("[[stage]]\ntarget_vus = 1\nduration_secs = 0")),
        ("half a stage", &alone("[[stage]]\ntarget_vus = 1\n[[stage]]\nduration = \"1s\"")),
        ("a ramp of nobody", &alone("[[stage]]\ntarget_vus = 0\nduration_secs = 1")),
        (
            "stages that add up to more than a year",
            &alone(
                "[load]\nstages = [{ target = 1, duration = \"300d\" }, { target = 2, duration = \"300d\" }]"
            )
        ),
        ("zero timeout", &alone("[settings]\ntimeout_ms = 0")),
        ("no workers", &alone("[settings]\nworkers = 0")),
        ("no room for an answer", &alone("[settings]\nmax_body_bytes = 0")),
    ]));
}

#[test]
fn a_scenario_that_cannot_be_played_is_refused() {
    let scenario = |text: &str| format!("{TARGET}{text}");
    assert_shown!(gallery(&[
        ("none at all", TARGET),
        ("no steps", &scenario("[[scenario]]\nname = \"empty\"\n")),
        ("no type", &scenario("[[scenario]]\ntool = \"echo\"\n")),
        ("a step without type", &scenario("[[scenario]]\n[[scenario.step]]\ntool = \"echo\"\n")),
        (
            "a type and steps",
            &scenario("[[scenario]]\ntype = \"ping\"\n[[scenario.step]]\ntype = \"ping\"\n")
        ),
        (
            "a step's key beside steps",
            &scenario("[[scenario]]\ntool = \"echo\"\n[[scenario.step]]\ntype = \"ping\"\n")
        ),
        (
            "a key of another type",
            &scenario("[[scenario]]\ntype = \"tools/call\"\ntool = \"echo\"\nuri = \"demo://a\"\n")
        ),
        ("a missing key", &scenario("[[scenario]]\ntype = \"resources/read\"\n")),
        ("an empty key", &scenario("[[scenario]]\ntype = \"prompts/get\"\nprompt = \"\"\n")),
        (
            "arguments that are no table",
            &scenario("[[scenario]]\ntype = \"tools/call\"\ntool = \"a\"\narguments = [1]\n")
        ),
        (
            "a number that JSON lacks",
            &scenario("[[scenario]]\ntype = \"tools/call\"\ntool = \"a\"\narguments = { x = inf }\n")
        ),
        (
            "a prompt's argument that is no text",
            &scenario("[[scenario]]\ntype = \"prompts/get\"\nprompt = \"a\"\narguments = { n = 3 }\n")
        ),
        ("a whole URL for a path", &scenario("[[scenario]]\ntype = \"http\"\npath = \"http://other/\"\n")),
        ("a path with a blank", &scenario("[[scenario]]\ntype = \"http\"\npath = \"/a b\"\n")),
        (
            "a method with a blank",
            &scenario("[[scenario]]\ntype = \"http\"\nmethod = \"GET /\"\npath = \"/\"\n")
        ),
        (
            "framing headers",
            &scenario("[[scenario]]\ntype = \"http\"\npath = \"/\"\nheaders = { Content-Length = \"3\" }\n")
        ),
        ("a pause without length", &scenario("[[scenario]]\ntype = \"think\"\n")),
        (
            "a pause that ends before it begins",
            &scenario("[[scenario]]\ntype = \"ping\"\nthink_time = \"3s..1s\"\n")
        ),
        ("nothing but pauses", &scenario("[[scenario]]\ntype = \"think\"\nduration = \"1s\"\n")),
        ("nothing but farewells", &scenario("[[scenario]]\ntype = \"session/close\"\n")),
        (
            "a farewell with a key",
            &scenario(
                "[[scenario]]\n[[scenario.step]]\ntype = \"ping\"\n[[scenario.step]]\ntype = \"session/close\"\ntimeout = \"1s\"\n"
            )
        ),
        (
            "a farewell for everybody",
            &scenario(
                "[settings]\nsession = \"shared\"\n[[scenario]]\n[[scenario.step]]\ntype = \"ping\"\n[[scenario.step]]\ntype = \"session/close\"\n"
            )
        ),
        ("no weight at all", &scenario("[[scenario]]\ntype = \"ping\"\nweight = 0\n")),
        (
            "weights beyond counting",
            &scenario(
                "[[scenario]]\ntype = \"ping\"\nweight = 4294967295\n[[scenario]]\ntype = \"ping\"\nweight = 1\n"
            )
        ),
        (
            "a name twice",
            &scenario(
                "[[scenario]]\nname = \"a\"\ntype = \"ping\"\n[[scenario]]\nname = \"a\"\ntype = \"ping\"\n"
            )
        ),
        (
            "several mistakes",
            &scenario(
                "[settings]\ntimeout_ms = 0\n[[scenario]]\ntype = \"tools/call\"\nuri = \"a\"\n[[scenario]]\ntype = \"http\"\npath = \"x\"\n"
            )
        ),
    ]));
}

#[test]
fn a_threshold_that_cannot_be_judged_is_refused() {
    let under = |lines: &str| format!("{TARGET}[thresholds]\n{lines}\n{SCENARIO}{SEARCH}");
    assert_shown!(gallery(&[
        ("no unit", &under("response_time = [\"p(95) < 200ms\", \"p(99) < 500\"]")),
        ("an aggregate that the metric lacks", &under("errors = ['p(99) < 1s']")),
        ("a filter that is none", &under("\"errors{tol=search}\" = [\"rate < 1%\"]")),
        ("an escape in the text", &under("\"errors{tool=\\\"search\\\"}\" = [\"rate < 1\\u0025 or so\"]")),
        ("a condition in the key", &under("\"errors rate\" = [\"< 1%\"]")),
        ("a text for the list", &under("errors = \"rate < 1%\"")),
        ("a table for the list", &under("[thresholds.errors]\nrate = \"1%\"")),
        ("a number for a condition", &under("errors = [1]")),
        ("a table for a condition", &under("errors = [{ rate = \"1%\" }]")),
        ("a metric that is none", &under("respone_time = [\"p(95) < 200ms\"]")),
        ("checks without a plugin", &under("checks = [\"rate > 99%\"]")),
        ("a tool that nobody calls", &under("\"errors{tool=serach}\" = [\"rate < 1%\"]")),
        ("a method that nobody calls", &under("\"errors{method=tools}\" = [\"rate < 1%\"]")),
        ("a scenario that is none", &under("\"errors{scenario=pong}\" = [\"rate < 1%\"]")),
        ("a label that no step has", &under("\"errors{label=x}\" = [\"rate < 1%\"]")),
        ("filters without a common step", &under("\"errors{tool=search,scenario=ping}\" = [\"rate < 1%\"]")),
        ("k6's name for it", &under("errors = [{ threshold = \"rate < 1%\", abort_on_fail = true }]")),
        ("an unknown key", &under("errors = [{ condition = \"rate < 1%\", windows = \"10s\" }]")),
        ("a wrong condition in a table", &under("errors = [{ condition = \"rate < 5\" }]")),
        ("a number for a window", &under("errors = [{ condition = \"rate < 1%\", window = 10 }]")),
        ("a broken window", &under("errors = [{ condition = \"rate < 1%\", window = \"1.5s\" }]")),
        ("a word for yes", &under("errors = [{ condition = \"rate < 1%\", abort_on_fail = \"yes\" }]")),
        ("a delay of nothing", &under("errors = [{ condition = \"rate < 1%\", delay_abort = \"10s\" }]")),
        (
            "both at once",
            &under(
                "errors = [{ condition = \"rate < 1% over 5s abort\", window = \"9s\", abort_on_fail = true }]"
            )
        ),
        (
            "an end by a growing count",
            &under("requests = [{ condition = \"count > 9\", abort_on_fail = true }]")
        ),
        ("a window for all", &under("window = \"10s\"\nerrors = [\"rate < 1%\"]")),
        ("an early end for all", &under("abort_on_fail = true")),
        ("a warm-up for all", &under("warm_up = \"10s\"")),
        ("a warm-up of its own", &under("errors = [{ condition = \"rate < 1%\", warm_up = \"10s\" }]")),
        ("a window longer than the run", &under("errors = [\"rate < 1% over 10m\"]")),
        ("several mistakes", &under("errors = [\"rate < 5\", \"count\"]\nend = [\"max < 0s\"]")),
    ]));
}

#[test]
fn a_target_that_cannot_be_hit_is_refused() {
    let target = |lines: &str| format!("[target]\n{lines}\n{SCENARIO}");
    assert_shown!(gallery(&[
        ("none", SCENARIO),
        ("no URL", &target("url = \"localhost:3000\"")),
        ("an unreadable URL", &target("url = \"/mcp\"")),
        ("another scheme", &target("url = \"ftp://127.0.0.1/\"")),
        ("credentials in the URL", &target("url = \"http://me:hunter2@127.0.0.1/\"")),
        (
            "a header of the client",
            &target("url = \"http://127.0.0.1/\"\nheaders = { Host = \"other\", Mcp-Session-Id = \"1\" }")
        ),
        (
            "a header with a line break",
            &target("url = \"http://127.0.0.1/\"\n[target.headers]\nx-key = \"hunter2\\r\\nhost: evil\"")
        ),
        (
            "a header twice",
            &target("url = \"http://127.0.0.1/\"\nheaders = { x-key = \"hunter2\", X-Key = \"hunter3\" }")
        ),
        ("a token where a table belongs", &target("auth = \"hunter2\"")),
        ("an empty auth", &target("url = \"http://127.0.0.1/\"\nauth = {}")),
        (
            "two tokens",
            &target("url = \"http://127.0.0.1/\"\nauth = { bearer = \"hunter2\", bearer_env = \"TOKEN\" }")
        ),
        (
            "a token that is not set",
            &target("url = \"http://127.0.0.1/\"\nauth = { bearer_env = \"TOKEN\" }")
        ),
        (
            "a token and a header",
            &target(
                "url = \"http://127.0.0.1/\"\nauth = { bearer = \"hunter2\" }\nheaders = { authorization = \"hunter3\" }"
            )
        ),
    ]));
}

#[test]
fn a_mistake_in_a_flag_names_the_flag() {
    let second = std::time::Duration::from_secs(1);
    let ramp = vec![AnyStage::Users(Stage { duration: second, target: 1 })];
    let cases = [
        Overrides { vus: Some(0), ..Overrides::default() },
        Overrides { duration: Some(std::time::Duration::ZERO), ..Overrides::default() },
        Overrides { iterations: Some(0), ..Overrides::default() },
        Overrides { stages: ramp, vus: Some(1), ..Overrides::default() },
        Overrides {
            stages: vec![AnyStage::Users(Stage { duration: std::time::Duration::ZERO, target: 1 })],
            ..Overrides::default()
        },
        Overrides { timeout: Some(std::time::Duration::ZERO), ..Overrides::default() },
        Overrides { workers: Some(0), max_body_bytes: Some(0), ..Overrides::default() },
        Overrides { headers: vec![("host".to_owned(), Secret::new("a"))], ..Overrides::default() },
        Overrides { api_key: Some(Secret::new("hunter2\n")), ..Overrides::default() },
        Overrides { scenarios: vec!["pin".to_owned()], ..Overrides::default() },
        Overrides { thresholds: vec!["errors p(99) < 1s".to_owned()], ..Overrides::default() },
        Overrides { assertions: vec!["p99<500".to_owned()], ..Overrides::default() },
        Overrides { thresholds: vec!["errors{tool=pin} rate < 1%".to_owned()], ..Overrides::default() },
        Overrides { url: Some("file:///etc".parse().unwrap()), ..Overrides::default() },
    ];
    let pictures: Vec<String> =
        cases.iter().map(|flags| with(&alone(""), flags).unwrap_err().to_string()).collect();
    assert_shown!(pictures.join("\n\n"));
}

#[test]
fn without_a_file_the_user_is_sent_to_init() {
    let error = resolve(None, &Overrides::default(), &|_| None).unwrap_err();
    assert_shown!(error.to_string());
}

#[test]
fn a_mistake_ends_the_process_with_the_code_for_usage() {
    let error = Error::from(plain("[setings]").unwrap_err());
    assert_eq!(error.exit, ExitCode::Usage);
    assert!(error.to_string().contains("--> loadtest.toml:1:2"), "{error}");
}

#[test]
fn a_long_line_is_cut_around_the_mistake() {
    let filler = "x".repeat(300);
    let text = format!(
        "settings = {{ seed = 1 }} # {filler}\nload = {{ vus = 1, iterations = \"{filler}\", duration = 7 }}"
    );
    assert_shown!(plain(&text).unwrap_err().to_string());
}

#[test]
fn a_file_that_nests_without_end_is_refused() {
    for open in ["[", "{ a = "] {
        let errors = plain(&format!("a = {}", open.repeat(100_000))).unwrap_err();
        assert_eq!(errors.iter().count(), 1);
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = plain(&text);
    }

    #[test]
    fn no_arrangement_of_known_words_makes_it_panic(
        lines in proptest::collection::vec(proptest::sample::select(WORDS), 0..12)
    ) {
        let text = lines.join("\n");
        if let Err(errors) = plain(&text) {
            for error in errors.iter() {
                let drawn = error.to_string();
                prop_assert!(!drawn.contains("hunter2"), "{drawn}");
                let lines = text.lines().count().max(1);
                prop_assert!(error.place.as_ref().is_none_or(|place| place.line <= lines), "{drawn}");
            }
        }
    }
}

const WORDS: &[&str] = &[
    "[target]",
    "url = \"http://127.0.0.1/\"",
    "url = \"http://me:hunter2@127.0.0.1/\"",
    "auth = { bearer = \"hunter2\" }",
    "auth = { bearer = \"hunter2\"",
    "auth = \"hunter2\"",
    "[target.headers]",
    "x-key = \"hunter2\"",
    "x-key = \"hunter2",
    "x-ключ = \"hunter2\"",
    "[settings]",
    "virtual_users = 0",
    "duration = \"30s\"",
    "duration = \"öö\"",
    "duration_secs = 9223372036854775807",
    "timeout_ms = 9223372036854775807",
    "request_interval_ms = 9223372036854775807",
    "[load]",
    "executor = \"ramping-vus\"",
    "executor = \"shared-iterations\"",
    "vus = 4294967295",
    "iterations = 9223372036854775807",
    "stages = []",
    "[[load]]",
    "name = \"日本\"",
    "executor = \"ramping-arrival-rate\"",
    "rate = \"200/s\"",
    "rate = -9223372036854775808",
    "rate = nan",
    "start_rate = 1e308",
    "start = \"365d\"",
    "scenarios = [\"ping\", \"日本\"]",
    "max_vus = 1",
    "spawn_rate = 0.000001",
    "stages = [{ duration = \"364d\", rate = 1000000 }]",
    "stages = [{ duration = \"0s\", target = \"5/h\" }, { duration = \"1s\", target = 5 }]",
    "warm_up = \"365d\"",
    "pacing = \"1s\"",
    "think_time = \"log-normal 365d sigma 5\"",
    "stages = [{ duration = \"365d\", target = 1 }]",
    "[[stage]]",
    "target_vus = 5",
    "[[scenario]]",
    "weight = 4294967295",
    "think_time = \"1s..3s\"",
    "type = \"ping\"",
    "type = \"think\"",
    "type = \"http\"",
    "path = \"/\"",
    "headers = { x-key = \"hunter2\\n\" }",
    "type = \"tools/call\"",
    "tool = \"日本\"",
    "arguments = { a = nan }",
    "[[scenario.step]]",
    "[thresholds]",
    "errors = [\"rate < 1%\"]",
    "\"errors{tool='日本'}\" = [\"p(日本) < 1%\", { window = 1 }]",
    "\t\u{1b}[31m = 1",
];
