//! A table aligned by display width: the first column is text and gives way when there is no room, the others are figures; the last
//! one may be text that takes what room is left.

use super::layout::{elide_end, elide_middle, width};
use super::paint::{Tone, paint};

/// Spaces between columns.
const GAP: usize = 2;
/// The first column never shrinks below this.
const NARROWEST_NAME: usize = 8;
/// What is kept for text at the end before the first column may take it.
const ROOM_FOR_TEXT: usize = 24;

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    text: String,
    tone: Tone,
}

/// Rows under a header.
#[derive(Debug)]
pub(super) struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
    /// Whether the last column is text.
    ends_in_text: bool,
}

impl Cell {
    pub(super) fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Tone::Plain)
    }
}

impl Table {
    pub(super) fn new(header: Vec<&'static str>) -> Self {
        Self { header, rows: Vec::new(), ends_in_text: false }
    }

    /// A table whose last column is text: it begins in one column, and its end gives way.
    pub(super) fn ending_in_text(header: Vec<&'static str>) -> Self {
        Self { ends_in_text: true, ..Self::new(header) }
    }

    /// Adds a row of as many cells as the header has.
    pub(super) fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.header.len(), "a row has a cell for every column");
        self.rows.push(row);
    }

    /// The lines of the table within `columns`.
    pub(super) fn lines(&self, columns: usize, colour: bool) -> Vec<String> {
        let mut widths = self.widths();
        let text = self.ends_in_text.then(|| widths.pop().unwrap_or(0));
        let kept_for_text = text.map_or(0, |text| GAP + text.min(ROOM_FOR_TEXT));
        let figures: usize = widths[1..].iter().map(|width| width + GAP).sum();
        widths[0] = widths[0].min(columns.saturating_sub(figures + kept_for_text)).max(NARROWEST_NAME);
        let room = columns.saturating_sub(widths[0] + figures + GAP);
        let header: Vec<Cell> = self.header.iter().map(|&title| Cell::new(title, Tone::Quiet)).collect();
        let rows = std::iter::once(&header).chain(&self.rows);
        rows.map(|row| {
            let mut line = line(row, &widths, colour);
            if let (true, Some(text)) = (self.ends_in_text, row.last()) {
                line.push_str(&" ".repeat(GAP));
                line.push_str(&paint(&elide_end(&text.text, room), text.tone, colour));
            }
            line
        })
        .collect()
    }

    fn widths(&self) -> Vec<usize> {
        let column = |index: usize| {
            let cells = self.rows.iter().map(|row| width(&row[index].text));
            cells.chain([width(self.header[index])]).max().unwrap_or(0)
        };
        (0..self.header.len()).map(column).collect()
    }
}

fn line(row: &[Cell], widths: &[usize], colour: bool) -> String {
    let mut line = String::new();
    for (index, (cell, &columns)) in row.iter().zip(widths).enumerate() {
        let text = elide_middle(&cell.text, columns);
        let padding = " ".repeat(columns - width(&text));
        let painted = paint(&text, cell.tone, colour);
        if index == 0 {
            line.push_str(&painted);
            line.push_str(&padding);
        } else {
            line.push_str(&" ".repeat(GAP));
            line.push_str(&padding);
            line.push_str(&painted);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(vec!["tool", "calls"]);
        table.push(vec![Cell::plain("検索"), Cell::new("7", Tone::Bad)]);
        table.push(vec![Cell::plain("a_rather_long_tool_name"), Cell::plain("12,345")]);
        table
    }

    #[test]
    fn figures_end_in_the_same_column_whatever_the_name_is_made_of() {
        let widths: Vec<usize> = table().lines(80, false).iter().map(|line| width(line)).collect();
        assert_eq!(widths, [31, 31, 31]);
    }

    #[test]
    fn text_at_the_end_takes_the_room_that_is_left_and_gives_way_at_its_end() {
        let mut table = Table::ending_in_text(vec!["check", "failed", "message"]);
        table.push(vec![
            Cell::plain("total"),
            Cell::plain("3"),
            Cell::plain("the sum is not that of the items"),
        ]);
        table.push(vec![Cell::plain("in_stock"), Cell::plain("0"), Cell::plain("")]);
        assert_eq!(
            table.lines(40, false),
            ["check     failed  message", "total          3  the sum is not that o…", "in_stock       0  "]
        );
    }

    #[test]
    fn colour_changes_no_alignment() {
        let plain = table().lines(80, false);
        let coloured = table().lines(80, true);
        assert_ne!(plain, coloured);
        let stripped: Vec<String> = coloured.iter().map(|line| without_codes(line)).collect();
        assert_eq!(stripped, plain);
    }

    #[test]
    fn only_the_name_gives_way_when_there_is_no_room() {
        let lines = table().lines(20, false);
        assert_eq!(lines[2], "a_rath…_name  12,345");
    }

    fn without_codes(line: &str) -> String {
        let mut parts = line.split('\u{1b}');
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
    }
}
