//! Everything a run is told that is not the shape of its load: target, protocol, timeouts, policies.

mod warm_up;

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use url::Url;

use super::plugin::PluginLimits;
pub use warm_up::WarmUp;

/// Where the load goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The MCP endpoint, `http` or `https`.
    pub url: Url,
    /// Headers sent with every request, in order: credentials and whatever the user added.
    pub headers: Vec<(String, Secret)>,
    /// Which protocol revision is spoken.
    pub protocol: Protocol,
    /// Whether the client declares that it answers `elicitation/create`. Servers may offer other tools to such a client.
    pub elicitation: bool,
}

impl Target {
    /// The URL as it may be shown: without user name, password and query, which may hold credentials.
    pub fn shown_url(&self) -> String {
        shown_url(&self.url)
    }
}

/// A URL as it may be shown: without user name, password and query, which may hold credentials.
pub fn shown_url(url: &Url) -> String {
    let mut url = url.clone();
    // Fails only for URLs that have no host, which a target has.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.query().is_some() {
        url.set_query(Some("[redacted]"));
    }
    url.to_string()
}

/// A value that is sent to the target but never printed: `Debug` and `Display` show `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value that must not reach a report, a log or an error.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the request head only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// Which protocol revision the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// Ask the server: modern if it answers `server/discover`, else the session era.
    #[default]
    Auto,
    /// This revision and no other.
    Pinned(Revision),
}

/// A published revision of the Model Context Protocol on streamable HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// 2025-03-26: first streamable HTTP.
    V2025_03_26,
    /// 2025-06-18: `MCP-Protocol-Version` header, `structuredContent`.
    V2025_06_18,
    /// 2025-11-25: SSE polling with `retry`.
    V2025_11_25,
    /// 2026-07-28: stateless, header-mirrored.
    V2026_07_28,
}

impl Revision {
    /// All revisions, oldest first.
    pub const ALL: [Self; 4] = [Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];

    /// The revision as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// Parses the wire form.
    ///
    /// ```
    /// use pmcp_loadtest::plan::Revision;
    /// assert_eq!(Revision::parse("2025-06-18"), Some(Revision::V2025_06_18));
    /// assert_eq!(Revision::parse("1999-01-01"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == text)
    }

    /// Whether this revision is stateless: no handshake, no session, headers that mirror the body.
    pub fn is_modern(self) -> bool {
        self >= Self::V2026_07_28
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Pinned(revision) => revision.fmt(formatter),
        }
    }
}

/// Who owns a session (session era only; the stateless revision has none).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum SessionPolicy {
    /// One session per virtual user, opened when it starts and closed when it ends.
    #[default]
    PerVu,
    /// A new session for every iteration.
    PerIteration,
    /// One session for the whole run, used by every virtual user.
    Shared,
}

/// How long a connection lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ConnectionPolicy {
    /// One connection per virtual user, kept alive.
    #[default]
    KeepAlive,
    /// A new connection for every request.
    PerRequest,
}

/// What carries the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum TransportKind {
    /// Our own HTTP/1.1 exchange: the cheap and exact one.
    #[default]
    H1,
    /// reqwest: HTTP/2, proxies.
    Reqwest,
}

/// When a virtual user is told what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ScenarioChoice {
    /// Every iteration draws its scenario, by weight.
    #[default]
    PerIteration,
    /// Every virtual user belongs to one scenario as long as it lives; their numbers are in proportion to the weights.
    PerVu,
}

impl SessionPolicy {
    /// The word in the TOML file and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PerVu => "per-vu",
            Self::PerIteration => "per-iteration",
            Self::Shared => "shared",
        }
    }
}

impl ScenarioChoice {
    /// The word in the TOML file and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PerIteration => "per-iteration",
            Self::PerVu => "per-vu",
        }
    }
}

impl ConnectionPolicy {
    /// The word in the TOML file and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeepAlive => "keep-alive",
            Self::PerRequest => "per-request",
        }
    }
}

impl TransportKind {
    /// The word in the TOML file and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::H1 => "h1",
            Self::Reqwest => "reqwest",
        }
    }
}

/// A word that is none of those that were expected; the message lists them.
fn unexpected(word: &str, expected: &[&str]) -> String {
    format!("`{word}` is none of {}", expected.join(", "))
}

/// Parses each word by comparing it with what [`Self::as_str`] writes.
macro_rules! parse_by_word {
    ($($policy:ident { $($variant:ident),* })*) => {$(
        impl FromStr for $policy {
            type Err = String;
            fn from_str(word: &str) -> Result<Self, String> {
                let all = [$(Self::$variant),*];
                let found = all.into_iter().find(|policy| policy.as_str() == word);
                found.ok_or_else(|| unexpected(word, &all.map(Self::as_str)))
            }
        }
    )*};
}

parse_by_word! {
    SessionPolicy { PerVu, PerIteration, Shared }
    ScenarioChoice { PerIteration, PerVu }
    ConnectionPolicy { KeepAlive, PerRequest }
    TransportKind { H1, Reqwest }
}

impl Protocol {
    /// The words that name a protocol: `auto`, and every revision, newest first.
    const WORDS: [&str; 5] = ["auto", "2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"];
}

impl FromStr for Protocol {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        if word == "auto" {
            return Ok(Self::Auto);
        }
        Revision::parse(word).map(Self::Pinned).ok_or_else(|| unexpected(word, &Self::WORDS))
    }
}

impl<'de> Deserialize<'de> for Protocol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        word.parse().map_err(|_| serde::de::Error::unknown_variant(&word, &Self::WORDS))
    }
}

impl JsonSchema for Protocol {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Protocol".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Self::WORDS })
    }
}

/// Everything that is not the shape of the load.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Longest wait for one answer, connecting included, from the instant the attempt began.
    pub timeout: Duration,
    /// Seed of every random draw; printed in the report, so that a run can be repeated.
    pub seed: u64,
    /// Who owns a session.
    pub session: SessionPolicy,
    /// How long a connection lives.
    pub connection: ConnectionPolicy,
    /// What carries the bytes.
    pub transport: TransportKind,
    /// Worker threads, each with its own runtime.
    pub workers: NonZeroUsize,
    /// Largest response body that is read, in bytes; a larger one is a `protocol` outcome.
    pub max_body_bytes: u64,
    /// Ask the kernel to acknowledge at once while an answer is incomplete (Linux `TCP_QUICKACK`), so that a server without
    /// `TCP_NODELAY` is not charged 40 ms of our own delayed acknowledgement.
    pub quick_ack: bool,
    /// Fewest measured calls for a verdict other than inconclusive.
    pub min_samples: u64,
    /// When a virtual user is told what to do.
    pub scenario_choice: ScenarioChoice,
    /// What of the beginning of the run is left out of its figures.
    pub warm_up: WarmUp,
    /// What every plugin is allowed.
    pub plugins: PluginLimits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            seed: 0,
            session: SessionPolicy::default(),
            connection: ConnectionPolicy::default(),
            transport: TransportKind::default(),
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            max_body_bytes: 64 * 1024 * 1024,
            quick_ack: true,
            min_samples: 100,
            scenario_choice: ScenarioChoice::default(),
            warm_up: WarmUp::default(),
            plugins: PluginLimits::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectionPolicy, Protocol, Revision, ScenarioChoice, SessionPolicy, TransportKind};

    #[test]
    fn every_word_is_read_back_and_others_are_refused_with_the_list() {
        for policy in [SessionPolicy::PerVu, SessionPolicy::PerIteration, SessionPolicy::Shared] {
            assert_eq!(policy.as_str().parse(), Ok(policy));
        }
        for policy in [ConnectionPolicy::KeepAlive, ConnectionPolicy::PerRequest] {
            assert_eq!(policy.as_str().parse(), Ok(policy));
        }
        for kind in [TransportKind::H1, TransportKind::Reqwest] {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        for protocol in Revision::ALL.map(Protocol::Pinned).into_iter().chain([Protocol::Auto]) {
            assert_eq!(protocol.to_string().parse(), Ok(protocol));
            assert!(Protocol::WORDS.contains(&protocol.to_string().as_str()));
        }
        for choice in [ScenarioChoice::PerIteration, ScenarioChoice::PerVu] {
            assert_eq!(choice.as_str().parse(), Ok(choice));
        }
        let refused = "per_vu".parse::<SessionPolicy>().unwrap_err();
        assert_eq!(refused, "`per_vu` is none of per-vu, per-iteration, shared");
    }
}
