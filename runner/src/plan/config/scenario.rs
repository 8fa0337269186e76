//! The `[[scenario]]` tables: their names, their weights, and which of them run.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use super::error::Problems;
use super::file::{ScenarioTable, StepTable, StepType};
use super::overrides::Overrides;
use super::plugin;
use super::step;
use super::value::At;
use super::wording::suggestion;
use crate::plan::{Action, Scenario, Script, SessionPolicy, Step, ThinkTime};

/// The scenarios of a configuration.
#[derive(Debug, Default)]
pub(super) struct Scenarios {
    /// Those that run.
    pub(super) chosen: Vec<Scenario>,
    /// Those that were not asked for.
    pub(super) left_out: Vec<Scenario>,
    /// Where the `pacing` of a scenario stands, by its name.
    pub(super) pacing: BTreeMap<String, Range<usize>>,
}

/// Reads the scenarios. Where something is wrong with one, it is noted and the scenario left out.
pub(super) fn resolve(
    tables: Vec<At<ScenarioTable>>,
    pause: Option<&At<u64>>,
    session: SessionPolicy,
    overrides: &Overrides,
    problems: &mut Problems<'_>,
    notes: &mut Vec<String>,
) -> Scenarios {
    let pause =
        pause.and_then(|at| problems.counted(at, Duration::from_millis)).filter(|pause| !pause.is_zero());
    let pause = pause.map(ThinkTime::constant);
    if let Some(file) = &overrides.plugin {
        if !tables.is_empty() {
            let replaced = problems.source().name;
            notes.push(format!("--plugin replaces the scenarios of {replaced}, and keeps the rest of it"));
        }
        let chosen = plugin::only(file, overrides, pause, problems).into_iter().collect();
        return Scenarios { chosen, ..Scenarios::default() };
    }
    if tables.is_empty() {
        let help = "write at least one:\n\n    [[scenario]]\n    type = \"tools/list\"\n\n    \
                    or let `cargo pmcp loadtest init URL` write them for your server";
        problems.anywhere("there is no [[scenario]], so the virtual users have nothing to do", help);
        return Scenarios::default();
    }
    if session == SessionPolicy::Shared {
        refuse_closing(&tables, problems);
    }
    let mut names = given_names(&tables, problems);
    let mut pacing = BTreeMap::new();
    let mut scenarios = Vec::new();
    let total = tables.len();
    for (index, table) in tables.into_iter().enumerate() {
        let place = table.value.pacing.as_ref().map(|at| at.span.clone());
        if let Some(read) = scenario(index, table, pause, &mut names, problems, notes) {
            pacing.extend(place.map(|place| (read.name.clone(), place)));
            scenarios.push(read);
        }
    }
    if scenarios.len() < total {
        return Scenarios { chosen: scenarios, ..Scenarios::default() };
    }
    let (mut scenarios, left_out) = chosen(scenarios, &overrides.scenarios, problems);
    if let Some(config) = &overrides.plugin_config {
        plugin::reconfigure(&mut scenarios, config, problems);
    }
    check_weights(&scenarios, problems);
    if !scenarios.is_empty() && !scenarios.iter().any(sends_requests) {
        let message = "no scenario sends a request: they only think or close their session";
        problems.anywhere(message, "add a step of another type");
    }
    Scenarios { chosen: scenarios, left_out, pacing }
}

/// Whether an iteration can send anything that is counted.
fn sends_requests(scenario: &Scenario) -> bool {
    match &scenario.script {
        Script::Steps(steps) => steps.iter().any(|step| step.action.method().is_some()),
        Script::Plugin(_) => true,
    }
}

/// Refuses steps that close a session which is not theirs.
fn refuse_closing(tables: &[At<ScenarioTable>], problems: &mut Problems<'_>) {
    let scenarios = tables.iter().map(|table| &table.value);
    let kinds = scenarios.flat_map(|scenario| {
        let steps = scenario.step.iter().flatten().map(|step| &step.value.kind);
        steps.chain([&scenario.kind]).flatten()
    });
    for kind in kinds.filter(|kind| kind.value == StepType::CloseSession) {
        let message = "this closes a session that all virtual users share";
        problems.at(&kind.span, message, "remove it, or take another `session` policy than shared");
    }
}

/// The names that the file gives; each must be new.
fn given_names(tables: &[At<ScenarioTable>], problems: &mut Problems<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for name in tables.iter().filter_map(|table| table.value.name.as_ref()) {
        if name.value.trim().is_empty() || name.value.chars().any(char::is_control) {
            problems.at(&name.span, "this cannot be a name", "write a word or two on one line");
        } else if !names.insert(name.value.clone()) {
            problems.at(
                &name.span,
                format!("there are two scenarios called `{}`", name.value),
                "rename one of them",
            );
        }
    }
    names
}

fn scenario(
    index: usize,
    mut table: At<ScenarioTable>,
    pause: Option<ThinkTime>,
    names: &mut BTreeSet<String>,
    problems: &mut Problems<'_>,
    notes: &mut Vec<String>,
) -> Option<Scenario> {
    let think_time = match &table.value.think_time {
        Some(at) => Some(problems.pause(at)?).filter(|pause| !pause.is_zero()),
        None => pause,
    };
    let pacing = match &table.value.pacing {
        Some(at) => Some(problems.duration(at)?),
        None => None,
    };
    if let (Some(Duration::ZERO), Some(at)) = (pacing, &table.value.pacing) {
        problems.at(
            &at.span,
            "a pacing of no length paces nothing",
            "write the length of a round, or leave it out",
        );
    }
    let script = script(&mut table, problems)?;
    let name = match table.value.name {
        Some(name) => name.value,
        None => free_name(&script, index, names),
    };
    let scenario =
        Scenario { name, weight: table.value.weight.map_or(1, |at| at.value), think_time, pacing, script };
    if scenario.steps().iter().any(|step| step::has_placeholder(&step.action)) {
        let name = &scenario.name;
        notes.push(format!(
            "scenario `{name}`: a text with {{{{...}}}} is sent as it stands; placeholders are not supported by this version yet"
        ));
    }
    Some(scenario)
}

/// Where the steps come from: a plugin, or the file.
fn script(table: &mut At<ScenarioTable>, problems: &mut Problems<'_>) -> Option<Script> {
    if let Some(file) = table.value.plugin.take() {
        return plugin::read(&file, table, problems).map(Script::Plugin);
    }
    plugin::refuse_config(&table.value, problems);
    steps(table, problems).map(Script::Steps)
}

/// The steps, which stand in tables of their own or, if there is only one, in the scenario itself.
fn steps(table: &mut At<ScenarioTable>, problems: &mut Problems<'_>) -> Option<Vec<Step>> {
    let own: StepTable = table.value.take_own_step();
    let listed = table.value.step.take().unwrap_or_default();
    let keys = own.given();
    match (&own.kind, listed.is_empty()) {
        (Some(kind), false) => {
            let message = "this scenario has a type of its own and [[scenario.step]] tables";
            problems.at(&kind.span, message, "move the type and its keys into a [[scenario.step]]");
            None
        }
        (Some(_), true) => Some(vec![step::read(At { value: own, span: table.span.clone() }, problems)?]),
        (None, true) => {
            let message =
                if keys.is_empty() { "this scenario has no steps" } else { "this scenario has no `type`" };
            let help = "write `type = \"tools/call\"` and `tool = ...`, or [[scenario.step]] tables below it";
            problems.at(&table.span, message, help);
            None
        }
        (None, false) => {
            for (key, span) in &keys {
                let message = format!("`{key}` belongs to a step, and this scenario has its steps in tables");
                problems.at(span, message, "move it into the [[scenario.step]] that it belongs to");
            }
            let read: Vec<Option<Step>> =
                listed.into_iter().map(|table| step::read(table, problems)).collect();
            read.into_iter().collect()
        }
    }
}

/// A name for a scenario that has none: its plugin's, its only step's, or its place in the file; with a number if that is taken.
fn free_name(script: &Script, index: usize, names: &mut BTreeSet<String>) -> String {
    let numbered = || format!("scenario-{}", index + 1);
    let base = match script {
        Script::Plugin(plugin) => {
            plugin::name_of(plugin).filter(|name| !name.trim().is_empty()).unwrap_or_else(numbered)
        }
        Script::Steps(steps) => step_name(steps).unwrap_or_else(numbered),
    };
    let mut name = base.clone();
    let mut number = 2_u64;
    while !names.insert(name.clone()) {
        name = format!("{base} #{number}");
        number += 1;
    }
    name
}

/// What the only step is about.
fn step_name(steps: &[Step]) -> Option<String> {
    let [Step { action, .. }] = steps else { return None };
    Some(match action {
        Action::CodeMode { format, .. } => format!("code_mode/{format}"),
        Action::CloseSession => "session/close".to_owned(),
        Action::Think(_) => "think".to_owned(),
        request => request.object().or(request.method().map(str::to_owned))?,
    })
}

/// The scenarios that were asked for by name, all of them if none was; and the others.
fn chosen(
    scenarios: Vec<Scenario>,
    wanted: &[String],
    problems: &mut Problems<'_>,
) -> (Vec<Scenario>, Vec<Scenario>) {
    if wanted.is_empty() {
        return (scenarios, Vec::new());
    }
    let names: Vec<&str> = scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    for name in wanted.iter().filter(|name| !names.contains(&name.as_str())) {
        let file = problems.source().name;
        problems
            .anywhere(format!("there is no scenario called `{name}` in {file}"), suggestion(name, &names));
    }
    scenarios.into_iter().partition(|scenario| wanted.contains(&scenario.name))
}

fn check_weights(scenarios: &[Scenario], problems: &mut Problems<'_>) {
    let sum: u64 = scenarios.iter().map(|scenario| u64::from(scenario.weight)).sum();
    if sum == 0 && !scenarios.is_empty() {
        problems.anywhere(
            "the weights of the scenarios add up to zero, so none is ever drawn",
            "give one a weight above zero",
        );
    }
    if sum > u64::from(u32::MAX) {
        problems.anywhere(
            format!("the weights of the scenarios add up to {sum}, which is too much"),
            "use smaller weights, such as 70, 20 and 10",
        );
    }
}
