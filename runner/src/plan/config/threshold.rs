//! The `[thresholds]` table and the flags beside it; and whether what they are about is in the plan at all.

use std::collections::BTreeSet;
use std::ops::Range;

use super::error::Problems;
use super::overrides::Overrides;
use super::source::Source;
use super::value::{At, Condition, Conditions, Entries};
use super::wording::{not_yet, suggestion};
use crate::plan::scenario::series_of;
use crate::plan::threshold::{Measured, Metric, Refusal, Subject};
use crate::plan::{Scenario, Script, SeriesKey, Threshold};

/// The scenarios of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// Those that run.
    pub(super) chosen: &'a [Scenario],
    /// Those that were not asked for.
    pub(super) left_out: &'a [Scenario],
}

/// A threshold and where it was written.
struct Written<'a> {
    threshold: Threshold,
    source: Source<'a>,
    span: Range<usize>,
}

/// The thresholds of the run: those of the command line, and of the file those that they do not replace. `known` is missing where
/// the scenarios could not be read, so that nothing can be said about names.
pub(super) fn resolve(
    table: Entries<At<Conditions>>,
    overrides: &Overrides,
    known: Option<Known<'_>>,
    problems: &mut Problems<'_>,
    notes: &mut Vec<String>,
) -> Vec<Threshold> {
    let mut of_file = of_file(table, problems);
    let flags = [("--threshold", &overrides.thresholds), ("--assert", &overrides.assertions)];
    let of_flags = flags.into_iter().flat_map(|(flag, texts)| texts.iter().map(move |text| (flag, text)));
    let of_flags: Vec<Written<'_>> =
        of_flags.filter_map(|(flag, text)| of_flag(flag, text, problems)).collect();
    of_file.retain(|written| {
        !of_flags.iter().any(|flag| flag.threshold.demands_the_same_as(&written.threshold))
    });
    if let Some(known) = known {
        of_file.retain(|written| !is_left_out(&written.threshold, known, notes));
        for Written { threshold, source, span } in of_file.iter().chain(&of_flags) {
            if let Err((message, help)) = occurs(threshold, known.chosen) {
                problems.within(*source, span, message, help);
            }
        }
    }
    of_file.into_iter().chain(of_flags).map(|written| written.threshold).collect()
}

fn of_file<'a>(table: Entries<At<Conditions>>, problems: &mut Problems<'a>) -> Vec<Written<'a>> {
    let source = problems.source();
    let mut read = Vec::new();
    for (key, conditions) in table.0 {
        let conditions = match conditions.value {
            _ if later(&key.value).is_some() => {
                refuse_later(&key, problems);
                continue;
            }
            Conditions::List(list) => list,
            Conditions::Other => {
                let help = "write a list of texts, such as [\"p(99) < 500ms\"]";
                problems.at(&conditions.span, "the conditions of a metric are a list", help);
                continue;
            }
        };
        let measured: Measured = match key.value.parse() {
            Ok(measured) => measured,
            Err(refusal) => {
                refuse(&refusal, source, &inside(source, &key.span, &key.value, &refusal), problems);
                continue;
            }
        };
        for condition in conditions {
            match condition.value {
                Condition::Table(keys) => refuse_table(&condition.span, &keys, problems),
                Condition::Text(text) => match measured.threshold(&text) {
                    Ok(threshold) => read.push(Written { threshold, source, span: key.span.clone() }),
                    Err(refusal) => {
                        let span = inside(source, &condition.span, &text, &refusal);
                        refuse(&refusal, source, &span, problems);
                    }
                },
            }
        }
    }
    read
}

fn of_flag<'a>(flag: &'a str, text: &'a str, problems: &mut Problems<'_>) -> Option<Written<'a>> {
    let source = Source { name: flag, text };
    match text.parse() {
        Ok(threshold) => Some(Written { threshold, source, span: 0..text.len() }),
        Err(refusal) => {
            refuse(&refusal, source, &refusal.span, problems);
            None
        }
    }
}

fn refuse(refusal: &Refusal, source: Source<'_>, span: &Range<usize>, problems: &mut Problems<'_>) {
    problems.within(source, span, refusal.message.as_str(), refusal.help.as_str());
}

/// A condition that is a table: of its keys, those of later versions are refused by name.
fn refuse_table(span: &Range<usize>, keys: &[At<String>], problems: &mut Problems<'_>) {
    if !keys.iter().any(|key| later(&key.value).is_some()) {
        let help = "write aggregate, comparison and bound, such as \"p(99) < 500ms\"";
        problems.at(span, "a condition is a text", help);
    }
    for key in keys {
        refuse_later(key, problems);
    }
}

fn refuse_later(key: &At<String>, problems: &mut Problems<'_>) {
    if let Some(reason) = later(&key.value) {
        let help = "remove it; it is refused so that nobody believes it was done";
        problems.at(&key.span, format!("`{}`: {reason}", key.value), help);
    }
}

/// Why a word that belongs to thresholds is refused by this version.
fn later(word: &str) -> Option<&'static str> {
    let word = ["abort_on_fail", "delay_abort", "delay_abort_eval", "window", "warm_up"]
        .into_iter()
        .find(|known| *known == word)?;
    not_yet(word)
}

/// Where in the file the refused part of a text stands; the whole text where an escape moves its characters.
fn inside(source: Source<'_>, span: &Range<usize>, text: &str, refusal: &Refusal) -> Range<usize> {
    let written = source.text.get(span.clone()).unwrap_or_default();
    match written.find(text) {
        Some(offset) if !text.is_empty() => {
            let start = span.start + offset;
            start + refusal.span.start..start + refusal.span.end
        }
        _ => span.clone(),
    }
}

/// Whether a threshold of the file is about scenarios of the file that do not run this time; then a note says so.
fn is_left_out(threshold: &Threshold, known: Known<'_>, notes: &mut Vec<String>) -> bool {
    if known.left_out.is_empty() || occurs(threshold, known.chosen).is_ok() {
        return false;
    }
    let all: Vec<Scenario> = known.chosen.iter().chain(known.left_out).cloned().collect();
    let left_out = occurs(threshold, &all).is_ok();
    if left_out {
        notes
            .push(format!("`{threshold}` is not judged: what it is about is not among the chosen scenarios"));
    }
    left_out
}

/// Whether these scenarios do anything that the threshold could be about; if not, message and help.
///
/// What a plugin calls is known only when it runs, and so are its checks and metrics.
fn occurs(threshold: &Threshold, scenarios: &[Scenario]) -> Result<(), (String, String)> {
    let plugins = scenarios.iter().any(|scenario| matches!(scenario.script, Script::Plugin(_)));
    match &threshold.metric {
        Metric::Custom(name) if !plugins => {
            let message = format!("there is no metric called `{name}`, and no plugin that could declare it");
            return Err((message, suggestion(name, &Metric::NAMES)));
        }
        Metric::Checks if !plugins => {
            let help = "take it away; `errors` counts answers that were not what was expected".to_owned();
            return Err(("only plugins have checks, and no scenario is one".to_owned(), help));
        }
        _ => {}
    }
    let series = series_of(scenarios);
    for filter in &threshold.filters {
        let known: BTreeSet<String> = match filter.subject {
            Subject::Scenario => scenarios.iter().map(|scenario| scenario.name.clone()).collect(),
            Subject::Check => continue,
            _ if plugins => continue,
            subject => series.iter().filter_map(|series| subject.of(series)).collect(),
        };
        if !known.contains(&filter.name) {
            let subject = filter.subject.as_str();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let help = match known.as_slice() {
                [] => format!("no step has a {subject}"),
                known => suggestion(&filter.name, known),
            };
            let message = match filter.subject {
                Subject::Scenario => format!("there is no scenario called `{}`", filter.name),
                _ => format!("no step has the {subject} `{}`", filter.name),
            };
            return Err((message, help));
        }
    }
    let about_calls = !matches!(threshold.metric, Metric::Custom(_) | Metric::Checks | Metric::Iterations);
    if about_calls && !plugins && !series.iter().any(|series: &SeriesKey| threshold.covers(series)) {
        let help = "take one of the filters away".to_owned();
        return Err((format!("no step matches all filters of `{}`", threshold.subject()), help));
    }
    Ok(())
}
