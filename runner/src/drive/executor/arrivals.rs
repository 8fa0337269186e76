//! Lets the iterations of an open load begin when they are due, whatever the server does.
//!
//! A virtual user that is free claims the next arrival before it is due, so that it can prepare it, and waits. What is due and unclaimed
//! waits for the next one that becomes free, at most as long as the load allows; then it is dropped, and counted. Nothing here waits
//! for the server.

use std::iter::Peekable;
use std::time::Duration;

use super::{Crew, wait};
use crate::drive::load::{LoadShare, Queue};
use crate::drive::pacer::Pacer;
use crate::drive::worker::Worker;
use crate::judge::{Arrivals as Counts, Dropped, Moment};
use crate::plan::Pool;
use crate::plan::schedule::Arrivals;

/// How long before a load that begins later its first virtual users come.
const AHEAD: Duration = Duration::from_secs(2);

/// Keeps the arrivals until the schedule is over or the run is stopped.
pub(super) async fn keep(worker: &Worker, load: &LoadShare, crew: &mut Crew) {
    let (Some(queue), Some(pool)) = (&load.queue, load.load().executor.pool()) else { return };
    let clock = worker.context.clock;
    let start = begin(worker, load, queue, pool, crew).await;
    let ends = start.after(load.load().executor.duration().unwrap_or_default());
    let mut pacer = Pacer::new(clock, worker.time);
    let mut due = Due { start, arrivals: load.arrivals().peekable(), passed: 0 };
    let most = load.stripe.share_of(pool.max_vus.get().into());
    while load.is_running() {
        let now = clock.now();
        let arrived = due.pass(now.min(ends));
        queue.release(now);
        // One more virtual user for each arrival that found none, unless one is on its way already: also where it does not wait.
        let behind = due.passed.saturating_sub(queue.claimed());
        count(worker, arrived, Dropped { no_free_vu: queue.give_up_late(now), run_ended: 0 });
        if now >= ends {
            break;
        }
        let wanted = behind.saturating_sub(queue.coming()).min(most.saturating_sub(crew.len()));
        (0..wanted).for_each(|_| crew.add());
        let next = due.next().map_or(ends, |next| next.min(ends));
        tokio::select! {
            () = pacer.sleep_until(next) => {}
            () = worker.changed.notified() => {}
            () = crew.one_has_ended() => {}
        }
    }
    finish(worker, queue, &mut due, ends);
}

/// Lets the first virtual users come, and opens the queue to them; when the load begins. One that begins with the run waits until they have
/// their sessions: the first arrivals should find what the later ones do. One that begins later has them come ahead of it.
async fn begin(worker: &Worker, load: &LoadShare, queue: &Queue, pool: &Pool, crew: &mut Crew) -> Moment {
    let clock = worker.context.clock;
    let planned = Moment::ORIGIN.after(load.load().start);
    wait(worker, load, Moment::ORIGIN.after(load.load().start.saturating_sub(AHEAD))).await;
    crew.adjust(load.stripe.share_of(pool.vus.into()), clock.now());
    let start = if planned > clock.now() {
        planned
    } else {
        let ready = async {
            let patience = worker.settings().timeout;
            // Who has no session by then will be late, which is counted.
            let _ = tokio::time::timeout(patience, queue.all_ready()).await;
            load.start_line().meet(clock).await
        };
        let mut ready = std::pin::pin!(ready);
        loop {
            tokio::select! {
                start = &mut ready => break start,
                () = worker.changed.notified() => if !load.is_running() { break clock.now() },
            }
        }
    };
    queue.open(start);
    start
}

/// What is due at the end and was not begun is dropped.
fn finish(worker: &Worker, queue: &Queue, due: &mut Due, ends: Moment) {
    let now = worker.context.clock.now().min(ends);
    let arrived = due.pass(now);
    queue.release(now);
    let late = queue.give_up_late(now);
    count(worker, arrived, Dropped { no_free_vu: late, run_ended: queue.give_up_due(now) });
}

fn count(worker: &Worker, due: u64, dropped: Dropped) {
    if due + dropped.total() == 0 {
        return;
    }
    worker.context.recorder.borrow_mut().arrive(Counts { due, dropped: dropped.total() });
    worker.context.book(|books| {
        books.iterations_due += due;
        books.dropped.add(dropped);
    });
}

/// Counts the arrivals that become due, claimed or not.
struct Due {
    start: Moment,
    arrivals: Peekable<Arrivals>,
    passed: u64,
}

impl Due {
    /// When the next one is due.
    fn next(&mut self) -> Option<Moment> {
        self.arrivals.peek().map(|arrival| self.start.after(arrival.due))
    }

    /// Passes by those that are due; how many.
    fn pass(&mut self, now: Moment) -> u64 {
        let before = self.passed;
        while self.next().is_some_and(|due| due <= now) {
            self.arrivals.next();
            self.passed += 1;
        }
        self.passed - before
    }
}
