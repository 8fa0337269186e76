//! Event streams: their form, what comes before the answer, and streams that outlast one.

use std::num::NonZeroUsize;
use std::time::Duration;

use pmcp_loadtest_demo_server::{DemoServer, Fault, FaultKind, Form, Script, Split};
use serde_json::{Value, json};

use crate::client::{Client, Post, bare, events};

/// A server under `script` and the id of a session on it.
async fn session(script: Script) -> (DemoServer, Client, String) {
    let server = DemoServer::start(script).unwrap();
    let mut client = Client::connect(&server).await;
    let opened = client.post(&Post::initialize()).await;
    let id = opened.header("mcp-session-id").unwrap().to_owned();
    (server, client, id)
}

fn echo_in(session: &str) -> Post {
    Post::legacy("tools/call", &json!({ "name": "echo", "arguments": { "message": "hello" } }))
        .with("Mcp-Session-Id", session)
}

#[tokio::test]
async fn an_answer_in_pieces_reads_like_one_in_whole() {
    for form in [Form::Json, Form::Sse] {
        let split = Split { bytes: NonZeroUsize::new(7).unwrap(), pause: Duration::ZERO };
        let server =
            DemoServer::start(Script { split: Some(split), ..Script::default() }.form(form)).unwrap();
        let mut client = Client::connect(&server).await;
        let reply = client.post(&Post::tool("echo", json!({ "message": "hello" }))).await;
        assert_eq!(reply.json()["result"]["content"][0]["text"], "hello");
    }
}

#[tokio::test]
async fn a_primed_stream_begins_with_an_id_and_a_retry_and_no_data() {
    let (_server, mut client, session) = session(Script::default().form(Form::SsePrimed)).await;
    let body = client.post(&echo_in(&session)).await.body;
    let (first, rest) = body.split_once("\n\n").unwrap();
    let lines: Vec<_> = first.lines().collect();
    assert!(lines[0].starts_with("id: ") && lines[1] == "retry: 100" && lines[2] == "data: ", "{first:?}");
    assert!(rest.contains("\nid: "), "{rest:?}");
}

#[tokio::test]
async fn progress_is_reported_to_those_who_ask() {
    let server = DemoServer::start(Script::default()).unwrap();
    let mut client = Client::connect(&server).await;
    let arguments = json!({ "steps": 3, "step_ms": 1 });
    let silent = client.post(&Post::tool("countdown", arguments.clone())).await;
    assert_eq!(silent.header("content-type"), Some("application/json"));
    let params = json!({ "name": "countdown", "arguments": arguments, "_meta": { "progressToken": "t-1" } });
    let messages = client.post(&Post::modern("tools/call", params)).await.messages();
    let progress: Vec<_> =
        messages[..3].iter().map(|message| message["params"]["progress"].clone()).collect();
    assert_eq!(progress, [1, 2, 3]);
    assert!(messages[..3].iter().all(|message| message["params"]["progressToken"] == "t-1"));
    assert_eq!(messages[3]["id"], 1);
}

#[tokio::test]
async fn the_servers_ping_comes_first_and_waits_for_its_answer() {
    let ping = Fault::new(1.0, FaultKind::PingFirst).on_tool("echo");
    let (server, mut client, session) = session(Script::default().fault(ping)).await;
    client.send(&echo_in(&session).bytes()).await;
    let stream = client.until("\"ping\"").await;
    let asked: Value = serde_json::from_str(events(&stream)[0]).unwrap();
    let mut second = Client::connect(&server).await;
    let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": {} });
    assert_eq!(second.post(&Post::plain(&answer).with("Mcp-Session-Id", &session)).await.status, 202);
    assert!(client.until("0\r\n\r\n").await.contains("hello"));
    let books = server.counters();
    assert_eq!((books.server_requests, books.server_requests_answered), (1, 1));
}

#[tokio::test]
async fn the_modern_era_is_spared_the_servers_ping() {
    let script = Script::default().fault(Fault::new(1.0, FaultKind::PingFirst));
    let server = DemoServer::start(script).unwrap();
    let reply = Client::connect(&server).await.post(&Post::tool("echo", json!({ "message": "hello" }))).await;
    assert_eq!((reply.messages().len(), server.counters().server_requests), (1, 0));
}

#[tokio::test]
async fn an_idle_stream_gives_signs_of_life() {
    let script = Script { keep_alive: Duration::from_millis(5), ..Script::default() };
    let (server, mut client, session) = session(script).await;
    client.send(&bare("GET", "/mcp", &[("Mcp-Session-Id", &session), ("Accept", "text/event-stream")])).await;
    assert!(client.until("text/event-stream").await.starts_with("HTTP/1.1 200"));
    client.until(": keep-alive").await;
    client.until(": keep-alive").await;
    assert_eq!(server.counters().streams, 1);
}

#[tokio::test]
async fn an_answer_that_was_hung_up_on_is_fetched_by_its_event() {
    let hang_up = Fault::new(1.0, FaultKind::Resume).on_tool("echo");
    let (_server, mut client, session) = session(Script::default().fault(hang_up)).await;
    let stream = client.post(&echo_in(&session)).await.body;
    assert!(events(&stream).is_empty() && stream.contains("retry: 100\n"), "{stream:?}");
    let event = stream.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    client.send(&bare("GET", "/mcp", &[("Mcp-Session-Id", &session), ("Last-Event-ID", &event)])).await;
    let fetched = client.reply().await.json();
    assert_eq!((&fetched["id"], &fetched["result"]["content"][0]["text"]), (&json!(1), &json!("hello")));
}

#[tokio::test]
async fn a_listener_hears_what_it_asked_for_and_nothing_else() {
    let server = DemoServer::start(Script::conformance()).unwrap();
    let mut listener = Client::connect(&server).await;
    let wanted = json!({ "notifications": { "promptsListChanged": true } });
    listener.send(&Post::modern("subscriptions/listen", wanted).bytes()).await;
    let first = listener.until("acknowledged").await;
    let acknowledged: Value = serde_json::from_str(events(&first)[0]).unwrap();
    assert_eq!(acknowledged["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 1);
    assert_eq!(acknowledged["params"]["notifications"], json!({ "promptsListChanged": true }));
    let mut caller = Client::connect(&server).await;
    caller.post(&Post::tool("test_trigger_tool_change", json!({}))).await;
    caller.post(&Post::tool("test_trigger_prompt_change", json!({}))).await;
    assert!(!listener.until("prompts/list_changed").await.contains("tools/list_changed"));
}
