//! `capacity`: finds the highest load at which a server keeps to its objectives, and what more cores would bring.

#[cfg_attr(not(target_os = "linux"), path = "capacity/cores/absent.rs")]
mod cores;
mod fit;
mod flags;
mod question;

use std::num::NonZeroU32;
use std::sync::Arc;

use tokio::sync::watch;

pub(super) use self::flags::Arguments;
use super::print;
use super::process::process_facts;
use super::report::{Format, style};
use super::report_file::ReportFile;
use super::subject::{control_runtime, resolve_plan, slow_to_load, start_demo};
use crate::drive::capacity::{LARGEST_POOL, News, SearchControls, Searched, TrialSettings};
use crate::drive::{Prepared, StopRequest, Survey, date_and_time, limits, prepare};
use crate::error::{Error, ExitCode};
use crate::judge::capacity::{Question, Search, Variable};
use crate::live::{Console, Ending, Interrupts, SearchDisplay, forward_interrupts};
use crate::plan::Plan;
use crate::plan::config::Resolved;
use crate::report::{CapacityReport, ReportVerdict, SavedReport, SearchFacts};

/// Searches from the arguments to the exit code.
///
/// # Errors
/// Whatever keeps the search from beginning; after that, only our own failures.
pub(super) fn capacity(arguments: &Arguments) -> Result<ExitCode, Error> {
    let output = &arguments.output;
    let console = Console::stderr(output.progress_mode(), output.colour(), |key| std::env::var_os(key));
    let ended = if arguments.scaling.fit.is_empty() {
        control_runtime()?.block_on(attempt(arguments, &console))
    } else {
        fit::fit(arguments)
    };
    match &ended {
        Ok(verdict) => console.end(&Ending::from(verdict)),
        Err(error) => console.end(&Ending::from(error)),
    }
    ended.map(|verdict| exit_of(&verdict))
}

/// A search that is ready but for its target.
struct Task<'a> {
    arguments: &'a Arguments,
    console: &'a Console,
    plan: Arc<Plan>,
    question: Question,
    settings: TrialSettings,
    notes: Vec<String>,
}

async fn attempt(arguments: &Arguments, console: &Console) -> Result<ReportVerdict, Error> {
    let server = cores::Site::check(&arguments.scaling)?;
    let demo = if arguments.subject.demo { Some(start_demo()?) } else { None };
    let resolved = resolve_plan(&arguments.subject, arguments.overrides()?, demo.as_ref())?;
    let origin = resolved.origin.clone();
    let task = Task::new(arguments, console, resolved)?;
    let file = reserve(arguments, if server.is_some() { "scalability" } else { "capacity" })?;
    task.say_notes();
    let (ask, mut stop) = watch::channel(StopRequest::None);
    let interrupts = tokio::spawn(forward_interrupts(Interrupts::install()?, ask, console.clone()));
    let report = if let Some(site) = server {
        SavedReport::Scalability(Box::new(cores::measure(&task, &site, &stop).await?))
    } else {
        let prepared = tokio::select! {
            prepared = prepare(Arc::clone(&task.plan), Survey::Tools) => prepared?,
            _ = stop.wait_for(|asked| *asked != StopRequest::None) => {
                return Err(Error::new(ExitCode::Interrupted, "interrupted before the load began"));
            }
        };
        task.introduce(&prepared, &origin);
        SavedReport::Capacity(Box::new(task.search(&prepared, &stop, None).await?))
    };
    interrupts.abort();
    conclude(&report, arguments, file)
}

impl<'a> Task<'a> {
    fn new(arguments: &'a Arguments, console: &'a Console, resolved: Resolved) -> Result<Self, Error> {
        let Resolved { plan, notes, origin, shapes_load } = resolved;
        let (mut question, about) = question::question(&arguments.question, &plan)?;
        let mut all = notes;
        all.extend(about);
        if shapes_load {
            all.push(format!("the load of {origin} plays no part: the search sets its own"));
        }
        let room = limits::room_for(LARGEST_POOL);
        let most_vus = NonZeroU32::new(room).unwrap_or(NonZeroU32::MIN);
        if room < LARGEST_POOL {
            all.push(format!(
                "this process may open so few files that no trial has more than {room} virtual users (`ulimit -n`)"
            ));
        }
        if question.variable == Variable::Sessions {
            let room = f64::from(room);
            question.ceiling = Some(question.ceiling.map_or(room, |ceiling| ceiling.min(room)));
        }
        let of_plan = plan.loads.iter().filter_map(|load| load.executor.pool()).map(|pool| pool.spacing);
        let arrivals = arguments.question.arrivals.or(of_plan.into_iter().next()).unwrap_or_default();
        let settings = TrialSettings { arrivals, most_vus };
        Ok(Self { arguments, console, plan: Arc::new(plan), question, settings, notes: all })
    }

    fn say(&self, line: &str) {
        if !self.arguments.output.quiet {
            self.console.say(line);
        }
    }

    fn say_notes(&self) {
        for note in &self.notes {
            self.say(&format!("note: {note}"));
        }
        for line in slow_to_load(&self.plan) {
            self.say(&line);
        }
    }

    /// Says who is searched for what.
    fn introduce(&self, prepared: &Prepared, origin: &str) {
        for note in &prepared.notes {
            self.say(&format!("note: {note}"));
        }
        self.say(&format!("target   {}", self.plan.target.shown_url()));
        self.say(&format!("server   {}", prepared.server_facts()));
        self.say(&format!("scenario {origin}"));
        for objective in &self.question.objectives {
            self.say(&format!("holds to {objective}"));
        }
    }

    /// Searches, shows how it goes, and makes the report.
    async fn search(
        &self,
        prepared: &Prepared,
        stop: &watch::Receiver<StopRequest>,
        server_cores: Option<u32>,
    ) -> Result<CapacityReport, Error> {
        let (snapshots, watcher) = watch::channel(None);
        let display = SearchDisplay::start(self.console, watcher)?;
        let controls = SearchControls { stop: stop.clone(), snapshots };
        let started_at = date_and_time();
        let mut tell = |search: &Search, news: News<'_>| display.tell(search, &news);
        let Searched { answer, .. } =
            prepared.search(self.question.clone(), self.settings, controls, &mut tell).await?;
        display.end(&answer);
        let facts = SearchFacts {
            plan: &self.plan,
            question: &self.question,
            arrivals: self.settings.arrivals,
            started_at,
            server: &prepared.server_facts(),
            server_cores,
            notes: &self.notes,
            process: process_facts("capacity"),
        };
        Ok(CapacityReport::new(facts, answer))
    }
}

/// Reserves the file of the report, where one is wanted.
fn reserve(arguments: &Arguments, kind: &str) -> Result<Option<ReportFile>, Error> {
    if arguments.output.no_report {
        return Ok(None);
    }
    ReportFile::reserve(arguments.output.out.as_deref(), kind, date_and_time()).map(Some)
}

/// Prints the report and writes it.
fn conclude(
    report: &SavedReport,
    arguments: &Arguments,
    file: Option<ReportFile>,
) -> Result<ReportVerdict, Error> {
    let saved = file.as_ref().map(|file| file.path().display().to_string());
    // The summary is printed even where the file cannot be written: nothing measured is lost.
    print::data(&match arguments.output.format {
        Format::Text => report.text(style(arguments.output.colour()), saved.as_deref()),
        Format::Json => report.to_json(),
    });
    if let Some(file) = file {
        file.write(&report.to_json())?;
    }
    Ok(report.verdict().clone())
}

/// The exit code that a verdict names.
fn exit_of(verdict: &ReportVerdict) -> ExitCode {
    let all = [ExitCode::Passed, ExitCode::Failed, ExitCode::Inconclusive, ExitCode::Interrupted];
    all.into_iter().find(|exit| exit.code() == verdict.exit_code).unwrap_or(ExitCode::Internal)
}
