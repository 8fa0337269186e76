//! Plain HTTP requests beside MCP: health checks, REST endpoints, routes that must stay closed.

use crate::wire;

/// A plain HTTP request to the target's origin.
///
/// ```
/// use pmcp_loadtest_guest::{HttpRequest, Step};
/// let closed = Step::http(HttpRequest::new("DELETE", "/admin").expect_status(403)).label("admin stays closed");
/// # let _ = closed;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct HttpRequest(wire::HttpRequest);

impl HttpRequest {
    /// A request of `method` for `path`: path and query, beginning with `/`.
    pub fn new(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self(wire::HttpRequest {
            method: method.into(),
            path: path.into(),
            headers: Vec::new(),
            body: None,
            expect_status: Vec::new(),
        })
    }

    /// A GET request for `path`.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    /// A POST request to `path` with this body; its `content-type` is a [`header`](Self::header) to add.
    pub fn post(path: impl Into<String>, body: impl Into<String>) -> Self {
        Self::new("POST", path).body(body)
    }

    /// Adds a header field.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.headers.push((name.into(), value.into()));
        self
    }

    /// Sends this body.
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.0.body = Some(body.into());
        self
    }

    /// Counts this status as ok; without any, 200 to 299 are.
    pub fn expect_status(mut self, status: u16) -> Self {
        self.0.expect_status.push(status);
        self
    }

    pub(crate) fn into_wire(self) -> wire::HttpRequest {
        self.0
    }
}
