//! Lengths of time as people write them: "250ms", "1m30s", "1.5s".
//!
//! In: text. Out: a [`Duration`] of whole microseconds, at most [`LONGEST`]; and back again, so that what is printed can be pasted
//! into a file.

use std::fmt::Write as _;
use std::time::Duration;

/// The longest time that can be asked for: a year of 365 days. Longer ones are slips of the pen, and sums of them overflow.
pub const LONGEST: Duration = Duration::from_hours(365 * 24);

/// Units, largest first, with their length in microseconds.
const UNITS: [(&str, u128); 6] = [
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
];

/// Reads a duration: numbers with a unit (`d h m s ms us`), largest unit first. The error is a sentence for the user.
///
/// ```
/// use std::time::Duration;
/// use pmcp_loadtest::plan::duration::parse;
/// assert_eq!(parse("1m30s"), Ok(Duration::from_secs(90)));
/// assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
/// assert!(parse("90").is_err());
/// ```
pub fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("a duration is missing".to_owned());
    }
    let mut micros = 0_u128;
    let mut largest_allowed = 0;
    while !rest.is_empty() {
        let number = leading(rest, |character| character.is_ascii_digit() || character == '.');
        let after = &rest[number.len()..];
        let word = leading(after, |character| !character.is_ascii_digit() && character != '.');
        if number.is_empty() {
            return Err(format!("`{text}` is not a duration"));
        }
        if word.is_empty() {
            return Err(format!("`{number}` has no unit"));
        }
        let Some(place) = UNITS.iter().position(|(unit, _)| *unit == word.trim()) else {
            return Err(format!("`{}` is not a unit of time", word.trim()));
        };
        if place < largest_allowed {
            return Err(format!("in `{text}` the units are not in order, each at most once"));
        }
        largest_allowed = place + 1;
        micros += scaled(number, UNITS[place].1)?;
        rest = &after[word.len()..];
    }
    bounded(micros, text)
}

/// Reads a duration of the command line: as [`parse`], or a plain number of seconds.
///
/// ```
/// use std::time::Duration;
/// use pmcp_loadtest::plan::duration::parse_flag;
/// assert_eq!(parse_flag("30"), Ok(Duration::from_secs(30)));
/// assert_eq!(parse_flag("30s"), parse_flag("30"));
/// ```
pub fn parse_flag(text: &str) -> Result<Duration, String> {
    let plain = text.trim();
    if !plain.is_empty() && plain.chars().all(|character| character.is_ascii_digit() || character == '.') {
        return bounded(scaled(plain, 1_000_000)?, text);
    }
    parse(text)
}

/// Writes a duration as [`parse`] reads it, to the microsecond: "1m30s", "1.5s", "250ms".
///
/// ```
/// use std::time::Duration;
/// use pmcp_loadtest::plan::duration::human;
/// assert_eq!(human(Duration::from_secs(90)), "1m30s");
/// assert_eq!(human(Duration::from_millis(1500)), "1.5s");
/// ```
pub fn human(duration: Duration) -> String {
    let micros = duration.as_micros();
    if micros == 0 {
        return "0s".to_owned();
    }
    if micros < 1_000 {
        return format!("{micros}us");
    }
    if micros < 1_000_000 {
        return with_fraction(micros, 1_000, "ms");
    }
    let mut text = String::new();
    let mut rest = micros;
    for (unit, length) in &UNITS[..3] {
        if rest >= *length {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{}{unit}", rest / length);
            rest %= length;
        }
    }
    if rest > 0 {
        text += &with_fraction(rest, 1_000_000, "s");
    }
    text
}

fn leading(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    let end = text.find(|character| !belongs(character)).unwrap_or(text.len());
    &text[..end]
}

/// `number` times `unit` in whole microseconds; exact, as binary fractions would not be.
fn scaled(number: &str, unit: u128) -> Result<u128, String> {
    let unreadable = || format!("`{number}` is not a number");
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || number.ends_with('.') || fraction.contains('.') {
        return Err(unreadable());
    }
    if whole.len() > 18 || fraction.len() > 18 {
        return Err(format!("`{number}` has too many digits"));
    }
    let whole: u128 = whole.parse().map_err(|_| unreadable())?;
    let scale = fraction.bytes().fold(1_u128, |scale, _| scale * 10);
    let fraction: u128 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| unreadable())? };
    let parts = fraction * unit;
    if !parts.is_multiple_of(scale) {
        return Err(format!("`{number}` is finer than a microsecond"));
    }
    Ok(whole * unit + parts / scale)
}

fn bounded(micros: u128, text: &str) -> Result<Duration, String> {
    u64::try_from(micros)
        .map(Duration::from_micros)
        .ok()
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(|| format!("`{}` is longer than a year", text.trim()))
}

fn with_fraction(micros: u128, unit: u128, name: &str) -> String {
    let (whole, rest) = (micros / unit, micros % unit);
    if rest == 0 {
        return format!("{whole}{name}");
    }
    let digits = if unit == 1_000 { 3 } else { 6 };
    let fraction = format!("{rest:0digits$}");
    format!("{whole}.{}{name}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{LONGEST, human, parse, parse_flag};

    #[test]
    fn durations_are_read_as_written() {
        for (text, micros) in [
            ("250ms", 250_000),
            ("1m30s", 90_000_000),
            ("2h", 7_200_000_000),
            ("1.5s", 1_500_000),
            ("1h 30m", 5_400_000_000),
            ("7us", 7),
            ("0.25ms", 250),
            ("1d", 86_400_000_000),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_micros(micros)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_duration_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "a duration is missing"),
            ("30", "`30` has no unit"),
            ("soon", "`soon` is not a duration"),
            ("-1s", "`-1s` is not a duration"),
            ("5 minutes", "`minutes` is not a unit of time"),
            ("30s1m", "in `30s1m` the units are not in order, each at most once"),
            ("1s1s", "in `1s1s` the units are not in order, each at most once"),
            ("1.2.3s", "`1.2.3` is not a number"),
            (".5s", "`.5` is not a number"),
            ("0.1us", "`0.1` is finer than a microsecond"),
            ("366d", "`366d` is longer than a year"),
            ("99999999999999999999s", "`99999999999999999999` has too many digits"),
        ] {
            assert_eq!(parse(text), Err(reason.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_plain_number_is_seconds_on_the_command_line_only() {
        assert_eq!(parse_flag("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_flag("2m"), Ok(Duration::from_mins(2)));
        assert!(parse_flag("").is_err());
        assert!(parse("1.5").is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(micros in 0..=31_536_000_000_000_u64) {
            let duration = Duration::from_micros(micros);
            prop_assert_eq!(parse(&human(duration)), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = parse(&text);
            if let Ok(duration) = parse_flag(&text) {
                prop_assert!(duration <= LONGEST);
            }
        }

        #[test]
        fn nearly_right_text_is_read_or_refused(text in "[0-9]{0,20}\\.?[0-9]{0,20}(d|h|m|s|ms|us| |\\.\\.){0,2}[0-9]{0,4}(s|ms)?") {
            let _ = (parse(&text), parse_flag(&text));
        }
    }
}
