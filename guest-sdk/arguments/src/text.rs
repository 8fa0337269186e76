//! Strings within lengths, patterns and formats.

use serde_json::Value;

use crate::conjunction::Conjunction;
use crate::generator::{Generator, Stop};
use crate::{format, hint};

/// Longest text that is generated, in characters.
pub(crate) const MAX_LENGTH: usize = 65_536;
/// Texts drawn from a pattern before it is given up.
const PATTERN_TRIES: usize = 200;

/// What the keywords demand of a string.
#[derive(Debug)]
struct Demands<'s> {
    least: usize,
    most: usize,
    patterns: Vec<&'s str>,
    formats: Vec<&'s str>,
}

impl Generator<'_, '_> {
    /// A string: of its format, else as the field's name suggests, else drawn from its pattern.
    pub(crate) fn text(
        &mut self,
        conjunction: &Conjunction<'_>,
        name: &str,
        vary: usize,
    ) -> Result<Value, Stop> {
        let demands = Demands {
            least: usize::try_from(conjunction.at_least("minLength")).unwrap_or(usize::MAX),
            most: usize::try_from(conjunction.at_most("maxLength")).unwrap_or(usize::MAX),
            patterns: conjunction.values("pattern").filter_map(Value::as_str).collect(),
            formats: conjunction.values("format").filter_map(Value::as_str).collect(),
        };
        if demands.least > demands.most {
            return Err(self.stuck("`minLength` is above `maxLength`"));
        }
        if demands.least > MAX_LENGTH {
            return Err(self.stuck(format!("`minLength` asks for more than {MAX_LENGTH} characters")));
        }
        if let Some(pattern) = demands.patterns.iter().find(|pattern| !self.patterns.reads(pattern)) {
            return Err(self.stuck(format!("`pattern` {pattern:?} cannot be read")));
        }
        self.effort.spend(1 + demands.least / 16)?;
        let encoded = conjunction.values("contentEncoding").any(|encoding| encoding == "base64");
        let sampled = demands.formats.iter().find_map(|format| format::sample(format, name, self.draws));
        let plain = match sampled {
            Some(sample) => sample,
            None if encoded => "bG9hZCB0ZXN0".to_owned(),
            None => fitted(hint::text(name).unwrap_or("example"), self.number_of_text(vary), &demands),
        };
        if self.fits(&demands, &plain) {
            return Ok(Value::String(plain));
        }
        self.matching_text(&demands)
    }

    /// What tells a text from others, without a number the most plausible one.
    fn number_of_text(&self, vary: usize) -> usize {
        usize::try_from(self.options.variation).unwrap_or(usize::MAX).saturating_add(vary)
    }

    fn matching_text(&mut self, demands: &Demands<'_>) -> Result<Value, Stop> {
        let Some(pattern) = demands.patterns.first() else {
            let reason =
                format!("no `format` {} sample has the length asked for", demands.formats.join(", "));
            return Err(self.stuck(reason));
        };
        for attempt in 0..PATTERN_TRIES {
            // Short texts first; longer ones where look-ahead or `minLength` wants them.
            let natural = [4, 8, 1, 16, 0, 24, 40][attempt % 7];
            let length = natural.clamp(demands.least, demands.most);
            self.effort.spend(1 + length / 16)?;
            let Some(mut text) = self.patterns.sample(pattern, length, self.draws) else {
                return Err(self.stuck(format!("`pattern` {pattern:?} uses what cannot be generated from")));
            };
            // A pattern without an anchor allows anything behind the match.
            let missing = demands.least.saturating_sub(text.chars().count());
            text.extend(std::iter::repeat_n('a', missing));
            if self.fits(demands, &text) {
                return Ok(Value::String(text));
            }
        }
        Err(self.stuck(format!("no text found that matches `pattern` {pattern:?} and the rest")))
    }

    fn fits(&self, demands: &Demands<'_>, text: &str) -> bool {
        (demands.least..=demands.most).contains(&text.chars().count())
            && demands.patterns.iter().all(|pattern| self.patterns.matches(pattern, text))
            && demands.formats.iter().all(|name| format::holds(name, text))
    }
}

/// `word` cut or filled to the length asked for; a number at its end, or letters alone, tell variations apart.
fn fitted(word: &str, vary: usize, demands: &Demands<'_>) -> String {
    let suffix = if vary == 0 { String::new() } else { format!("-{vary}") };
    if vary > 0 && demands.most < word.len() + suffix.len().max(8) {
        // Zeros never occur among the letters, so filling makes no two texts the same.
        return format!("{:0>least$}", letters(vary, demands.most), least = demands.least);
    }
    let kept: String = word.chars().take(demands.most.saturating_sub(suffix.len())).collect();
    let missing = demands.least.saturating_sub(kept.chars().count() + suffix.len());
    let filling: String = word.chars().cycle().take(missing).collect();
    format!("{kept}{filling}{suffix}")
}

/// `vary` in letters: as many different texts in as few characters as possible; from the start again where `most` characters have
/// no more.
fn letters(vary: usize, most: usize) -> String {
    let texts = (1..=most).try_fold(0_usize, |shorter, _| shorter.checked_add(1)?.checked_mul(26));
    let mut vary = match texts {
        Some(0) => 0,
        Some(texts) => (vary - 1) % texts + 1,
        None => vary,
    };
    let mut letters = String::new();
    while vary > 0 {
        let digit = u8::try_from((vary - 1) % 26).unwrap_or(0);
        letters.insert(0, char::from(b'a' + digit));
        vary = (vary - 1) / 26;
    }
    letters
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn variations_stay_apart_however_short() {
        let demands = Demands { least: 0, most: 2, patterns: Vec::new(), formats: Vec::new() };
        let texts: HashSet<String> = (1..=700).map(|vary| fitted("example", vary, &demands)).collect();
        assert!(texts.iter().all(|text| text.len() <= 2));
        assert_eq!(texts.len(), 700);
        assert_eq!(fitted("example", 702 + 5, &demands), fitted("example", 5, &demands));
        assert_eq!(fitted("example", 5, &Demands { most: 0, ..demands }), "");
    }
}
