//! One virtual user: opens its session, runs iterations until there are no more, closes its session.

#[cfg_attr(not(feature = "plugins"), path = "vu/absent.rs")]
mod plugin;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use pmcp_loadtest_arguments::Draws;

use super::link::{Due, Link, Measured};
use super::plugin::Guest;
use super::script::steps::{ReadyScript, ReadyStep, Steps, execute_code};
use super::session::{NotOpened, Session};
use super::worker::{Claim, Phase, Worker};
use crate::judge::{Moment, Outcome};
use crate::plan::{SessionPolicy, ThinkTime};

/// First pause before another attempt to reach a target that cannot be reached; doubles up to `LONGEST_BACKOFF`.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);
/// Failures to reach the target in a row after which a virtual user counts as down.
const DOWN_AFTER: u32 = 3;
/// A broken connection alone may be one bad request; so many in a row are a target that is going away.
const PATIENCE_WITH_BREAKS: u32 = 3;
/// How long the end of a run that is cut off waits for sessions to be closed.
const FAREWELL: Duration = Duration::from_secs(1);

/// Lives until there is nothing more to do, or `leave` says so.
pub(crate) async fn live(worker: Rc<Worker>, number: u64, leave: Rc<Cell<bool>>) {
    worker.active.set(worker.active.get() + 1);
    let began = worker.context.clock.now();
    let link = Link::new(Rc::clone(&worker.context));
    let mut vu = Vu {
        worker,
        number,
        leave,
        link,
        session: None,
        free: began,
        begun: 0,
        unreached: 0,
        broken: 0,
        guests: Vec::new(),
        fruitless: 0,
    };
    vu.iterate().await;
    vu.end_guests();
    vu.end_session().await;
    let Vu { worker, unreached, .. } = vu;
    if unreached >= DOWN_AFTER {
        worker.down.set(worker.down.get() - 1);
    }
    worker.active.set(worker.active.get() - 1);
    let lived = worker.context.clock.now().since(began);
    worker.context.book(|books| books.vu_time += lived);
}

#[derive(Debug)]
struct Vu {
    worker: Rc<Worker>,
    number: u64,
    leave: Rc<Cell<bool>>,
    link: Link,
    session: Option<Session>,
    /// When it was last free to send: the instant the next request is due in the closed model.
    free: Moment,
    /// Iterations begun.
    begun: u64,
    /// Failures to reach the target in a row.
    unreached: u32,
    /// Connections that broke in a row.
    broken: u32,
    /// Its sides of the run's plugins, by their numbers; those that it has met.
    guests: Vec<Option<Box<Guest>>>,
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
    fn may_go_on(&self) -> bool {
        self.worker.phase() == Phase::Running && !self.leave.get()
    }

    /// When its next call should be sent.
    fn due(&self) -> Due {
        self.free.into()
    }

    async fn iterate(&mut self) {
        let steps = Arc::clone(&self.worker.steps);
        let mut next = self.draw(&steps).await;
        while let Some(mut drawn) = next {
            let scenario = steps.scenario(drawn.scenario);
            next = match &scenario.script {
                ReadyScript::Steps(list) => {
                    let ended = self.run(list, scenario.think_time, &mut drawn.draws).await;
                    self.end_iteration(ended).await;
                    self.draw(&steps).await
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
            let ended = self.run_plugin(plugin, scenario, drawn.claim, &mut drawn.draws).await;
            self.end_iteration(ended).await;
            next = self.draw(steps).await;
        }
        next
    }

    /// The next iteration, once there is a session for it; `None` where there is none left.
    async fn draw(&mut self, steps: &Steps) -> Option<Drawn> {
        while self.may_go_on() {
            if self.session.is_none() && !Box::pin(self.open_session()).await {
                continue;
            }
            let claim = self.worker.claim(self.number, self.begun)?;
            self.begun += 1;
            let mut draws = Draws::new(self.worker.settings().seed, claim.session, claim.iteration);
            // There is none to choose where every scenario is a plugin that was given up.
            let scenario = steps.choose(&mut draws, |plugin| self.worker.has_given_up(plugin))?;
            self.worker.context.book(|books| books.iterations_started += 1);
            return Some(Drawn { claim, scenario, draws });
        }
        None
    }

    async fn end_iteration(&mut self, ended: Ended) {
        self.worker.context.book(|books| match ended {
            Ended::Completed => books.iterations_completed += 1,
            Ended::Interrupted => books.iterations_interrupted += 1,
            Ended::Failed => books.iterations_failed += 1,
        });
        if self.worker.settings().session == SessionPolicy::PerIteration {
            Box::pin(self.end_session()).await;
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
        self.free = measured.clocks.end;
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
        if self.unreached > 0 || self.broken >= PATIENCE_WITH_BREAKS {
            self.back_off(self.unreached.max(self.broken)).await;
        }
    }

    /// Waits before another attempt, twice as long each time.
    async fn back_off(&mut self, failures: u32) {
        let pause = FIRST_BACKOFF.saturating_mul(1 << failures.min(10)).min(LONGEST_BACKOFF);
        let from = self.worker.context.clock.now();
        self.wait(from.after(pause)).await;
        let until = self.worker.context.clock.now();
        self.worker.context.book(|books| books.backoff_time += until.since(from));
        self.free = until;
    }

    /// Thinks; false when the virtual user has to go instead.
    async fn think(&mut self, pause: ThinkTime, draws: &mut Draws) -> bool {
        let from = self.free;
        self.wait(from.after(pause.drawn(draws))).await;
        self.free = self.worker.context.clock.now();
        self.worker.context.book(|books| books.think_time += self.free.since(from));
        self.may_go_on()
    }

    /// Waits until `moment`, or until the virtual user has to go.
    async fn wait(&self, moment: Moment) {
        let due = self.worker.context.clock.sleep_until(moment);
        let mut due = std::pin::pin!(due);
        while self.may_go_on() {
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
                self.free = end;
                true
            }
            Err(NotOpened { measured, .. }) => {
                self.free = measured.clocks.end;
                self.learn_from(&measured).await;
                if self.unreached == 0 && self.broken < PATIENCE_WITH_BREAKS {
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
        if self.worker.phase() == Phase::Aborted {
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
