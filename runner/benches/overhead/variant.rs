//! Who is measured: the generator, the generator over reqwest, and peers on the same request.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use tempfile::NamedTempFile;

use crate::client::Order;
use crate::process::{Target, ourselves};
use crate::shape::Shape;
use crate::wire::{PEER_BODY, PEER_HEADERS};

/// A client that can be measured.
#[derive(Debug)]
pub(crate) enum Variant {
    /// The generator, whole.
    Ours,
    /// The generator over its second transport.
    Reqwest,
    /// `wrk`: a constant body, checks nothing but the status. The floor.
    Wrk { script: NamedTempFile },
    /// `oha`: a constant body too.
    Oha { program: PathBuf },
}

impl Variant {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Reqwest => "ours, reqwest",
            Self::Wrk { .. } => "wrk",
            Self::Oha { .. } => "oha",
        }
    }

    /// `wrk`, where it is installed.
    ///
    /// # Errors
    /// Where its script cannot be written.
    pub(crate) fn wrk() -> anyhow::Result<Option<Self>> {
        if find("wrk").is_none() {
            return Ok(None);
        }
        let mut script = NamedTempFile::with_suffix(".lua").context("cannot write the script for wrk")?;
        writeln!(script, "wrk.method = \"POST\"\nwrk.body = [[{PEER_BODY}]]")?;
        for (name, value) in PEER_HEADERS {
            writeln!(script, "wrk.headers[\"{name}\"] = \"{value}\"")?;
        }
        Ok(Some(Self::Wrk { script }))
    }

    /// `oha`, where `$OHA` names it or PATH has it.
    pub(crate) fn oha() -> Option<Self> {
        let program = std::env::var_os("OHA").map(PathBuf::from).or_else(|| find("oha"))?;
        Some(Self::Oha { program })
    }

    /// The command that puts this shape of load on a target for so long.
    pub(crate) fn command(&self, target: &Target, shape: Shape, length: Duration) -> anyhow::Result<Command> {
        let url = target.url(shape.answer)?;
        let connections = shape.vus.to_string();
        let seconds = length.as_secs().max(1).to_string();
        Ok(match self {
            Self::Ours | Self::Reqwest => {
                let reqwest = matches!(self, Self::Reqwest);
                let order = Order { reqwest, ..Order::of(url, shape.vus, length)? };
                ourselves(&order.arguments())?
            }
            Self::Wrk { script } => {
                let mut command = Command::new("wrk");
                command.args(["--threads", "1", "--connections", &connections, "--duration", &seconds]);
                command.arg("--script").arg(script.path()).arg(url.as_str());
                command
            }
            Self::Oha { program } => {
                let mut command = Command::new(program);
                command.args(["--no-tui", "--output-format", "quiet", "--worker-threads", "1"]);
                command.args([
                    "-m",
                    "POST",
                    "-c",
                    &connections,
                    "-z",
                    &format!("{seconds}s"),
                    "-d",
                    PEER_BODY,
                ]);
                for (name, value) in PEER_HEADERS {
                    command.args(["-H", &format!("{name}: {value}")]);
                }
                command.arg(url.as_str());
                command
            }
        })
    }
}

/// A program on PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
