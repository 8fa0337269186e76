//! `plugin check`: whether a plugin keeps the rules that runs rely on, and what a call of it costs. One line for each rule.
//!
//! No server is sent a step: one that is named is only asked for what it offers. Equal plans can only be expected of equal answers.

mod arguments;
mod finding;
mod plans;

use std::cmp::Reverse;
use std::num::{NonZeroU32, NonZeroU64};

use super::super::print;
use super::super::report::style;
use super::ink::{Colour, Ink};
use super::rehearsal::{Cast, Rehearsal, Subject};
use crate::drive::{self, Inspection};
use crate::error::{Error, ExitCode};
use crate::judge::wording::{count, counted, fine_time};
use crate::judge::{Observation, PluginFault, PluginMetrics};
use crate::plan::discovery::Discovery;
use crate::plan::{InstancePolicy, PluginLimits};
use arguments::Judged;
use finding::{Finding, Mark};
use plans::Plans;

/// Tools that are shown of those whose arguments do not fit.
const MOST_TOOLS: usize = 3;

/// Virtual users that plan in one instance, and in instances of their own.
const USERS: u32 = 4;

/// See whether a plugin keeps the rules that runs rely on, and what a call of it costs
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "cargo pmcp loadtest plugin check FILE.wasm [URL | --demo] [OPTIONS]",
    after_help = "Examples:
  cargo pmcp loadtest plugin check shopper.wasm
  cargo pmcp loadtest plugin check shopper.wasm http://127.0.0.1:3000/mcp --config @shopper.json

A server is only asked for its tools, resources and prompts; no step is sent to it, and all answers are made up.
Exit codes: 0 nothing FAILED · 5 something did. A `note` is for you to judge."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// How many iterations
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    calls: u64,
    /// Arguments that do not fit their tool's schema are a failure, not a note
    #[arg(long = "strict-arguments")]
    strict: bool,
    #[command(flatten)]
    colour: Colour,
}

/// Checks the plugin, and prints what was found as it is found.
///
/// # Errors
/// Whatever keeps it from beginning: a file or a server that is not there.
pub(super) fn check(arguments: &Arguments) -> Result<ExitCode, Error> {
    let ink = Ink::new(style(arguments.colour.color));
    let mut worst = ExitCode::Passed;
    let ended = examine(arguments, |finding| {
        if finding.mark == Mark::Failed {
            worst = ExitCode::Plugin;
        }
        print::data(&finding.lines(ink).iter().map(|line| format!("{line}\n")).collect::<String>());
    });
    ended.map(|()| worst)
}

/// Goes through the rules, up to the first that nothing beyond can be checked without.
fn examine(arguments: &Arguments, mut tell: impl FnMut(Finding)) -> Result<(), Error> {
    let Arguments { subject, calls, .. } = arguments;
    let plugin = match drive::inspect(&subject.file, &PluginLimits::default()) {
        Ok(plugin) => plugin,
        Err(error) if error.exit == ExitCode::Plugin => {
            tell(refused("imports", error));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    tell(Finding::ok("imports", format!("only pmcp:loadtest {}", plugin.interface)));
    let offer = subject.survey()?;
    let rehearsal = subject.dry(&plugin, &offer)?;
    let cast = |vus: u32, iterations: u64, instances| Cast {
        vus: NonZeroU32::new(vus).unwrap_or(NonZeroU32::MIN),
        iterations: NonZeroU64::new(iterations).unwrap_or(NonZeroU64::MIN),
        instances,
    };
    let alone = cast(1, *calls, InstancePolicy::PerVu);
    let (first, seen) = match rehearse(&rehearsal, alone) {
        Ok(run) => run,
        Err(error) if matches!(error.exit, ExitCode::Usage | ExitCode::Plugin) => {
            let rule = if error.exit == ExitCode::Usage { "config" } else { "start" };
            tell(refused(rule, error));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    tell(config(&plugin));
    let metrics = seen.plugins().next().map(|(_, metrics)| metrics.clone()).unwrap_or_default();
    tell(failures(&metrics, first.steps()));

    let (second, _) = rehearse(&rehearsal, alone)?;
    tell(deterministic(&first, &second, rehearsal.seed()));

    let each = (calls / u64::from(USERS)).max(1);
    let (apart, _) = rehearse(&rehearsal, cast(USERS, each, InstancePolicy::PerVu))?;
    let (together, _) = rehearse(&rehearsal, cast(USERS, each, InstancePolicy::PerWorker))?;
    tell(independent(&apart, &together));

    arguments_fit(&first, &offer, arguments.strict).into_iter().for_each(&mut tell);
    tell(cost(&metrics));
    Ok(())
}

fn rehearse(rehearsal: &Rehearsal, cast: Cast) -> Result<(Plans, Observation), Error> {
    let ready = rehearsal.prepare(cast)?;
    Ok(Plans::record(|tell| ready.run(tell)))
}

/// What an error says, as a finding.
fn refused(rule: &'static str, error: Error) -> Finding {
    let finding = Finding::failed(rule, error.what);
    error.next.into_iter().fold(finding, Finding::fix)
}

fn config(plugin: &Inspection) -> Finding {
    match plugin.config_schema {
        Some(_) => Finding::ok("config", "fits the declared schema"),
        None => Finding::ok("config", "no schema is declared, so that none was held against it"),
    }
}

/// How the plugin failed while it planned: how often, and the most frequent failure; of several, the first.
fn failures(metrics: &PluginMetrics, steps: u64) -> Finding {
    let Some(failure) =
        metrics.failures.iter().min_by_key(|failure| (Reverse(failure.count), failure.iteration))
    else {
        let (iterations, steps) = (count(metrics.iterations), count(steps));
        return Finding::ok("failures", format!("none in {iterations} iterations of {steps} steps in all"));
    };
    let times = metrics.failures.iter().map(|failure| failure.count).sum::<u64>() + metrics.further_failures;
    let what =
        format!("{}, in iteration {}: {}", counted(times, "failure"), failure.iteration, failure.message);
    let frames = failure.backtrace.iter().map(|frame| format!("in {frame}"));
    let fix = match failure.fault {
        PluginFault::Error => {
            "the plugin said so itself; see that it can plan with this config and these tools"
        }
        PluginFault::Trap => "return an error where that can happen: a panic costs the whole instance",
        PluginFault::Timeout => "do less in one call, or raise `call_timeout` in the [plugins] table",
        PluginFault::Memory => "keep less, or raise `memory` in the [plugins] table",
        PluginFault::InvalidStep => {
            "`plugin test` shows the step; take tools from `tools()`, not from memory"
        }
        PluginFault::Contract => "keep to the interface: its rules stand in guest-sdk/wit",
    };
    frames.take(4).fold(Finding::failed("failures", what), Finding::detail).fix(fix)
}

fn deterministic(first: &Plans, second: &Plans, seed: u64) -> Finding {
    match first.difference(second) {
        None => Finding::ok(
            "deterministic",
            format!("{} iterations of seed {seed}, twice: the same plans", count(first.iterations())),
        ),
        Some(difference) => difference
            .shown(["once", "again"])
            .fold(
                Finding::failed("deterministic", format!("{} of seed {seed} differs", difference.place())),
                Finding::detail,
            )
            .fix("draw from the iteration's `random` alone, and let no order of a HashMap into a plan"),
    }
}

fn independent(apart: &Plans, together: &Plans) -> Finding {
    match apart.difference(together) {
        None => Finding::ok(
            "independent",
            format!("{USERS} users in one instance plan as in {USERS} instances"),
        ),
        Some(difference) => difference
            .shown(["alone", "shared"])
            .fold(
                Finding::failed(
                    "independent",
                    format!("{} differs where {USERS} users share an instance", difference.place()),
                ),
                Finding::detail,
            )
            .fix("keep what changes in the value that `open` makes, not in statics; or ask for `instances = \"per-vu\"`"),
    }
}

/// A finding for each tool whose arguments do not fit, or one for all that do.
fn arguments_fit(plans: &Plans, offer: &Discovery, strict: bool) -> Vec<Finding> {
    let judged = Judged::of(plans.tool_calls(), &offer.tools);
    let mark = |what: String| {
        if strict { Finding::failed("arguments", what) } else { Finding::note("arguments", what) }
    };
    let mut findings: Vec<Finding> = judged
        .misfits
        .iter()
        .take(MOST_TOOLS)
        .map(|(tool, misfit)| {
            let what =
                format!("{tool}: {} of {} do not fit its schema", count(misfit.count), count(misfit.of));
            mark(what)
                .detail(misfit.example.clone())
                .detail(misfit.reason.clone())
                .fix("make them from the tool's schema, unless the tool is meant to refuse them")
        })
        .collect();
    if judged.misfits.len() > MOST_TOOLS {
        let others: u64 = judged.misfits.values().skip(MOST_TOOLS).map(|misfit| misfit.count).sum();
        let tools = counted((judged.misfits.len() - MOST_TOOLS) as u64, "further tool");
        findings.push(mark(format!("{} do not fit the schemas of {tools}", count(others))));
    }
    findings.extend(judged.unusable.into_iter().map(|(tool, reason)| {
        Finding::note("arguments", format!("{tool}: its own schema is none: {reason}"))
            .fix("mend the tool's inputSchema on the server")
    }));
    if findings.is_empty() {
        findings.push(Finding::ok(
            "arguments",
            match judged.fitting {
                0 => "no tool with a known schema was called".to_owned(),
                fitting => format!("{} fit their tools' schemas", count(fitting)),
            },
        ));
    }
    findings
}

fn cost(metrics: &PluginMetrics) -> Finding {
    let figure = |title: &str, micros: Option<f64>| {
        micros.map_or_else(|| format!("{title} -"), |micros| format!("{title} {}", fine_time(micros)))
    };
    let (calls, starts) = (&metrics.call_us, &metrics.start_us);
    let figures = [
        figure("next: p50", calls.quantile(0.5)),
        figure("p99", calls.quantile(0.99)),
        figure("max", calls.max()),
    ];
    Finding::note("cost", format!("{} · {}", figures.join(", "), figure("start of a user:", starts.max())))
}

#[cfg(test)]
mod tests;
