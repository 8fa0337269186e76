//! The parts of the summary that are words: target, course of the run, failures, validity, next steps.

use super::layout::{clean, elide_end, elide_middle, width};
use super::paint::Tone;
use super::shape::shapes;
use super::{LABEL, Page};
use crate::error::ExitCode;
use crate::judge::GateState;
use crate::judge::wording::{count, time};
use crate::report::{FailureKind, Report, Second};

/// Kinds of failures that are listed before the rest is summed up.
const MOST_KINDS: usize = 10;
/// Bars from low to high, each an eighth taller.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Columns for the range behind the bars, with the gap before it.
const RANGE: usize = 26;
/// A course of fewer seconds says nothing.
const FEWEST_SECONDS: usize = 3;

/// Who was tested, and how.
pub(super) fn target(report: &Report, page: &mut Page) {
    let server = &report.server;
    let mut parts = Vec::new();
    if let Some(name) = &server.name {
        let version = server.version.as_deref().unwrap_or_default();
        parts.push(format!("{name} {version}"));
    }
    parts.push(report.target_url.clone());
    parts.push(format!("MCP {}", server.protocol_revision));
    parts.extend(shapes(report));
    page.blank();
    page.joined(&parts, Tone::Quiet);
    for dropped in &server.dropped_tools {
        let text = format!("not called: {}", dropped.reason);
        let lead = format!("{} ", elide_middle(&clean(&dropped.name), page.columns / 2));
        page.hanging(&lead, Tone::Doubtful, &text, Tone::Quiet);
    }
}

/// The course of the run: throughput and tail second by second.
pub(super) fn timeline(report: &Report, page: &mut Page) {
    let rows = &report.timeline;
    // The last second is cut short by the end of the run, and would look like a drop.
    let whole = usize::try_from(report.manifest.window_us / 1_000_000).unwrap_or(usize::MAX).min(rows.len());
    let rows = &rows[..whole];
    if rows.len() < FEWEST_SECONDS || report.totals.requests == 0 {
        return;
    }
    page.heading("second by second");
    course(rows, page, "calls/s", |row| Some(row.requests), count);
    if report.books.iterations_due > 0 {
        course(rows, page, "due/s", |row| Some(row.iterations_due), count);
    }
    course(rows, page, "p99", |row| row.p99_us, time);
    if report.totals.failed > 0 {
        course(rows, page, "errors/s", |row| Some(row.failed), count);
    }
    if rows.iter().any(|row| row.active_vus != rows[0].active_vus) {
        course(rows, page, "VUs", |row| Some(row.active_vus.into()), count);
    }
}

/// One course: its bars, and the range they span.
fn course(
    rows: &[Second],
    page: &mut Page,
    label: &str,
    value: fn(&Second) -> Option<u64>,
    shown: fn(u64) -> String,
) {
    let values: Vec<Option<u64>> = rows.iter().map(value).collect();
    let known = || values.iter().flatten().copied();
    let (Some(low), Some(high)) = (known().min(), known().max()) else { return };
    let range = if low == high { shown(low) } else { format!("{} to {}", shown(low), shown(high)) };
    let bars = sparkline(&values, page.columns - LABEL - RANGE);
    let label = page.paint(&format!("{label:<LABEL$}"), Tone::Quiet);
    let range = page.paint(&range, Tone::Quiet);
    page.line(&format!("{label}{bars}  {range}"));
}

/// What went wrong, most frequent first, each with what one of them said.
pub(super) fn failures(report: &Report, page: &mut Page) {
    let operations = report.totals.failures.iter().map(|kind| (String::new(), kind));
    let lifecycle = report.lifecycle.iter().flat_map(|(method, figures)| {
        figures.failures.iter().map(move |kind| (format!("{}: ", clean(method)), kind))
    });
    let mut kinds: Vec<(String, &FailureKind)> = operations.chain(lifecycle).collect();
    if kinds.is_empty() {
        return;
    }
    kinds.sort_by(|left, right| right.1.count.cmp(&left.1.count).then_with(|| name(left).cmp(&name(right))));
    page.heading("errors");
    let listed = &kinds[..kinds.len().min(MOST_KINDS)];
    let counts = listed.iter().map(|(_, kind)| count(kind.count)).map(|text| width(&text)).max().unwrap_or(0);
    let names = listed.iter().map(|kind| width(&name(kind))).max().unwrap_or(0);
    for kind in listed {
        let room = page.columns.saturating_sub(counts + names + 4);
        let message = elide_end(&clean(kind.1.message.as_deref().unwrap_or_default()), room);
        let number = page.paint(&format!("{:>counts$}", count(kind.1.count)), Tone::Bad);
        let message = page.paint(&message, Tone::Quiet);
        page.line(&format!("{number}  {:<names$}  {message}", name(kind)));
    }
    let total = report.totals.failed + report.lifecycle.values().map(|figures| figures.failed).sum::<u64>();
    let rest = total - listed.iter().map(|(_, kind)| kind.count).sum::<u64>();
    if rest > 0 {
        let rest =
            page.paint(&format!("and {} of other kinds; the report has them", count(rest)), Tone::Quiet);
        page.line(&rest);
    }
}

fn name((prefix, kind): &(String, &FailureKind)) -> String {
    match &kind.code {
        Some(code) => format!("{prefix}{} {}", kind.class, clean(code)),
        None => format!("{prefix}{}", kind.class),
    }
}

/// The checks of the measurement that failed, with what to change, and those that could not be judged.
pub(super) fn validity(report: &Report, page: &mut Page) {
    let open: Vec<_> = report.validity.iter().filter(|gate| gate.state != GateState::Passed).collect();
    if open.is_empty() {
        return;
    }
    page.heading("validity");
    for gate in open {
        let (sign, tone) = match gate.state {
            GateState::Failed => ("✗ ", Tone::Doubtful),
            GateState::Passed | GateState::NotJudged => ("- ", Tone::Quiet),
        };
        let finding = match gate.state {
            GateState::Failed => {
                format!("{}: {}{}", gate.name.title(), gate.finding, bound(&gate.unit, gate.bound))
            }
            GateState::Passed | GateState::NotJudged => {
                format!("{} not judged: {}", gate.name.title(), gate.finding)
            }
        };
        let text = if gate.state == GateState::Failed { Tone::Plain } else { Tone::Quiet };
        page.hanging(sign, tone, &finding, text);
        if let Some(advice) = &gate.advice {
            page.hanging("  → ", Tone::Quiet, advice, Tone::Strong);
        }
    }
}

/// The bound where the finding does not name it itself.
fn bound(unit: &str, bound: f64) -> String {
    match unit {
        // As precise as the finding: 99.5 % is not 100 %.
        "ratio" => format!(" (bound: {:.1} %)", bound * 100.0),
        "us" => format!(" (bound: {:.1} ms)", bound / 1e3),
        _ => String::new(),
    }
}

/// Where the report is, how to repeat the run, and what to try.
pub(super) fn next_steps(report: &Report, saved_to: Option<&str>, page: &mut Page) {
    page.heading("next");
    let mut step = |label: &str, text: &str| {
        let lead = format!("{label:<LABEL$}");
        page.hanging(&lead, Tone::Quiet, text, Tone::Plain);
    };
    if let Some(path) = saved_to {
        step("report", path);
    }
    step("repeat", &repeat_command(report));
    let code = report.verdict.exit_code;
    if code == ExitCode::Inconclusive.code() {
        step("try", "what validity advises, then measure again");
    } else if code == ExitCode::Unreachable.code() {
        step("try", &format!("the server's own log of about {}", report.timestamp));
    } else if code == ExitCode::Plugin.code() {
        let worst = report.plugins.values().max_by_key(|plugin| plugin.failed_iterations);
        let file = worst.map_or("FILE.wasm", |plugin| plugin.file.as_str());
        step("try", &format!("the plugin alone: cargo pmcp loadtest plugin test {file}"));
    } else if code == ExitCode::Failed.code() && report.totals.ok == 0 {
        step("try", "one virtual user first: --vus 1 --iterations 10");
    }
}

/// The command line that was given, with the seed that was drawn.
fn repeat_command(report: &Report) -> String {
    let quoted = report.manifest.process.command.iter().map(|argument| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+[]".contains(c);
        if !argument.is_empty() && argument.chars().all(plain) {
            argument.clone()
        } else {
            format!("'{}'", clean(argument).replace('\'', r"'\''"))
        }
    });
    let mut words: Vec<String> = quoted.collect();
    let seeded = words.iter().any(|word| word == "--seed" || word.starts_with("--seed="));
    if !seeded {
        words.push(format!("--seed {}", report.manifest.seed));
    }
    words.join(" ")
}

/// One bar per second, or per several where there are more seconds than `columns`; a bar is then their largest.
fn sparkline(values: &[Option<u64>], columns: usize) -> String {
    let per_bar = values.len().div_ceil(columns.max(1)).max(1);
    let highest = values.iter().flatten().max().copied().unwrap_or(0).max(1);
    let bars = values.chunks(per_bar).map(|chunk| {
        let value = chunk.iter().flatten().max().copied().unwrap_or(0);
        if value == 0 {
            return ' ';
        }
        // From zero, so that heights compare; the highest is full.
        let height = (value * BARS.len() as u64).div_ceil(highest).max(1) - 1;
        BARS[usize::try_from(height).unwrap_or(0).min(BARS.len() - 1)]
    });
    bars.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_zero_and_the_highest_is_full() {
        assert_eq!(sparkline(&[Some(0), Some(1), Some(50), None, Some(100)], 10), " ▁▄ █");
        assert_eq!(sparkline(&[Some(0), None], 10), "  ");
    }

    #[test]
    fn many_seconds_share_a_bar_and_a_peak_among_them_stays_visible() {
        let mut values = vec![Some(10); 100];
        values[37] = Some(80);
        let line = sparkline(&values, 20);
        assert_eq!(line.chars().count(), 20);
        assert_eq!(line.chars().nth(7), Some('█'));
    }
}
