//! Loads side by side, classes of users, pace, and the ways in which virtual users come and go.

use super::*;
use crate::judge::BreakingPointFinding;
use crate::plan::{Pool, Rate, ScenarioChoice, Spacing};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_spike_stands_beside_the_load_that_goes_on() {
    let (server, log) = recording();
    let mut plan = plan(constant(1, SECOND * 9));
    let mut spike = plan.scenarios[0].clone();
    spike.name = "spike".into();
    let action = Action::CallTool { tool: "spike".into(), arguments: json!({}) };
    spike.script = Script::Steps(vec![Step { label: None, timeout: None, action }]);
    plan.scenarios.push(spike);
    let rate = Rate::per_second(50.0).unwrap();
    let max_vus = NonZeroU32::new(10).unwrap();
    let pool = Pool { vus: 2, max_vus, max_wait: SECOND, spacing: Spacing::Even };
    let executor = Executor::ConstantArrivalRate { rate, duration: SECOND * 2, pool };
    let mut delayed = Load::simple(executor, SECOND, 2);
    delayed.name = "spike".into();
    delayed.start = SECOND * 3;
    delayed.scenarios = vec![1];
    plan.loads[0].scenarios = vec![0];
    plan.loads.push(delayed);
    let seen = observe(plan, server).await;
    let log = log.lock().unwrap();
    let spikes: Vec<Duration> = log.iter().filter(|(_, tool)| tool == "spike").map(|(at, _)| *at).collect();
    let due: Vec<Duration> = (0..100).map(|number| SECOND * 3 + MILLISECOND * 20 * number).collect();
    assert_eq!(spikes, due);
    assert_eq!(log.len() - spikes.len(), 900, "the other load went on as if alone");
    assert_eq!(seen.window, SECOND * 9);
    assert_eq!(seen.books.iterations_due, 100);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_place_on_a_falling_ramp_ends_the_iteration_first() {
    let stage = |seconds, target| Stage { duration: SECOND * seconds, target };
    let executor = Executor::RampingVus { from: 4, stages: vec![stage(1, 4), stage(1, 0), stage(20, 0)] };
    let mut plan = plan(executor);
    let step = plan.scenarios[0].steps()[0].clone();
    plan.scenarios[0].script = Script::Steps(vec![step.clone(), step.clone(), step]);
    plan.scenarios[0].think_time = Some(ThinkTime::constant(MILLISECOND * 800));
    plan.loads[0].graceful_ramp_down = SECOND * 10;
    let seen = observe(plan.clone(), steady(MILLISECOND * 10)).await;
    assert_eq!((seen.books.iterations_completed, seen.books.iterations_interrupted), (4, 0));
    plan.loads[0].graceful_ramp_down = MILLISECOND * 100;
    let seen = observe(plan, steady(MILLISECOND * 10)).await;
    // Two of them had made their last call.
    assert_eq!((seen.books.iterations_completed, seen.books.iterations_interrupted), (2, 2));
    assert_eq!(seen.books.sessions_opened, seen.books.sessions_closed);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_outlasts_the_grace_of_a_falling_ramp_is_cut_off_and_the_others_are_not() {
    let stage = |seconds, target| Stage { duration: SECOND * seconds, target };
    let executor = Executor::RampingVus { from: 2, stages: vec![stage(1, 1), stage(9, 1)] };
    let mut plan = plan(executor);
    plan.settings.timeout = Duration::from_mins(1);
    plan.loads[0].graceful_ramp_down = SECOND;
    let seen = observe(plan, steady(SECOND * 4)).await;
    let outcomes = seen.metrics.total().outcomes;
    assert_eq!((outcomes.ok(), outcomes.cancelled()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_ramp_of_users_is_met_to_the_millisecond() {
    let stages = vec![Stage { duration: SECOND * 10, target: 10 }];
    let came = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&came);
    let server = MemoryServer::new(move |request| {
        let message: Value = serde_json::from_str(&request.body).unwrap_or_default();
        match message["method"].as_str() {
            Some("initialize") => {
                log.lock().unwrap().push(request.at.elapsed());
                let result =
                    json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "m"}});
                json_reply(Duration::ZERO, &message, &result)
            }
            Some("tools/call") => json_reply(MILLISECOND * 10, &message, &json!({"content": []})),
            _ => accepted(),
        }
    });
    observe(plan(Executor::RampingVus { from: 0, stages }), server).await;
    // The first is that of the preparation. The number rises where the straight line passes a half.
    let came: Vec<u128> = came.lock().unwrap()[1..].iter().map(Duration::as_millis).collect();
    assert_eq!(came, [500, 1500, 2500, 3500, 4500, 5500, 6500, 7500, 8500, 9500]);
}

#[tokio::test(start_paused = true)]
async fn users_start_at_their_rate() {
    let executor = Executor::ConstantVus {
        vus: NonZeroU32::new(10).unwrap(),
        spawn_rate: Rate::per_second(2.0),
        duration: SECOND * 10,
    };
    let seen = observe(plan(executor), steady(MILLISECOND * 100)).await;
    // The area: ten users for ten seconds, without what they came late, half a second more each.
    let calls = seen.metrics.total().outcomes.ok();
    assert!(calls.abs_diff(1000 - 225) <= 10, "{calls}");
    assert_eq!(seen.metrics.timeline()[1].active_vus, 4);
}

#[tokio::test(start_paused = true)]
async fn a_pace_is_kept_and_one_that_cannot_be_is_not_made_up_for() {
    let mut plan = plan(constant(1, SECOND * 10));
    plan.scenarios[0].pacing = Some(SECOND);
    let (server, log) = recording();
    let seen = observe(plan.clone(), server).await;
    let sent: Vec<u128> = log.lock().unwrap().iter().map(|(at, _)| at.as_millis()).collect();
    assert_eq!(sent, (0..10).map(|second| second * 1000).collect::<Vec<_>>());
    assert!(seen.books.idle_time > SECOND * 9);
    assert_eq!(seen.books.iterations_completed, 10);
    let slow = observe(plan, steady(MILLISECOND * 1500)).await;
    assert_eq!(slow.metrics.total().outcomes.ok(), 7);
}

#[tokio::test(start_paused = true)]
async fn users_of_a_class_do_only_what_their_class_does() {
    let (server, log) = recording();
    let mut plan = plan(constant(10, SECOND));
    for name in ["b", "c"] {
        let mut other = plan.scenarios[0].clone();
        other.name = name.into();
        let action = Action::CallTool { tool: name.into(), arguments: json!({}) };
        other.script = Script::Steps(vec![Step { label: None, timeout: None, action }]);
        plan.scenarios.push(other);
    }
    for (scenario, weight) in plan.scenarios.iter_mut().zip([70, 20, 10]) {
        scenario.weight = weight;
    }
    plan.loads[0].scenarios = vec![0, 1, 2];
    plan.settings.scenario_choice = ScenarioChoice::PerVu;
    observe(plan, server).await;
    let log = log.lock().unwrap();
    let calls = |tool: &str| log.iter().filter(|(_, called)| called == tool).count();
    assert_eq!([calls("echo"), calls("b"), calls("c")], [700, 200, 100]);
}

/// A server whose calls take 10 ms as long as less than `most` come per second, and then longer with every second that it is overrun.
fn saturating(most: usize) -> MemoryServer {
    let seen: Arc<Mutex<Vec<Duration>>> = Arc::default();
    server(move |request, message| {
        let mut seen = seen.lock().unwrap();
        let now = request.at.elapsed();
        seen.push(now);
        let recent = seen.iter().rev().take_while(|at| now.saturating_sub(**at) < SECOND).count();
        let factor = if recent > most { 20 } else { 1 };
        json_reply(MILLISECOND * 10 * factor, message, &json!({"content": []}))
    })
}

fn rising(stop: bool) -> Plan {
    let rate = |per_second| Rate::per_second(per_second).unwrap();
    let max_vus = NonZeroU32::new(200).unwrap();
    let pool = Pool { vus: 20, max_vus, max_wait: SECOND, spacing: Spacing::Even };
    let stages = vec![crate::plan::RateStage { duration: SECOND * 60, target: rate(200.0) }];
    let mut plan = plan(Executor::RampingArrivalRate { from: rate(20.0), stages, pool });
    plan.breaking_point.stop = stop;
    plan
}

#[tokio::test(start_paused = true)]
async fn the_point_where_a_server_breaks_is_found_and_the_run_goes_on() {
    let seen = observe(rising(false), saturating(110)).await;
    let BreakingPointFinding::Found(point) = &seen.breaking_point else {
        panic!("{:?}", seen.breaking_point)
    };
    // The rate comes to 110 after 30 s.
    assert!((28..=34).contains(&point.at.as_secs()), "{point:?}");
    assert!((point.rate_per_s - 110.0).abs() < 15.0, "{point:?}");
    assert_eq!((seen.stop, seen.window), (StopReason::Completed, SECOND * 60));
}

#[tokio::test(start_paused = true)]
async fn a_run_may_end_where_the_server_breaks() {
    let seen = observe(rising(true), saturating(110)).await;
    assert_eq!(seen.stop, StopReason::BreakingPoint);
    assert!(seen.window > SECOND * 30 && seen.window < SECOND * 42, "{:?}", seen.window);
}

#[tokio::test(start_paused = true)]
async fn a_steady_load_has_no_breaking_point() {
    let seen = observe(plan(constant(5, SECOND * 20)), saturating(10)).await;
    assert!(
        matches!(seen.breaking_point, BreakingPointFinding::NotLookedFor(_)),
        "{:?}",
        seen.breaking_point
    );
}
