//! The true capacity of simulated servers: from the theory of queues where there is one, else by a very long simulation.

use crate::bench::Arrivals;
use crate::random::Random;
use crate::server::{Outcome, Server};

/// The share of calls of an M/M/c queue that take longer than `within`.
pub(crate) fn late_share(rate: f64, workers: u32, mean: f64, within: f64) -> f64 {
    let (service, workers) = (1.0 / mean, f64::from(workers));
    let drain = workers * service - rate;
    if drain <= 0.0 {
        return 1.0;
    }
    // Erlang's C by the recursion of his B.
    let offered = rate * mean;
    let mut blocked = 1.0;
    let mut server = 1.0;
    while server <= workers {
        blocked = offered * blocked / (server + offered * blocked);
        server += 1.0;
    }
    let waits = blocked / (1.0 - offered / workers * (1.0 - blocked));
    let alone = (-service * within).exp();
    let queued = (drain * alone - service * (-drain * within).exp()) / (drain - service);
    (1.0 - waits) * alone + waits * queued
}

/// The share of calls that an M/M/c queue with room for `most` calls at once refuses.
pub(crate) fn refused_share(rate: f64, workers: u32, mean: f64, most: u32) -> f64 {
    let offered = rate * mean;
    let (mut weight, mut sum) = (1.0, 1.0);
    for calls in 1..=most {
        weight *= offered / f64::from(calls.min(workers));
        sum += weight;
    }
    weight / sum
}

/// The argument at which a rising function reaches a value.
pub(crate) fn where_reaches(
    value: f64,
    mut low: f64,
    mut high: f64,
    halvings: u32,
    rising: impl Fn(f64) -> f64,
) -> f64 {
    for _ in 0..halvings {
        let middle = (low * high).sqrt();
        if rising(middle) > value {
            high = middle;
        } else {
            low = middle;
        }
    }
    (low * high).sqrt()
}

/// One long run of an open load on a server that is idle at first.
pub(crate) struct Simulation {
    pub(crate) arrivals: Arrivals,
    /// Calls per second.
    pub(crate) rate: f64,
    pub(crate) calls: u32,
    /// Seconds.
    pub(crate) within: f64,
}

impl Simulation {
    /// The share of the calls that are not good.
    pub(crate) fn missed(&self, server: &mut dyn Server) -> f64 {
        let mut random = Random::new(20_260_728);
        let (mut now, mut missed, mut ended) = (0.0, 0_u32, 0_u32);
        for _ in 0..self.calls {
            now += self.arrivals.gap(self.rate, &mut random);
            server.arrive(now);
            while let Some(end) = server.take_end(now) {
                ended += 1;
                missed += u32::from(end.outcome != Outcome::Ok || end.at - end.due > self.within);
            }
        }
        f64::from(missed) / f64::from(ended.max(1))
    }
}
