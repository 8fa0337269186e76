//! Deadlines by sweep: every virtual user has a slot with the instant its present wait ends; one task per worker looks over all
//! slots every few milliseconds and wakes those whose time is over.
//!
//! A timer per request would cost some 640 instructions each (`reference/performance.md`, section 2); a sweep costs next to
//! nothing, and less still because a sweep knows before when no slot can be due. The price is that a timeout is noticed up to one
//! sweep period late.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

use super::clock::Clock;
use crate::judge::Moment;

/// Why a wait ended without what was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// Its deadline passed.
    Deadline,
    /// The run is being cut off.
    Cancelled,
}

/// The end of one virtual user's present wait.
#[derive(Debug)]
pub(crate) struct Slot {
    until: Cell<Moment>,
    interrupt: Cell<Option<Interrupt>>,
    waker: RefCell<Option<Waker>>,
    /// No slot of the worker is due before this.
    earliest: Rc<Cell<Moment>>,
}

const NEVER: Moment = Moment::from_nanos(u64::MAX);

impl Slot {
    /// A slot that is never swept: for waits beside the load, such as the handshake before a run.
    pub(crate) fn detached() -> Self {
        Self::swept_with(Rc::new(Cell::new(NEVER)))
    }

    fn swept_with(earliest: Rc<Cell<Moment>>) -> Self {
        Self { until: Cell::new(NEVER), interrupt: Cell::new(None), waker: RefCell::new(None), earliest }
    }

    /// The waits that follow end at `until`.
    pub(crate) fn arm(&self, until: Moment) {
        self.until.set(until);
        self.note(until);
        if self.interrupt.get() == Some(Interrupt::Deadline) {
            self.interrupt.set(None);
        }
    }

    /// The waits that follow end no later than `until`.
    pub(crate) fn tighten(&self, until: Moment) {
        self.until.set(self.until.get().min(until));
        self.note(until);
    }

    fn note(&self, until: Moment) {
        if until < self.earliest.get() {
            self.earliest.set(until);
        }
    }

    /// Whether the present wait is over, and why.
    pub(crate) fn interrupt(&self) -> Option<Interrupt> {
        self.interrupt.get()
    }

    /// Remembers whom to wake.
    pub(crate) fn park(&self, waker: &Waker) {
        let mut parked = self.waker.borrow_mut();
        if !parked.as_ref().is_some_and(|parked| parked.will_wake(waker)) {
            *parked = Some(waker.clone());
        }
    }

    /// Waits for `future` or the end of the wait, whichever is first.
    pub(crate) async fn guard<F: Future>(&self, future: F) -> Result<F::Output, Interrupt> {
        let mut future = pin!(future);
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => {
                if let Some(interrupt) = self.interrupt() {
                    Poll::Ready(Err(interrupt))
                } else {
                    self.park(context.waker());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Ends every wait of its virtual user, now and from now on.
    pub(crate) fn cancel(&self) {
        self.end(Interrupt::Cancelled);
    }

    fn end(&self, interrupt: Interrupt) {
        self.interrupt.set(Some(interrupt));
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

/// All slots of a worker.
#[derive(Debug)]
pub(crate) struct Deadlines {
    slots: RefCell<Vec<Weak<Slot>>>,
    cancelled: Cell<bool>,
    earliest: Rc<Cell<Moment>>,
}

impl Default for Deadlines {
    fn default() -> Self {
        let earliest = Rc::new(Cell::new(NEVER));
        Self { slots: RefCell::default(), cancelled: Cell::new(false), earliest }
    }
}

impl Deadlines {
    /// A new slot, swept until it is dropped.
    pub(crate) fn slot(&self) -> Rc<Slot> {
        let slot = Rc::new(Slot::swept_with(Rc::clone(&self.earliest)));
        if self.cancelled.get() {
            slot.end(Interrupt::Cancelled);
        }
        self.slots.borrow_mut().push(Rc::downgrade(&slot));
        slot
    }

    /// Ends every wait whose deadline has passed by `now`, and forgets slots that are gone. Returns how many slots it had to look
    /// at: none, as a rule, because virtual users that get their answers in time move their deadlines on.
    pub(crate) fn sweep(&self, now: Moment) -> usize {
        if now < self.earliest.get() {
            return 0;
        }
        let mut slots = self.slots.borrow_mut();
        let looked_at = slots.len();
        let mut earliest = NEVER;
        slots.retain(|slot| {
            let Some(slot) = slot.upgrade() else { return false };
            let until = slot.until.get();
            if slot.interrupt().is_some() {
                return true;
            }
            if until <= now {
                slot.end(Interrupt::Deadline);
            } else {
                earliest = earliest.min(until);
            }
            true
        });
        self.earliest.set(earliest);
        looked_at
    }

    /// Gives every wait so much more time: for as long the worker was busy with something else, and an answer that came meanwhile is
    /// not late.
    pub(crate) fn postpone(&self, time: Duration) {
        for slot in self.slots.borrow().iter().filter_map(Weak::upgrade) {
            // The end of time stays where it is.
            slot.until.set(slot.until.get().after(time));
        }
    }

    /// Ends every wait, now and from now on.
    pub(crate) fn cancel_all(&self) {
        self.cancelled.set(true);
        for slot in self.slots.borrow().iter().filter_map(Weak::upgrade) {
            slot.end(Interrupt::Cancelled);
        }
    }

    /// Sweeps for ever, `period` apart.
    pub(crate) async fn keep_sweeping(&self, clock: Clock, period: Duration) {
        loop {
            tokio::time::sleep(period).await;
            self.sweep(clock.now());
        }
    }
}

/// How often to sweep for timeouts of `timeout`: late by at most a fiftieth of it, between 1 ms and 25 ms.
pub(crate) fn sweep_period(timeout: Duration) -> Duration {
    (timeout / 50).clamp(Duration::from_millis(1), Duration::from_millis(25))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_its_deadline_within_a_sweep() {
        let clock = Clock::start();
        let deadlines = Deadlines::default();
        let slot = deadlines.slot();
        slot.arm(Moment::ORIGIN.after(Duration::from_millis(100)));
        tokio::select! {
            () = deadlines.keep_sweeping(clock, Duration::from_millis(5)) => unreachable!("sweeps for ever"),
            waited = slot.guard(std::future::pending::<()>()) => assert_eq!(waited, Err(Interrupt::Deadline)),
        }
        let late = clock.now().since(Moment::from_nanos(100_000_000));
        assert!(late <= Duration::from_millis(6), "{late:?} late");
    }

    #[tokio::test(start_paused = true)]
    async fn an_armed_slot_forgets_its_last_deadline_but_never_a_cut_off() {
        let deadlines = Deadlines::default();
        let slot = deadlines.slot();
        slot.arm(Moment::from_nanos(1));
        deadlines.sweep(Moment::from_nanos(1));
        assert_eq!(slot.interrupt(), Some(Interrupt::Deadline));
        slot.arm(Moment::from_nanos(10));
        assert_eq!(slot.guard(std::future::ready(7)).await, Ok(7));
        deadlines.cancel_all();
        slot.arm(NEVER);
        assert_eq!(slot.guard(std::future::pending::<()>()).await, Err(Interrupt::Cancelled));
        assert_eq!(deadlines.slot().interrupt(), Some(Interrupt::Cancelled));
    }

    #[test]
    fn a_sweep_looks_at_the_slots_only_when_one_may_be_due() {
        let deadlines = Deadlines::default();
        let slots = [deadlines.slot(), deadlines.slot()];
        let at = Moment::from_nanos;
        slots[0].arm(at(10));
        slots[1].arm(at(20));
        assert_eq!(deadlines.sweep(at(9)), 0);
        slots[0].arm(at(30));
        assert_eq!(deadlines.sweep(at(10)), 2, "it cannot know that the first has moved on");
        assert_eq!(deadlines.sweep(at(19)), 0);
        slots[0].tighten(at(15));
        assert_eq!(deadlines.sweep(at(15)), 2);
        assert_eq!(slots.each_ref().map(|slot| slot.interrupt()), [Some(Interrupt::Deadline), None]);
        assert_eq!(deadlines.sweep(at(20)), 2);
        assert_eq!(slots[1].interrupt(), Some(Interrupt::Deadline));
    }

    #[test]
    fn a_wait_is_not_charged_for_time_that_the_worker_spent_elsewhere() {
        let deadlines = Deadlines::default();
        let (waiting, resting) = (deadlines.slot(), deadlines.slot());
        waiting.arm(Moment::from_nanos(10));
        deadlines.postpone(Duration::from_nanos(5));
        deadlines.sweep(Moment::from_nanos(14));
        assert_eq!(waiting.interrupt(), None);
        deadlines.sweep(Moment::from_nanos(15));
        assert_eq!((waiting.interrupt(), resting.interrupt()), (Some(Interrupt::Deadline), None));
    }

    #[test]
    fn slots_that_are_gone_are_forgotten() {
        let deadlines = Deadlines::default();
        drop(deadlines.slot());
        deadlines.slot().arm(Moment::ORIGIN);
        assert_eq!(deadlines.sweep(Moment::ORIGIN), 2);
        assert!(deadlines.slots.borrow().is_empty());
    }
}
