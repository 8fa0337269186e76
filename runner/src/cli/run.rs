//! `run`: puts load on a server and reports what it did.

mod flags;

use std::sync::Arc;

use pmcp_loadtest_demo_server::{DemoServer, Script};
use tokio::sync::watch;

pub(super) use self::flags::Arguments;
use super::report::{Format, style};
use super::report_file::ReportFile;
use super::scenarios::unknown as unknown_scenario;
use super::{locate, print};
use crate::drive::{Controls, StopRequest, Survey, date_and_time, limits, prepare};
use crate::error::{Error, ExitCode};
use crate::judge::wording;
use crate::judge::{Observation, Stretch, Verdict, judge_thresholds, judge_validity};
use crate::live::{Console, Ending, Interrupts, forward_interrupts};
use crate::plan::config::{Resolved, resolve};
use crate::plan::{Plan, Script as PlanScript, library};
use crate::report::{Manifest, Report};

/// Runs a load test from its arguments to its exit code.
///
/// # Errors
/// Whatever keeps the load from beginning; after that, only our own failures.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let console = Console::stderr(arguments.progress_mode(), arguments.colour(), |key| std::env::var_os(key));
    let ended = attempt(arguments, &console);
    match &ended {
        Ok(verdict) => console.end(&Ending::from(verdict)),
        Err(error) => console.end(&Ending::from(error)),
    }
    ended.map(|verdict| verdict.exit)
}

fn attempt(arguments: &Arguments, console: &Console) -> Result<Verdict, Error> {
    let demo = if arguments.demo { Some(start_demo()?) } else { None };
    let Resolved { plan, notes, origin } = resolve_plan(arguments, demo.as_ref())?;
    limits::ensure_descriptors(plan.max_vus())?;
    let file = if arguments.no_report {
        None
    } else {
        Some(ReportFile::reserve(arguments.out.as_deref(), date_and_time())?)
    };
    if !arguments.quiet {
        for note in &notes {
            console.say(&format!("note: {note}"));
        }
    }
    let plan = Arc::new(plan);
    let observation = control_runtime()?.block_on(drive(Arc::clone(&plan), &origin, arguments, console))?;
    conclude(&plan, &observation, arguments, file)
}

/// The calling thread's runtime: for what is not load.
///
/// # Errors
/// [`ExitCode::Internal`] where the platform refuses.
pub(super) fn control_runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(ExitCode::Internal, "cannot start the runtime").because(error))
}

fn start_demo() -> Result<DemoServer, Error> {
    DemoServer::start(Script::default())
        .map_err(|error| Error::new(ExitCode::Internal, "cannot start the demo server").because(error))
}

/// Finds out what to run: a file, a scenario of the library, or a plugin.
fn resolve_plan(arguments: &Arguments, demo: Option<&DemoServer>) -> Result<Resolved, Error> {
    let mut overrides = arguments.overrides()?;
    if let Some(demo) = demo {
        let url = demo.url();
        overrides.url = Some(url.parse().map_err(|error| {
            Error::new(ExitCode::Internal, format!("the demo server's URL `{url}` is none")).because(error)
        })?);
    }
    let environment = |key: &str| std::env::var(key).ok();
    // The demo is no business of the file that happens to lie nearest.
    let alone = demo.is_some() && arguments.config.is_none();
    let from_library = match arguments.scenarios.as_slice() {
        [name] => library::find(name),
        [] if alone && arguments.plugin.is_none() => library::find("quickstart"),
        _ => None,
    };
    let here = std::env::current_dir().unwrap_or_default();
    let nearest = || if alone && arguments.plugin.is_some() { None } else { locate::nearest_config(&here) };
    let file = arguments.config.clone().or_else(nearest);
    // A name of the library counts as one only where no file was named that may have a scenario of that name itself.
    if let Some(entry) = from_library.filter(|_| arguments.config.is_none()) {
        overrides.scenarios.clear();
        return Ok(resolve(Some((entry.name, entry.text)), &overrides, &environment)?);
    }
    match file {
        Some(file) => {
            let text = locate::read(&file)?;
            let name = file.strip_prefix(&here).unwrap_or(&file).display().to_string();
            Ok(resolve(Some((&name, &text)), &overrides, &environment)?)
        }
        None => match arguments.scenarios.first() {
            Some(name) => Err(unknown_scenario(name)),
            None => Ok(resolve(None, &overrides, &environment)?),
        },
    }
}

/// Size of a plugin from which compiling it takes so long that a person should know why nothing happens, bytes.
const SLOW_TO_LOAD: u64 = 4 << 20;

/// A line for each plugin that takes seconds to load where it was not compiled before.
fn slow_to_load(plan: &Plan) -> Vec<String> {
    let plugins = plan.scenarios.iter().filter_map(|scenario| match &scenario.script {
        PlanScript::Plugin(plugin) => Some(&plugin.file),
        PlanScript::Steps(_) => None,
    });
    let large = plugins.filter_map(|file| {
        let bytes = std::fs::metadata(file).ok()?.len();
        let line = || {
            format!(
                "loading  {} ({}); the first time it is compiled, which takes seconds",
                file.display(),
                wording::bytes(bytes)
            )
        };
        (bytes >= SLOW_TO_LOAD).then(line)
    });
    large.collect()
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
    if !arguments.quiet {
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
    if !arguments.quiet {
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
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let manifest = Manifest::new(env!("CARGO_PKG_VERSION"), typed_command(), cores);
    let report = Report::new(plan, observation, gates, thresholds, verdict.clone(), manifest);
    let saved = file.as_ref().map(|file| file.path().display().to_string());
    // The summary is printed even where the file cannot be written: nothing measured is lost.
    print::data(&match arguments.format {
        Format::Text => report.text(style(arguments.colour()), saved.as_deref()),
        Format::Json => report.to_json(),
    });
    if let Some(file) = file {
        file.write(&report.to_json())?;
    }
    Ok(verdict)
}

/// The command as a person types it, whatever path the program was started by.
fn typed_command() -> impl Iterator<Item = String> {
    let typed = std::env::args().skip(1).skip_while(|word| word != "run");
    ["cargo", "pmcp", "loadtest"].into_iter().map(str::to_owned).chain(typed)
}
