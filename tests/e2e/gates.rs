//! Every gate of validity trips in a situation that really occurs, alone, and holds in one like it that is sound.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::Signal;
use pmcp_loadtest_demo_server::DemoServer;
use serde_json::Value;

use crate::tool::{ECHO, Ended, Tool, let_pass, number, server, text, until};

/// Whoever wants whole cores waits for the others that do.
fn whole_cores() -> MutexGuard<'static, ()> {
    static CORES: Mutex<()> = Mutex::new(());
    CORES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answering_in(milliseconds: u64) -> DemoServer {
    server(&format!(r#"{{"latency": [{{"delay": {{"constant": {{"ms": {milliseconds}}}}}}}]}}"#))
}

/// One gate of a report.
fn gate<'a>(report: &'a Value, name: &str) -> &'a Value {
    let gates = report["validity"].as_array().expect("a list");
    gates.iter().find(|gate| gate["name"] == name).unwrap_or_else(|| panic!("no gate {name}: {gates:#?}"))
}

/// Whether others kept the generator from running for a twentieth of its time.
fn starved(report: &Value) -> bool {
    let workers = report["generator"]["workers"].as_array().expect("a list");
    let sum = |key: &str| workers.iter().map(|worker| number(worker, key)).sum::<u64>();
    sum("/waited_us") * 20 > sum("/wall_us")
}

/// Insists on the gates that failed. On a machine on which others keep the generator from running, more than these may.
fn only_these_failed(report: &Value, names: &[&str]) {
    let gates = report["validity"].as_array().expect("a list").iter();
    let failed: Vec<&str> =
        gates.filter(|gate| gate["state"] == "failed").map(|gate| text(gate, "/name")).collect();
    if starved(report) {
        assert!(names.iter().all(|name| failed.contains(name)), "{failed:?}: {:#}", report["validity"]);
    } else {
        assert_eq!(failed, names, "{:#}", report["validity"]);
    }
}

fn observed(gate: &Value) -> f64 {
    gate["observed"].as_f64().expect("a figure")
}

/// Insists that a run is inconclusive because of this gate and no other; the gate.
fn trips(ended: Ended, name: &str, advice: &str) -> Value {
    let ended = ended.expect(91);
    let report = ended.report();
    only_these_failed(&report, &[name]);
    tripped(&ended, &report, name, advice)
}

/// Insists that a gate failed and says what to change, in the report and in the summary; the gate.
fn tripped(ended: &Ended, report: &Value, name: &str, advice: &str) -> Value {
    let gate = gate(report, name);
    assert_eq!(gate["state"], "failed", "{gate:#}");
    assert!(text(gate, "/advice").contains(advice), "{gate:#}");
    let summary = words(&ended.stdout);
    assert!(summary.contains(&words(text(gate, "/finding"))), "{}", ended.stdout);
    assert!(summary.contains(&words(text(gate, "/advice"))), "{}", ended.stdout);
    gate.clone()
}

/// A text without its line breaks.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Insists that a gate held in a run that was judged; the gate.
fn holds(ended: Ended, name: &str) -> Value {
    let report = ended.judged().report();
    let gate = gate(&report, name);
    assert_eq!(gate["state"], "passed", "{gate:#}");
    gate.clone()
}

#[test]
fn a_generator_with_more_to_do_than_its_thread_can_is_found_out() {
    let _cores = whole_cores();
    // The second transport costs more than the demo server does.
    let run = |server: &DemoServer, words: &str| {
        Tool::run(server, &format!("--workers 1 --transport reqwest --duration 2s {words}")).echoing().end()
    };
    let ended = run(&server("{}"), "--vus 40").expect(91);
    let report = ended.report();
    only_these_failed(&report, &["generator_cpu", "busiest_worker"]);
    let cpu = tripped(&ended, &report, "generator_cpu", "lower the load");
    assert!((0.8..=1.1).contains(&observed(&cpu)), "{cpu:#}");
    tripped(&ended, &report, "busiest_worker", "--workers");
    let idle = holds(run(&answering_in(50), "--vus 2"), "generator_cpu");
    assert!(observed(&idle) < 0.8, "{idle:#}");
}

#[test]
fn one_worker_that_carries_everything_is_found_out_though_the_other_idles() {
    let _cores = whole_cores();
    // The only virtual user of a load is on the first worker: so are all of these. The second has one that thinks.
    let run = |server: &DemoServer, think_time: &str| {
        let load = |name: &str, vus: u32, scenario: &str| {
            format!(
                "[[load]]\nname = \"{name}\"\nexecutor = \"constant-vus\"\nvus = {vus}\nduration = \"2s\"\n\
                 scenarios = [\"{scenario}\"]\n"
            )
        };
        let loads: String = (0..16).map(|number| load(&number.to_string(), 1, "busy")).collect();
        let scenario = |name: &str, pause: &str| {
            ECHO.replace("type", &format!("name = \"{name}\"\nthink_time = \"{pause}\"\ntype"))
        };
        let config =
            [loads, load("calm", 2, "calm"), scenario("busy", think_time), scenario("calm", "200ms")];
        Tool::run(server, "--workers 2 --transport reqwest").config(&config.concat()).end()
    };
    let server = server("{}");
    let ended = run(&server, "0s").expect(91);
    let report = ended.report();
    // Where both wait for a CPU, it may be both that fail, or the server that is too slow to keep one of them busy.
    if !starved(&report) {
        only_these_failed(&report, &["busiest_worker"]);
        tripped(&ended, &report, "busiest_worker", "--workers");
    }
    let busy = |worker: usize| number(&report, &format!("/generator/workers/{worker}/cpu_us"));
    assert!(busy(0) > 5 * busy(1), "{:#}", report["generator"]);
    holds(run(&server, "200ms"), "busiest_worker");
}

/// A stall of a second, in a load of four.
const STALL: &str =
    r#"{"latency": [{"delay": {"constant": {"ms": 3}}}], "stalls": [{"from_ms": 1000, "to_ms": 2000}]}"#;

#[test]
fn arrivals_that_wait_for_a_virtual_user_are_sent_late() {
    let run = |words: &str| {
        Tool::run(&server(STALL), &format!("--rate 100/s --duration 4s {words}")).echoing().end()
    };
    let late = trips(run("--vus 2 --max-vus 2"), "send_lateness", "raise max_vus");
    // All but the first two of the stall's hundred waited for its end.
    assert!((500_000.0..1_500_000.0).contains(&observed(&late)), "{late:#}");
    assert!(observed(&late) > 10.0 * late["bound"].as_f64().expect("a bound"), "{late:#}");
    holds(run("--vus 150 --max-vus 150"), "send_lateness");
}

#[test]
fn arrivals_that_find_no_virtual_user_in_time_are_not_sent() {
    let run = |max_vus: u32| {
        let load = format!(
            "[load]\nexecutor = \"constant-arrival-rate\"\nrate = \"100/s\"\nduration = \"2s\"\nvus = {max_vus}\nmax_vus = {max_vus}\n\
             max_wait = \"1ms\"\n"
        );
        Tool::run(&answering_in(60), "").config(&format!("{load}{ECHO}")).end()
    };
    let ended = run(2);
    let report = ended.report();
    let due_sent = trips(ended, "due_sent", "raise max_vus");
    let share = |key: &str| report.pointer(key).and_then(Value::as_f64).expect("a number") / 200.0;
    assert!((observed(&due_sent) - share("/books/iterations_started")).abs() < 1e-6, "{due_sent:#}");
    assert!((1.0 - observed(&due_sent) - share("/books/dropped/no_free_vu")).abs() < 0.02, "{due_sent:#}");
    // Two can begin 33 in a second, of 100.
    assert!(observed(&due_sent) < 0.4, "{due_sent:#}");
    // Enough of them for a machine that is slow at times.
    assert!((0.995..=1.0).contains(&observed(&holds(run(60), "due_sent"))));
}

/// Opens so many files before it becomes the tool: whoever starts a program may leave it such.
const LEAVES_FILES_OPEN: &str =
    r#"ulimit -n "$0"; for file in $(seq 20 "$1"); do eval "exec $file</dev/null"; done; shift; exec "$@""#;

#[test]
fn calls_that_lack_a_descriptor_are_the_generators_fault() {
    // 30 virtual users need 94, by the check before the run.
    let run = |left_open: &str| {
        let server = server("{}");
        let starter = ["bash", "-c", LEAVES_FILES_OPEN, "110", left_open];
        let words = "--vus 30 --connection per-request --iterations 300 --workers 1 --protocol 2025-11-25";
        Tool::run(&server, words).echoing().started_by(&starter).end()
    };
    let lacking = trips(run("100"), "generator_limits", "ulimit -n");
    assert!(text(&lacking, "/finding").contains("found no free file descriptor"), "{lacking:#}");
    assert!(observed(&lacking) >= 1.0, "{lacking:#}");
    assert!(observed(&holds(run("20"), "generator_limits")).abs() < f64::EPSILON);
}

#[test]
fn a_limit_that_is_too_low_for_the_virtual_users_is_told_before_anything_is_sent() {
    let server = server("{}");
    let starter = ["bash", "-c", r#"ulimit -n 80; exec "$0" "$@""#];
    let ended = Tool::run(&server, "--vus 30 --iterations 30").echoing().started_by(&starter).end().expect(2);
    assert!(ended.stderr.contains("ulimit -n 94"), "{}", ended.stderr);
    assert_eq!(server.counters().connections, 0);
}

#[cfg(feature = "plugins")]
#[test]
fn plugin_calls_that_keep_a_thread_from_its_answers_are_found_out() {
    use crate::hostile_plugins::scenario;

    let run = |how: &str| {
        let words = "--vus 2 --workers 1 --duration 3s";
        Tool::run(&answering_in(50), words).config(&scenario(how)).end()
    };
    let delaying = trips(run("slower"), "plugin_time", "let the plugin do less");
    assert!((0.01..1.0).contains(&observed(&delaying)), "{delaying:#}");
    assert!(text(&delaying, "/finding").ends_with("in plugin slower"), "{delaying:#}");
    holds(run("well-behaved"), "plugin_time");
}

#[test]
fn time_in_which_the_generator_stood_still_is_not_explained() {
    // Of different lengths, so that at any moment most virtual users think: what stands still while a call is under way passes for the
    // server's time.
    let scenario = ECHO.replace("type", "think_time = \"20ms..100ms\"\ntype");
    let run = |server: &DemoServer| {
        Tool::run(server, "--vus 8 --duration 4s --workers 1 --protocol 2025-11-25").config(&scenario)
    };
    let held_up = answering_in(1);
    let running = run(&held_up).start();
    until("every virtual user is at work", || held_up.counters().requested("tools/call") > 120);
    // As when a machine is suspended or a container is throttled.
    running.signal(Signal::SIGSTOP);
    let_pass(Duration::from_millis(1500));
    running.signal(Signal::SIGCONT);
    let ended = running.end().expect(91);
    let report = ended.report();
    only_these_failed(&report, &["standing_still", "littles_law"]);
    let still = tripped(&ended, &report, "standing_still", "suspends or throttles");
    assert!((0.15..0.45).contains(&observed(&still)), "{still:#}");
    let unexplained = tripped(&ended, &report, "littles_law", "held up by the generator");
    // A second and a half of four, whatever little was no thinking.
    assert!((0.15..0.45).contains(&observed(&unexplained)), "{unexplained:#}");
    holds(run(&answering_in(1)).end(), "littles_law");
}

#[test]
fn too_few_calls_decide_nothing() {
    let server = answering_in(1);
    let run = |iterations: u32| {
        let words =
            format!("run {} --progress none --color never --vus 2 --iterations {iterations}", server.url());
        Tool::new(&words).config(&format!("[settings]\nmin_samples = 50\n{ECHO}")).end()
    };
    let samples = trips(run(49), "samples", "run longer");
    assert!((observed(&samples) - 49.0).abs() < f64::EPSILON && samples["bound"] == 50.0, "{samples:#}");
    holds(run(50), "samples");
}
