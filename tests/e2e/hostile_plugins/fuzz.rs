//! The border where what guests say enters the host, under plans drawn at random: nothing panics or hangs, the books balance, and
//! whatever is sent is a request.
//!
//! Every run is named by its seed. `CHAOS_SEEDS=1000` runs longer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pmcp_loadtest::drive::transport::{MemoryReply, MemoryRequest, MemoryServer};
use pmcp_loadtest::drive::{Controls, Pauses, prepare_in_memory};
use pmcp_loadtest::judge::Observation;
use pmcp_loadtest::plan::config::{Overrides, resolve};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::task::LocalSet;

use super::guest;

/// Seeds that are run where nothing else is asked for.
const SEEDS: u64 = 12;

/// What a server that looks closely has seen.
#[derive(Default)]
struct Seen {
    requests: AtomicU64,
    mistakes: Mutex<Vec<String>>,
}

/// What is wrong with a request, if anything is.
fn mistake(request: &MemoryRequest) -> Option<String> {
    let wrong = |what: &str| Some(format!("{what}: {request:?}"));
    let (lines, path) = request.lines.rsplit_once("\r\n").unwrap_or(("", &request.lines));
    let plain = request.method != "POST" || !path.is_empty();
    for line in lines.split("\r\n").filter(|line| !line.is_empty()) {
        let Some((name, value)) = line.split_once(": ") else { return wrong("no header line") };
        let injected =
            name.starts_with("x-injected") || value.contains(|c: char| c.is_control() && c != '\t');
        if injected || !name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
            return wrong("an injected header line");
        }
    }
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("a path of two words");
    }
    // By grammar: numbers and surrogates that no Rust type holds are JSON all the same.
    if !plain && serde_json::from_str::<IgnoredAny>(&request.body).is_err() {
        return wrong("no JSON");
    }
    None
}

fn answer(seen: &Seen, request: &MemoryRequest) -> MemoryReply {
    seen.requests.fetch_add(1, Ordering::Relaxed);
    seen.mistakes.lock().expect("no panic").extend(mistake(request));
    let message: Value = serde_json::from_str(&request.body).unwrap_or_default();
    let number = seen.requests.load(Ordering::Relaxed);
    let result = match message["method"].as_str() {
        Some("initialize") => {
            json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "m", "version": "1"}})
        }
        Some("server/discover") => {
            json!({"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}})
        }
        Some("tools/list") => json!({"tools": [
            {"name": "echo", "inputSchema": {"type": "object"}}, {"name": "sum", "inputSchema": {"type": "object"}}
        ]}),
        _ => json!({"content": [{"type": "text", "text": "a\u{1b}\n"}], "n": number}),
    };
    let body = json!({"jsonrpc": "2.0", "id": message["id"], "result": result}).to_string();
    let (status, content_type, body) = match (message["id"].is_number(), number % 17) {
        (false, _) => (202, "", String::new()),
        (true, 3) => (500, "text/plain", "no".to_owned()),
        (true, 5) => (200, "application/json", "{\"jsonrpc\": \"2.0\", \"id\": ".to_owned()),
        (true, 7) => return MemoryReply::Reset { after: Duration::from_millis(1) },
        _ => (200, "application/json", body),
    };
    MemoryReply::Response { after: Duration::from_millis(1), status, content_type, session_id: None, body }
}

async fn observe(seed: u64, revision: &str) -> (Observation, Arc<Seen>) {
    let text = format!(
        "[target]\nurl = \"http://memory/mcp\"\nprotocol = \"{revision}\"\n[settings]\nseed = {seed}\nworkers = 1\n\
         [load]\nexecutor = \"shared-iterations\"\nvus = 3\niterations = 150\nmax_duration = \"1m\"\n\
         [plugins]\ninstances = \"{}\"\n[[scenario]]\nname = \"chaos\"\nplugin = '{}'\n",
        if seed.is_multiple_of(2) { "per-vu" } else { "per-worker" },
        guest("chaos"),
    );
    let resolved = resolve(Some(("chaos.toml", &text)), &Overrides::default(), &|_| None);
    let plan = Arc::new(resolved.expect("a configuration").plan);
    let seen = Arc::new(Seen::default());
    let server = MemoryServer::new({
        let seen = Arc::clone(&seen);
        move |request| answer(&seen, request)
    });
    let run = async {
        let prepared = prepare_in_memory(plan, server).await.expect("a run");
        prepared.rehearse(Controls::unattended(), Pauses::Kept, drop).await
    };
    (LocalSet::new().run_until(run).await, seen)
}

#[tokio::test(start_paused = true)]
async fn plans_at_random_neither_break_the_host_nor_send_what_is_no_request() {
    let seeds = std::env::var("CHAOS_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    let (mut requests, mut failures) = (0, 0);
    for seed in 0..seeds {
        let revision = if seed.is_multiple_of(3) { "2026-07-28" } else { "2025-11-25" };
        let (observation, seen) = observe(seed, revision).await;
        let books = &observation.books;
        assert_eq!(
            books.iterations_started,
            books.iterations_completed + books.iterations_interrupted + books.iterations_failed,
            "seed {seed}: {books:?}, {:?}, {:?}",
            observation.stop,
            observation.retired
        );
        let mistakes = seen.mistakes.lock().expect("no panic");
        assert!(mistakes.is_empty(), "seed {seed}: {:#?}", &mistakes[..mistakes.len().min(3)]);
        requests += seen.requests.load(Ordering::Relaxed);
        failures += observation.plugins().map(|(_, metrics)| metrics.failures.len()).sum::<usize>();
    }
    // Whoever sends nothing makes no mistake.
    assert!(requests > 100 * seeds && failures > 10, "{requests} requests, {failures} failures");
}
