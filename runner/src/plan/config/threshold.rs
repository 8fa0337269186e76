//! The `[thresholds]` table and the flags beside it; and whether what they are about is in the plan at all.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use super::condition::{Condition, Conditions, Scalar};
use super::error::Problems;
use super::overrides::Overrides;
use super::source::Source;
use super::value::{At, Entries};
use super::wording::suggestion;
use crate::plan::duration::{human, parse};
use crate::plan::scenario::series_of;
use crate::plan::threshold::{Abort, Measured, Metric, Refusal, Subject, Window};
use crate::plan::{Scenario, Script, SeriesKey, Threshold};

/// What a condition in a table can say.
const KEYS: [&str; 5] = ["condition", "window", "abort_on_fail", "delay_abort", "delay_abort_eval"];
const CONDITION: &str = "write aggregate, comparison and bound: `{ condition = \"p(99) < 500ms\" }`";

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
/// the scenarios could not be read, so that nothing can be said about names; `length` is that of the run, if it is known.
pub(super) fn resolve(
    table: Entries<At<Conditions>>,
    overrides: &Overrides,
    known: Option<Known<'_>>,
    length: Option<Duration>,
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
    for Written { threshold, source, span } in of_file.iter().chain(&of_flags) {
        let window = threshold.window.map(Window::length).unwrap_or_default();
        if let Some(length) = length.filter(|length| window > *length) {
            let message =
                format!("the window of {} is longer than the run of {}", human(window), human(length));
            let help =
                "shorten the window, lengthen the run, or take the window away: the whole run is judged then";
            problems.within(*source, span, message, help);
        }
    }
    of_file.into_iter().chain(of_flags).map(|written| written.threshold).collect()
}

fn of_file<'a>(table: Entries<At<Conditions>>, problems: &mut Problems<'a>) -> Vec<Written<'a>> {
    let source = problems.source();
    let mut read = Vec::new();
    for (key, conditions) in table.0 {
        let conditions = match conditions.value {
            _ if is_misplaced(&key, problems) => continue,
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
                Condition::Table(table) => {
                    let threshold = of_table(&measured, &condition.span, &table, problems);
                    read.extend(threshold.map(|it| Written { threshold: it, source, span: condition.span }));
                }
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

/// A condition that is a table. `None` where it is none, which has been said then.
fn of_table(
    measured: &Measured,
    span: &Range<usize>,
    table: &[(At<String>, At<Scalar>)],
    problems: &mut Problems<'_>,
) -> Option<Threshold> {
    let known_problems = problems.count();
    let (mut threshold, mut condition, mut window, mut abort, mut delay) = (None, None, None, None, None);
    for (key, value) in table {
        match (key.value.as_str(), &value.value) {
            ("condition", Scalar::Text(text)) => {
                condition = Some(value);
                match measured.threshold(text) {
                    Ok(read) => threshold = Some(read),
                    Err(refusal) => {
                        let source = problems.source();
                        let span = inside(source, &value.span, text, &refusal);
                        refuse(&refusal, source, &span, problems);
                    }
                }
            }
            ("condition", _) => problems.at(&value.span, "a condition is a text", CONDITION),
            ("window", value_of) => {
                window = duration(value_of, &value.span, "10s", problems).map(|length| (length, key));
            }
            ("abort_on_fail", Scalar::Flag(flag)) => abort = Some((*flag, key)),
            ("abort_on_fail", _) => {
                problems.at(
                    &value.span,
                    "whether a threshold ends the run is yes or no",
                    "write true or false",
                );
            }
            ("delay_abort" | "delay_abort_eval", value_of) => {
                delay = duration(value_of, &value.span, "30s", problems).map(|length| (length, key));
            }
            (word, _) => refuse_key(word, &key.span, problems),
        }
    }
    if condition.is_none() && problems.count() == known_problems {
        problems.at(span, "this table has no `condition`", CONDITION);
    }
    if let Some((_, key)) = delay.filter(|_| !abort.is_some_and(|(flag, _)| flag)) {
        let help = "add `abort_on_fail = true`, or take it away";
        problems.at(&key.span, format!("`{}` delays nothing", key.value), help);
    }
    let mut threshold = threshold?;
    let twice = [
        (threshold.window.is_some(), window.map(|(_, key)| key)),
        (threshold.abort.is_some(), abort.map(|(_, key)| key)),
    ];
    for key in twice.into_iter().filter_map(|(stands, key)| key.filter(|_| stands)) {
        let help = "keep the key or the words in the condition";
        problems.at(&key.span, format!("`{}` and the condition say the same", key.value), help);
    }
    match window.map(|(length, key)| (Window::of(length), key)) {
        None => {}
        Some((Ok(window), _)) => threshold.window = Some(window),
        Some((Err((message, help)), key)) => problems.at(&key.span, message, help),
    }
    if let Some((true, key)) = abort {
        threshold.abort = Some(Abort { after: delay.map(|(after, _)| after).unwrap_or_default() });
        if let Err((message, help)) = threshold.can_abort() {
            problems.at(&key.span, message, help);
        }
    }
    (problems.count() == known_problems).then_some(threshold)
}

/// A duration in a table.
fn duration(
    value: &Scalar,
    span: &Range<usize>,
    example: &str,
    problems: &mut Problems<'_>,
) -> Option<Duration> {
    let parsed = match value {
        Scalar::Text(text) => parse(text),
        Scalar::Flag(_) | Scalar::Other => Err("this is not a duration".to_owned()),
    };
    parsed.map_err(|message| problems.at(span, message, format!("write it in quotes: \"{example}\""))).ok()
}

/// A key that a condition does not have.
fn refuse_key(word: &str, span: &Range<usize>, problems: &mut Problems<'_>) {
    match word {
        "threshold" => problems.at(span, "`threshold` is called `condition` here", CONDITION),
        "warm_up" => problems.at(
            span,
            "a threshold has no warm-up of its own",
            "write `warm_up` under [settings]: it is left out of all figures",
        ),
        word => problems.at(span, format!("unknown key `{word}`"), suggestion(word, &KEYS)),
    }
}

/// Whether a key of the `[thresholds]` table is one of a condition; then it is refused.
fn is_misplaced(key: &At<String>, problems: &mut Problems<'_>) -> bool {
    let word = key.value.as_str();
    match word {
        "warm_up" => refuse_key(word, &key.span, problems),
        word if KEYS.contains(&word) => {
            let help =
                "write it beside a condition: `errors = [{ condition = \"rate < 1%\", window = \"10s\" }]`";
            problems.at(&key.span, format!("`{word}` belongs to one condition, not to all"), help);
        }
        _ => return false,
    }
    true
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
