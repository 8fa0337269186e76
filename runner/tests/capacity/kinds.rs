//! Servers whose capacity is known, and how it is.

use crate::bench::{Arrivals, Bench};
use crate::server::{Habit, Queue, Server, Sharing};
use crate::truth::{Simulation, late_share, refused_share, where_reaches};

/// A server of known capacity.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) objective: &'static str,
    /// Calls per second.
    pub(crate) truth: f64,
    arrivals: Arrivals,
    make: Box<dyn Fn(u64) -> Box<dyn Server>>,
}

impl Kind {
    /// The server with a generator in front of it, everything random in them from a seed.
    pub(crate) fn bench(&self, seed: u64) -> Bench {
        let mut bench = Bench::new((self.make)(seed), seed);
        bench.arrivals = self.arrivals;
        bench
    }
}

/// First come, first served, M/M/c: Erlang's formula.
pub(crate) fn queue(name: &'static str, objective: &'static str, workers: u32, mean: f64) -> Kind {
    let (within, most) = demand(objective);
    let truth = where_reaches(most, 1.0, f64::from(workers) / mean, 40, |rate| {
        late_share(rate, workers, mean, within)
    });
    let make =
        move |seed| -> Box<dyn Server> { Box::new(Queue::new(workers as usize, mean, Habit::None, seed)) };
    Kind { name, objective, truth, arrivals: Arrivals::Poisson, make: Box::new(make) }
}

/// Processor sharing by four processors: a very long simulation.
pub(crate) fn sharing() -> Kind {
    let make = |seed| -> Box<dyn Server> { Box::new(Sharing::new(4.0, 0.02, seed)) };
    simulated("processor sharing", "p99 < 250ms", make)
}

/// Four workers that stand still for 50 ms every 2 s: a very long simulation.
pub(crate) fn pausing() -> Kind {
    let habit = Habit::Pauses { every: 2.0, length: 0.05 };
    let make = move |seed| -> Box<dyn Server> { Box::new(Queue::new(4, 0.02, habit, seed)) };
    simulated("GC pauses", "p99 < 200ms", make)
}

/// Four workers and room for ten calls at once, M/M/4/10: its errors are known from theory.
pub(crate) fn pool() -> Kind {
    let truth = where_reaches(0.01, 1.0, 200.0, 40, |rate| refused_share(rate, 4, 0.02, 10));
    let make = |seed| -> Box<dyn Server> { Box::new(Queue::new(4, 0.02, Habit::Holds(10), seed)) };
    Kind {
        name: "pool of 10",
        objective: "errors < 1%",
        truth,
        arrivals: Arrivals::Poisson,
        make: Box::new(make),
    }
}

/// Even arrivals, and every call takes the same time: nothing waits below the capacity, and everything above.
pub(crate) fn cliff() -> Kind {
    let make = |seed| -> Box<dyn Server> { Box::new(Queue::new(4, 0.02, Habit::None, seed).fixed()) };
    Kind {
        name: "cliff",
        objective: "p99 < 200ms",
        truth: 200.0,
        arrivals: Arrivals::Even,
        make: Box::new(make),
    }
}

fn simulated(
    name: &'static str,
    objective: &'static str,
    make: impl Fn(u64) -> Box<dyn Server> + 'static,
) -> Kind {
    let (within, most) = demand(objective);
    let truth = where_reaches(most, 150.0, 190.0, 7, |rate| {
        Simulation { arrivals: Arrivals::Poisson, rate, calls: 600_000, within }.missed(&mut *make(9))
    });
    Kind { name, objective, truth, arrivals: Arrivals::Poisson, make: Box::new(make) }
}

/// The time in seconds, and the share that may miss it.
fn demand(objective: &str) -> (f64, f64) {
    let objective: pmcp_loadtest::plan::Objective = objective.parse().expect("an objective");
    (objective.within().expect("a time").as_secs_f64(), objective.most_missed())
}
