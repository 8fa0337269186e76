//! `init`: writes a commented `.pmcp/loadtest.toml`, from the server itself where a URL is given.

use std::path::Path;
use std::sync::Arc;

use url::Url;

use super::{locate, print, subject, values};
use crate::drive::{Survey, prepare};
use crate::error::{Error, ExitCode};
use crate::plan::config::{Overrides, resolve};
use crate::plan::starter::starter;
use crate::plan::{Protocol, Secret, shown_url};

/// Write a commented .pmcp/loadtest.toml
#[derive(Debug, clap::Args)]
#[command(
    after_help = "With a URL the file holds the server's own tools, resources and prompts, with arguments made up from their schemas.
Tools that the server marks as destructive are left commented out."
)]
pub(super) struct Arguments {
    /// The server's MCP endpoint
    #[arg(value_parser = values::url)]
    url: Option<Url>,
    /// Overwrite an existing file
    #[arg(short = 'y', long = "yes", visible_alias = "force")]
    yes: bool,
    /// Protocol revision: auto, 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26
    #[arg(long, value_name = "REVISION", env = "MCP_LOADTEST_PROTOCOL")]
    protocol: Option<Protocol>,
    /// A header to send with every request (repeatable)
    #[arg(long = "header", value_name = "K: V", value_parser = values::header)]
    headers: Vec<(String, Secret)>,
    /// A key to send as `Authorization: Bearer KEY`
    #[arg(long, value_name = "KEY", value_parser = values::secret, env = "MCP_API_KEY", hide_env_values = true)]
    api_key: Option<Secret>,
}

/// Writes the file.
///
/// # Errors
/// [`ExitCode::Usage`] where there is a file already; the errors of [`prepare`] where a server was named.
pub(super) fn init(arguments: Arguments) -> Result<(), Error> {
    let file = Path::new(locate::CONFIG);
    if file.exists() && !arguments.yes {
        return Err(Error::new(ExitCode::Usage, format!("{} is there already", file.display()))
            .advise("overwrite it with -y, or move it away"));
    }
    let Arguments { url, protocol, headers, api_key, .. } = arguments;
    let text = match &url {
        None => starter(None, None),
        Some(url) => {
            let overrides =
                Overrides { url: Some(url.clone()), protocol, headers, api_key, ..Overrides::default() };
            survey(&overrides)?
        }
    };
    let written =
        file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(file, text));
    written.map_err(|error| {
        Error::new(ExitCode::Usage, format!("cannot write {}", file.display())).because(error)
    })?;
    let url = url.map_or_else(|| "URL".to_owned(), |url| shown_url(&url));
    print::data(&format!("{}\n", file.display()));
    print::talk(&format!("read it, then: cargo pmcp loadtest run {url}"));
    Ok(())
}

/// Asks the server for everything it offers and makes a file of it.
fn survey(overrides: &Overrides) -> Result<String, Error> {
    // Only the target matters here; a plan needs something to do, which is never done.
    let nothing = ("init", "[[scenario]]\ntype = \"ping\"\n");
    let plan = resolve(Some(nothing), overrides, &|_| None)?.plan;
    let url = overrides.url.clone().map(without_query);
    let prepared = subject::control_runtime()?.block_on(prepare(Arc::new(plan), Survey::Everything))?;
    prepared.notes.iter().for_each(|note| print::note(note));
    let found = &prepared.discovery;
    print::talk(&format!(
        "{} speaks {} and offers {} tools, {} resources, {} prompts",
        found.server.as_ref().map_or("the server", |server| server.name.as_str()),
        found.revision,
        found.tools.len(),
        found.resources.len(),
        found.prompts.len(),
    ));
    Ok(starter(url.as_ref().map(Url::as_str), Some(found)))
}

/// The URL as it may stand in a file that others will read: a query may hold credentials.
fn without_query(mut url: Url) -> Url {
    if url.query().is_some() {
        url.set_query(None);
        print::note(
            "the URL's query is left out of the file, for it may hold credentials; give the whole URL to `run`",
        );
    }
    url
}
