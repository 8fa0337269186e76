//! Everything that is said on stderr around a run, in one voice: progress, notices, the last line for machines.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::pin::pin;
use std::thread::{self, JoinHandle};

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::colour::ColourChoice;
use super::jsonl::{Ending, Line};
use super::line;
use super::progress::{Form, Progress};
use super::search::Moment;
use super::sink::Sink;
use super::terminal::StatusLine;
use crate::error::{Error, ExitCode};
use crate::judge::Snapshot;
use crate::judge::capacity::{Answer, TrialResult};

/// What shows a run on stderr. Clones speak with the same voice: what one says never stands inside another's line.
#[derive(Debug, Clone)]
pub struct Console(Voice);

#[derive(Debug, Clone)]
enum Voice {
    Status(StatusLine),
    Plain(Sink),
    Jsonl(Sink),
    Silent(Sink),
}

impl Console {
    /// A console on the process's stderr. `environment` looks up a variable.
    pub fn stderr(
        progress: Progress,
        colour: ColourChoice,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let colour = colour.resolve(&environment, is_terminal);
        Self(match progress.resolve(&environment, is_terminal) {
            Form::Status => Voice::Status(StatusLine::stderr(colour)),
            Form::Plain => Voice::Plain(Sink::Stderr),
            Form::Jsonl => Voice::Jsonl(Sink::Stderr),
            Form::Silent => Voice::Silent(Sink::Stderr),
        })
    }

    /// Says something beside the progress, on a line of its own; as an object of type `notice` where machines read.
    pub fn say(&self, message: &str) {
        match &self.0 {
            Voice::Status(status) => status.say(message),
            Voice::Jsonl(sink) => sink.line(&Line::Notice { message }.text()),
            Voice::Plain(sink) | Voice::Silent(sink) => sink.line(message),
        }
    }

    /// Says what a progress line would have said; nobody is told where there is no progress, and machines have their own.
    pub(super) fn progress_words(&self, message: &str) {
        match &self.0 {
            Voice::Status(status) => status.say(message),
            Voice::Plain(sink) => sink.line(message),
            Voice::Jsonl(_) | Voice::Silent(_) => {}
        }
    }

    /// Says that a trial of a search was judged; `words` are for a person.
    pub(super) fn trial(&self, trial: &TrialResult, words: &str) {
        match &self.0 {
            Voice::Jsonl(sink) => sink.line(&Line::Trial(trial).text()),
            _ => self.progress_words(words),
        }
    }

    /// Says what a search found, where machines read; a person reads the summary.
    pub(super) fn answer(&self, answer: &Answer) {
        if let Voice::Jsonl(sink) = &self.0 {
            sink.line(&Line::Answer(answer.into()).text());
        }
    }

    /// Says how it all ended, where machines read; a person reads the summary or the error.
    pub fn end(&self, ending: &Ending) {
        if let Voice::Jsonl(sink) = &self.0 {
            sink.line(&Line::End(ending).text());
        }
    }

    /// Shows snapshots until their sender is gone, then leaves a clean terminal. Never says the same snapshot twice.
    ///
    /// Writing blocks where stderr is a pipe that nobody reads or a terminal that was stopped, so this should not share a thread with
    /// the run: see [`Console::watch_aside`].
    pub async fn watch(&self, mut snapshots: watch::Receiver<Option<Snapshot>>) {
        let _cleared = Cleared(self);
        let mut ended = pin!(sender_gone(snapshots.clone()));
        let mut ticks = interval(self.form().period());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.reset();
        loop {
            // Both are cancellation-safe: a tick that is not taken stays due, and `ended` lives outside of the loop.
            tokio::select! {
                _ = ticks.tick() => self.show_news(&mut snapshots),
                () = &mut ended => break,
            }
        }
        if matches!(self.0, Voice::Jsonl(_)) {
            // The final counts, even of a run that was over within a second.
            self.show_news(&mut snapshots);
        }
    }

    /// [`Console::watch`] on a thread of its own, which ends when the sender is gone: a stopped terminal must not stop the run.
    ///
    /// # Errors
    /// [`ExitCode::Internal`] where the thread cannot be started.
    pub fn watch_aside(&self, snapshots: watch::Receiver<Option<Snapshot>>) -> Result<JoinHandle<()>, Error> {
        let console = self.clone();
        aside(async move { console.watch(snapshots).await })
    }

    /// [`Console::watch_aside`] for the many runs of a search, each led by what is being done.
    pub(super) fn watch_search_aside(
        &self,
        snapshots: watch::Receiver<Option<Snapshot>>,
        moments: watch::Receiver<Moment>,
    ) -> Result<JoinHandle<()>, Error> {
        let console = self.clone();
        aside(async move { console.watch_search(snapshots, moments).await })
    }

    async fn watch_search(
        &self,
        mut snapshots: watch::Receiver<Option<Snapshot>>,
        moments: watch::Receiver<Moment>,
    ) {
        let _cleared = Cleared(self);
        let mut ended = pin!(sender_gone(snapshots.clone()));
        let mut ticks = interval(self.form().period());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    let Some(mut snapshot) = news(&mut snapshots) else { continue };
                    let Moment { lead, planned } = moments.borrow().clone();
                    snapshot.progress.planned_duration = planned;
                    match &self.0 {
                        Voice::Status(status) => status.show_after(&lead, &snapshot),
                        Voice::Jsonl(sink) => sink.line(&Line::Progress(&snapshot).text()),
                        // A log has a line per trial.
                        Voice::Plain(_) | Voice::Silent(_) => {}
                    }
                }
                () = &mut ended => break,
            }
        }
    }

    fn form(&self) -> Form {
        match &self.0 {
            Voice::Status(_) => Form::Status,
            Voice::Plain(_) => Form::Plain,
            Voice::Jsonl(_) => Form::Jsonl,
            Voice::Silent(_) => Form::Silent,
        }
    }

    /// Shows the newest snapshot, unless it was shown before.
    fn show_news(&self, snapshots: &mut watch::Receiver<Option<Snapshot>>) {
        let Some(snapshot) = news(snapshots) else { return };
        match &self.0 {
            Voice::Status(status) => status.show(&snapshot),
            Voice::Plain(sink) => sink.line(&line::plain(&snapshot)),
            Voice::Jsonl(sink) => sink.line(&Line::Progress(&snapshot).text()),
            Voice::Silent(_) => {}
        }
    }
}

#[cfg(test)]
impl Console {
    /// A console without progress, whose words a test reads.
    pub(super) fn silent() -> Self {
        Self(Voice::Silent(Sink::memory()))
    }

    /// What was said so far.
    pub(super) fn written(&self) -> String {
        let Voice::Silent(sink) = &self.0 else { panic!("a display, not words alone") };
        sink.written()
    }
}

/// Runs a display on a thread of its own.
fn aside(display: impl Future<Output = ()> + Send + 'static) -> Result<JoinHandle<()>, Error> {
    let failed = |error| Error::new(ExitCode::Internal, "cannot start the progress display").because(error);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
    let thread = thread::Builder::new().name("live".to_owned());
    thread.spawn(move || runtime.block_on(display)).map_err(failed)
}

/// The newest snapshot that was not taken yet; a copy, so that the run never waits for a display to be written.
fn news(snapshots: &mut watch::Receiver<Option<Snapshot>>) -> Option<Snapshot> {
    let newest = snapshots.borrow_and_update();
    if newest.has_changed() { newest.clone() } else { None }
}

async fn sender_gone(mut snapshots: watch::Receiver<Option<Snapshot>>) {
    while snapshots.changed().await.is_ok() {}
}

/// Takes the status line away however watching ends.
struct Cleared<'a>(&'a Console);

impl Drop for Cleared<'_> {
    fn drop(&mut self) {
        if let Voice::Status(status) = &self.0.0 {
            status.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use indicatif::InMemoryTerm;
    use tokio::time::sleep;

    use super::*;
    use crate::judge::Progress as RunProgress;
    use crate::live::line::fixtures::under_way;

    /// Publishes a snapshot every quarter of a second, as a run does. A little early, so that none meets a tick of the display.
    async fn run_for(quarters: u32, snapshots: &watch::Sender<Option<Snapshot>>) {
        const QUARTER: Duration = Duration::from_millis(250);
        sleep(Duration::from_millis(240)).await;
        for quarter in 1..=quarters {
            let progress = RunProgress { elapsed: QUARTER * quarter, ..under_way().progress };
            snapshots.send_replace(Some(Snapshot { progress, ..under_way() }));
            sleep(QUARTER).await;
        }
    }

    /// Everything that was written while a run of so many quarters of a second was watched.
    async fn lines_of(voice: fn(Sink) -> Voice, quarters: u32) -> Vec<String> {
        let sink = Sink::memory();
        let console = Console(voice(sink.clone()));
        let (sender, receiver) = watch::channel(None);
        let run = async move { run_for(quarters, &sender).await };
        tokio::join!(console.watch(receiver), run);
        sink.written().lines().map(str::to_owned).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_gets_a_line_every_ten_seconds() {
        let lines = lines_of(Voice::Plain, 100).await;
        let clocks: Vec<_> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(clocks, ["10s", "20s"]);
        assert!(lines.iter().all(|line| !line.contains('\u{1b}')));
    }

    #[tokio::test(start_paused = true)]
    async fn machines_get_a_line_every_second_and_the_final_counts() {
        let lines = lines_of(Voice::Jsonl, 10).await;
        let json = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap();
        let elapsed: Vec<_> = lines.iter().map(|line| json(line)["elapsed_s"].clone()).collect();
        assert_eq!(elapsed, [1.0, 2.0, 2.5]);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_silent() {
        assert!(lines_of(Voice::Silent, 100).await.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn before_the_first_snapshot_and_without_a_new_one_nothing_is_said() {
        let sink = Sink::memory();
        let console = Console(Voice::Jsonl(sink.clone()));
        let (sender, receiver) = watch::channel(None);
        let run = async {
            sleep(Duration::from_secs(5)).await;
            assert_eq!(sink.written(), "");
            sender.send_replace(Some(under_way()));
            sleep(Duration::from_secs(5)).await;
            drop(sender);
        };
        tokio::join!(console.watch(receiver), run);
        assert_eq!(sink.written().lines().count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_terminal_is_drawn_as_the_run_goes_on_and_left_clean() {
        let screen = InMemoryTerm::new(5, 100);
        let console = Console(Voice::Status(StatusLine::on(screen.clone(), false)));
        let (sender, receiver) = watch::channel(None);
        let run = async {
            run_for(12, &sender).await;
            assert!(screen.contents().contains(" 3s  27s left "), "{}", screen.contents());
            console.say("something beside");
            drop(sender);
        };
        tokio::join!(console.watch(receiver), run);
        assert_eq!(screen.contents(), "something beside");
    }

    #[tokio::test(start_paused = true)]
    async fn a_display_that_is_given_up_leaves_a_clean_terminal_too() {
        let screen = InMemoryTerm::new(5, 100);
        let console = Console(Voice::Status(StatusLine::on(screen.clone(), false)));
        let (sender, receiver) = watch::channel(None);
        tokio::select! {
            () = console.watch(receiver) => panic!("the sender is still there"),
            () = run_for(4, &sender) => {}
        }
        assert_eq!(screen.contents(), "");
    }

    #[test]
    fn a_display_on_its_own_thread_ends_with_the_run() {
        let sink = Sink::memory();
        let (sender, receiver) = watch::channel(None);
        let display = Console(Voice::Jsonl(sink.clone())).watch_aside(receiver).unwrap();
        sender.send_replace(Some(under_way()));
        drop(sender);
        display.join().unwrap();
        assert_eq!(sink.written(), Line::Progress(&under_way()).text() + "\n");
    }

    #[test]
    fn only_machines_are_told_the_end_and_every_line_they_read_is_json() {
        let ending = Ending { verdict: None, exit_code: 4, reason: "connection refused".to_owned() };
        let speak = |voice: fn(Sink) -> Voice| {
            let sink = Sink::memory();
            let console = Console(voice(sink.clone()));
            console.say("a notice");
            console.end(&ending);
            sink.written()
        };
        assert_eq!(speak(Voice::Plain), "a notice\n");
        assert_eq!(speak(Voice::Silent), "a notice\n");
        insta::assert_snapshot!(speak(Voice::Jsonl), @r#"
        {"type":"notice","message":"a notice"}
        {"type":"end","verdict":null,"exit_code":4,"reason":"connection refused"}
        "#);
    }
}
