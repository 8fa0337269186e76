//! Servers in virtual time for the tests: a queue, its slots, and ways to be unwell. In: a ramp and a seed. Out: the seconds of the run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use pmcp_loadtest_arguments::Draws;

use super::{LoadSecond, WantedLoad};
use crate::judge::TimelineRow;

/// A server; times in seconds. What is not said is a healthy one of 10 ms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Server {
    /// Calls it works on at a time.
    pub(super) slots: usize,
    /// Mean of its exponential service time.
    pub(super) service: f64,
    /// Calls per second that it lets in; the others wait.
    pub(super) limit: f64,
    /// It fails half of the calls while the load is higher than this.
    pub(super) fails_above: f64,
    /// It stands still for the second, once in the first.
    pub(super) pause: Option<(f64, f64)>,
    /// It takes so many times longer at the start, falling off over some seconds.
    pub(super) cold: f64,
    /// It fails this share of calls, however few there are.
    pub(super) fails: f64,
    /// One call in this many takes 20 times longer.
    pub(super) slow_one_in: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            slots: 1_000_000,
            service: 0.01,
            limit: f64::INFINITY,
            fails_above: f64::INFINITY,
            pause: None,
            cold: 0.0,
            fails: 0.0,
            slow_one_in: u64::MAX,
        }
    }
}

/// How the load goes; where nothing else is said, in a straight line from nothing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ramp {
    /// Poisson arrivals.
    Open { rate: f64, seconds: u32 },
    /// Virtual users who think that long, in seconds, after each call; in so many steps.
    Closed { vus: u32, think: f64, seconds: u32, steps: u32 },
    /// Poisson arrivals at one rate.
    Flat { rate: f64, seconds: u32 },
}

/// Instants on a heap, in nanoseconds, so that they have an order.
fn nanos(seconds: f64) -> u64 {
    u64::try_from(Duration::from_secs_f64(seconds).as_nanos()).unwrap()
}

fn uniform(draws: &mut Draws) -> f64 {
    ((draws.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

fn exponential(draws: &mut Draws, mean: f64) -> f64 {
    -mean * uniform(draws).ln()
}

impl Ramp {
    fn seconds(self) -> u32 {
        match self {
            Self::Open { seconds, .. } | Self::Closed { seconds, .. } | Self::Flat { seconds, .. } => seconds,
        }
    }

    /// The load wanted at an instant.
    fn load(self, at: f64) -> f64 {
        match self {
            Self::Open { rate, seconds } => rate * at / f64::from(seconds),
            Self::Closed { vus, seconds, steps, .. } => {
                let steps = f64::from(steps);
                f64::from(vus) * (at / f64::from(seconds) * steps).ceil() / steps
            }
            Self::Flat { rate, .. } => rate,
        }
    }

    /// The instants at which calls come due that wait for no other.
    fn dues(self, draws: &mut Draws) -> BinaryHeap<Reverse<u64>> {
        let length = f64::from(self.seconds());
        if let Self::Closed { vus, steps, .. } = self {
            let step = |vu: u32| (f64::from(vu * steps) / f64::from(vus)).ceil() - 1.0;
            return (1..=vus).map(|vu| Reverse(nanos(length * step(vu) / f64::from(steps)))).collect();
        }
        // Thinning (Lewis and Shedler 1979) of arrivals at the highest rate.
        let highest = self.load(length);
        let (mut dues, mut at) = (BinaryHeap::new(), 0.0);
        loop {
            at += exponential(draws, 1.0 / highest);
            if at >= length {
                return dues;
            }
            if uniform(draws) * highest < self.load(at) {
                dues.push(Reverse(nanos(at)));
            }
        }
    }
}

#[derive(Default)]
struct Second {
    response_times: Vec<Duration>,
    errors: u64,
    arrivals: u64,
}

/// The seconds of a run.
pub(super) fn seconds(server: Server, ramp: Ramp, seed: u64) -> Vec<LoadSecond> {
    let mut draws = Draws::of(seed);
    let mut dues = ramp.dues(&mut draws);
    let mut seconds: Vec<Second> = (0..ramp.seconds()).map(|_| Second::default()).collect();
    let mut busy: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
    let mut let_in = 0.0_f64;
    while let Some(Reverse(due)) = dues.pop() {
        let due = Duration::from_nanos(due).as_secs_f64();
        if due >= f64::from(ramp.seconds()) {
            continue;
        }
        seconds[index(due)].arrivals += 1;
        let free = if busy.len() < server.slots { 0 } else { busy.pop().unwrap().0 };
        let start = due.max(Duration::from_nanos(free).as_secs_f64()).max(let_in);
        let_in = start.max(let_in) + 1.0 / server.limit;
        let mut service = exponential(&mut draws, server.service) * (1.0 + server.cold * (-due / 4.0).exp());
        if draws.below(server.slow_one_in) == 0 && server.slow_one_in < u64::MAX {
            service *= 20.0;
        }
        let mut done = start + service;
        if let Some((every, length)) = server.pause {
            let since = done % every;
            if since < length {
                done += length - since;
            }
        }
        let fails = if ramp.load(due) > server.fails_above { 0.5 } else { server.fails };
        let failed = uniform(&mut draws) < fails;
        busy.push(Reverse(nanos(done)));
        if let Some(second) = seconds.get_mut(index(done)) {
            if failed {
                second.errors += 1;
            } else {
                second.response_times.push(Duration::from_secs_f64(done - due));
            }
        }
        if let Ramp::Closed { think, .. } = ramp {
            dues.push(Reverse(nanos(done + think)));
        }
    }
    (0..).zip(seconds).map(|(second, happened)| closed(second, happened, ramp)).collect()
}

fn closed(second: u32, mut happened: Second, ramp: Ramp) -> LoadSecond {
    let load = ramp.load(f64::from(second) + 1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand at most")]
    let vus = load as u32;
    happened.response_times.sort_unstable();
    let times = &happened.response_times;
    let quantile = |parts: usize, of: usize| times.get(times.len() * parts / of).copied();
    let open = !matches!(ramp, Ramp::Closed { .. });
    LoadSecond {
        row: TimelineRow {
            second: second.into(),
            requests: times.len() as u64 + happened.errors,
            ok: times.len() as u64,
            errors: happened.errors,
            active_vus: vus,
            p50: quantile(1, 2),
            p95: quantile(19, 20),
            ..TimelineRow::default()
        },
        wanted: WantedLoad {
            vus: if open { 0 } else { vus },
            rate_per_s: if open { load } else { 0.0 },
            arrivals: if open { happened.arrivals } else { 0 },
            dropped: 0,
        },
    }
}

fn index(at: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the second of an instant")]
    let second = at as usize;
    second
}
