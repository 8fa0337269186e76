//! One worker: a thread's share of the virtual users, their shared state, and the ticks that carry their samples to the control
//! thread.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use super::alarm::Alarms;
use super::context::Context;
use super::deadline::sweep_period;
use super::executor::{self, StartLine};
use super::load::LoadShare;
use super::pacer::Time;
use super::plugin::{Guests, Watcher};
use super::prepare::Share;
use super::protocol::template::Dialect;
use super::script::steps::Steps;
use super::shared_session::SharedSession;
use super::usage;
use crate::judge::{Books, Delta, Moment, WorkerUsage};
use crate::plan::{Plan, Scenario, Settings, Stripe};

/// How often a worker hands its samples over.
pub(crate) const TICK: Duration = Duration::from_millis(250);
/// How late a tick must be for the thread to have stood still: what no timer and no scheduler of a machine that works is late by.
const STANDSTILL: Duration = Duration::from_millis(100);
/// How many times in a second.
pub(crate) const TICKS_PER_SECOND: u64 = 4;

/// How far the run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Iterations are started.
    Running,
    /// No more iterations; those that run may end.
    Stopping,
    /// Everything is cut off.
    Aborted,
}

/// What a worker hands to the control thread.
#[derive(Debug)]
pub(crate) struct Tick {
    /// Which worker.
    pub(crate) worker: usize,
    /// How many ticks have passed since the origin: which piece of the run the samples fall in.
    pub(crate) piece: u64,
    /// The samples.
    pub(crate) delta: Delta,
    /// Virtual users that are there.
    pub(crate) vus: u32,
    /// Of them: those at work, and not waiting for an arrival.
    pub(crate) active_vus: u32,
    /// Of all of them: those that cannot reach the target.
    pub(crate) down_vus: u32,
    /// Iterations completed so far.
    pub(crate) iterations: u64,
    /// Set once, at the worker's end.
    pub(crate) end: Option<WorkerEnd>,
}

/// What is known when a worker has ended.
#[derive(Debug)]
pub(crate) struct WorkerEnd {
    pub(crate) books: Books,
    pub(crate) usage: WorkerUsage,
    /// When its part of the measured window closed.
    pub(crate) window: Moment,
}

/// Where a worker stands among the others.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Its number among the workers of this machine.
    pub(crate) index: usize,
    /// Its stripe of everything, on all machines.
    pub(crate) stripe: Stripe,
    /// Whether time is that of the world.
    pub(crate) time: Time,
    /// Where workers meet before open loads begin, by load.
    pub(crate) start_lines: Arc<[StartLine]>,
}

/// What a worker's virtual users share beside the context.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) context: Rc<Context>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) steps: Arc<Steps>,
    /// This worker's instances of the run's plugins, by their numbers.
    pub(crate) guests: Vec<Rc<Guests>>,
    pub(crate) dialect: Dialect,
    pub(crate) shared_session: Option<Arc<SharedSession>>,
    /// This worker's shares of the loads, in the order of the plan.
    pub(crate) loads: Vec<Rc<LoadShare>>,
    /// Its number among the workers.
    index: usize,
    /// Virtual users that are there.
    pub(crate) there: Cell<u32>,
    /// Of them: those that wait for an arrival.
    pub(crate) idle: Cell<u32>,
    /// Of them: those that cannot reach the target.
    pub(crate) down: Cell<u32>,
    /// What ends the pauses of open loads.
    pub(crate) alarms: Alarms,
    /// Wakes virtual users that think or wait, so that they look at the phase.
    pub(crate) changed: Notify,
    phase: Cell<Phase>,
    window: Cell<Moment>,
    /// When it last handed its samples over.
    ticked: Cell<Moment>,
    /// Whether time is that of the world.
    pub(crate) time: Time,
}

impl Worker {
    pub(crate) fn new(
        context: Rc<Context>,
        share: Share,
        shared_session: Option<Arc<SharedSession>>,
        place: Place,
        watcher: Option<&Watcher>,
    ) -> Rc<Self> {
        let Place { index, stripe, time, start_lines } = place;
        let Share { plan, steps, dialect, plugins, .. } = share;
        let guests = plugins
            .all
            .iter()
            .map(|plugin| Guests::new(Arc::clone(plugin), Rc::clone(&context), watcher.cloned()));
        let loads = (0..plan.loads.len()).map(|load| LoadShare::new(load, &plan, stripe, &start_lines));
        Rc::new(Self {
            guests: guests.collect(),
            loads: loads.collect(),
            context,
            plan,
            steps,
            dialect,
            shared_session,
            index,
            there: Cell::new(0),
            idle: Cell::new(0),
            down: Cell::new(0),
            alarms: Alarms::default(),
            changed: Notify::new(),
            phase: Cell::new(Phase::Running),
            window: Cell::new(Moment::ORIGIN),
            ticked: Cell::new(Moment::ORIGIN),
            time,
        })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.plan.settings
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Ends a load: none of its iterations begins any more. With the last of them the measured window ends.
    pub(crate) fn end_load(&self, load: &LoadShare) {
        load.advance(Phase::Stopping);
        self.changed.notify_waiters();
        if !self.loads.iter().any(|load| load.is_running()) {
            self.advance(Phase::Stopping);
        }
    }

    /// Moves on to a later phase; an earlier one is ignored.
    pub(crate) fn advance(&self, phase: Phase) {
        if phase <= self.phase.get() {
            return;
        }
        if self.phase.get() == Phase::Running {
            self.window.set(self.context.clock.now());
            self.context.in_window.set(false);
        }
        self.phase.set(phase);
        self.loads.iter().for_each(|load| load.advance(phase));
        if phase == Phase::Aborted {
            self.context.deadlines.cancel_all();
        }
        self.changed.notify_waiters();
    }

    /// Whether nobody may call this plugin any more.
    pub(crate) fn has_given_up(&self, plugin: usize) -> bool {
        self.guests[plugin].has_given_up()
    }

    fn tick(&self, recycled: Option<Delta>, end: Option<WorkerEnd>) -> Tick {
        let now = self.context.clock.now();
        let before = self.ticked.replace(now);
        Tick {
            worker: self.index,
            piece: piece_between(before, now),
            delta: self.context.recorder.borrow_mut().take(recycled),
            active_vus: self.there.get() - self.idle.get(),
            vus: self.there.get(),
            down_vus: self.down.get(),
            iterations: self.context.books().iterations_completed,
            end,
        }
    }
}

/// The piece of the run that the samples between two ticks count under: that of their middle. Ticks come late, by a millisecond or two as
/// a rule, and one that was to come on the border of two pieces carries samples of the earlier one.
fn piece_between(before: Moment, now: Moment) -> u64 {
    let middle = before.after(now.since(before) / 2);
    u64::try_from(middle.elapsed().as_nanos() / TICK.as_nanos()).unwrap_or(u64::MAX)
}

/// A worker's lines to the control thread.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) ticks: mpsc::UnboundedSender<Tick>,
    pub(crate) recycled: mpsc::UnboundedReceiver<Delta>,
    pub(crate) phase: watch::Receiver<Phase>,
}

/// Runs a worker to its end. Must be called inside a `LocalSet`.
pub(crate) async fn work(worker: Rc<Worker>, mut lines: Lines) {
    let (cpu_before, waited_before) = (usage::thread_cpu(), usage::thread_waited());
    let context = Rc::clone(&worker.context);
    let sweeper = tokio::task::spawn_local({
        let (context, period) = (Rc::clone(&context), sweep_period(shortest_timeout(&worker.plan)));
        async move { context.deadlines.keep_sweeping(context.clock, period).await }
    });
    let ringer = worker.plan.is_open().then(|| {
        let worker = Rc::clone(&worker);
        tokio::task::spawn_local(async move {
            worker.alarms.keep_ringing(worker.context.clock, worker.time).await;
        })
    });
    let follower = tokio::task::spawn_local(follow_phase(Rc::clone(&worker), lines.phase.clone()));
    let mut loads = std::pin::pin!(keep_all(&worker));
    let mut tick = 0_u32;
    let mut stood_still = Duration::ZERO;
    loop {
        tick += 1;
        let planned = Moment::ORIGIN.after(TICK * tick);
        tokio::select! {
            () = &mut loads => break,
            () = context.clock.sleep_until(planned) => {
                let away = context.clock.now().since(planned.max(worker.ticked.get()));
                stood_still += if away > STANDSTILL { away } else { Duration::ZERO };
                let recycled = lines.recycled.try_recv().ok();
                // The control thread only goes away when the whole run does.
                let _ = lines.ticks.send(worker.tick(recycled, None));
            }
        }
    }
    sweeper.abort();
    if let Some(ringer) = ringer {
        ringer.abort();
    }
    follower.abort();
    worker.advance(Phase::Stopping);
    let usage = WorkerUsage {
        cpu: usage::thread_cpu().saturating_sub(cpu_before),
        waited: usage::thread_waited().saturating_sub(waited_before),
        stood_still,
        wall: context.clock.now().elapsed(),
    };
    let end = WorkerEnd { books: context.books(), usage, window: worker.window.get() };
    let _ = lines.ticks.send(worker.tick(None, Some(end)));
}

/// Keeps every load to its end.
async fn keep_all(worker: &Rc<Worker>) {
    let mut keepers = JoinSet::new();
    for load in &worker.loads {
        keepers.spawn_local(executor::keep(Rc::clone(worker), Rc::clone(load)));
    }
    while let Some(kept) = keepers.join_next().await {
        // Nobody aborts one, so it panicked: a bug of ours.
        if let Err(error) = kept {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

async fn follow_phase(worker: Rc<Worker>, mut phase: watch::Receiver<Phase>) {
    while phase.changed().await.is_ok() {
        let now = *phase.borrow_and_update();
        worker.advance(now);
    }
}

fn shortest_timeout(plan: &Plan) -> Duration {
    let steps = plan.scenarios.iter().flat_map(Scenario::steps);
    steps.filter_map(|step| step.timeout).fold(plan.settings.timeout, Duration::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_that_comes_late_is_of_the_piece_in_which_its_samples_were_taken() {
        let piece = |before, now| piece_between(Moment::from_nanos(before), Moment::from_nanos(now));
        assert_eq!(piece(0, 250_000_000), 0);
        assert_eq!(piece(2_750_000_000, 3_000_000_000), 11);
        assert_eq!(piece(2_750_000_000, 3_001_500_000), 11);
        assert_eq!(piece(2_750_000_000, 3_200_000_000), 11);
        assert_eq!(piece(3_001_500_000, 3_250_000_000), 12);
        assert_eq!(piece(3_000_100_000, 3_000_200_000), 12);
    }
}
