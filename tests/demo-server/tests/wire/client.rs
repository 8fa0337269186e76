//! A client that shows bytes: requests are built line by line, answers are read with their framing.

use std::io;

use pmcp_loadtest_demo_server::DemoServer;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const MODERN: &str = "2026-07-28";

/// An HTTP request in the making.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    headers: Vec<(String, String)>,
    body: String,
}

impl Post {
    /// A modern request that obeys every rule.
    pub(crate) fn modern(method: &str, params: Value) -> Self {
        let mut params = params;
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = MODERN.into();
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
        let name = params.get("name").or(params.get("uri")).and_then(Value::as_str).map(str::to_owned);
        let post = Self::plain(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
            .with("MCP-Protocol-Version", MODERN)
            .with("Mcp-Method", method);
        match name {
            Some(name) => post.with("Mcp-Name", &name),
            None => post,
        }
    }

    /// A modern call of a tool.
    pub(crate) fn tool(name: &str, arguments: Value) -> Self {
        let mut params = json!({ "name": name });
        params["arguments"] = arguments;
        Self::modern("tools/call", params)
    }

    /// A request of the session era; the session, if any, is a header.
    pub(crate) fn legacy(method: &str, params: &Value) -> Self {
        Self::plain(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
    }

    pub(crate) fn initialize() -> Self {
        Self::legacy(
            "initialize",
            &json!({ "protocolVersion": "2025-11-25", "capabilities": { "sampling": {} } }),
        )
    }

    pub(crate) fn plain(body: &Value) -> Self {
        let headers =
            [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { headers: headers.to_vec(), body: body.to_string() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        message("POST", "/mcp", &self.headers, &self.body)
    }
}

/// A request of any method.
pub(crate) fn message(verb: &str, path: &str, headers: &[(String, String)], body: &str) -> Vec<u8> {
    let mut text = format!("{verb} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        text += &(name.clone() + ": " + value + "\r\n");
    }
    (text + "\r\n" + body).into_bytes()
}

/// A request without a body.
pub(crate) fn bare(verb: &str, path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    message(verb, path, &headers, "")
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let line = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        line.map(|(_, value)| value.as_str())
    }

    /// The JSON-RPC messages: the body, or the data of each event that has some.
    pub(crate) fn messages(&self) -> Vec<Value> {
        if self.header("content-type") == Some("text/event-stream") {
            events(&self.body).into_iter().map(|data| serde_json::from_str(data).unwrap()).collect()
        } else {
            vec![serde_json::from_str(&self.body).unwrap()]
        }
    }

    /// The last message, which is the answer.
    pub(crate) fn json(&self) -> Value {
        self.messages().pop().unwrap()
    }

    pub(crate) fn error_code(&self) -> i64 {
        self.json()["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {self:?}"))
    }
}

/// The data of the events of a stream that have some.
pub(crate) fn events(stream: &str) -> Vec<&str> {
    stream.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| !data.is_empty()).collect()
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    inbox: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(server: &DemoServer) -> Self {
        Self { stream: TcpStream::connect(server.address()).await.unwrap(), inbox: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn post(&mut self, post: &Post) -> Reply {
        self.send(&post.bytes()).await;
        self.reply().await
    }

    /// Reads one whole answer.
    pub(crate) async fn reply(&mut self) -> Reply {
        loop {
            if let Some((reply, used)) = parse(&self.inbox) {
                self.inbox.drain(..used);
                return reply;
            }
            assert_ne!(self.read().await.unwrap(), 0, "closed within an answer: {:?}", self.text());
        }
    }

    /// Reads until `needle` has come with its line or chunk, and gives everything that is unread.
    pub(crate) async fn until(&mut self, needle: &str) -> String {
        while !(self.text().contains(needle) && self.inbox.ends_with(b"\r\n")) {
            assert_ne!(self.read().await.unwrap(), 0, "closed before {needle:?}: {:?}", self.text());
        }
        let text = self.text();
        self.inbox.clear();
        text
    }

    /// Reads until the server closes or resets the connection.
    pub(crate) async fn rest(&mut self) -> io::Result<Vec<u8>> {
        while self.read().await? > 0 {}
        Ok(std::mem::take(&mut self.inbox))
    }

    /// Says that nothing more will be sent.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    async fn read(&mut self) -> io::Result<usize> {
        self.stream.read_buf(&mut self.inbox).await
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.inbox).into_owned()
    }
}

/// A whole answer at the front of `bytes`, and its length.
fn parse(bytes: &[u8]) -> Option<(Reply, usize)> {
    let mut lines = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut lines);
    let httparse::Status::Complete(start) = head.parse(bytes).unwrap() else { return None };
    let headers: Vec<_> = head
        .headers
        .iter()
        .map(|line| (line.name.to_owned(), String::from_utf8(line.value.to_vec()).unwrap()))
        .collect();
    let reply = |body: Vec<u8>| Reply {
        status: head.code.unwrap(),
        headers: headers.clone(),
        body: String::from_utf8(body).unwrap(),
    };
    let length = headers.iter().find(|(name, _)| name == "Content-Length");
    if let Some((_, length)) = length {
        let end = start + length.parse::<usize>().unwrap();
        return Some((reply(bytes.get(start..end)?.to_vec()), end));
    }
    let mut body = Vec::new();
    let mut at = start;
    loop {
        let httparse::Status::Complete((line, size)) = httparse::parse_chunk_size(&bytes[at..]).unwrap()
        else {
            return None;
        };
        let chunk = at + line;
        let end = chunk + usize::try_from(size).unwrap();
        body.extend_from_slice(bytes.get(chunk..end)?);
        at = end + 2;
        if at > bytes.len() {
            return None;
        }
        if size == 0 {
            return Some((reply(body), at));
        }
    }
}
