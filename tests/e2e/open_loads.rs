//! Open loads seen from the server: what was due was sent or is counted as dropped, whatever the server does and whoever sends it.

use std::collections::BTreeMap;

use pmcp_loadtest_demo_server::DemoServer;
use serde_json::Value;

use crate::tool::{ECHO, Tool, number, server, text};

const QUICK: &str = r#"{"latency": [{"delay": {"constant": {"ms": 3}}}]}"#;

fn books(report: &Value, key: &str) -> u64 {
    number(report, &format!("/books/{key}"))
}

fn dropped(report: &Value) -> u64 {
    books(report, "dropped/no_free_vu") + books(report, "dropped/run_ended")
}

/// Balances the books of iterations of one step each among themselves, and with those of the server.
fn balance(report: &Value, server: &DemoServer, what: &str) {
    let [due, started] = ["iterations_due", "iterations_started"].map(|key| books(report, key));
    assert_eq!(due, started + dropped(report), "{what}: due\n{:#}", report["books"]);
    let ended = ["completed", "interrupted", "failed"].map(|how| books(report, &format!("iterations_{how}")));
    assert_eq!(started, ended.iter().sum::<u64>(), "{what}: started\n{:#}", report["books"]);
    let calls = number(report, "/totals/requests") + number(report, "/totals/cancelled");
    let counters = server.counters();
    assert_eq!(counters.requested("tools/call"), calls + books(report, "stale_retries"), "{what}: calls");
    assert_eq!(counters.sessions_opened, books(report, "sessions_opened"), "{what}: sessions opened");
    assert_eq!(counters.sessions_closed, books(report, "sessions_closed"), "{what}: sessions closed");
    assert_eq!(counters.connections, books(report, "connections_opened"), "{what}: connections");
    assert_eq!(counters.in_flight, 0, "{what}: nothing is left behind");
    let seconds = report["timeline"].as_array().expect("a list");
    let by_second = |key: &str| seconds.iter().map(|second| number(second, key)).sum::<u64>();
    assert_eq!(by_second("/iterations_due"), due, "{what}: the timeline's due");
    assert_eq!(by_second("/dropped"), dropped(report), "{what}: the timeline's dropped");
}

#[test]
fn rates_and_ramps_of_either_spacing_balance_with_any_number_of_workers() {
    for (shape, least, most) in [
        ("--rate 150/s --duration 1s", 150, 150),
        // Of a ramp as many as the area under it: 1 s at 100/s on average, and half a second at 200/s.
        ("--stage 1s:200/s --stage 500ms:200/s", 199, 201),
        // Six standard deviations around 150.
        ("--rate 150/s --duration 1s --arrivals poisson", 77, 223),
    ] {
        let mut due = Vec::new();
        for workers in [1, 2, 4] {
            let server = server(QUICK);
            let words = format!("{shape} --workers {workers} --protocol 2025-11-25 --vus 20 --max-vus 200");
            let report = Tool::run(&server, &words).echoing().end().judged().report();
            balance(&report, &server, &words);
            assert_eq!(text(&report, "/manifest/load_model"), "open");
            due.push(books(&report, "iterations_due"));
        }
        assert!((least..=most).contains(&due[0]), "{shape}: {due:?}");
        assert!(due.iter().all(|number| *number == due[0]), "{shape}: {due:?}");
    }
}

/// A background and a spike of two seconds that begins a second after it, each with a tool of its own.
const SIDE_BY_SIDE: &str = r#"
[[load]]
name = "background"
executor = "constant-arrival-rate"
rate = "40/s"
duration = "3s"
max_vus = 60
scenarios = ["calm"]
[[load]]
name = "spike"
executor = "ramping-arrival-rate"
stages = [{ duration = "500ms", target = "200/s" }, { duration = "500ms", target = "0/s" }]
start = "1s"
max_vus = 100
scenarios = ["hasty"]
[[scenario]]
name = "calm"
type = "tools/call"
tool = "echo"
arguments = { message = "calm" }
[[scenario]]
name = "hasty"
type = "tools/call"
tool = "echo"
arguments = { message = "hasty" }
"#;

#[test]
fn a_background_and_a_delayed_spike_are_each_what_was_asked_for() {
    let server = server(r#"{"log_calls": true, "latency": [{"delay": {"constant": {"ms": 3}}}]}"#);
    let ended = Tool::run(&server, "--protocol 2025-11-25").config(SIDE_BY_SIDE).end().judged();
    let report = ended.report();
    balance(&report, &server, "side by side");
    assert_eq!(books(&report, "iterations_due"), 220);
    if dropped(&report) == 0 {
        let calls = server.counters().calls;
        let counts: Vec<u64> = calls.values().copied().collect();
        assert_eq!(counts, [120, 100], "{calls:?}");
    }
    // Nothing of the spike before its time, all of it within a second.
    let due: Vec<u64> =
        (0..3).map(|second| number(&report, &format!("/timeline/{second}/iterations_due"))).collect();
    assert!(due[1] > due[0] + 50 && due[1] > due[2] + 50, "{due:?}");
}

#[test]
fn sessions_arrive_with_their_iterations_where_each_has_its_own() {
    let server = server(QUICK);
    let words =
        "--rate 60/s --duration 1s --session per-iteration --protocol 2025-11-25 --vus 10 --max-vus 60";
    let report = Tool::run(&server, words).echoing().end().judged().report();
    balance(&report, &server, words);
    // The preparation has one of its own.
    assert_eq!(books(&report, "sessions_opened"), books(&report, "iterations_started") + 1);
    assert_eq!(books(&report, "sessions_opened"), books(&report, "sessions_closed"));
}

/// Classes of users with weights, each with arguments of its own.
fn classes(choice: &str) -> String {
    let class = |(name, weight): (&str, u32)| {
        format!(
            "[[scenario]]\nname = \"{name}\"\nweight = {weight}\n\
             [[scenario.step]]\ntype = \"tools/call\"\ntool = \"echo\"\narguments = {{ message = \"{name}\" }}\n\
             [[scenario.step]]\ntype = \"tools/call\"\ntool = \"add\"\narguments = {{ a = {weight}, b = 1 }}\n"
        )
    };
    let all: String = [("light", 60), ("usual", 30), ("heavy", 10)].map(class).concat();
    format!("[settings]\nscenario_choice = \"{choice}\"\nseed = 11\n{all}")
}

/// What the server was sent, by name and arguments.
fn sent(words: &str, config: &str) -> BTreeMap<String, u64> {
    let server = server(r#"{"log_calls": true, "latency": [{"delay": {"constant": {"ms": 2}}}]}"#);
    let report = Tool::run(&server, words).config(config).end().judged().report();
    assert_eq!(dropped(&report), 0, "{words}: {:#}", report["books"]);
    server.counters().calls
}

#[test]
fn any_number_of_workers_and_any_shards_send_the_same_requests() {
    for (choice, spacing) in [("per-iteration", "even"), ("per-vu", "poisson")] {
        // Nothing is due in the last part, so that all that was has begun by the end.
        let words = format!(
            "--stage 800ms:200/s --stage 10ms:0/s --stage 600ms:0/s --arrivals {spacing} --vus 24 --max-vus 300"
        );
        let config = classes(choice);
        let parts = ["--workers 1", "--workers 2", "--workers 4"].map(str::to_owned);
        let shards = (1..=3).map(|shard| format!("--workers 2 --shard {shard}/3"));
        let mut sent: Vec<BTreeMap<String, u64>> = std::thread::scope(|scope| {
            let run = |part: String| {
                let (words, config) = (&words, &config);
                scope.spawn(move || sent(&format!("{words} {part}"), config))
            };
            let running: Vec<_> = parts.into_iter().chain(shards).map(run).collect();
            running.into_iter().map(|run| run.join().expect("no panic")).collect()
        });
        let mut merged = BTreeMap::new();
        for (call, count) in sent.drain(3..).flatten() {
            *merged.entry(call).or_default() += count;
        }
        assert_eq!(merged.len(), 6, "{choice} {spacing}: {merged:?}");
        assert!(sent.iter().all(|whole| *whole == merged), "{choice} {spacing}: {merged:?} {sent:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_open_run_that_is_interrupted_balances() {
    use nix::sys::signal::Signal;

    use crate::tool::until;

    let server = server(r#"{"latency": [{"delay": {"constant": {"ms": 100}}}]}"#);
    let words = format!(
        "run {} --progress plain --protocol 2025-11-25 --rate 50/s --max-vus 60 --duration 1h",
        server.url()
    );
    let running = Tool::new(&words).echoing().start();
    until("calls are being served", || server.counters().requested("tools/call") >= 30);
    running.signal(Signal::SIGINT);
    let ended = running.end().expect(130);
    let report = ended.report();
    balance(&report, &server, "interrupted");
    assert_eq!(text(&report, "/manifest/stop"), "interrupted");
    assert_eq!(number(&report, "/totals/cancelled"), 0, "what ran was waited for");
    // What would have been due in the rest of the hour is not missing.
    assert!(books(&report, "iterations_due") < 10_000, "{:#}", report["books"]);
    assert!(ended.stdout.contains("interrupted after"), "{}", ended.stdout);
}

#[test]
fn a_server_that_dies_in_an_open_run_ends_it_and_the_books_still_balance() {
    let server = server(r#"{"latency": [{"delay": {"constant": {"ms": 3}}}], "die_at_ms": 1200}"#);
    let words = "--rate 50/s --max-vus 20 --duration 60s --timeout 1s --protocol 2025-11-25";
    let ended = Tool::run(&server, words).echoing().end();
    let report = ended.report();
    assert_eq!(text(&report, "/manifest/stop"), "target_lost", "{}", ended.stdout);
    let [due, started] = ["iterations_due", "iterations_started"].map(|key| books(&report, key));
    assert_eq!(due, started + dropped(&report), "{:#}", report["books"]);
    let ended_as =
        ["completed", "interrupted", "failed"].map(|how| books(&report, &format!("iterations_{how}")));
    assert_eq!(started, ended_as.iter().sum::<u64>(), "{:#}", report["books"]);
    assert!(number(&report, "/totals/failed_by_class/transport") > 0, "{:#}", report["totals"]);
    assert!(number(&report, "/totals/ok") <= server.counters().answered("ok"));
    assert!(report["duration_secs"].as_f64().expect("seconds") < 40.0, "{}", report["duration_secs"]);
    assert!(!matches!(ended.code, Some(0)), "{}", ended.stdout);
}

#[test]
fn a_stall_of_the_server_stands_in_the_response_time_and_not_in_the_service_time() {
    let server = server(
        r#"{"latency": [{"delay": {"constant": {"ms": 3}}}], "stalls": [{"from_ms": 1000, "to_ms": 2000}]}"#,
    );
    let words = "--rate 60/s --vus 2 --max-vus 2 --duration 3s --protocol 2025-11-25";
    let ended = Tool::run(&server, words).echoing().end().judged();
    let report = ended.report();
    balance(&report, &server, words);
    let p90 = |clock: &str| number(&report, &format!("/totals/{clock}/p90_us"));
    // Two calls hung; a third of all were due meanwhile and waited on average half of it.
    assert!(p90("response_time") > 400_000, "{}", ended.stdout);
    assert!(p90("response_time") > 5 * p90("service_time"), "{}", ended.stdout);
    assert!(books(&report, "iterations_waited") >= 40, "{:#}", report["books"]);
    assert!(ended.stdout.contains("response time") && ended.stdout.contains("service time"));
}

#[test]
fn a_falling_ramp_of_virtual_users_lets_them_end_what_they_began() {
    let config = |grace: &str| {
        format!(
            "[load]\nexecutor = \"ramping-vus\"\nstart_vus = 8\ngraceful_ramp_down = \"{grace}\"\n\
             stages = [{{ duration = \"300ms\", target = 8 }}, {{ duration = \"200ms\", target = 1 }}, {{ duration = \"1500ms\", target = 1 }}]\n\
             {ECHO}"
        )
    };
    let run = |grace: &str| {
        let server = server(
            r#"{"latency": [{"delay": {"constant": {"ms": 700}}, "only": {"method": "tools/call"}}]}"#,
        );
        let report =
            Tool::run(&server, "--protocol 2025-11-25").config(&config(grace)).end().judged().report();
        let counters = server.counters();
        let calls = number(&report, "/totals/requests") + number(&report, "/totals/cancelled");
        assert_eq!(counters.requested("tools/call"), calls, "{grace}");
        assert_eq!(counters.sessions_opened, counters.sessions_closed, "{grace}");
        report
    };
    assert_eq!(number(&run("10s"), "/totals/cancelled"), 0);
    let cut_off = run("0s");
    assert_eq!(number(&cut_off, "/totals/cancelled"), 7, "{:#}", cut_off["books"]);
    assert_eq!(books(&cut_off, "iterations_interrupted"), 7);
}
