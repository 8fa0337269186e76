//! The tables of times: per tool, per clock, per lifecycle method.

use super::Page;
use super::layout::{clean, width};
use super::paint::Tone;
use super::table::{Cell, Table};
use crate::judge::wording::{count, counted, percent, rate, time};
use crate::report::{Distribution, Figures, Kind, Report, Series};

/// From this many columns on, tables have room for the 95th percentile and the longest time.
const ORDINARY: usize = 70;
/// From this many columns on, tables have room for every percentile.
const WIDE: usize = 98;
/// What stands for a percentile that the number of calls cannot carry.
const UNKNOWN: &str = "-";

/// A percentile: its title, the fewest calls that have one (1 / (1 - q)), and where it is.
struct Percentile {
    title: &'static str,
    least: u64,
    of: fn(&Distribution) -> Option<u64>,
    /// Shown from this many columns on.
    from: usize,
}

const PERCENTILES: [Percentile; 5] = [
    Percentile { title: "p50", least: 2, of: |times| times.p50_us, from: 0 },
    Percentile { title: "p90", least: 10, of: |times| times.p90_us, from: WIDE },
    Percentile { title: "p95", least: 20, of: |times| times.p95_us, from: ORDINARY },
    Percentile { title: "p99", least: 100, of: |times| times.p99_us, from: 0 },
    Percentile { title: "p99.9", least: 1_000, of: |times| times.p99_9_us, from: WIDE },
];

impl Percentile {
    fn shown(&self, times: &Distribution) -> String {
        match (self.of)(times) {
            Some(micros) if times.count >= self.least => time(micros),
            // Enough calls, and yet no time: it lies above what the histogram records.
            None if times.count >= self.least => ">1 h".to_owned(),
            _ => UNKNOWN.to_owned(),
        }
    }

    /// Whether there were calls, but too few for this percentile.
    fn lacks_calls(&self, times: &Distribution) -> bool {
        (1..self.least).contains(&times.count)
    }
}

fn longest(times: &Distribution) -> String {
    match times.max_us {
        Some(micros) => time(micros),
        None if times.overflow > 0 => ">1 h".to_owned(),
        None => UNKNOWN.to_owned(),
    }
}

fn percentiles_at(columns: usize) -> impl Iterator<Item = &'static Percentile> {
    PERCENTILES.iter().filter(move |percentile| columns >= percentile.from)
}

/// `p50 14.5 ms  p95 70.7 ms  p99 99.6 ms  max 898 ms`, as many of them as fit.
pub(super) fn percentiles(times: &Distribution, columns: usize) -> String {
    if times.count == 0 {
        return "no call succeeded".to_owned();
    }
    let mut shown = String::new();
    let figures = percentiles_at(ORDINARY)
        .map(|percentile| format!("{} {}", percentile.title, percentile.shown(times)));
    for figure in figures.chain([format!("max {}", longest(times))]) {
        let separator = if shown.is_empty() { "" } else { "  " };
        if width(&shown) + width(separator) + width(&figure) > columns {
            break;
        }
        shown.push_str(separator);
        shown.push_str(&figure);
    }
    shown
}

/// One row per tool, URI, prompt or path, and per method that has no object, in the order of the configuration.
pub(super) fn tools(report: &Report, page: &mut Page) {
    let rows = rows(report);
    if rows.is_empty() {
        return;
    }
    let mut table = table_of_times("tool", &["calls", "rate/s", "errors"], page.columns);
    for (name, figures) in &rows {
        let mut row = vec![Cell::plain(clean(name)), Cell::plain(count(figures.requests))];
        row.push(Cell::plain(rate(figures.requests_per_s)));
        row.push(failed(figures));
        row.extend(times(&figures.response_time, page.columns));
        table.push(row);
    }
    page.blank();
    page.table(&table);
    let distributions: Vec<&Distribution> = rows.iter().map(|(_, figures)| &figures.response_time).collect();
    footnote(&distributions, page);
}

/// The clocks of a call beside each other, where they tell more than the response time alone.
pub(super) fn clocks(report: &Report, page: &mut Page) {
    let totals = &report.totals;
    let service = &totals.service_time;
    let others =
        [("headers", &totals.headers), ("first event", &totals.first_event), ("end of body", &totals.end)];
    let telling: Vec<_> = others.into_iter().filter(|(_, clock)| differs(clock, service)).collect();
    if telling.is_empty() && !differs(&totals.response_time, service) {
        return;
    }
    let always = [("response, since due", &totals.response_time), ("service, since sent", service)];
    let mut table = table_of_times("clock", &[], page.columns);
    for (name, clock) in always.into_iter().chain(telling) {
        let mut row = vec![Cell::plain(name)];
        row.extend(times(clock, page.columns));
        table.push(row);
    }
    page.blank();
    page.table(&table);
}

/// What it took to hold sessions.
pub(super) fn sessions(report: &Report, page: &mut Page) {
    let books = &report.books;
    let facts = [
        (books.iterations_completed, "iteration", "done"),
        (books.iterations_failed, "iteration", "failed by a plugin"),
        (books.iterations_interrupted, "iteration", "still under way at the end"),
        (books.sessions_opened, "session", "opened"),
        (books.sessions_closed, "session", "closed"),
        (books.sessions_lost, "session", "forgotten by the server"),
        (books.connections_opened, "connection", "opened"),
        (books.stale_retries, "request", "sent again after a stale connection"),
        (books.foreign_answers, "answer", "with an id not ours"),
        (books.server_requests, "request", "of the server answered"),
        (books.extra_rounds, "extra round", "for input"),
        (books.resumes, "stream", "resumed"),
    ];
    let facts = facts.into_iter().filter(|(number, ..)| *number > 0);
    let facts: Vec<String> =
        facts.map(|(number, noun, what)| format!("{} {what}", counted(number, noun))).collect();
    let used: Vec<_> = report.lifecycle.iter().filter(|(_, figures)| figures.requests > 0).collect();
    if facts.is_empty() && used.is_empty() {
        return;
    }
    page.heading("sessions");
    page.joined(&facts, Tone::Quiet);
    if used.is_empty() {
        return;
    }
    let mut distributions = Vec::new();
    let mut table = table_of_times("method", &["calls", "errors"], page.columns);
    for (method, figures) in used {
        let mut row = vec![Cell::plain(clean(method)), Cell::plain(count(figures.requests)), failed(figures)];
        row.extend(times(&figures.response_time, page.columns));
        table.push(row);
        distributions.push(&figures.response_time);
    }
    page.table(&table);
    footnote(&distributions, page);
}

fn table_of_times(name: &'static str, counts: &[&'static str], columns: usize) -> Table {
    let mut header = vec![name];
    header.extend(counts);
    header.extend(percentiles_at(columns).map(|percentile| percentile.title));
    header.extend((columns >= ORDINARY).then_some("max"));
    Table::new(header)
}

fn times(times: &Distribution, columns: usize) -> impl Iterator<Item = Cell> {
    let longest = (columns >= ORDINARY).then(|| longest(times));
    percentiles_at(columns).map(|percentile| percentile.shown(times)).chain(longest).map(|text| {
        let tone = if text == UNKNOWN { Tone::Quiet } else { Tone::Plain };
        Cell::new(text, tone)
    })
}

fn failed(figures: &Figures) -> Cell {
    if figures.requests == 0 {
        return Cell::new(UNKNOWN, Tone::Quiet);
    }
    let tone = if figures.failed > 0 { Tone::Bad } else { Tone::Plain };
    Cell::new(percent(figures.failed, figures.requests), tone)
}

/// Says what the dash means, once, where a percentile is missing for lack of calls.
fn footnote(distributions: &[&Distribution], page: &mut Page) {
    let lacking = percentiles_at(page.columns)
        .filter(|percentile| distributions.iter().any(|times| percentile.lacks_calls(times)))
        .map(|percentile| format!("{} {}", percentile.title, count(percentile.least)));
    let lacking: Vec<String> = lacking.collect();
    if !lacking.is_empty() {
        let text = format!("fewer ok calls than the percentile needs ({})", lacking.join(", "));
        page.hanging("- ", Tone::Quiet, &text, Tone::Quiet);
    }
}

/// Whether a clock tells something that the service time does not: more than a tenth and 100 us away, in the middle or the tail.
fn differs(clock: &Distribution, service: &Distribution) -> bool {
    let apart = |of: fn(&Distribution) -> Option<u64>| match (of(clock), of(service)) {
        (Some(clock), Some(service)) => clock.abs_diff(service) > (service / 10).max(100),
        _ => false,
    };
    apart(|times| times.p50_us) || apart(|times| times.p99_us)
}

/// The rows of the table: each object once, and each method without object once.
fn rows(report: &Report) -> Vec<(String, &Figures)> {
    let mut rows: Vec<(String, &Figures)> = Vec::new();
    for series in report.series.iter().filter(|series| series.kind == Kind::Operation) {
        let Some((name, figures)) = row_of(report, series) else { continue };
        if !rows.iter().any(|(known, _)| *known == name) {
            rows.push((name, figures));
        }
    }
    rows
}

fn row_of<'a>(report: &'a Report, series: &Series) -> Option<(String, &'a Figures)> {
    let Some(name) = series.row_name() else {
        return report.per_method.get(&series.method).map(|figures| (series.method.clone(), figures));
    };
    report.per_tool.get(&name).map(|row| (name, &row.figures))
}
