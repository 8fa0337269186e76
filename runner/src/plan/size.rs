//! Numbers of bytes as people write them: "64MiB", "10kB", "512B".
//!
//! In: text. Out: bytes, and back again.

/// Units, largest first; powers of 1024 carry the `i`.
const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

/// Reads a size: a whole number with a unit, or a plain number of bytes. The error is a sentence for the user.
///
/// ```
/// use pmcp_loadtest::plan::size::parse;
/// assert_eq!(parse("64MiB"), Ok(64 * 1024 * 1024));
/// ```
pub fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = (&text[..end], text[end..].trim());
    if number.is_empty() {
        return Err(format!("`{text}` is not a size"));
    }
    let length = if unit.is_empty() {
        1
    } else {
        let known = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
        known.map(|(_, length)| *length).ok_or_else(|| format!("`{unit}` is not a unit of size"))?
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(length));
    bytes.ok_or_else(|| format!("`{text}` is more bytes than can be counted"))
}

/// Writes a number of bytes as [`parse`] reads it, in the largest unit that is exact: "64MiB", "1500B".
pub fn human(bytes: u64) -> String {
    let binary = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let exact = binary.iter().find(|(_, length)| bytes > 0 && bytes.is_multiple_of(*length));
    exact.map_or_else(|| format!("{bytes}B"), |(unit, length)| format!("{}{unit}", bytes / length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{human, parse};

    #[test]
    fn sizes_are_read_as_written() {
        for (text, bytes) in
            [("64MiB", 67_108_864), ("10kB", 10_000), ("10 KB", 10_000), ("1gib", 1 << 30), ("512", 512)]
        {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_size_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "`` is not a size"),
            ("big", "`big` is not a size"),
            ("64 megs", "`megs` is not a unit of size"),
            ("99999999999GiB", "`99999999999GiB` is more bytes than can be counted"),
        ] {
            assert_eq!(parse(text), Err(reason.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bytes in any::<u64>()) {
            prop_assert_eq!(parse(&human(bytes)), Ok(bytes));
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
