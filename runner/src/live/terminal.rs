//! The line at the foot of a terminal, written over as the run goes on and taken away at its end.

use std::sync::Arc;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle, TermLike};

use super::line;
use crate::judge::Snapshot;

/// A line that is always the last one of the terminal.
#[derive(Debug, Clone)]
pub(super) struct StatusLine {
    screen: Arc<dyn TermLike>,
    bar: ProgressBar,
    colour: bool,
}

impl StatusLine {
    /// On the process's stderr.
    pub(super) fn stderr(colour: bool) -> Self {
        Self::on(Term::buffered_stderr(), colour)
    }

    /// On any terminal. How often it is drawn is the caller's business.
    pub(super) fn on<T: TermLike + Clone + 'static>(screen: T, colour: bool) -> Self {
        let style = ProgressStyle::with_template("{msg}").expect("a template that indicatif knows");
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let bar = ProgressBar::with_draw_target(None, target)
            .with_style(style)
            .with_finish(ProgressFinish::AndClear);
        Self { screen: Arc::new(screen), bar, colour }
    }

    /// Shows how the run is going, in as many columns as the terminal has now.
    pub(super) fn show(&self, snapshot: &Snapshot) {
        self.draw(|columns| line::status(snapshot, columns, self.colour));
    }

    /// The same, after words that say which of many runs it is.
    pub(super) fn show_after(&self, lead: &str, snapshot: &Snapshot) {
        self.draw(|columns| line::status_of(lead, snapshot, columns, self.colour));
    }

    fn draw(&self, line: impl Fn(usize) -> String) {
        // The last column stays free: many terminals wrap as soon as it is written.
        let columns = usize::from(self.screen.width()).saturating_sub(1).max(1);
        if self.bar.is_finished() {
            self.bar.reset();
        }
        self.bar.set_message(line(columns));
    }

    /// Prints a line that stays, above.
    pub(super) fn say(&self, text: &str) {
        self.bar.suspend(|| {
            // As in `Sink`: a terminal that is gone does not end the run.
            let _ = self.screen.write_line(text).and_then(|()| self.screen.flush());
        });
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;
    use crate::live::line::fixtures::under_way;

    #[test]
    fn the_line_is_written_over_and_taken_away() {
        let screen = InMemoryTerm::new(5, 80);
        let status = StatusLine::on(screen.clone(), false);
        status.show(&under_way());
        let first = screen.contents();
        assert_eq!(first, line::status(&under_way(), 79, false));
        status.show(&Snapshot { errors: 4, ..under_way() });
        assert_eq!(screen.contents(), first.replace("3 errors", "4 errors"));
        status.clear();
        assert_eq!(screen.contents(), "");
    }

    #[test]
    fn what_is_said_stays_above_the_line() {
        let screen = InMemoryTerm::new(5, 80);
        let status = StatusLine::on(screen.clone(), false);
        status.say("before");
        status.show(&under_way());
        status.say("during");
        let shown = line::status(&under_way(), 79, false);
        assert_eq!(screen.contents(), format!("before\nduring\n{shown}"));
        status.clear();
        status.say("after");
        assert_eq!(screen.contents(), "before\nduring\nafter");
    }

    #[test]
    fn a_second_run_has_its_line_again() {
        let screen = InMemoryTerm::new(5, 80);
        let status = StatusLine::on(screen.clone(), false);
        status.show(&under_way());
        status.clear();
        status.show(&under_way());
        assert_eq!(screen.contents(), line::status(&under_way(), 79, false));
    }

    #[test]
    fn a_status_line_that_is_dropped_leaves_nothing_behind() {
        let screen = InMemoryTerm::new(5, 80);
        let status = StatusLine::on(screen.clone(), true);
        status.show(&under_way());
        drop(status);
        assert_eq!(screen.contents(), "");
    }

    #[test]
    fn a_terminal_of_one_column_is_survived() {
        let screen = InMemoryTerm::new(5, 1);
        let status = StatusLine::on(screen.clone(), false);
        status.show(&under_way());
        assert_eq!(screen.contents(), "…");
    }
}
