//! The processes of a measurement: the target, and whoever is measured against it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::machine;
use crate::shape::Answer;
use crate::wire::COUNTS_PATH;

/// The target, in a process of its own; it ends with this value.
#[derive(Debug)]
pub(crate) struct Target {
    child: Child,
    address: SocketAddr,
}

/// What a target has counted so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Calls it answered with a result.
    pub(crate) calls: u64,
    /// Calls it refused, because they lacked a header that MCP demands.
    pub(crate) refused: u64,
}

/// What one whole process cost, and how many calls the target answered it.
#[derive(Debug, Clone)]
pub(crate) struct Cost {
    /// User and system time.
    pub(crate) cpu: Duration,
    /// Calls, as the target counted them.
    pub(crate) calls: u64,
    /// What it printed.
    pub(crate) stdout: String,
}

impl Cost {
    /// CPU time per call, microseconds.
    pub(crate) fn per_call(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.calls as f64
    }
}

/// Tells whoever started this process where it listens.
#[expect(clippy::print_stdout, reason = "the line that `Target::start` waits for")]
pub(crate) fn announce(address: SocketAddr) {
    println!("{address}");
}

/// This program, in another role.
pub(crate) fn ourselves(arguments: &[String]) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments);
    Ok(command)
}

impl Target {
    /// Starts a target and waits until it listens.
    ///
    /// # Errors
    /// Where it cannot be started or does not say where it listens.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let mut child = ourselves(&["target".to_owned()])?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the target")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("the target's output is piped")?).read_line(&mut line)?;
        let address = line.trim().parse().with_context(|| format!("the target said `{}`", line.trim()))?;
        Ok(Self { child, address })
    }

    /// The endpoint that answers in this way.
    pub(crate) fn url(&self, answer: Answer) -> anyhow::Result<url::Url> {
        Ok(format!("http://{}{}", self.address, answer.path()).parse()?)
    }

    /// What it has counted so far.
    ///
    /// # Errors
    /// Where it does not answer.
    pub(crate) fn counts(&self) -> anyhow::Result<Counts> {
        let mut stream = TcpStream::connect(self.address)?;
        write!(stream, "GET {COUNTS_PATH} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address)?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        let body = reply.split("\r\n\r\n").nth(1).unwrap_or_default();
        let (calls, refused) = body.split_once(' ').with_context(|| format!("the target said `{reply}`"))?;
        Ok(Counts { calls: calls.parse()?, refused: refused.parse()? })
    }

    /// Runs a client of this target to its end.
    ///
    /// # Errors
    /// Where it cannot be started, fails, or sends what a real server would refuse.
    pub(crate) fn measure(&self, command: &mut Command) -> anyhow::Result<Cost> {
        let program = command.get_program().to_string_lossy().into_owned();
        let (before, cpu_before) = (self.counts()?, machine::cpu_of_ended_children()?);
        let output =
            command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{program}`"))?;
        let (after, cpu_after) = (self.counts()?, machine::cpu_of_ended_children()?);
        if !output.status.success() {
            bail!("`{program}` failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        if after.refused > before.refused {
            bail!("`{program}` sent calls without the session or Accept header");
        }
        let calls = after.calls - before.calls;
        if calls == 0 {
            bail!("`{program}` made no call: {}", String::from_utf8_lossy(&output.stderr));
        }
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(Cost { cpu: cpu_after.saturating_sub(cpu_before), calls, stdout })
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // It ends with its standard input; that it has ended is all that matters here.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
