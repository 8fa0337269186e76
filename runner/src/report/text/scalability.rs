//! The summary of what more cores would bring: the prediction or the reasons against one, and the points behind it.

use super::capacity::outcome;
use super::layout::clean;
use super::paint::Tone;
use super::table::{Cell, Table};
use super::{LABEL, Page, TextStyle};
use crate::judge::scalability::{CapacityKind, Scalability};
use crate::judge::wording::{count, rate};
use crate::report::ScalabilityReport;

impl ScalabilityReport {
    /// The summary for a person. `saved_to` is where the report was written, if it was.
    pub fn text(&self, style: TextStyle, saved_to: Option<&str>) -> String {
        let mut page = Page::new(style);
        let (sign, tone) = outcome(self.verdict.outcome);
        page.hanging(&format!("{sign:<LABEL$}"), tone, &self.verdict.reason, Tone::Strong);
        // The first sentence of a prediction is the reason already.
        let said = usize::from(matches!(self.scalability, Scalability::Predicted(_)));
        for sentence in self.sentences.iter().skip(said) {
            page.hanging("- ", Tone::Quiet, sentence, Tone::Plain);
        }
        for note in &self.notes {
            page.hanging("note: ", Tone::Quiet, &clean(note), Tone::Quiet);
        }
        points(self, &mut page);
        if let Some(file) = saved_to {
            page.blank();
            page.hanging("report  ", Tone::Quiet, file, Tone::Plain);
        }
        page.finish()
    }
}

/// Every search, by number of cores.
fn points(report: &ScalabilityReport, page: &mut Page) {
    if report.points.is_empty() {
        return;
    }
    page.blank();
    let mut table = Table::ending_in_text(vec!["cores", "search", "iterations/s", "answer"]);
    for point in &report.points {
        for (index, repeat) in point.repeats.iter().enumerate() {
            let (word, tone) = kind(repeat.kind);
            table.push(vec![
                Cell::plain(if index == 0 { count(point.cores.into()) } else { String::new() }),
                Cell::plain(count(index as u64 + 1)),
                Cell::new(rate(repeat.per_s), Tone::Strong),
                Cell::new(word, tone),
            ]);
        }
    }
    page.table(&table);
}

fn kind(kind: CapacityKind) -> (&'static str, Tone) {
    match kind {
        CapacityKind::Capacity => ("capacity", Tone::Good),
        CapacityKind::AtLeast => ("at least", Tone::Doubtful),
        CapacityKind::GeneratorBound => ("generator-bound", Tone::Doubtful),
        CapacityKind::RateLimited => ("rate limit", Tone::Doubtful),
        CapacityKind::Metastable => ("metastable", Tone::Bad),
        CapacityKind::Invalid => ("no capacity", Tone::Bad),
    }
}
