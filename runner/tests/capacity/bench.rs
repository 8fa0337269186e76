//! Drives a simulated server as the engine drives a real one, and does what a search says, in virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use pmcp_loadtest::judge::capacity::{
    Answer, Closing, Counts, Course, Observed, Probe, Question, Rest, Search, Slice, Step, Trial,
    TrialResult, Variable,
};

use crate::random::Random;
use crate::server::{End, Outcome, Server};

/// The length of a slice.
const SLICE: f64 = 0.25;
/// How long calls may go on after a trial before they are cut off.
const DRAIN: f64 = 5.0;

/// How calls of an open load follow each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Arrivals {
    Poisson,
    Even,
}

impl Arrivals {
    /// Seconds from one call to the next.
    pub(crate) fn gap(self, rate: f64, random: &mut Random) -> f64 {
        match self {
            Self::Poisson => random.exponential(1.0 / rate),
            Self::Even => 1.0 / rate,
        }
    }
}

/// A server and a generator in front of it.
pub(crate) struct Bench {
    pub(crate) server: Box<dyn Server>,
    pub(crate) arrivals: Arrivals,
    /// The highest load that the generator can drive.
    pub(crate) generator: f64,
    pub(crate) think: f64,
    random: Random,
    now: f64,
}

/// What happened in a slice, before it is counted.
#[derive(Default)]
struct Seen {
    due: u64,
    ends: Vec<End>,
}

/// What drives a load until a moment.
type Load = Box<dyn FnMut(&mut Bench, f64) -> Seen>;

impl Bench {
    pub(crate) fn new(server: Box<dyn Server>, seed: u64) -> Self {
        let random = Random::new(seed ^ 0x5eed);
        Self { server, arrivals: Arrivals::Poisson, generator: f64::INFINITY, think: 0.0, random, now: 0.0 }
    }

    /// The answer of a whole search.
    pub(crate) fn search(&mut self, question: Question) -> Answer {
        let mut search = Search::new(question);
        loop {
            let observed = match search.next() {
                Step::Probe(length) => Observed::Probe(self.probe(length, search.question())),
                Step::Trial(trial) => Observed::Trial(self.trial(&search, trial)),
                Step::CoolDown(rest) => {
                    let began = self.now;
                    loop {
                        let (_, times) = self.trickle(5.0);
                        let p50 = quantile(times, 0.5);
                        let elapsed = Duration::from_secs_f64(self.now - began);
                        // The trickle's own call is always there.
                        let in_flight = self.server.in_flight().saturating_sub(1) as u64;
                        if let Some(recovered) = rest.is_over(elapsed, in_flight, p50) {
                            let p50_us = p50.map(|p50| whole(p50.as_secs_f64() * 1e6));
                            break Observed::Rest(Rest { seconds: self.now - began, recovered, p50_us });
                        }
                    }
                }
                Step::Answer(answer) => return *answer,
            };
            search.observe(Duration::from_secs_f64(self.now), observed);
        }
    }

    fn probe(&mut self, length: Duration, question: &Question) -> Probe {
        let (iterations, times) = self.trickle(length.as_secs_f64());
        let busy = Duration::from_secs_f64(times.iter().sum());
        Probe {
            length,
            iterations,
            busy,
            calls: vec![iterations; question.objectives.len()],
            p50: quantile(times.clone(), 0.5),
            p99: quantile(times, 0.99),
        }
    }

    /// One session alone, beside what is still running.
    fn trickle(&mut self, length: f64) -> (u64, Vec<f64>) {
        let until = self.now + length;
        let mut times = Vec::new();
        let mut sent = self.now;
        self.server.arrive(sent);
        while let Some(end) = self.server.take_end(until) {
            if end.due < sent {
                continue;
            }
            times.push(end.at - end.due);
            sent = end.at + self.think;
            if sent >= until {
                break;
            }
            self.server.arrive(sent);
        }
        self.now = until;
        (times.len() as u64, times)
    }

    fn trial(&mut self, search: &Search, trial: Trial) -> TrialResult {
        let question = search.question();
        let mut watch = search.watch(trial);
        let began = self.now;
        let mut times: Vec<f64> = Vec::new();
        let (mut due, mut finished) = (0, 0);
        let mut load: Load = match question.variable {
            Variable::Rate => self.open(trial.load),
            Variable::Sessions => self.closed(trial.load),
        };
        loop {
            let seen = load(self, self.now + SLICE);
            let slice = count(question, &seen, began, &mut times);
            due += slice.calls.due;
            finished += slice.calls.finished;
            if watch.see(slice) == Course::Stop {
                break;
            }
        }
        let given_up = self.now + DRAIN;
        while finished < due && self.now < given_up {
            let seen = Seen { due: 0, ends: self.ends(self.now + SLICE) };
            let slice = count(question, &seen, began, &mut times);
            finished += slice.calls.finished;
            watch.see(slice);
        }
        let lost = Counts { due: 0, finished: due - finished, good: 0 };
        let objectives = vec![lost; question.objectives.len()];
        watch.see(Slice { length: Duration::ZERO, objectives, calls: lost, throttled: 0, median: None });
        watch.conclude(Closing {
            invalid: (trial.load > self.generator).then(|| "send lateness p99 was 12 ms".to_owned()),
            p50: quantile(times.clone(), 0.5),
            p99: quantile(times, 0.99),
            ..Closing::default()
        })
    }

    fn ends(&mut self, until: f64) -> Vec<End> {
        let mut ends = Vec::new();
        while let Some(end) = self.server.take_end(until) {
            ends.push(end);
        }
        self.now = until;
        ends
    }

    fn open(&mut self, rate: f64) -> Load {
        let mut next = self.now + self.arrivals.gap(rate, &mut self.random);
        Box::new(move |bench, until| {
            let mut seen = Seen::default();
            while next < until {
                while let Some(end) = bench.server.take_end(next) {
                    seen.ends.push(end);
                }
                bench.server.arrive(next);
                seen.due += 1;
                next += bench.arrivals.gap(rate, &mut bench.random);
            }
            seen.ends.extend(bench.ends(until));
            seen
        })
    }

    /// Sessions that think, send, and wait for the answer.
    fn closed(&mut self, sessions: f64) -> Load {
        let began = self.now;
        let mut sends: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
        let nanos = |moment: f64| whole(moment * 1e9);
        for session in 0..whole(sessions) {
            sends.push(Reverse(nanos(began + self.think * session as f64 / sessions)));
        }
        Box::new(move |bench, until| {
            let mut seen = Seen::default();
            loop {
                let send = sends.peek().map_or(f64::INFINITY, |send| send.0 as f64 / 1e9);
                if let Some(end) = bench.server.take_end(send.min(until)) {
                    if end.due >= began {
                        let think = bench.random.exponential(bench.think);
                        sends.push(Reverse(nanos(end.at + think)));
                    }
                    seen.ends.push(end);
                } else if send < until {
                    sends.pop();
                    bench.server.arrive(send);
                    seen.due += 1;
                } else {
                    bench.now = until;
                    return seen;
                }
            }
        })
    }
}

fn count(question: &Question, seen: &Seen, began: f64, times: &mut Vec<f64>) -> Slice {
    let from = times.len();
    let mut calls = Counts { due: seen.due, ..Counts::default() };
    let mut objectives = vec![calls; question.objectives.len()];
    let mut throttled = 0;
    for end in seen.ends.iter().filter(|end| end.due >= began) {
        let ok = end.outcome == Outcome::Ok;
        let time = end.at - end.due;
        calls.finished += 1;
        calls.good += u64::from(ok);
        throttled += u64::from(end.outcome == Outcome::Throttled);
        for (counts, objective) in objectives.iter_mut().zip(&question.objectives) {
            let in_time = objective.within().is_none_or(|within| time <= within.as_secs_f64());
            counts.finished += 1;
            counts.good += u64::from(ok && in_time);
        }
        if ok {
            times.push(time);
        }
    }
    let median = quantile(times[from..].to_vec(), 0.5);
    Slice { length: Duration::from_secs_f64(SLICE), objectives, calls, throttled, median }
}

fn quantile(mut times: Vec<f64>, share: f64) -> Option<Duration> {
    let last = times.len().checked_sub(1)?;
    let index = usize::try_from(whole((times.len() as f64 * share).floor())).unwrap_or(last);
    let (_, time, _) = times.select_nth_unstable_by(index.min(last), f64::total_cmp);
    Some(Duration::from_secs_f64(*time))
}

fn whole(value: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "far below the largest, and never negative"
    )]
    let whole = value.round() as u64;
    whole
}
