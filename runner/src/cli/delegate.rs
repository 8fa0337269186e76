//! One name, two tools: cargo finds `cargo pmcp` as a program called `cargo-pmcp`, which the existing crate also installs. Ours answers
//! `loadtest` itself and hands every other verb to the next `cargo-pmcp` on PATH.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::error::{Error, ExitCode};

/// Whose command it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Ours: what follows `loadtest`.
    Loadtest(Vec<OsString>),
    /// Another tool's: all that follows `cargo pmcp`.
    Other(Vec<OsString>),
}

/// Finds out whose command was typed.
///
/// Cargo calls `cargo-pmcp pmcp loadtest ...`; called by hand, the `pmcp` is missing. `cargo-pmcp-loadtest` is this tool alone.
pub(super) fn route(typed: &[OsString]) -> Route {
    let program = typed.first().map(PathBuf::from).unwrap_or_default();
    let alone = program.file_stem().is_some_and(|stem| stem == "cargo-pmcp-loadtest");
    let rest = typed.get(1..).unwrap_or_default();
    if alone {
        return Route::Loadtest(skip(skip(rest, "pmcp-loadtest"), "loadtest").to_vec());
    }
    match skip(rest, "pmcp") {
        [verb, rest @ ..] if verb == "loadtest" && rest.first().is_none_or(|next| next != "upload") => {
            Route::Loadtest(rest.to_vec())
        }
        rest => Route::Other(rest.to_vec()),
    }
}

fn skip<'a>(typed: &'a [OsString], word: &str) -> &'a [OsString] {
    match typed {
        [first, rest @ ..] if first == word => rest,
        all => all,
    }
}

/// Runs the next `cargo-pmcp` on PATH with these arguments; returns its exit code.
///
/// # Errors
/// [`ExitCode::Usage`] where there is none.
pub(super) fn hand_over(rest: &[OsString]) -> Result<u8, Error> {
    let own = std::env::current_exe().and_then(std::fs::canonicalize).ok();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let Some(other) = next_on_path(&path, own.as_deref()) else { return Err(nobody_else(rest)) };
    let status = std::process::Command::new(&other).arg("pmcp").args(rest).status().map_err(|error| {
        Error::new(ExitCode::Internal, format!("cannot start {}", other.display())).because(error)
    })?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(ExitCode::Internal.code()))
}

fn nobody_else(rest: &[OsString]) -> Error {
    let verb = rest.iter().map(|word| word.to_string_lossy()).take_while(|word| !word.starts_with('-'));
    let verb = verb.take(2).collect::<Vec<_>>().join(" ");
    let what = if verb.is_empty() {
        "this `cargo pmcp` only knows `loadtest`".to_owned()
    } else {
        format!("`cargo pmcp {verb}` belongs to the cargo-pmcp crate, and no other cargo-pmcp is on PATH")
    };
    Error::new(ExitCode::Usage, what).advise(
        "for load tests: cargo pmcp loadtest --help; for the rest: `cargo install cargo-pmcp --root DIR`, with DIR/bin on PATH behind \
         this program",
    )
}

fn next_on_path(path: &OsStr, own: Option<&Path>) -> Option<PathBuf> {
    let name = format!("cargo-pmcp{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(path)
        .map(|folder| folder.join(&name))
        .filter(|candidate| candidate.is_file())
        .find(|candidate| std::fs::canonicalize(candidate).ok().as_deref() != own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn our_verb_is_answered_however_the_program_was_called() {
        for typed in [
            "/x/cargo-pmcp pmcp loadtest run --demo",
            "cargo-pmcp loadtest run --demo",
            "/x/cargo-pmcp-loadtest pmcp-loadtest run --demo",
            "cargo-pmcp-loadtest run --demo",
            "cargo-pmcp-loadtest loadtest run --demo",
        ] {
            assert_eq!(route(&words(typed)), Route::Loadtest(words("run --demo")), "{typed}");
        }
    }

    #[test]
    fn other_verbs_and_upload_belong_to_the_other_tool() {
        assert_eq!(route(&words("cargo-pmcp pmcp deploy --x")), Route::Other(words("deploy --x")));
        assert_eq!(
            route(&words("cargo-pmcp pmcp loadtest upload f")),
            Route::Other(words("loadtest upload f"))
        );
        assert_eq!(route(&words("cargo-pmcp")), Route::Other(vec![]));
    }

    #[test]
    fn where_nobody_else_is_the_person_learns_how_to_get_it() {
        let error = nobody_else(&words("deploy --x")).to_string();
        assert!(
            error.contains("`cargo pmcp deploy`") && error.contains("cargo install cargo-pmcp"),
            "{error}"
        );
    }

    #[test]
    fn the_next_program_on_path_is_not_ourselves() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let name = format!("cargo-pmcp{}", std::env::consts::EXE_SUFFIX);
        let programs = folders.each_ref().map(|folder| folder.path().join(&name));
        for program in &programs {
            std::fs::write(program, "").unwrap();
        }
        let path = std::env::join_paths(folders.iter().map(tempfile::TempDir::path)).unwrap();
        let own = std::fs::canonicalize(&programs[0]).unwrap();
        assert_eq!(next_on_path(&path, Some(&own)), Some(programs[1].clone()));
        assert_eq!(next_on_path(OsStr::new(""), Some(&own)), None);
    }
}
