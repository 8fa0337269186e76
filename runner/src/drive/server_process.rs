//! A server that we start ourselves, on so many cores, and end again (Linux).
//!
//! In: a command for the shell and the cores it may use. The process leads a group of its own, so that an interrupt of ours does not
//! reach it and all that it started ends with it.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use super::affinity::confine_to;
use crate::error::{Error, ExitCode};

/// How often, and how many times, it is looked whether a server that was asked to end has ended: five seconds.
const LOOK: Duration = Duration::from_millis(10);
const LOOKS: u32 = 500;
/// Lines of its standard error that are kept.
const LINES: usize = 10;

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    group: Pid,
    said: Arc<Mutex<VecDeque<String>>>,
}

impl ServerProcess {
    /// Starts a command of the shell on these cores.
    ///
    /// # Errors
    /// [`ExitCode::Usage`] where it cannot be started, [`ExitCode::Internal`] where there are no such cores.
    pub fn start(command: &str, cores: &[usize]) -> Result<Self, Error> {
        let failed = || Error::new(ExitCode::Usage, "cannot start the server").at(command);
        // A child inherits the cores of the thread that starts it, and that thread's only.
        let spawn = || {
            confine_to(cores)?;
            Command::new("sh")
                .args(["-c", command])
                .process_group(0)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .map_err(|error| failed().because(error))
        };
        let mut child =
            std::thread::scope(|scope| scope.spawn(spawn).join().unwrap_or_else(|_| Err(failed())))?;
        let group = Pid::from_raw(i32::try_from(child.id()).map_err(|error| failed().because(error))?);
        let said = Arc::default();
        if let Some(stderr) = child.stderr.take() {
            keep_last_lines(stderr, Arc::clone(&said));
        }
        Ok(Self { child, group, said })
    }

    /// Whether it has ended, of its own or not.
    pub fn has_ended(&self) -> bool {
        // It is not taken from the kernel yet, so that its number stays its own.
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        !matches!(waitid(Id::Pid(self.group), flags), Ok(WaitStatus::StillAlive))
    }

    /// The last lines of its standard error.
    pub fn last_words(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter().map(String::as_str).collect::<Vec<_>>().join("\n      ")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // As long as the leader was not waited for, no other group can have its number. A signal that finds nobody is no failure.
        let _ = killpg(self.group, Signal::SIGTERM);
        for _ in 0..LOOKS {
            if self.has_ended() {
                break;
            }
            std::thread::park_timeout(LOOK);
        }
        let _ = killpg(self.group, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// Reads standard error to its end, so that the server never waits for a reader.
fn keep_last_lines(stderr: ChildStderr, said: Arc<Mutex<VecDeque<String>>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.len() == LINES {
                said.pop_front();
            }
            said.push_back(String::from_utf8_lossy(&line).into_owned());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::affinity::allowed_cores;

    fn start(command: &str) -> ServerProcess {
        ServerProcess::start(command, &allowed_cores().unwrap()[..1]).unwrap()
    }

    fn until(what: &str, holds: impl Fn() -> bool) {
        for _ in 0..6_000 {
            if holds() {
                return;
            }
            std::thread::park_timeout(LOOK);
        }
        panic!("{what} never came true");
    }

    #[test]
    fn a_server_ends_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let server = start(&format!("sleep 1000 & echo $! > {}; wait", file.display()));
        let child = || std::fs::read_to_string(&file).ok()?.trim().parse::<i32>().ok();
        until("the server has started another", || child().is_some());
        let child = Pid::from_raw(child().unwrap());
        let leader = server.group;
        drop(server);
        assert!(nix::sys::signal::kill(leader, None).is_err(), "the leader is gone");
        // Somebody else waits for the grandchild: it may be dead for a moment before it is gone.
        until("the grandchild is gone", || nix::sys::signal::kill(child, None).is_err() || is_dead(child));
    }

    fn is_dead(process: Pid) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_none_or(|rest| rest.starts_with('Z'))
    }

    #[test]
    fn a_server_that_ignores_the_request_is_ended_all_the_same() {
        let server = start("trap '' TERM; echo ready >&2; while :; do sleep 0.1; done");
        until("the trap is set", || server.last_words() == "ready");
        let leader = server.group;
        drop(server);
        assert!(nix::sys::signal::kill(leader, None).is_err());
    }

    #[test]
    fn what_a_server_said_last_is_known_when_it_has_ended() {
        let server = start("echo no such port >&2; exit 3");
        until("it has ended", || server.has_ended() && !server.last_words().is_empty());
        assert_eq!(server.last_words(), "no such port");
    }
}
