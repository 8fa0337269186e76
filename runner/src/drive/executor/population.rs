//! Keeps as many virtual users at work as the schedule wants, and sees them home at the end.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::drive::vu;
use crate::drive::worker::{Phase, Worker};
use crate::judge::Moment;
use crate::plan::Executor;
use crate::plan::schedule::vus_wanted;

/// How often a ramp is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Runs this worker's virtual users until the schedule is over, the iterations are used up or the run is stopped, and all of them
/// have ended.
pub(crate) async fn keep(worker: &Rc<Worker>) {
    let mut crew = Crew { worker: Rc::clone(worker), members: Vec::new(), spawned: 0, tasks: JoinSet::new() };
    let executor = &worker.plan.loads[0].executor;
    let ends = executor.duration().map(|duration| Moment::ORIGIN.after(duration));
    loop {
        let now = worker.context.clock.now();
        if worker.phase() != Phase::Running || ends.is_some_and(|ends| now >= ends) {
            break;
        }
        crew.adjust(worker.stripe.share_of(vus_wanted(executor, now.elapsed()).into()));
        let ramps = matches!(executor, Executor::RampingVus { .. });
        let wake = if ramps { Some(now.after(LOOK)) } else { ends };
        tokio::select! {
            () = until(worker, wake) => {}
            () = worker.changed.notified() => {}
            ended = crew.tasks.join_next(), if !crew.tasks.is_empty() => {
                // A virtual user only ends by itself when its iterations are used up; a panic in one is a bug of ours.
                if let Some(Err(error)) = ended && error.is_panic() {
                    std::panic::resume_unwind(error.into_panic());
                }
                if crew.tasks.is_empty() && !ramps {
                    break;
                }
            }
        }
        if crew.tasks.is_empty() && !ramps && crew.spawned == 0 {
            // This stripe has no virtual user at all.
            break;
        }
    }
    worker.advance(Phase::Stopping);
    crew.see_home().await;
}

async fn until(worker: &Worker, moment: Option<Moment>) {
    match moment {
        Some(moment) => worker.context.clock.sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// The virtual users at work, in the order they came.
#[derive(Debug)]
struct Crew {
    worker: Rc<Worker>,
    /// A flag for each, which tells it to leave after its present iteration.
    members: Vec<Rc<Cell<bool>>>,
    /// How many ever came: numbers are not used twice.
    spawned: u64,
    tasks: JoinSet<()>,
}

impl Crew {
    /// Lets virtual users come, or the latest ones leave, until `wanted` are there.
    fn adjust(&mut self, wanted: u64) {
        while (self.members.len() as u64) < wanted {
            let leave = Rc::new(Cell::new(false));
            let number = self.worker.stripe.item(self.spawned);
            self.tasks.spawn_local(vu::live(Rc::clone(&self.worker), number, Rc::clone(&leave)));
            self.members.push(leave);
            self.spawned += 1;
        }
        if (self.members.len() as u64) > wanted {
            while (self.members.len() as u64) > wanted {
                if let Some(leave) = self.members.pop() {
                    leave.set(true);
                }
            }
            self.worker.changed.notify_waiters();
        }
    }

    /// Waits for all to end: as long as the grace period, then they are cut off.
    async fn see_home(mut self) {
        let grace = self.worker.plan.loads[0].graceful_stop;
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all).await.is_err() {
            self.worker.advance(Phase::Aborted);
            while self.tasks.join_next().await.is_some() {}
        }
    }
}
