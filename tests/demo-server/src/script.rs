//! What the server shall do, as plain data: built in Rust or read from JSON, the same either way.
//!
//! The default script is a healthy, stateful server of both eras that answers in JSON at once.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::play::fault::Fault;
use crate::play::latency::{Latency, Stall};

/// The server's behaviour. Times count from the start of the server, or from the moment the script was set.
///
/// ```
/// use pmcp_loadtest_demo_server::{Fault, FaultKind, Form, Script};
/// let script = Script::default().form(Form::Sse).fault(Fault::new(0.01, FaultKind::Reset).on_tool("echo"));
/// let json = serde_json::to_string(&script)?;
/// assert_eq!(serde_json::from_str::<Script>(&json)?, script);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Seed of every draw.
    pub seed: u64,
    /// Protocol eras served.
    pub eras: Eras,
    /// Whether `initialize` opens a session. The modern era has none either way.
    pub sessions: Sessions,
    /// Form of answers to requests.
    pub form: Form,
    /// `retry` of the priming event of [`Form::SsePrimed`].
    #[serde(rename = "retry_ms", with = "millis")]
    pub retry: Duration,
    /// Pause between comments on an idle stream.
    #[serde(rename = "keep_alive_ms", with = "millis")]
    pub keep_alive: Duration,
    /// Cuts every answer into pieces; `None` sends it in one write.
    pub split: Option<Split>,
    /// Service times; the first whose `only` matches applies, and none is no delay.
    pub latency: Vec<Latency>,
    /// Spans in which nothing is answered; what falls due in one waits for its end.
    pub stalls: Vec<Stall>,
    /// Faults, each drawn for itself in this order; the first that hits is played.
    pub faults: Vec<Fault>,
    /// Bytes of extra text in every `tools/call` result.
    pub body_bytes: usize,
    /// Entries per page of the list methods; `None` lists all at once.
    pub page_size: Option<NonZeroUsize>,
    /// Requests served at a time; the others queue. With a constant latency this fixes the server's capacity.
    pub workers: Option<NonZeroU32>,
    /// Requests per minute, over all clients, above which the answer is 429 with `Retry-After` (fixed windows).
    pub requests_per_minute: Option<u64>,
    /// Open sessions above which `initialize` is answered with 503.
    pub max_sessions: Option<usize>,
    /// Requests after which a connection is closed without notice.
    pub requests_per_connection: Option<NonZeroU64>,
    /// Requests after which a session is forgotten; the next one is answered with 404.
    pub requests_per_session: Option<u64>,
    /// When the listener and all connections are closed for good.
    #[serde(rename = "die_at_ms", with = "millis::option")]
    pub die_at: Option<Duration>,
    /// Keeps in the books how often each tool was called with which arguments. The books grow with every new one.
    pub log_calls: bool,
    /// Adds the tools, resources and prompts that the official conformance suite expects.
    pub conformance: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            seed: 0,
            eras: Eras::Dual,
            sessions: Sessions::Stateful,
            form: Form::Json,
            retry: Duration::from_millis(100),
            keep_alive: Duration::from_secs(15),
            split: None,
            latency: Vec::new(),
            stalls: Vec::new(),
            faults: Vec::new(),
            body_bytes: 0,
            page_size: None,
            workers: None,
            requests_per_minute: None,
            max_sessions: None,
            requests_per_connection: None,
            requests_per_session: None,
            die_at: None,
            log_calls: false,
            conformance: false,
        }
    }
}

impl Script {
    /// The script under which the server leg of the official conformance suite runs.
    pub fn conformance() -> Self {
        Self { conformance: true, ..Self::default() }
    }

    /// Sets the protocol eras served.
    #[must_use]
    pub fn eras(self, eras: Eras) -> Self {
        Self { eras, ..self }
    }

    /// Sets whether `initialize` opens a session.
    #[must_use]
    pub fn sessions(self, sessions: Sessions) -> Self {
        Self { sessions, ..self }
    }

    /// Sets the form of answers.
    #[must_use]
    pub fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// Adds a service time.
    #[must_use]
    pub fn latency(mut self, latency: impl Into<Latency>) -> Self {
        self.latency.push(latency.into());
        self
    }

    /// Adds a span in which nothing is answered.
    #[must_use]
    pub fn stall(mut self, from: Duration, to: Duration) -> Self {
        self.stalls.push(Stall { from, to });
        self
    }

    /// Adds a fault.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }
}

/// Protocol eras a server answers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Eras {
    /// 2026-07-28 only.
    Modern,
    /// 2025-03-26 to 2025-11-25 only.
    Legacy,
    /// Both, on one endpoint.
    Dual,
}

/// Whether the session era's `initialize` opens a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sessions {
    /// It does, and later requests must name it.
    Stateful,
    /// It does not; GET and DELETE are answered with 405.
    Stateless,
}

/// Form of the answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// One JSON body with a length; an event stream only where the tool has more to say than its result.
    Json,
    /// An event stream of one event.
    Sse,
    /// An event stream whose first event carries an id, a `retry` and no data, as 2025-11-25 allows; each later event has an id.
    SsePrimed,
}

/// An answer in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Bytes per write.
    pub bytes: NonZeroUsize,
    /// Pause between writes.
    #[serde(rename = "pause_ms", with = "millis")]
    pub pause: Duration,
}

/// Durations as JSON numbers of milliseconds; fractions allowed.
pub(crate) mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(duration.as_secs_f64() * 1e3)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)? / 1e3).map_err(D::Error::custom)
    }

    pub(crate) mod option {
        use std::time::Duration;

        use serde::{Deserialize, Deserializer, Serializer, de::Error};

        #[expect(clippy::ref_option, reason = "the signature that serde's `with` asks for")]
        pub(crate) fn serialize<S: Serializer>(
            duration: &Option<Duration>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match duration {
                Some(duration) => super::serialize(duration, serializer),
                None => serializer.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Duration>, D::Error> {
            Option::<f64>::deserialize(deserializer)?
                .map(|millis| Duration::try_from_secs_f64(millis / 1e3).map_err(D::Error::custom))
                .transpose()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Eras, Form, Script};
    use crate::{Delay, FaultKind};

    #[test]
    fn a_script_reads_from_the_json_that_a_person_would_write() {
        let script: Script = serde_json::from_str(
            r#"{"seed": 7, "eras": "modern", "form": "sse-primed", "split": {"bytes": 3, "pause_ms": 0.5},
                "latency": [{"delay": {"tail": {"usual_ms": 1, "slow_ms": 250, "share": 0.01}}, "only": {"tool": "echo"}}],
                "stalls": [{"from_ms": 1000, "to_ms": 2000}], "die_at_ms": 5000,
                "faults": [{"rate": 0.1, "kind": {"status": 503}, "only": {"method": "tools/call"}}, {"rate": 1, "kind": "reset", "at_most": 1}]}"#,
        )
        .unwrap();
        assert_eq!((script.eras, script.form), (Eras::Modern, Form::SsePrimed));
        assert_eq!(script.split.unwrap().pause, Duration::from_micros(500));
        assert_eq!(script.die_at, Some(Duration::from_secs(5)));
        assert!(matches!(script.latency[0].delay, Delay::Tail { share, .. } if (share - 0.01).abs() < 1e-9));
        assert_eq!(script.faults[0].kind, FaultKind::Status(503));
        assert_eq!(script.faults[1].at_most, Some(1));
    }

    #[test]
    fn the_script_in_the_readme_is_one() {
        let (_, rest) = include_str!("../README.md").split_once("```json").unwrap();
        let script: Script = serde_json::from_str(rest.split_once("```").unwrap().0).unwrap();
        assert_eq!((script.seed, script.faults.len()), (7, 2));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(serde_json::from_str::<Script>(r#"{"sede": 7}"#).is_err());
        assert!(
            serde_json::from_str::<Script>(r#"{"faults": [{"rate": 1, "kind": "reset", "tool": "echo"}]}"#)
                .is_err()
        );
    }

    #[test]
    fn a_negative_time_is_refused() {
        assert!(serde_json::from_str::<Script>(r#"{"die_at_ms": -1}"#).is_err());
    }
}
