//! The text of a request: head and body in one buffer, so that one `send` does.

use super::super::{Body, Endpoint, JSON_LINES, Request, RequestKind, STREAM_LINES};

/// Writes the whole request into `out`, which is emptied first.
pub(in super::super) fn write(out: &mut Vec<u8>, endpoint: &Endpoint, request: &Request<'_>) {
    out.clear();
    match request.kind {
        RequestKind::Message => out.extend_from_slice(endpoint.post_head.as_bytes()),
        RequestKind::Stream => begin(out, "GET", &endpoint.path, &[&endpoint.common_lines, STREAM_LINES]),
        RequestKind::Delete => begin(out, "DELETE", &endpoint.path, &[&endpoint.common_lines, JSON_LINES]),
        RequestKind::Plain { method, path } => {
            begin(out, method, path, &[]);
            // What the step says itself stands instead of what is said for the whole run: other credentials, or none that work.
            let common = endpoint.common_lines.split_inclusive("\r\n");
            for line in common.filter(|line| !names_field_of(request.step_lines, line)) {
                out.extend_from_slice(line.as_bytes());
            }
        }
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

/// Whether one of `lines` is of the same header field as `line`.
fn names_field_of(lines: &str, line: &str) -> bool {
    let name = |line: &str| line.split(':').next().unwrap_or_default().to_ascii_lowercase();
    lines.split_inclusive("\r\n").any(|other| name(other) == name(line))
}

fn begin(out: &mut Vec<u8>, method: &str, path: &str, lines: &[&str]) {
    for part in [method, " ", path, " HTTP/1.1\r\n"].iter().chain(lines) {
        out.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steps_own_header_stands_instead_of_the_runs() {
        let lines = "accept: */*\r\nauthorization: Bearer other\r\n";
        assert!(names_field_of(lines, "Authorization: Bearer run\r\n"));
        assert!(!names_field_of(lines, "host: a\r\n"));
    }
}
