//! The summary a person reads when the run is over: the answer in the first five lines, then what is behind it.
//!
//! In: a [`Report`]. Out: lines of at most the asked width, coloured or not. Nothing here knows a terminal.

mod breaking_point;
mod capacity;
mod layout;
mod paint;
mod plugins;
mod scalability;
mod sections;
mod shape;
mod table;
#[cfg(test)]
mod tests;
mod thresholds;
mod tools;
mod warm_up;

use super::Report;
use crate::judge::wording::{bytes, count, counted, percent, rate, time};
use crate::judge::{GateName, GateState, VerdictOutcome};
#[cfg(feature = "plugins")]
pub(crate) use layout::harmless;
pub(crate) use layout::{clean, elide_end, join_within, width, wrap};
pub(crate) use paint::{Tone, paint};

/// How the summary is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    /// Whether to colour it.
    pub colour: bool,
    /// Columns of the terminal; at least 60 are used.
    pub width: usize,
}

impl Default for TextStyle {
    /// No colour, 80 columns: what a file or a pipe gets.
    fn default() -> Self {
        Self { colour: false, width: 80 }
    }
}

/// Columns left free before every line.
const MARGIN: usize = 2;
/// Columns of the labels of the first lines.
const LABEL: usize = 15;
/// Below this the tables cannot be read.
const NARROWEST: usize = 60;
/// Wrapped text never gets narrower than this.
const NARROWEST_TEXT: usize = 20;

impl Report {
    /// The summary for a person. `saved_to` is where the report was written, if it was.
    pub fn text(&self, style: TextStyle, saved_to: Option<&str>) -> String {
        let mut page = Page::new(style);
        headline(self, &mut page);
        thresholds::thresholds(self, &mut page);
        sections::target(self, &mut page);
        tools::tools(self, &mut page);
        sections::timeline(self, &mut page);
        warm_up::suspicion(self, &mut page);
        tools::clocks(self, &mut page);
        sections::failures(self, &mut page);
        plugins::plugins(self, &mut page);
        tools::sessions(self, &mut page);
        sections::validity(self, &mut page);
        sections::next_steps(self, saved_to, &mut page);
        page.finish()
    }
}

/// The lines so far, and how to add to them.
#[derive(Debug)]
struct Page {
    lines: Vec<String>,
    colour: bool,
    /// Columns between the margins.
    columns: usize,
}

impl Page {
    fn new(style: TextStyle) -> Self {
        let columns = style.width.max(NARROWEST) - MARGIN;
        Self { lines: vec![String::new()], colour: style.colour, columns }
    }

    /// Adds one line, already laid out.
    fn line(&mut self, text: &str) {
        self.lines.push(format!("{}{text}", " ".repeat(MARGIN)).trim_end().to_owned());
    }

    fn blank(&mut self) {
        self.lines.push(String::new());
    }

    /// Begins a section.
    fn heading(&mut self, title: &str) {
        self.blank();
        let title = self.paint(title, Tone::Strong);
        self.line(&title);
    }

    /// Adds text that wraps under itself, after `lead`, which takes as many columns as it is wide.
    fn hanging(&mut self, lead: &str, lead_tone: Tone, text: &str, tone: Tone) {
        let indent = width(lead);
        let room = self.columns.saturating_sub(indent).max(NARROWEST_TEXT);
        for (index, line) in wrap(&clean(text), room).iter().enumerate() {
            let lead = if index == 0 { self.paint(lead, lead_tone) } else { " ".repeat(indent) };
            let painted = self.paint(line, tone);
            self.line(&format!("{lead}{painted}"));
        }
    }

    /// Adds parts joined by a middle dot, over as many lines as they need.
    fn joined(&mut self, parts: &[String], tone: Tone) {
        let parts: Vec<String> = parts.iter().map(|part| clean(part)).collect();
        for line in join_within(&parts, " · ", self.columns) {
            let painted = self.paint(&line, tone);
            self.line(&painted);
        }
    }

    fn table(&mut self, table: &table::Table) {
        for line in table.lines(self.columns, self.colour) {
            self.line(&line);
        }
    }

    fn paint(&self, text: &str, tone: Tone) -> String {
        paint(text, tone, self.colour)
    }

    fn finish(self) -> String {
        let mut text = self.lines.join("\n");
        text.push('\n');
        text
    }
}

/// The lines that answer: verdict, throughput, errors, response time, validity; and thresholds, where there are any.
fn headline(report: &Report, page: &mut Page) {
    let (sign, tone) = match report.verdict.outcome {
        VerdictOutcome::Passed => ("✓ passed", Tone::Good),
        VerdictOutcome::Failed => ("✗ failed", Tone::Bad),
        VerdictOutcome::Inconclusive => ("? inconclusive", Tone::Doubtful),
    };
    page.hanging(&format!("{sign:<LABEL$}"), tone, &report.verdict.reason, Tone::Strong);
    let totals = &report.totals;
    let throughput = format!("{} calls/s", rate(totals.requests_per_s));
    let left_out = report.warm_up.as_ref().map_or(0, |warm_up| warm_up.trimmed_s * 1_000_000);
    let measured_us = report.manifest.window_us.saturating_sub(left_out);
    let volume = [
        format!("{} in {}", counted(totals.requests_in_window, "call"), time(measured_us)),
        format!("{} sent", bytes(totals.bytes_sent)),
        format!("{} received", bytes(totals.bytes_received)),
    ];
    figure(page, "throughput", &throughput, Tone::Strong, &volume);
    let (share, which) = errors(report);
    figure(page, "errors", &share, if totals.failed > 0 { Tone::Bad } else { Tone::Plain }, &which);
    let times = tools::percentiles(&totals.response_time, page.columns - LABEL);
    figure(page, "response time", &times, Tone::Strong, &[format!("{} loop", report.manifest.load_model)]);
    arrivals(report, page);
    warm_up::headline(report, page);
    let (word, tone, detail) = trust(report);
    figure(page, "validity", &word, tone, &detail);
    thresholds::headline(report, page);
    breaking_point::headline(report, page);
}

/// Of open loads: what was asked of the generator, and the time that the server took beside the time that users waited.
fn arrivals(report: &Report, page: &mut Page) {
    let books = &report.books;
    if books.iterations_due == 0 {
        return;
    }
    let service = tools::percentiles(&report.totals.service_time, page.columns - LABEL);
    figure(page, "service time", &service, Tone::Plain, &["from sent, not from due".to_owned()]);
    let dropped = books.dropped.no_free_vu + books.dropped.run_ended;
    let (share, tone) = match dropped {
        0 => ("none dropped".to_owned(), Tone::Plain),
        some => (format!("{} dropped", percent(some, books.iterations_due)), Tone::Bad),
    };
    let mut details =
        vec![format!("{} of {}", count(dropped), counted(books.iterations_due, "due iteration"))];
    let reasons = [("no free VU", books.dropped.no_free_vu), ("run ended", books.dropped.run_ended)];
    let reasons = reasons.into_iter().filter(|(_, number)| *number > 0);
    details.extend(reasons.map(|(reason, number)| format!("{reason} {}", count(number))));
    if books.iterations_waited > 0 {
        details.push(format!("{} waited for a free VU", count(books.iterations_waited)));
    }
    figure(page, "arrivals", &share, tone, &details);
}

/// One line of the headline: a label, its figure, and as many of the details behind it as there is room for.
fn figure(page: &mut Page, label: &str, value: &str, tone: Tone, details: &[String]) {
    let mut room = page.columns.saturating_sub(LABEL + width(value));
    let fits = |detail: &&String| {
        let needed = width(detail) + 2;
        let fits = needed <= room;
        room = room.saturating_sub(needed);
        fits
    };
    let details: Vec<&str> = details.iter().take_while(fits).map(String::as_str).collect();
    let label = page.paint(&format!("{label:<LABEL$}"), Tone::Quiet);
    let value = page.paint(value, tone);
    let details = page.paint(&details.join(", "), Tone::Quiet);
    page.line(&format!("{label}{value}  {details}"));
}

fn errors(report: &Report) -> (String, Vec<String>) {
    let totals = &report.totals;
    let mut details = vec![format!("{} of {}", count(totals.failed), counted(totals.requests, "call"))];
    if totals.cancelled > 0 {
        details.push(format!("{} cut off by the end", count(totals.cancelled)));
    }
    let mut classes: Vec<_> = totals.failed_by_class.iter().collect();
    classes.sort_by(|left, right| right.1.cmp(left.1).then(left.0.cmp(right.0)));
    details.extend(classes.into_iter().map(|(class, number)| format!("{class} {}", count(*number))));
    (percent(totals.failed, totals.requests), details)
}

/// Whether the figures above can be believed, in a word and a line.
fn trust(report: &Report) -> (String, Tone, Vec<String>) {
    let number_of = |state| report.validity.iter().filter(|gate| gate.state == state).count();
    let (failed, unjudged) = (number_of(GateState::Failed), number_of(GateState::NotJudged));
    if failed > 0 {
        let word = format!("{failed} of {} checks failed", report.validity.len());
        return (word, Tone::Doubtful, vec!["see validity below".to_owned()]);
    }
    let mut detail = Vec::new();
    let observed =
        |name| report.validity.iter().find(|gate| gate.name == name).and_then(|gate| gate.observed);
    if let Some(cpu) = observed(GateName::GeneratorCpu) {
        detail.push(format!("generator CPU {:.0} %", cpu * 100.0));
    }
    if let Some(lateness) = report.totals.lateness.p99_us.filter(|_| report.totals.lateness.count >= 100) {
        detail.push(format!("99 % sent within {} of due", time(lateness)));
    }
    if unjudged > 0 {
        detail.push(format!("{unjudged} of {} checks not judged", report.validity.len()));
    }
    ("sound".to_owned(), Tone::Good, detail)
}
