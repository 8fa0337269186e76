//! What stands behind the bound of a threshold: the window that it is judged over, and when it ends the run.
//!
//! ```text
//! extent = [ "over" duration ] [ "abort" [ "after" duration ] ]
//! ```

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use super::Refusal;
use super::parse::{Cursor, refusal};
use crate::plan::config::suggestion;
use crate::plan::duration::{human, parse};

/// A sliding window: so many whole seconds that follow each other, at most an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    seconds: u32,
}

/// Ends the run as soon as the threshold does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abort {
    /// Not before so much measured time: what a server does in its first moments shall not end a run.
    pub after: Duration,
}

impl Window {
    /// The longest window.
    pub const LONGEST: Duration = Duration::from_hours(1);

    /// A window of that length; the reason where there is none, message and help.
    pub(in crate::plan) fn of(length: Duration) -> Result<Self, (String, String)> {
        if length > Self::LONGEST || length.is_zero() {
            let message = format!("a window is from 1s to 1h long, not {}", human(length));
            return Err((message, "a threshold without one is judged over the whole run".to_owned()));
        }
        match u32::try_from(length.as_secs()) {
            Ok(seconds) if length.subsec_nanos() == 0 => Ok(Self { seconds }),
            _ => {
                let up = human(Duration::from_secs(length.as_secs() + 1));
                Err(("a window has whole seconds".to_owned(), format!("write {up}")))
            }
        }
    }

    /// How many seconds it has.
    pub fn seconds(self) -> u32 {
        self.seconds
    }

    /// How long it is.
    pub fn length(self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

impl fmt::Display for Window {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "over {}", human(self.length()))
    }
}

impl fmt::Display for Abort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.after {
            Duration::ZERO => formatter.write_str("abort"),
            after => write!(formatter, "abort after {}", human(after)),
        }
    }
}

impl Cursor<'_> {
    /// Window and abort, which end the text.
    pub(super) fn extent(&mut self) -> Result<(Option<Window>, Option<Abort>), Refusal> {
        let mut window = None;
        let mut abort = None;
        loop {
            let (word, span) = self.word();
            match word {
                "" => break,
                "over" if window.is_none() && abort.is_none() => {
                    let (length, span) = self.length(&span, "over 10s")?;
                    window =
                        Some(Window::of(length).map_err(|(message, help)| refusal(span, message, help))?);
                }
                "abort" if abort.is_none() => abort = Some(Abort { after: Duration::ZERO }),
                "after" if abort.is_some_and(|abort| abort.after.is_zero()) => {
                    let (after, _) = self.length(&span, "after 30s")?;
                    abort = Some(Abort { after });
                }
                word => return Err(out_of_place(word, span)),
            }
        }
        match self.rest_of_text() {
            rest if rest.is_empty() => Ok((window, abort)),
            rest => Err(out_of_place("", rest)),
        }
    }

    fn word(&mut self) -> (&str, Range<usize>) {
        self.take(|character| character.is_alphanumeric() || character == '_')
    }

    /// The duration behind a word.
    fn length(&mut self, word: &Range<usize>, example: &str) -> Result<(Duration, Range<usize>), Refusal> {
        let (text, span) = self.take(|character| character.is_alphanumeric() || character == '.');
        if text.is_empty() {
            return Err(refusal(
                word.clone(),
                "a duration is missing behind it",
                format!("write `{example}`"),
            ));
        }
        match parse(text) {
            Ok(length) => Ok((length, span)),
            Err(message) => {
                Err(refusal(span, message, format!("write a number with d, h, m or s, such as `{example}`")))
            }
        }
    }
}

/// Why something may not stand behind a bound.
fn out_of_place(word: &str, span: Range<usize>) -> Refusal {
    let (message, help) = match word {
        "over" | "abort" | "after" => (
            format!("`{word}` is out of place"),
            "the order is `over 10s abort after 30s`, each at most once".to_owned(),
        ),
        "warm_up" => (
            "a threshold has no warm-up of its own".to_owned(),
            "write `warm_up` under [settings]: it is left out of all figures".to_owned(),
        ),
        "abort_on_fail" | "abortOnFail" => {
            ("`abort_on_fail` is for tables".to_owned(), "write `abort` behind the bound".to_owned())
        }
        "delay_abort" | "delay_abort_eval" | "delayAbortEval" => {
            (format!("`{word}` is for tables"), "write `abort after 30s` behind the bound".to_owned())
        }
        "window" => ("`window` is for tables".to_owned(), "write `over 10s` behind the bound".to_owned()),
        word => {
            let known = ["over", "abort", "after"];
            let near = suggestion(word, &known);
            let help = if near.starts_with("did you mean") {
                near
            } else {
                "only `over 10s` and `abort after 30s`; write another threshold for another condition"
                    .to_owned()
            };
            ("this may not stand behind the bound".to_owned(), help)
        }
    };
    refusal(span, message, help)
}
