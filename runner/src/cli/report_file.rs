//! The file a report will be written to. Reserved before the load begins, so that an unwritable path is found while nothing is lost.

use std::path::{Path, PathBuf};

use super::locate::REPORTS;
use crate::error::{Error, ExitCode};

/// A path that can be written to. Dropped without a report, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct ReportFile {
    path: PathBuf,
    /// What is written first and then takes the report's name: a report is there whole or not at all.
    partial: PathBuf,
}

impl ReportFile {
    /// Reserves `path`, or a name made of `kind` and `now` below `.pmcp/reports`.
    ///
    /// # Errors
    /// [`ExitCode::Usage`] where nothing can be written there.
    pub(super) fn reserve(path: Option<&Path>, kind: &str, now: jiff::Timestamp) -> Result<Self, Error> {
        let path = path.map_or_else(|| unused_name(Path::new(REPORTS), kind, now), Path::to_path_buf);
        let mut partial = path.clone().into_os_string();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let refused = |error: std::io::Error| {
            Error::new(ExitCode::Usage, format!("cannot write the report to {}", path.display()))
                .because(error)
                .advise("name another file with --out, or leave the report out with --no-report")
        };
        if path.is_dir() {
            return Err(refused(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(refused)?;
        }
        std::fs::write(&partial, "").map_err(refused)?;
        Ok(Self { path, partial })
    }

    /// Where the report will be.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the report.
    ///
    /// # Errors
    /// [`ExitCode::Internal`] where that fails after all (a full disk).
    pub(super) fn write(self, text: &str) -> Result<(), Error> {
        std::fs::write(&self.partial, text).and_then(|()| std::fs::rename(&self.partial, &self.path)).map_err(
            |error| {
                Error::new(ExitCode::Internal, format!("cannot write the report to {}", self.path.display()))
                    .because(error)
            },
        )
    }
}

impl Drop for ReportFile {
    fn drop(&mut self) {
        // After a report was written there is nothing by this name.
        let _ = std::fs::remove_file(&self.partial);
    }
}

/// `loadtest-2026-11-20T12-00-00.json`; with a number behind it where several runs fall into one second.
fn unused_name(folder: &Path, kind: &str, now: jiff::Timestamp) -> PathBuf {
    let stamp = now.strftime("%Y-%m-%dT%H-%M-%S");
    let mut path = folder.join(format!("{kind}-{stamp}.json"));
    let mut number = 1_u32;
    while path.exists() {
        number += 1;
        path = folder.join(format!("{kind}-{stamp}-{number}.json"));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/report.json");
        let names = || std::fs::read_dir(path.parent().unwrap()).unwrap().count();
        drop(ReportFile::reserve(Some(&path), "loadtest", jiff::Timestamp::UNIX_EPOCH).unwrap());
        assert_eq!(names(), 0);
        ReportFile::reserve(Some(&path), "loadtest", jiff::Timestamp::UNIX_EPOCH)
            .unwrap()
            .write("{}")
            .unwrap();
        assert_eq!((names(), std::fs::read_to_string(&path).unwrap().as_str()), (1, "{}"));
    }

    #[test]
    fn two_runs_in_one_second_have_two_names() {
        let folder = tempfile::tempdir().unwrap();
        let first = unused_name(folder.path(), "loadtest", jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(first.file_name().unwrap(), "loadtest-1970-01-01T00-00-00.json");
        std::fs::write(&first, "").unwrap();
        let second = unused_name(folder.path(), "loadtest", jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(second.file_name().unwrap(), "loadtest-1970-01-01T00-00-00-2.json");
    }

    #[test]
    fn a_path_that_cannot_be_written_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let error =
            ReportFile::reserve(Some(folder.path()), "loadtest", jiff::Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(error.exit, ExitCode::Usage);
    }
}
