//! Looks into a JSON-RPC message just far enough to judge it: id, `error`, `result.isError`, `result.resultType`.
//!
//! In: the text of one message. Out: a [`Message`] that borrows from it. Everything else is skipped, never built: this runs once
//! per request.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One JSON-RPC message, as far as a load generator has to know it.
#[derive(Debug)]
pub enum Message<'a> {
    /// An answer to a request: ours, if the id says so.
    Answer {
        /// The id it answers.
        id: Id,
        /// What it says.
        verdict: Answer<'a>,
    },
    /// A request of the server (`ping`, `elicitation/create`, ...), to be answered with the id that stands in its text.
    Request {
        /// Its method.
        method: Cow<'a, str>,
    },
    /// A notification; nothing is expected of us.
    Notification {
        /// Its method.
        method: Cow<'a, str>,
    },
}

/// The id of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id {
    /// An integer, as we send them.
    Number(u64),
    /// Missing or `null`: an error about a request whose id the server could not read.
    Absent,
    /// Anything else, which is never ours.
    Foreign,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// A `result`.
    Result {
        /// `isError: true`: the tool ran and failed.
        is_error: bool,
        /// `resultType`, where the revision has it.
        kind: ResultKind,
    },
    /// An `error`.
    Error {
        /// Its code.
        code: i64,
        /// Its message; empty if it has none.
        message: Cow<'a, str>,
    },
}

/// `resultType` of revision 2026-07-28; absent means complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResultKind {
    /// The result stands.
    #[default]
    Complete,
    /// The server wants input, or sheds load: the call is to be made again with what it asked for.
    InputRequired,
    /// A value the revision does not know.
    Unknown,
}

/// What is wrong with a text that should have been a JSON-RPC message.
#[derive(Debug, thiserror::Error)]
pub enum NotAMessage {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON, but neither request, notification nor answer.
    #[error("neither a request nor an answer: no method, result or error")]
    Shape,
}

/// Reads one message.
///
/// # Errors
/// [`NotAMessage`] where the text is not JSON or not a JSON-RPC message.
pub fn read(text: &[u8]) -> Result<Message<'_>, NotAMessage> {
    let peek: Peek<'_> = serde_json::from_slice(text)?;
    peek.into_message()
}

/// Reads a body that may be one message or, in revision 2025-03-26, a batch of them; calls `each` for every one.
///
/// # Errors
/// [`NotAMessage`] as [`read`]; messages before the faulty one have been handed over by then.
pub fn read_all<'a>(text: &'a [u8], mut each: impl FnMut(Message<'a>)) -> Result<(), NotAMessage> {
    if text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        let batch: Vec<Peek<'a>> = serde_json::from_slice(text)?;
        batch.into_iter().try_for_each(|peek| {
            each(peek.into_message()?);
            Ok(())
        })
    } else {
        each(read(text)?);
        Ok(())
    }
}

/// What a failed tool says of its failure: the first text of an answer's `result.content`. For answers that are known to be tool
/// errors; any other has none.
pub fn tool_error_text(text: &[u8]) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        result: Content<'a>,
    }
    #[derive(Deserialize)]
    struct Content<'a> {
        #[serde(borrow)]
        content: Vec<Block<'a>>,
    }
    #[derive(Deserialize)]
    struct Block<'a> {
        #[serde(borrow)]
        text: Option<Cow<'a, str>>,
    }
    let answer: Answer<'_> = serde_json::from_slice(text).ok()?;
    answer.result.content.into_iter().find_map(|block| block.text).filter(|text| !text.is_empty())
}

struct Peek<'a> {
    id: Option<Id>,
    method: Option<Cow<'a, str>>,
    result: Option<(bool, ResultKind)>,
    error: Option<(i64, Cow<'a, str>)>,
}

impl<'a> Peek<'a> {
    fn into_message(self) -> Result<Message<'a>, NotAMessage> {
        let id = self.id.unwrap_or(Id::Absent);
        if let Some((code, message)) = self.error {
            return Ok(Message::Answer { id, verdict: Answer::Error { code, message } });
        }
        if let Some((is_error, kind)) = self.result {
            return Ok(Message::Answer { id, verdict: Answer::Result { is_error, kind } });
        }
        match (self.method, id) {
            (Some(method), Id::Absent) => Ok(Message::Notification { method }),
            (Some(method), Id::Number(_) | Id::Foreign) => Ok(Message::Request { method }),
            (None, _) => Err(NotAMessage::Shape),
        }
    }
}

/// A value of which only a whole number, a flag or nothing matters. Anything else is skipped, not kept as raw text: that would
/// read it a second time to see that it is UTF-8.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scalar {
    Number(u64),
    Flag(bool),
    Null,
    Other,
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = Scalar;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }
            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number))
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Scalar, E> {
                Ok(Scalar::Flag(flag))
            }
            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::Null)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }
            fn visit_str<E>(self, _: &str) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }
        deserializer.deserialize_any(ScalarVisitor)
    }
}

impl From<Scalar> for Id {
    fn from(value: Scalar) -> Self {
        match value {
            Scalar::Number(number) => Self::Number(number),
            Scalar::Null => Self::Absent,
            Scalar::Flag(_) | Scalar::Other => Self::Foreign,
        }
    }
}

enum Key {
    Id,
    Method,
    Result,
    Error,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a member name")
            }
            fn visit_bytes<E>(self, name: &[u8]) -> Result<Key, E> {
                Ok(match name {
                    b"id" => Key::Id,
                    b"method" => Key::Method,
                    b"result" => Key::Result,
                    b"error" => Key::Error,
                    _ => Key::Other,
                })
            }
        }
        // As bytes: a name that is not UTF-8 is none of ours, and need not be told from other strange ones.
        deserializer.deserialize_bytes(KeyVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Peek<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PeekVisitor<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for PeekVisitor<'a> {
            type Value = Peek<'a>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON-RPC message")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Peek<'a>, A::Error> {
                let mut peek = Peek { id: None, method: None, result: None, error: None };
                while let Some(key) = map.next_key::<Key>()? {
                    match key {
                        Key::Id => peek.id = Some(map.next_value::<Scalar>()?.into()),
                        Key::Method => peek.method = Some(map.next_value::<Text<'a>>()?.0),
                        Key::Result => peek.result = Some(map.next_value::<ResultPeek>()?.0),
                        Key::Error => peek.error = map.next_value::<ErrorPeek<'a>>()?.0,
                        Key::Other => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(peek)
            }
        }
        deserializer.deserialize_map(PeekVisitor(std::marker::PhantomData))
    }
}

/// A string that borrows unless it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// `result`: any JSON value; only an object can say `isError` or `resultType`.
struct ResultPeek((bool, ResultKind));

impl<'de> Deserialize<'de> for ResultPeek {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ResultVisitor;
        impl<'de> Visitor<'de> for ResultVisitor {
            type Value = ResultPeek;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a result")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ResultPeek, A::Error> {
                let (mut is_error, mut kind) = (false, ResultKind::Complete);
                while let Some(name) = map.next_key::<ResultKey>()? {
                    match name {
                        // Anything but `true` counts as false.
                        ResultKey::IsError => is_error = map.next_value::<Scalar>()? == Scalar::Flag(true),
                        ResultKey::ResultType => {
                            kind = match map
                                .next_value::<Option<Text<'_>>>()?
                                .as_ref()
                                .map(|text| text.0.as_ref())
                            {
                                None | Some("complete") => ResultKind::Complete,
                                Some("input_required") => ResultKind::InputRequired,
                                Some(_) => ResultKind::Unknown,
                            };
                        }
                        ResultKey::Other => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(ResultPeek((is_error, kind)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ResultPeek, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(COMPLETE)
            }
            fn visit_bool<E>(self, _: bool) -> Result<ResultPeek, E> {
                Ok(COMPLETE)
            }
            fn visit_i64<E>(self, _: i64) -> Result<ResultPeek, E> {
                Ok(COMPLETE)
            }
            fn visit_u64<E>(self, _: u64) -> Result<ResultPeek, E> {
                Ok(COMPLETE)
            }
            fn visit_f64<E>(self, _: f64) -> Result<ResultPeek, E> {
                Ok(COMPLETE)
            }
            fn visit_str<E>(self, _: &str) -> Result<ResultPeek, E> {
                Ok(COMPLETE)
            }
            fn visit_unit<E>(self) -> Result<ResultPeek, E> {
                Ok(COMPLETE)
            }
        }
        const COMPLETE: ResultPeek = ResultPeek((false, ResultKind::Complete));
        deserializer.deserialize_any(ResultVisitor)
    }
}

enum ResultKey {
    IsError,
    ResultType,
    Other,
}

impl<'de> Deserialize<'de> for ResultKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = ResultKey;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a member name")
            }
            fn visit_bytes<E>(self, name: &[u8]) -> Result<ResultKey, E> {
                Ok(match name {
                    b"isError" => ResultKey::IsError,
                    b"resultType" => ResultKey::ResultType,
                    _ => ResultKey::Other,
                })
            }
        }
        // As bytes: a name that is not UTF-8 is none of ours, and need not be told from other strange ones.
        deserializer.deserialize_bytes(KeyVisitor)
    }
}

/// `error`; `null` counts as absent, because some servers send both members.
struct ErrorPeek<'a>(Option<(i64, Cow<'a, str>)>);

impl<'de: 'a, 'a> Deserialize<'de> for ErrorPeek<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            code: Option<serde_json::Number>,
            #[serde(borrow, default)]
            message: Option<Cow<'a, str>>,
        }
        let Some(fields) = Option::<Fields<'a>>::deserialize(deserializer)? else { return Ok(Self(None)) };
        let code = fields.code.ok_or_else(|| D::Error::missing_field("code"))?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a code that is no integer is a server's mistake; its whole part serves"
        )]
        let code = code.as_i64().or_else(|| code.as_f64().map(|code| code as i64)).unwrap_or(0);
        Ok(Self(Some((code, fields.message.unwrap_or_default()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> (Id, Answer<'_>) {
        match read(text.as_bytes()).unwrap() {
            Message::Answer { id, verdict } => (id, verdict),
            other => panic!("not an answer: {other:?}"),
        }
    }

    const OK: Answer<'static> = Answer::Result { is_error: false, kind: ResultKind::Complete };

    #[test]
    fn an_answer_is_read_whatever_the_order_of_its_members() {
        assert_eq!(answer(r#"{"jsonrpc":"2.0","id":7,"result":{"content":[]}}"#), (Id::Number(7), OK));
        assert_eq!(
            answer(r#"{"result":{"content":[{"isError":true}]},"id":7,"jsonrpc":"2.0"}"#),
            (Id::Number(7), OK)
        );
    }

    #[test]
    fn a_failed_tool_is_told_from_a_working_one() {
        let failed = Answer::Result { is_error: true, kind: ResultKind::Complete };
        assert_eq!(answer(r#"{"id":1,"result":{"isError":true}}"#).1, failed);
        assert_eq!(answer(r#"{"id":1,"result":{"isError":false}}"#).1, OK);
        assert_eq!(answer(r#"{"id":1,"result":{"isError":null}}"#).1, OK);
        assert_eq!(answer(r#"{"id":1,"result":{"structuredContent":{"isError":true}}}"#).1, OK);
    }

    #[test]
    fn a_result_may_be_any_value() {
        for value in ["[]", "1", "-1", "1.5", "true", "null", "\"text\"", "[[1],{}]", "{}"] {
            assert_eq!(answer(&format!(r#"{{"id":1,"result":{value}}}"#)), (Id::Number(1), OK), "{value}");
        }
    }

    #[test]
    fn the_result_type_is_read() {
        let kind = |text: &str| match answer(text).1 {
            Answer::Result { kind, .. } => kind,
            Answer::Error { .. } => panic!("an error"),
        };
        assert_eq!(kind(r#"{"id":1,"result":{"resultType":"complete"}}"#), ResultKind::Complete);
        assert_eq!(kind(r#"{"id":1,"result":{"resultType":"input_required"}}"#), ResultKind::InputRequired);
        assert_eq!(kind(r#"{"id":1,"result":{"resultType":"tas\u006b"}}"#), ResultKind::Unknown);
    }

    #[test]
    fn an_error_carries_code_and_message() {
        let error = Answer::Error { code: -32602, message: "no \"such\" tool".into() };
        assert_eq!(
            answer(r#"{"id":null,"error":{"message":"no \"such\" tool","code":-32602}}"#),
            (Id::Absent, error)
        );
        assert_eq!(
            answer(r#"{"error":{"code":-1}}"#),
            (Id::Absent, Answer::Error { code: -1, message: "".into() })
        );
        assert_eq!(answer(r#"{"id":1,"error":null,"result":{}}"#), (Id::Number(1), OK));
    }

    #[test]
    fn ids_of_other_shapes_are_foreign() {
        for id in ["\"7\"", "7.5", "-7", "99999999999999999999"] {
            assert_eq!(answer(&format!(r#"{{"id":{id},"result":{{}}}}"#)).0, Id::Foreign, "{id}");
        }
    }

    #[test]
    fn requests_and_notifications_of_the_server_are_told_apart() {
        let read = |text: &'static str| read(text.as_bytes()).unwrap();
        assert!(
            matches!(read(r#"{"id":"a","method":"ping"}"#), Message::Request { method } if method == "ping")
        );
        assert!(
            matches!(read(r#"{"id":0,"method":"roots/list"}"#), Message::Request { method } if method == "roots/list")
        );
        assert!(matches!(
            read(r#"{"method":"notifications/progress","params":{}}"#),
            Message::Notification { .. }
        ));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for text in [
            "",
            "{",
            "{}",
            "7",
            "[]",
            r#"{"id":1}"#,
            "<html>",
            r#"{"id":1,"result":{}"#,
            r#"{"id":1,"error":{}}"#,
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_batch_is_read_message_by_message() {
        let mut ids = Vec::new();
        read_all(br#" [{"id":1,"result":{}},{"id":2,"result":{}}]"#, |message| {
            if let Message::Answer { id, .. } = message {
                ids.push(id);
            }
        })
        .unwrap();
        assert_eq!(ids, [Id::Number(1), Id::Number(2)]);
    }
}
