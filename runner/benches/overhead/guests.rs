//! The plugins that are measured: built as their authors build them, into a folder of the run's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";

/// Components on disk, as long as this lives.
#[derive(Debug)]
pub(crate) struct Guests {
    folder: TempDir,
}

impl Guests {
    /// Builds `tests/guests/steps`.
    ///
    /// # Errors
    /// Where the target cannot be installed or the guests cannot be built.
    pub(crate) fn build() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        // Installed already, or a Rust without rustup that has it: cargo says it better if neither is so.
        let _ = Command::new("rustup").args(["target", "add", TARGET]).output();
        // A target directory of its own: that of the bench is locked while cargo runs it.
        let built = root.join("target/guests");
        let status = Command::new("cargo")
            .current_dir(&root)
            .args(["build", "--quiet", "--release", "--locked", "--package", "steps", "--examples"])
            .args(["--target", TARGET])
            .arg("--target-dir")
            .arg(&built)
            .status()
            .context("cannot start cargo")?;
        ensure!(status.success(), "the guests of the bench cannot be built");
        let folder = tempfile::tempdir()?;
        for name in ["ahead", "heard"] {
            let module =
                std::fs::read(built.join(TARGET).join("release/examples").join(format!("{name}.wasm")))?;
            let component =
                ComponentEncoder::default().module(&module).and_then(|mut encoder| encoder.encode());
            let component =
                component.map_err(|error| anyhow::anyhow!("{name} is no component: {error:#}"))?;
            std::fs::write(folder.path().join(format!("{name}.wasm")), component)?;
        }
        Ok(Self { folder })
    }

    /// The mix of the bench, planned ahead.
    pub(crate) fn ahead(&self) -> PathBuf {
        self.folder.path().join("ahead.wasm")
    }

    /// One call per iteration, made up and heard of.
    pub(crate) fn heard(&self) -> PathBuf {
        self.folder.path().join("heard.wasm")
    }

    /// A folder for compiled code that nobody else uses.
    pub(crate) fn empty_cache(&self) -> anyhow::Result<PathBuf> {
        let cache = self.folder.path().join("cache");
        std::fs::create_dir_all(&cache)?;
        Ok(cache)
    }
}
