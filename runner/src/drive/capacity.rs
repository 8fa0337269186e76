//! Drives a search for capacity: does what the search says, one run after the other, and tells it what came of each.
//!
//! In: a prepared target and a question. Out: an answer. Every decision is [`judge::capacity`](crate::judge::capacity)'s; here is only
//! waiting, counting what was due, and asking the gates whether a trial says anything about the server.

mod trial;

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::clock::Clock;
use super::engine::{Controls, StopRequest};
use super::prepare::Prepared;
use crate::error::Error;
use crate::judge::capacity::{
    Answer, CoolDown, Course, Observed, Probe, Question, Rest, Search, Step, Trial, TrialResult, Variable,
};
use crate::judge::{Observation, Second, Snapshot};
use crate::plan::{Executor, Load, Pool, Rate, Spacing};
use trial::Counting;

/// How long the trickle of a cool-down goes on between two looks.
const LOOK: Duration = Duration::from_secs(5);
/// Virtual users of a trial are so many as the load needs where an iteration takes this much longer than in the probe.
const SLOWEST: f64 = 50.0;
/// Virtual users that a trial's pool may always grow to.
const SMALLEST_POOL: u32 = 50;
/// Virtual users that no trial needs more of, whatever it asks for.
pub const LARGEST_POOL: u32 = 10_000;

/// The lines between a search and whoever watches it.
#[derive(Debug)]
pub struct SearchControls {
    /// What is asked of the search. Either way of stopping ends it with what it knows.
    pub stop: watch::Receiver<StopRequest>,
    /// Where the run at hand says how it is going.
    pub snapshots: watch::Sender<Option<Snapshot>>,
}

/// How trials are driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialSettings {
    /// How the arrivals of a rate are spaced.
    pub arrivals: Spacing,
    /// Most virtual users of a trial; [`LARGEST_POOL`] unless the machine has less room.
    pub most_vus: NonZeroU32,
}

impl Default for TrialSettings {
    fn default() -> Self {
        let most_vus = NonZeroU32::new(LARGEST_POOL).unwrap_or(NonZeroU32::MIN);
        Self { arrivals: Spacing::default(), most_vus }
    }
}

/// What happens in a search.
#[derive(Debug)]
pub enum News<'a> {
    /// A step begins.
    Begins(&'a Step),
    /// A trial is over, and the search knows of it.
    Judged(&'a TrialResult),
    /// A cool-down is over.
    Rested(&'a Rest),
}

/// What came of a search.
#[derive(Debug)]
pub struct Searched {
    /// The answer; where it was interrupted, what was known by then.
    pub answer: Answer,
    /// Whether somebody ended it.
    pub interrupted: bool,
}

impl Prepared {
    /// Searches for the highest load under which the objectives are kept. The plan's own loads play no part.
    ///
    /// # Errors
    /// As [`Prepared::run`].
    pub async fn search(
        &self,
        question: Question,
        settings: TrialSettings,
        controls: SearchControls,
        tell: &mut dyn FnMut(&Search, News<'_>),
    ) -> Result<Searched, Error> {
        Driver { prepared: self, settings, controls, here: false }.search(question, tell).await
    }

    /// The same on the calling task's own runtime, whose time may be held. Must be called inside a `LocalSet`.
    ///
    /// # Errors
    /// As [`Prepared::run`].
    #[cfg(test)]
    pub(crate) async fn search_here(
        &self,
        question: Question,
        controls: SearchControls,
    ) -> Result<Searched, Error> {
        Driver { prepared: self, settings: TrialSettings::default(), controls, here: true }
            .search(question, &mut |_, _| {})
            .await
    }
}

struct Driver<'a> {
    prepared: &'a Prepared,
    settings: TrialSettings,
    controls: SearchControls,
    here: bool,
}

impl Driver<'_> {
    async fn search(
        self,
        question: Question,
        tell: &mut dyn FnMut(&Search, News<'_>),
    ) -> Result<Searched, Error> {
        let clock = Clock::start();
        let mut search = Search::new(question);
        let mut usual = Usual::default();
        loop {
            let step = search.next();
            tell(&search, News::Begins(&step));
            let observed = match step {
                Step::Answer(answer) => return Ok(Searched { answer: *answer, interrupted: false }),
                Step::Probe(length) => {
                    let probe;
                    (probe, usual) = self.probe(search.question(), length).await?;
                    Observed::Probe(probe)
                }
                Step::Trial(trial) => Observed::Trial(self.hold(&search, &usual, trial).await?),
                Step::CoolDown(rest) => Observed::Rest(self.rest(rest).await?),
            };
            let elapsed = clock.now().elapsed();
            if self.is_asked_to_stop() {
                // What was cut short says nothing; what was known before does.
                return Ok(Searched { answer: search.give_up(elapsed), interrupted: true });
            }
            search.observe(elapsed, observed.clone());
            match &observed {
                Observed::Trial(result) => tell(&search, News::Judged(result)),
                Observed::Rest(rest) => tell(&search, News::Rested(rest)),
                Observed::Probe(_) => {}
            }
        }
    }

    fn is_asked_to_stop(&self) -> bool {
        *self.controls.stop.borrow() != StopRequest::None
    }

    /// Runs a load to its end, or until whoever steers it ends it.
    async fn run(&self, load: Load, steering: Option<Steering>) -> Result<(Prepared, Observation), Error> {
        let prepared = self.prepared.under(load);
        let (stop, pieces) = match steering {
            Some(Steering { stop, pieces }) => (stop, Some(pieces)),
            None => (self.controls.stop.clone(), None),
        };
        let controls = Controls { stop, snapshots: self.controls.snapshots.clone(), pieces };
        let observation =
            if self.here { prepared.run_here(controls, None).await } else { prepared.run(controls).await? };
        Ok((prepared, observation))
    }

    /// One session alone.
    async fn probe(&self, question: &Question, length: Duration) -> Result<(Probe, Usual), Error> {
        let (_, seen) = self.run(self.load(one_session(length)), None).await?;
        let total = seen.metrics.total();
        let of_objective = |objective| Counting::of(objective, &seen.series, seen.metrics.sums()).finished;
        let iterations = seen.books.iterations_completed;
        let calls: Vec<u64> = question.objectives.iter().map(of_objective).collect();
        let per_iteration = |calls: u64| calls as f64 / iterations.max(1) as f64;
        let usual = Usual {
            iteration: seen.window / u32::try_from(iterations.max(1)).unwrap_or(u32::MAX),
            calls: per_iteration(total.outcomes.requests()),
            calls_by_objective: calls.iter().map(|calls| per_iteration(*calls)).collect(),
        };
        let probe = Probe {
            length: seen.window,
            iterations,
            busy: total.end.mean().unwrap_or_default().mul_f64(total.end.count() as f64),
            calls,
            p50: total.response_time.quantile(0.5),
            p99: total.response_time.quantile(0.99),
        };
        Ok((probe, usual))
    }

    /// Holds a load as long as its watch wants it.
    async fn hold(&self, search: &Search, usual: &Usual, trial: Trial) -> Result<TrialResult, Error> {
        let load = self.load(executor_of(search.question().variable, trial, usual, self.settings));
        let mut watch = search.watch(trial);
        let mut counting = trial::Slices::new(search.question(), usual);
        let (ask, stop) = watch::channel(StopRequest::None);
        let (pieces, mut incoming) = mpsc::unbounded_channel();
        let mut asked = self.controls.stop.clone();
        let steer = async {
            loop {
                tokio::select! {
                    piece = incoming.recv() => {
                        let Some(piece) = piece else { break };
                        let slice = counting.slice(&piece, &self.prepared.series.keys());
                        if watch.see(slice) == Course::Stop {
                            // The run may be over already.
                            let _ = ask.send(StopRequest::Graceful);
                        }
                    }
                    Ok(()) = asked.changed() => {
                        let wanted = *asked.borrow_and_update();
                        let _ = ask.send(wanted);
                    }
                }
            }
        };
        let run = self.run(load, Some(Steering { stop, pieces }));
        let (ran, ()) = tokio::join!(run, steer);
        let (prepared, seen) = ran?;
        Ok(watch.conclude(trial::closing(search.question(), &prepared.plan, &seen)))
    }

    /// Lets the server rest under a trickle, until it is as fast as it was.
    async fn rest(&self, rest: CoolDown) -> Result<Rest, Error> {
        let clock = Clock::start();
        loop {
            let (_, seen) = self.run(self.load(one_session(LOOK)), None).await?;
            let total = seen.metrics.total();
            let p50 = total.response_time.quantile(0.5);
            let elapsed = clock.now().elapsed();
            let over = rest.is_over(elapsed, total.outcomes.cancelled(), p50);
            if let Some(recovered) = over.or(self.is_asked_to_stop().then_some(false)) {
                let p50_us = p50.map(|p50| u64::try_from(p50.as_micros()).unwrap_or(u64::MAX));
                return Ok(Rest { seconds: elapsed.as_secs_f64(), recovered, p50_us });
            }
        }
    }

    /// An executor with the plan's scenarios.
    fn load(&self, executor: Executor) -> Load {
        let plan = &self.prepared.plan;
        // What is in flight when a load is taken away is data for as long as a call may take.
        Load::simple(executor, plan.settings.timeout + LOOK, plan.scenarios.len())
    }
}

/// What an iteration is when the server is hardly loaded.
#[derive(Debug, Default)]
struct Usual {
    /// How long it takes, thinking included.
    iteration: Duration,
    /// How many calls it makes.
    calls: f64,
    /// By objective: how many of them it covers.
    calls_by_objective: Vec<f64>,
}

/// A run's ends of the lines by which it is steered.
struct Steering {
    stop: watch::Receiver<StopRequest>,
    pieces: mpsc::UnboundedSender<Second>,
}

fn one_session(duration: Duration) -> Executor {
    Executor::ConstantVus { vus: NonZeroU32::MIN, spawn_rate: None, duration }
}

/// The load of a trial. It lasts longer than any trial is extended to: its watch ends it.
fn executor_of(variable: Variable, trial: Trial, usual: &Usual, settings: TrialSettings) -> Executor {
    let duration = trial.length * 4 + LOOK;
    match variable {
        Variable::Sessions => {
            let vus = NonZeroU32::new(whole(trial.load)).unwrap_or(NonZeroU32::MIN);
            Executor::ConstantVus { vus, spawn_rate: None, duration }
        }
        Variable::Rate => {
            let in_flight = trial.load * usual.iteration.as_secs_f64();
            let room = settings.most_vus.get();
            let most = whole(in_flight * SLOWEST + trial.load * 2.0).max(SMALLEST_POOL).min(room);
            let pool = Pool {
                vus: whole(in_flight * 3.0).max(10).min(most),
                max_vus: NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN),
                max_wait: trial.length,
                spacing: settings.arrivals,
            };
            let rate = Rate::per_second(trial.load).unwrap_or_default();
            Executor::ConstantArrivalRate { rate, duration, pool }
        }
    }
}

fn whole(number: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let whole = number.ceil() as u32;
    whole
}
