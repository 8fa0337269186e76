//! What serde and the TOML parser say, put into words for the author of the file; and words that are known but not served yet.
//!
//! In: their message and span. Out: a [`ConfigError`] with the nearest known key.

use super::error::ConfigError;
use super::source::Source;

/// Why a word of the format is refused by this version, which does not do what it asks for. Refused rather than ignored: a threshold
/// that nobody checks would be a lie.
pub(super) fn not_yet(word: &str) -> Option<&'static str> {
    Some(match word {
        "extract" => "values are not extracted from answers by this version yet",
        "check" => "answers are not checked by this version yet, beyond their outcome",
        "feeders" | "feeder" => "data feeders are not supported by this version yet",
        "client_credentials" => {
            "OAuth client credentials are not supported by this version yet; `bearer` and `bearer_env` are"
        }
        "completion/complete" => "this type of step is not supported by this version yet",
        _ => return None,
    })
}

/// The mistake that the parser found, in our words.
pub(super) fn reworded(error: &toml::de::Error, source: Source<'_>) -> ConfigError {
    let span = error.span().unwrap_or(source.text.len()..source.text.len());
    let (message, help) = explained(error.message(), source.text.get(span.clone()).unwrap_or_default());
    let message = if source.is_secret(&span) { without_quotation(&message) } else { message };
    ConfigError { message, place: Some(source.place(&span)), help: Some(help) }
}

/// Message and help for what the parser says about `text`.
fn explained(message: &str, text: &str) -> (String, String) {
    if let Some((message, help)) = message.split_once('\n') {
        return (message.to_owned(), help.to_owned());
    }
    if let Some((kind, word, known)) = unknown(message) {
        if let Some(reason) = not_yet(word) {
            return (
                format!("`{word}`: {reason}"),
                "remove it; it is refused so that nobody believes it was done".to_owned(),
            );
        }
        return (format!("unknown {kind} `{word}`"), suggestion(word, &known));
    }
    if let Some(rest) =
        message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))
    {
        return mismatch(rest, text);
    }
    if message == "duplicate key" {
        return ("this key stands twice".to_owned(), "keep one of them".to_owned());
    }
    let said = match message {
        "string values must be quoted, expected literal string" if text.is_empty() => "there is no value",
        "string values must be quoted, expected literal string" => "a text must stand in quotes",
        other => other,
    };
    (
        format!("this is not TOML: {said}"),
        "a line is `key = value`, `[table]` or `[[list]]`; texts stand in quotes".to_owned(),
    )
}

/// "`found`, expected `wanted`" in the terms of TOML.
fn mismatch(rest: &str, text: &str) -> (String, String) {
    let (found, wanted) = rest.split_once(", expected ").unwrap_or((rest, "something else"));
    let wanted = match wanted {
        "u32" => "a whole number from 0 to 4294967295, without quotes",
        "u64" => "a whole number from 0 to 9223372036854775807, without quotes",
        "a sequence" => "a list",
        "a string" => "a text in quotes",
        "a boolean" => "true or false",
        "a table" => "a table: `[name]` with its keys below it, or `name = { key = value }`",
        other => other,
    };
    let found = found
        .replacen("string ", "the text ", 1)
        .replacen("integer ", "the number ", 1)
        .replacen(" as i128", "", 1);
    let found = match found.as_str() {
        "map" => "a table".to_owned(),
        "sequence" => "a list".to_owned(),
        long if long.chars().count() > 60 => long.chars().take(56).chain("...".chars()).collect(),
        other => other.to_owned(),
    };
    let help = if wanted == "a list" && text.starts_with('[') && !text.starts_with("[[") {
        format!("write it with double brackets, [{text}]: there can be several")
    } else {
        format!("write {wanted}")
    };
    (format!("{found} cannot stand here"), help)
}

/// Takes "unknown field `x`, expected one of `a`, `b`" apart; serde words it so for fields and for variants.
fn unknown(message: &str) -> Option<(&'static str, &str, Vec<&str>)> {
    let (kind, rest) =
        match (message.strip_prefix("unknown field `"), message.strip_prefix("unknown variant `")) {
            (Some(rest), _) => ("key", rest),
            (_, Some(rest)) => ("word", rest),
            _ => return None,
        };
    // The word may hold anything, backticks and commas included: what is expected is behind the last ", expected ".
    let (word, expected) =
        rest.rsplit_once("`, expected ").or_else(|| rest.rsplit_once("`, there are no"))?;
    Some((kind, word, expected.split('`').skip(1).step_by(2).collect()))
}

/// What to write instead of `word`: the nearest of the `known` words, and all of them.
pub(in crate::plan) fn suggestion(word: &str, known: &[&str]) -> String {
    let all = known.join(", ");
    match nearest(word, known) {
        Some(near) => format!("did you mean `{near}`? Known here: {all}"),
        None => format!("known here: {all}"),
    }
}

/// The known word that is most like `word`, if any is: similar above all from the front, or one that holds the other.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let likeness = |candidate: &str| {
        let candidate = candidate.replace('-', "_");
        let holds = word.len() >= 3 && (candidate.contains(&word) || word.contains(&candidate));
        let front = word.chars().zip(candidate.chars()).take(4).take_while(|(a, b)| a == b).count();
        let similar = strsim::jaro(&word, &candidate);
        // Winkler's bonus for a common front, also below the similarity of 0.7 from which strsim gives it: "args".
        similar + (1.0 - similar) * 0.1 * front as f64 + if holds { 0.3 } else { 0.0 }
    };
    let best =
        known.iter().map(|candidate| (likeness(candidate), *candidate)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness >= 0.78).map(|(_, candidate)| candidate)
}

/// The message without the value that it quotes, which may be a secret.
fn without_quotation(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}[redacted]{}", &message[..first], &message[last + 1..])
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{explained, suggestion, without_quotation};

    #[test]
    fn the_nearest_key_is_named_first() {
        let known = ["virtual_users", "duration", "duration_secs", "timeout", "arguments"];
        for (word, near) in [
            ("vitual_users", "virtual_users"),
            ("users", "virtual_users"),
            ("args", "arguments"),
            ("time-out", "timeout"),
        ] {
            assert!(suggestion(word, &known).starts_with(&format!("did you mean `{near}`?")), "{word}");
        }
        assert!(suggestion("zebra", &known).starts_with("known here: virtual_users, "));
    }

    #[test]
    fn a_word_of_a_later_version_is_refused_with_the_reason() {
        let (message, _) = explained("unknown field `feeders`, expected `target` or `load`", "feeders");
        assert_eq!(message, "`feeders`: data feeders are not supported by this version yet");
    }

    #[test]
    fn a_word_may_hold_backticks_and_commas() {
        let (message, help) = explained("unknown field `a`, expected `b`, expected `load`", "");
        assert_eq!((message.as_str(), help.as_str()), ("unknown key `a`, expected `b`", "known here: load"));
    }

    #[test]
    fn a_quoted_secret_is_not_repeated() {
        assert_eq!(
            without_quotation("the text \"abc\\\"d\" cannot stand here"),
            "the text [redacted] cannot stand here"
        );
    }
}
