//! The rules of each era, kept and broken.

use std::num::NonZeroUsize;

use pmcp_loadtest_demo_server::{DemoServer, Eras, Script, Sessions};
use serde_json::{Value, json};

use crate::client::{Client, Post, bare};

async fn reply_under(script: Script, post: Post) -> crate::client::Reply {
    let server = DemoServer::start(script).unwrap();
    Client::connect(&server).await.post(&post).await
}

async fn reply(post: Post) -> crate::client::Reply {
    reply_under(Script::default(), post).await
}

#[tokio::test]
async fn a_modern_call_is_answered_on_a_connection_that_stays_open() {
    let server = DemoServer::start(Script::default()).unwrap();
    let mut client = Client::connect(&server).await;
    for message in ["one", "two"] {
        let reply = client.post(&Post::tool("echo", json!({ "message": message }))).await;
        let result = &reply.json()["result"];
        assert_eq!((reply.status, &result["resultType"]), (200, &json!("complete")));
        assert_eq!(result["content"][0]["text"], message);
    }
    assert_eq!(server.counters().connections, 1);
}

#[tokio::test]
async fn headers_that_do_not_mirror_the_body_are_refused() {
    let sound = Post::tool("echo", json!({ "message": "x" }));
    let cases = [
        (sound.clone().without("Mcp-Method"), -32020),
        (sound.clone().with("Mcp-Method", "tools/list"), -32020),
        (sound.clone().with("Mcp-Method", "Tools/Call"), -32020),
        (sound.clone().without("Mcp-Name"), -32020),
        (sound.clone().with("Mcp-Name", "add"), -32020),
        (sound.clone().with("Mcp-Name", "=?base64?ZWNobw?="), -32020),
        (sound.clone().without("MCP-Protocol-Version"), -32020),
        (sound.clone().with("MCP-Protocol-Version", "2099-01-01"), -32020),
    ];
    for (post, code) in cases {
        let reply = reply(post.clone()).await;
        assert_eq!((reply.status, reply.error_code()), (400, code), "{post:?}");
        assert_eq!(reply.json()["id"], 1);
    }
    let encoded = reply(sound.with("Mcp-Name", "=?base64?ZWNobw==?=")).await;
    assert_eq!(encoded.status, 200);
}

#[tokio::test]
async fn an_unknown_version_is_answered_with_those_that_are_served() {
    let params = json!({ "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2099-01-01",
        "io.modelcontextprotocol/clientCapabilities": {},
    } });
    let body = json!({ "jsonrpc": "2.0", "id": 5, "method": "server/discover", "params": params });
    let post =
        Post::plain(&body).with("MCP-Protocol-Version", "2099-01-01").with("Mcp-Method", "server/discover");
    let reply = reply(post).await;
    assert_eq!((reply.status, reply.error_code()), (400, -32022));
    assert_eq!(
        reply.json()["error"]["data"],
        json!({ "supported": ["2026-07-28"], "requested": "2099-01-01" })
    );
}

#[tokio::test]
async fn a_modern_request_without_its_metadata_is_invalid() {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} });
    let post = Post::plain(&body).with("MCP-Protocol-Version", "2026-07-28").with("Mcp-Method", "tools/list");
    let reply = reply(post).await;
    assert_eq!((reply.status, reply.error_code()), (400, -32602));
}

#[tokio::test]
async fn mirrored_arguments_must_stand_in_their_headers() {
    let call =
        Post::tool("route_query", json!({ "region": "eu-west", "query": "q", "options": { "priority": 3 } }));
    let right = call.clone().with("Mcp-Param-Region", "eu-west").with("Mcp-Param-Priority", "3");
    assert_eq!(reply(right.clone()).await.status, 200);
    for wrong in [
        right.clone().without("Mcp-Param-Region"),
        right.clone().with("Mcp-Param-Region", "us-east"),
        right.clone().with("Mcp-Param-Region", "=?base64?%%?="),
        right.clone().with("Mcp-Param-Priority", "4"),
    ] {
        assert_eq!(reply(wrong).await.error_code(), -32020);
    }
    let absent = Post::tool("route_query", json!({ "region": "eu-west", "query": "q" }));
    let absent = absent.with("Mcp-Param-Region", "eu-west");
    assert_eq!(reply(absent.clone()).await.status, 200);
    assert_eq!(reply(absent.with("Mcp-Param-Priority", "4")).await.error_code(), -32020);
}

#[tokio::test]
async fn what_the_modern_era_removed_is_not_found() {
    for method in ["ping", "initialize", "logging/setLevel", "resources/subscribe", "no/such"] {
        let reply = reply(Post::modern(method, json!({}))).await;
        assert_eq!((reply.status, reply.error_code()), (404, -32601), "{method}");
    }
    let server = DemoServer::start(Script::default()).unwrap();
    for verb in ["GET", "DELETE"] {
        let mut client = Client::connect(&server).await;
        client.send(&bare(verb, "/mcp", &[("MCP-Protocol-Version", "2026-07-28")])).await;
        assert_eq!(client.reply().await.status, 405, "{verb}");
    }
}

#[tokio::test]
async fn discovery_says_what_the_server_is() {
    let result = reply(Post::modern("server/discover", json!({}))).await.json()["result"].clone();
    assert_eq!(result["supportedVersions"], json!(["2026-07-28"]));
    assert!(result["capabilities"]["tools"].is_object() && result["ttlMs"].is_u64());
    assert_eq!(result["cacheScope"], "public");
}

#[tokio::test]
async fn a_session_lives_from_initialize_to_delete() {
    let server = DemoServer::start(Script::default()).unwrap();
    let mut client = Client::connect(&server).await;
    let list = Post::legacy("tools/list", &json!({}));
    assert_eq!(client.post(&list).await.status, 400, "no session named");
    assert_eq!(client.post(&list.clone().with("Mcp-Session-Id", "bogus")).await.status, 404);

    let opened = client.post(&Post::initialize()).await;
    assert_eq!(opened.json()["result"]["protocolVersion"], "2025-11-25");
    let session = opened.header("mcp-session-id").unwrap().to_owned();
    let within =
        |post: Post| post.with("Mcp-Session-Id", &session).with("MCP-Protocol-Version", "2025-11-25");
    let initialized = Post::plain(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    let accepted = client.post(&within(initialized)).await;
    assert_eq!((accepted.status, accepted.body.as_str()), (202, ""));
    assert_eq!(client.post(&within(Post::legacy("ping", &json!({})))).await.json()["result"], json!({}));
    assert!(client.post(&within(list.clone())).await.json()["result"]["tools"].is_array());
    let unknown = client.post(&within(Post::legacy("no/such", &json!({})))).await;
    assert_eq!((unknown.status, unknown.error_code()), (200, -32601));
    let old = within(list.clone()).with("MCP-Protocol-Version", "1999-01-01");
    assert_eq!(client.post(&old).await.status, 400);

    client.send(&bare("DELETE", "/mcp", &[("Mcp-Session-Id", &session)])).await;
    assert_eq!(client.reply().await.status, 200);
    assert_eq!(client.post(&within(list)).await.status, 404);
    let books = server.counters();
    assert_eq!((books.sessions_opened, books.sessions_closed, books.sessions_lost), (1, 1, 0));
    assert_eq!((books.initializes, books.notifications, books.answered("session_lost")), (1, 1, 2));
}

#[tokio::test]
async fn initialize_agrees_on_the_clients_revision_or_offers_the_newest() {
    for (asked, agreed) in
        [("2025-03-26", "2025-03-26"), ("2025-06-18", "2025-06-18"), ("2024-11-05", "2025-11-25")]
    {
        let reply =
            reply(Post::legacy("initialize", &json!({ "protocolVersion": asked, "capabilities": {} }))).await;
        assert_eq!(reply.json()["result"]["protocolVersion"], agreed);
    }
}

#[tokio::test]
async fn a_stateless_server_opens_no_session_and_has_no_stream() {
    let server = DemoServer::start(Script::default().sessions(Sessions::Stateless)).unwrap();
    let mut client = Client::connect(&server).await;
    assert_eq!(client.post(&Post::initialize()).await.header("mcp-session-id"), None);
    let listed = client.post(&Post::legacy("tools/list", &json!({})).with("Mcp-Session-Id", "ignored")).await;
    assert_eq!(listed.status, 200);
    client.send(&bare("GET", "/mcp", &[])).await;
    assert_eq!(client.reply().await.status, 405);
}

#[tokio::test]
async fn a_server_of_one_era_refuses_the_other() {
    let modern_only = Script::default().eras(Eras::Modern);
    assert_eq!(reply_under(modern_only, Post::initialize()).await.status, 400);
    let legacy_only = Script::default().eras(Eras::Legacy);
    let refused = reply_under(legacy_only, Post::modern("server/discover", json!({}))).await;
    assert_eq!((refused.status, refused.error_code()), (400, -32000));
}

#[tokio::test]
async fn the_cursors_lead_through_every_tool() {
    let server = DemoServer::start(Script { page_size: NonZeroUsize::new(4), ..Script::default() }).unwrap();
    let mut client = Client::connect(&server).await;
    let mut names = Vec::new();
    let mut params = json!({});
    loop {
        let result = client.post(&Post::modern("tools/list", params)).await.json()["result"].clone();
        names.extend(result["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone()));
        let Some(cursor) = result.get("nextCursor") else { break };
        params = json!({ "cursor": cursor });
    }
    for name in [
        "echo",
        "add",
        "search",
        "slow",
        "flaky",
        "big",
        "delete_item",
        "place_order",
        "route_query",
        "countdown",
    ] {
        assert_eq!(names.iter().filter(|listed| *listed == name).count(), 1, "{name}");
    }
}

#[tokio::test]
async fn wrong_arguments_are_the_tools_error_and_an_unknown_tool_the_protocols() {
    let wrong = reply(Post::tool("add", json!({ "a": "one" }))).await.json();
    assert_eq!(wrong["result"]["isError"], true);
    assert!(wrong["result"]["content"][0]["text"].as_str().unwrap().contains("arguments.b is missing"));
    let unknown = reply(Post::tool("no_such_tool", json!({}))).await;
    assert_eq!((unknown.status, unknown.error_code()), (200, -32602));
}

#[tokio::test]
async fn each_era_has_its_code_for_a_missing_resource() {
    let modern = reply(Post::modern("resources/read", json!({ "uri": "demo://none" }))).await;
    assert_eq!(
        (modern.error_code(), &modern.json()["error"]["data"]["uri"]),
        (-32602, &json!("demo://none"))
    );
    let stateless = Script::default().sessions(Sessions::Stateless);
    let legacy =
        reply_under(stateless, Post::legacy("resources/read", &json!({ "uri": "demo://none" }))).await;
    assert_eq!(legacy.error_code(), -32002);
}

#[tokio::test]
async fn code_is_run_with_the_token_that_approved_it() {
    let server = DemoServer::start(Script::default()).unwrap();
    let mut client = Client::connect(&server).await;
    let approval =
        client.post(&Post::tool("validate_code", json!({ "code": "{ a }", "format": "graphql" }))).await;
    let said: Value =
        serde_json::from_str(approval.json()["result"]["content"][0]["text"].as_str().unwrap()).unwrap();
    let run = json!({ "code": "{ a }", "format": "graphql", "approval_token": said["approval_token"] });
    assert_eq!(client.post(&Post::tool("execute_code", run)).await.json()["result"].get("isError"), None);
}

#[tokio::test]
async fn requests_that_are_no_mcp_are_refused_with_their_status() {
    let sound = Post::modern("tools/list", json!({}));
    assert_eq!(reply(sound.clone().with("Accept", "application/json")).await.status, 406);
    assert_eq!(reply(sound.clone().with("Content-Type", "text/plain")).await.status, 415);
    assert_eq!(reply(sound.clone().with("Origin", "https://evil.example")).await.status, 403);
    assert_eq!(reply(Post::plain(&json!([]))).await.error_code(), -32600);
    let server = DemoServer::start(Script::default()).unwrap();
    let mut client = Client::connect(&server).await;
    for (verb, path, status) in [("PUT", "/mcp", 405), ("GET", "/nothing", 404), ("GET", "/health", 200)] {
        client.send(&bare(verb, path, &[])).await;
        assert_eq!(client.reply().await.status, status, "{verb} {path}");
    }
}

#[tokio::test]
async fn a_chunked_request_is_read_like_any_other() {
    let server = DemoServer::start(Script::default()).unwrap();
    let mut client = Client::connect(&server).await;
    let plain = String::from_utf8(Post::tool("echo", json!({ "message": "in pieces" })).bytes()).unwrap();
    let (head, body) = plain.split_once("\r\n\r\n").unwrap();
    let head: Vec<_> = head.lines().filter(|line| !line.starts_with("Content-Length")).collect();
    let (first, second) = body.split_at(20);
    let chunks = format!("{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", first.len(), second.len());
    client
        .send(format!("{}\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}", head.join("\r\n")).as_bytes())
        .await;
    assert_eq!(client.reply().await.json()["result"]["content"][0]["text"], "in pieces");
}
