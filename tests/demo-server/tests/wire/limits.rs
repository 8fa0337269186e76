//! Limits, times, and scripts that change while they are played.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::{Duration, Instant};

use pmcp_loadtest_demo_server::{Delay, DemoServer, Fault, FaultKind, Script};
use serde_json::json;
use tokio::net::TcpStream;

use crate::client::{Client, Post, bare};

fn echo() -> Post {
    Post::tool("echo", json!({ "message": "hello" }))
}

#[tokio::test]
async fn a_full_server_opens_no_session_until_one_is_closed() {
    let server = DemoServer::start(Script { max_sessions: Some(1), ..Script::default() }).unwrap();
    let mut client = Client::connect(&server).await;
    let opened = client.post(&Post::initialize()).await;
    assert_eq!(client.post(&Post::initialize()).await.status, 503);
    let session = opened.header("mcp-session-id").unwrap();
    client.send(&bare("DELETE", "/mcp", &[("Mcp-Session-Id", session)])).await;
    assert_eq!(client.reply().await.status, 200);
    assert_eq!(client.post(&Post::initialize()).await.status, 200);
}

#[tokio::test]
async fn calls_are_kept_with_their_arguments_where_the_script_asks_for_it() {
    for log_calls in [true, false] {
        let server = DemoServer::start(Script { log_calls, ..Script::default() }).unwrap();
        let mut client = Client::connect(&server).await;
        client.post(&echo()).await;
        client.post(&echo()).await;
        let calls = server.counters().calls;
        let expected = log_calls.then(|| (r#"echo {"message":"hello"}"#.to_owned(), 2));
        assert_eq!(calls.into_iter().collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_connection_is_closed_after_its_share_of_requests() {
    let script = Script { requests_per_connection: NonZeroU64::new(2), ..Script::default() };
    let server = DemoServer::start(script).unwrap();
    let mut client = Client::connect(&server).await;
    for _ in 0..2 {
        let reply = client.post(&echo()).await;
        assert_eq!((reply.status, reply.header("connection")), (200, None));
    }
    assert_eq!(client.rest().await.unwrap(), b"");
}

#[tokio::test]
async fn a_session_is_lost_by_wear_or_by_fault() {
    let worn = Script { requests_per_session: Some(1), ..Script::default() };
    let lost = Script::default().fault(Fault::new(1.0, FaultKind::SessionLost).on_method("ping").after(1));
    for script in [worn, lost] {
        let server = DemoServer::start(script).unwrap();
        let mut client = Client::connect(&server).await;
        let opened = client.post(&Post::initialize()).await;
        let ping =
            Post::legacy("ping", &json!({})).with("Mcp-Session-Id", opened.header("mcp-session-id").unwrap());
        let statuses = [
            client.post(&ping).await.status,
            client.post(&ping).await.status,
            client.post(&ping).await.status,
        ];
        assert_eq!(statuses, [200, 404, 404]);
        let books = server.counters();
        assert_eq!((books.sessions_lost, books.answered("session_lost")), (1, 2));
    }
}

#[tokio::test]
async fn requests_above_the_rate_are_throttled() {
    let server = DemoServer::start(Script { requests_per_minute: Some(2), ..Script::default() }).unwrap();
    let mut client = Client::connect(&server).await;
    let statuses = [
        client.post(&echo()).await.status,
        client.post(&echo()).await.status,
        client.post(&echo()).await.status,
    ];
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(server.counters().answered("throttled"), 1);
}

#[tokio::test]
async fn an_answer_due_in_a_stall_waits_for_its_end() {
    let end = Duration::from_millis(120);
    let started = Instant::now();
    let server = DemoServer::start(Script::default().stall(Duration::ZERO, end)).unwrap();
    let mut client = Client::connect(&server).await;
    client.post(&echo()).await;
    assert!(started.elapsed() >= end);
}

#[tokio::test]
async fn a_latency_is_kept() {
    let server = DemoServer::start(Script::default().latency(Delay::constant_ms(30))).unwrap();
    let mut client = Client::connect(&server).await;
    let sent = Instant::now();
    client.post(&echo()).await;
    assert!(sent.elapsed() >= Duration::from_millis(30));
}

#[tokio::test]
async fn one_worker_serves_one_request_at_a_time() {
    let script = Script { workers: NonZeroU32::new(1), ..Script::default() }.latency(Delay::constant_ms(20));
    let server = DemoServer::start(script).unwrap();
    let mut clients = Vec::new();
    let sent = Instant::now();
    for _ in 0..4 {
        let mut client = Client::connect(&server).await;
        client.send(&echo().bytes()).await;
        clients.push(client);
    }
    for client in &mut clients {
        assert_eq!(client.reply().await.status, 200);
    }
    assert!(sent.elapsed() >= Duration::from_millis(80));
    assert!(server.counters().max_in_flight > 1, "those who wait are in flight too");
}

#[tokio::test]
async fn a_client_that_leaves_is_counted_as_gone() {
    let server = DemoServer::start(Script::default()).unwrap();
    let mut client = Client::connect(&server).await;
    client.send(&Post::tool("slow", json!({ "ms": 60_000 })).bytes()).await;
    client.finish().await;
    assert_eq!(client.rest().await.unwrap(), b"");
    assert_eq!(server.counters().answered("abandoned"), 1);
}

#[tokio::test]
async fn a_server_dies_in_its_hour() {
    let server = DemoServer::start(Script::default()).unwrap();
    let mut client = Client::connect(&server).await;
    assert_eq!(client.post(&echo()).await.status, 200);
    let (hour, set) = (Duration::from_millis(40), Instant::now());
    server.set_script(Script { die_at: Some(hour), ..Script::default() });
    assert_eq!(client.rest().await.unwrap(), b"", "the open connection ends");
    assert!(set.elapsed() >= hour);
    assert!(TcpStream::connect(server.address()).await.is_err(), "and no other is accepted");
}

#[tokio::test]
async fn a_new_script_is_played_at_once() {
    let server = DemoServer::start(Script::default()).unwrap();
    let mut client = Client::connect(&server).await;
    assert_eq!(client.post(&echo()).await.status, 200);
    server.set_script(Script::default().fault(Fault::new(1.0, FaultKind::Status(503))));
    assert_eq!(client.post(&echo()).await.status, 503);
}

#[tokio::test]
async fn a_stopped_server_leaves_its_books() {
    let server = DemoServer::start(Script { body_bytes: 1000, ..Script::default() }).unwrap();
    let address = server.address();
    let mut client = Client::connect(&server).await;
    assert!(client.post(&echo()).await.body.len() > 1000);
    let books = server.stop();
    assert_eq!((books.connections, books.requests, books.answered("ok")), (1, 1, 1));
    assert!(books.bytes_in > 0 && books.bytes_out > 1000);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_books_can_be_read_over_http() {
    let server = DemoServer::start(Script::default()).unwrap();
    let mut client = Client::connect(&server).await;
    client.post(&echo()).await;
    client.send(&bare("GET", "/metrics", &[])).await;
    assert!(client.reply().await.body.contains("demo_answers_total{kind=\"ok\"} 1\n"));
    client.send(&bare("GET", "/counters", &[])).await;
    assert_eq!(client.reply().await.json()["methods"]["tools/call"], 1);
}
