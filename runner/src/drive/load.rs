//! One worker's share of one load: which iterations are its own, who waits for them, and whether it still goes on.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;

use super::executor::StartLine;
use super::script::mix::Mix;
use super::worker::Phase;
use crate::judge::Moment;
use crate::plan::schedule::{Arrival, Arrivals};
use crate::plan::{Executor, Load, Plan, Stripe};

/// The place of the load's number in a session's: the draws of different loads differ, and those of the first are those of a run that
/// has no other.
const LOAD_SHIFT: u32 = 40;

/// An iteration that a virtual user may run: what its random draws are keyed by, and when it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) session: u64,
    pub(crate) iteration: u64,
    /// When it is due; `None` in the closed model, where it is due when its virtual user is free.
    pub(crate) due: Option<Moment>,
}

/// One worker's share of one load.
#[derive(Debug)]
pub(crate) struct LoadShare {
    /// Its place in the plan.
    place: usize,
    plan: Arc<Plan>,
    pub(crate) stripe: Stripe,
    start_lines: Arc<[StartLine]>,
    /// What its iterations are drawn from.
    pub(crate) mix: Mix,
    phase: Cell<Phase>,
    /// Iterations of this stripe begun so far, where all virtual users share a total.
    claimed: Cell<u64>,
    /// The arrivals of an open load.
    pub(crate) queue: Option<Queue>,
}

impl LoadShare {
    pub(crate) fn new(
        place: usize,
        plan: &Arc<Plan>,
        stripe: Stripe,
        start_lines: &Arc<[StartLine]>,
    ) -> Rc<Self> {
        let load = &plan.loads[place];
        let queue = load.executor.pool().map(|pool| Queue {
            start: Cell::new(None),
            opens: Notify::new(),
            everybody_ready: Notify::new(),
            max_wait: pool.max_wait,
            arrivals: RefCell::new(arrivals(plan, place, stripe)),
            coming: Cell::new(0),
            next: Cell::new(None),
            claimed: Cell::new(0),
            missed: Cell::new(0),
            waiting: RefCell::default(),
        });
        Rc::new(Self {
            place,
            plan: Arc::clone(plan),
            stripe,
            start_lines: Arc::clone(start_lines),
            mix: Mix::of(plan, place),
            phase: Cell::new(Phase::Running),
            claimed: Cell::new(0),
            queue,
        })
    }

    /// All arrivals of this share, from the first.
    pub(crate) fn arrivals(&self) -> Arrivals {
        arrivals(&self.plan, self.place, self.stripe)
    }

    /// What the class of an iteration depends on: its virtual user, where that has iterations of its own; else itself.
    pub(crate) fn class_of(&self, claim: Claim, vu: u64) -> u64 {
        if claim.session == self.session(vu) && !self.is_open() { vu } else { claim.iteration }
    }

    pub(crate) fn load(&self) -> &Load {
        &self.plan.loads[self.place]
    }

    /// Where the workers meet before it begins.
    pub(crate) fn start_line(&self) -> &StartLine {
        &self.start_lines[self.place]
    }

    /// Waits until arrivals can be claimed, or never will be.
    pub(crate) async fn opening(&self) {
        if let Some(queue) = &self.queue {
            while queue.start.get().is_none() && self.is_running() {
                queue.opens.notified().await;
            }
        }
    }

    /// Whether iterations begin when they are due, not when a virtual user is free.
    pub(crate) fn is_open(&self) -> bool {
        self.queue.is_some()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.phase.get() == Phase::Running
    }

    /// Moves on to a later phase; an earlier one is ignored.
    pub(crate) fn advance(&self, phase: Phase) {
        if phase > self.phase.get() {
            self.phase.set(phase);
            if let Some(queue) = &self.queue {
                queue.send_home();
            }
        }
    }

    /// What draws of this load are keyed by beside their iteration.
    fn session(&self, number: u64) -> u64 {
        ((self.place as u64) << LOAD_SHIFT) | number
    }

    /// The next iteration of virtual user `vu`, which has begun `begun` so far and is free `now`; `None` when there is none left.
    pub(crate) fn claim(&self, vu: u64, begun: u64, now: Moment) -> Option<Claim> {
        if !self.is_running() {
            return None;
        }
        match (&self.load().executor, &self.queue) {
            (_, Some(queue)) => queue.claim_in_time(now).map(|(arrival, due)| Claim {
                session: self.session(0),
                iteration: arrival,
                due: Some(due),
            }),
            (Executor::SharedIterations { iterations, .. }, None) => {
                let local = self.claimed.get();
                (local < self.stripe.share_of(iterations.get())).then(|| {
                    self.claimed.set(local + 1);
                    // Whichever virtual user runs it, iteration k is the same iteration.
                    Claim { session: self.session(0), iteration: self.stripe.item(local), due: None }
                })
            }
            (Executor::PerVuIterations { iterations, .. }, None) if begun >= iterations.get() => None,
            (_, None) => Some(Claim { session: self.session(vu), iteration: begun, due: None }),
        }
    }

    /// The iterations that the same virtual user will run after this one, as far as that is known.
    pub(crate) fn claims_after(&self, claim: Claim) -> impl Iterator<Item = Claim> + use<> {
        let end = match &self.load().executor {
            Executor::ConstantVus { .. } | Executor::RampingVus { .. } => u64::MAX,
            Executor::PerVuIterations { iterations, .. } => iterations.get(),
            // Whoever is free takes the next.
            Executor::SharedIterations { .. }
            | Executor::ConstantArrivalRate { .. }
            | Executor::RampingArrivalRate { .. } => 0,
        };
        (claim.iteration + 1..end).map(move |iteration| Claim { iteration, ..claim })
    }
}

fn arrivals(plan: &Plan, place: usize, stripe: Stripe) -> Arrivals {
    // Each load has gaps of its own.
    let seed = plan.settings.seed.wrapping_add((place as u64) << LOAD_SHIFT);
    Arrivals::new(&plan.loads[place].executor, stripe, seed)
}

/// The arrivals of an open load that nobody has claimed yet, and the virtual users that have claimed one which is not due yet.
#[derive(Debug)]
pub(crate) struct Queue {
    /// When the load begins, once that is known.
    start: Cell<Option<Moment>>,
    opens: Notify,
    everybody_ready: Notify,
    max_wait: Duration,
    arrivals: RefCell<Arrivals>,
    /// Looked at, but not claimed.
    next: Cell<Option<Arrival>>,
    /// How many were claimed or given up.
    claimed: Cell<u64>,
    /// How many were given up by those who came too late for them, and are not counted yet.
    missed: Cell<u64>,
    /// Virtual users that have come and not claimed anything yet.
    coming: Cell<u64>,
    /// In the order of what they wait for.
    waiting: RefCell<VecDeque<(Moment, Rc<Waiter>)>>,
}

/// A virtual user that waits for its arrival to be due.
#[derive(Debug, Default)]
struct Waiter {
    call: Cell<Option<Call>>,
    waker: RefCell<Option<Waker>>,
}

/// What a waiting virtual user is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    /// It is due.
    Go,
    /// It will never be.
    Leave,
}

impl Queue {
    /// The next arrival that nobody has claimed: its number, and when it is due.
    fn peek(&self) -> Option<(u64, Moment)> {
        let next = self.next.get().or_else(|| self.arrivals.borrow_mut().next());
        self.next.set(next);
        let start = self.start.get()?;
        next.map(|arrival| (arrival.number, start.after(arrival.due)))
    }

    /// Claims the next arrival that has not waited too long for whoever is free `now`.
    fn claim_in_time(&self, now: Moment) -> Option<(u64, Moment)> {
        self.missed.set(self.missed.get() + self.pass_over_late(now));
        self.claim()
    }

    fn claim(&self) -> Option<(u64, Moment)> {
        let next = self.peek();
        self.next.set(None);
        self.claimed.set(self.claimed.get() + u64::from(next.is_some()));
        next
    }

    /// How many arrivals were claimed or given up so far.
    pub(crate) fn claimed(&self) -> u64 {
        self.claimed.get()
    }

    /// How many virtual users have come and not claimed anything yet.
    pub(crate) fn coming(&self) -> u64 {
        self.coming.get()
    }

    /// One more virtual user has come.
    pub(crate) fn expect_one(&self) {
        self.coming.set(self.coming.get() + 1);
    }

    /// One of those that have come is ready, or has gone again.
    pub(crate) fn expect_one_less(&self) {
        self.coming.set(self.coming.get().saturating_sub(1));
        if self.coming.get() == 0 {
            self.everybody_ready.notify_waiters();
        }
    }

    /// Waits until everybody who has come is ready.
    pub(crate) async fn all_ready(&self) {
        while self.coming.get() > 0 {
            self.everybody_ready.notified().await;
        }
    }

    /// From now on arrivals can be claimed; the first is due no earlier than at `start`.
    pub(crate) fn open(&self, start: Moment) {
        self.start.set(Some(start));
        self.opens.notify_waiters();
    }

    /// Gives up the arrivals that have waited too long for a virtual user; how many since the last time.
    pub(crate) fn give_up_late(&self, now: Moment) -> u64 {
        self.missed.take() + self.pass_over_late(now)
    }

    fn pass_over_late(&self, now: Moment) -> u64 {
        let mut given_up = 0;
        while self.peek().is_some_and(|(_, due)| due.after(self.max_wait) < now) {
            self.claim();
            given_up += 1;
        }
        given_up
    }

    /// Gives up whatever is due and unclaimed; how many.
    pub(crate) fn give_up_due(&self, now: Moment) -> u64 {
        let mut given_up = 0;
        while self.peek().is_some_and(|(_, due)| due <= now) {
            self.claim();
            given_up += 1;
        }
        given_up
    }

    /// Lets those go whose arrival is due.
    pub(crate) fn release(&self, now: Moment) {
        let mut waiting = self.waiting.borrow_mut();
        while let Some((_, waiter)) = waiting.pop_front_if(|(due, _)| *due <= now) {
            waiter.tell(Call::Go);
        }
    }

    /// Tells those that wait that nothing more will be due.
    fn send_home(&self) {
        self.opens.notify_waiters();
        for (_, waiter) in self.waiting.borrow_mut().drain(..) {
            waiter.tell(Call::Leave);
        }
    }

    /// Waits until what was claimed is due; false where it never will be.
    pub(crate) async fn wait(&self, due: Moment, now: Moment) -> bool {
        if due <= now {
            return true;
        }
        let waiter = Rc::new(Waiter::default());
        self.waiting.borrow_mut().push_back((due, Rc::clone(&waiter)));
        let call = poll_fn(|context| {
            if let Some(call) = waiter.call.get() {
                return Poll::Ready(call);
            }
            *waiter.waker.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        });
        call.await == Call::Go
    }
}

impl Waiter {
    fn tell(&self, call: Call) {
        self.call.set(Some(call));
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}
