//! The commented `.pmcp/loadtest.toml` that `init` writes.
//!
//! In: the target's URL and what the server offers, as far as they are known. Out: the text of a run file that can be run as it is,
//! wherever the server offers something that may safely be called.

mod entry;
mod quote;
mod weights;

#[cfg(test)]
mod tests;

use super::discovery::Discovery;
use entry::Entry;
use quote::{comment, quoted};
use weights::Shares;

const EXAMPLES: &str = include_str!("examples.toml");

/// Renders the run file.
///
/// Each tool, resource and prompt becomes a scenario of one step, the kinds sharing the load 70 : 20 : 10. What must not or cannot
/// be called is commented out with the reason: tools that say they destroy, and those for which no arguments are found.
///
/// ```
/// use pmcp_loadtest::plan::starter::starter;
/// let text = starter(Some("http://127.0.0.1:3000/mcp"), None);
/// assert!(text.contains("url = \"http://127.0.0.1:3000/mcp\""));
/// ```
pub fn starter(url: Option<&str>, discovery: Option<&Discovery>) -> String {
    let mut text = header(url, discovery);
    text.push_str(&target(url));
    text.push_str(SETTINGS);
    match discovery {
        Some(discovery) => text.push_str(&scenarios(discovery)),
        None => text.push_str(EXAMPLES),
    }
    text
}

fn header(url: Option<&str>, discovery: Option<&Discovery>) -> String {
    let server = discovery.and_then(|discovery| discovery.server.as_ref());
    let name =
        server.map(|server| format!("{} {}", server.title.as_ref().unwrap_or(&server.name), server.version));
    let of = name.map_or_else(|| "an MCP server".to_owned(), |name| comment(&name));
    let run = match url {
        Some(_) => "cargo pmcp loadtest run                            as it stands here",
        None => "cargo pmcp loadtest run http://127.0.0.1:3000/mcp  against this server",
    };
    format!(
        "\
# Load test of {of}, written by `cargo pmcp loadtest init` and meant to be edited.
#
#   {run}
#   cargo pmcp loadtest run --vus 50 --duration 2m     with other numbers, for once

"
    )
}

fn target(url: Option<&str>) -> String {
    let url = match url {
        Some(url) => format!("url = {}", quoted(url)),
        None => "# url = \"http://127.0.0.1:3000/mcp\"     # or the first argument of `run`".to_owned(),
    };
    format!(
        "\
[target]
{url}
# protocol = \"auto\"                       # or a revision: 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26
# auth = {{ bearer_env = \"MCP_TOKEN\" }}     # the environment variable that holds the token

"
    )
}

const SETTINGS: &str = "\
[settings]
# timeout = \"5s\"                          # of each request
# seed = 0                                # the same seed sends the same requests
# session = \"per-vu\"                      # or per-iteration, shared
# connection = \"keep-alive\"               # or per-request

[load]
executor = \"constant-vus\"                # every user sends its next request when the last one is answered
vus = 10
duration = \"30s\"

# What the run must show to pass; exit code 99 where it does not.
# [thresholds]
# response_time = [\"p(95) < 200ms\", \"p(99) < 500ms\"]
# errors = [\"rate < 1%\", \"rate < 20% over 10s abort\"]   # in every 10 s; abort: ends the run where it does not hold
# \"response_time{method=initialize}\" = [\"max < 2s\"]   # filters: tool, method, scenario, label

";

/// The scenarios of a discovery, each with its share of the load.
fn scenarios(discovery: &Discovery) -> String {
    let mut entries: Vec<Entry> = discovery.tools.iter().map(Entry::of_tool).collect();
    entries.extend(discovery.resources.iter().map(Entry::of_resource));
    entries.extend(discovery.prompts.iter().map(Entry::of_prompt));
    entry::make_names_unique(&mut entries);

    let mut shares = Shares::of(entries.iter().filter(|entry| entry.is_ready()).map(|entry| entry.kind));
    let mut text = introduction(&entries);
    for entry in &entries {
        let weight = if entry.is_ready() { shares.next(entry.kind) } else { 1 };
        text.push_str(&entry.render(weight));
        text.push('\n');
    }
    text.push_str(&templates(discovery));
    text
}

fn introduction(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return format!(
            "\
# The server offers no tools, resources or prompts (or shows them to others only), so the scenario below
# pings it. If it should offer some, check the credentials and run `cargo pmcp loadtest init` again.
{PING}
"
        );
    }
    if !entries.iter().any(Entry::is_ready) {
        return "\
# TO DO: every scenario below is commented out, each for the reason above it, so there is nothing to run yet.
# Take the leading `# ` from the lines of at least one of them, complete its arguments, then start the run.

"
        .to_owned();
    }
    "# Every iteration draws one scenario, by weight, and takes its steps in order.\n\n".to_owned()
}

const PING: &str = "\
[[scenario]]
name = \"ping\"
think_time = \"1s..3s\"
[[scenario.step]]
type = \"ping\"
";

fn templates(discovery: &Discovery) -> String {
    if discovery.resource_templates.is_empty() {
        return String::new();
    }
    let mut text = "\
# Resource templates: fill in the braces, and read the result with a step of the type `resources/read`.
"
    .to_owned();
    for template in &discovery.resource_templates {
        text.push_str("#   ");
        text.push_str(&comment(&template.uri_template));
        if let Some(description) = &template.description {
            text.push_str("   ");
            text.push_str(&comment(description));
        }
        text.push('\n');
    }
    text
}
