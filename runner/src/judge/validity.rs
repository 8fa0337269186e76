//! Whether the measurement itself can be trusted: each way in which the generator, not the server, may have set the figures is a
//! gate with a bound. In: what was observed and what was asked. Out: the gates as data; a failed one makes a run inconclusive.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wording::{self, count, counted};
use super::{Histogram, Observation, Outcome, SeriesMetrics, TransportFault, WorkerUsage};
use crate::plan::Plan;

/// Below this much time of a worker, starting it and opening its connections weighs too much to say how busy it is: one tick.
const LEAST_WORKER_TIME: Duration = Duration::from_millis(250);
/// The share of virtual users' time that may be unaccounted for.
const MOST_UNEXPLAINED: f64 = 0.05;
/// Our own work between two calls that is always allowed, whatever its share: against a server that answers within microseconds,
/// five per cent would be less than building a request takes.
const OWN_WORK_PER_CALL: Duration = Duration::from_micros(100);
/// Below this much time of all virtual users together, start and end of a run weigh too much to balance it.
const LEAST_VU_TIME: Duration = Duration::from_secs(5);
/// Lateness that is always allowed: what a loaded scheduler costs, and too little to decide a threshold in milliseconds.
const LATENESS_FLOOR: Duration = Duration::from_millis(1);
/// Lateness allowed relative to what the server needs: as much error as [`MOST_UNEXPLAINED`] grants the books.
const LATENESS_SHARE: f64 = 0.05;
/// Fewest calls that have a 99th percentile: 1 / (1 - 0.99).
const CALLS_FOR_P99: u64 = 100;

/// One condition for trusting a measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// What is judged.
    pub name: GateName,
    /// Whether it held.
    pub state: GateState,
    /// What was observed, in `unit`; absent where it could not be measured.
    pub observed: Option<f64>,
    /// The bound, in `unit`: a least for `samples` and `due_sent`, a most for every other gate.
    pub bound: f64,
    /// `ratio`, `calls` or `us`.
    pub unit: String,
    /// The finding, as a fragment with its figures.
    pub finding: String,
    /// What to change; present where the gate failed.
    pub advice: Option<String>,
}

/// What a gate judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateName {
    /// CPU time that all worker threads used or were kept waiting for, against what they had.
    GeneratorCpu,
    /// The same of the busiest worker thread.
    BusiestWorker,
    /// Little's law: virtual users' time must be explained by waiting for the server, connecting, thinking, backing off and running
    /// plugins.
    LittlesLaw,
    /// How long a worker thread did nothing at all though it had to.
    StandingStill,
    /// How late calls were sent.
    SendLateness,
    /// The share of iterations that began of those that were due; only where loads are open.
    DueSent,
    /// Calls that failed because this machine had no local port or file descriptor left.
    GeneratorLimits,
    /// How much of the worker threads' time went by in plugin calls long enough to delay answers; only where there are plugins.
    PluginTime,
    /// Whether there are enough calls to judge by.
    Samples,
}

/// Whether a gate held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// Within its bound.
    Passed,
    /// Outside its bound: the run is inconclusive.
    Failed,
    /// The run does not carry a judgement; the finding says why.
    NotJudged,
}

impl GateName {
    /// The words for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::GeneratorCpu => "generator CPU",
            Self::BusiestWorker => "busiest worker",
            Self::LittlesLaw => "Little's law",
            Self::StandingStill => "standing still",
            Self::SendLateness => "send lateness",
            Self::DueSent => "due and sent",
            Self::GeneratorLimits => "ports and descriptors",
            Self::PluginTime => "plugin time",
            Self::Samples => "samples",
        }
    }
}

impl Gate {
    /// Whether this gate makes the run inconclusive.
    pub fn failed(&self) -> bool {
        self.state == GateState::Failed
    }

    fn at_most(name: GateName, observed: f64, bound: f64, unit: &str, finding: String, advice: &str) -> Self {
        Self::decided(name, observed <= bound, observed, bound, unit, finding, advice)
    }

    fn decided(
        name: GateName,
        held: bool,
        observed: f64,
        bound: f64,
        unit: &str,
        finding: String,
        advice: &str,
    ) -> Self {
        Self {
            name,
            state: if held { GateState::Passed } else { GateState::Failed },
            observed: Some(observed),
            bound,
            unit: unit.to_owned(),
            finding,
            advice: (!held).then(|| advice.to_owned()),
        }
    }

    fn not_judged(
        name: GateName,
        observed: Option<f64>,
        bound: f64,
        unit: &str,
        why: impl Into<String>,
    ) -> Self {
        Self {
            name,
            state: GateState::NotJudged,
            observed,
            bound,
            unit: unit.to_owned(),
            finding: why.into(),
            advice: None,
        }
    }
}

/// Judges every gate, in the order in which a person should hear of them.
pub fn judge_validity(plan: &Plan, observation: &Observation) -> Vec<Gate> {
    // Handshakes need ports and time as any other call does.
    let everything = observation.metrics.sum(|_| true);
    let operations = observation.metrics.total();
    let mut gates = vec![
        generator_limits(&everything),
        cpu::generator_cpu(observation),
        cpu::busiest_worker(observation),
        standstill::gate(observation),
        send_lateness(observation, &operations),
    ];
    gates.extend(due_sent::gate(plan, observation));
    gates.extend(plugin_time::gate(observation, &operations));
    gates.extend([littles_law(observation, &everything, &operations), samples(plan, &operations)]);
    gates
}

/// Why workers did not run long enough to say how busy they were; `None` where they did.
fn too_short(workers: &[WorkerUsage]) -> Option<String> {
    let longest = workers.iter().map(|worker| worker.wall).max().unwrap_or_default();
    (longest < LEAST_WORKER_TIME).then(|| {
        format!(
            "{} of a worker thread's time is too little to judge; it takes {}",
            short(longest),
            short(LEAST_WORKER_TIME)
        )
    })
}

fn send_lateness(observation: &Observation, operations: &SeriesMetrics) -> Gate {
    let name = GateName::SendLateness;
    let bound = tolerated_delay(operations);
    let calls = operations.lateness.count();
    if calls < CALLS_FOR_P99 {
        let why = format!("{} {} too few for a 99th percentile", counted(calls, "call"), are(calls));
        return Gate::not_judged(name, None, micros(bound), "us", why);
    }
    let Some(lateness) = operations.lateness.quantile(0.99) else {
        let finding = "more than 1 % of the calls were sent over an hour late".to_owned();
        return Gate {
            observed: None,
            ..Gate::decided(name, false, 0.0, micros(bound), "us", finding, LATE)
        };
    };
    // A new connection stands between a call's being due and its first byte: the server's doing as much as ours.
    let connections = observation.books.connections_opened;
    if lateness > bound && explained_by_connecting(&operations.lateness, connections, bound) {
        let why = format!(
            "{} opened for {}, and connecting is part of it",
            match connections {
                1 => "1 connection was".to_owned(),
                _ => format!("{} were", counted(connections, "connection")),
            },
            counted(calls, "call")
        );
        return Gate::not_judged(name, Some(micros(lateness)), micros(bound), "us", why);
    }
    let finding = format!("99 % of the calls were sent within {} of being due", short(lateness));
    let advice = if observation.books.iterations_due > 0 { LATE_ARRIVALS } else { LATE };
    Gate::at_most(name, micros(lateness), micros(bound), "us", finding, advice)
}

/// Whether so few calls are late that each may be one that had to wait for a new connection: the others' 99th percentile is in bounds,
/// or they are too few to have one.
fn explained_by_connecting(lateness: &Histogram, connections: u64, bound: Duration) -> bool {
    let calls = lateness.count();
    let others = calls.saturating_sub(connections);
    let quantile = 0.99 * others as f64 / calls as f64;
    connections > 0
        && (others < CALLS_FOR_P99 || lateness.quantile(quantile).is_some_and(|late| late <= bound))
}

/// How far the generator may be behind: too little to decide a threshold that is set for such a server.
fn tolerated_delay(operations: &SeriesMetrics) -> Duration {
    let service = operations.service_time.quantile(0.99).unwrap_or_default();
    LATENESS_FLOOR.max(service.mul_f64(LATENESS_SHARE))
}

const LATE_ARRIVALS: &str = "arrivals waited for a free virtual user or for the generator: raise max_vus and vus, lower the rate, raise \
                             --workers, or quieten the machine it runs on";
const LATE: &str =
    "calls waited for the generator: lower the load, raise --workers, or quieten the machine it runs on";

fn littles_law(observation: &Observation, everything: &SeriesMetrics, operations: &SeriesMetrics) -> Gate {
    let books = &observation.books;
    let name = GateName::LittlesLaw;
    let explained = books.service_time
        + books.connect_time
        + books.think_time
        + books.backoff_time
        + books.plugin_time
        + books.idle_time;
    let Some(share) = ratio(explained, books.vu_time).filter(|_| books.vu_time >= LEAST_VU_TIME) else {
        let why = format!(
            "{} of virtual users' time is too little to balance; it takes {}",
            short(books.vu_time),
            short(LEAST_VU_TIME)
        );
        return Gate::not_judged(name, None, MOST_UNEXPLAINED, "ratio", why);
    };
    // The books are those of the whole run.
    let left_out = ended(&observation.warm_up.untrimmed) - ended(operations);
    let calls = ended(everything) + left_out;
    let own_work = OWN_WORK_PER_CALL.as_secs_f64() * calls as f64 / books.vu_time.as_secs_f64();
    let residual = (1.0 - share).abs();
    // Too much explained is an error of our books, for which there is no allowance.
    let bound = if share > 1.0 { MOST_UNEXPLAINED } else { MOST_UNEXPLAINED.max(own_work) };
    let causes = if books.plugin_time.is_zero() {
        "thinking and backing off"
    } else {
        "thinking, backing off and running plugins"
    };
    let finding = format!(
        "{} of virtual users' time is explained by waiting for the server, connecting, {causes}",
        percent(share)
    );
    Gate::at_most(
        name,
        residual,
        bound,
        "ratio",
        finding,
        "virtual users were held up by the generator itself: lower the load or raise --workers",
    )
}

fn ended(calls: &SeriesMetrics) -> u64 {
    calls.outcomes.requests() + calls.outcomes.cancelled()
}

fn generator_limits(everything: &SeriesMetrics) -> Gate {
    let count_of = |fault| {
        let failures = everything.outcomes.failures().iter();
        failures
            .filter(|failures| failures.outcome == Outcome::Transport(fault))
            .map(|f| f.count)
            .sum::<u64>()
    };
    let ports = count_of(TransportFault::NoPort);
    let descriptors = count_of(TransportFault::NoDescriptor);
    let finding = match (ports, descriptors) {
        (0, 0) => "no call lacked a local port or a file descriptor".to_owned(),
        (ports, 0) => format!("{} found no free local port", counted(ports, "call")),
        (0, descriptors) => format!("{} found no free file descriptor", counted(descriptors, "call")),
        (ports, descriptors) => format!(
            "{} found no free local port, {} no free file descriptor",
            counted(ports, "call"),
            count(descriptors)
        ),
    };
    let advice = if descriptors > 0 {
        "raise the limit of open files (ulimit -n) above the number of virtual users"
    } else {
        "keep connections alive (connection = \"keep-alive\"), or widen the range of local ports"
    };
    let failures = (ports + descriptors) as f64;
    Gate::at_most(GateName::GeneratorLimits, failures, 0.0, "calls", finding, advice)
}

fn samples(plan: &Plan, operations: &SeriesMetrics) -> Gate {
    let (measured, least) = (operations.outcomes.requests(), plan.settings.min_samples);
    Gate::decided(
        GateName::Samples,
        measured >= least,
        measured as f64,
        least as f64,
        "calls",
        format!(
            "{} {} measured, {} {} needed",
            counted(measured, "call"),
            were(measured),
            count(least),
            are(least)
        ),
        "run longer, with more virtual users or iterations, or lower settings.min_samples",
    )
}

fn ratio(part: Duration, whole: Duration) -> Option<f64> {
    (whole > Duration::ZERO).then(|| part.as_secs_f64() / whole.as_secs_f64())
}

fn micros(duration: Duration) -> f64 {
    duration.as_micros() as f64
}

fn are(number: u64) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

fn were(number: u64) -> &'static str {
    if number == 1 { "was" } else { "were" }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn short(duration: Duration) -> String {
    wording::time(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

mod cpu;
mod due_sent;
mod plugin_time;
mod standstill;
#[cfg(test)]
mod tests;
