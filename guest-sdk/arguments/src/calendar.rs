//! Dates, times and durations as RFC 3339 writes them (section 5.6 and appendix A): whether a text is one.

/// A date, such as `2026-02-28`.
pub(crate) fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    match (number(year, 4), number(month, 2), number(day, 2)) {
        (Some(year), Some(month), Some(day)) => (1..=days_of(month, year)).contains(&day),
        _ => false,
    }
}

/// A full time, such as `09:30:00.5+01:00`: seconds and an offset are required. A leap second is refused: most readers refuse it.
pub(crate) fn is_time(text: &str) -> bool {
    let Some((clock, offset)) = text.find(['Z', 'z', '+', '-']).and_then(|at| text.split_at_checked(at))
    else {
        return false;
    };
    let offset_holds = match offset.split_at_checked(1) {
        Some(("Z" | "z", "")) => true,
        Some(("+" | "-", hours_and_minutes)) => is_clock(hours_and_minutes, 2),
        _ => false,
    };
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let fraction_holds = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    offset_holds && fraction_holds && is_clock(whole, 3)
}

/// A date and a full time, such as `2026-02-28T09:30:00Z`.
pub(crate) fn is_date_and_time(text: &str) -> bool {
    text.split_once(['T', 't']).is_some_and(|(date, time)| is_date(date) && is_time(time))
}

/// A duration, such as `P1DT12H` or `P3W`.
pub(crate) fn is_duration(text: &str) -> bool {
    let Some(text) = text.strip_prefix('P') else { return false };
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    if let (Some(weeks), None) = (date.strip_suffix('W'), time) {
        return !weeks.is_empty() && weeks.bytes().all(|byte| byte.is_ascii_digit());
    }
    (!date.is_empty() || time.is_some())
        && are_amounts_of(date, "YMD")
        && time.is_none_or(|time| !time.is_empty() && are_amounts_of(time, "HMS"))
}

/// Whether `text` is a sequence of amounts, each with a unit of `units`, larger units first.
fn are_amounts_of(mut text: &str, mut units: &str) -> bool {
    while !text.is_empty() {
        let Some(end) = text.find(|letter: char| !letter.is_ascii_digit()).filter(|end| *end > 0) else {
            return false;
        };
        let unit = text[end..].chars().next().unwrap_or_default();
        let Some(at) = units.find(unit) else { return false };
        units = &units[at + 1..];
        text = &text[end + unit.len_utf8()..];
    }
    true
}

/// `parts` two-digit numbers between colons: hours, minutes, seconds.
fn is_clock(text: &str, parts: usize) -> bool {
    let mut below = [24, 60, 60].into_iter();
    text.split(':').count() == parts
        && text
            .split(':')
            .zip(&mut below)
            .all(|(part, below)| number(part, 2).is_some_and(|part| part < below))
}

/// A number of exactly so many digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn days_of(month: u32, year: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_exist_or_not() {
        for day in ["2026-01-31", "2024-02-29", "2000-02-29", "0000-12-31"] {
            assert!(is_date(day), "{day}");
        }
        for day in
            ["2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "2026-04-31", "+026-01-01"]
        {
            assert!(!is_date(day), "{day}");
        }
    }

    #[test]
    fn a_time_has_seconds_and_an_offset() {
        for time in ["09:30:00Z", "23:59:59.999z", "00:00:00+14:00", "12:00:00-00:30"] {
            assert!(is_time(time), "{time}");
        }
        for time in
            ["09:30Z", "09:30:00", "24:00:00Z", "09:60:00Z", "09:30:00.Z", "09:30:00+1:00", "09:30:00Zz", "Z"]
        {
            assert!(!is_time(time), "{time}");
        }
    }

    #[test]
    fn a_duration_names_larger_units_first() {
        for duration in ["P1D", "P3W", "PT0S", "P1Y2M3DT4H5M6S", "PT36H", "P1YT1S"] {
            assert!(is_duration(duration), "{duration}");
        }
        for duration in ["P", "PT", "P1", "P1DT", "PT1D", "P1D2Y", "P1W1D", "1D", "PD", "P1é", "P-1D"] {
            assert!(!is_duration(duration), "{duration}");
        }
    }
}
