//! What the run had to show to pass: each threshold with what was observed, those that failed first.

use super::layout::clean;
use super::paint::Tone;
use super::table::{Cell, Table};
use super::{Page, figure};
use crate::judge::ThresholdResult;
use crate::judge::wording::count;
use crate::report::Report;

/// From this many columns on there is room for the number of samples beside the thresholds.
const ORDINARY: usize = 70;
/// What stands for a value that was not observed.
const UNKNOWN: &str = "-";

/// How many held, in a line.
pub(super) fn headline(report: &Report, page: &mut Page) {
    let thresholds = &report.thresholds;
    if thresholds.is_empty() {
        return;
    }
    let held = thresholds.iter().filter(|threshold| threshold.passed).count();
    let tone = if held == thresholds.len() { Tone::Good } else { Tone::Bad };
    let held = format!("{} of {} held", count(held as u64), count(thresholds.len() as u64));
    figure(page, "thresholds", &held, tone, &[]);
}

/// Every threshold, observed value, margin, and by how many samples it is judged; below them, where the worst window was, and why
/// values are missing.
pub(super) fn thresholds(report: &Report, page: &mut Page) {
    if report.thresholds.is_empty() {
        return;
    }
    page.blank();
    let mut header = vec!["threshold", "observed", "margin"];
    header.extend((page.columns >= ORDINARY).then_some("samples"));
    let columns = header.len();
    let mut table = Table::new(header);
    let failed = report.thresholds.iter().filter(|threshold| !threshold.passed);
    let held = report.thresholds.iter().filter(|threshold| threshold.passed);
    for threshold in failed.chain(held) {
        let mut row = row(threshold);
        row.truncate(columns);
        table.push(row);
    }
    page.table(&table);
    let explained =
        |threshold: &&ThresholdResult| threshold.observed.is_none() || threshold.window_s.is_some();
    for threshold in report.thresholds.iter().filter(explained) {
        page.hanging("- ", Tone::Quiet, &format!("{}: {}", threshold.text, threshold.finding), Tone::Quiet);
    }
}

fn row(threshold: &ThresholdResult) -> Vec<Cell> {
    let (sign, tone) = if threshold.passed { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
    let value = if threshold.passed { Tone::Plain } else { Tone::Bad };
    let observed = match threshold.shown() {
        Some(observed) => Cell::new(clean(&observed), value),
        None => Cell::new(UNKNOWN, Tone::Quiet),
    };
    let margin = match threshold.margin_ratio() {
        Some(ratio) => Cell::new(percent_of_bound(ratio), value),
        None => Cell::new(UNKNOWN, Tone::Quiet),
    };
    vec![
        Cell::new(format!("{sign} {}", clean(&threshold.text)), tone),
        observed,
        margin,
        Cell::plain(count(threshold.samples)),
    ]
}

/// How far inside the bound, in per cent of it: `+64 %`; outside, `-17 %`.
fn percent_of_bound(ratio: f64) -> String {
    match ratio * 100.0 {
        percent if percent.abs() >= 9.95 => format!("{percent:+.0} %"),
        percent if percent.abs() >= 0.095 => format!("{percent:+.1} %"),
        percent => format!("{percent:+.2} %"),
    }
}
