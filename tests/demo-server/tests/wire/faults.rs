//! Every fault, observed from outside, and the books that count it.

use std::io::ErrorKind;

use pmcp_loadtest_demo_server::{DemoServer, Fault, FaultKind, Form, Script};
use serde_json::{Value, json};

use crate::client::{Client, Post};

fn echo() -> Post {
    Post::tool("echo", json!({ "message": "hello" }))
}

/// A server that plays a fault on every call, and a connection on which one call was sent.
async fn called(script: Script, kind: FaultKind) -> (DemoServer, Client) {
    let server = DemoServer::start(script.fault(Fault::new(1.0, kind))).unwrap();
    let mut client = Client::connect(&server).await;
    client.send(&echo().bytes()).await;
    (server, client)
}

/// What came before the server closed the connection, and how the books call it.
async fn remains(form: Form, kind: FaultKind, key: &str) -> String {
    let (server, mut client) = called(Script::default().form(form), kind).await;
    let bytes = client.rest().await.unwrap();
    assert_eq!(server.counters().answered(key), 1);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_status_and_a_throttle_are_sound_http() {
    let (server, mut client) = called(Script::default(), FaultKind::Status(503)).await;
    assert_eq!(client.reply().await.status, 503);
    assert_eq!(server.counters().answered("http_error"), 1);
    let (server, mut client) = called(Script::default(), FaultKind::Throttled(7)).await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("7")));
    assert_eq!(server.counters().answered("throttled"), 1);
}

#[tokio::test]
async fn the_protocols_own_errors_ride_on_200() {
    let (server, mut client) = called(Script::default(), FaultKind::RpcError(-32050)).await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.error_code()), (200, -32050));
    assert_eq!(server.counters().answered("rpc_error"), 1);
    let (server, mut client) = called(Script::default(), FaultKind::ToolError).await;
    assert_eq!(client.reply().await.json()["result"]["isError"], true);
    assert_eq!(server.counters().answered("tool_error"), 1);
}

#[tokio::test]
async fn a_dropped_connection_ends_before_the_answer() {
    assert_eq!(remains(Form::Json, FaultKind::Drop, "drop").await, "");
}

#[tokio::test]
async fn a_cut_answer_ends_in_its_middle() {
    for form in [Form::Json, Form::Sse] {
        let cut = remains(form, FaultKind::Cut, "cut").await;
        assert!(cut.starts_with("HTTP/1.1 200 OK\r\n") && !cut.contains("hello"), "{cut:?}");
    }
}

#[tokio::test]
async fn a_reset_is_seen_as_one() {
    let (server, mut client) = called(Script::default(), FaultKind::Reset).await;
    assert_eq!(client.rest().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(server.counters().answered("reset"), 1);
}

#[tokio::test]
async fn garbage_and_half_a_head_are_no_http() {
    assert!(remains(Form::Json, FaultKind::Garbage, "garbage").await.contains("this is not HTTP"));
    let half = remains(Form::Json, FaultKind::HalfHead, "half_head").await;
    assert!(half.starts_with("HTTP/1.1 200 OK\r\n") && !half.contains("\r\n\r\n"), "{half:?}");
}

#[tokio::test]
async fn a_body_can_be_no_json() {
    let (server, mut client) = called(Script::default(), FaultKind::InvalidJson).await;
    let reply = client.reply().await;
    assert_eq!((reply.status, serde_json::from_str::<Value>(&reply.body).is_err()), (200, true));
    assert_eq!(server.counters().answered("invalid_json"), 1);
}

#[tokio::test]
async fn an_answer_can_carry_a_foreign_id() {
    let (_server, mut client) = called(Script::default(), FaultKind::WrongId).await;
    let answer = client.reply().await.json();
    assert_ne!(answer["id"], 1);
    assert_eq!(answer["result"]["content"][0]["text"], "hello");
}

#[tokio::test]
async fn a_foreign_answer_can_come_before_the_right_one() {
    let (server, mut client) = called(Script::default(), FaultKind::ForeignIdFirst).await;
    let ids: Vec<_> = client.reply().await.messages().iter().map(|message| message["id"].clone()).collect();
    assert_eq!((ids.len(), &ids[1]), (2, &json!(1)));
    assert_ne!(ids[0], 1);
    assert_eq!(server.counters().answered("ok"), 1);
}

#[tokio::test]
async fn notifications_can_come_before_the_answer() {
    let (_server, mut client) = called(Script::default(), FaultKind::NotificationsFirst(3)).await;
    let messages = client.reply().await.messages();
    assert!(messages[..3].iter().all(|message| message["method"] == "notifications/message"));
    assert_eq!((messages.len(), &messages[3]["id"]), (4, &json!(1)));
}

#[tokio::test]
async fn a_length_can_promise_less_than_comes() {
    let text = remains(Form::Json, FaultKind::Truncated, "truncated").await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}", body.len() / 2)), "{head}");
    let stream = remains(Form::Sse, FaultKind::Truncated, "truncated").await;
    assert!(stream.contains("hello") && !stream.ends_with("0\r\n\r\n"), "{stream:?}");
}

#[tokio::test]
async fn an_answer_can_fail_to_come_at_all() {
    let (server, mut client) = called(Script::default(), FaultKind::Never).await;
    client.finish().await;
    assert_eq!(client.rest().await.unwrap(), b"");
    assert_eq!(server.counters().answered("never"), 1);
}

#[tokio::test]
async fn a_kept_connection_can_close_without_notice() {
    let text = remains(Form::Json, FaultKind::CloseAfter, "ok").await;
    assert!(text.contains("hello") && !text.to_lowercase().contains("connection: close"), "{text}");
}

#[tokio::test]
async fn a_fault_falls_on_its_tool_only() {
    let script = Script::default().fault(Fault::new(1.0, FaultKind::Status(500)).on_tool("add"));
    let server = DemoServer::start(script).unwrap();
    let mut client = Client::connect(&server).await;
    assert_eq!(client.post(&echo()).await.status, 200);
    assert_eq!(client.post(&Post::tool("add", json!({ "a": 1, "b": 2 }))).await.status, 500);
    assert_eq!(client.post(&Post::modern("tools/list", json!({}))).await.status, 200);
}

#[tokio::test]
async fn what_the_protocol_refuses_is_spared_faults() {
    let server =
        DemoServer::start(Script::default().fault(Fault::new(1.0, FaultKind::RpcError(-1)))).unwrap();
    let mut client = Client::connect(&server).await;
    let stray = Post::legacy("tools/list", &json!({})).with("Mcp-Session-Id", "bogus");
    assert_eq!(client.post(&stray).await.status, 404);
    assert_eq!(client.post(&echo().with("Mcp-Name", "add")).await.status, 400);
    let books = server.counters();
    assert_eq!(
        (books.answered("session_lost"), books.answered("http_error"), books.answered("rpc_error")),
        (1, 1, 0)
    );
}

#[tokio::test]
async fn the_books_balance_whatever_is_played() {
    let script = Script { seed: 11, ..Script::default() }
        .fault(Fault::new(0.1, FaultKind::Status(500)))
        .fault(Fault::new(0.1, FaultKind::Reset))
        .fault(Fault::new(0.1, FaultKind::RpcError(-32000)))
        .fault(Fault::new(0.1, FaultKind::Cut));
    let server = DemoServer::start(script).unwrap();
    let (mut ok, mut http, mut rpc, mut broken) = (0, 0, 0, 0);
    for _ in 0..200 {
        let mut client = Client::connect(&server).await;
        client.send(&echo().with("Connection", "close").bytes()).await;
        let text = client.rest().await.map(|bytes| String::from_utf8(bytes).unwrap()).unwrap_or_default();
        match text {
            text if text.contains("hello") => ok += 1,
            text if text.contains("by script") && text.contains("500") => http += 1,
            text if text.contains("-32000") => rpc += 1,
            _ => broken += 1,
        }
    }
    let books = server.stop();
    assert_eq!(
        (books.answered("ok"), books.answered("http_error"), books.answered("rpc_error")),
        (ok, http, rpc)
    );
    assert_eq!(books.answered("reset") + books.answered("cut"), broken);
    assert_eq!((books.requests, books.requested("tools/call"), books.in_flight), (200, 200, 0));
    assert!(ok > 0 && http > 0 && rpc > 0 && books.answered("reset") > 0 && books.answered("cut") > 0);
}

#[tokio::test]
async fn a_flaky_tool_fails_the_same_calls_under_the_same_seed() {
    let mut runs = Vec::new();
    for form in [Form::Json, Form::SsePrimed] {
        let server = DemoServer::start(Script { seed: 3, ..Script::default() }.form(form)).unwrap();
        let mut client = Client::connect(&server).await;
        let mut failed = Vec::new();
        for _ in 0..40 {
            let answer = client.post(&Post::tool("flaky", json!({ "rate": 0.5 }))).await.json();
            failed.push(answer["result"]["isError"] == true);
        }
        runs.push(failed);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&true) && runs[0].contains(&false));
}
