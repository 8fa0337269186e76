//! How lines are laid out for a person: within so many columns, coloured or not. Text in, text out.

use crate::live::ColourChoice;
use crate::report::TextStyle;
use crate::report::text::{Tone, clean, elide_end, harmless, join_within, paint, width, wrap};

/// Fewer columns than this cannot be read.
const NARROWEST: usize = 60;
/// Wrapped text never gets narrower than this.
const NARROWEST_TEXT: usize = 20;

/// The flag that says when to use colour.
#[derive(Debug, clap::Args)]
pub(super) struct Colour {
    /// When to use colour
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        env = "MCP_LOADTEST_COLOR",
        hide_env = true
    )]
    pub(super) color: ColourChoice,
}

/// What lines are written with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink {
    colour: bool,
    /// Columns of a line.
    columns: usize,
}

impl Ink {
    pub(super) fn new(style: TextStyle) -> Self {
        Self { colour: style.colour, columns: style.width.max(NARROWEST) }
    }

    /// The text in its tone.
    pub(super) fn paint(self, text: &str, tone: Tone) -> String {
        paint(text, tone, self.colour)
    }

    /// The same with fewer columns.
    pub(super) fn narrower(self, by: usize) -> Self {
        Self { columns: self.columns.saturating_sub(by), ..self }
    }

    /// A remark beside the point.
    pub(super) fn quiet(self, text: &str) -> String {
        self.paint(text, Tone::Quiet)
    }

    /// Text that wraps under itself, after a lead of its own tone.
    pub(super) fn hanging(self, lead: &str, lead_tone: Tone, text: &str, tone: Tone) -> Vec<String> {
        let indent = width(lead);
        let room = self.columns.saturating_sub(indent).max(NARROWEST_TEXT);
        let lines = wrap(&clean(text), room);
        let begins =
            std::iter::once(self.paint(lead, lead_tone)).chain(std::iter::repeat(" ".repeat(indent)));
        let painted = begins.zip(&lines).map(|(lead, line)| format!("{lead}{}", self.paint(line, tone)));
        painted.map(|line| line.trim_end().to_owned()).collect()
    }

    /// Parts joined by a middle dot, none of which is broken in two.
    pub(super) fn joined(self, parts: &[String]) -> Vec<String> {
        join_within(parts, " · ", self.columns)
    }

    /// A text at the left, which gives way, and one at the right.
    pub(super) fn apart(self, left: (&str, Tone), right: (&str, Tone)) -> String {
        let room = self.columns.saturating_sub(width(right.0) + 2);
        let text = elide_end(&harmless(left.0), room);
        let gap = self.columns.saturating_sub(width(&text) + width(right.0)).max(2);
        let (left, right) = (self.paint(&text, left.1), self.paint(right.0, right.1));
        format!("{left}{}{right}", " ".repeat(gap))
    }

    /// A text on one line behind an indent; cut off at the last column, unless all of it is wanted.
    pub(super) fn line(self, indent: usize, text: &str, tone: Tone, in_full: bool) -> String {
        let text = harmless(text);
        let text = if in_full { text } else { elide_end(&text, self.columns.saturating_sub(indent)) };
        format!("{}{}", " ".repeat(indent), self.paint(&text, tone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_left_text_gives_way_to_the_right_one() {
        let ink = Ink::new(TextStyle { colour: false, width: 60 });
        let line = ink.apart((&"x".repeat(80), Tone::Plain), ("right", Tone::Plain));
        assert_eq!(width(&line), 60);
        assert!(line.ends_with("x…  right"), "{line}");
        assert_eq!(width(&ink.apart(("left", Tone::Plain), ("right", Tone::Plain))), 60);
    }

    #[test]
    fn a_text_in_full_is_cut_nowhere_and_moves_no_cursor() {
        let ink = Ink::new(TextStyle { colour: false, width: 60 });
        let text = format!("{}\u{1b}[31m  end", "x".repeat(80));
        assert!(ink.line(2, &text, Tone::Plain, true).ends_with("x [31m  end"));
        assert_eq!(width(&ink.line(2, &text, Tone::Plain, false)), 60);
    }
}
