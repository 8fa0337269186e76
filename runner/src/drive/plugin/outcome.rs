//! From a measured call to what its guest is told of it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::bindings::{Outcome, ResultData, RpcError, Status, StepOptions};
use crate::drive::link::{Link, Measured};
use crate::judge::Outcome as Seen;

/// What a guest is told of its step.
pub(super) fn outcome(
    step: usize,
    measured: &Measured,
    link: &Link,
    options: Option<&StepOptions>,
    limit: u64,
) -> Outcome {
    let clocks = &measured.clocks;
    Outcome {
        step: u32::try_from(step).unwrap_or(u32::MAX),
        status: status(measured.outcome, link.detail()),
        latency_us: micros(clocks.answered().since(clocks.due)),
        bytes: u32::try_from(measured.bytes_received).unwrap_or(u32::MAX),
        data: options
            .filter(|options| wants_answer(options))
            .and_then(|options| data(link.answer(), options, limit)),
    }
}

/// A step that was not sent.
pub(super) fn unsent(step: usize, status: Status) -> Outcome {
    Outcome { step: u32::try_from(step).unwrap_or(u32::MAX), status, latency_us: 0, bytes: 0, data: None }
}

/// Whether a step's answer has to be kept.
pub(super) fn wants_answer(options: &StepOptions) -> bool {
    options.want_body || !options.capture.is_empty()
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

fn status(seen: Seen, detail: &str) -> Status {
    match seen {
        Seen::Ok => Status::Ok,
        Seen::ToolError => Status::ToolError,
        Seen::RpcError { code } => {
            let code = i32::try_from(code).unwrap_or(if code < 0 { i32::MIN } else { i32::MAX });
            Status::Rpc(RpcError { code, message: detail.to_owned() })
        }
        Seen::HttpError { status } => Status::Http(status),
        Seen::Throttled { status } => Status::Throttled(status),
        Seen::Timeout => Status::TimedOut,
        Seen::Transport(_) => Status::Transport(detail.to_owned()),
        Seen::Protocol(_) | Seen::CheckFailed => Status::Protocol(detail.to_owned()),
        // A call that was cut off ends the iteration, so nobody is told.
        Seen::Cancelled => Status::Skipped,
    }
}

/// An answer, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// What the step wanted of the answer; `None` where none came that can be read.
fn data(answer: &[u8], options: &StepOptions, limit: u64) -> Option<ResultData> {
    // A body that is no message of the protocol is that of a plain request.
    let parsed = serde_json::from_slice::<Answer<'_>>(answer).ok();
    let text = match &parsed {
        Some(Answer { result: Some(result), .. }) => result.get(),
        Some(Answer { error: Some(error), .. }) => error.get(),
        _ => std::str::from_utf8(answer).ok().filter(|text| !text.is_empty())?,
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (captured, left_out) = captured(text, &options.capture, limit);
    let truncated = left_out || (options.want_body && text.len() > limit);
    let body = options.want_body.then(|| text[..text.floor_char_boundary(limit)].to_owned());
    Some(ResultData { captured, body, truncated })
}

/// What the pointers lead to, as far as it fits into `limit` bytes together, and whether anything did not: a guest may ask for the
/// whole of a large result any number of times.
fn captured(text: &str, pointers: &[String], limit: usize) -> (Vec<Option<String>>, bool) {
    if pointers.is_empty() {
        return (Vec::new(), false);
    }
    let value: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    let (mut left, mut left_out) = (limit, false);
    let mut capture = |pointer: &String| {
        let found = value.pointer(pointer)?;
        // Once it is full, what is found is not even written.
        let written = (left > 0).then(|| found.to_string()).filter(|written| written.len() <= left);
        left = written.as_ref().map_or(0, |written| left - written.len());
        left_out |= written.is_none();
        written
    };
    (pointers.iter().map(&mut capture).collect(), left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(capture: &[&str], want_body: bool) -> StepOptions {
        let capture = capture.iter().map(|&pointer| pointer.to_owned()).collect();
        StepOptions { label: None, capture, want_body, timeout_ms: None, meta: None }
    }

    #[test]
    fn pointers_are_followed_into_the_result() {
        let answer = br#"{"jsonrpc":"2.0","id":1,"result":{"hits":[{"id":"a/b"}],"n":2}}"#;
        let data = data(answer, &options(&["/hits/0/id", "/n", "/none", ""], false), 1000).unwrap();
        let captured: Vec<Option<&str>> = data.captured.iter().map(Option::as_deref).collect();
        assert_eq!(captured[..3], [Some("\"a/b\""), Some("2"), None]);
        assert_eq!(captured[3], Some(r#"{"hits":[{"id":"a/b"}],"n":2}"#));
        assert_eq!((data.body, data.truncated), (None, false));
    }

    #[test]
    fn captures_share_the_limit_of_a_result_however_many_there_are() {
        let answer = br#"{"result":{"a":"0123456789"}}"#;
        let asked = options(&["/a"; 1000], false);
        let data = data(answer, &asked, 30).unwrap();
        let told: Vec<bool> = data.captured.iter().map(Option::is_some).collect();
        assert_eq!((told.len(), &told[..3], data.truncated), (1000, &[true, true, false][..], true));
        assert!(!told[2..].contains(&true));
        let whole = super::data(answer, &options(&["/a", "/none"], false), 12).unwrap();
        assert!(whole.captured[0].is_some() && !whole.truncated);
    }

    #[test]
    fn an_error_is_handed_over_where_there_is_no_result() {
        let answer = br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}"#;
        let data = data(answer, &options(&["/code"], true), 1000).unwrap();
        assert_eq!(data.captured, [Some("-32602".to_owned())]);
        assert_eq!(data.body.as_deref(), Some(r#"{"code":-32602,"message":"no"}"#));
    }

    #[test]
    fn a_body_is_cut_off_between_two_characters() {
        let answer = "{\"result\":\"größe\"}".as_bytes();
        let cut = data(answer, &options(&[], true), 4).unwrap();
        assert_eq!((cut.body.as_deref(), cut.truncated), (Some("\"gr"), true));
        let whole = data(answer, &options(&[], true), 9).unwrap();
        assert_eq!((whole.body.as_deref(), whole.truncated), (Some("\"größe\""), false));
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        assert!(data(b"", &options(&["/a"], true), 9).is_none());
        assert!(data(b"\xff", &options(&["/a"], true), 9).is_none());
        let plain = data(b"hello", &options(&["/a"], true), 9).unwrap();
        assert_eq!((plain.captured, plain.body.as_deref()), (vec![None], Some("hello")));
    }

    #[test]
    fn an_error_code_beyond_32_bits_is_the_nearest_that_fits() {
        for (code, told) in [(-32602, -32602), (i64::MAX, i32::MAX), (i64::MIN, i32::MIN)] {
            assert!(matches!(
                status(Seen::RpcError { code }, "no"),
                Status::Rpc(RpcError { code, .. }) if code == told
            ));
        }
    }
}
