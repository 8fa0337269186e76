//! The crate of a plugin, as cargo sees it: found, checked, compiled to WebAssembly.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::super::print;
use super::toolchain::TARGET;
use crate::error::{Error, ExitCode};

/// A crate that builds a library which can be loaded.
#[derive(Debug)]
pub(super) struct Guest {
    /// The package's name.
    pub(super) name: String,
    /// The package's folder.
    pub(super) folder: PathBuf,
    /// How cargo calls the package.
    id: String,
    /// Where cargo would build it.
    target_folder: PathBuf,
}

/// How a plugin is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Profile {
    /// For runs.
    Release,
    /// For looking into it.
    Debug,
}

/// The cargo to call: the one that called us, if one did.
pub(super) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

impl Guest {
    /// The crate in `path`, or, where none is given, around the current folder.
    ///
    /// # Errors
    /// [`ExitCode::Usage`] where there is none, or it is no plugin's.
    pub(super) fn find(path: Option<&Path>) -> Result<Self, Error> {
        let manifest = manifest(path)?;
        let folder = manifest.parent().unwrap_or(Path::new("/")).to_owned();
        let metadata = metadata(&folder)?;
        let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
        let own = packages.iter().find(|package| is_of(package, &manifest));
        let package = own.ok_or_else(|| no_package(&manifest, packages))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = text(&package["name"]);
        if !is_loadable(package) {
            return Err(Error::new(
                ExitCode::Usage,
                format!("`{name}` builds no library that can be loaded"),
            )
            .at(manifest.display().to_string())
            .advise("write into it:\n\n    [lib]\n    crate-type = [\"cdylib\", \"rlib\"]"));
        }
        let target_folder = PathBuf::from(text(&metadata["target_directory"]));
        Ok(Self { name, folder, id: text(&package["id"]), target_folder })
    }

    /// Compiles it, with cargo's messages on standard error; gives the module's file.
    ///
    /// # Errors
    /// [`ExitCode::Plugin`] where cargo fails.
    pub(super) fn compile(&self, profile: Profile) -> Result<PathBuf, Error> {
        let mut command = Command::new(cargo());
        command
            .args(["build", "--lib", "--package", &self.id, "--target", TARGET])
            .args(["--message-format", "json-render-diagnostics"])
            // A folder of its own: whoever called us from within a build holds the lock of the other.
            .arg("--target-dir")
            .arg(self.target_folder.join("plugin"));
        if profile == Profile::Release {
            command.arg("--release");
        }
        let unable = |error| Error::new(ExitCode::Usage, "cannot start cargo").because(error);
        let mut running = command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(unable)?;
        let mut module = None;
        for line in running.stdout.take().into_iter().flat_map(|said| BufReader::new(said).lines()) {
            let line = line.map_err(unable)?;
            match serde_json::from_str::<Value>(&line) {
                Ok(message) => module = self.module_of(&message).or(module),
                Err(_) => print::talk(&line),
            }
        }
        let ended = running.wait().map_err(unable)?;
        match module {
            Some(module) if ended.success() => Ok(module),
            _ => Err(Error::new(ExitCode::Plugin, format!("cargo could not build `{}`", self.name))
                .at(self.folder.display().to_string())
                .advise("its messages stand above")),
        }
    }

    /// The module's file, where a message of cargo says that it was built.
    fn module_of(&self, message: &Value) -> Option<PathBuf> {
        let ours = message["reason"] == "compiler-artifact" && message["package_id"] == self.id;
        let files = message["filenames"].as_array().filter(|_| ours)?;
        let mut paths = files.iter().filter_map(Value::as_str).map(PathBuf::from);
        paths.find(|path| path.extension().is_some_and(|ending| ending == "wasm"))
    }
}

/// The manifest's absolute path.
fn manifest(path: Option<&Path>) -> Result<PathBuf, Error> {
    let absent = |folder: &Path| {
        Error::new(ExitCode::Usage, format!("there is no crate in {}", folder.display())).advise(
            "name the folder of its Cargo.toml, or begin one with `cargo pmcp loadtest plugin new NAME`",
        )
    };
    let start = path.unwrap_or(Path::new("."));
    let folder = start.canonicalize().map_err(|error| absent(start).because(error))?;
    let around = if path.is_some() { 1 } else { usize::MAX };
    let mut manifests = folder.ancestors().take(around).map(|folder| folder.join("Cargo.toml"));
    manifests.find(|file| file.is_file()).ok_or_else(|| absent(&folder))
}

/// What cargo knows of the workspace around the crate; no network is needed for that.
///
/// # Errors
/// [`ExitCode::Usage`] where cargo refuses the crate.
pub(super) fn metadata(folder: &Path) -> Result<Value, Error> {
    let answer = Command::new(cargo())
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            Error::new(ExitCode::Usage, "cannot start cargo")
                .because(error)
                .advise("plugins are built with Rust's cargo: install it with rustup")
        })?;
    let unreadable =
        || Error::new(ExitCode::Usage, "cargo cannot read the crate").at(folder.display().to_string());
    if !answer.status.success() {
        return Err(unreadable().because(String::from_utf8_lossy(&answer.stderr).trim()));
    }
    serde_json::from_slice(&answer.stdout).map_err(|error| unreadable().because(error))
}

fn is_of(package: &Value, manifest: &Path) -> bool {
    let path = package["manifest_path"].as_str().map(Path::new);
    path.and_then(|path| path.canonicalize().ok()).is_some_and(|path| path == manifest)
}

fn is_loadable(package: &Value) -> bool {
    let targets = package["targets"].as_array().into_iter().flatten();
    let mut kinds = targets.filter_map(|target| target["crate_types"].as_array()).flatten();
    kinds.any(|kind| kind == "cdylib")
}

/// A workspace without a package of its own; its members are what could be meant.
fn no_package(manifest: &Path, packages: &[Value]) -> Error {
    let loadable = packages.iter().filter(|package| is_loadable(package));
    let names: Vec<&str> = loadable.filter_map(|package| package["name"].as_str()).collect();
    let members = if names.is_empty() { "none of its members is one".to_owned() } else { names.join(", ") };
    Error::new(ExitCode::Usage, "this is a workspace, and no plugin's crate")
        .at(manifest.display().to_string())
        .advise(format!("name the folder of the plugin's crate: {members}"))
}
