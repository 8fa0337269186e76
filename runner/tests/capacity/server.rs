//! Simulated servers in virtual time. In: calls, each with its moment in seconds. Out: how and when they end.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::random::Random;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Outcome {
    Ok,
    Error,
    Throttled,
}

/// The end of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) due: f64,
    pub(crate) at: f64,
    pub(crate) outcome: Outcome,
}

/// Something that answers calls. Calls come in the order of their moments.
pub(crate) trait Server {
    fn arrive(&mut self, at: f64);
    /// When the next call ends, if no other arrives before.
    fn next_end(&self) -> Option<f64>;
    /// Takes the next end, if it is not after this moment.
    fn take_end(&mut self, until: f64) -> Option<End>;
    fn in_flight(&self) -> usize;
}

impl PartialEq for End {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for End {}

impl PartialOrd for End {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for End {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.total_cmp(&other.at)
    }
}

/// What is odd about a [`Queue`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Habit {
    /// Nothing.
    None,
    /// It stands still for `length` every `every` seconds.
    Pauses { every: f64, length: f64 },
    /// Every call makes all that follow slower by this share.
    Leaks(f64),
    /// It answers 429 to what exceeds so many calls per second.
    Limits { per_second: f64, burst: f64 },
    /// Once so many calls wait, it is slower by a factor for ever.
    Tips { waiting: usize, factor: f64 },
    /// It refuses with an error what would be more than so many calls at once.
    Holds(usize),
}

/// First come, first served, by several workers.
pub(crate) struct Queue {
    free: Vec<f64>,
    mean: f64,
    fixed: bool,
    habit: Habit,
    random: Random,
    ends: BinaryHeap<Reverse<End>>,
    slowness: f64,
    tokens: f64,
    last: f64,
}

impl Queue {
    /// `workers`, each of which needs `mean` seconds for a call, exponentially distributed.
    pub(crate) fn new(workers: usize, mean: f64, habit: Habit, seed: u64) -> Self {
        let tokens = if let Habit::Limits { burst, .. } = habit { burst } else { 0.0 };
        Self {
            free: vec![0.0; workers],
            mean,
            fixed: false,
            habit,
            random: Random::new(seed),
            ends: BinaryHeap::new(),
            slowness: 1.0,
            tokens,
            last: 0.0,
        }
    }

    /// Every call takes the same time.
    pub(crate) fn fixed(self) -> Self {
        Self { fixed: true, ..self }
    }

    /// Whether it takes the call in, and how it refuses it otherwise.
    fn refusal(&mut self, at: f64) -> Option<Outcome> {
        match self.habit {
            Habit::Limits { per_second, burst } => {
                self.tokens = (self.tokens + (at - self.last) * per_second).min(burst);
                self.last = at;
                self.tokens -= 1.0;
                let empty = self.tokens < 0.0;
                self.tokens += if empty { 1.0 } else { 0.0 };
                empty.then_some(Outcome::Throttled)
            }
            Habit::Holds(most) => (self.ends.len() >= most).then_some(Outcome::Error),
            Habit::Tips { waiting, factor } => {
                self.slowness = if self.ends.len() > waiting { factor } else { self.slowness };
                None
            }
            Habit::Leaks(share) => {
                self.slowness *= 1.0 + share;
                None
            }
            Habit::None | Habit::Pauses { .. } => None,
        }
    }

    fn end(&self, start: f64, work: f64) -> f64 {
        let Habit::Pauses { every, length } = self.habit else { return start + work };
        let into = start % every;
        // Work is done only outside of the pauses, which stand at the beginning of each round.
        let done = (into - length).max(0.0) + work;
        let rounds = (done / (every - length)).floor();
        start - into + rounds * every + length + (done - rounds * (every - length))
    }
}

impl Server for Queue {
    fn arrive(&mut self, at: f64) {
        if let Some(outcome) = self.refusal(at) {
            self.ends.push(Reverse(End { due: at, at: at + 0.001, outcome }));
            return;
        }
        let work = self.slowness * if self.fixed { self.mean } else { self.random.exponential(self.mean) };
        let mut first = 0;
        for index in 1..self.free.len() {
            if self.free[index] < self.free[first] {
                first = index;
            }
        }
        let end = self.end(self.free[first].max(at), work);
        self.free[first] = end;
        self.ends.push(Reverse(End { due: at, at: end, outcome: Outcome::Ok }));
    }

    fn next_end(&self) -> Option<f64> {
        self.ends.peek().map(|end| end.0.at)
    }

    fn take_end(&mut self, until: f64) -> Option<End> {
        self.next_end().filter(|next| *next <= until)?;
        self.ends.pop().map(|end| end.0)
    }

    fn in_flight(&self) -> usize {
        self.ends.len()
    }
}

/// All calls at once, each with the same share of the processors, and at most one.
pub(crate) struct Sharing {
    processors: f64,
    mean: f64,
    random: Random,
    /// The work that a call which has been here all the time has had.
    served: f64,
    now: f64,
    /// Calls by the work at which they end.
    calls: BinaryHeap<Reverse<End>>,
}

impl Sharing {
    pub(crate) fn new(processors: f64, mean: f64, seed: u64) -> Self {
        Self { processors, mean, random: Random::new(seed), served: 0.0, now: 0.0, calls: BinaryHeap::new() }
    }

    fn speed(&self) -> f64 {
        (self.processors / self.calls.len().max(1) as f64).min(1.0)
    }

    fn advance(&mut self, to: f64) {
        self.served += (to - self.now) * self.speed();
        self.now = to;
    }
}

impl Server for Sharing {
    fn arrive(&mut self, at: f64) {
        self.advance(at);
        let work = self.served + self.random.exponential(self.mean);
        self.calls.push(Reverse(End { due: at, at: work, outcome: Outcome::Ok }));
    }

    fn next_end(&self) -> Option<f64> {
        self.calls.peek().map(|next| self.now + (next.0.at - self.served) / self.speed())
    }

    fn take_end(&mut self, until: f64) -> Option<End> {
        let at = self.next_end().filter(|next| *next <= until)?;
        self.advance(at);
        self.calls.pop().map(|end| End { at, ..end.0 })
    }

    fn in_flight(&self) -> usize {
        self.calls.len()
    }
}
