//! The gate on a generator that stood still: suspended, throttled, or stopped by the machine beneath it. Answers that come in meanwhile are
//! read when it is over, so that the server looks as slow as the generator was long away, and everything else looks sound.

use std::time::Duration;

use super::{Gate, GateName, percent, ratio, short, too_short};
use crate::judge::Observation;

/// The share of a worker thread's time that it may have stood still: what lies beyond a 99th percentile.
const MOST_STOOD_STILL: f64 = 0.01;
/// Standing still that is always allowed: a moment of it in a run of seconds is what a loaded machine does.
const ALLOWED: Duration = Duration::from_millis(250);

const ADVICE: &str =
    "run the generator where nothing suspends or throttles it: on a machine, or with a CPU quota, of its own";

/// Judges the worker thread that stood still the longest. What plugins took of its time is another gate's.
pub(super) fn gate(observation: &Observation) -> Gate {
    let name = GateName::StandingStill;
    let workers = &observation.generator.workers;
    let in_plugins = observation.books.plugin_time;
    let worst = workers.iter().max_by_key(|worker| worker.stood_still);
    let still = worst.map(|worker| worker.stood_still.saturating_sub(in_plugins)).unwrap_or_default();
    let Some(share) = worst.and_then(|worker| ratio(still, worker.wall)) else {
        return Gate::not_judged(name, None, MOST_STOOD_STILL, "ratio", "worker time was not measured");
    };
    if let Some(why) = too_short(workers) {
        return Gate::not_judged(name, Some(share), MOST_STOOD_STILL, "ratio", why);
    }
    let finding = match still {
        Duration::ZERO => "no worker thread stood still".to_owned(),
        still => format!("a worker thread stood still for {}, {} of its time", short(still), percent(share)),
    };
    let allowed = still <= ALLOWED;
    Gate::decided(
        name,
        allowed || share <= MOST_STOOD_STILL,
        share,
        MOST_STOOD_STILL,
        "ratio",
        finding,
        ADVICE,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::fixtures::Run;
    use crate::judge::{GateState, Outcome};

    fn judged(stood_still: Duration, in_plugins: Duration) -> Gate {
        let mut observation = Run::new().calls("search", 500, 10, Outcome::Ok).finish();
        observation.generator.workers[0].stood_still = stood_still;
        observation.books.plugin_time = in_plugins;
        gate(&observation)
    }

    #[test]
    fn a_generator_that_was_away_is_found_out_and_a_moment_is_not() {
        // The fixture's workers run for ten seconds.
        let away = judged(Duration::from_millis(1500), Duration::ZERO);
        assert!(away.failed());
        assert_eq!(away.finding, "a worker thread stood still for 1.50 s, 15.0 % of its time");
        assert!(!judged(Duration::from_millis(250), Duration::ZERO).failed());
        assert_eq!(judged(Duration::ZERO, Duration::ZERO).finding, "no worker thread stood still");
    }

    #[test]
    fn what_plugins_took_is_not_standing_still() {
        assert_eq!(judged(Duration::from_secs(1), Duration::from_secs(2)).state, GateState::Passed);
    }
}
