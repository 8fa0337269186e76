//! Pauses as people write them: "1s", "1s..3s", "exponential 2s", "log-normal 1s sigma 0.5", "log-normal 1s p95 4s".

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::ThinkTime;
use crate::plan::duration::{human, parse};

/// The largest standard deviation of a logarithm that can be asked for: one pause in twenty is then 3,700 times the median.
const WIDEST: f64 = 5.0;

/// The 95th percentile of the standard normal distribution.
const P95: f64 = 1.644_853_626_951_472_7;

/// Reads a pause: a length, the shortest and the longest with `..` between them, or a distribution and its parameters.
///
/// ```
/// use std::time::Duration;
/// use pmcp_loadtest::plan::ThinkTime;
/// let second = Duration::from_secs(1);
/// assert_eq!("1s".parse(), Ok(ThinkTime::constant(second)));
/// assert_eq!("exponential 1s".parse(), Ok(ThinkTime::Exponential { mean: second }));
/// assert_eq!("log-normal 1s sigma 0.5".parse(), Ok(ThinkTime::LogNormal { median: second, sigma: 0.5 }));
/// ```
impl FromStr for ThinkTime {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match word {
            "exponential" => Ok(Self::Exponential { mean: above_zero("mean", rest)? }),
            "log-normal" => log_normal(rest),
            _ => range(text),
        }
    }
}

impl fmt::Display for ThinkTime {
    /// Writes it as it is read.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform { min, max } if min == max => formatter.write_str(&human(*min)),
            Self::Uniform { min, max } => write!(formatter, "{}..{}", human(*min), human(*max)),
            Self::Exponential { mean } => write!(formatter, "exponential {}", human(*mean)),
            Self::LogNormal { median, sigma } => {
                write!(formatter, "log-normal {} sigma {sigma}", human(*median))
            }
        }
    }
}

fn range(text: &str) -> Result<ThinkTime, String> {
    let (min, max) = text.split_once("..").unwrap_or((text, text));
    let (min, max) = (parse(min)?, parse(max)?);
    if min > max {
        return Err(format!("`{text}` ends before it begins"));
    }
    Ok(ThinkTime::Uniform { min, max })
}

/// The median, and how far the pauses spread: by `sigma`, or by the length that 95 % of them do not exceed.
fn log_normal(text: &str) -> Result<ThinkTime, String> {
    let unspread = || "a log-normal pause needs its spread: `sigma 0.5`, or `p95 4s`".to_owned();
    let (median, spread) = match (text.split_once("sigma"), text.split_once("p95")) {
        (Some((median, sigma)), _) => (median, Spread::Sigma(sigma)),
        (None, Some((median, p95))) => (median, Spread::P95(p95)),
        (None, None) => return Err(unspread()),
    };
    let median = above_zero("median", median)?;
    let sigma = match spread {
        Spread::Sigma(sigma) => plain_number(sigma)?,
        Spread::P95(p95) => {
            let ratio = parse(p95)?.as_secs_f64() / median.as_secs_f64();
            if ratio < 1.0 {
                return Err("the 95th percentile of a pause is not below its median".to_owned());
            }
            // Four digits: the percentile is met within a thousandth, and what is printed can be read.
            (ratio.ln() / P95 * 1e4).round() / 1e4
        }
    };
    if sigma > WIDEST {
        return Err(format!("a sigma of {sigma} is more than {WIDEST}, so some pauses would never end"));
    }
    Ok(ThinkTime::LogNormal { median, sigma })
}

enum Spread<'a> {
    Sigma(&'a str),
    P95(&'a str),
}

fn above_zero(what: &str, text: &str) -> Result<Duration, String> {
    let length = parse(text)?;
    if length.is_zero() { Err(format!("the {what} of a pause is above zero")) } else { Ok(length) }
}

fn plain_number(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let plain = text.starts_with(|character: char| character.is_ascii_digit())
        && text.chars().all(|character| character.is_ascii_digit() || character == '.');
    let number = Some(text).filter(|_| plain).and_then(|text| text.parse().ok());
    number.filter(|number: &f64| number.is_finite()).ok_or_else(|| format!("`{text}` is not a number"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn pauses_are_read_as_written_and_written_as_read() {
        for (text, written) in [
            ("250ms", "250ms"),
            ("1s..3s", "1s..3s"),
            (" 1s .. 3s ", "1s..3s"),
            ("2s..2s", "2s"),
            ("exponential 2s", "exponential 2s"),
            ("exponential  1m 30s", "exponential 1m30s"),
            ("log-normal 1s sigma 0.5", "log-normal 1s sigma 0.5"),
            ("log-normal 1s sigma 0", "log-normal 1s sigma 0"),
            ("log-normal 1s p95 4s", "log-normal 1s sigma 0.8428"),
            ("log-normal 1s p95 1s", "log-normal 1s sigma 0"),
        ] {
            let pause: ThinkTime = text.parse().unwrap_or_else(|reason| panic!("{text}: {reason}"));
            assert_eq!(pause.to_string(), written, "{text}");
            assert_eq!(written.parse(), Ok(pause));
        }
    }

    #[test]
    fn what_is_not_a_pause_is_refused_with_the_reason() {
        for (text, reason) in [
            ("3s..1s", "`3s..1s` ends before it begins"),
            ("soon", "`soon` is not a duration"),
            ("exponential", "a duration is missing"),
            ("exponential 0s", "the mean of a pause is above zero"),
            ("exponential 2", "`2` has no unit"),
            ("log-normal 1s", "a log-normal pause needs its spread: `sigma 0.5`, or `p95 4s`"),
            ("log-normal 0s sigma 1", "the median of a pause is above zero"),
            ("log-normal sigma 1", "a duration is missing"),
            ("log-normal 1s sigma", "`` is not a number"),
            ("log-normal 1s sigma -1", "`-1` is not a number"),
            ("log-normal 1s sigma nan", "`nan` is not a number"),
            ("log-normal 1s sigma 5.1", "a sigma of 5.1 is more than 5, so some pauses would never end"),
            ("log-normal 4s p95 1s", "the 95th percentile of a pause is not below its median"),
        ] {
            assert_eq!(text.parse::<ThinkTime>(), Err(reason.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(a in 1..=31_536_000_000_000_u64, b in 1..=31_536_000_000_000_u64, sigma in 0.0..=5.0_f64) {
            let (min, max) = (Duration::from_micros(a.min(b)), Duration::from_micros(a.max(b)));
            for pause in [
                ThinkTime::Uniform { min, max },
                ThinkTime::Exponential { mean: min },
                ThinkTime::LogNormal { median: max, sigma },
            ] {
                prop_assert_eq!(pause.to_string().parse(), Ok(pause));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(
            text in any::<String>(),
            near in "(exponential|log-normal)? ?[0-9.]{0,20}(d|s|us)?(\\.\\.| sigma | p95 )?[0-9.]{0,20}(d|s)?",
        ) {
            let _ = (text.parse::<ThinkTime>(), near.parse::<ThinkTime>());
        }
    }
}
