//! What was found of a rule: in a line, with what is behind it and how to mend it below.

use super::super::ink::Ink;
use crate::report::text::Tone;

/// Columns of the mark and the rule.
const MARK: usize = 8;
const RULE: usize = 14;

/// What was found of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) mark: Mark,
    rule: &'static str,
    what: String,
    details: Vec<String>,
    fix: Option<String>,
}

/// How it stands with a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The plugin keeps it.
    Ok,
    /// For a person to judge.
    Note,
    /// The plugin breaks it.
    Failed,
}

impl Finding {
    fn new(mark: Mark, rule: &'static str, what: impl Into<String>) -> Self {
        Self { mark, rule, what: what.into(), details: Vec::new(), fix: None }
    }

    pub(super) fn ok(rule: &'static str, what: impl Into<String>) -> Self {
        Self::new(Mark::Ok, rule, what)
    }

    pub(super) fn note(rule: &'static str, what: impl Into<String>) -> Self {
        Self::new(Mark::Note, rule, what)
    }

    pub(super) fn failed(rule: &'static str, what: impl Into<String>) -> Self {
        Self::new(Mark::Failed, rule, what)
    }

    /// Adds a line of what is behind it.
    pub(super) fn detail(mut self, detail: String) -> Self {
        self.details.push(detail);
        self
    }

    /// Says how to mend it.
    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The lines for a person.
    pub(super) fn lines(&self, ink: Ink) -> Vec<String> {
        let (word, tone) = match self.mark {
            Mark::Ok => ("ok", Tone::Good),
            Mark::Note => ("note", Tone::Doubtful),
            Mark::Failed => ("FAILED", Tone::Bad),
        };
        let indent = MARK + RULE;
        let below = ink.narrower(MARK);
        let beside = below.hanging(&format!("{:<RULE$}", self.rule), Tone::Plain, &self.what, Tone::Plain);
        let mut lines: Vec<String> = beside
            .into_iter()
            .enumerate()
            .map(|(index, line)| {
                let word =
                    if index == 0 { ink.paint(&format!("{word:<MARK$}"), tone) } else { " ".repeat(MARK) };
                format!("{word}{line}")
            })
            .collect();
        lines.extend(self.details.iter().map(|detail| ink.line(indent, detail, Tone::Quiet, false)));
        let fix = self.fix.iter().flat_map(|fix| {
            let lead = format!("{:indent$}fix: ", "");
            ink.hanging(&lead, Tone::Quiet, fix, Tone::Plain)
        });
        lines.extend(fix);
        lines
    }
}
