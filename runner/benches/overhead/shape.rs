//! The shapes of load that are measured: how many virtual users, and what they are answered.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One shape of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    /// Virtual users, or connections of a peer.
    pub(crate) vus: u32,
    /// What the target answers.
    pub(crate) answer: Answer,
}

/// What the target answers a call with; each has a path of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// JSON of some 320 bytes, with a content length.
    Json,
    /// The same as one event of a chunked stream.
    Sse,
    /// JSON of 16 KiB.
    LargeJson,
    /// The same as one event of a chunked stream.
    LargeSse,
}

impl Answer {
    pub(crate) const ALL: [Self; 4] = [Self::Json, Self::Sse, Self::LargeJson, Self::LargeSse];

    /// The path it is served under.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Json => "/json",
            Self::Sse => "/sse",
            Self::LargeJson => "/large-json",
            Self::LargeSse => "/large-sse",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON 320 B",
            Self::Sse => "SSE 320 B",
            Self::LargeJson => "JSON 16 KiB",
            Self::LargeSse => "SSE 16 KiB",
        }
    }
}

impl Shape {
    /// The shape the targets speak of.
    pub(crate) const STANDARD: Self = Self { vus: 100, answer: Answer::Json };

    /// The shapes that are compared: every number of virtual users on the small answer, every answer at 100.
    pub(crate) const COMPARED: [Self; 7] = [
        Self { vus: 1, answer: Answer::Json },
        Self { vus: 10, answer: Answer::Json },
        Self::STANDARD,
        Self { vus: 1000, answer: Answer::Json },
        Self { vus: 100, answer: Answer::Sse },
        Self { vus: 100, answer: Answer::LargeJson },
        Self { vus: 100, answer: Answer::LargeSse },
    ];
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let users = if self.vus == 1 { "VU" } else { "VUs" };
        write!(formatter, "{} {users}, {}", self.vus, self.answer.name())
    }
}
