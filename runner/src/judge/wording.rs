//! Numbers as people read them: three significant digits, a unit, thousands apart. Findings and summaries share these words.

/// `12,345`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 call`, `12,345 calls`.
pub(crate) fn counted(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(value), if value == 1 { "" } else { "s" })
}

/// Somebody else's words within a sentence of ours: on one line, without control characters, at most 200 characters.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 200;
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A rate per second: `12,345`, `701.5`, `0.25`.
pub(crate) fn rate(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        value if value >= 999.95 => count(rounded(value)),
        value if value >= 9.995 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// A share of a whole: `12.3 %`, `0.36 %`, and never `0 %` or `100 %` for what is not quite.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { share(0.0) } else { share(part as f64 / whole as f64) }
}

/// A share of 1, as [`percent`].
pub(crate) fn share(ratio: f64) -> String {
    match ratio * 100.0 {
        0.0 => "0 %".to_owned(),
        100.0 => "100 %".to_owned(),
        share if share < 0.01 => "<0.01 %".to_owned(),
        share if share > 99.9 => ">99.9 %".to_owned(),
        share if share < 1.0 => format!("{share:.2} %"),
        share => format!("{share:.1} %"),
    }
}

/// A time of so many microseconds, to three significant digits: `850 µs`, `14.5 ms`, `1.23 s`, `2 m 05 s`.
pub(crate) fn time(micros: u64) -> String {
    let value = micros as f64;
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..999_500 => format!("{} ms", three_digits(value / 1e3)),
        999_500..60_000_000 => format!("{} s", three_digits(value / 1e6)),
        _ => {
            let seconds = micros / 1_000_000;
            format!("{} m {:02} s", seconds / 60, seconds % 60)
        }
    }
}

/// A time that may be shorter than a microsecond: `920 ns`, `3.41 µs`, from a millisecond on as [`time`].
pub(crate) fn fine_time(micros: f64) -> String {
    match micros {
        ..0.9995 => format!("{} ns", rounded(micros * 1e3)),
        ..999.5 => format!("{} µs", three_digits(micros)),
        _ => time(rounded(micros)),
    }
}

/// Any number: `12,345`, `0.00123`, `-3.40`, `1.50e20`; whole ones in full, others to three significant digits.
pub(crate) fn number(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    match value.abs() {
        0.0 => "0".to_owned(),
        size if !(0.001..1e15).contains(&size) => format!("{value:.2e}"),
        size if size.fract() == 0.0 => format!("{sign}{}", count(rounded(size))),
        size if size < 0.01 => format!("{sign}{size:.5}"),
        size if size < 0.1 => format!("{sign}{size:.4}"),
        size if size < 1.0 => format!("{sign}{size:.3}"),
        size => format!("{sign}{}", three_digits(size)),
    }
}

/// `310 B`, `3.65 MB`; powers of ten.
pub(crate) fn bytes(value: u64) -> String {
    let (divisor, unit) = match value {
        0..1_000 => return format!("{value} B"),
        1_000..1_000_000 => (1e3, "kB"),
        1_000_000..1_000_000_000 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    format!("{} {unit}", three_digits(value as f64 / divisor))
}

fn three_digits(value: f64) -> String {
    match value {
        value if value >= 99.95 => count(rounded(value)),
        value if value >= 9.995 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// The nearest whole number; the smallest and the largest there are for what lies beyond.
pub(crate) fn rounded(value: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "as casts saturate at both ends"
    )]
    let whole = value.round() as u64;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let shown = [0, 999, 1_000, 1_234_567].map(count);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn times_keep_three_significant_digits_across_their_units() {
        let shown = [
            0,
            850,
            1_000,
            14_527,
            99_940,
            99_950,
            898_047,
            999_499,
            999_500,
            5_308_415,
            59_990_000,
            125_000_000,
        ]
        .map(time);
        let expected = [
            "0 µs", "850 µs", "1.00 ms", "14.5 ms", "99.9 ms", "100 ms", "898 ms", "999 ms", "1.00 s",
            "5.31 s", "60.0 s", "2 m 05 s",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_not_quite_nothing_or_all_is_not_rounded_to_it() {
        let shown = [(0, 9), (9, 9), (1, 1_000_000), (999_999, 1_000_000), (25, 7_015), (1, 8)];
        let shown = shown.map(|(part, whole)| percent(part, whole));
        assert_eq!(shown, ["0 %", "100 %", "<0.01 %", ">99.9 %", "0.36 %", "12.5 %"]);
    }

    #[test]
    fn rates_and_bytes_scale() {
        assert_eq!([0.0, 0.25, 701.5, 999.96, 12_345.6].map(rate), ["0", "0.25", "701.5", "1,000", "12,346"]);
        assert_eq!([310, 3_650_000].map(bytes), ["310 B", "3.65 MB"]);
    }

    #[test]
    fn short_times_keep_three_significant_digits() {
        let shown = [0.0, 0.92, 0.9996, 3.412, 99.96, 999.4, 999.6, 1_234.5].map(fine_time);
        assert_eq!(shown, ["0 ns", "920 ns", "1.00 µs", "3.41 µs", "100 µs", "999 µs", "1.00 ms", "1.24 ms"]);
    }

    #[test]
    fn numbers_of_any_size_stay_short_and_whole_ones_in_full() {
        let shown =
            [0.0, 12_345.0, -3.4, 0.001_234, 0.0999, -0.5, 1234.56, 1.5e20, 2e-7, f64::MIN].map(number);
        assert_eq!(
            shown,
            [
                "0",
                "12,345",
                "-3.40",
                "0.00123",
                "0.0999",
                "-0.500",
                "1,235",
                "1.50e20",
                "2.00e-7",
                "-1.80e308"
            ]
        );
    }

    #[test]
    fn what_others_say_stays_on_one_line_and_short() {
        assert_eq!(quoted("panicked at x.rs:\n\u{1b}[31m  boom\t\r\n"), "panicked at x.rs: [31m boom");
        assert_eq!(quoted(&"ä".repeat(200)), "ä".repeat(200));
        assert_eq!(quoted(&"ä".repeat(201)).chars().count(), 201);
        assert!(quoted(&"ä".repeat(500)).ends_with('…'));
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|value| counted(value, "call")), ["0 calls", "1 call", "2 calls"]);
    }
}
