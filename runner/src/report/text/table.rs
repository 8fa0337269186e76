//! A table aligned by display width: the first column is text and gives way when there is no room, the others are figures.

use super::layout::{elide_middle, width};
use super::paint::{Tone, paint};

/// Spaces between columns.
const GAP: usize = 2;
/// The first column never shrinks below this.
const NARROWEST_NAME: usize = 8;

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
        Self { header, rows: Vec::new() }
    }

    /// Adds a row of as many cells as the header has.
    pub(super) fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.header.len(), "a row has a cell for every column");
        self.rows.push(row);
    }

    /// The lines of the table within `columns`.
    pub(super) fn lines(&self, columns: usize, colour: bool) -> Vec<String> {
        let mut widths = self.widths();
        let figures: usize = widths[1..].iter().map(|width| width + GAP).sum();
        widths[0] = widths[0].min(columns.saturating_sub(figures)).max(NARROWEST_NAME);
        let header: Vec<Cell> = self.header.iter().map(|&title| Cell::new(title, Tone::Quiet)).collect();
        std::iter::once(&header).chain(&self.rows).map(|row| line(row, &widths, colour)).collect()
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
