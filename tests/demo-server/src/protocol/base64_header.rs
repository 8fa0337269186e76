//! Header values of the modern era: plain text, or `=?base64?...?=` where the text does not fit a header.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The text a header value stands for; `None` where it claims an encoding that it does not have.
pub(crate) fn decode(value: &str) -> Option<String> {
    let Some(coded) = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) else {
        return Some(value.to_owned());
    };
    String::from_utf8(STANDARD.decode(coded).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn encoded_values_are_decoded_and_others_left_alone() {
        assert_eq!(decode("=?base64?R3LDvMOfZQ==?=").as_deref(), Some("Grüße"));
        assert_eq!(decode("R3LDvMOfZQ==").as_deref(), Some("R3LDvMOfZQ=="));
    }

    #[test]
    fn a_broken_encoding_is_no_value() {
        assert_eq!(decode("=?base64?R3LDvMOfZQ?="), None);
        assert_eq!(decode("=?base64?***?="), None);
    }
}
