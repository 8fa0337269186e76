//! Plugins at work, from the configuration to the observation: what they plan is done, what came of it is told, and the same seed
//! plans the same whoever shares an instance.
//!
//! The guest is `tests/guests/obedient`, which plans what its configuration says and logs what it hears.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pmcp_loadtest::drive::transport::{MemoryReply, MemoryServer};
use pmcp_loadtest::drive::{Controls, Pauses, prepare_in_memory};
use pmcp_loadtest::judge::{Observation, PluginFault, PluginMetrics, StopReason};
use pmcp_loadtest::plan::config::{Overrides, resolve};
use pmcp_loadtest::plan::{Plan, SeriesKey};
use serde_json::{Value, json};
use tokio::task::LocalSet;

use crate::hostile_plugins::guest;

const MILLISECOND: Duration = Duration::from_millis(1);

/// A server of the session era, which takes 10 ms for a call. What it was sent is kept.
fn server() -> (MemoryServer, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let server = MemoryServer::new(move |request| {
        let message: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let tool = message["params"]["name"].as_str().unwrap_or_default();
        let answer =
            |member: &str, value: Value| json!({"jsonrpc": "2.0", "id": message["id"], member: value});
        let (after, status, body) = match (message["method"].as_str(), tool) {
            (Some("initialize"), _) => {
                let capabilities = json!({"tools": {}});
                (
                    MILLISECOND,
                    200,
                    answer("result", json!({"protocolVersion": "2025-11-25", "capabilities": capabilities})),
                )
            }
            (Some("tools/list"), _) => {
                let tools = ["echo", "fail", "refuse", "hang"].map(|name| json!({"name": name}));
                (MILLISECOND, 200, answer("result", json!({"tools": tools})))
            }
            (Some("tools/call"), "echo") => {
                let arguments = &message["params"]["arguments"];
                kept.lock().expect("no panic").push(arguments.to_string());
                (
                    10 * MILLISECOND,
                    200,
                    answer("result", json!({"structuredContent": arguments, "deep": [{"a/b": "größe"}]})),
                )
            }
            (Some("tools/call"), "fail") => (
                10 * MILLISECOND,
                200,
                answer("result", json!({"isError": true, "content": [{"type": "text", "text": "no luck"}]})),
            ),
            (Some("tools/call"), "refuse") => {
                (10 * MILLISECOND, 200, answer("error", json!({"code": -32602, "message": "bad"})))
            }
            (Some("tools/call"), "hang") => return MemoryReply::Silence,
            (Some("ping"), _) => (MILLISECOND, 200, answer("result", json!({}))),
            (None, _) if request.method == "GET" => (MILLISECOND, 404, Value::Null),
            _ => (MILLISECOND, 202, Value::Null),
        };
        let session_id = (message["method"] == "initialize").then(|| "s".to_owned());
        let body = if body.is_null() { String::new() } else { body.to_string() };
        MemoryReply::Response { after, status, content_type: "application/json", session_id, body }
    });
    (server, seen)
}

/// A plan of the obedient plugin beside whatever else there is.
fn plan(load: &str, config: &Value, more: &str) -> Plan {
    let config = config.to_string();
    let text = format!(
        "[target]\nurl = \"http://memory/mcp\"\nprotocol = \"2025-11-25\"\n[settings]\nworkers = 1\nseed = 5\n[load]\n{load}\n\
         [[scenario]]\nname = \"obedient\"\nplugin = '{}'\n{more}",
        guest("obedient"),
    );
    let overrides = Overrides {
        plugin_config: pmcp_loadtest::plan::config::read_plugin_config("test", &config).ok(),
        ..Overrides::default()
    };
    resolve(Some(("test.toml", &text)), &overrides, &|_| None).expect("a configuration").plan
}

/// A run of it; in virtual time where the test's clock is paused.
async fn run(load: &str, config: &Value, more: &str) -> (Observation, Vec<String>) {
    let (server, seen) = server();
    let plan = plan(load, config, more);
    let observe = async {
        let prepared = prepare_in_memory(Arc::new(plan), server).await.expect("a run");
        prepared.rehearse(Controls::unattended(), Pauses::Kept, drop).await
    };
    let observation = LocalSet::new().run_until(observe).await;
    let seen = seen.lock().expect("no panic").clone();
    (observation, seen)
}

fn plugin(observation: &Observation) -> &PluginMetrics {
    &observation.metrics.plugins()[0]
}

/// What the guest said that it heard, with how often.
fn heard(observation: &Observation) -> BTreeMap<&str, u64> {
    plugin(observation).log.iter().map(|line| (line.message.as_str(), line.count)).collect()
}

const ONCE: &str = "executor = \"shared-iterations\"\nvus = 1\niterations = 1";

#[tokio::test(start_paused = true)]
async fn a_plugin_hears_what_came_of_each_step() {
    let config = json!({"rounds": [{"keep_going": true, "steps": [
        {"call": "echo", "capture": ["/structuredContent/iteration", "/deep/0/a~1b"]},
        {"call": "echo", "want_result": true},
        {"think_ms": 5}, {"call": "fail"}, {"call": "refuse"}, {"get": "/missing"},
        {"call": "hang", "timeout_ms": 50}, {"call": "nowhere"}, {"end_session": true}, {}
    ]}]});
    let (observation, _) = run(ONCE, &config, "").await;
    let said: Vec<&str> = heard(&observation).into_keys().collect();
    let seed =
        said[1].split("\\\"seed\\\":\\\"").nth(1).and_then(|rest| rest.split("\\\"").next()).expect("a seed");
    let result = format!(
        r#"{{\"structuredContent\":{{\"iteration\":0,\"seed\":\"{seed}\"}},\"deep\":[{{\"a/b\":\"größe\"}}]}}"#
    );
    assert_eq!(
        said,
        [
            r#"0 Status::Ok [Some("0"), Some("\"größe\"")] None"#,
            &format!(r#"1 Status::Ok [] Some("{result}")"#),
            "3 Status::ToolError [] None",
            "4 Status::Rpc(RpcError { code: -32602, message: \"bad\" }) [] None",
            "5 Status::Http(404) [] None",
            "6 Status::TimedOut [] None",
            "7 Status::Invalid(\"the server lists no tool `nowhere`; the nearest it has is `hang`\") [] None",
            "9 Status::Ok [] None",
        ]
    );
    let metrics = plugin(&observation);
    assert_eq!((metrics.iterations, metrics.failed_iterations), (1, 0));
    assert_eq!((metrics.checks["it went well"].passed, metrics.checks["it went well"].failed), (3, 5));
    assert!((metrics.values[0].sum - 8.0).abs() < 1e-9);
    assert_eq!(metrics.failures[0].fault, PluginFault::InvalidStep);
    // The preparation's session, the one that the plugin ended, and the one after it.
    assert_eq!((observation.books.sessions_opened, observation.books.sessions_closed), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn the_steps_after_one_that_failed_are_left_out_unless_the_plan_goes_on() {
    let config = json!({"rounds": [{"steps": [{"call": "fail"}, {"call": "echo"}, {}]}]});
    let (observation, seen) = run(ONCE, &config, "").await;
    let said: Vec<&str> = heard(&observation).into_keys().collect();
    assert_eq!(
        said,
        ["0 Status::ToolError [] None", "1 Status::Skipped [] None", "2 Status::Skipped [] None"]
    );
    assert!(seen.is_empty());
    assert_eq!(observation.books.iterations_completed, 1);
}

#[tokio::test(start_paused = true)]
async fn an_iteration_goes_on_for_as_many_plans_as_the_plugin_wants() {
    let call = json!({"steps": [{"call": "echo"}]});
    let load = "executor = \"per-vu-iterations\"\nvus = 2\niterations = 3";
    let (observation, seen) = run(load, &json!({"rounds": [call, call, call]}), "").await;
    assert_eq!((observation.books.iterations_completed, seen.len()), (6, 18));
    assert_eq!(
        plugin(&observation).call_us.count(),
        18 + 2,
        "one call per plan, and one for each user's end"
    );
}

#[tokio::test(start_paused = true)]
async fn thinking_takes_its_time_and_is_no_part_of_a_response() {
    let config = json!({"rounds": [{"steps": [{"call": "echo"}, {"think_ms": 90}]}]});
    let (observation, seen) =
        run("executor = \"constant-vus\"\nvus = 1\nduration = \"1s\"", &config, "").await;
    assert_eq!(seen.len(), 10, "10 ms for the call, 90 ms of thinking");
    let total = observation.metrics.total();
    assert!(total.response_time.quantile(1.0).is_some_and(|time| time < 12 * MILLISECOND));
    let thought = observation.books.think_time;
    assert!((890 * MILLISECOND..=900 * MILLISECOND).contains(&thought), "{thought:?}");
}

#[tokio::test(start_paused = true)]
async fn a_virtual_user_may_end_itself_while_the_others_go_on() {
    let config = json!({"rounds": [{"steps": [{"call": "echo"}]}], "ends": "stop-user", "ends_at": 4});
    let (observation, seen) =
        run("executor = \"constant-vus\"\nvus = 3\nduration = \"10s\"", &config, "").await;
    assert_eq!(seen.len(), 3 * 5);
    assert_eq!(observation.stop, StopReason::Completed);
    assert!(heard(&observation).keys().any(|line| line.ends_with("ends: as told")));
}

#[tokio::test(start_paused = true)]
async fn a_plugin_may_end_the_run_with_a_reason() {
    let config = json!({"rounds": [{"steps": [{"call": "echo"}]}], "ends": "stop-run", "ends_at": 4});
    let (observation, _) = run("executor = \"constant-vus\"\nvus = 3\nduration = \"60s\"", &config, "").await;
    let stop = StopReason::PluginStopped { plugin: "obedient".to_owned(), reason: "as told".to_owned() };
    assert_eq!(observation.stop, stop);
    assert!(observation.elapsed < Duration::from_secs(1), "{:?}", observation.elapsed);
}

#[tokio::test(start_paused = true)]
async fn a_plugin_has_its_share_beside_scenarios_of_steps() {
    let config = json!({"rounds": [{"steps": [{"call": "echo", "label": "mine"}]}]});
    let steps =
        "weight = 30\n[[scenario]]\nname = \"steps\"\nweight = 70\ntype = \"tools/call\"\ntool = \"echo\"\n";
    let load = "executor = \"shared-iterations\"\nvus = 4\niterations = 1000";
    let (observation, seen) = run(load, &config, steps).await;
    let ours = plugin(&observation).iterations;
    assert_eq!(seen.len(), 1000);
    assert!((250..350).contains(&ours), "{ours} of 1000");
    let rows: Vec<Option<String>> = observation.series.iter().skip(3).map(SeriesKey::row_name).collect();
    assert_eq!(rows, [Some("echo".to_owned()), Some("mine".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_plans_the_same_whoever_shares_an_instance() {
    let config = json!({"rounds": [{"steps": [{"call": "echo"}]}, {"steps": [{"call": "echo"}]}]});
    let load = "executor = \"per-vu-iterations\"\nvus = 3\niterations = 5";
    let mut sequences = Vec::new();
    for policy in ["per-vu", "per-worker"] {
        let (_, mut seen) = run(load, &config, &format!("[plugins]\ninstances = \"{policy}\"\n")).await;
        seen.sort_unstable();
        sequences.push(seen);
    }
    assert_eq!(sequences[0].len(), 30);
    assert_eq!(sequences[0], sequences[1]);
    let distinct: std::collections::BTreeSet<&String> = sequences[0].iter().collect();
    assert_eq!(distinct.len(), 15, "an iteration's seed is its own, and the same in all of its rounds");
}

#[tokio::test]
async fn the_same_seed_plans_the_same_on_any_number_of_workers() {
    let config = json!({"rounds": [{"steps": [{"call": "echo"}]}, {"steps": [{"call": "echo"}]}]});
    let load = "executor = \"per-vu-iterations\"\nvus = 5\niterations = 4";
    let mut sequences = Vec::new();
    for workers in [1, 2, 3] {
        let (server, seen) = server();
        let mut plan = plan(load, &config, "");
        plan.settings.workers = NonZeroUsize::new(workers).expect("workers");
        let prepare = prepare_in_memory(Arc::new(plan), server.at_once());
        let prepared = LocalSet::new().run_until(prepare).await.expect("a run");
        let observation = prepared.run(Controls::unattended()).await.expect("an end");
        assert_eq!(observation.generator.workers.len(), workers);
        let mut seen = seen.lock().expect("no panic").clone();
        seen.sort_unstable();
        sequences.push(seen);
    }
    assert_eq!(sequences[0].len(), 40);
    assert!(sequences.iter().all(|sequence| *sequence == sequences[0]));
}
