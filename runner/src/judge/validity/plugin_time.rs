//! Whether plugins took so much of the worker threads' time that answers were read late.
//!
//! Guest code runs on the thread of a worker, so while it runs nobody reads the answers of that worker's other virtual users: to them
//! the server looks slower than it is. An answer that comes in at some instant waits at most for the rest of the call that runs at
//! that instant. So the share of answers that wait longer than a delay of d is at most the share of the threads' time that went by in
//! calls longer than d. With d the delay that is tolerated in sending, and at most one answer in a hundred affected, every percentile
//! up to the 99th is off by no more than is tolerated anyway. Short calls delay by little and may take any share; long ones may be
//! rare.

use std::time::Duration;

use super::{Gate, GateName, micros, percent, ratio, short, tolerated_delay, too_short};
use crate::judge::{Observation, PluginMetrics, SeriesMetrics, Trend};

/// The share of the worker threads' time that calls may take which delay answers: what lies beyond a 99th percentile.
const MOST_DELAYED: f64 = 0.01;

const ADVICE: &str = "let the plugin do less in each call or plan several iterations at once, or raise --workers, so that fewer virtual \
                      users share a thread with it";

/// The gate; absent where there are no plugins.
pub(super) fn gate(observation: &Observation, operations: &SeriesMetrics) -> Option<Gate> {
    let name = GateName::PluginTime;
    let bound = tolerated_delay(operations);
    let times = observation.plugins().map(|(facts, metrics)| (&facts.scenario, delaying(metrics, bound)));
    let times: Vec<(&String, Duration)> = times.collect();
    let (worst, _) = times.iter().max_by_key(|(_, time)| *time)?;
    let workers = &observation.generator.workers;
    let wall: Duration = workers.iter().map(|worker| worker.wall).sum();
    let Some(share) = ratio(times.iter().map(|(_, time)| *time).sum(), wall) else {
        let why = "the worker threads' time was not measured";
        return Some(Gate::not_judged(name, None, MOST_DELAYED, "ratio", why));
    };
    if let Some(why) = too_short(workers) {
        return Some(Gate::not_judged(name, Some(share), MOST_DELAYED, "ratio", why));
    }
    let blame = match times.len() {
        _ if share == 0.0 => String::new(),
        1 => format!(", in plugin {worst}"),
        _ => format!(", most of it in plugin {worst}"),
    };
    let finding = format!(
        "{} of the worker threads' time went by in plugin calls of more than {}{blame}",
        percent(share),
        short(bound)
    );
    Some(Gate::at_most(name, share, MOST_DELAYED, "ratio", finding, ADVICE))
}

/// The time of calls longer than `bound`, those that start something included.
fn delaying(metrics: &PluginMetrics, bound: Duration) -> Duration {
    let above = |times: &Trend| times.sum_above(micros(bound));
    Duration::from_secs_f64((above(&metrics.call_us) + above(&metrics.start_us)) / 1e6)
}
