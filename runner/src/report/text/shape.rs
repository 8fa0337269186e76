//! The shape of the load in a few words: of a load that does not simply keep some virtual users busy, its rate and its time as well.

use std::time::Duration;

use crate::judge::wording::{counted, rate};
use crate::plan::duration::human;
use crate::plan::resolved::ResolvedLoad;
use crate::report::Report;

/// The shapes of the loads, one after the other.
pub(super) fn shapes(report: &Report) -> Vec<String> {
    match &report.config.loads[..] {
        [only] if only.max_vus.is_none() => {
            vec![format!("{} up to {}", only.executor, counted(report.config.virtual_users.into(), "VU"))]
        }
        loads => loads.iter().map(shape).collect(),
    }
}

fn shape(load: &ResolvedLoad) -> String {
    let name = load.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    let begins = load
        .start_us
        .map(|start| format!(", from {}", human(Duration::from_micros(start))))
        .unwrap_or_default();
    format!("{name}{}{}{}{begins}", load.executor, size(load), length(load))
}

/// How much of it there is: arrivals per second or virtual users, and where it rises or falls, how much there is at most.
fn size(load: &ResolvedLoad) -> String {
    let ramps = !load.stages.is_empty();
    let up_to = if ramps { " up to" } else { "" };
    if let Some(first) = load.rate_per_s {
        let peak = load.stages.iter().filter_map(|stage| stage.target_per_s).fold(first, f64::max);
        let spacing = load.spacing.as_ref().filter(|spacing| *spacing == "poisson");
        let spacing = spacing.map(|spacing| format!(" {spacing}")).unwrap_or_default();
        let most =
            load.max_vus.map(|most| format!(", up to {}", counted(most.into(), "VU"))).unwrap_or_default();
        return format!("{up_to} {}/s{spacing}{most}", rate(peak));
    }
    let peak = load.stages.iter().filter_map(|stage| stage.target).chain(load.vus).max().unwrap_or_default();
    format!("{up_to} {}", counted(peak.into(), "VU"))
}

/// How long it lasts; nothing where its iterations end it.
fn length(load: &ResolvedLoad) -> String {
    let ramp = load.stages.iter().map(|stage| stage.duration_us).sum::<u64>();
    let lasts = load.duration_us.or(Some(ramp).filter(|ramp| *ramp > 0));
    lasts.map(|lasts| format!(", {}", human(Duration::from_micros(lasts)))).unwrap_or_default()
}
