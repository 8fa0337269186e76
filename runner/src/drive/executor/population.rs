//! Keeps as many virtual users at work as a closed load wants.

use super::Crew;
use crate::drive::load::LoadShare;
use crate::drive::worker::Worker;
use crate::judge::Moment;
use crate::plan::schedule::{next_change, vus_wanted};

/// Keeps the population until the schedule is over, the iterations are used up or the run is stopped.
pub(super) async fn keep(worker: &Worker, load: &LoadShare, crew: &mut Crew) {
    let executor = &load.load().executor;
    let start = Moment::ORIGIN.after(load.load().start);
    let ends = executor.duration().map(|duration| start.after(duration));
    loop {
        let now = worker.context.clock.now();
        if !load.is_running() || ends.is_some_and(|ends| now >= ends) {
            return;
        }
        let elapsed = now.since(start);
        crew.adjust(load.stripe.share_of(vus_wanted(executor, elapsed).into()), now);
        let change = next_change(executor, elapsed).map(|change| start.after(change));
        if crew.is_empty() && change.is_none() {
            // The iterations are used up, or this stripe has no virtual user at all.
            return;
        }
        let late = crew.cut_off_late(now);
        let wake = [ends, change, late].into_iter().flatten().min();
        tokio::select! {
            () = until(worker, wake) => {}
            () = worker.changed.notified() => {}
            () = crew.one_has_ended() => {}
        }
    }
}

async fn until(worker: &Worker, moment: Option<Moment>) {
    match moment {
        Some(moment) => worker.context.clock.sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
