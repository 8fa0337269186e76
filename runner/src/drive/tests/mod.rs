//! The engine in virtual time: a minute of load in milliseconds, exact to the nanosecond.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::LocalSet;

mod capacity;
mod open;
mod shapes;

use super::transport::{MemoryReply, MemoryRequest, MemoryServer};
use super::{Controls, StopRequest, prepare_in_memory};
use crate::error::ExitCode;
use crate::judge::{Books, Observation, Outcome, StopReason};
use crate::plan::{
    Action, BreakingPointRule, Executor, HttpStep, Load, Plan, Protocol, Revision, Scenario, Script,
    SeriesId, SessionPolicy, Settings, Stage, Step, Stripe, Target, ThinkTime,
};

const MILLISECOND: Duration = Duration::from_millis(1);

fn plan(executor: Executor) -> Plan {
    let step = Step {
        label: None,
        timeout: None,
        action: Action::CallTool { tool: "echo".into(), arguments: json!({"message": "hi"}) },
    };
    Plan {
        target: Target {
            url: "http://memory/mcp".parse().unwrap(),
            headers: Vec::new(),
            protocol: Protocol::Pinned(Revision::V2025_11_25),
            elicitation: false,
        },
        settings: Settings { workers: NonZeroUsize::MIN, ..Settings::default() },
        loads: vec![Load::simple(executor, Duration::from_secs(30), 1)],
        shard: Stripe::WHOLE,
        breaking_point: BreakingPointRule::default(),
        scenarios: vec![Scenario {
            name: "echo".into(),
            weight: 1,
            think_time: None,
            pacing: None,
            script: Script::Steps(vec![step]),
        }],
        thresholds: Vec::new(),
    }
}

fn constant(vus: u32, duration: Duration) -> Executor {
    Executor::ConstantVus { vus: NonZeroU32::new(vus).unwrap(), spawn_rate: None, duration }
}

fn json_reply(after: Duration, request: &Value, result: &Value) -> MemoryReply {
    let body = json!({"jsonrpc": "2.0", "id": request["id"], "result": result}).to_string();
    let session_id = (request["method"] == "initialize").then(|| "s1".to_owned());
    MemoryReply::Response { after, status: 200, content_type: "application/json", session_id, body }
}

fn accepted() -> MemoryReply {
    MemoryReply::Response {
        after: Duration::ZERO,
        status: 202,
        content_type: "",
        session_id: None,
        body: String::new(),
    }
}

/// A session-era server whose calls take what `call` says.
fn server(call: impl Fn(&MemoryRequest, &Value) -> MemoryReply + Send + Sync + 'static) -> MemoryServer {
    MemoryServer::new(move |request| {
        let message: Value = serde_json::from_str(&request.body).unwrap_or_default();
        match message["method"].as_str() {
            Some("initialize") => {
                let result =
                    json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "m"}});
                json_reply(Duration::ZERO, &message, &result)
            }
            Some("notifications/initialized") | None => accepted(),
            Some(_) => call(request, &message),
        }
    })
}

fn steady(after: Duration) -> MemoryServer {
    server(move |_, message| json_reply(after, message, &json!({"content": []})))
}

async fn observe_until(plan: Plan, server: MemoryServer, stop: watch::Receiver<StopRequest>) -> Observation {
    LocalSet::new()
        .run_until(async {
            let prepared = prepare_in_memory(Arc::new(plan), server).await.unwrap();
            prepared.run_here(Controls { stop, snapshots: watch::channel(None).0, pieces: None }, None).await
        })
        .await
}

async fn observe(plan: Plan, server: MemoryServer) -> Observation {
    let (_keep, stop) = watch::channel(StopRequest::None);
    observe_until(plan, server, stop).await
}

/// When each call came, and for which tool.
type Log = Arc<Mutex<Vec<(Duration, String)>>>;

/// A server that keeps a log of its calls.
fn recording() -> (MemoryServer, Log) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let server = server(move |request, message| {
        log.lock()
            .unwrap()
            .push((request.at.elapsed(), message["params"]["name"].as_str().unwrap_or_default().to_owned()));
        json_reply(MILLISECOND * 10, message, &json!({"content": []}))
    });
    (server, seen)
}

#[tokio::test(start_paused = true)]
async fn a_steady_server_is_measured_exactly() {
    let seen = observe(plan(constant(4, Duration::from_secs(10))), steady(MILLISECOND * 100)).await;
    let total = seen.metrics.total();
    assert_eq!(total.outcomes.ok(), 400);
    assert_eq!(total.outcomes.errors(), 0);
    for quantile in [0.01, 0.5, 1.0] {
        let response = total.response_time.quantile(quantile).unwrap();
        assert!(response.abs_diff(MILLISECOND * 100) <= MILLISECOND / 10, "p{quantile}: {response:?}");
    }
    assert_eq!((seen.books.sessions_opened, seen.books.sessions_closed), (5, 5));
    assert_eq!((seen.books.iterations_started, seen.books.iterations_completed), (400, 400));
    assert_eq!(seen.stop, StopReason::Completed);
    assert_eq!(seen.window, Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_threshold_that_nobody_can_answer_is_refused_before_the_load() {
    let mut plan = plan(constant(1, Duration::from_secs(1)));
    plan.thresholds =
        ["errors rate < 1%", "orders count > 1"].map(|threshold| threshold.parse().unwrap()).to_vec();
    let prepared = prepare_in_memory(Arc::new(plan), steady(MILLISECOND));
    let refused = LocalSet::new().run_until(prepared).await.unwrap_err();
    assert_eq!(refused.exit, ExitCode::Usage);
    let place = refused.place.as_deref();
    assert_eq!(place, Some("`orders count > 1`: no plugin declares this metric"));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_server_costs_each_call_its_timeout_and_no_more() {
    let hanging = server(|_, _| MemoryReply::Silence);
    let mut plan = plan(constant(2, Duration::from_secs(10)));
    plan.settings.timeout = Duration::from_secs(1);
    let seen = observe(plan, hanging).await;
    let failures = seen.metrics.total().outcomes.failures().to_vec();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].outcome, Outcome::Timeout);
    // A timeout is noticed up to one sweep late, so ten seconds hold nine to ten of them for each virtual user.
    assert!((18..=20).contains(&failures[0].count), "{}", failures[0].count);
    assert!(seen.elapsed < Duration::from_secs(12), "{:?}", seen.elapsed);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_opens_its_own_stream_holds_nobody_up_for_longer_than_a_timeout() {
    let silent = MemoryServer::new(|request| {
        let message: Value = serde_json::from_str(&request.body).unwrap_or_default();
        match (request.method.as_str(), message["method"].as_str()) {
            ("GET", _) => MemoryReply::Silence,
            (_, Some("initialize")) => json_reply(
                Duration::ZERO,
                &message,
                &json!({"protocolVersion": "2025-11-25", "capabilities": {}}),
            ),
            (_, Some("tools/call")) => json_reply(MILLISECOND * 100, &message, &json!({})),
            _ => accepted(),
        }
    });
    let mut plan = plan(constant(1, Duration::from_secs(10)));
    plan.target.elicitation = true;
    plan.settings.timeout = Duration::from_secs(1);
    let seen = tokio::time::timeout(Duration::from_mins(1), observe(plan, silent)).await.expect("no end");
    let calls = seen.metrics.total().outcomes.ok();
    assert!((85..=90).contains(&calls), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_seen_in_the_response_time_of_every_user_it_catches() {
    let stalling = server(|request, message| {
        let now = request.at.elapsed();
        let (begin, end) = (Duration::from_secs(2), Duration::from_secs(3));
        let wait = if now >= begin && now < end { end.checked_sub(now).unwrap() } else { MILLISECOND };
        json_reply(wait, message, &json!({"content": []}))
    });
    let seen = observe(plan(constant(3, Duration::from_secs(5))), stalling).await;
    let total = seen.metrics.total();
    assert!(total.response_time.max().unwrap().abs_diff(Duration::from_secs(1)) < MILLISECOND * 5);
    assert_eq!(total.outcomes.errors(), 0);
}

#[tokio::test(start_paused = true)]
async fn shared_iterations_are_run_exactly_as_often_as_asked() {
    let executor = Executor::SharedIterations {
        vus: NonZeroU32::new(7).unwrap(),
        iterations: NonZeroU64::new(100).unwrap(),
        max_duration: None,
    };
    let seen = observe(plan(executor), steady(MILLISECOND)).await;
    assert_eq!(seen.metrics.total().outcomes.ok(), 100);
    assert_eq!(seen.books.sessions_opened, seen.books.sessions_closed);
}

#[tokio::test]
async fn a_server_that_answers_at_once_is_waited_for_by_nobody() {
    let executor = Executor::SharedIterations {
        vus: NonZeroU32::new(3).unwrap(),
        iterations: NonZeroU64::new(100).unwrap(),
        max_duration: None,
    };
    let mut plan = plan(executor);
    plan.settings.timeout = Duration::from_secs(1);
    let seen = observe(plan, steady(Duration::from_hours(1)).at_once()).await;
    assert_eq!(seen.metrics.total().outcomes.ok(), 100);
}

#[tokio::test(start_paused = true)]
async fn every_virtual_user_runs_its_own_iterations() {
    let executor = Executor::PerVuIterations {
        vus: NonZeroU32::new(3).unwrap(),
        iterations: NonZeroU64::new(5).unwrap(),
        max_duration: None,
    };
    let seen = observe(plan(executor), steady(MILLISECOND)).await;
    assert_eq!(seen.metrics.total().outcomes.ok(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_ramp_brings_virtual_users_in_and_sees_them_out_again() {
    let stage = |seconds, target| Stage { duration: Duration::from_secs(seconds), target };
    let executor = Executor::RampingVus { from: 0, stages: vec![stage(10, 10), stage(10, 0)] };
    let seen = observe(plan(executor), steady(MILLISECOND * 10)).await;
    // The area under the ramp is 100 VU-seconds, a hundred calls each.
    let calls = seen.metrics.total().outcomes.ok();
    assert!((9_700..=10_300).contains(&calls), "{calls}");
    let rows = seen.metrics.timeline();
    assert!((9..=10).contains(&rows[9].active_vus) && rows[18].active_vus <= 3, "{rows:?}");
    assert_eq!(seen.books.sessions_opened, seen.books.sessions_closed);
}

#[tokio::test(start_paused = true)]
async fn think_time_is_kept_and_accounted_for() {
    let mut plan = plan(constant(1, Duration::from_secs(10)));
    plan.scenarios[0].think_time = Some(ThinkTime::constant(MILLISECOND * 90));
    let seen = observe(plan, steady(MILLISECOND * 10)).await;
    let calls = seen.metrics.total().outcomes.ok();
    assert!((98..=100).contains(&calls), "{calls}");
    let accounted = seen.books.think_time + seen.books.service_time;
    assert!(accounted.abs_diff(seen.books.vu_time) < MILLISECOND * 50, "{:?}", seen.books);
}

#[tokio::test(start_paused = true)]
async fn who_only_thinks_at_the_end_has_done_the_iteration() {
    let mut plan = plan(constant(1, Duration::from_secs(1)));
    plan.scenarios[0].think_time = Some(ThinkTime::constant(MILLISECOND * 700));
    let seen = observe(plan.clone(), steady(MILLISECOND * 10)).await;
    assert_eq!((seen.books.iterations_completed, seen.books.iterations_interrupted), (2, 0));
    let step = plan.scenarios[0].steps()[0].clone();
    plan.scenarios[0].script = Script::Steps(vec![step.clone(), step]);
    let seen = observe(plan, steady(MILLISECOND * 10)).await;
    assert_eq!((seen.books.iterations_completed, seen.books.iterations_interrupted), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn who_thinks_between_two_requests_at_the_end_is_cut_short() {
    let mut plan = plan(constant(1, Duration::from_secs(1)));
    plan.scenarios[0].think_time = Some(ThinkTime::constant(Duration::from_secs(5)));
    let step = plan.scenarios[0].steps()[0].clone();
    plan.scenarios[0].script = Script::Steps(vec![step.clone(), step]);
    let seen = observe(plan, steady(MILLISECOND * 10)).await;
    assert_eq!((seen.books.iterations_completed, seen.books.iterations_interrupted), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_still_running_at_the_end_is_waited_for_but_lies_outside_the_window() {
    let seen = observe(plan(constant(1, Duration::from_secs(1))), steady(MILLISECOND * 700)).await;
    let total = seen.metrics.total();
    assert_eq!(total.outcomes.ok(), 2);
    assert_eq!(seen.window, Duration::from_secs(1));
    assert!(seen.elapsed >= MILLISECOND * 1400);
}

#[tokio::test(start_paused = true)]
async fn what_outlasts_the_grace_period_is_cut_off_and_counted() {
    let mut plan = plan(constant(2, Duration::from_secs(1)));
    plan.loads[0].graceful_stop = Duration::from_secs(1);
    plan.settings.timeout = Duration::from_mins(1);
    let seen = observe(plan, steady(Duration::from_secs(30))).await;
    let total = seen.metrics.total();
    assert_eq!((total.outcomes.ok(), total.outcomes.cancelled()), (0, 2));
    assert_eq!(seen.books.iterations_interrupted, 2);
    assert!(seen.elapsed < Duration::from_secs(3), "{:?}", seen.elapsed);
    assert_eq!(seen.books.sessions_opened, seen.books.sessions_closed);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_ends_gracefully_with_what_it_has() {
    let (ask, stop) = watch::channel(StopRequest::None);
    let interrupt = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        ask.send(StopRequest::Graceful).unwrap();
        std::future::pending::<()>().await;
    };
    let run = observe_until(plan(constant(2, Duration::from_mins(1))), steady(MILLISECOND * 100), stop);
    let seen = tokio::select! {
        seen = run => seen,
        () = interrupt => unreachable!("waits for ever"),
    };
    assert_eq!(seen.stop, StopReason::Interrupted);
    assert!(seen.window.abs_diff(Duration::from_secs(3)) < MILLISECOND * 20, "{:?}", seen.window);
    assert_eq!(seen.metrics.total().outcomes.cancelled(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_gone_ends_the_run_early() {
    let dying = server(|request, message| {
        if request.at.elapsed() < Duration::from_secs(2) {
            json_reply(MILLISECOND * 10, message, &json!({}))
        } else {
            MemoryReply::Refuse
        }
    });
    let seen = observe(plan(constant(3, Duration::from_mins(10))), dying).await;
    assert_eq!(seen.stop, StopReason::TargetLost { message: "refused by the script".into() });
    assert!(seen.elapsed < Duration::from_secs(20), "{:?}", seen.elapsed);
    assert!(seen.metrics.total().outcomes.errors() < 100, "no hot loop against a dead target");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_gone_is_missed_where_sessions_cost_nothing_too() {
    let dying = MemoryServer::new(|request| {
        let message: Value = serde_json::from_str(&request.body).unwrap_or_default();
        match message["method"].as_str() {
            Some("server/discover") => json_reply(
                MILLISECOND,
                &message,
                &json!({"supportedVersions": ["2026-07-28"], "capabilities": {}}),
            ),
            _ => MemoryReply::Refuse,
        }
    });
    let mut plan = plan(constant(3, Duration::from_mins(10)));
    plan.target.protocol = Protocol::Pinned(Revision::V2026_07_28);
    plan.settings.session = SessionPolicy::PerIteration;
    let seen = observe(plan, dying).await;
    assert_eq!(seen.stop, StopReason::TargetLost { message: "refused by the script".into() });
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_session_is_opened_anew() {
    let forgetful = server(|request, message| {
        if request.at.elapsed().as_millis() % 1000 < 15 && request.at.elapsed() > Duration::from_secs(1) {
            let body = "Session not found".to_owned();
            MemoryReply::Response {
                after: MILLISECOND,
                status: 404,
                content_type: "text/plain",
                session_id: None,
                body,
            }
        } else {
            json_reply(MILLISECOND * 10, message, &json!({}))
        }
    });
    let seen = observe(plan(constant(1, Duration::from_secs(4))), forgetful).await;
    let books = seen.books;
    assert!(books.sessions_lost >= 2, "{books:?}");
    // The preparation's session and the last one are closed; the lost ones cannot be.
    assert_eq!(books.sessions_opened, books.sessions_closed + books.sessions_lost, "{books:?}");
    assert_eq!(seen.metrics.total().outcomes.failures()[0].outcome, Outcome::HttpError { status: 404 });
}

#[tokio::test(start_paused = true)]
async fn sessions_per_iteration_and_shared_are_opened_as_often_as_they_should_be() {
    for (policy, opened) in
        [(SessionPolicy::PerVu, 4), (SessionPolicy::PerIteration, 13), (SessionPolicy::Shared, 2)]
    {
        let mut plan = plan(Executor::SharedIterations {
            vus: NonZeroU32::new(3).unwrap(),
            iterations: NonZeroU64::new(12).unwrap(),
            max_duration: None,
        });
        plan.settings.session = policy;
        let seen = observe(plan, steady(MILLISECOND)).await;
        // A virtual user may open a session per iteration for which it then finds no iteration left.
        let spare = if policy == SessionPolicy::PerIteration { 3 } else { 0 };
        assert!(
            (opened..=opened + spare).contains(&seen.books.sessions_opened),
            "{policy:?}: {:?}",
            seen.books
        );
        assert_eq!(seen.books.sessions_opened, seen.books.sessions_closed, "{policy:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_a_step_closes_is_followed_by_another() {
    let mut plan = plan(Executor::SharedIterations {
        vus: NonZeroU32::MIN,
        iterations: NonZeroU64::new(3).unwrap(),
        max_duration: None,
    });
    let call = plan.scenarios[0].steps()[0].clone();
    let close = Step { action: Action::CloseSession, ..call.clone() };
    plan.scenarios[0].script = Script::Steps(vec![call.clone(), close, call]);
    let seen = observe(plan, steady(MILLISECOND)).await;
    assert_eq!((seen.metrics.total().outcomes.ok(), seen.metrics.total().outcomes.errors()), (6, 0));
    assert_eq!((seen.books.iterations_completed, seen.books.iterations_interrupted), (3, 0));
    // The preparation's, the first, and one after each step that closes.
    assert_eq!((seen.books.sessions_opened, seen.books.sessions_closed), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn no_two_requests_of_a_shared_session_have_the_same_id() {
    let ids = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&ids);
    let server = server(move |_, message| {
        log.lock().unwrap().push(message["id"].as_u64().unwrap());
        json_reply(MILLISECOND, message, &json!({}))
    });
    let mut plan = plan(constant(3, MILLISECOND * 20));
    plan.settings.session = SessionPolicy::Shared;
    observe(plan, server).await;
    let mut ids = ids.lock().unwrap().clone();
    let sent = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), sent > 30), (sent, true));
    assert!(ids.iter().all(|id| *id < 1 << 53), "exact in every JSON library");
}

#[tokio::test(start_paused = true)]
async fn a_shared_session_that_is_forgotten_is_lost_once_whoever_hears_of_it() {
    let opened = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&opened);
    // Sessions are called by number; the run's first one is forgotten after a second.
    let server = MemoryServer::new(move |request| {
        let message: Value = serde_json::from_str(&request.body).unwrap_or_default();
        match message["method"].as_str() {
            Some("initialize") => {
                *counter.lock().unwrap() += 1;
                let result = json!({"protocolVersion": "2025-11-25", "capabilities": {}});
                let body = json!({"jsonrpc": "2.0", "id": message["id"], "result": result}).to_string();
                let session_id = Some(format!("s{}", counter.lock().unwrap()));
                let content_type = "application/json";
                MemoryReply::Response { after: Duration::ZERO, status: 200, content_type, session_id, body }
            }
            Some("notifications/initialized") | None => accepted(),
            Some(_) if request.lines.contains("s2") && request.at.elapsed() > Duration::from_secs(1) => {
                let body = "gone".to_owned();
                MemoryReply::Response {
                    after: MILLISECOND,
                    status: 404,
                    content_type: "",
                    session_id: None,
                    body,
                }
            }
            Some(_) => json_reply(MILLISECOND * 10, &message, &json!({})),
        }
    });
    let mut plan = plan(constant(5, Duration::from_secs(2)));
    plan.settings.session = SessionPolicy::Shared;
    let books = observe(plan, server).await.books;
    assert_eq!((books.sessions_opened, books.sessions_closed, books.sessions_lost), (3, 2, 1), "{books:?}");
}

#[tokio::test(start_paused = true)]
async fn a_plain_request_that_finds_nothing_says_nothing_about_the_session() {
    let (session, after) = (None, MILLISECOND);
    let server = MemoryServer::new(move |request| {
        if request.method == "GET" {
            let body = "nothing here".to_owned();
            return MemoryReply::Response {
                after,
                status: 404,
                content_type: "",
                session_id: session.clone(),
                body,
            };
        }
        let message: Value = serde_json::from_str(&request.body).unwrap_or_default();
        match message["method"].as_str() {
            Some("initialize") => {
                json_reply(after, &message, &json!({"protocolVersion": "2025-11-25", "capabilities": {}}))
            }
            _ => accepted(),
        }
    });
    let mut plan = plan(constant(1, MILLISECOND * 100));
    let plain = Action::Http(HttpStep {
        method: "GET".into(),
        path: "/missing".into(),
        headers: Vec::new(),
        body: None,
        expect_status: Vec::new(),
    });
    plan.scenarios[0].script = Script::Steps(vec![Step { label: None, timeout: None, action: plain }]);
    let seen = observe(plan, server).await;
    assert!(seen.metrics.total().outcomes.errors() > 50);
    assert_eq!((seen.books.sessions_opened, seen.books.sessions_lost), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_sends_the_same_requests_in_the_same_order() {
    let mixed = || {
        let mut plan = plan(constant(2, Duration::from_secs(2)));
        let mut other = plan.scenarios[0].clone();
        other.name = "other".into();
        let action = Action::CallTool { tool: "other".into(), arguments: json!({}) };
        other.script = Script::Steps(vec![Step { label: None, timeout: None, action }]);
        plan.scenarios.push(other);
        plan.loads[0].scenarios.push(1);
        plan
    };
    let mut sequences = Vec::new();
    for seed in [1, 1, 2] {
        let (server, seen) = recording();
        let mut plan = mixed();
        plan.settings.seed = seed;
        observe(plan, server).await;
        sequences.push(seen.lock().unwrap().clone());
    }
    assert_eq!(sequences[0], sequences[1]);
    assert_ne!(sequences[0], sequences[2]);
    let names: std::collections::BTreeSet<&str> =
        sequences[0].iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn handshakes_stay_out_of_the_totals() {
    let seen = observe(plan(constant(2, Duration::from_secs(1))), steady(MILLISECOND * 100)).await;
    assert_eq!(seen.metrics.total().outcomes.requests(), 20);
    assert_eq!(seen.metrics.series(SeriesId::INITIALIZE).outcomes.ok(), 2);
    assert_eq!(seen.metrics.series(SeriesId::CLOSE).outcomes.ok(), 2);
}
