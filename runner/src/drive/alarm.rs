//! Wakes virtual users of open loads when a pause is over: as exactly as iterations arrive, because a pause that ends late would stand
//! in the response time of the step behind it.

use std::cell::{Cell, RefCell};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use tokio::sync::Notify;

use super::clock::Clock;
use super::pacer::{Pacer, Time};
use crate::judge::Moment;

/// One worker's alarms.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    set: RefCell<BinaryHeap<Reverse<Alarm>>>,
    /// That the next one is an earlier one than before.
    sooner: Notify,
}

/// Somebody who is to be woken.
#[derive(Debug)]
struct Alarm {
    at: Moment,
    sleeper: Rc<Sleeper>,
}

#[derive(Debug, Default)]
struct Sleeper {
    rang: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Alarms {
    /// Waits until `moment`. Who waits no longer may drop this at any time.
    pub(crate) async fn wait_until(&self, moment: Moment) {
        let sleeper = Rc::new(Sleeper::default());
        let is_next = self.next().is_none_or(|next| moment < next);
        self.set.borrow_mut().push(Reverse(Alarm { at: moment, sleeper: Rc::clone(&sleeper) }));
        if is_next {
            self.sooner.notify_one();
        }
        poll_fn(|context| {
            if sleeper.rang.get() {
                return Poll::Ready(());
            }
            *sleeper.waker.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Rings whatever is due, for ever.
    pub(crate) async fn keep_ringing(&self, clock: Clock, time: Time) {
        let mut pacer = Pacer::new(clock, time);
        loop {
            match self.next() {
                None => self.sooner.notified().await,
                Some(next) => {
                    tokio::select! {
                        () = pacer.sleep_until(next) => self.ring(clock.now()),
                        () = self.sooner.notified() => {}
                    }
                }
            }
        }
    }

    fn next(&self) -> Option<Moment> {
        self.set.borrow().peek().map(|Reverse(alarm)| alarm.at)
    }

    fn ring(&self, now: Moment) {
        let mut set = self.set.borrow_mut();
        while set.peek().is_some_and(|Reverse(alarm)| alarm.at <= now) {
            let Some(Reverse(Alarm { sleeper, .. })) = set.pop() else { return };
            sleeper.rang.set(true);
            if let Some(waker) = sleeper.waker.borrow_mut().take() {
                waker.wake();
            }
        }
    }
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Alarm {}

impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Alarm {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::task::{JoinSet, LocalSet};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn everybody_is_woken_at_their_own_time_whoever_asked_first() {
        let rang = LocalSet::new()
            .run_until(async {
                let (clock, alarms) = (Clock::start(), Rc::new(Alarms::default()));
                let keeper = Rc::clone(&alarms);
                tokio::task::spawn_local(async move { keeper.keep_ringing(clock, Time::Tokio).await });
                let mut sleepers = JoinSet::new();
                for millis in [30, 10, 20, 10, 0] {
                    let alarms = Rc::clone(&alarms);
                    sleepers.spawn_local(async move {
                        alarms.wait_until(Moment::ORIGIN.after(Duration::from_millis(millis))).await;
                        (millis, clock.now().elapsed().as_millis())
                    });
                }
                sleepers.join_all().await
            })
            .await;
        assert_eq!(rang, [(0, 0), (10, 10), (10, 10), (20, 20), (30, 30)]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_nobody_waits_for_any_more_does_no_harm() {
        LocalSet::new()
            .run_until(async {
                let (clock, alarms) = (Clock::start(), Rc::new(Alarms::default()));
                let keeper = Rc::clone(&alarms);
                tokio::task::spawn_local(async move { keeper.keep_ringing(clock, Time::Tokio).await });
                let early = Moment::ORIGIN.after(Duration::from_millis(5));
                let given_up = tokio::time::timeout(Duration::from_millis(1), alarms.wait_until(early)).await;
                assert!(given_up.is_err());
                alarms.wait_until(Moment::ORIGIN.after(Duration::from_millis(9))).await;
                assert_eq!(clock.now().elapsed(), Duration::from_millis(9));
            })
            .await;
    }
}
