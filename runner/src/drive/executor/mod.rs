//! Keeps a load: the closed model's population of virtual users, or the open model's arrivals.

mod arrivals;
mod crew;
mod population;
mod start;

use std::rc::Rc;

pub(crate) use crew::Member;
pub(crate) use start::StartLine;

use super::load::LoadShare;
use super::worker::Worker;
use crate::judge::Moment;
use crew::Crew;

/// Runs this worker's share of a load until its schedule is over, its iterations are used up or the run is stopped, and all of its
/// virtual users have ended.
pub(crate) async fn keep(worker: Rc<Worker>, load: Rc<LoadShare>) {
    let mut crew = Crew::new(Rc::clone(&worker), Rc::clone(&load));
    if load.is_open() {
        arrivals::keep(&worker, &load, &mut crew).await;
    } else {
        wait(&worker, &load, Moment::ORIGIN.after(load.load().start)).await;
        population::keep(&worker, &load, &mut crew).await;
    }
    worker.end_load(&load);
    crew.see_home().await;
}

/// Waits until `moment`, or until the load does not go on.
async fn wait(worker: &Worker, load: &LoadShare, moment: Moment) {
    while load.is_running() && worker.context.clock.now() < moment {
        tokio::select! {
            () = worker.context.clock.sleep_until(moment) => {}
            () = worker.changed.notified() => {}
        }
    }
}
