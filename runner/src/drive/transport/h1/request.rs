//! The text of a request: head and body in one buffer, so that one `send` does.

use super::super::{Body, Endpoint, JSON_LINES, Request, RequestKind, STREAM_LINES};

/// Writes the whole request into `out`, which is emptied first.
pub(in super::super) fn write(out: &mut Vec<u8>, endpoint: &Endpoint, request: &Request<'_>) {
    out.clear();
    match request.kind {
        RequestKind::Message => out.extend_from_slice(endpoint.post_head.as_bytes()),
        RequestKind::Stream => begin(out, "GET", &endpoint.path, &[&endpoint.common_lines, STREAM_LINES]),
        RequestKind::Delete => begin(out, "DELETE", &endpoint.path, &[&endpoint.common_lines, JSON_LINES]),
        RequestKind::Plain { method, path } => begin(out, method, path, &[&endpoint.common_lines]),
    }
    out.extend_from_slice(request.session_lines.as_bytes());
    out.extend_from_slice(request.step_lines.as_bytes());
    let Body { before, id, after } = request.body;
    let mut digits = itoa::Buffer::new();
    let id = id.map_or("", |id| digits.format(id));
    let length = before.len() + id.len() + after.len();
    if length > 0 || matches!(request.kind, RequestKind::Message) {
        let mut digits = itoa::Buffer::new();
        out.extend_from_slice(b"content-length: ");
        out.extend_from_slice(digits.format(length).as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(before);
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(after);
}

fn begin(out: &mut Vec<u8>, method: &str, path: &str, lines: &[&str]) {
    for part in [method, " ", path, " HTTP/1.1\r\n"].iter().chain(lines) {
        out.extend_from_slice(part.as_bytes());
    }
}
