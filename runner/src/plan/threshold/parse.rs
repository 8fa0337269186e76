//! Reads thresholds.
//!
//! ```text
//! threshold = [ metric [ "{" filter { "," filter } "}" ] ] condition
//! filter    = ( "tool" | "method" | "scenario" | "label" | "check" ) "=" name
//! condition = [ aggregate ] ( "<" | "<=" | ">" | ">=" | "==" ) number [ unit ] extent
//! aggregate = "p(" number ")" | "p" number | "med" | "mean" | "avg" | "min" | "max" | "rate" | "count" | "per_s"
//! unit      = "us" | "ms" | "s" | "m" | "%" | "/s"
//! ```
//!
//! A name stands in quotes where it holds anything but letters, digits and `_ - . : /`. Without a metric, times are response times
//! and counts are of requests; without an aggregate, the unit tells: per cent is a rate, `/s` is per second, a number is a count. What an
//! extent is, [`super::extent`] says.

use std::ops::Range;
use std::str::FromStr;

use super::metric::Quantity;
use super::{Aggregate, Bound, Clock, Comparison, Filter, Metric, Percentile, Subject, Threshold, Unit};
use crate::plan::config::suggestion;

/// Times above one hour have no bucket in a histogram, so that no bound up there can be decided.
const LONGEST_TIME: f64 = 3_600_000_000.0;

const AGGREGATES: [&str; 8] = ["p(N)", "med", "mean", "min", "max", "rate", "count", "per_s"];
/// How words begin that may be meant to stand behind a bound, and are no unit of it.
const EXTENT: [&str; 6] = ["over", "abort", "after", "window", "warm", "delay"];
const WHOLE: &str =
    "write metric, aggregate and bound, such as `response_time p(99) < 500ms` or `errors rate < 1%`";

/// Why a text is not a threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The bytes of the text that are meant; both ends are between two characters.
    pub span: Range<usize>,
    /// What is wrong, as a fragment without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// A metric of certain calls: the first half of a threshold, which is a key in the file.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::plan) struct Measured {
    metric: Metric,
    filters: Vec<Filter>,
}

impl FromStr for Threshold {
    type Err = Refusal;

    /// ```
    /// use pmcp_loadtest::plan::Threshold;
    /// let threshold: Threshold = "response_time{tool=search} p99<300ms".parse().map_err(|_| "refused")?;
    /// assert_eq!(threshold.to_string(), "response_time{tool=search} p(99) < 300ms");
    /// let refusal = "response_time p(99) < 300".parse::<Threshold>().unwrap_err();
    /// assert_eq!(refusal.span, 22..25);
    /// # Ok::<(), &str>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let mut cursor = Cursor { text, at: 0 };
        // A text that begins with an aggregate or a comparison leaves the metric unsaid.
        let mut ahead = Cursor { text, at: 0 };
        let unsaid = ahead.sign()
            || match ahead.aggregate() {
                Ok(aggregate) => aggregate.is_some() && ahead.sign(),
                Err(_) => cursor.percentile_stands_here(),
            };
        if unsaid {
            let aggregate = cursor.aggregate()?;
            let metric = implied_metric(aggregate, cursor.rest_of_text())?;
            return cursor.bounded(Measured { metric, filters: Vec::new() }, aggregate);
        }
        let measured = cursor.measured()?;
        cursor.condition(measured)
    }
}

impl FromStr for Measured {
    type Err = Refusal;
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let mut cursor = Cursor { text, at: 0 };
        let measured = cursor.measured()?;
        match cursor.rest_of_text() {
            rest if rest.is_empty() => Ok(measured),
            rest => Err(refusal(
                rest,
                "the key is a metric with its filters, and nothing else",
                "write the condition as the value, such as `response_time = [\"p(99) < 500ms\"]`",
            )),
        }
    }
}

impl Measured {
    /// The threshold that a condition makes of it.
    pub(in crate::plan) fn threshold(&self, condition: &str) -> Result<Threshold, Refusal> {
        Cursor { text: condition, at: 0 }.condition(self.clone())
    }
}

pub(super) fn refusal(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Refusal {
    Refusal { span, message: message.into(), help: help.into() }
}

/// Whether a name with this character needs no quotes.
pub(super) fn is_bare(character: char) -> bool {
    character.is_alphanumeric() || "_-.:/".contains(character)
}

/// What is meant where no metric is named.
fn implied_metric(aggregate: Option<Aggregate>, span: Range<usize>) -> Result<Metric, Refusal> {
    match aggregate {
        Some(Aggregate::Count | Aggregate::PerSecond) => Ok(Metric::Requests),
        Some(Aggregate::Rate) | None => {
            Err(refusal(span, "this is a bound on nothing", format!("name a metric first: {WHOLE}")))
        }
        Some(_) => Ok(Metric::Time(Clock::ResponseTime)),
    }
}

/// What is meant where no aggregate is named.
fn implied_aggregate(unit: Unit) -> Option<Aggregate> {
    match unit {
        Unit::Percent => Some(Aggregate::Rate),
        Unit::Plain => Some(Aggregate::Count),
        Unit::PerSecond => Some(Aggregate::PerSecond),
        Unit::Microseconds | Unit::Milliseconds | Unit::Seconds | Unit::Minutes => None,
    }
}

/// A text and how far it has been read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Everything that was not read yet, without the blanks around it.
    pub(super) fn rest_of_text(&self) -> Range<usize> {
        let start = self.text.len() - self.rest().trim_start().len();
        start..self.text.trim_end().len().max(start)
    }

    /// Reads the characters that belong to a word.
    pub(super) fn take(&mut self, belongs: impl Fn(char) -> bool) -> (&'a str, Range<usize>) {
        self.skip_blanks();
        let rest = self.rest();
        let end = rest.find(|character| !belongs(character)).unwrap_or(rest.len());
        let start = self.at;
        self.at += end;
        (&rest[..end], start..self.at)
    }

    /// Reads this text, if it stands here.
    fn eat(&mut self, wanted: &str) -> bool {
        self.skip_blanks();
        let stands = self.rest().starts_with(wanted);
        self.at += if stands { wanted.len() } else { 0 };
        stands
    }

    /// Whether a comparison begins here.
    fn sign(&mut self) -> bool {
        self.skip_blanks();
        self.rest().starts_with(['<', '>', '='])
    }

    /// The character that stands here, for pointing at.
    fn here(&self) -> Range<usize> {
        let start = self.rest_of_text().start;
        let length = self.text[start..].chars().next().map_or(0, char::len_utf8);
        start..start + length
    }

    fn measured(&mut self) -> Result<Measured, Refusal> {
        let (name, span) = self.take(is_bare);
        if name.is_empty() {
            return Err(refusal(self.here(), "a metric is missing", WHOLE));
        }
        let metric = Metric::named(name);
        // A word such as `p99` or `rate` here is a slip: nobody calls a metric so.
        if let Ok(Some(_)) = (Cursor { text: self.text, at: span.start }).aggregate() {
            return Err(refusal(span, format!("`{name}` is an aggregate, not a metric"), WHOLE));
        }
        let filters = if self.eat("{") { self.filters(&metric)? } else { Vec::new() };
        Ok(Measured { metric, filters })
    }

    fn filters(&mut self, metric: &Metric) -> Result<Vec<Filter>, Refusal> {
        let mut filters: Vec<Filter> = Vec::new();
        loop {
            let (word, span) = self.take(is_bare);
            let subjects: Vec<&str> = metric.subjects().iter().map(|subject| subject.as_str()).collect();
            let Some(subject) = Subject::ALL.into_iter().find(|subject| subject.as_str() == word) else {
                let span = if word.is_empty() { self.here() } else { span };
                let known = Subject::ALL.map(Subject::as_str);
                return Err(refusal(span, format!("`{word}` is not a filter"), suggestion(word, &known)));
            };
            if !metric.subjects().contains(&subject) {
                let help = match subjects.as_slice() {
                    [] => "it counts whatever was done; take the braces away".to_owned(),
                    subjects => format!("it can be filtered by {}", subjects.join(", ")),
                };
                return Err(refusal(span, format!("`{metric}` cannot be filtered by {word}"), help));
            }
            if filters.iter().any(|filter| filter.subject == subject) {
                return Err(refusal(
                    span,
                    format!("`{word}` stands twice"),
                    "write a threshold for each of them",
                ));
            }
            if !self.eat("=") {
                let help = format!("write `{word}=NAME`, the name in quotes where it has blanks or commas");
                return Err(refusal(self.here(), "a filter is a word, `=` and a name", help));
            }
            let name = self.name()?;
            filters.push(Filter { subject, name });
            if self.eat("}") {
                filters.sort();
                return Ok(filters);
            }
            if !self.eat(",") {
                let help =
                    "write `,` and another filter, or `}`; a name with other characters stands in quotes";
                return Err(refusal(self.here(), "the filters do not end", help));
            }
        }
    }

    /// The name in a filter, in quotes or bare.
    fn name(&mut self) -> Result<String, Refusal> {
        self.skip_blanks();
        let start = self.at;
        let Some(quote) = self.rest().chars().next().filter(|quote| matches!(quote, '"' | '\'')) else {
            return match self.take(is_bare) {
                ("", _) => Err(refusal(self.here(), "a name is missing", "write one behind the `=`")),
                (name, _) => Ok(name.to_owned()),
            };
        };
        let mut name = String::new();
        let mut escaped = false;
        for (offset, character) in self.rest().char_indices().skip(1) {
            if escaped || !(character == quote || character == '\\') {
                name.push(character);
                escaped = false;
            } else if character == '\\' {
                escaped = true;
            } else {
                self.at += offset + quote.len_utf8();
                return Ok(name);
            }
        }
        let help =
            format!("close it with {quote}; a quote or a backslash in a name has a backslash before it");
        Err(refusal(start..self.text.trim_end().len(), "the quote is not closed", help))
    }

    /// Whether `p(` or `p` and a number stands here, whatever the number.
    fn percentile_stands_here(mut self) -> bool {
        let (word, _) = self.take(is_bare);
        let number = word.strip_prefix('p').filter(|digits| digits.parse::<f64>().is_ok());
        number.is_some() || (word == "p" && self.rest().starts_with('('))
    }

    /// The aggregate that stands here, if one does.
    fn aggregate(&mut self) -> Result<Option<Aggregate>, Refusal> {
        let (word, span) = self.take(is_bare);
        let aggregate = match word {
            "" => return Ok(None),
            "med" | "median" => Aggregate::Median,
            "mean" | "avg" => Aggregate::Mean,
            "min" => Aggregate::Min,
            "max" => Aggregate::Max,
            "rate" => Aggregate::Rate,
            "count" => Aggregate::Count,
            "per_s" => Aggregate::PerSecond,
            "p" if self.rest().starts_with('(') => return self.percentile().map(Some),
            word => {
                let digits =
                    word.strip_prefix('p').filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit()));
                let Some(Ok(number)) = digits.map(str::parse) else {
                    let help = suggestion(word, &AGGREGATES);
                    return Err(refusal(span, format!("`{word}` is not an aggregate"), help));
                };
                Aggregate::Percentile(percentile(number, span)?)
            }
        };
        Ok(Some(aggregate))
    }

    /// The rest of `p(99.9)`.
    fn percentile(&mut self) -> Result<Aggregate, Refusal> {
        self.eat("(");
        let (digits, span) = self.take(|character| character != ')' && !"<>=".contains(character));
        let Ok(number) = digits.trim().parse() else {
            let span = if digits.is_empty() { self.here() } else { span };
            return Err(refusal(
                span,
                "a percentile is a number from 0 to 100",
                "write `p(99)` or `p(99.9)`",
            ));
        };
        let percentile = percentile(number, span)?;
        if !self.eat(")") {
            return Err(refusal(self.here(), "the percentile is not closed", "write `)` behind the number"));
        }
        Ok(Aggregate::Percentile(percentile))
    }

    fn condition(&mut self, measured: Measured) -> Result<Threshold, Refusal> {
        let before = *self;
        let aggregate = self.aggregate()?;
        if let Some(aggregate) = aggregate.filter(|aggregate| measured.metric.quantity(*aggregate).is_none())
        {
            let span = before.rest_of_text().start..self.at;
            return Err(without(&measured.metric, aggregate, span));
        }
        self.bounded(measured, aggregate)
    }

    /// Comparison, bound and extent, which end the text.
    fn bounded(&mut self, measured: Measured, aggregate: Option<Aggregate>) -> Result<Threshold, Refusal> {
        let Measured { metric, filters } = measured;
        let comparison = self.comparison()?;
        let (bound, span) = self.bound()?;
        let (window, abort) = self.extent()?;
        let Some(aggregate) = aggregate.or_else(|| implied_aggregate(bound.unit)) else {
            let help = format!("`{metric}` has {}", metric.aggregates().join(", "));
            return Err(refusal(span, "nothing says which of the times must be on this side", help));
        };
        let Some(quantity) = metric.quantity(aggregate) else {
            return Err(without(&metric, aggregate, span));
        };
        check(quantity, comparison, bound, span.clone())?;
        let threshold = Threshold { metric, filters, aggregate, comparison, bound, window, abort };
        threshold.can_abort().map_err(|(message, help)| refusal(span, message, help))?;
        Ok(threshold)
    }

    fn comparison(&mut self) -> Result<Comparison, Refusal> {
        let signs = [
            Comparison::AtMost,
            Comparison::AtLeast,
            Comparison::Equal,
            Comparison::Below,
            Comparison::Above,
        ];
        match signs.into_iter().find(|comparison| self.eat(comparison.as_str())) {
            Some(comparison) => Ok(comparison),
            None => Err(refusal(self.here(), "a comparison is missing", "write <, <=, >, >= or ==")),
        }
    }

    fn bound(&mut self) -> Result<(Bound, Range<usize>), Refusal> {
        let (number, number_span) =
            self.take(|character| character.is_ascii_digit() || "-+.".contains(character));
        let value = number.parse::<f64>().ok().filter(|value| value.is_finite());
        let Some(value) = value else {
            let span = if number.is_empty() { self.here() } else { number_span };
            return Err(refusal(
                span,
                "this is not a number",
                "write one with its unit, such as 500ms, 1% or 200/s",
            ));
        };
        let before = *self;
        let (mut word, unit_span) =
            self.take(|character| character.is_alphabetic() || "%/".contains(character));
        if EXTENT.contains(&word) {
            *self = before;
            word = "";
        }
        let unit = match word {
            "" => Unit::Plain,
            "%" => Unit::Percent,
            "us" | "µs" | "μs" => Unit::Microseconds,
            "ms" => Unit::Milliseconds,
            "s" => Unit::Seconds,
            "m" => Unit::Minutes,
            "/s" => Unit::PerSecond,
            word => {
                let help = "known here: us, ms, s, m, %, /s, or none";
                return Err(refusal(unit_span, format!("`{word}` is not a unit"), help));
            }
        };
        let end = if word.is_empty() { number_span.end } else { unit_span.end };
        Ok((Bound { value, unit }, number_span.start..end))
    }
}

fn percentile(number: f64, span: Range<usize>) -> Result<Percentile, Refusal> {
    Percentile::new(number)
        .ok_or_else(|| refusal(span, "a percentile is a number from 0 to 100", "write `p(99)` or `p(99.9)`"))
}

/// The metric has no such aggregate.
fn without(metric: &Metric, aggregate: Aggregate, span: Range<usize>) -> Refusal {
    refusal(
        span,
        format!("`{metric}` has no {aggregate}"),
        format!("it has {}", metric.aggregates().join(", ")),
    )
}

/// Whether the bound is of the quantity, and one that can be met and missed.
fn check(
    quantity: Quantity,
    comparison: Comparison,
    bound: Bound,
    span: Range<usize>,
) -> Result<(), Refusal> {
    let unit = bound.unit;
    let (fits, wanted, help) = match quantity {
        Quantity::Custom => return Ok(()),
        Quantity::Time => (unit.is_time(), "a time", "write a number with us, ms, s or m, such as 500ms"),
        Quantity::Share => (
            matches!(unit, Unit::Plain | Unit::Percent),
            "a share of all",
            "write it in per cent, such as 1%, or as a number from 0 to 1",
        ),
        Quantity::Count => (unit == Unit::Plain, "a count", "write a number without a unit"),
        Quantity::PerSecond => (
            matches!(unit, Unit::Plain | Unit::PerSecond),
            "a number per second",
            "write a number, such as 200/s",
        ),
    };
    if !fits {
        let message = match unit {
            Unit::Plain => format!("{wanted} needs a unit"),
            unit => format!("{wanted} is not counted in `{}`", unit.as_str()),
        };
        return Err(refusal(span, message, help));
    }
    let value = bound.in_base_unit();
    let most = match quantity {
        Quantity::Time => LONGEST_TIME,
        Quantity::Share => 1.0,
        Quantity::Count | Quantity::PerSecond | Quantity::Custom => f64::INFINITY,
    };
    if value < 0.0 {
        return Err(refusal(span, format!("{wanted} is never negative"), help));
    }
    if value > most {
        let (message, help) = match quantity {
            Quantity::Share if unit == Unit::Plain => {
                (format!("{wanted} is a number from 0 to 1"), format!("did you mean `{}%`?", bound.value))
            }
            Quantity::Share => (format!("{wanted} is at most 100%"), help.to_owned()),
            _ => ("times are measured up to one hour".to_owned(), "write 60m or less".to_owned()),
        };
        return Err(refusal(span, message, help));
    }
    let never = match comparison {
        Comparison::Below => value <= 0.0,
        Comparison::Above => value >= most,
        Comparison::AtMost | Comparison::AtLeast | Comparison::Equal => false,
    };
    if never {
        let (sign, other) = (comparison.as_str(), if comparison == Comparison::Below { "<=" } else { ">=" });
        return Err(refusal(
            span,
            format!("nothing is ever {sign} {bound}"),
            format!("did you mean `{other} {bound}`?"),
        ));
    }
    Ok(())
}
