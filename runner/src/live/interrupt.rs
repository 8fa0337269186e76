//! Ctrl-C and SIGTERM: the first asks the run to end, the second ends it at once. Either way the report is written.

use tokio::sync::watch;

use super::Console;
use crate::drive::StopRequest;
use crate::error::{Error, ExitCode};

/// Interrupts of this process, from the moment of installing on: they no longer kill it.
#[derive(Debug)]
pub struct Interrupts {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    ctrl_c: tokio::signal::windows::CtrlC,
}

impl Interrupts {
    /// Takes over Ctrl-C, and SIGTERM where there is such a thing. To be called before the load begins, inside a tokio runtime with
    /// I/O enabled.
    ///
    /// # Errors
    /// [`ExitCode::Internal`] where the system refuses the handler.
    ///
    /// # Panics
    /// Outside of such a runtime.
    pub fn install() -> Result<Self, Error> {
        let refused = |error| Error::new(ExitCode::Internal, "cannot listen for Ctrl-C").because(error);
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
            let terminate = signal(SignalKind::terminate()).map_err(refused)?;
            Ok(Self { interrupt, terminate })
        }
        #[cfg(windows)]
        {
            Ok(Self { ctrl_c: tokio::signal::windows::ctrl_c().map_err(refused)? })
        }
    }

    /// Waits for the next one.
    async fn next(&mut self) {
        #[cfg(unix)]
        // Cancellation-safe: a signal that is not taken is seen by the next call.
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(windows)]
        let _ = self.ctrl_c.recv().await;
    }
}

/// Turns interrupts into requests and says on the console what happens. Never returns: it is dropped with the run.
pub async fn forward_interrupts(
    mut interrupts: Interrupts,
    stop: watch::Sender<StopRequest>,
    console: Console,
) {
    loop {
        interrupts.next().await;
        forward(&stop, &console);
    }
}

/// Forwards one interrupt. The request goes before the words: a console that cannot be written must not hold it up.
fn forward(stop: &watch::Sender<StopRequest>, console: &Console) {
    let asked_before = *stop.borrow();
    if let Some((request, words)) = escalated(asked_before) {
        stop.send_replace(request);
        console.say(words);
    }
}

/// What one more interrupt asks for, and how a person is told. Nothing where there is nothing more to ask.
fn escalated(asked: StopRequest) -> Option<(StopRequest, &'static str)> {
    match asked {
        StopRequest::None => Some((
            StopRequest::Graceful,
            "stopping: nothing new is started, what runs may end; Ctrl-C again stops at once",
        )),
        StopRequest::Graceful => Some((StopRequest::AtOnce, "stopping at once: open calls are cut off")),
        StopRequest::AtOnce => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_is_graceful_twice_is_at_once_and_more_is_no_more() {
        let console = Console::silent();
        let (stop, mut requests) = watch::channel(StopRequest::None);
        forward(&stop, &console);
        assert_eq!(*requests.borrow_and_update(), StopRequest::Graceful);
        forward(&stop, &console);
        assert_eq!(*requests.borrow_and_update(), StopRequest::AtOnce);
        forward(&stop, &console);
        assert!(!requests.has_changed().unwrap());
        insta::assert_snapshot!(console.written(), @"
        stopping: nothing new is started, what runs may end; Ctrl-C again stops at once
        stopping at once: open calls are cut off
        ");
    }

    #[test]
    fn a_run_that_was_asked_to_stop_by_other_means_is_cut_off_by_the_first_interrupt() {
        let (stop, requests) = watch::channel(StopRequest::Graceful);
        forward(&stop, &Console::silent());
        assert_eq!(*requests.borrow(), StopRequest::AtOnce);
    }
}
