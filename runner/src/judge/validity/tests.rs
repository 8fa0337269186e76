use super::*;
use crate::judge::fixtures::{Run, plan};
use crate::judge::{Books, Outcome, PluginMetrics};

fn gate(name: GateName, run: Run) -> Gate {
    let gates = judge_validity(&plan(), &run.finish());
    gates.into_iter().find(|gate| gate.name == name).unwrap()
}

fn sound() -> Run {
    Run::new().calls("search", 1000, 10, Outcome::Ok)
}

fn books(vu_seconds: u64, explained_seconds: f64) -> Books {
    Books {
        vu_time: Duration::from_secs(vu_seconds),
        service_time: Duration::from_secs_f64(explained_seconds),
        ..Books::default()
    }
}

#[test]
fn a_sound_run_holds_every_gate_and_needs_no_advice() {
    for gate in judge_validity(&plan(), &sound().finish()) {
        assert_eq!((gate.state, gate.advice), (GateState::Passed, None), "{:?}", gate.name);
    }
}

#[test]
fn a_busy_generator_fails_its_gate_with_advice() {
    let gate = gate(GateName::GeneratorCpu, sound().busy(&[0.85, 0.85]));
    assert!(gate.failed());
    assert!((gate.observed.unwrap() - 0.85).abs() < 1e-9);
    assert!(gate.advice.unwrap().contains("--workers"));
}

#[test]
fn a_worker_that_others_keep_from_running_is_as_bad_as_a_busy_one() {
    let starved = gate(GateName::GeneratorCpu, sound().busy(&[0.45, 0.45]).kept_waiting(0.4));
    assert!(starved.failed(), "{starved:?}");
    assert_eq!(
        starved.finding,
        "worker threads used 45.0 % of their CPU time and waited for a free CPU in 40.0 %"
    );
    assert!(starved.advice.unwrap().contains("a machine of its own"));
    let busiest = |waiting| gate(GateName::BusiestWorker, sound().busy(&[0.5, 0.1]).kept_waiting(waiting));
    assert!(busiest(0.45).failed());
    assert_eq!(busiest(0.3).state, GateState::Passed);
    assert_eq!(busiest(0.001).finding, "the busiest worker thread was busy 50.0 % of the time");
}

#[test]
fn one_full_worker_is_seen_though_the_others_idle() {
    let run = || sound().busy(&[0.95, 0.05]);
    assert_eq!(gate(GateName::GeneratorCpu, run()).state, GateState::Passed);
    assert!(gate(GateName::BusiestWorker, run()).failed());
}

#[test]
fn a_worker_that_only_just_started_is_not_called_busy() {
    for name in [GateName::GeneratorCpu, GateName::BusiestWorker] {
        let run = || sound().busy(&[0.95, 0.95]);
        assert_eq!(gate(name, run()).state, GateState::Failed);
        assert_eq!(
            gate(name, run().lasting(Duration::from_millis(200)).busy(&[0.95, 0.95])).state,
            GateState::NotJudged
        );
    }
}

#[test]
fn a_generator_whose_cpu_time_is_unknown_is_not_judged() {
    assert_eq!(gate(GateName::GeneratorCpu, sound().busy(&[])).state, GateState::NotJudged);
    assert_eq!(gate(GateName::BusiestWorker, sound().busy(&[])).state, GateState::NotJudged);
}

#[test]
fn virtual_users_time_that_nothing_explains_fails_littles_law() {
    assert_eq!(gate(GateName::LittlesLaw, sound().books(books(200, 191.0))).state, GateState::Passed);
    assert!(gate(GateName::LittlesLaw, sound().books(books(200, 180.0))).failed());
}

#[test]
fn more_time_explained_than_there_was_fails_littles_law() {
    assert!(gate(GateName::LittlesLaw, sound().books(books(200, 220.0))).failed());
}

#[test]
fn own_work_of_a_hundred_microseconds_per_call_is_no_fault() {
    // 20,000 calls in 10 s of virtual users' time: 2 s are 100 us each.
    let run = |explained| Run::new().calls("search", 20_000, 1, Outcome::Ok).books(books(10, explained));
    assert_eq!(gate(GateName::LittlesLaw, run(8.1)).state, GateState::Passed);
    assert!(gate(GateName::LittlesLaw, run(7.9)).failed());
}

#[test]
fn thinking_connecting_and_backing_off_explain_time_too() {
    let second = Duration::from_secs(50);
    let all = Books { think_time: second, connect_time: second, backoff_time: second, ..books(200, 50.0) };
    assert_eq!(gate(GateName::LittlesLaw, sound().books(all)).state, GateState::Passed);
}

#[test]
fn time_in_plugins_explains_time_too_and_is_named_where_there_was_any() {
    let without = gate(GateName::LittlesLaw, sound().books(books(200, 150.0)));
    assert!(without.failed());
    assert!(!without.finding.contains("plugin"), "{}", without.finding);
    let plugin_time = Duration::from_secs(50);
    let with = gate(GateName::LittlesLaw, sound().books(Books { plugin_time, ..books(200, 150.0) }));
    assert_eq!(with.state, GateState::Passed);
    assert!(with.finding.ends_with("thinking, backing off and running plugins"), "{}", with.finding);
}

/// A plugin with `calls` calls of so many milliseconds each.
fn guest(calls: u64, milliseconds: u64) -> PluginMetrics {
    let mut metrics = PluginMetrics { iterations: calls, instances: 2, ..PluginMetrics::default() };
    (0..calls).for_each(|_| metrics.record_call(milliseconds * 1_000_000));
    metrics
}

#[test]
fn a_run_without_plugins_has_no_gate_for_them() {
    let gates = judge_validity(&plan(), &sound().finish());
    assert!(gates.iter().all(|gate| gate.name != GateName::PluginTime));
}

#[test]
fn plugin_calls_fail_their_gate_when_they_are_long_and_many() {
    // Two workers had 20 s; 1 % of them is 200 ms. What is tolerated is 5 % of the service time's p99: 1.47 ms.
    let table = [
        ("long and many", guest(100, 5), GateState::Failed),
        ("long but few", guest(30, 5), GateState::Passed),
        ("many but short", guest(2_000, 1), GateState::Passed),
        ("none", PluginMetrics::default(), GateState::Passed),
    ];
    for (what, metrics, state) in table {
        let gate = gate(GateName::PluginTime, sound().plugin("shopper", metrics));
        assert_eq!((gate.state, gate.advice.is_some()), (state, state == GateState::Failed), "{what}");
    }
}

#[test]
fn a_few_long_calls_among_many_short_ones_count_with_their_own_time() {
    // The 99th percentile is 10 us, and yet answers wait half a second for five calls.
    let mut metrics = guest(5, 500);
    (0..10_000).for_each(|_| metrics.record_call(10_000));
    assert!(gate(GateName::PluginTime, sound().plugin("shopper", metrics)).failed());
}

#[test]
fn calls_that_start_something_delay_answers_as_any_other() {
    let mut metrics = PluginMetrics::default();
    (0..20).for_each(|_| metrics.record_start(100_000_000));
    assert!(gate(GateName::PluginTime, sound().plugin("shopper", metrics)).failed());
}

#[test]
fn how_long_a_plugin_call_may_be_follows_the_server() {
    let slow = |metrics| Run::new().calls("search", 1000, 1000, Outcome::Ok).plugin("shopper", metrics);
    assert_eq!(gate(GateName::PluginTime, slow(guest(100, 5))).state, GateState::Passed);
    assert!(gate(GateName::PluginTime, slow(guest(10, 500))).failed());
}

#[test]
fn the_finding_names_the_plugin_that_had_the_most_time() {
    let run = sound().plugin("browser", guest(10, 5)).plugin("shopper", guest(100, 5));
    let gate = gate(GateName::PluginTime, run);
    assert!((gate.observed.unwrap() - 0.0275).abs() < 1e-4, "{gate:?}");
    assert_eq!(
        gate.finding,
        "2.7 % of the worker threads' time went by in plugin calls of more than 1.47 ms, most of it in plugin shopper"
    );
}

#[test]
fn plugins_are_not_judged_on_workers_whose_time_is_unknown_or_short() {
    let run = || sound().plugin("shopper", guest(1, 5));
    assert_eq!(gate(GateName::PluginTime, run().busy(&[])).state, GateState::NotJudged);
    let short = run().lasting(Duration::from_millis(200)).busy(&[0.5, 0.5]);
    assert_eq!(gate(GateName::PluginTime, short).state, GateState::NotJudged);
}

#[test]
fn too_little_time_is_not_balanced() {
    let gate = gate(GateName::LittlesLaw, sound().books(books(4, 1.0)));
    assert_eq!(gate.state, GateState::NotJudged);
    assert!(gate.finding.contains("4.00 s"), "{}", gate.finding);
}

#[test]
fn calls_sent_late_fail_and_the_bound_follows_the_server() {
    let late = |service| Run::new().calls_sent_late("search", 1000, service, Duration::from_millis(20));
    assert!(gate(GateName::SendLateness, late(10)).failed());
    assert_eq!(gate(GateName::SendLateness, late(1000)).state, GateState::Passed);
}

#[test]
fn lateness_that_connecting_explains_is_not_held_against_the_generator() {
    let run = Run::new()
        .calls_sent_late("search", 1000, 10, Duration::from_millis(20))
        .books(Books { connections_opened: 1000, ..books(200, 198.0) });
    assert_eq!(gate(GateName::SendLateness, run).state, GateState::NotJudged);
}

#[test]
fn more_late_calls_than_connections_are_held_against_the_generator() {
    let run = |on_time, late, connections_opened| {
        Run::new()
            .calls("search", on_time, 10, Outcome::Ok)
            .calls_sent_late("search", late, 10, Duration::from_millis(20))
            .books(Books { connections_opened, ..books(200, 198.0) })
    };
    assert_eq!(gate(GateName::SendLateness, run(1000, 40, 50)).state, GateState::NotJudged);
    assert!(gate(GateName::SendLateness, run(1000, 100, 50)).failed());
    let few = gate(GateName::SendLateness, run(100, 40, 50));
    assert_eq!(few.state, GateState::NotJudged, "fewer than a hundred calls are left to judge by");
    assert_eq!(few.finding, "50 connections were opened for 140 calls, and connecting is part of it");
}

#[test]
fn exhausted_ports_and_descriptors_are_told_apart() {
    let fails = |fault| sound().calls("search", 3, 1, Outcome::Transport(fault));
    let ports = gate(GateName::GeneratorLimits, fails(TransportFault::NoPort));
    assert!(ports.failed());
    assert_eq!(ports.finding, "3 calls found no free local port");
    let descriptors = gate(GateName::GeneratorLimits, fails(TransportFault::NoDescriptor));
    assert!(descriptors.advice.unwrap().contains("ulimit"));
}

#[test]
fn a_refused_connection_is_the_servers_doing() {
    let run = sound().calls("search", 3, 1, Outcome::Transport(TransportFault::Refused));
    assert_eq!(gate(GateName::GeneratorLimits, run).state, GateState::Passed);
}

#[test]
fn a_port_that_a_handshake_lacked_counts() {
    let run = sound().handshakes(2, 1, Outcome::Transport(TransportFault::NoPort));
    assert!(gate(GateName::GeneratorLimits, run).failed());
}
