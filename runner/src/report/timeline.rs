//! The run second by second, and the counts beside its samples.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figures::whole_micros;
use crate::judge::{Books, TimelineRow};

/// One second of the run, over all operations. Response times are those of ok calls; null where there were none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Second {
    /// Whole seconds since the start, at its beginning.
    pub second: u64,
    /// Calls that came to an end: ok or failed.
    pub requests: u64,
    /// Of them, those that were ok.
    pub ok: u64,
    /// Of them, those that failed.
    pub failed: u64,
    /// The largest number of virtual users that were active in it.
    pub active_vus: u32,
    /// Iterations of open loads whose instant came in it.
    #[serde(default)]
    pub iterations_due: u64,
    /// Iterations of open loads that were given up in it, because no virtual user was free for them in time.
    #[serde(default)]
    pub dropped: u64,
    /// Bytes of requests.
    pub bytes_sent: u64,
    /// Bytes of responses.
    pub bytes_received: u64,
    /// Median response time.
    pub p50_us: Option<u64>,
    /// 95th percentile.
    pub p95_us: Option<u64>,
    /// 99th percentile.
    pub p99_us: Option<u64>,
    /// Longest.
    pub max_us: Option<u64>,
}

/// `books`: counts beside the samples, and how virtual users spent their time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BookCounts {
    /// Iterations of open loads whose instant came: started or dropped.
    #[serde(default)]
    pub iterations_due: u64,
    /// Of them, those that never began, by reason.
    #[serde(default)]
    pub dropped: DroppedCounts,
    /// Of those that began, the ones that no virtual user was free for when they were due.
    #[serde(default)]
    pub iterations_waited: u64,
    /// Iterations begun.
    pub iterations_started: u64,
    /// Iterations whose steps were all done, whatever their outcome.
    pub iterations_completed: u64,
    /// Iterations cut off by the end of the run.
    pub iterations_interrupted: u64,
    /// Iterations that a plugin failed to plan.
    #[serde(default)]
    pub iterations_failed: u64,
    /// Sessions the server gave us.
    pub sessions_opened: u64,
    /// Sessions ended by DELETE, or refused to be.
    pub sessions_closed: u64,
    /// Sessions the server forgot.
    pub sessions_lost: u64,
    /// Connections opened.
    pub connections_opened: u64,
    /// Requests sent again because a kept-alive connection had gone stale before the first byte.
    pub stale_retries: u64,
    /// JSON-RPC answers with an id that was not, or no longer, ours.
    pub foreign_answers: u64,
    /// Requests of the server that were answered.
    pub server_requests: u64,
    /// Extra round trips of calls that the server answered with `input_required`.
    pub extra_rounds: u64,
    /// Streams resumed with `Last-Event-ID`.
    pub resumes: u64,
    /// Time all virtual users existed, summed.
    pub vu_time_us: u64,
    /// Of it: think time.
    pub think_time_us: u64,
    /// Of it: waiting before another attempt to reach the target.
    pub backoff_time_us: u64,
    /// Of it: opening connections.
    pub connect_time_us: u64,
    /// Of it: waiting for the server.
    pub service_time_us: u64,
    /// Of it: in plugin code.
    #[serde(default)]
    pub plugin_time_us: u64,
    /// Of it: waiting for an arrival, or for the pace of a scenario.
    #[serde(default)]
    pub idle_time_us: u64,
}

/// Iterations of open loads that became due and never began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DroppedCounts {
    /// No virtual user was free within the load's `max_wait`, and there could be no more of them.
    pub no_free_vu: u64,
    /// The run ended first.
    pub run_ended: u64,
}

impl From<&TimelineRow> for Second {
    fn from(row: &TimelineRow) -> Self {
        Self {
            second: row.second,
            requests: row.requests,
            ok: row.ok,
            failed: row.errors,
            active_vus: row.active_vus,
            iterations_due: row.arrivals.due,
            dropped: row.arrivals.dropped,
            bytes_sent: row.bytes_sent,
            bytes_received: row.bytes_received,
            p50_us: row.p50.map(whole_micros),
            p95_us: row.p95.map(whole_micros),
            p99_us: row.p99.map(whole_micros),
            max_us: row.max.map(whole_micros),
        }
    }
}

impl From<&Books> for BookCounts {
    fn from(books: &Books) -> Self {
        Self {
            iterations_due: books.iterations_due,
            dropped: DroppedCounts {
                no_free_vu: books.dropped.no_free_vu,
                run_ended: books.dropped.run_ended,
            },
            iterations_waited: books.iterations_waited,
            iterations_started: books.iterations_started,
            iterations_completed: books.iterations_completed,
            iterations_interrupted: books.iterations_interrupted,
            iterations_failed: books.iterations_failed,
            sessions_opened: books.sessions_opened,
            sessions_closed: books.sessions_closed,
            sessions_lost: books.sessions_lost,
            connections_opened: books.connections_opened,
            stale_retries: books.stale_retries,
            foreign_answers: books.foreign_answers,
            server_requests: books.server_requests,
            extra_rounds: books.extra_rounds,
            resumes: books.resumes,
            vu_time_us: whole_micros(books.vu_time),
            think_time_us: whole_micros(books.think_time),
            backoff_time_us: whole_micros(books.backoff_time),
            connect_time_us: whole_micros(books.connect_time),
            service_time_us: whole_micros(books.service_time),
            plugin_time_us: whole_micros(books.plugin_time),
            idle_time_us: whole_micros(books.idle_time),
        }
    }
}
