//! Whether a server took a mutant as it should.

use pmcp_loadtest_guest::Status;

use crate::mutation::Mutant;

/// JSON-RPC: the parameters are wrong, the request is, or a header cannot mirror the arguments (2026-07-28).
const INVALID: [i32; 3] = [-32602, -32600, -32020];
/// JSON-RPC: the server's own failure.
const INTERNAL_ERROR: i32 = -32603;
/// HTTP: bad request, content too large, content that cannot be processed.
const REFUSALS: [u16; 3] = [400, 413, 422];

/// Why `status` is no good answer to `mutant`; `None` where nothing can be said, for the mutant was not judged by the server.
///
/// What the schema refuses has to be refused: a tool result with `isError`, the JSON-RPC error for invalid parameters, or a status of
/// HTTP that says the same. What is only large may as well be accepted. Neither may break anything.
pub(crate) fn verdict(mutant: &Mutant, status: &Status) -> Option<Result<(), String>> {
    let wrong = |what: String| Some(Err(format!("{what} at `{}`", mutant.pointer)));
    match status {
        Status::ToolError => Some(Ok(())),
        Status::Ok if !mutant.must_be_refused => Some(Ok(())),
        Status::Ok => wrong(format!("accepted {}", excerpt(&mutant.arguments))),
        Status::Rpc(error) if INVALID.contains(&error.code) => Some(Ok(())),
        Status::Rpc(error) if !mutant.must_be_refused && error.code != INTERNAL_ERROR => Some(Ok(())),
        Status::Rpc(error) => wrong(format!("error {} ({})", error.code, excerpt(&error.message))),
        Status::Http(code) if REFUSALS.contains(code) => Some(Ok(())),
        Status::Http(code) => wrong(format!("HTTP status {code}")),
        Status::TimedOut => wrong("no answer in time".to_owned()),
        Status::Transport(reason) => wrong(format!("the connection broke ({})", excerpt(reason))),
        Status::Protocol(reason) => wrong(format!("no answer of the protocol ({})", excerpt(reason))),
        Status::Throttled(_) | Status::Invalid(_) | Status::Skipped => None,
    }
}

/// As much of a text as fits into a line of the report.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use pmcp_loadtest_guest::RpcError;

    use super::*;
    use crate::mutation::Mutation;

    fn mutant(must_be_refused: bool) -> Mutant {
        let arguments = "{}".to_owned();
        Mutant { mutation: Mutation::HugeText, pointer: "/a".to_owned(), arguments, must_be_refused }
    }

    fn rpc(code: i32) -> Status {
        Status::Rpc(RpcError { code, message: "no".to_owned() })
    }

    #[test]
    fn a_refusal_passes_whatever_its_form() {
        for status in [Status::ToolError, rpc(-32602), rpc(-32020), Status::Http(400), Status::Http(413)] {
            assert_eq!(verdict(&mutant(true), &status), Some(Ok(())), "{status:?}");
            assert_eq!(verdict(&mutant(false), &status), Some(Ok(())), "{status:?}");
        }
    }

    #[test]
    fn what_is_only_large_may_be_accepted_and_what_is_wrong_may_not() {
        assert_eq!(verdict(&mutant(false), &Status::Ok), Some(Ok(())));
        assert_eq!(verdict(&mutant(true), &Status::Ok), Some(Err("accepted {} at `/a`".to_owned())));
        assert_eq!(verdict(&mutant(false), &rpc(-32000)), Some(Ok(())));
    }

    #[test]
    fn a_server_that_breaks_fails_either_way() {
        let broken = [
            Status::Http(500),
            Status::Http(404),
            rpc(-32603),
            Status::TimedOut,
            Status::Transport("reset".to_owned()),
            Status::Protocol("no JSON".to_owned()),
        ];
        for status in broken {
            for must_be_refused in [true, false] {
                let verdict = verdict(&mutant(must_be_refused), &status);
                assert!(matches!(verdict, Some(Err(_))), "{status:?}: {verdict:?}");
            }
        }
    }

    #[test]
    fn what_the_server_did_not_judge_is_no_verdict() {
        for status in [Status::Throttled(429), Status::Invalid("too long".to_owned()), Status::Skipped] {
            assert_eq!(verdict(&mutant(true), &status), None, "{status:?}");
        }
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        assert_eq!(excerpt(&"é".repeat(121)), format!("{}...", "é".repeat(120)));
    }
}
