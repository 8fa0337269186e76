//! `capacity --fit`: what more cores would bring, from reports of searches that were made before.

use std::path::Path;

use super::super::locate;
use super::super::process::process_facts;
use super::{Arguments, conclude, reserve};
use crate::drive::date_and_time;
use crate::error::{Error, ExitCode};
use crate::report::{Measured, Prospect, ReportVerdict, SavedReport, ScalabilityReport};

/// Fits saved reports, prints and writes what comes of it.
///
/// # Errors
/// [`ExitCode::Usage`] for a file that is no report of a search by rate, or of which the number of cores is not known.
pub(super) fn fit(arguments: &Arguments) -> Result<ReportVerdict, Error> {
    let scaling = &arguments.scaling;
    let mut measured = Vec::new();
    for given in &scaling.fit {
        measured.extend(read(&given.to_string_lossy())?);
    }
    let file = reserve(arguments, "scalability")?;
    let prospect = Prospect {
        cores: scaling.at,
        forced: scaling.force,
        seed: arguments.client.seed.unwrap_or_default(),
    };
    let report =
        ScalabilityReport::new(&measured, prospect, process_facts("capacity"), date_and_time(), false);
    conclude(&SavedReport::Scalability(Box::new(report)), arguments, file)
}

/// What a report says of its number of cores: `FILE`, or `FILE@CORES`.
fn read(given: &str) -> Result<Vec<Measured>, Error> {
    let refuse = |what: String| Error::new(ExitCode::Usage, what).at(given.to_owned());
    let (file, cores) = match given.rsplit_once('@') {
        Some((file, cores)) => match cores.parse::<u32>() {
            Ok(cores) if cores > 0 => (file, Some(cores)),
            _ => return Err(refuse(format!("--fit: `{cores}` is no number of cores"))),
        },
        None => (given, None),
    };
    let report = SavedReport::from_json(&locate::read(Path::new(file))?)
        .map_err(|error| refuse(format!("{file} is no report that this version reads")).because(error))?;
    match report {
        SavedReport::Run(_) => Err(refuse(format!("{file} is the report of a run, not of a search"))
            .advise("search with `cargo pmcp loadtest capacity`, once per number of cores")),
        SavedReport::Scalability(report) => Ok(report.measured()),
        SavedReport::Capacity(report) => {
            let Some(cores) = cores.or(report.manifest.server_cores) else {
                let what = format!("{file} does not say how many cores the server had");
                return Err(refuse(what).advise(format!("write {file}@4 if it had four")));
            };
            let measured = Measured::of(&report.answer, cores).ok_or_else(|| {
                refuse(format!("{file} is a search by sessions, and the law is one of rates"))
                    .advise("search --by rate")
            })?;
            Ok(vec![measured])
        }
    }
}
