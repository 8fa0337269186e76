//! Colour, or none. Tones are named by meaning; codes are put around text that is already laid out, so they never count as width.

use owo_colors::{OwoColorize, Style};

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Ordinary text, in the terminal's own colour.
    Plain,
    /// What the eye should find first.
    Strong,
    /// Labels and what is beside the point.
    Quiet,
    /// As it should be.
    Good,
    /// As it should not be.
    Bad,
    /// Neither: look closer.
    Doubtful,
}

/// The text in its tone.
pub(crate) fn paint(text: &str, tone: Tone, colour: bool) -> String {
    if !colour || text.is_empty() || tone == Tone::Plain {
        return text.to_owned();
    }
    let style = match tone {
        Tone::Plain => Style::new(),
        Tone::Strong => Style::new().bold(),
        Tone::Quiet => Style::new().dimmed(),
        Tone::Good => Style::new().green(),
        Tone::Bad => Style::new().red(),
        Tone::Doubtful => Style::new().yellow(),
    };
    text.style(style).to_string()
}
