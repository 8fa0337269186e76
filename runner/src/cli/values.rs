//! Values of flags: what was typed becomes what it means, or an error that says what was expected.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use super::locate;
use crate::error::Error;
use crate::plan::config::read_plugin_config;
use crate::plan::{Secret, duration, size};

/// A duration: `250ms`, `1m30s`, or a plain number of seconds.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    duration::parse_flag(text)
}

/// A size: `64MiB`, or a plain number of bytes.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    size::parse(text)
}

/// A server's endpoint.
pub(super) fn url(text: &str) -> Result<Url, String> {
    let whole = |url: &Url| url.has_host() && matches!(url.scheme(), "http" | "https");
    Url::parse(text)
        .ok()
        .filter(whole)
        .ok_or_else(|| "write it whole, such as http://127.0.0.1:3000/mcp".to_owned())
}

/// `K: V`.
pub(super) fn header(text: &str) -> Result<(String, Secret), String> {
    let (name, value) = text.split_once(':').ok_or("expected 'Name: value'")?;
    Ok((name.trim().to_owned(), Secret::new(value.trim())))
}

/// A credential.
#[expect(clippy::unnecessary_wraps, reason = "the signature clap asks for")]
pub(super) fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}

/// The configuration of a plugin: a JSON object, or `@` and the file that holds one; `flag` is where it was
/// given.
///
/// # Errors
/// [`ExitCode::Usage`](crate::ExitCode::Usage) that points at what is wrong with it.
pub(super) fn plugin_config(flag: &str, given: &str) -> Result<Map<String, Value>, Error> {
    Ok(match given.strip_prefix('@') {
        Some(file) => read_plugin_config(file, &locate::read(Path::new(file))?)?,
        None => read_plugin_config(flag, given)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_understood_or_explained() {
        assert_eq!(header("X-A: b:c").unwrap().1.reveal(), "b:c");
        assert!(header("nonsense").is_err());
        for wrong in ["localhost:3000/mcp", "127.0.0.1:3000", "ftp://host/mcp", "/mcp"] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
        assert_eq!(time("90"), Ok(Duration::from_secs(90)));
        assert_eq!(bytes("64KiB"), Ok(65536));
    }
}
