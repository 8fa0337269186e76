//! Figures beside what was promised of them, as an aligned table.

use std::fmt;

use serde::Serialize;

/// One figure, where possible with the bounds it is held to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    /// `None` where it could not be measured; `note` says why.
    pub(crate) value: Option<f64>,
    pub(crate) unit: Unit,
    /// What it should not exceed, and what it must not.
    pub(crate) bounds: Option<Bounds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

/// What a figure should not exceed, and what it must not.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Bounds {
    pub(crate) target: f64,
    pub(crate) limit: f64,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Unit {
    #[serde(rename = "us")]
    Microseconds,
    #[serde(rename = "ratio")]
    Ratio,
    #[serde(rename = "count")]
    Count,
    #[serde(rename = "MB")]
    Megabytes,
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "percent")]
    Percent,
}

/// How a figure stands to its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing was promised of it.
    Shown,
    /// It could not be measured.
    Skipped,
    Holds,
    /// Above its target, below its limit.
    Above,
    Fails,
}

impl Figure {
    /// A figure of which nothing is promised.
    pub(crate) fn shown(name: String, value: f64, unit: Unit) -> Self {
        Self { name, value: Some(value), unit, bounds: None, note: None }
    }

    /// A figure with a promise.
    pub(crate) fn bounded(name: &str, value: f64, unit: Unit, target: f64, limit: f64) -> Self {
        let bounds = Some(Bounds { target, limit });
        Self { name: name.to_owned(), value: Some(value), unit, bounds, note: None }
    }

    /// The same figure, not measured.
    #[must_use]
    pub(crate) fn skipped(self, why: &str) -> Self {
        Self { value: None, note: Some(why.to_owned()), ..self }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        // Judged as it is shown: 1.002 allocations are one, and what happens once in a while.
        let shown = self.value.map(|value| (value * 100.0).round() / 100.0);
        match (shown, self.bounds) {
            (None, _) => Verdict::Skipped,
            (Some(_), None) => Verdict::Shown,
            (Some(value), Some(bounds)) if value > bounds.limit => Verdict::Fails,
            (Some(value), Some(bounds)) if value > bounds.target => Verdict::Above,
            (Some(_), Some(_)) => Verdict::Holds,
        }
    }

    fn cells(&self) -> [String; 5] {
        let text = |value: f64| match self.unit {
            Unit::Percent => format!("{value:.2}"),
            Unit::Milliseconds => format!("{value:.1}"),
            Unit::Ratio | Unit::Microseconds | Unit::Count if value < 100.0 => format!("{value:.2}"),
            _ => format!("{value:.0}"),
        };
        let bound =
            |bound: fn(Bounds) -> f64| self.bounds.map(|bounds| text(bound(bounds))).unwrap_or_default();
        let unit = match self.unit {
            Unit::Microseconds => " us",
            Unit::Megabytes => " MB",
            Unit::Milliseconds => " ms",
            Unit::Percent => " %",
            Unit::Ratio | Unit::Count => "",
        };
        let value = self.value.map_or_else(|| "-".to_owned(), |value| text(value) + unit);
        let verdict = self.note.clone().unwrap_or_else(|| self.verdict().to_string());
        [self.name.clone(), value, bound(|bounds| bounds.target), bound(|bounds| bounds.limit), verdict]
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Shown => "",
            Self::Skipped => "skipped",
            Self::Holds => "holds",
            Self::Above => "above target",
            Self::Fails => "FAILS",
        })
    }
}

/// Prints the figures, one a line.
#[expect(clippy::print_stdout, reason = "the table is this program's output")]
pub(crate) fn print_table(figures: &[Figure]) {
    let head = ["figure", "measured", "target", "fails above", ""].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(figures.iter().map(Figure::cells)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [name, measured, target, limit] = [0, 1, 2, 3].map(width);
    for [a, b, c, d, e] in &rows {
        println!("{}", format!("{a:name$}  {b:>measured$}  {c:>target$}  {d:>limit$}  {e}").trim_end());
    }
}
