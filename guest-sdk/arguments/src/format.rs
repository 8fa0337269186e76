//! The `format` keyword: a sample of each format that servers use, and whether a text is one.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::calendar::{is_date, is_date_and_time, is_duration, is_time};
use crate::{Draws, hint};

/// A text of this format for a field called `name`; `None` where the format is not known here.
pub(crate) fn sample(format: &str, name: &str, draws: &mut Draws) -> Option<String> {
    let number = 1 + draws.below(254);
    let day = 1 + number % 28;
    // Servers refuse periods that end before they begin.
    let month = if hint::is_an_end(name) { 2 } else { 1 };
    Some(match format {
        "date" => format!("2026-{month:02}-{day:02}"),
        "time" => format!("09:{:02}:00Z", number % 60),
        "date-time" | "datetime" => format!("2026-{month:02}-{day:02}T09:{:02}:00Z", number % 60),
        "duration" => format!("PT{}M", 1 + number % 59),
        "email" | "idn-email" => format!("user{number}@example.com"),
        "hostname" | "idn-hostname" => format!("host{number}.example.com"),
        "ipv4" => format!("192.0.2.{number}"),
        "ipv6" => format!("2001:db8::{number:x}"),
        "uri" | "url" | "iri" => format!("https://example.com/{number}"),
        "uri-reference" | "iri-reference" => format!("/items/{number}"),
        "uri-template" => format!("/items/{number}/{{name}}"),
        "uuid" => uuid(draws),
        "json-pointer" => format!("/items/{number}"),
        "relative-json-pointer" => format!("{number}/items"),
        "regex" => format!("^item{number}$"),
        "byte" => "bG9hZCB0ZXN0".to_owned(),
        _ => return None,
    })
}

/// Version 4, variant 1 of RFC 9562.
fn uuid(draws: &mut Draws) -> String {
    let (high, low) = (draws.next_u64(), draws.next_u64());
    let (first, second, third) = (high >> 32, (high >> 16) & 0xffff, high & 0x0fff);
    let (fourth, fifth) = (0x8000 | ((low >> 48) & 0x3fff), low & 0xffff_ffff_ffff);
    format!("{first:08x}-{second:04x}-4{third:03x}-{fourth:04x}-{fifth:012x}")
}

/// Whether `text` is of this format; an unknown format holds always, for it is an annotation.
pub(crate) fn holds(format: &str, text: &str) -> bool {
    match format {
        "date" => is_date(text),
        "time" => is_time(text),
        "date-time" => is_date_and_time(text),
        "duration" => is_duration(text),
        "email" | "idn-email" => text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && is_hostname(domain) && !text.contains(char::is_whitespace)
        }),
        "hostname" => is_hostname(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "uri" => is_uri(text),
        "iri" => is_uri(&text.replace(|letter: char| !letter.is_ascii() && !letter.is_whitespace(), "x")),
        "uuid" => is_uuid(text),
        "json-pointer" => text.is_empty() || text.starts_with('/'),
        _ => true,
    }
}

/// An absolute URI (RFC 3986): a scheme, and after it no character that has to be escaped. Web addresses name a host.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_holds = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let host_holds = match scheme {
        "http" | "https" => rest
            .strip_prefix("//")
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':'])),
        _ => !rest.is_empty(),
    };
    scheme_holds
        && host_holds
        && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`[]".contains(&byte))
        && escapes_hold(rest)
}

/// Whether two hexadecimal digits follow every percent sign.
fn escapes_hold(text: &str) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_hexdigit();
    text.split('%')
        .skip(1)
        .all(|rest| rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(is_digit)))
}

fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_of_its_format() {
        let known = [
            "date",
            "time",
            "date-time",
            "duration",
            "email",
            "hostname",
            "ipv4",
            "ipv6",
            "uri",
            "uri-reference",
            "uri-template",
            "uuid",
            "json-pointer",
            "relative-json-pointer",
            "regex",
            "iri",
            "idn-email",
        ];
        for format in known {
            let schema = serde_json::json!({ "type": "string", "format": format });
            let judge = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
            for iteration in 0..50 {
                let text = sample(format, "until", &mut Draws::new(1, 0, iteration)).unwrap();
                assert!(holds(format, &text), "{format}: {text}");
                assert!(judge.is_valid(&serde_json::json!(text)), "{format}: {text}");
            }
        }
    }

    #[test]
    fn what_is_not_of_the_format_is_refused() {
        for (format, text) in [
            ("date", "2026-02-30"),
            ("date", "15.01.2026"),
            ("time", "09:30"),
            ("time", "09:30:00"),
            ("date-time", "2026-01-15"),
            ("date-time", "2026-01-15 09:30:00Z"),
            ("date-time", "\u{1f600}\u{1f600}\u{1f600}"),
            ("duration", "5 minutes"),
            ("email", "nobody"),
            ("hostname", "-a.example"),
            ("ipv4", "1.2.3.400"),
            ("uri", "not a uri"),
            ("uri", "README.md"),
            ("uri", "https://"),
            ("uri", "https://example.com/a b"),
            ("uri", "https://example.com/%zz"),
            ("iri", "https://example.com/\u{a0}"),
            ("uuid", "1234"),
        ] {
            assert!(!holds(format, text), "{format}: {text}");
        }
    }
}
