//! `capacity --cores`: searches a server that is started with so many cores, one number after the other, while the generator keeps
//! to cores of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;

use super::Task;
use super::flags::ScalingFlags;
use crate::cli::process::process_facts;
use crate::drive::affinity::{allowed_cores, confine_to};
use crate::drive::server_process::ServerProcess;
use crate::drive::{Prepared, StopRequest, Survey, date_and_time, prepare};
use crate::error::{Error, ExitCode};
use crate::judge::capacity::Variable;
use crate::judge::wording::counted;
use crate::report::{CapacityReport, Measured, Prospect, ScalabilityReport};

/// How long a server may take to answer for the first time, and how often it is asked.
const COMES_UP: Duration = Duration::from_mins(1);
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Where server and generator are.
#[derive(Debug)]
pub(super) struct Site {
    command: String,
    /// The numbers of cores to measure, in the order in which they were given.
    counts: Vec<u32>,
    /// The cores that a server is given the first of.
    cores: Vec<usize>,
    /// What a person should know.
    note: Option<String>,
}

impl Site {
    /// The site that the flags ask for, if they do; the calling thread, and every thread that it starts from now on, keeps to the
    /// generator's cores then.
    ///
    /// # Errors
    /// [`ExitCode::Usage`] where there are too few cores.
    pub(super) fn check(flags: &ScalingFlags) -> Result<Option<Self>, Error> {
        let Some(command) = flags.server_cmd.clone().filter(|_| !flags.cores.is_empty()) else {
            return Ok(None);
        };
        let cores = allowed_cores()?;
        let (generator, note) = generator_cores(&flags.cores, &cores, flags.force)
            .map_err(|(what, next)| Error::new(ExitCode::Usage, what).advise(next))?;
        confine_to(generator)?;
        Ok(Some(Self { command, counts: flags.cores.clone(), cores, note }))
    }

    fn server_cores(&self, count: u32) -> &[usize] {
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(self.cores.len());
        &self.cores[..count]
    }
}

/// Cores for the generator, and what a person should know of them.
type Share<'a> = (&'a [usize], Option<String>);

/// The cores that are left for the generator, the same for all searches; or what is wrong, and what to do.
fn generator_cores<'a>(
    counts: &[u32],
    cores: &'a [usize],
    forced: bool,
) -> Result<Share<'a>, (String, &'static str)> {
    let there = counted(cores.len() as u64, "core");
    let most = counts.iter().copied().max().unwrap_or_default();
    let in_use = usize::try_from(most).unwrap_or(usize::MAX);
    if counts.contains(&0) {
        return Err(("--cores: a server without a core does nothing".to_owned(), "write 1 or more"));
    }
    if in_use > cores.len() {
        return Err((
            format!("--cores: {most} cores are more than the {there} that this process may use"),
            "leave it out, or measure on a larger machine and use --fit",
        ));
    }
    match (&cores[in_use..], forced) {
        ([], false) => Err((
            format!("--cores: with {most} of {there} for the server, none is left for the generator"),
            "measure fewer cores, or search from another machine and use --fit; --force lets them share",
        )),
        ([], true) => Ok((
            cores,
            Some("server and generator share cores, so that each slows the other: --force".to_owned()),
        )),
        (rest, _) => Ok((rest, None)),
    }
}

/// Searches each number of cores as often as was asked, in turns, so that whatever changes with time changes all of them alike.
///
/// # Errors
/// [`ExitCode::Usage`] where a search is not one by rate, something answers already or the server cannot be started;
/// [`ExitCode::Unreachable`] where it does not answer.
pub(super) async fn measure(
    task: &Task<'_>,
    site: &Site,
    stop: &watch::Receiver<StopRequest>,
) -> Result<ScalabilityReport, Error> {
    if task.question.variable == Variable::Sessions {
        return Err(Error::new(ExitCode::Usage, "--cores: cores are compared by rate")
            .advise("leave out --by sessions"));
    }
    let flags = &task.arguments.scaling;
    let mut searches: Vec<CapacityReport> = Vec::new();
    'all: for repeat in 1..=flags.repeats {
        for cores in &site.counts {
            let Some(searched) = search_at(task, site, stop, *cores, repeat).await? else { break 'all };
            searches.push(searched);
        }
    }
    let interrupted = *stop.borrow() != StopRequest::None;
    let measured: Vec<Measured> = searches
        .iter()
        .filter_map(|search| Measured::of(&search.answer, search.manifest.server_cores?))
        .collect();
    let prospect = Prospect { cores: flags.at, forced: flags.force, seed: task.plan.settings.seed };
    let process = process_facts("capacity");
    let report = ScalabilityReport::new(&measured, prospect, process, date_and_time(), interrupted);
    let notes = task.notes.iter().chain(&site.note).cloned().collect();
    Ok(ScalabilityReport { notes, searches, ..report })
}

/// One search; `None` where somebody ended it before it began.
async fn search_at(
    task: &Task<'_>,
    site: &Site,
    stop: &watch::Receiver<StopRequest>,
    cores: u32,
    repeat: u32,
) -> Result<Option<CapacityReport>, Error> {
    if *stop.borrow() != StopRequest::None {
        return Ok(None);
    }
    refuse_if_answered(task).await?;
    task.say(&format!(
        "search {repeat} of {} at {}: {}",
        task.arguments.scaling.repeats,
        counted(cores.into(), "core"),
        site.command
    ));
    let server = ServerProcess::start(&site.command, site.server_cores(cores))?;
    let mut asked = stop.clone();
    let prepared = tokio::select! {
        prepared = comes_up(task, &server) => prepared?,
        _ = asked.wait_for(|asked| *asked != StopRequest::None) => return Ok(None),
    };
    let report = task.search(&prepared, stop, Some(cores)).await?;
    if server.has_ended() && *stop.borrow() == StopRequest::None {
        task.say(&format!("note: the server ended during the search; it said: {}", server.last_words()));
    }
    Ok(Some(report))
}

/// What answers before the server is started is another one, and on other cores.
async fn refuse_if_answered(task: &Task<'_>) -> Result<(), Error> {
    let url = &task.plan.target.url;
    let address = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    if TcpStream::connect(address).await.is_err() {
        return Ok(());
    }
    Err(Error::new(ExitCode::Usage, "something answers before the server is started")
        .at(task.plan.target.shown_url())
        .advise("end it first: --server-cmd starts the server itself"))
}

/// Waits until the server answers.
async fn comes_up(task: &Task<'_>, server: &ServerProcess) -> Result<Prepared, Error> {
    let unreachable = |what: &str| {
        let error = Error::new(ExitCode::Unreachable, what).at(task.plan.target.shown_url());
        match server.last_words() {
            words if words.is_empty() => error,
            words => error.advise(format!("see what it said last:\n      {words}")),
        }
    };
    let ask = async {
        loop {
            match prepare(Arc::clone(&task.plan), Survey::Tools).await {
                Err(error) if error.exit == ExitCode::Unreachable => {}
                other => return other,
            }
            if server.has_ended() {
                return Err(unreachable("the server ended before it answered"));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    };
    let waited = tokio::time::timeout(COMES_UP, ask).await;
    waited.unwrap_or_else(|_| Err(unreachable("the server was started and does not answer")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_keeps_to_the_cores_that_no_search_gives_away() {
        let cores = [0, 1, 2, 3, 6, 7];
        assert_eq!(generator_cores(&[1, 4, 2], &cores, false), Ok((&[6, 7][..], None)));
    }

    #[test]
    fn cores_that_are_not_there_are_refused_and_sharing_must_be_forced() {
        let cores = [0, 1];
        let refused = |counts: &[u32], forced| generator_cores(counts, &cores, forced).unwrap_err().0;
        assert_eq!(
            refused(&[1, 3], true),
            "--cores: 3 cores are more than the 2 cores that this process may use"
        );
        assert_eq!(
            refused(&[1, 2], false),
            "--cores: with 2 of 2 cores for the server, none is left for the generator"
        );
        assert_eq!(refused(&[0], true), "--cores: a server without a core does nothing");
        let (generator, note) = generator_cores(&[1, 2], &cores, true).unwrap();
        assert_eq!((generator, note.is_some()), (&cores[..], true));
    }
}
