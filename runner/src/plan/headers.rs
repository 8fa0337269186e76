//! Which header lines a user may add, and which belong to the client.

/// Who writes the request: the client for MCP, or a step for a plain HTTP request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// An MCP request, whose protocol headers are the client's.
    ByProtocol,
    /// A plain HTTP request, whose framing alone is the client's.
    ByStep,
}

/// Headers that frame a message, belong to its connection, or are on every request of ours.
const FRAMING: [&str; 12] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Headers that the protocol gives a meaning.
const PROTOCOL: [&str; 7] = [
    "accept",
    "content-type",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
];

/// What is wrong with a header, and what to do; the value is never quoted.
pub(crate) fn mistake(name: &str, value: &str, written: Written) -> Option<(String, &'static str)> {
    let lower = name.to_ascii_lowercase();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        let shown: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        return Some((
            format!("`{shown}` is not a header name"),
            "use letters, digits and hyphens, and no line break",
        ));
    }
    let protocol = PROTOCOL.contains(&lower.as_str()) || lower.starts_with("mcp-param-");
    if FRAMING.contains(&lower.as_str()) || (written == Written::ByProtocol && protocol) {
        return Some((format!("the header `{lower}` is written by the client itself"), "remove it"));
    }
    if !value.bytes().all(|byte| (0x20..0x7f).contains(&byte) || byte == b'\t') {
        let help = "use printable ASCII; a line break would begin another header";
        return Some((format!("the value of the header `{lower}` has characters that cannot be sent"), help));
    }
    if value.trim() != value {
        let help = "servers cut it off, so the value would not arrive as written";
        return Some((format!("the value of the header `{lower}` begins or ends with a blank"), help));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Written, mistake};

    #[test]
    fn a_line_break_in_a_header_is_refused_without_quoting_its_value() {
        let (message, _) = mistake("x-key", "secret\r\nhost: evil", Written::ByProtocol).unwrap();
        assert!(!message.contains("secret"), "{message}");
        assert!(mistake("x-key\r\nhost", "evil", Written::ByStep).is_some());
    }

    #[test]
    fn protocol_headers_are_the_clients_own_in_mcp_but_free_in_a_plain_request() {
        for name in ["Mcp-Session-Id", "content-type", "Mcp-Param-Region"] {
            assert!(mistake(name, "x", Written::ByProtocol).is_some(), "{name}");
            assert!(mistake(name, "x", Written::ByStep).is_none(), "{name}");
        }
        for name in ["Host", "content-length", "Transfer-Encoding"] {
            assert!(mistake(name, "x", Written::ByStep).is_some(), "{name}");
        }
    }

    #[test]
    fn ordinary_headers_pass() {
        assert_eq!(mistake("X-Api-Key", "abc def\t~", Written::ByProtocol), None);
        assert_eq!(mistake("x-empty", "", Written::ByProtocol), None);
    }
}
