//! A section per plugin: what its code cost, how it failed, its checks, its own metrics, what it logged.

use super::layout::{clean, elide_end, join_within, width};
use super::paint::Tone;
use super::table::{Cell, Table};
use super::{LABEL, Page};
use crate::judge::wording::{count, counted, fine_time, number, percent, quoted, time};
use crate::judge::{LogLevel, PluginFault};
use crate::report::{Check, CustomMetric, PluginFailures, PluginReport, Report, Summary};

/// Kinds of failures that are shown before the rest is summed up.
const MOST_FAILURES: usize = 5;
/// Frames that are shown of a failure: the innermost are the plugin's own, further out is what called it.
const MOST_FRAMES: usize = 4;
/// Checks and metrics that are shown.
const MOST_ROWS: usize = 15;
/// Lines of the log that are shown.
const MOST_LINES: usize = 5;

/// Every plugin of the run; nothing where there is none.
pub(super) fn plugins(report: &Report, page: &mut Page) {
    for (scenario, plugin) in &report.plugins {
        page.heading(&format!("plugin {}", clean(scenario)));
        cost(plugin, page);
        failures(plugin, page);
        checks(plugin, page);
        metrics(plugin, page);
        log(plugin, page);
    }
}

/// Who it is, what it did, and what that cost.
fn cost(plugin: &PluginReport, page: &mut Page) {
    let owner = if plugin.own_instances { "one per virtual user" } else { "one per worker" };
    let identity = [
        format!("{} {}", plugin.name, plugin.version),
        plugin.file.clone(),
        format!("interface {}", plugin.interface),
        format!("{}, {owner}", counted(plugin.instances, "instance")),
    ];
    page.joined(&identity, Tone::Quiet);
    let failed = match plugin.failed_iterations {
        0 => String::new(),
        failed => format!(", {} failed by the plugin", count(failed)),
    };
    if let Some(reason) = &plugin.given_up {
        page.hanging("given up: ", Tone::Bad, &quoted(reason), Tone::Plain);
    }
    label(page, "iterations", &format!("{} done{failed}", count(plugin.iterations)));
    let calls = &plugin.calls;
    let times = [("p50", calls.p50_us), ("p99", calls.p99_us), ("max", calls.max_us)].into_iter();
    let times = times.filter_map(|(title, micros)| Some(format!("{title} {}", fine_time(micros?))));
    labelled(page, "calls", &[count(calls.count)].into_iter().chain(times).collect::<Vec<_>>());
    if plugin.guest_time_us > 0 {
        let share = match plugin.workers_cpu_us {
            0 => String::new(),
            // Guest time is wall time, and may be more than CPU time where the machine is shared.
            cpu => format!("{} of the workers' CPU time, ", percent(plugin.guest_time_us.min(cpu), cpu)),
        };
        let (all, start) = (time(plugin.guest_time_us), time(plugin.start_time_us));
        label(page, "cost", &format!("{share}{all}; {start} of it to start instances and virtual users"));
    }
}

/// Figures beside a label, none of which is broken in two.
fn labelled(page: &mut Page, label: &str, figures: &[String]) {
    for (index, line) in join_within(figures, "  ", page.columns - LABEL).iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        let label = page.paint(&format!("{label:<LABEL$}"), Tone::Quiet);
        page.line(&format!("{label}{line}"));
    }
}

fn label(page: &mut Page, label: &str, text: &str) {
    page.hanging(&format!("{label:<LABEL$}"), Tone::Quiet, text, Tone::Plain);
}

/// How it failed, most frequent first, with where in its code.
fn failures(plugin: &PluginReport, page: &mut Page) {
    let mut kinds: Vec<&PluginFailures> = plugin.failures.iter().collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.count));
    if kinds.is_empty() {
        return;
    }
    page.blank();
    let listed = &kinds[..kinds.len().min(MOST_FAILURES)];
    for kind in listed {
        let text = format!(
            "{}: {} (first: virtual user {}, iteration {})",
            counted(kind.count, noun(kind.fault)),
            quoted(&kind.message),
            count(kind.vu),
            count(kind.iteration)
        );
        page.hanging("✗ ", Tone::Bad, &text, Tone::Plain);
        for frame in kind.backtrace.iter().take(MOST_FRAMES) {
            note(page, &format!("    at {}", clean(frame)));
        }
        if kind.backtrace.len() > MOST_FRAMES {
            let more = kind.backtrace.len() - MOST_FRAMES;
            note(page, &format!("    and {} further out", counted(more as u64, "frame")));
        }
    }
    let unlisted: u64 = kinds[listed.len()..].iter().map(|kind| kind.count).sum();
    rest(page, unlisted + plugin.further_failures, "failure of other kinds", "failures of other kinds");
}

fn noun(fault: PluginFault) -> &'static str {
    match fault {
        PluginFault::Error => "error",
        PluginFault::Trap => "trap",
        PluginFault::Timeout => "timeout",
        PluginFault::Memory => "memory overrun",
        PluginFault::InvalidStep => "invalid step",
        PluginFault::Contract => "contract violation",
    }
}

/// Its checks, those that failed first.
fn checks(plugin: &PluginReport, page: &mut Page) {
    let mut rows: Vec<(&String, &Check)> = plugin.checks.iter().collect();
    rows.sort_by_key(|(_, check)| std::cmp::Reverse(check.failed));
    if rows.is_empty() {
        return;
    }
    let mut table = Table::ending_in_text(vec!["check", "passed", "failed", "message"]);
    for (name, check) in rows.iter().take(MOST_ROWS) {
        let tone = if check.failed > 0 { Tone::Bad } else { Tone::Plain };
        table.push(vec![
            Cell::plain(clean(name)),
            Cell::plain(percent(check.passed, check.passed + check.failed)),
            Cell::new(count(check.failed), tone),
            Cell::new(clean(check.message.as_deref().unwrap_or_default()), Tone::Quiet),
        ]);
    }
    page.blank();
    page.table(&table);
    rest(page, rows.len().saturating_sub(MOST_ROWS) as u64, "check", "checks");
}

/// Its custom metrics, each as its kind has it.
fn metrics(plugin: &PluginReport, page: &mut Page) {
    if plugin.metrics.is_empty() {
        return;
    }
    let mut table = Table::ending_in_text(vec!["metric", "values", "figures"]);
    for (name, metric) in plugin.metrics.iter().take(MOST_ROWS) {
        let tone = if metric.count == 0 { Tone::Quiet } else { Tone::Plain };
        table.push(vec![
            Cell::plain(match &metric.unit {
                Some(unit) => format!("{} ({})", clean(name), clean(unit)),
                None => clean(name),
            }),
            Cell::plain(count(metric.count)),
            Cell::new(figures(metric), tone),
        ]);
    }
    page.blank();
    page.table(&table);
    rest(page, plugin.metrics.len().saturating_sub(MOST_ROWS) as u64, "metric", "metrics");
}

fn figures(metric: &CustomMetric) -> String {
    if metric.count == 0 {
        return "-".to_owned();
    }
    let titled = |figures: &[(&str, Option<f64>)]| {
        let known = figures.iter().filter_map(|(title, figure)| figure.map(|figure| (title, figure)));
        let shown: Vec<String> = known.map(|(title, figure)| format!("{title} {}", number(figure))).collect();
        shown.join("  ")
    };
    match &metric.summary {
        Summary::Counter { per_s } => format!("{} in all, {}/s", number(metric.sum), number(*per_s)),
        Summary::Gauge { min, mean, max } => titled(&[("min", *min), ("mean", *mean), ("max", *max)]),
        Summary::Rate { nonzero, .. } => {
            format!("{}, {} of {}", percent(*nonzero, metric.count), count(*nonzero), count(metric.count))
        }
        Summary::Trend { p50, p95, p99, max, .. } => {
            titled(&[("p50", *p50), ("p95", *p95), ("p99", *p99), ("max", *max)])
        }
    }
}

/// The first lines of what it logged, the most important ones first.
fn log(plugin: &PluginReport, page: &mut Page) {
    if plugin.log.is_empty() {
        return;
    }
    page.blank();
    for line in plugin.log.iter().take(MOST_LINES) {
        let (word, tone) = match line.level {
            LogLevel::Error => ("error", Tone::Bad),
            LogLevel::Warn => ("warn", Tone::Doubtful),
            LogLevel::Info => ("info", Tone::Quiet),
            LogLevel::Debug => ("debug", Tone::Quiet),
            LogLevel::Trace => ("trace", Tone::Quiet),
        };
        let times = if line.count == 1 { String::new() } else { format!(" ({} times)", count(line.count)) };
        let lead = format!("{word:<7}");
        let room = page.columns.saturating_sub(width(&lead) + width(&times));
        let word = page.paint(&lead, tone);
        let times = page.paint(&times, Tone::Quiet);
        page.line(&format!("{word}{}{times}", elide_end(&clean(&line.message), room)));
    }
    let unlisted: u64 = plugin.log.iter().skip(MOST_LINES).map(|line| line.count).sum();
    rest(page, unlisted + plugin.further_log_lines, "line", "lines");
}

/// What is not shown, in a number.
fn rest(page: &mut Page, number: u64, one: &str, several: &str) {
    if number > 0 {
        let noun = if number == 1 { one } else { several };
        note(page, &format!("and {} more {noun}; the report has what is kept of them", count(number)));
    }
}

fn note(page: &mut Page, text: &str) {
    let text = page.paint(&elide_end(text, page.columns), Tone::Quiet);
    page.line(&text);
}
