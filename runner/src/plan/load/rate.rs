//! How often something happens: events per second, and how people write that: "200/s", "90/m", "5/h".

use std::fmt;
use std::str::FromStr;

/// A number of events per second; finite, not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Rate(f64);

/// Units, with their length in seconds.
const UNITS: [(&str, f64); 3] = [("s", 1.0), ("m", 60.0), ("h", 3600.0)];

impl Rate {
    /// The highest rate that can be asked for: far beyond what one machine sends, so that whoever asks for more has mistyped.
    pub const HIGHEST: Self = Self(1_000_000.0);

    /// A rate of `per_second` events; `None` where it is negative or no number.
    pub fn per_second(per_second: f64) -> Option<Self> {
        (per_second.is_finite() && per_second >= 0.0).then_some(Self(per_second))
    }

    /// Events per second.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Whether nothing ever happens.
    pub fn is_zero(self) -> bool {
        self.0 <= 0.0
    }
}

/// Reads a rate: a number, and after a slash the unit of time (`s m h`); without one it is per second.
///
/// ```
/// use pmcp_loadtest::plan::Rate;
/// assert_eq!("90/m".parse(), Ok(Rate::per_second(1.5).unwrap_or_default()));
/// assert_eq!("200".parse::<Rate>(), "200/s".parse());
/// assert!("-1/s".parse::<Rate>().is_err());
/// ```
impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
        let (number, unit) = (number.trim(), unit.trim());
        let Some((_, seconds)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("`{unit}` is not a unit of time that a rate can have: s, m or h"));
        };
        let plain = number.starts_with(|character: char| character.is_ascii_digit())
            && number.chars().all(|character| character.is_ascii_digit() || character == '.');
        let events: f64 = Some(number)
            .filter(|_| plain)
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| format!("`{}` is not a rate", text.trim()))?;
        Self::per_second(events / seconds)
            .filter(|rate| *rate <= Self::HIGHEST)
            .ok_or_else(|| format!("`{}` is more than {}", text.trim(), Self::HIGHEST))
    }
}

impl fmt::Display for Rate {
    /// Writes it as it is read, in the unit in which it is a round number: "200/s", "5/h".
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let round = UNITS.iter().find_map(|(unit, seconds)| {
            let number = (self.0 * seconds * 1000.0).round() / 1000.0;
            // Exactly this rate again when it is read.
            (number / seconds).total_cmp(&self.0).is_eq().then_some((number, unit))
        });
        let (number, unit) = round.unwrap_or((self.0, &"s"));
        write!(formatter, "{number}/{unit}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::Rate;

    #[test]
    fn rates_are_read_as_written_and_written_in_their_round_unit() {
        for (text, per_second, written) in [
            ("200/s", 200.0, "200/s"),
            ("200", 200.0, "200/s"),
            (" 0.5 / s ", 0.5, "0.5/s"),
            ("90/m", 1.5, "1.5/s"),
            ("5/m", 5.0 / 60.0, "5/m"),
            ("5/h", 5.0 / 3600.0, "5/h"),
            ("0/s", 0.0, "0/s"),
            ("1000000/s", 1e6, "1000000/s"),
        ] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!((rate.get(), rate.to_string().as_str()), (per_second, written), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_rate_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "`` is not a rate"),
            ("-1/s", "`-1/s` is not a rate"),
            ("nan", "`nan` is not a rate"),
            ("inf/s", "`inf/s` is not a rate"),
            ("1e9", "`1e9` is not a rate"),
            (".5/s", "`.5/s` is not a rate"),
            ("1.2.3/s", "`1.2.3/s` is not a rate"),
            ("fast", "`fast` is not a rate"),
            ("1/s/s", "`s/s` is not a unit of time that a rate can have: s, m or h"),
            ("5/d", "`d` is not a unit of time that a rate can have: s, m or h"),
            ("1000001/s", "`1000001/s` is more than 1000000/s"),
        ] {
            assert_eq!(text.parse::<Rate>(), Err(reason.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(per_second in 0.0..1e6_f64, hundredths in 0_u32..100_000, unit in 0_usize..3) {
            let round = f64::from(hundredths) / 100.0 / super::UNITS[unit].1;
            for rate in [per_second, round].map(|rate| Rate::per_second(rate).unwrap()) {
                prop_assert_eq!(rate.to_string().parse::<Rate>(), Ok(rate));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>(), digits in "[0-9]{0,400}(\\.[0-9]{0,400})?(/[smh])?") {
            for text in [text, digits] {
                if let Ok(rate) = text.parse::<Rate>() {
                    prop_assert!(rate <= Rate::HIGHEST);
                }
            }
        }
    }
}
