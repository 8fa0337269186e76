//! What a run saw, whole: the value that `drive` hands to `validity`, `verdict` and `report` when the load is over.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use super::breaking_point::BreakingPointFinding;
use super::metrics::{Metrics, WarmUpFacts};
use super::plugins::{PluginFacts, PluginMetrics};
use super::threshold::Windows;
use crate::plan::{Revision, SeriesKey};

/// Everything a finished run knows about itself.
#[derive(Debug)]
pub struct Observation {
    /// When the load began, for people; every other time is relative to it.
    pub started_at: jiff::Timestamp,
    /// From the origin to the last virtual user's end.
    pub elapsed: Duration,
    /// From the origin to the instant the end began (duration over, iterations used up, interrupted): the measured window, over
    /// which throughput is computed.
    pub window: Duration,
    /// Why the load ended.
    pub stop: StopReason,
    /// All samples that count, by series, and the timeline.
    pub metrics: Metrics,
    /// What was left out of them, at the beginning.
    pub warm_up: WarmUpFacts,
    /// What became of the thresholds that have a window, second by second.
    pub windows: Windows,
    /// What each series counts, by its id: those of the plan in its order, then those that were found during the run.
    pub series: Vec<SeriesKey>,
    /// The plugins, in the order of the plan and of [`Metrics::plugins`].
    pub plugins: Vec<PluginFacts>,
    /// Plugins that were given up while other scenarios went on.
    pub retired: Vec<RetiredPlugin>,
    /// Where the server broke while the load rose.
    pub breaking_point: BreakingPointFinding,
    /// Who answered.
    pub server: ServerFacts,
    /// What the generator itself cost.
    pub generator: GeneratorUsage,
    /// Counts beside the samples, with which the books are balanced.
    pub books: Books,
}

impl Observation {
    /// How long the samples were measured that count: the window without what was left out.
    pub fn measured(&self) -> Duration {
        self.window.saturating_sub(self.warm_up.trimmed)
    }

    /// The plugins with what each did.
    pub fn plugins(&self) -> impl Iterator<Item = (&PluginFacts, &PluginMetrics)> {
        // One that was not heard of has no metrics at all.
        static UNHEARD: LazyLock<PluginMetrics> = LazyLock::new(PluginMetrics::default);
        let heard = self.metrics.plugins().iter();
        self.plugins.iter().zip(heard.chain(std::iter::repeat(&*UNHEARD)))
    }
}

/// Why the load ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// The planned duration was over or all iterations were done.
    Completed,
    /// A threshold that was to end the run did not hold.
    ThresholdFailed {
        /// The threshold.
        text: String,
        /// What was observed, as a fragment for a person.
        finding: String,
    },
    /// The user interrupted it; the report covers what was measured until then.
    Interrupted,
    /// No virtual user could go on.
    TargetLost {
        /// The last failure's message.
        message: String,
    },
    /// The server broke, where the run was to end.
    BreakingPoint,
    /// A plugin asked for the end, which is an orderly one.
    PluginStopped {
        /// The scenario that it is the script of.
        plugin: String,
        /// Why, in its own words.
        reason: String,
    },
    /// No scenario could go on, because plugins failed.
    PluginsFailed {
        /// The last failure's message.
        message: String,
    },
}

/// A plugin that was given up during the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetiredPlugin {
    /// The scenario that it was the script of.
    pub scenario: String,
    /// Why, as a fragment for a person.
    pub message: String,
}

/// What the server said of itself when the run began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// `serverInfo.name`.
    pub name: Option<String>,
    /// `serverInfo.version`.
    pub version: Option<String>,
    /// The revision the run spoke.
    pub revision: Revision,
    /// Whether it gave out session ids.
    pub stateful: bool,
    /// How many tools it listed.
    pub tools: usize,
    /// Tools that cannot be called because their `x-mcp-header` schema is invalid, with the reason.
    pub dropped_tools: Vec<(String, String)>,
}

impl fmt::Display for ServerFacts {
    /// Name, version and revision, as a person wants to see them before the load begins.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name.as_deref().unwrap_or("a server without a name"))?;
        if let Some(version) = &self.version {
            write!(formatter, " {version}")?;
        }
        write!(formatter, " · MCP {}", self.revision)
    }
}

/// What the generator itself cost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GeneratorUsage {
    /// One entry per worker thread.
    pub workers: Vec<WorkerUsage>,
    /// User and system CPU time of the whole process over the run.
    pub process_cpu: Duration,
    /// Peak resident set, bytes; zero where the platform does not tell.
    pub peak_rss_bytes: u64,
}

/// CPU time of one worker thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkerUsage {
    /// User and system CPU time of the thread over the measured window.
    pub cpu: Duration,
    /// How long the thread was ready to run and others had the CPU; zero where the platform does not tell.
    pub waited: Duration,
    /// How long its ticks were away beyond a tenth of a second each: the thread did nothing at all, though it had to.
    pub stood_still: Duration,
    /// Length of the window it was measured over.
    pub wall: Duration,
}

/// Counts beside the samples. All are totals over the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Books {
    /// Iterations of open loads whose instant came: started or dropped.
    pub iterations_due: u64,
    /// Of them, those that never began.
    pub dropped: Dropped,
    /// Of those that began, the ones that no virtual user was free for when they were due.
    pub iterations_waited: u64,
    /// Iterations begun.
    pub iterations_started: u64,
    /// Iterations whose steps were all done, whatever their outcome.
    pub iterations_completed: u64,
    /// Iterations cut off by the end of the run.
    pub iterations_interrupted: u64,
    /// Iterations that a plugin failed to plan.
    pub iterations_failed: u64,
    /// Sessions a server gave us.
    pub sessions_opened: u64,
    /// Sessions ended by DELETE (or refused to be, with 405).
    pub sessions_closed: u64,
    /// Sessions the server forgot (404 for a session id it had given).
    pub sessions_lost: u64,
    /// Connections opened.
    pub connections_opened: u64,
    /// Requests sent again on a new connection because a kept-alive one had gone stale before the first byte.
    pub stale_retries: u64,
    /// JSON-RPC answers with an id that was not, or no longer, ours.
    pub foreign_answers: u64,
    /// Requests of the server that were answered (ping and the like).
    pub server_requests: u64,
    /// Extra round trips of calls that the server answered with `input_required` (2026-07-28).
    pub extra_rounds: u64,
    /// Streams resumed with `Last-Event-ID`.
    pub resumes: u64,
    /// Time all virtual users existed, summed.
    pub vu_time: Duration,
    /// Of it: think time.
    pub think_time: Duration,
    /// Of it: waiting before another attempt to reach a target that refused or lost us.
    pub backoff_time: Duration,
    /// Of it: opening connections (TCP, TLS) ahead of a call's first byte.
    pub connect_time: Duration,
    /// Of it: waiting for the server (`end - sent`, lifecycle calls included).
    pub service_time: Duration,
    /// Of it: in plugin code.
    pub plugin_time: Duration,
    /// Of it: waiting for an arrival, or for the pace of a scenario.
    pub idle_time: Duration,
}

/// Iterations of open loads that became due and never began, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// No virtual user was free within the load's `max_wait`, and there could be no more of them.
    pub no_free_vu: u64,
    /// The run ended first.
    pub run_ended: u64,
}

impl Dropped {
    /// All of them.
    pub fn total(self) -> u64 {
        self.no_free_vu + self.run_ended
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: Self) {
        self.no_free_vu += other.no_free_vu;
        self.run_ended += other.run_ended;
    }
}

impl Books {
    /// Adds another worker's counts.
    pub fn add(&mut self, other: &Self) {
        self.iterations_due += other.iterations_due;
        self.dropped.add(other.dropped);
        self.iterations_waited += other.iterations_waited;
        self.iterations_started += other.iterations_started;
        self.iterations_completed += other.iterations_completed;
        self.iterations_interrupted += other.iterations_interrupted;
        self.iterations_failed += other.iterations_failed;
        self.sessions_opened += other.sessions_opened;
        self.sessions_closed += other.sessions_closed;
        self.sessions_lost += other.sessions_lost;
        self.connections_opened += other.connections_opened;
        self.stale_retries += other.stale_retries;
        self.foreign_answers += other.foreign_answers;
        self.server_requests += other.server_requests;
        self.extra_rounds += other.extra_rounds;
        self.resumes += other.resumes;
        self.vu_time += other.vu_time;
        self.think_time += other.think_time;
        self.backoff_time += other.backoff_time;
        self.connect_time += other.connect_time;
        self.service_time += other.service_time;
        self.plugin_time += other.plugin_time;
        self.idle_time += other.idle_time;
    }
}
