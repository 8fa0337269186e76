//! What the command line and the environment say, which beats the file.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use crate::plan::{
    AnyStage, ConnectionPolicy, Protocol, Rate, Secret, SessionPolicy, Spacing, Stripe, TransportKind, WarmUp,
};

/// Everything that a flag or an `MCP_LOADTEST_*` variable can set. `None` and empty leave the file's word, or the default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// The MCP endpoint.
    pub url: Option<Url>,
    /// Concurrent virtual users; of an open load, how many there are from the beginning. With a ramp of users in the file: constant
    /// instead of the ramp.
    pub vus: Option<u32>,
    /// Length of the run; of a run of iterations: when it ends at the latest. With a ramp in the file: constant instead of the ramp.
    pub duration: Option<Duration>,
    /// Iterations in all, shared by all virtual users.
    pub iterations: Option<u64>,
    /// A ramp, all stages of one kind; replaces whatever load the file asks for.
    pub stages: Vec<AnyStage>,
    /// Iterations begin at this rate; replaces whatever load the file asks for, but not the virtual users of an open one.
    pub rate: Option<Rate>,
    /// Most virtual users of an open load.
    pub max_vus: Option<u32>,
    /// How many virtual users of a constant number start per second.
    pub spawn_rate: Option<Rate>,
    /// How the arrivals of an open load are spaced.
    pub arrivals: Option<Spacing>,
    /// Which part of the run is this machine's.
    pub shard: Option<Stripe>,
    /// What of the beginning is left out of the figures.
    pub warm_up: Option<WarmUp>,
    /// Whether the run ends where the server breaks; the file can ask for it too.
    pub stop_at_breaking_point: bool,
    /// Longest wait for one answer.
    pub timeout: Option<Duration>,
    /// Seed of every random draw.
    pub seed: Option<u64>,
    /// Which protocol revision is spoken.
    pub protocol: Option<Protocol>,
    /// Headers, each replacing the file's header of the same name.
    pub headers: Vec<(String, Secret)>,
    /// Sent as `Authorization: Bearer`; replaces the file's credentials.
    pub api_key: Option<Secret>,
    /// Worker threads.
    pub workers: Option<u32>,
    /// Who owns a session.
    pub session: Option<SessionPolicy>,
    /// How long a connection lives.
    pub connection: Option<ConnectionPolicy>,
    /// What carries the bytes.
    pub transport: Option<TransportKind>,
    /// Fewest measured calls for a verdict other than inconclusive.
    pub min_samples: Option<u64>,
    /// Whether packets are acknowledged at once.
    pub quick_ack: Option<bool>,
    /// How long running iterations may go on after the end.
    pub graceful_stop: Option<Duration>,
    /// Names of the scenarios to run; empty means all.
    pub scenarios: Vec<String>,
    /// Thresholds of the command line, as they were typed; each replaces the file's on the same side of the same figure.
    pub thresholds: Vec<String>,
    /// The same in the short spelling.
    pub assertions: Vec<String>,
    /// Largest response body that is read, in bytes.
    pub max_body_bytes: Option<u64>,
    /// A plugin, relative to the working directory of the program; replaces whatever the file's virtual users do.
    pub plugin: Option<PathBuf>,
    /// What that plugin is set up with, or, without it, the only one of the file.
    pub plugin_config: Option<Map<String, Value>>,
}
