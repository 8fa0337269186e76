//! The control thread: starts the workers, merges what they measure, publishes snapshots, ends the run.

use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use super::clock::{Clock, date_and_time};
use super::executor::StartLine;
use super::link::Link;
use super::pacer::Time;
use super::plugin::{Plugins, Watcher};
use super::prepare::{Prepared, Share};
use super::script::mix::Mix;
use super::series::SeriesRegistry;
use super::shared_session::SharedSession;
use super::usage;
use super::worker::{Lines, Phase, Place, TICK, TICKS_PER_SECOND, Tick, Worker, WorkerEnd, work};
use crate::error::{Error, ExitCode};
use crate::judge::snapshot::{Progress, Snapshot};
use crate::judge::{
    Arrivals, Books, BreakingPointDetector, BreakingPointFinding, Delta, GeneratorUsage, LoadSecond, Metrics,
    Moment, Observation, Second, Seconds, StopReason, ThresholdWatch, WantedLoad, WorkerUsage,
};
use crate::plan::schedule::wanted;
use crate::plan::{Load, Plan, SessionPolicy};

/// How long every virtual user must have been out of reach of the target before the run is given up.
const TARGET_LOST_AFTER: Duration = Duration::from_secs(5);

/// What a person can ask of a running test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum StopRequest {
    /// Nothing: go on.
    #[default]
    None,
    /// Start nothing more, let what runs end.
    Graceful,
    /// Cut everything off.
    AtOnce,
}

/// The lines between a run and whoever watches it.
#[derive(Debug)]
pub struct Controls {
    /// What is asked of the run.
    pub stop: watch::Receiver<StopRequest>,
    /// Where the run says how it is going, four times a second.
    pub snapshots: watch::Sender<Option<Snapshot>>,
    /// Where whoever steers by what a run shows gets it piece by piece, each [`PIECE`] long and numbered from the origin.
    pub pieces: Option<mpsc::UnboundedSender<Second>>,
}

/// The length of a piece of a run.
pub const PIECE: Duration = TICK;

impl Controls {
    /// The lines of a run that nobody watches or stops: it ends by itself.
    pub fn unattended() -> Self {
        // A run takes lines whose other ends are gone for what they are.
        Self { stop: watch::channel(StopRequest::None).1, snapshots: watch::channel(None).0, pieces: None }
    }
}

impl Prepared {
    /// Runs the load to its end, on threads of its own; the calling task only merges and publishes.
    ///
    /// # Errors
    /// [`ExitCode::Internal`] where a worker thread cannot be started or dies.
    pub async fn run(&self, controls: Controls) -> Result<Observation, Error> {
        let clock = Clock::start();
        let started_at = date_and_time();
        let cpu_before = usage::process().0;
        let (mut control, seats) = self.arrange(clock, useful_workers(&self.plan), Time::Real);
        let crew: Vec<JoinHandle<()>> = seats.into_iter().map(start).collect::<Result<_, _>>()?;
        let stop = control.watch(controls).await;
        for thread in crew {
            thread
                .join()
                .map_err(|_| Error::new(ExitCode::Internal, "a worker thread panicked; this is a bug"))?;
        }
        let elapsed = clock.now().elapsed();
        Ok(self.observe(control, stop, started_at, elapsed, cpu_before).await)
    }

    /// Closes what is still open and puts together what was seen.
    async fn observe(
        &self,
        mut control: Control,
        stop: StopReason,
        started_at: jiff::Timestamp,
        elapsed: Duration,
        cpu_before: Duration,
    ) -> Observation {
        if let Some(shared) = &control.shared_session {
            let books = self.close_shared(control.clock, shared).await;
            control.books.add(&books);
        }
        control.books.add(&self.books);
        let (metrics, warm_up) = control.metrics.settle(control.window.elapsed());
        let (process_cpu, peak_rss_bytes) = usage::process();
        Observation {
            started_at,
            elapsed,
            window: control.window.elapsed(),
            stop,
            metrics,
            windows: control.thresholds.finish(control.window.elapsed(), warm_up.trimmed),
            warm_up,
            series: self.series.keys(),
            plugins: self.plugins.facts(),
            retired: self.plugins.retired(),
            breaking_point: control.breaking_point.finding(),
            server: self.server_facts(),
            generator: GeneratorUsage {
                workers: control.usage,
                process_cpu: process_cpu.saturating_sub(cpu_before),
                peak_rss_bytes,
            },
            books: control.books,
        }
    }

    /// Runs the load on the calling task's own runtime, whose time may be held: what tests and rehearsals need. Must be called inside
    /// a `LocalSet`.
    pub(crate) async fn run_here(&self, controls: Controls, watcher: Option<Watcher>) -> Observation {
        let clock = Clock::start();
        let started_at = date_and_time();
        let cpu_before = usage::process().0;
        let (mut control, seats) = self.arrange(clock, useful_workers(&self.plan), Time::Tokio);
        let crew: Vec<_> = seats
            .into_iter()
            .map(|(seat, lines)| tokio::task::spawn_local(work(seat.worker(watcher.as_ref()), lines)))
            .collect();
        let stop = control.watch(controls).await;
        for worker in crew {
            if let Err(error) = worker.await {
                // Nobody aborts a worker, so it panicked: a bug of ours.
                std::panic::resume_unwind(error.into_panic());
            }
        }
        let elapsed = clock.now().elapsed();
        self.observe(control, stop, started_at, elapsed, cpu_before).await
    }

    /// Lays out the control thread's state and a seat for every worker.
    fn arrange(&self, clock: Clock, workers: u32, time: Time) -> (Control, Vec<(Seat, Lines)>) {
        let plan = &self.plan;
        let shared_session = (plan.settings.session == SessionPolicy::Shared
            && !self.dialect.revision.is_modern())
        .then(|| SharedSession::new(self.dialect));
        let (ticks, incoming) = mpsc::unbounded_channel();
        let (phase, _) = watch::channel(Phase::Running);
        let mut recycling = Vec::new();
        let start_lines: Arc<[StartLine]> = plan.loads.iter().map(|_| StartLine::of(workers)).collect();
        let seats: Vec<_> = (0..workers)
            .map(|index| {
                let (recycle, recycled) = mpsc::unbounded_channel();
                recycling.push(recycle);
                let lines = Lines { ticks: ticks.clone(), recycled, phase: phase.subscribe() };
                let start_lines = Arc::clone(&start_lines);
                let stripe = plan.shard.part(index, workers);
                let place = Place { index: index as usize, stripe, time, start_lines };
                (Seat { clock, place, shared_session: shared_session.clone(), share: self.share() }, lines)
            })
            .collect();
        let control = Control {
            clock,
            plan: Arc::clone(plan),
            mixes: (0..plan.loads.len()).map(|load| Mix::of(plan, load)).collect(),
            plugins: Arc::clone(&self.plugins),
            metrics: Metrics::new(plan.series().len(), plan.settings.warm_up),
            seconds: Seconds::new(seats.len()),
            pieces: None,
            arrivals: Arrivals::default(),
            breaking_point: BreakingPointDetector::new(plan.breaking_point),
            thresholds: ThresholdWatch::new(&plan.thresholds, plan.settings.warm_up, plan.duration()),
            series: Arc::clone(&self.series),
            books: Books::default(),
            usage: vec![WorkerUsage::default(); seats.len()],
            window: Moment::ORIGIN,
            incoming,
            recycling,
            phase,
            workers: vec![WorkerState::default(); seats.len()],
            shared_session,
            last_seen: Moment::ORIGIN,
        };
        (control, seats)
    }

    async fn close_shared(&self, clock: Clock, shared: &SharedSession) -> Books {
        let context = Rc::new(self.share().context(clock));
        let mut link = Link::new(Rc::clone(&context));
        link.renew_slot();
        let timeout = self.plan.settings.timeout;
        // Over time or not, there is nothing more that could be done for it.
        let _ = tokio::time::timeout(timeout, shared.close(&mut link, timeout)).await;
        context.books()
    }
}

/// No more workers than virtual users: an idle worker would only dilute the figures of the busy ones.
fn useful_workers(plan: &Plan) -> u32 {
    // Every worker has arrivals of every open load, for which it needs somebody.
    let share = |load: &Load| plan.shard.share_of(load.executor.max_vus().into());
    let open = plan.loads.iter().filter(|load| load.executor.is_open()).map(share);
    let least = open.fold(plan.loads.iter().map(share).sum(), u64::min).max(1);
    u32::try_from(least.min(plan.settings.workers.get() as u64)).unwrap_or(u32::MAX)
}

/// What a worker thread takes with it.
#[derive(Debug)]
struct Seat {
    clock: Clock,
    place: Place,
    shared_session: Option<Arc<SharedSession>>,
    share: Share,
}

impl Seat {
    fn worker(self, watcher: Option<&Watcher>) -> Rc<Worker> {
        let context = Rc::new(self.share.context(self.clock));
        Worker::new(context, self.share, self.shared_session, self.place, watcher)
    }
}

/// Starts a worker on a thread of its own.
fn start((seat, lines): (Seat, Lines)) -> Result<JoinHandle<()>, Error> {
    let failed = |error| Error::new(ExitCode::Internal, "cannot start a worker thread").because(error);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let thread = std::thread::Builder::new().name(format!("worker-{}", seat.place.index));
    thread.spawn(move || LocalSet::new().block_on(&runtime, work(seat.worker(None), lines))).map_err(failed)
}

/// What the control thread knows of a worker.
#[derive(Debug, Clone, Copy, Default)]
struct WorkerState {
    vus: u32,
    active_vus: u32,
    down_vus: u32,
    iterations: u64,
    ended: bool,
}

/// The control thread's state.
#[derive(Debug)]
struct Control {
    clock: Clock,
    plan: Arc<Plan>,
    /// What the loads draw from.
    mixes: Vec<Mix>,
    plugins: Arc<Plugins>,
    metrics: Metrics,
    /// What is still being put together of the seconds that just passed.
    seconds: Seconds,
    /// The same by pieces, for whoever steers by them.
    pieces: Option<(Seconds, mpsc::UnboundedSender<Second>)>,
    /// Iterations of open loads so far.
    arrivals: Arrivals,
    breaking_point: BreakingPointDetector,
    thresholds: ThresholdWatch,
    series: Arc<SeriesRegistry>,
    books: Books,
    usage: Vec<WorkerUsage>,
    window: Moment,
    incoming: mpsc::UnboundedReceiver<Tick>,
    recycling: Vec<mpsc::UnboundedSender<Delta>>,
    phase: watch::Sender<Phase>,
    workers: Vec<WorkerState>,
    shared_session: Option<Arc<SharedSession>>,
    /// When some virtual user last was in reach of the target.
    last_seen: Moment,
}

impl Control {
    /// Merges and publishes until every worker has ended; returns why the run ended.
    async fn watch(&mut self, controls: Controls) -> StopReason {
        let Controls { mut stop, snapshots, pieces } = controls;
        self.pieces = pieces.map(|steerer| (Seconds::new(self.workers.len()), steerer));
        let mut reason = StopReason::Completed;
        let mut listening = true;
        while self.workers.iter().any(|worker| !worker.ended) {
            tokio::select! {
                tick = self.incoming.recv() => match tick {
                    Some(tick) => {
                        self.merge(tick);
                        self.look_back();
                        // Nobody watching is fine.
                        let _ = snapshots.send(Some(self.snapshot()));
                        if reason == StopReason::Completed
                            && let Some(why) = self.end_of_its_own()
                        {
                            reason = why;
                            self.phase.send_replace(Phase::Stopping);
                        }
                    }
                    None => break,
                },
                changed = stop.changed(), if listening => {
                    listening = changed.is_ok();
                    let asked = *stop.borrow_and_update();
                    if asked != StopRequest::None {
                        if *self.phase.borrow() == Phase::Running {
                            reason = StopReason::Interrupted;
                        }
                        let phase = if asked == StopRequest::AtOnce { Phase::Aborted } else { Phase::Stopping };
                        self.phase.send_replace(phase);
                    }
                }
            }
        }
        // Whoever steers learns by it that nothing more comes.
        self.pieces = None;
        reason
    }

    fn merge(&mut self, tick: Tick) {
        let Tick { worker, piece, delta, vus, active_vus, down_vus, iterations, end } = tick;
        let state = &mut self.workers[worker];
        let done = iterations - state.iterations;
        *state = WorkerState { vus, active_vus, down_vus, iterations, ended: end.is_some() };
        let active = self.workers.iter().map(|worker| worker.active_vus).sum();
        let second = piece / TICKS_PER_SECOND;
        self.metrics.merge(&delta, second, active);
        if let Some((pieces, _)) = &mut self.pieces {
            pieces.gather(worker, piece, &delta, done, active);
        }
        self.arrivals.add(delta.arrivals());
        self.seconds.gather(worker, second, &delta, done, active);
        if let Some(WorkerEnd { books, usage, window }) = end {
            self.books.add(&books);
            self.usage[worker] = usage;
            self.window = self.window.max(window);
            self.seconds.leave(worker);
            if let Some((pieces, _)) = &mut self.pieces {
                pieces.leave(worker);
            }
        }
        // The worker may be gone already.
        let _ = self.recycling[worker].send(delta);
        let sum = |of: fn(&WorkerState) -> u32| self.workers.iter().map(of).sum::<u32>();
        let (vus, down) = (sum(|worker| worker.vus), sum(|worker| worker.down_vus));
        if down < vus || vus == 0 {
            self.last_seen = self.clock.now();
        }
    }

    /// Looks at the seconds that are over.
    fn look_back(&mut self) {
        while let Some(second) = self.seconds.next_over() {
            self.look_for_breaking_point(&second);
            self.thresholds.push(&second, &self.series.keys(), &self.plugins.facts());
            self.seconds.recycle(second);
        }
        if let Some((pieces, steerer)) = &mut self.pieces {
            while let Some(piece) = pieces.next_over() {
                // Nobody steering any more is fine.
                let _ = steerer.send(piece);
            }
        }
    }

    fn look_for_breaking_point(&mut self, second: &Second) {
        // The end of the load is no part of it, however it came.
        if *self.phase.borrow() != Phase::Running {
            return;
        }
        let ends = self.plan.duration().unwrap_or(Duration::MAX);
        let end_of_second = Duration::from_secs(second.number.saturating_add(1));
        let Some(row) = self.metrics.row(second.number).filter(|_| end_of_second <= ends) else { return };
        let middle = Duration::from_millis(second.number.saturating_mul(1000).saturating_add(500));
        let (vus, rate) = wanted(&self.plan, middle);
        let Arrivals { due, dropped } = second.arrivals;
        let wanted = WantedLoad { vus, rate_per_s: rate.get(), arrivals: due, dropped };
        self.breaking_point.observe(LoadSecond { row, wanted });
    }

    /// Why the run is to end before its time, if it is.
    fn end_of_its_own(&self) -> Option<StopReason> {
        if self.target_is_lost() {
            return Some(StopReason::TargetLost { message: self.last_failure() });
        }
        if let Some(failed) = self.thresholds.failed_for_abort() {
            return Some(failed.clone());
        }
        if self.plan.breaking_point.stop
            && matches!(self.breaking_point.finding(), BreakingPointFinding::Found(_))
        {
            return Some(StopReason::BreakingPoint);
        }
        if let Some((plugin, reason)) = self.plugins.stop() {
            return Some(StopReason::PluginStopped { plugin, reason });
        }
        let given_up = |plugin: usize| self.plugins.all[plugin].given_up().is_some();
        let nothing_left = self.mixes.iter().all(|mix| !mix.any_left(given_up));
        nothing_left.then(|| StopReason::PluginsFailed { message: self.plugins.failure() })
    }

    fn target_is_lost(&self) -> bool {
        self.clock.now().since(self.last_seen) >= TARGET_LOST_AFTER
    }

    fn last_failure(&self) -> String {
        let total = self.metrics.sum(|_| true);
        let failures = total.outcomes.failures().iter();
        failures
            .filter(|failure| failure.outcome.class() == "transport")
            .max_by_key(|failure| failure.count)
            .and_then(|failure| failure.message.clone())
            .unwrap_or_else(|| "no connection".to_owned())
    }

    fn snapshot(&self) -> Snapshot {
        let planned_iterations: Option<u64> =
            self.plan.loads.iter().map(|load| load.executor.iterations()).sum();
        let progress = Progress {
            elapsed: self.clock.now().elapsed(),
            planned_duration: self.plan.duration(),
            iterations: self.workers.iter().map(|worker| worker.iterations).sum(),
            planned_iterations,
            active_vus: self.workers.iter().map(|worker| worker.active_vus).sum(),
            wanted_per_s: self.plan.is_open().then(|| wanted(&self.plan, self.clock.now().elapsed()).1.get()),
            iterations_due: self.arrivals.due,
            dropped: self.arrivals.dropped,
            breaking_point: match self.breaking_point.finding() {
                BreakingPointFinding::Found(point) => Some(point.at.as_secs()),
                BreakingPointFinding::NotFound | BreakingPointFinding::NotLookedFor(_) => None,
            },
        };
        Snapshot::new(&self.metrics, progress)
    }
}
