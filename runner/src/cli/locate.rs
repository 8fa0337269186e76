//! Finds the files that a run works with.

use std::path::{Path, PathBuf};

use crate::error::{Error, ExitCode};

/// Where a configuration stands, relative to a project's folder.
pub(super) const CONFIG: &str = ".pmcp/loadtest.toml";
/// Where reports go, relative to the current folder.
pub(super) const REPORTS: &str = ".pmcp/reports";

/// The nearest configuration: in this folder or the closest one above it, as git looks for `.git`.
pub(super) fn nearest_config(from: &Path) -> Option<PathBuf> {
    from.ancestors().map(|folder| folder.join(CONFIG)).find(|file| file.is_file())
}

/// Reads a file as text.
///
/// # Errors
/// [`ExitCode::Usage`] with the file's name.
pub(super) fn read(file: &Path) -> Result<String, Error> {
    std::fs::read_to_string(file).map_err(|error| {
        Error::new(ExitCode::Usage, format!("cannot read {}", file.display())).because(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_configuration_above_is_found() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir_all(root.path().join(".pmcp")).unwrap();
        let file = root.path().join(CONFIG);
        std::fs::write(&file, "").unwrap();
        assert_eq!(nearest_config(&deep), Some(file));
    }
}
