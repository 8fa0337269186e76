//! A whole run over either transport against a real server, on threads of its own: the books of both sides must balance.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use pmcp_loadtest_demo_server::{DemoServer, Script};
use serde_json::json;
use tokio::sync::watch;

use super::testbed::{BOTH, plan};
use crate::drive::{Controls, StopRequest, Survey, prepare};
use crate::judge::Observation;
use crate::plan::{self, Action, Executor, Load, Plan, Protocol, Revision, Scenario, Step};

fn thirty_echoes(plan: &mut Plan) {
    let arguments = json!({"message": "hi"});
    let action = Action::CallTool { tool: "echo".into(), arguments };
    let script = plan::Script::Steps(vec![Step { label: None, timeout: None, action }]);
    plan.scenarios =
        vec![Scenario { name: "echo".into(), weight: 1, think_time: None, pacing: None, script }];
    plan.settings.workers = NonZeroUsize::new(2).unwrap();
    let executor = Executor::SharedIterations {
        vus: NonZeroU32::new(4).unwrap(),
        iterations: NonZeroU64::new(30).unwrap(),
        max_duration: None,
    };
    plan.loads = vec![Load::simple(executor, Duration::ZERO, 1)];
}

fn observe(plan: Plan) -> Observation {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (_keep, stop) = watch::channel(StopRequest::None);
        let prepared = prepare(Arc::new(plan), Survey::Tools).await.unwrap();
        prepared.run(Controls { stop, snapshots: watch::channel(None).0, pieces: None }).await.unwrap()
    })
}

#[test]
fn a_run_over_either_transport_balances_with_the_servers_own_books() {
    for transport in BOTH {
        for revision in [Revision::V2025_11_25, Revision::V2026_07_28] {
            let server = DemoServer::start(Script::default()).unwrap();
            let mut plan = plan(&server.url(), transport);
            plan.target.protocol = Protocol::Pinned(revision);
            thirty_echoes(&mut plan);
            let seen = observe(plan);
            let theirs = server.stop();
            let total = seen.metrics.total();
            assert_eq!((total.outcomes.ok(), total.outcomes.errors()), (30, 0), "{transport:?} {revision}");
            assert_eq!(theirs.requested("tools/call"), 30, "{transport:?} {revision}");
            // One for every virtual user and one for the preparation.
            assert_eq!(
                (seen.books.connections_opened, theirs.connections),
                (5, 5),
                "{transport:?} {revision}"
            );
            assert_eq!(seen.books.sessions_closed, theirs.sessions_closed, "{transport:?} {revision}");
            assert_eq!(seen.books.stale_retries, 0, "{transport:?} {revision}");
        }
    }
}
