//! What happens between a plugin and the host, in lines for a person: an event in, the lines that it adds out.
//!
//! A plugin hears what came of an iteration when it is asked for the next one, so that its findings arrive with that: they are shown
//! below the answers that they are about. What it logs is held back until it is known where it belongs.

use serde_json::Value;

use super::super::ink::Ink;
use super::tally::Tally;
use crate::drive::{Event, EventKind};
use crate::judge::wording::{bytes, count, counted, fine_time, number};
use crate::judge::{LogLevel, Observation, Outcome, PluginFault, StopReason};
use crate::report::text::{Tone, width};

/// Frames that are shown of a failure: the innermost are the plugin's own, further out is what called it.
const MOST_FRAMES: usize = 4;
/// Columns before what belongs to a step.
const WITHIN: usize = 6;

/// The lines so far, as far as later ones depend on them.
#[derive(Debug)]
pub(in super::super) struct Transcript {
    ink: Ink,
    in_full: bool,
    /// Whether findings are about what came before the plan that they arrive with.
    hears: bool,
    /// The iteration whose heading was shown last.
    open: Option<u64>,
    /// The step of the plan at hand that was shown last.
    step: Option<usize>,
    /// What is shown once it is known where it belongs.
    held: Vec<EventKind>,
    pub(in super::super) tally: Tally,
}

impl Transcript {
    pub(in super::super) fn new(ink: Ink, in_full: bool, hears: bool) -> Self {
        Self { ink, in_full, hears, open: None, step: None, held: Vec::new(), tally: Tally::default() }
    }

    /// The lines that an event adds.
    pub(in super::super) fn tell(&mut self, event: Event) -> Vec<String> {
        let Event { iteration, kind, .. } = event;
        let cut_short = self.tally.cut_short;
        self.tally.count(&kind);
        match kind {
            EventKind::Planned { .. } => self.step = None,
            EventKind::Step { position, .. } => self.step = Some(position),
            _ => {}
        }
        let is_open = self.open == Some(iteration);
        let is_finding = matches!(kind, EventKind::Check { .. } | EventKind::Value { .. });
        let belongs_here = is_open || (is_finding && self.hears && self.open.is_some());
        match kind {
            EventKind::Planned { round: 0, ahead, time, .. } if !is_open => {
                let took =
                    if ahead { "planned ahead".to_owned() } else { format!("planned in {}", fine(time)) };
                self.begin(iteration, (&took, Tone::Quiet))
            }
            EventKind::Ended { .. } => {
                let mut lines = Vec::new();
                if !is_open {
                    lines.extend(self.begin(iteration, ("FAILED", Tone::Bad)));
                }
                lines.extend(self.release());
                if self.tally.cut_short > cut_short {
                    lines.push(self.ink.line(2, "cut short", Tone::Doubtful, true));
                }
                lines
            }
            kind if belongs_here => {
                let mut lines = if is_finding { Vec::new() } else { self.release() };
                lines.extend(self.lines(&kind));
                lines
            }
            kind => {
                self.held.push(kind);
                Vec::new()
            }
        }
    }

    /// The last lines: what is still held back, and what it all came to.
    pub(in super::super) fn end(&mut self, seen: &Observation, asked: u64) -> Vec<String> {
        self.tally.server_lost = matches!(seen.stop, StopReason::TargetLost { .. });
        let mut lines = self.release();
        lines.push(String::new());
        lines.extend(self.ending(&seen.stop, asked));
        let tally = &self.tally;
        let parts = [
            (tally.whole, "whole"),
            (tally.with_failed_calls, "with failed calls"),
            (tally.failed_by_plugin, "failed by the plugin"),
            (tally.cut_short, "cut short"),
        ];
        let parts = parts.into_iter().filter(|(number, _)| *number > 0);
        let parts: Vec<String> = parts.map(|(number, what)| format!("{} {what}", count(number))).collect();
        let colon = if parts.is_empty() { "" } else { ": " };
        let iterations = format!("{}{colon}{}", counted(tally.iterations, "iteration"), parts.join(", "));
        let tone = if self.tally.exit().code() == 0 { Tone::Good } else { Tone::Bad };
        lines.push(self.ink.paint(&iterations, tone));
        lines.extend(self.ink.joined(&self.figures(seen)));
        lines
    }

    fn figures(&self, seen: &Observation) -> Vec<String> {
        let tally = &self.tally;
        let mut figures =
            vec![format!("calls {}", count(tally.calls)), format!("ok {}", count(tally.calls_ok))];
        if tally.checks > 0 {
            figures.push(format!("checks {} of {}", count(tally.checks_ok), count(tally.checks)));
        }
        let times = seen.plugins().next().map(|(_, metrics)| &metrics.call_us);
        if let Some((median, longest)) = times.and_then(|times| times.quantile(0.5).zip(times.max())) {
            figures.push(format!("next: {} p50, {} max", fine_time(median), fine_time(longest)));
        }
        figures
    }

    /// Why there were fewer iterations than asked for.
    fn ending(&self, stop: &StopReason, asked: u64) -> Vec<String> {
        let why = match stop {
            StopReason::PluginStopped { reason, .. } => format!("the plugin stopped the run: {reason}"),
            StopReason::PluginsFailed { message } => format!("the plugin was given up: {message}"),
            StopReason::TargetLost { message } => format!("the server is lost: {message}"),
            StopReason::ThresholdFailed { text, finding } => format!("{text} did not hold: {finding}"),
            StopReason::Interrupted => "interrupted".to_owned(),
            StopReason::Completed if self.tally.iterations < asked => {
                "the plugin ended its virtual user".to_owned()
            }
            // A rehearsal has no rising load.
            StopReason::Completed | StopReason::BreakingPoint => return Vec::new(),
        };
        self.ink.hanging("ended early: ", Tone::Doubtful, &why, Tone::Plain)
    }

    /// A new iteration's heading. Failures before it are about what came before, if findings are; the rest that was held back is its own.
    fn begin(&mut self, iteration: u64, right: (&str, Tone)) -> Vec<String> {
        let mut lines = Vec::new();
        let failed_to_plan = right.1 == Tone::Bad;
        if self.hears && self.open.is_some() && !failed_to_plan {
            let (before, own) = std::mem::take(&mut self.held)
                .into_iter()
                .partition(|kind| matches!(kind, EventKind::Failed { .. }));
            self.held = own;
            let before: Vec<EventKind> = before;
            lines.extend(before.iter().flat_map(|kind| self.lines(kind)));
        }
        self.open = Some(iteration);
        lines.push(self.ink.apart((&format!("iteration {iteration}"), Tone::Strong), right));
        lines.extend(self.release());
        lines
    }

    /// What was held back.
    fn release(&mut self) -> Vec<String> {
        let held = std::mem::take(&mut self.held);
        held.iter().flat_map(|kind| self.lines(kind)).collect()
    }

    /// The lines of an event, whose place is here.
    fn lines(&self, kind: &EventKind) -> Vec<String> {
        match kind {
            EventKind::Planned { round, time, steps, .. } => {
                let left =
                    format!("  plan {} of the iteration: {}", round + 1, counted(*steps as u64, "step"));
                vec![
                    self.ink
                        .apart((&left, Tone::Quiet), (&format!("planned in {}", fine(*time)), Tone::Quiet)),
                ]
            }
            EventKind::Step { position, method, name, arguments, label } => {
                self.step(*position, method, name.as_deref(), arguments.as_deref(), label.as_deref())
            }
            EventKind::Answered { outcome, detail, time, bytes: received, answer, .. } => {
                self.answer(*outcome, detail, &format!("{} · {}", fine(*time), bytes(*received)), answer)
            }
            EventKind::Unsent { position, reason } => {
                // One that was not even tried has no line of its own yet.
                let number =
                    if self.step == Some(*position) { String::new() } else { (position + 1).to_string() };
                self.ink.hanging(&format!("{number:>3} not sent: "), Tone::Bad, reason, Tone::Plain)
            }
            EventKind::Check { name, ok: true, .. } => self.labelled("check", "ok", Tone::Good, name),
            EventKind::Check { name, message, .. } => {
                let why = message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
                self.labelled("check", "FAILED", Tone::Bad, &format!("{name}{why}"))
            }
            EventKind::Value { metric, value } => {
                vec![self.ink.line(
                    2,
                    &format!("value   {metric} = {}", number(*value)),
                    Tone::Plain,
                    self.in_full,
                )]
            }
            EventKind::Log { level, message } => {
                let (word, tone) = level_in_words(*level);
                self.labelled("log", word, tone, message)
            }
            // Said where the step was not sent.
            EventKind::Failed { fault: PluginFault::InvalidStep, .. } => Vec::new(),
            EventKind::Failed { message, backtrace, .. } => self.failure(message, backtrace),
            EventKind::Ended { .. } => Vec::new(),
        }
    }

    fn step(
        &self,
        position: usize,
        method: &str,
        name: Option<&str>,
        arguments: Option<&str>,
        label: Option<&str>,
    ) -> Vec<String> {
        let name = name.map(|name| format!(" {name}")).unwrap_or_default();
        let label = label.map(|label| format!("  (as {label})")).unwrap_or_default();
        let text = format!("{:>3} {method}{name}{label}", position + 1);
        let mut lines = vec![self.ink.line(0, &text, Tone::Plain, self.in_full)];
        lines.extend(arguments.map(|text| self.ink.line(WITHIN, text, Tone::Plain, self.in_full)));
        lines
    }

    fn answer(&self, outcome: Outcome, detail: &str, figures: &str, answer: &str) -> Vec<String> {
        let code = outcome.code().map(|code| format!(" {code}")).unwrap_or_default();
        let word = format!("{}{code}", outcome.class().replace('_', " "));
        let tone = if outcome.is_ok() { Tone::Good } else { Tone::Bad };
        let (word, figures) =
            (self.ink.paint(&word, tone), self.ink.paint(&format!(" · {figures}"), Tone::Quiet));
        let mut lines = vec![format!("{:WITHIN$}{word}{figures}", "")];
        let text = content(answer);
        if !detail.is_empty() && !text.contains(detail) {
            lines.push(self.ink.line(WITHIN, detail, Tone::Plain, self.in_full));
        }
        if !text.is_empty() {
            lines.push(self.ink.line(WITHIN, &text, Tone::Quiet, self.in_full));
        }
        lines
    }

    /// `check   FAILED  and why`, wrapped under itself.
    fn labelled(&self, label: &str, word: &str, tone: Tone, text: &str) -> Vec<String> {
        let (label, word) = (format!("  {label:<8}"), format!("{word:<8}"));
        let room = self.ink.narrower(width(&label));
        let mut lines = room.hanging(&word, tone, text, Tone::Plain).into_iter();
        let first = lines.next().map(|line| format!("{}{line}", self.ink.paint(&label, Tone::Quiet)));
        first.into_iter().chain(lines.map(|line| format!("{:1$}{line}", "", width(&label)))).collect()
    }

    fn failure(&self, message: &str, backtrace: &[String]) -> Vec<String> {
        let mut lines = self.ink.hanging("  FAILED  ", Tone::Bad, message, Tone::Plain);
        let shown = if self.in_full { backtrace.len() } else { MOST_FRAMES };
        for frame in backtrace.iter().take(shown) {
            lines.push(self.ink.line(4, &format!("in {frame}"), Tone::Quiet, self.in_full));
        }
        if backtrace.len() > shown {
            let further = counted((backtrace.len() - shown) as u64, "frame");
            lines.push(self.ink.line(4, &format!("and {further} further out"), Tone::Quiet, true));
        }
        lines
    }
}

fn level_in_words(level: LogLevel) -> (&'static str, Tone) {
    match level {
        LogLevel::Error => ("error", Tone::Bad),
        LogLevel::Warn => ("warn", Tone::Doubtful),
        LogLevel::Info => ("info", Tone::Quiet),
        LogLevel::Debug => ("debug", Tone::Quiet),
        LogLevel::Trace => ("trace", Tone::Quiet),
    }
}

fn fine(time: std::time::Duration) -> String {
    fine_time(time.as_secs_f64() * 1e6)
}

/// What an answer holds: its result or its error; all of it, where it is no message of the protocol.
fn content(answer: &str) -> String {
    let message: Option<Value> = serde_json::from_str(answer).ok();
    let inner = message.as_ref().and_then(|message| message.get("result").or_else(|| message.get("error")));
    inner.map_or_else(|| answer.to_owned(), Value::to_string)
}

#[cfg(test)]
mod tests;
