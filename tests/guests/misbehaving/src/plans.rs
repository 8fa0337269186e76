//! Plans that no plugin should make.

use std::hint::black_box;

use pmcp_loadtest_guest::bindings::pmcp::loadtest::host;
use pmcp_loadtest_guest::bindings::pmcp::loadtest::types::{
    Action, Check, CodeRequest, Extension, Findings, Flow, HttpRequest, ListKind, ListRequest, Plan,
    PromptCall, RawRequest, Sample, Step, StepOptions, ToolCall, Turn,
};

const MEGABYTE: usize = 1 << 20;
/// Ends one header line and begins another, wherever it gets through.
const INJECTION: &str = "a\r\nx-injected: 1\r\n\r\nGET /evil HTTP/1.1";

/// The plans of a turn.
pub(crate) fn plan(how: &str, vu: u32, turn: &Turn) -> Result<Vec<Plan>, String> {
    let number = turn.iterations.first().map_or(0, |iteration| iteration.number);
    Ok(vec![match how {
        "bad-json" => steps([call("echo", "{\"message\": ")]),
        "no-object" => steps([call("echo", "[\"message\"]"), echo()]),
        "control" => steps([call("echo", "{\"message\": \"\u{1}\u{1b}\"}")]),
        "large" => steps([call("echo", &format!("{{\"message\": \"{}\"}}", "m".repeat(10 * MEGABYTE)))]),
        "unknown-tool" => steps([call(&format!("ecco{number}"), "{}")]),
        "custom" => {
            let extension = Extension { kind: "subs\u{7}cribe".to_owned(), payload: "{}".to_owned() };
            steps([bare(Action::Custom(extension))])
        }
        "empty" => steps([]),
        "more" => Plan { then: Flow::More, ..steps([]) },
        "more-slowly" => {
            spin();
            Plan { then: Flow::More, ..steps([]) }
        }
        "none" => return Ok(Vec::new()),
        "two" => return Ok(vec![steps([echo()]), steps([echo()])]),
        "many-steps" => steps(std::iter::repeat_with(echo).take(10_000)),
        "log-flood" => {
            (0..100_000).for_each(|line| host::log(host::Level::Warn, &format!("line {line}")));
            steps([echo()])
        }
        "long-lines" => {
            let line = "l\u{1b}".repeat(MEGABYTE / 2);
            (0..50).for_each(|_| host::log(host::Level::Info, &line));
            steps([echo()])
        }
        "labels" => steps((0..200).map(|step| {
            let label = format!("{vu}/{number}/{step}");
            Step { options: Some(StepOptions { label: Some(label), ..nothing_more() }), ..echo() }
        })),
        "labels-that-are-none" => keep_going(["", "two\nlines", &"l".repeat(MEGABYTE)].map(|label| Step {
            options: Some(StepOptions { label: Some(label.to_owned()), ..nothing_more() }),
            ..echo()
        })),
        "checks" => finding((0..100_000).map(|index| (format!("check {index}"), false)), []),
        "checks-without-names" => finding((0..100_000).map(|_| (String::new(), true)), []),
        "check-in-colour" => finding([("re\u{1b}[31md\nlines".to_owned(), true)], []),
        "values" => finding(
            [],
            [
                ("undeclared\u{1b}[31m", 1.0),
                ("trend", f64::NAN),
                ("trend", f64::INFINITY),
                ("trend", -1.0),
                ("counter", f64::NEG_INFINITY),
                ("counter", f64::MAX),
                ("counter", f64::MAX),
            ],
        ),
        "injection" => keep_going(injections()),
        "paths" => keep_going(
            [
                "//evil.example/",
                "http://evil.example/",
                "\\\\evil.example\\",
                "/\\evil",
                "",
                "/a b",
                "/ö",
                "/#x",
                "*",
            ]
            .map(|path| bare(Action::Http(http("GET", path, &[])))),
        ),
        "timeouts" => keep_going([0, u32::MAX].map(|timeout| Step {
            options: Some(StepOptions { timeout_ms: Some(timeout), ..nothing_more() }),
            ..echo()
        })),
        "think" => steps([echo(), bare(Action::Think(u32::MAX)), echo()]),
        "captures" => {
            captures(&["", "/none", "no/pointer", "/~2", "/content/0/text", "/99999999999999999999"], 1)
        }
        "thousand-captures" => captures(&[""], 1_000),
        "million-captures" => captures(&[""], 1_000_000),
        "every-fifth" if number % 5 == 4 => panic!("{}", "the fifth"),
        "slow" => {
            spin();
            steps([echo()])
        }
        "slower" => {
            (0..50).for_each(|_| spin());
            steps([echo()])
        }
        "stop-vu" => Plan { then: Flow::StopVu("se\u{1b}en enough".to_owned()), ..steps([echo()]) },
        "stop-run" => Plan { then: Flow::StopRun("sold\nout".to_owned()), ..steps([echo()]) },
        _ => steps([echo()]),
    }])
}

/// Takes some milliseconds.
fn spin() {
    (0..2_000_000_u32).for_each(|turn| {
        black_box(turn);
    });
}

fn injections() -> Vec<Step> {
    let raw = |method: &str| RawRequest { method: method.to_owned(), params: None };
    let about = |method: &str, key: &str| RawRequest {
        method: method.to_owned(),
        params: Some(format!("{{\"{key}\": \"a\\r\\nx-injected: 1\"}}")),
    };
    let prompt = PromptCall {
        name: INJECTION.to_owned(),
        arguments: vec![(INJECTION.to_owned(), INJECTION.to_owned())],
    };
    let actions = [
        Action::CallTool(ToolCall { name: INJECTION.to_owned(), arguments: "{}".to_owned() }),
        Action::ReadResource(INJECTION.to_owned()),
        Action::GetPrompt(prompt),
        Action::List(ListRequest { kind: ListKind::Tools, cursor: Some(INJECTION.to_owned()) }),
        Action::Request(raw(INJECTION)),
        Action::Request(about("tools/call", "name")),
        Action::Request(about("resources/read", "uri")),
        Action::Notify(raw(INJECTION)),
        Action::CodeMode(CodeRequest { code: INJECTION.to_owned(), format: INJECTION.to_owned() }),
        Action::Http(http(INJECTION, "/", &[])),
        Action::Http(http("GET", &format!("/{INJECTION}"), &[])),
        Action::Http(http("GET", "/", &[("x-a", INJECTION)])),
        Action::Http(http("GET", "/", &[(INJECTION, "a")])),
        Action::Http(http("GET", "/", &[("transfer-encoding", "chunked")])),
        Action::Http(http("GET", "/", &[("content-length", "7")])),
        Action::Http(http("GET", "/", &[("host", "evil.example")])),
    ];
    actions.into_iter().map(bare).collect()
}

fn captures(pointers: &[&str], times: usize) -> Plan {
    let capture =
        pointers.iter().cycle().take(pointers.len() * times).map(|&pointer| pointer.to_owned()).collect();
    let message = "c".repeat(10_000);
    let call = call("echo", &format!("{{\"message\": \"{message}\"}}"));
    steps([Step { options: Some(StepOptions { capture, want_body: true, ..nothing_more() }), ..call }])
}

fn finding(
    checks: impl IntoIterator<Item = (String, bool)>,
    samples: impl IntoIterator<Item = (&'static str, f64)>,
) -> Plan {
    let check = |(name, ok)| Check { name, ok, message: Some("be\u{1b}[31mcause".to_owned()) };
    let sample = |(metric, value): (&str, f64)| Sample { metric: metric.to_owned(), value };
    let findings = Findings {
        checks: checks.into_iter().map(check).collect(),
        samples: samples.into_iter().map(sample).collect(),
    };
    Plan { findings: Some(findings), ..steps([echo()]) }
}

fn steps(steps: impl IntoIterator<Item = Step>) -> Plan {
    Plan { steps: steps.into_iter().collect(), then: Flow::Done, keep_going: false, findings: None }
}

fn keep_going(given: impl IntoIterator<Item = Step>) -> Plan {
    Plan { keep_going: true, ..steps(given) }
}

fn bare(action: Action) -> Step {
    Step { action, options: None }
}

fn call(tool: &str, arguments: &str) -> Step {
    bare(Action::CallTool(ToolCall { name: tool.to_owned(), arguments: arguments.to_owned() }))
}

fn echo() -> Step {
    call("echo", "{\"message\": \"hello\"}")
}

fn http(method: &str, path: &str, headers: &[(&str, &str)]) -> HttpRequest {
    HttpRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: None,
        expect_status: Vec::new(),
    }
}

fn nothing_more() -> StepOptions {
    StepOptions { label: None, capture: Vec::new(), want_body: false, timeout_ms: None, meta: None }
}
