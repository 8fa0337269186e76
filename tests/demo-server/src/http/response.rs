//! Responses onto the wire: status, headers and body in, bytes out.

/// The end of a chunked body.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// A whole response with a body of known length.
pub(crate) fn whole(status: u16, content_type: &str, extra: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(192 + body.len());
    status_line(&mut bytes, status);
    if !body.is_empty() {
        header(&mut bytes, "Content-Type", content_type);
    }
    for (name, value) in extra {
        header(&mut bytes, name, value);
    }
    header(&mut bytes, "Content-Length", &body.len().to_string());
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// The head of an event stream, sent in chunks.
pub(crate) fn stream_head(extra: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    status_line(&mut bytes, 200);
    header(&mut bytes, "Content-Type", "text/event-stream");
    header(&mut bytes, "Cache-Control", "no-cache");
    header(&mut bytes, "X-Accel-Buffering", "no");
    for (name, value) in extra {
        header(&mut bytes, name, value);
    }
    header(&mut bytes, "Transfer-Encoding", "chunked");
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// One chunk of a chunked body.
pub(crate) fn chunk(bytes: &mut Vec<u8>, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    bytes.extend_from_slice(format!("{length:x}\r\n").as_bytes());
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice(b"\r\n");
}

fn status_line(bytes: &mut Vec<u8>, status: u16) {
    bytes.extend_from_slice(b"HTTP/1.1 ");
    bytes.extend_from_slice(status.to_string().as_bytes());
    bytes.push(b' ');
    bytes.extend_from_slice(reason(status).as_bytes());
    bytes.extend_from_slice(b"\r\n");
}

fn header(bytes: &mut Vec<u8>, name: &str, value: &str) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value.as_bytes());
    bytes.extend_from_slice(b"\r\n");
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "By Script",
    }
}

#[cfg(test)]
mod tests {
    use super::{chunk, whole};

    #[test]
    fn a_whole_response_states_its_length() {
        let bytes = whole(200, "text/plain", &[("X-Y", "z")], b"abc");
        assert_eq!(
            bytes,
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Y: z\r\nContent-Length: 3\r\n\r\nabc".to_vec()
        );
    }

    #[test]
    fn a_chunk_counts_its_parts_in_hexadecimal() {
        let mut bytes = Vec::new();
        chunk(&mut bytes, &[b"0123456789", b"abcdef"]);
        assert_eq!(bytes, b"10\r\n0123456789abcdef\r\n".to_vec());
    }
}
