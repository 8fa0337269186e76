//! The virtual users of a load: they come, leave, and are seen home.

use std::cell::{Cell, OnceCell};
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::task::{JoinError, JoinSet};

use crate::drive::deadline::Slot;
use crate::drive::load::LoadShare;
use crate::drive::vu;
use crate::drive::worker::{Phase, Worker};
use crate::judge::Moment;

/// What a load and one of its virtual users have in common.
#[derive(Debug, Default)]
pub(crate) struct Member {
    /// Whether it is to leave after its present iteration.
    pub(crate) leave: Cell<bool>,
    /// Whether it is to leave at once.
    pub(crate) cut_off: Cell<bool>,
    /// The end of its present wait.
    pub(crate) slot: OnceCell<Rc<Slot>>,
}

impl Member {
    fn cut_off(&self) {
        self.leave.set(true);
        self.cut_off.set(true);
        if let Some(slot) = self.slot.get() {
            slot.cancel();
        }
    }
}

/// The virtual users of a load, in the order they came.
#[derive(Debug)]
pub(super) struct Crew {
    worker: Rc<Worker>,
    load: Rc<LoadShare>,
    members: Vec<Rc<Member>>,
    /// Those that were told to leave, and when they are cut off.
    leaving: VecDeque<(Moment, Rc<Member>)>,
    /// How many ever came: numbers are not used twice.
    spawned: u64,
    tasks: JoinSet<()>,
}

impl Crew {
    pub(super) fn new(worker: Rc<Worker>, load: Rc<LoadShare>) -> Self {
        let (members, leaving) = (Vec::new(), VecDeque::new());
        Self { worker, load, members, leaving, spawned: 0, tasks: JoinSet::new() }
    }

    /// Lets virtual users come, or the latest ones leave, until `wanted` are there.
    pub(super) fn adjust(&mut self, wanted: u64, now: Moment) {
        while (self.members.len() as u64) < wanted {
            self.add();
        }
        if (self.members.len() as u64) > wanted {
            let until = now.after(self.load.load().graceful_ramp_down);
            while (self.members.len() as u64) > wanted {
                if let Some(member) = self.members.pop() {
                    member.leave.set(true);
                    self.leaving.push_back((until, member));
                }
            }
            self.worker.changed.notify_waiters();
        }
    }

    /// Lets one more come.
    pub(super) fn add(&mut self) {
        let member = Rc::new(Member::default());
        let number = self.load.stripe.item(self.spawned);
        let live = vu::live(Rc::clone(&self.worker), Rc::clone(&self.load), number, Rc::clone(&member));
        self.tasks.spawn_local(live);
        if let Some(queue) = &self.load.queue {
            queue.expect_one();
        }
        self.members.push(member);
        self.spawned += 1;
    }

    /// Cuts those off whose time to leave is over; when the next one's will be.
    pub(super) fn cut_off_late(&mut self, now: Moment) -> Option<Moment> {
        while let Some((until, member)) = self.leaving.front() {
            let gone = Rc::strong_count(member) == 1;
            if !gone && *until > now {
                return Some(*until);
            }
            member.cut_off();
            self.leaving.pop_front();
            self.worker.changed.notify_waiters();
        }
        None
    }

    /// Waits until one of them has ended; for ever, where there is none.
    pub(super) async fn one_has_ended(&mut self) {
        match self.tasks.join_next().await {
            Some(ended) => expect_no_panic(ended),
            None => std::future::pending().await,
        }
    }

    /// Whether all that came have gone.
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// How many are there.
    pub(super) fn len(&self) -> u64 {
        self.tasks.len() as u64
    }

    /// Waits for all to end: as long as the grace period, then they are cut off.
    pub(super) async fn see_home(mut self) {
        let grace = self.load.load().graceful_stop;
        let all = async {
            while let Some(ended) = self.tasks.join_next().await {
                expect_no_panic(ended);
            }
        };
        if tokio::time::timeout(grace, all).await.is_ok() {
            return;
        }
        self.load.advance(Phase::Aborted);
        self.members.iter().for_each(|member| member.cut_off());
        self.leaving.iter().for_each(|(_, member)| member.cut_off());
        self.worker.changed.notify_waiters();
        while let Some(ended) = self.tasks.join_next().await {
            expect_no_panic(ended);
        }
    }
}

/// Nobody aborts a virtual user, so one that did not end well panicked: a bug of ours.
fn expect_no_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}
