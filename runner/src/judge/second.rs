//! A run second by second, while it lasts: what windows, the search for a breaking point and the search for capacity are fed with.

use std::collections::VecDeque;

use super::metrics::{Arrivals, Delta, Sums};

/// One second of a run that is over, or whatever equal piece of time whoever counts it has chosen: every worker has handed over what it recorded in it.
#[derive(Debug, Default)]
pub struct Second {
    /// How many there were before it since the origin.
    pub number: u64,
    /// What came to an end in it, by series, and what plugins did.
    pub sums: Sums,
    /// Iterations of the open model that became due in it.
    pub arrivals: Arrivals,
    /// Iterations whose steps were all done in it.
    pub iterations: u64,
    /// The largest number of virtual users that was reported in it.
    pub active_vus: u32,
}

/// Puts seconds together from what workers hand over at their own pace.
#[derive(Debug)]
pub struct Seconds {
    /// Those that are not over, without gaps.
    open: VecDeque<Second>,
    /// The number of the first of them.
    first: u64,
    /// By worker, the last second it has handed something over for; `None` where nothing came yet.
    reached: Vec<Option<u64>>,
    /// Emptied sums, to be used again.
    spare: Vec<Sums>,
}

impl Seconds {
    /// For so many workers.
    pub fn new(workers: usize) -> Self {
        Self { open: VecDeque::new(), first: 0, reached: vec![None; workers], spare: Vec::new() }
    }

    /// Adds what `worker` gathered in `second`, in which it has done `iterations`; `active_vus` is that of the whole run. A worker never
    /// goes back to an earlier second.
    pub fn gather(&mut self, worker: usize, second: u64, delta: &Delta, iterations: u64, active_vus: u32) {
        self.reached[worker] = self.reached[worker].max(Some(second));
        while self.first + self.open.len() as u64 <= second {
            let number = self.first + self.open.len() as u64;
            let sums = self.spare.pop().unwrap_or_default();
            self.open.push_back(Second { number, sums, ..Second::default() });
        }
        let open = second.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
        if let Some(row) = open.and_then(|place| self.open.get_mut(place)) {
            row.sums.gather(delta);
            row.arrivals.add(delta.arrivals());
            row.iterations += iterations;
            row.active_vus = row.active_vus.max(active_vus);
        }
    }

    /// A worker that has ended is waited for no longer.
    pub fn leave(&mut self, worker: usize) {
        self.reached[worker] = Some(u64::MAX);
    }

    /// The next second that is over, in order: every worker has come to a later one.
    pub fn next_over(&mut self) -> Option<Second> {
        let all_reached = self.reached.iter().copied().min().flatten()?;
        if self.first >= all_reached {
            return None;
        }
        let second = self.open.pop_front()?;
        self.first += 1;
        Some(second)
    }

    /// Gives a second's memory back.
    pub fn recycle(&mut self, mut second: Second) {
        second.sums.clear();
        self.spare.push(second.sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Clocks, Moment, Outcome, Recorder, Sample};
    use crate::plan::SeriesId;

    fn delta(calls: u64, due: u64) -> Delta {
        let mut recorder = Recorder::new(4);
        for _ in 0..calls {
            let now = Moment::ORIGIN;
            let clocks = Clocks {
                due: now,
                ready: now,
                sent: now,
                headers: None,
                first_event: None,
                result: None,
                end: now,
            };
            let series = SeriesId(SeriesId::LIFECYCLE);
            let sample = Sample { series, clocks, outcome: Outcome::Ok, bytes_sent: 1, bytes_received: 1 };
            recorder.record(&sample, true, String::new);
        }
        recorder.arrive(Arrivals { due, dropped: 0 });
        recorder.take(None)
    }

    #[test]
    fn a_second_is_over_when_every_worker_has_come_to_a_later_one() {
        let mut seconds = Seconds::new(2);
        seconds.gather(0, 0, &delta(3, 3), 3, 5);
        seconds.gather(0, 1, &delta(1, 1), 1, 5);
        assert!(seconds.next_over().is_none());
        seconds.gather(1, 0, &delta(2, 4), 2, 7);
        assert!(seconds.next_over().is_none());
        seconds.gather(1, 2, &delta(0, 0), 0, 7);
        let first = seconds.next_over().unwrap();
        assert_eq!((first.number, first.iterations, first.active_vus, first.arrivals.due), (0, 5, 7, 7));
        assert_eq!(first.sums.outcomes().ok(), 5);
        seconds.recycle(first);
        assert!(seconds.next_over().is_none());
    }

    #[test]
    fn at_the_end_every_second_is_over_and_those_without_a_call_are_not_left_out() {
        let mut seconds = Seconds::new(1);
        seconds.gather(0, 2, &delta(1, 1), 1, 1);
        seconds.leave(0);
        let calls: Vec<(u64, u64)> =
            std::iter::from_fn(|| seconds.next_over()).map(|it| (it.number, it.iterations)).collect();
        assert_eq!(calls, [(0, 0), (1, 0), (2, 1)]);
    }
}
