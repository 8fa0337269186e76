//! The summary of a search for capacity: the answer's sentence, both bounds, the figures at the lower one, every trial, what to do.

use super::layout::clean;
use super::paint::Tone;
use super::table::{Cell, Table};
use super::{LABEL, Page, TextStyle, figure};
use crate::judge::VerdictOutcome;
use crate::judge::capacity::{Answer, Bound, LoadVerdict, Purpose, TrialResult, TrialVerdict, Variable};
use crate::judge::wording::{counted, rate, share, time};
use crate::report::{CapacityReport, Server};

/// From this many columns on there is room for what a trial was for and how long it took.
const WIDE: usize = 94;
/// From this many columns on there is room for what was allowed and what was answered.
const ORDINARY: usize = 70;
/// What stands for a value that there is none of.
const UNKNOWN: &str = "-";

impl CapacityReport {
    /// The summary for a person. `saved_to` is where the report was written, if it was.
    pub fn text(&self, style: TextStyle, saved_to: Option<&str>) -> String {
        let mut page = Page::new(style);
        let (sign, tone) = outcome(self.verdict.outcome);
        page.hanging(&format!("{sign:<LABEL$}"), tone, &self.verdict.reason, Tone::Strong);
        bounds(&self.answer, &mut page);
        asked(self, &mut page);
        target(&self.server, &self.target_url, self.manifest.server_cores, &mut page);
        trials(&self.answer, &mut page);
        page.heading("next");
        for sentence in &self.advice {
            page.hanging("- ", Tone::Quiet, sentence, Tone::Plain);
        }
        if let Some(file) = saved_to {
            page.hanging("report  ", Tone::Quiet, file, Tone::Plain);
        }
        page.finish()
    }
}

/// How an outcome is shown.
pub(super) fn outcome(outcome: VerdictOutcome) -> (&'static str, Tone) {
    match outcome {
        VerdictOutcome::Passed => ("✓ capacity", Tone::Good),
        VerdictOutcome::Failed => ("✗ capacity", Tone::Bad),
        VerdictOutcome::Inconclusive => ("? inconclusive", Tone::Doubtful),
    }
}

/// Between what the capacity lies, what the lower bound is like, what broke at the upper one, and the most that was answered.
fn bounds(answer: &Answer, page: &mut Page) {
    if let Some(lo) = &answer.lo {
        let confirmed = if lo.confirmed { "confirmed" } else { "not confirmed" };
        figure(
            page,
            "passed",
            &short_load(answer, lo.load),
            Tone::Good,
            &[trials_of(lo), confirmed.to_owned()],
        );
    }
    if let Some(hi) = &answer.hi {
        let (label, tone) = match hi.verdict {
            LoadVerdict::Invalid => ("not driven", Tone::Doubtful),
            _ => ("failed", Tone::Bad),
        };
        figure(page, label, &short_load(answer, hi.load), tone, &[trials_of(hi)]);
    }
    if let Some(witness) = answer.lo.as_ref().and_then(|lo| answer.witness(lo)) {
        let mut details = Vec::new();
        let times = [
            ("p50", witness.p50_us),
            ("p99", witness.p99_us),
            ("first event p50", witness.first_event_p50_us),
        ];
        details
            .extend(times.into_iter().filter_map(|(name, micros)| Some(format!("{name} {}", time(micros?)))));
        let ok = format!("{} ok", share(witness.ok_ratio));
        figure(page, "at that load", &ok, Tone::Strong, &details);
    }
    if let Some(broken) = &answer.broke_first {
        let tool = broken.tool.iter().map(|tool| format!("worst for {}", clean(tool))).collect::<Vec<_>>();
        figure(page, "breaks first", &clean(&broken.objective), Tone::Plain, &tool);
    }
    if answer.saturation_ok_per_s > 0.0 {
        let most = format!("{} ok calls/s", rate(answer.saturation_ok_per_s));
        figure(page, "saturation", &most, Tone::Plain, &["the most that was answered".to_owned()]);
    }
}

fn trials_of(bound: &Bound) -> String {
    if bound.verdict == LoadVerdict::Invalid {
        return "the generator could not".to_owned();
    }
    let (agree, word) = match bound.verdict {
        LoadVerdict::Passed => (bound.passed, "passed"),
        _ => (bound.failed, "failed"),
    };
    format!("{agree} of {} {word}", counted((bound.passed + bound.failed).into(), "trial"))
}

/// What was asked.
fn asked(report: &CapacityReport, page: &mut Page) {
    let question = &report.question;
    for (index, objective) in question.objectives.iter().enumerate() {
        let label = if index == 0 { "objectives" } else { "" };
        figure(page, label, &clean(objective), Tone::Plain, &[]);
    }
    let by = match (question.by, question.arrivals.as_deref()) {
        (Variable::Rate, Some(spacing)) => format!("iterations begun per second, {spacing} arrivals"),
        (Variable::Rate, None) => "iterations begun per second".to_owned(),
        (Variable::Sessions, _) => "sessions at the same time".to_owned(),
    };
    figure(page, "load", &by, Tone::Plain, &[]);
}

/// Who was searched.
pub(super) fn target(server: &Server, url: &str, cores: Option<u32>, page: &mut Page) {
    let mut parts = Vec::new();
    if let Some(name) = &server.name {
        parts.push(format!("{name} {}", server.version.as_deref().unwrap_or_default()));
    }
    parts.push(url.to_owned());
    parts.push(format!("MCP {}", server.protocol_revision));
    parts.extend(cores.map(|cores| counted(cores.into(), "core")));
    page.blank();
    page.joined(&parts, Tone::Quiet);
}

/// Every trial in order, and how the time was spent.
fn trials(answer: &Answer, page: &mut Page) {
    if answer.trials.is_empty() {
        return;
    }
    page.blank();
    let width = page.columns;
    let columns = |wide: bool, ordinary: bool| (!wide || width >= WIDE) && (!ordinary || width >= ORDINARY);
    let shown: Vec<(&'static str, bool)> = vec![
        ("trial", true),
        ("load", true),
        ("for", columns(true, false)),
        ("held", columns(true, false)),
        ("verdict", true),
        ("missed", true),
        ("allowed", columns(false, true)),
        ("ok/s", columns(false, true)),
        ("p50", columns(true, false)),
        ("p99", true),
    ];
    let header = shown.iter().filter(|(_, shown)| *shown).map(|(name, _)| *name).collect();
    let mut table = Table::new(header);
    for trial in &answer.trials {
        let cells = row(answer, trial).into_iter().zip(&shown);
        table.push(cells.filter(|(_, (_, shown))| *shown).map(|(cell, _)| cell).collect());
    }
    page.table(&table);
    if answer.trials.iter().any(|trial| !trial.verdict.is_sure() && trial.verdict != TrialVerdict::Invalid) {
        page.hanging("- ", Tone::Quiet, "a verdict with ? is one that chance may have decided", Tone::Quiet);
    }
    for trial in answer.trials.iter().filter(|trial| trial.invalid.is_some()) {
        let why = format!("trial {}: {}", trial.number, trial.invalid.as_deref().unwrap_or_default());
        page.hanging("- ", Tone::Quiet, &why, Tone::Quiet);
    }
    if let Some(spent) = answer.details().last() {
        page.hanging("- ", Tone::Quiet, spent, Tone::Quiet);
    }
}

fn row(answer: &Answer, trial: &TrialResult) -> Vec<Cell> {
    let (verdict, tone) = match trial.verdict {
        TrialVerdict::Passed => ("passed", Tone::Good),
        TrialVerdict::PassedWeakly => ("passed?", Tone::Good),
        TrialVerdict::FailedWeakly => ("failed?", Tone::Bad),
        TrialVerdict::Failed => ("failed", Tone::Bad),
        TrialVerdict::Invalid => ("invalid", Tone::Doubtful),
    };
    let purpose = match trial.purpose {
        Purpose::Bracket => "bracket",
        Purpose::Refine => "refine",
        Purpose::Confirm => "confirm",
        Purpose::Contrast => "contrast",
    };
    let missed = trial.decisive();
    let part = |value: Option<f64>| value.map_or_else(|| UNKNOWN.to_owned(), share);
    let micros = |value: Option<u64>| value.map_or_else(|| UNKNOWN.to_owned(), time);
    vec![
        Cell::plain(trial.number.to_string()),
        Cell::new(short_load(answer, trial.load), Tone::Strong),
        Cell::new(purpose, Tone::Quiet),
        Cell::plain(format!("{:.1} s", trial.held_s)),
        Cell::new(verdict, tone),
        Cell::plain(part(missed.map(|result| result.missed_ratio))),
        Cell::new(part(missed.map(|result| result.bound_ratio)), Tone::Quiet),
        Cell::plain(rate(trial.ok_per_s)),
        Cell::plain(micros(trial.p50_us)),
        Cell::plain(micros(trial.p99_us)),
    ]
}

fn short_load(answer: &Answer, load: f64) -> String {
    answer.variable.shown(load)
}
