//! One virtual user: opens its session, runs iterations until there are no more, closes its session.

#[cfg_attr(not(feature = "plugins"), path = "vu/absent.rs")]
mod plugin;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use pmcp_loadtest_arguments::Draws;

use super::executor::Member;
use super::link::{Due, Link, Measured};
use super::load::{Claim, LoadShare};
use super::plugin::Guest;
use super::script::steps::{ReadyScript, ReadyStep, Steps, execute_code};
use super::session::{NotOpened, Session};
use super::worker::{Phase, Worker};
use crate::judge::{Clocks, Moment, Outcome};
use crate::plan::{SeriesId, SessionPolicy, ThinkTime};

/// First pause before another attempt to reach a target that cannot be reached; doubles up to `LONGEST_BACKOFF`.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);
/// Failures to reach the target in a row after which a virtual user counts as down.
const DOWN_AFTER: u32 = 3;
/// A broken connection alone may be one bad request; so many in a row are a target that is going away.
const PATIENCE_WITH_BREAKS: u32 = 3;
/// What the timer may add to a pause: it counts in milliseconds, and the one that has begun does not count.
const TIMER_DELAY: Duration = Duration::from_millis(2);
/// How long the end of a run that is cut off waits for sessions to be closed.
const FAREWELL: Duration = Duration::from_secs(1);

/// Lives until there is nothing more to do, or `leave` says so.
pub(crate) async fn live(worker: Rc<Worker>, load: Rc<LoadShare>, number: u64, member: Rc<Member>) {
    worker.there.set(worker.there.get() + 1);
    let began = worker.context.clock.now();
    let link = Link::new(Rc::clone(&worker.context));
    // Nobody else sets it.
    let _ = member.slot.set(Rc::clone(&link.slot));
    let mut vu = Vu {
        worker,
        load,
        number,
        member,
        link,
        session: None,
        free: began,
        planned: None,
        began,
        begun: 0,
        unreached: 0,
        broken: 0,
        guests: Vec::new(),
        was_ready: false,
        fruitless: 0,
    };
    vu.iterate().await;
    vu.end_guests();
    vu.end_session().await;
    vu.report_ready();
    let Vu { worker, unreached, .. } = vu;
    if unreached >= DOWN_AFTER {
        worker.down.set(worker.down.get() - 1);
    }
    worker.there.set(worker.there.get() - 1);
    let lived = worker.context.clock.now().since(began);
    worker.context.book(|books| books.vu_time += lived);
}

#[derive(Debug)]
struct Vu {
    worker: Rc<Worker>,
    load: Rc<LoadShare>,
    number: u64,
    member: Rc<Member>,
    link: Link,
    session: Option<Session>,
    /// When it was last free to send: the instant the next request is due in the closed model.
    free: Moment,
    /// In an iteration of the open model: when the next request is due, had every answer so far taken as long as was to be expected.
    planned: Option<Moment>,
    /// When its present iteration began, or was to begin.
    began: Moment,
    /// Iterations begun.
    begun: u64,
    /// Failures to reach the target in a row.
    unreached: u32,
    /// Connections that broke in a row.
    broken: u32,
    /// Its sides of the run's plugins, by their numbers; those that it has met.
    guests: Vec<Option<Box<Guest>>>,
    /// Whether its load knows that it is ready.
    was_ready: bool,
    /// Iterations in a row in which a plugin planned nothing that takes time.
    fruitless: u32,
}

/// An iteration to run.
#[derive(Debug)]
struct Drawn {
    claim: Claim,
    /// Its scenario's place in the plan.
    scenario: usize,
    /// The stream of its further draws.
    draws: Draws,
}

/// How an iteration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// Its steps were all done, whatever came of them.
    Completed,
    /// The end of the run cut it short: a request of it was cut off, or never made.
    Interrupted,
    /// A plugin failed to plan it.
    Failed,
}

/// What became of a step.
#[derive(Debug)]
enum Done {
    /// Nothing was asked of the server.
    Quietly,
    /// A call was made, measured and recorded.
    Called(Measured),
    /// No session is to be had for it.
    NoSession,
    /// The virtual user has to go, and did not wait until the end of a pause.
    CutShort,
}

impl Vu {
    /// Whether it may begin another iteration.
    fn may_begin(&self) -> bool {
        self.load.is_running() && !self.member.leave.get()
    }

    /// Whether it may go on with an iteration. One that is told to leave ends it first.
    fn may_go_on(&self) -> bool {
        self.load.is_running() && !self.member.cut_off.get()
    }

    /// Whether everything that it waits for is being cut off.
    fn is_cut_off(&self) -> bool {
        self.member.cut_off.get() || self.worker.phase() == Phase::Aborted
    }

    /// When its next call should be sent. A conversation that is ahead of its plan goes on at once.
    fn due(&self) -> Due {
        let at = self.planned.map_or(self.free, |planned| planned.min(self.free));
        Due { at, ready: self.free }
    }

    /// Moves on from a call that was due to when it is free again.
    fn answered(&mut self, series: SeriesId, measured: &Measured) {
        let Clocks { ready, sent, end, .. } = measured.clocks;
        self.move_on(series, measured.outcome.is_ok(), end.since(sent), sent.since(ready), end);
    }

    /// Moves on from a handshake; where there was none to make, nothing moves.
    fn opened(&mut self, due: Due, end: Moment) {
        if end > due.ready {
            self.move_on(SeriesId::INITIALIZE, true, end.since(due.ready), Duration::ZERO, end);
        }
        self.free = end;
    }

    /// Is free again at `end`, and its plan goes on by what was to be expected of what took `service`. What the generator was `late` by is
    /// its own doing, and stands in this call's response time already.
    fn move_on(&mut self, series: SeriesId, ok: bool, service: Duration, late: Duration, end: Moment) {
        self.free = end;
        let Some(planned) = self.planned else { return };
        let mut expectations = self.worker.context.expectations.borrow_mut();
        if ok {
            expectations.learn(series, service);
        }
        // As long as nothing can be expected, what happened was.
        let expected = expectations.of(series);
        self.planned = Some(expected.map_or(end, |expected| planned.after(late).after(expected)));
    }

    /// Moves on over time that was not the server's.
    fn pass_to(&mut self, moment: Moment) {
        let passed = moment.since(self.free);
        self.free = self.free.max(moment);
        self.planned = self.planned.map(|planned| planned.after(passed));
    }

    async fn iterate(&mut self) {
        let steps = Arc::clone(&self.worker.steps);
        let mut next = self.draw().await;
        while let Some(mut drawn) = next {
            let scenario = steps.scenario(drawn.scenario);
            next = match &scenario.script {
                ReadyScript::Steps(list) => {
                    if !self.await_arrival(drawn.claim).await {
                        return;
                    }
                    let ended = self.run(list, scenario.think_time, &mut drawn.draws).await;
                    self.end_iteration(ended, scenario.pacing).await;
                    self.draw().await
                }
                // In a box of its own, because virtual users without plugins are many and should stay small.
                ReadyScript::Plugin(plugin) => Box::pin(self.stay_with(*plugin, &steps, drawn)).await,
            };
        }
    }

    /// Runs the iterations of a plugin until another scenario is drawn, or nothing more.
    async fn stay_with(&mut self, plugin: usize, steps: &Steps, first: Drawn) -> Option<Drawn> {
        let scenario = first.scenario;
        let mut next = Some(first);
        while let Some(mut drawn) = next.take_if(|drawn| drawn.scenario == scenario) {
            let ended = self.run_plugin(plugin, scenario, drawn.claim, &mut drawn.draws).await?;
            self.end_iteration(ended, steps.scenario(scenario).pacing).await;
            next = self.draw().await;
        }
        next
    }

    /// The next iteration, once there is a session for it; `None` where there is none left.
    async fn draw(&mut self) -> Option<Drawn> {
        while self.may_begin() {
            if self.session.is_none() && !self.opens_when_due() && !Box::pin(self.open_session()).await {
                continue;
            }
            self.report_ready();
            self.load.opening().await;
            let now = self.worker.context.clock.now();
            let claim = self.load.claim(self.number, self.begun, now)?;
            self.begun += 1;
            let mut draws = Draws::new(self.worker.settings().seed, claim.session, claim.iteration);
            let class = self.load.class_of(claim, self.number);
            // There is none to choose where every scenario is a plugin that was given up.
            let scenario =
                self.load.mix.choose(class, &mut draws, |plugin| self.worker.has_given_up(plugin))?;
            if claim.due.is_none() {
                self.begin();
            }
            return Some(Drawn { claim, scenario, draws });
        }
        None
    }

    /// Whether its sessions belong to iterations that arrive, and are opened when these are due.
    fn opens_when_due(&self) -> bool {
        self.load.is_open() && self.worker.settings().session == SessionPolicy::PerIteration
    }

    /// It is there to claim what comes: its load need not send for another.
    fn report_ready(&mut self) {
        if let Some(queue) = &self.load.queue
            && self.begun == 0
            && !std::mem::replace(&mut self.was_ready, true)
        {
            queue.expect_one_less();
        }
    }

    fn begin(&mut self) {
        self.began = self.free;
        self.worker.context.book(|books| books.iterations_started += 1);
    }

    /// Waits until an iteration that was claimed is due; false where it never will be.
    async fn await_arrival(&mut self, claim: Claim) -> bool {
        let (Some(due), Some(queue)) = (claim.due, &self.load.queue) else { return true };
        let idle = &self.worker.idle;
        idle.set(idle.get() + 1);
        let arrived = queue.wait(due, self.worker.context.clock.now()).await;
        idle.set(idle.get() - 1);
        let until = if arrived { due } else { self.worker.context.clock.now() };
        let waited = until.since(self.free);
        self.worker.context.book(|books| books.idle_time += waited);
        if arrived {
            if self.free > due {
                self.worker.context.book(|books| books.iterations_waited += 1);
            }
            self.free = due;
            self.planned = Some(due);
            self.begin();
        }
        arrived
    }

    async fn end_iteration(&mut self, ended: Ended, pacing: Option<Duration>) {
        self.planned = None;
        self.worker.context.book(|books| match ended {
            Ended::Completed => books.iterations_completed += 1,
            Ended::Interrupted => books.iterations_interrupted += 1,
            Ended::Failed => books.iterations_failed += 1,
        });
        if self.worker.settings().session == SessionPolicy::PerIteration {
            Box::pin(self.end_session()).await;
        }
        if let Some(pacing) = pacing.filter(|_| !self.load.is_open()) {
            let until = self.began.after(pacing);
            if until > self.free {
                let from = self.free;
                self.wait(until, Self::may_begin).await;
                self.free = self.worker.context.clock.now();
                let waited = self.free.since(from);
                self.worker.context.book(|books| books.idle_time += waited);
            }
        }
    }

    /// Runs one iteration of steps that are there.
    async fn run(&mut self, steps: &[ReadyStep], think_time: Option<ThinkTime>, draws: &mut Draws) -> Ended {
        // Who only thinks at the end has done the iteration.
        let cut_short = |index: usize| {
            let rests = steps[index + 1..].iter().all(ReadyStep::is_pause);
            if rests { Ended::Completed } else { Ended::Interrupted }
        };
        for (index, step) in steps.iter().enumerate() {
            match self.perform(step, draws, false).await {
                Done::Quietly => {}
                Done::CutShort => return cut_short(index),
                Done::NoSession => {
                    return if self.may_go_on() { Ended::Completed } else { Ended::Interrupted };
                }
                Done::Called(measured) if measured.outcome == Outcome::Cancelled => {
                    return Ended::Interrupted;
                }
                // The server forgot the session: the next iteration opens another.
                Done::Called(_) if self.session.is_none() => return Ended::Completed,
                Done::Called(_) => {
                    if let Some(pause) = think_time
                        && !self.think(pause, draws).await
                    {
                        return cut_short(index);
                    }
                }
            }
        }
        Ended::Completed
    }

    /// Does a step, and draws conclusions from it.
    async fn perform(&mut self, step: &ReadyStep, draws: &mut Draws, keep_answer: bool) -> Done {
        if self.session.is_none() && !step.is_pause() && !Box::pin(self.open_session()).await {
            return Done::NoSession; // a step before closed the session, or the server forgot it
        }
        let due = self.due();
        let (series, measured) = match step {
            ReadyStep::Think(pause) => {
                return if self.think(*pause, draws).await { Done::Quietly } else { Done::CutShort };
            }
            ReadyStep::EndSession => {
                Box::pin(self.end_session()).await;
                return Done::Quietly;
            }
            ReadyStep::Call { series, timeout, template } => {
                let Some(session) = self.session.as_mut() else { return Done::NoSession };
                (*series, self.link.call(session, template, due, *timeout, keep_answer).await)
            }
            ReadyStep::CodeMode { series, .. } => (*series, Box::pin(self.code_mode(step)).await),
        };
        self.worker.context.record(series, &measured, self.link.detail());
        self.answered(series, &measured);
        let failed = !measured.outcome.is_ok() || self.unreached + self.broken > 0;
        if failed && measured.outcome != Outcome::Cancelled {
            Box::pin(self.learn_from(&measured)).await;
        }
        Done::Called(measured)
    }

    async fn code_mode(&mut self, step: &ReadyStep) -> Measured {
        let due = self.due();
        let (ReadyStep::CodeMode { timeout, validate, code, .. }, Some(session)) =
            (step, self.session.as_mut())
        else {
            unreachable!("called for a code_mode step of an open session")
        };
        let validated = self.link.call(session, validate, due, *timeout, true).await;
        if !validated.outcome.is_ok() {
            return validated;
        }
        if let Some(execute) = execute_code(self.worker.dialect, code, self.link.answer()) {
            let executed = self.link.call(session, &execute, due, *timeout, false).await;
            validated.followed_by(&executed)
        } else {
            self.link.explain("validate_code answered without an approval_token");
            Measured { outcome: Outcome::CheckFailed, ..validated }
        }
    }

    /// Draws conclusions from a call that failed, or that worked again: a lost session is let go, a target out of reach is given time.
    async fn learn_from(&mut self, measured: &Measured) {
        let was_down = self.unreached >= DOWN_AFTER;
        let broke = matches!(measured.outcome, Outcome::Transport(_)) && !measured.is_unreachable();
        self.unreached = if measured.is_unreachable() { self.unreached + 1 } else { 0 };
        self.broken = if broke { self.broken + 1 } else { 0 };
        let is_down = self.unreached >= DOWN_AFTER;
        let down = self.worker.down.get();
        match (was_down, is_down) {
            (false, true) => self.worker.down.set(down + 1),
            (true, false) => self.worker.down.set(down - 1),
            _ => {}
        }
        if self.session.as_ref().is_some_and(|session| session.is_lost(measured))
            && let Some(session) = self.session.take()
        {
            let news = match &self.worker.shared_session {
                Some(shared) => shared.lost(session.lines()).await,
                None => true,
            };
            self.worker.context.book(|books| books.sessions_lost += u64::from(news));
            session.forget();
        }
        // Where iterations arrive, it is not the virtual user who would hurry.
        if self.planned.is_none() && (self.unreached > 0 || self.broken >= PATIENCE_WITH_BREAKS) {
            self.back_off(self.unreached.max(self.broken)).await;
        }
    }

    /// Waits before another attempt, twice as long each time.
    async fn back_off(&mut self, failures: u32) {
        let pause = FIRST_BACKOFF.saturating_mul(1 << failures.min(10)).min(LONGEST_BACKOFF);
        let from = self.worker.context.clock.now();
        self.wait(from.after(pause), Self::may_begin).await;
        let until = self.worker.context.clock.now();
        self.worker.context.book(|books| books.backoff_time += until.since(from));
        self.free = until;
    }

    /// Thinks; false when the virtual user has to go instead.
    async fn think(&mut self, pause: ThinkTime, draws: &mut Draws) -> bool {
        let (from, pause) = (self.free, pause.drawn(draws));
        self.wait(from.after(pause), Self::may_go_on).await;
        let now = self.worker.context.clock.now();
        // In the open model the pause is part of the plan, and who wakes late from it is late.
        self.free = if self.planned.is_some() { from.after(pause).min(now) } else { now };
        self.planned = self.planned.map(|planned| planned.after(pause));
        // Who was held up longer did not think: the books shall not balance.
        let thought = self.free.since(from).min(pause.saturating_add(TIMER_DELAY));
        self.worker.context.book(|books| books.think_time += thought);
        self.may_go_on()
    }

    /// Waits until `moment`, or until it `may` not.
    async fn wait(&self, moment: Moment, may: fn(&Self) -> bool) {
        let due = async {
            if self.planned.is_some() {
                self.worker.alarms.wait_until(moment).await;
            } else {
                self.worker.context.clock.sleep_until(moment).await;
            }
        };
        let mut due = std::pin::pin!(due);
        while may(self) {
            tokio::select! {
                () = &mut due => return,
                () = self.worker.changed.notified() => {}
            }
        }
    }

    /// Opens a session; false when that failed, after a pause.
    async fn open_session(&mut self) -> bool {
        let (timeout, due) = (self.worker.settings().timeout, self.due());
        let opened = match &self.worker.shared_session {
            Some(shared) => Arc::clone(shared).join(&mut self.link, due, timeout).await,
            None => Session::open(&mut self.link, self.worker.dialect, due, timeout)
                .await
                .map(|welcome| (welcome.session, welcome.end)),
        };
        match opened {
            Ok((session, end)) => {
                self.session = Some(session);
                self.opened(due, end);
                true
            }
            Err(NotOpened { measured, .. }) => {
                self.free = measured.clocks.end;
                self.learn_from(&measured).await;
                if self.planned.is_none() && self.unreached == 0 && self.broken < PATIENCE_WITH_BREAKS {
                    // The server answers but will not have us: no reason to hurry either.
                    self.back_off(1).await;
                }
                false
            }
        }
    }

    /// Closes the session, unless it is everybody's or the run is being cut off at once.
    async fn end_session(&mut self) {
        let Some(session) = self.session.take() else { return };
        if self.worker.shared_session.is_some() {
            return session.forget();
        }
        let timeout = self.worker.settings().timeout;
        if self.is_cut_off() {
            self.link.renew_slot();
            let closing = session.close(&mut self.link, self.free, timeout.min(FAREWELL));
            // Over time or not, there is nothing more that could be done for it.
            let _ = tokio::time::timeout(FAREWELL, closing).await;
        } else {
            self.free = self.worker.context.clock.now();
            session.close(&mut self.link, self.free, timeout).await;
        }
    }
}
