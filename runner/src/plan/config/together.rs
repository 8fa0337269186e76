//! What is right or wrong only about a whole plan: its loads and its scenarios, its warm-up and its length, its shard and its size.

use std::ops::Range;
use std::time::Duration;

use super::error::Problems;
use super::scenario::Scenarios;
use crate::plan::duration::human;
use crate::plan::{Load, Scenario, Stripe, WarmUp};

/// Refuses a warm-up that leaves nothing to judge. `place` is where it stands; missing where a flag said it.
pub(super) fn check_warm_up(
    warm_up: WarmUp,
    place: Option<&Range<usize>>,
    loads: &[Load],
    problems: &mut Problems<'_>,
) {
    let ends = loads.iter().map(Load::ends).try_fold(Duration::ZERO, |latest, ends| Some(latest.max(ends?)));
    let (WarmUp::Fixed(length), Some(run)) = (warm_up, ends) else { return };
    if length < run {
        return;
    }
    let message = format!("the warm-up takes {}, and the whole run {}", human(length), human(run));
    let help = "write a shorter warm-up, \"auto\" or \"none\", or a longer run";
    match place {
        Some(span) => problems.at(span, message, help),
        None => problems.anywhere(format!("--warm-up: {message}"), help),
    }
}

/// Refuses a pacing that has no meaning where its scenario runs.
pub(super) fn check_pacing(loads: &[Load], scenarios: &Scenarios, problems: &mut Problems<'_>) {
    for (place, scenario) in scenarios.chosen.iter().enumerate() {
        let (Some(pacing), Some(span)) = (scenario.pacing, scenarios.pacing.get(&scenario.name)) else {
            continue;
        };
        let mut drawing = loads.iter().filter(|load| load.scenarios.contains(&place)).peekable();
        if drawing.peek().is_none() {
            continue;
        }
        if let Some(open) = drawing.clone().find(|load| load.executor.is_open()) {
            let message = format!(
                "pacing says how often a virtual user begins an iteration, and in {} the arrival rate says that",
                open.called()
            );
            let help =
                "remove it, or draw this scenario only in loads of virtual users, by their `scenarios`";
            problems.at(span, message, help);
            continue;
        }
        let lengths: Option<Vec<_>> = drawing.map(|load| load.executor.duration()).collect();
        if let Some(longest) =
            lengths.and_then(|lengths| lengths.into_iter().max()).filter(|longest| pacing >= *longest)
        {
            let message = format!(
                "no virtual user begins a second iteration: a round takes {}, and the load {}",
                human(pacing),
                human(longest)
            );
            problems.at(span, message, "write a shorter pacing, or a longer run");
        }
    }
}

/// Refuses a shard that has nothing to do, or that has arrivals and nobody to take them.
pub(super) fn check_shard(loads: &[Load], shard: Stripe, problems: &mut Problems<'_>) {
    let works = |load: &Load| {
        let iterations = load.executor.iterations().unwrap_or(u64::MAX);
        shard.share_of(iterations.min(u64::from(load.executor.max_vus()))) > 0
    };
    if let Some(load) = loads.iter().find(|load| load.executor.is_open() && !works(load)) {
        let (max_vus, called) = (load.executor.max_vus(), load.called());
        let message =
            format!("--shard: of the {max_vus} virtual users of {called} none is left for part {shard}");
        problems.anywhere(message, "write a larger `max_vus`, or divide the run into fewer parts");
    } else if !loads.iter().any(works) {
        let message =
            format!("--shard: of so few virtual users and iterations none is left for part {shard}");
        problems.anywhere(message, "divide the run into fewer parts, or ask for more of it");
    }
}

/// A sentence for each scenario that no load draws.
pub(super) fn undrawn(loads: &[Load], scenarios: &[Scenario]) -> Vec<String> {
    let drawn = |place: usize| loads.iter().any(|load| load.scenarios.contains(&place));
    let undrawn = scenarios.iter().enumerate().filter(|(place, _)| !drawn(*place));
    undrawn
        .map(|(_, scenario)| format!("scenario `{}` does not run: no load draws from it", scenario.name))
        .collect()
}

impl Load {
    /// What it is called in a sentence.
    fn called(&self) -> String {
        if self.name.is_empty() { "this run".to_owned() } else { format!("load `{}`", self.name) }
    }
}
