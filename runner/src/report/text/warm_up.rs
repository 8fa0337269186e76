//! What was left out at the beginning of the run, and what it would have made of the figures.

use super::paint::Tone;
use super::{LABEL, Page};
use crate::judge::wording::time;
use crate::report::warm_up::suspected;
use crate::report::{Distribution, Report, WarmUpReport, WarmUpRule};

/// What was left out, where anything was to be.
pub(super) fn headline(report: &Report, page: &mut Page) {
    let Some(warm_up) = report.warm_up.as_ref().filter(|warm_up| warm_up.rule != WarmUpRule::None) else {
        return;
    };
    let tone = if warm_up.stationary { Tone::Quiet } else { Tone::Doubtful };
    page.hanging(&format!("{:<LABEL$}", "warm-up"), Tone::Quiet, &what(warm_up, report), tone);
}

fn what(warm_up: &WarmUpReport, report: &Report) -> String {
    let how = match (warm_up.rule, warm_up.stationary) {
        (WarmUpRule::Auto, true) => "auto: MSER-5",
        (WarmUpRule::Auto, false) => "auto: MSER-5; response times did not settle",
        (_, true) => "as asked",
        (_, false) => "as asked; response times did not settle",
    };
    let Some(untrimmed) = &warm_up.untrimmed else { return format!("nothing left out ({how})") };
    let p99 = |times: &Distribution| times.p99_us.map_or_else(|| "unknown".to_owned(), time);
    let (with, without) = (p99(&untrimmed.response_time), p99(&report.totals.response_time));
    let first = warm_up.trimmed_s;
    format!("first {first} s left out ({how}); with them p99 {with} instead of {without}")
}

/// What looks like warm-up where nothing was to be left out.
pub(super) fn suspicion(report: &Report, page: &mut Page) {
    if report.warm_up.as_ref().is_none_or(|warm_up| warm_up.rule != WarmUpRule::None) {
        return;
    }
    let Some(found) = suspected(&report.timeline, report.manifest.window_us) else { return };
    let text = format!(
        "the first {} s look like warm-up (median {}, then {}): --warm-up auto leaves them out",
        found.seconds,
        time(found.during_us),
        time(found.after_us)
    );
    page.hanging("- ", Tone::Quiet, &text, Tone::Quiet);
}
