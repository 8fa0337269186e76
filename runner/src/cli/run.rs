//! `run`: puts load on a server and reports what it did.

mod flags;

use std::sync::Arc;

use tokio::sync::watch;

pub(super) use self::flags::Arguments;
use super::print;
use super::process::process_facts;
use super::report::{Format, style};
use super::report_file::ReportFile;
use super::subject::{control_runtime, resolve_plan, slow_to_load, start_demo};
use crate::drive::{Controls, StopRequest, Survey, date_and_time, limits, prepare};
use crate::error::{Error, ExitCode};
use crate::judge::{Observation, Stretch, Verdict, judge_thresholds, judge_validity};
use crate::live::{Console, Ending, Interrupts, forward_interrupts};
use crate::plan::Plan;
use crate::plan::config::Resolved;
use crate::report::Report;

/// Runs a load test from its arguments to its exit code.
///
/// # Errors
/// Whatever keeps the load from beginning; after that, only our own failures.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let console = Console::stderr(arguments.output.progress_mode(), arguments.output.colour(), |key| {
        std::env::var_os(key)
    });
    let ended = attempt(arguments, &console);
    match &ended {
        Ok(verdict) => console.end(&Ending::from(verdict)),
        Err(error) => console.end(&Ending::from(error)),
    }
    ended.map(|verdict| verdict.exit)
}

fn attempt(arguments: &Arguments, console: &Console) -> Result<Verdict, Error> {
    let demo = if arguments.subject.demo { Some(start_demo()?) } else { None };
    let Resolved { plan, notes, origin, .. } =
        resolve_plan(&arguments.subject, arguments.overrides()?, demo.as_ref())?;
    limits::ensure_descriptors(plan.max_vus())?;
    let file = if arguments.output.no_report {
        None
    } else {
        Some(ReportFile::reserve(arguments.output.out.as_deref(), "loadtest", date_and_time())?)
    };
    if !arguments.output.quiet {
        for note in &notes {
            console.say(&format!("note: {note}"));
        }
    }
    let plan = Arc::new(plan);
    let observation = control_runtime()?.block_on(drive(Arc::clone(&plan), &origin, arguments, console))?;
    conclude(&plan, &observation, arguments, file)
}

/// Greets the target, runs the load, shows how it goes.
async fn drive(
    plan: Arc<Plan>,
    origin: &str,
    arguments: &Arguments,
    console: &Console,
) -> Result<Observation, Error> {
    let (ask, mut stop) = watch::channel(StopRequest::None);
    let interrupts = tokio::spawn(forward_interrupts(Interrupts::install()?, ask, console.clone()));
    if !arguments.output.quiet {
        for line in slow_to_load(&plan) {
            console.say(&line);
        }
    }
    let prepared = tokio::select! {
        prepared = prepare(Arc::clone(&plan), Survey::Tools) => prepared?,
        _ = stop.wait_for(|asked| *asked != StopRequest::None) => {
            return Err(Error::new(ExitCode::Interrupted, "interrupted before the load began"));
        }
    };
    if !arguments.output.quiet {
        for note in &prepared.notes {
            console.say(&format!("note: {note}"));
        }
        let server = prepared.server_facts();
        console.say(&format!("target   {}", plan.target.shown_url()));
        console.say(&format!("server   {server}"));
        let loads: Vec<String> = plan.loads.iter().map(ToString::to_string).collect();
        console.say(&format!("scenario {origin} · {}", loads.join("; ")));
    }
    let (snapshots, watcher) = watch::channel(None);
    let display = console.watch_aside(watcher)?;
    let observation = prepared.run(Controls { stop, snapshots, pieces: None }).await;
    // The display ends with the run; a panic in it is no reason to lose the report.
    let _ = display.join();
    interrupts.abort();
    observation
}

/// Judges the run, writes the report, prints the summary.
fn conclude(
    plan: &Plan,
    observation: &Observation,
    arguments: &Arguments,
    file: Option<ReportFile>,
) -> Result<Verdict, Error> {
    let gates = judge_validity(plan, observation);
    let thresholds = judge_thresholds(&plan.thresholds, &Stretch::whole(observation), &observation.windows);
    let verdict = Verdict::new(observation, &gates, &thresholds);
    let manifest = process_facts("run");
    let report = Report::new(plan, observation, gates, thresholds, verdict.clone(), manifest);
    let saved = file.as_ref().map(|file| file.path().display().to_string());
    // The summary is printed even where the file cannot be written: nothing measured is lost.
    print::data(&match arguments.output.format {
        Format::Text => report.text(style(arguments.output.colour()), saved.as_deref()),
        Format::Json => report.to_json(),
    });
    if let Some(file) = file {
        file.write(&report.to_json())?;
    }
    Ok(verdict)
}
