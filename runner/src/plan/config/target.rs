//! The `[target]` table: URL, protocol, headers, credentials.

use url::Url;

use super::error::Problems;
use super::file::{AuthTable, TargetTable};
use super::overrides::Overrides;
use super::value::At;
use crate::plan::headers::{Written, mistake};
use crate::plan::{Secret, Target};

const URL_HELP: &str = "write the MCP endpoint, such as \"http://127.0.0.1:3000/mcp\"";

/// The target; `None` once its mistakes are noted.
pub(super) fn resolve(
    table: &TargetTable,
    overrides: &Overrides,
    environment: &dyn Fn(&str) -> Option<String>,
    problems: &mut Problems<'_>,
) -> Option<Target> {
    let headers = headers(table, overrides, environment, problems);
    let url = url(table.url.as_ref(), overrides.url.as_ref(), problems)?;
    Some(Target {
        url,
        headers,
        protocol: overrides.protocol.or(table.protocol).unwrap_or_default(),
        elicitation: false,
    })
}

/// The URL of the flag, or of the file; the file's is checked even when the flag wins.
fn url(in_file: Option<&At<String>>, flag: Option<&Url>, problems: &mut Problems<'_>) -> Option<Url> {
    let checked = in_file.map(|at| {
        let parsed = Url::parse(&at.value).map_err(|reason| format!("this is not a URL: {reason}"));
        parsed.and_then(endpoint).map_err(|message| problems.at(&at.span, message, URL_HELP)).ok()
    });
    if let Some(flag) = flag {
        return endpoint(flag.clone())
            .map_err(|message| problems.anywhere(format!("URL: {message}"), URL_HELP))
            .ok();
    }
    if checked.is_none() {
        let help = "give it after the command, `cargo pmcp loadtest run URL`, or write `url` under [target]";
        problems.anywhere("there is no target: nobody said which server to hit", help);
    }
    checked.flatten()
}

/// The URL if it can be an MCP endpoint; without its fragment, which is never sent.
fn endpoint(mut url: Url) -> Result<Url, String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{}` is not spoken here, only http and https", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("there are credentials in the URL; they belong into `auth` or a header".to_owned());
    }
    url.set_fragment(None);
    Ok(url)
}

/// The headers of every request: the file's, then the flags', each name once.
fn headers(
    table: &TargetTable,
    overrides: &Overrides,
    environment: &dyn Fn(&str) -> Option<String>,
    problems: &mut Problems<'_>,
) -> Vec<(String, Secret)> {
    let mut headers: Vec<(String, Secret)> = Vec::new();
    for (name, value) in table.headers.iter().flat_map(|entries| &entries.0) {
        if let Some((message, help)) = mistake(&name.value, &value.value, Written::ByProtocol) {
            problems.at(&name.span, message, help);
        } else if has(&headers, &name.value) {
            problems.at(&name.span, format!("the header `{}` stands twice", name.value), "keep one of them");
        } else {
            headers.push((name.value.clone(), Secret::new(&value.value)));
        }
    }
    if let Some(auth) = &table.auth {
        if has(&headers, "authorization") {
            problems.at(&auth.span, "there are credentials in `auth` and in the headers", "keep one of them");
        }
        // A flag replaces the file's credentials, and then their variable need not be set.
        if overrides.api_key.is_none() && !has(&overrides.headers, "authorization") {
            headers.extend(bearer(auth, environment, problems).map(|token| authorization(&token)));
        }
    }
    for (name, value) in &overrides.headers {
        if let Some((message, help)) = mistake(name, value.reveal(), Written::ByProtocol) {
            problems.anywhere(format!("--header: {message}"), help);
        }
        headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
        headers.push((name.clone(), value.clone()));
    }
    if let Some(key) = &overrides.api_key {
        if has(&overrides.headers, "authorization") {
            problems.anywhere("there are credentials in --api-key and in --header", "keep one of them");
        }
        if let Some((_, help)) = token_mistake(key.reveal()) {
            problems.anywhere("--api-key cannot be sent in a header", help);
        }
        headers.retain(|(present, _)| !present.eq_ignore_ascii_case("authorization"));
        headers.push(authorization(key.reveal()));
    }
    headers
}

fn has(headers: &[(String, Secret)], name: &str) -> bool {
    headers.iter().any(|(present, _)| present.eq_ignore_ascii_case(name))
}

fn authorization(token: &str) -> (String, Secret) {
    ("Authorization".to_owned(), Secret::new(format!("Bearer {token}")))
}

/// The token that `auth` gives or names.
fn bearer(
    auth: &At<AuthTable>,
    environment: &dyn Fn(&str) -> Option<String>,
    problems: &mut Problems<'_>,
) -> Option<String> {
    let (span, token) = match (&auth.value.bearer, &auth.value.bearer_env) {
        (Some(token), None) => (&token.span, token.value.clone()),
        (None, Some(variable)) => {
            let Some(token) = environment(&variable.value) else {
                let message = format!("the environment variable `{}` is not set", variable.value);
                problems.at(&variable.span, message, "set it to the bearer token, or give --api-key");
                return None;
            };
            (&variable.span, token)
        }
        (Some(_), Some(_)) => {
            problems.at(&auth.span, "the bearer token is said twice", "keep `bearer_env`");
            return None;
        }
        (None, None) => {
            problems.at(
                &auth.span,
                "these credentials are empty",
                "write `auth = { bearer_env = \"NAME\" }`",
            );
            return None;
        }
    };
    if let Some((message, help)) = token_mistake(&token) {
        problems.at(span, message, help);
    }
    Some(token)
}

fn token_mistake(token: &str) -> Option<(String, &'static str)> {
    if token.is_empty() {
        return Some((
            "the bearer token is empty".to_owned(),
            "set it to the token that the server gave you",
        ));
    }
    mistake("authorization", token, Written::ByProtocol)
        .map(|(_, help)| ("the bearer token cannot be sent in a header".to_owned(), help))
}
