//! The gates on the generator's CPU: what its worker threads used of it, and what they were kept waiting for it.

use std::time::Duration;

use super::{Gate, GateName, percent, ratio, too_short};
use crate::judge::Observation;

/// Above this share of their CPU time, worker threads queue their own work, and the queueing shows in the response times.
const MOST_GENERATOR_CPU: f64 = 0.80;
/// Virtual users are pinned to a worker, so one full worker spoils the share of the calls that are its own.
const MOST_BUSY_WORKER: f64 = 0.90;

/// Judges all worker threads together.
pub(super) fn generator_cpu(observation: &Observation) -> Gate {
    let workers = &observation.generator.workers;
    let cpu: Duration = workers.iter().map(|worker| worker.cpu).sum();
    let waited: Duration = workers.iter().map(|worker| worker.waited).sum();
    let wall: Duration = workers.iter().map(|worker| worker.wall).sum();
    let name = GateName::GeneratorCpu;
    let Some(demand) = Demand::of(cpu, waited, wall) else {
        return Gate::not_judged(name, None, MOST_GENERATOR_CPU, "ratio", "worker CPU time was not measured");
    };
    if let Some(why) = too_short(workers) {
        return Gate::not_judged(name, Some(demand.total()), MOST_GENERATOR_CPU, "ratio", why);
    }
    let finding = format!("worker threads used {} of their CPU time{}", percent(demand.used), demand.wait());
    Gate::at_most(
        name,
        demand.total(),
        MOST_GENERATOR_CPU,
        "ratio",
        finding,
        "lower the load, give the generator more cores (--workers), or run it on a machine of its own",
    )
}

/// Judges the worker thread that had the least to spare.
pub(super) fn busiest_worker(observation: &Observation) -> Gate {
    let busiest = observation
        .generator
        .workers
        .iter()
        .filter_map(|worker| Demand::of(worker.cpu, worker.waited, worker.wall))
        .max_by(|left, right| left.total().total_cmp(&right.total()));
    let name = GateName::BusiestWorker;
    let Some(demand) = busiest else {
        return Gate::not_judged(name, None, MOST_BUSY_WORKER, "ratio", "worker CPU time was not measured");
    };
    if let Some(why) = too_short(&observation.generator.workers) {
        return Gate::not_judged(name, Some(demand.total()), MOST_BUSY_WORKER, "ratio", why);
    }
    let finding =
        format!("the busiest worker thread was busy {} of the time{}", percent(demand.used), demand.wait());
    Gate::at_most(
        name,
        demand.total(),
        MOST_BUSY_WORKER,
        "ratio",
        finding,
        "lower the load, raise --workers so that no worker thread carries more than it can, or quieten the machine it runs on",
    )
}

/// What worker threads wanted of the CPU, as shares of their time. A thread that others keep from running is as late as one that has
/// too much to do, and its own CPU time does not show it.
#[derive(Debug, Clone, Copy)]
struct Demand {
    used: f64,
    waited: f64,
}

impl Demand {
    /// Nothing where no CPU time was measured.
    fn of(cpu: Duration, waited: Duration, wall: Duration) -> Option<Self> {
        Some(Self { used: ratio(cpu, wall)?, waited: ratio(waited, wall)? })
    }

    fn total(self) -> f64 {
        self.used + self.waited
    }

    /// The words for the wait, where it is more than what any scheduler costs.
    fn wait(self) -> String {
        if self.waited < 0.01 {
            return String::new();
        }
        format!(" and waited for a free CPU in {}", percent(self.waited))
    }
}
