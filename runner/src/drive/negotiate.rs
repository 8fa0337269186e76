//! Which revision a run speaks: pinned by the plan, or found out (reference `mcp-protocol.md`, section 1.4).
//!
//! `auto` asks `server/discover` the modern way first; whatever does not prove a modern server leads to `initialize`.

use serde_json::{Map, Value};

use super::link::{Link, Measured};
use super::prepare::{FIRST, describe};
use super::protocol::template::Dialect;
use super::session::{NotOpened, Session, Welcome};
use crate::error::{Error, ExitCode};
use crate::judge::Outcome;
use crate::plan::discovery::{Discovery, ServerInfo};
use crate::plan::{Plan, Protocol, Revision};

/// The newest revision of the session era.
const NEWEST_LEGACY: Revision = Revision::V2025_11_25;
/// JSON-RPC codes of 2026-07-28.
const HEADER_MISMATCH: i64 = -32020;
const MISSING_CAPABILITY: i64 = -32021;
const UNSUPPORTED_VERSION: i64 = -32022;

/// A server that has been spoken to.
#[derive(Debug)]
pub(crate) struct Greeting {
    pub(crate) dialect: Dialect,
    pub(crate) session: Session,
    /// What it said of itself; the lists are not fetched yet.
    pub(crate) discovery: Discovery,
}

/// What `server/discover` led to.
enum Discovered {
    /// A modern server, with the result.
    Modern(Value),
    /// A server of the session era, which is to be asked for this revision.
    Legacy(Revision),
}

/// Greets the server in the plan's revision, or finds out which one it speaks.
///
/// # Errors
/// [`ExitCode::Unreachable`], [`ExitCode::AuthenticationNeeded`] with the root cause.
pub(crate) async fn negotiate(link: &mut Link, plan: &Plan) -> Result<Greeting, Error> {
    let elicitation = plan.target.elicitation;
    let modern = Dialect { revision: Revision::V2026_07_28, elicitation };
    match plan.target.protocol {
        Protocol::Pinned(revision) if !revision.is_modern() => {
            let greeting = initialize(link, plan, Dialect { revision, elicitation }).await?;
            if greeting.dialect.revision == revision {
                return Ok(greeting);
            }
            let what =
                format!("the server answered revision {} instead of {revision}", greeting.dialect.revision);
            let now = link.context.clock.now();
            greeting.session.close(link, now, plan.settings.timeout).await;
            Err(handshake_failed(plan, &what)
                .advise("pin a revision that the server speaks, or use `--protocol auto`"))
        }
        Protocol::Pinned(_) => match discover(link, plan, modern).await? {
            Discovered::Modern(result) => Ok(modern_greeting(modern, &result)),
            Discovered::Legacy(_) => {
                Err(handshake_failed(plan, &format!("the server does not speak {}", modern.revision))
                    .advise("use `--protocol auto`"))
            }
        },
        Protocol::Auto => match discover(link, plan, modern).await? {
            Discovered::Modern(result) => Ok(modern_greeting(modern, &result)),
            Discovered::Legacy(revision) => initialize(link, plan, Dialect { revision, elicitation }).await,
        },
    }
}

fn modern_greeting(dialect: Dialect, result: &Value) -> Greeting {
    let server_info = match &result["serverInfo"] {
        Value::Null => &result["_meta"]["io.modelcontextprotocol/serverInfo"],
        info => info,
    };
    let discovery = discovery_of(dialect.revision, result, server_info);
    Greeting { dialect, session: Session::stateless(dialect), discovery }
}

fn discovery_of(revision: Revision, result: &Value, server_info: &Value) -> Discovery {
    Discovery {
        server: ServerInfo::from_json(server_info),
        revision,
        capabilities: result["capabilities"].clone(),
        instructions: result["instructions"].as_str().map(str::to_owned),
        tools: Vec::new(),
        resources: Vec::new(),
        resource_templates: Vec::new(),
        prompts: Vec::new(),
    }
}

async fn discover(link: &mut Link, plan: &Plan, dialect: Dialect) -> Result<Discovered, Error> {
    let template = dialect.call("server/discover", Map::new(), None, &[]);
    let mut session = Session::stateless(dialect);
    let mut retried = false;
    loop {
        let measured = link.call(&mut session, &template, FIRST.into(), plan.settings.timeout, true).await;
        refuse_the_hopeless(link, plan, &measured)?;
        let answer: Value = serde_json::from_slice(link.answer()).unwrap_or_default();
        match measured.outcome {
            Outcome::Ok => {
                let result = &answer["result"];
                return Ok(if names(&result["supportedVersions"], dialect.revision) {
                    Discovered::Modern(result.clone())
                } else {
                    Discovered::Legacy(newest_legacy(&result["supportedVersions"]))
                });
            }
            _ => match answer["error"]["code"].as_i64() {
                Some(UNSUPPORTED_VERSION)
                    if names(&answer["error"]["data"]["supported"], dialect.revision) =>
                {
                    // The server refuses the very version it lists; once may be a start-up race, twice is a fault.
                    if std::mem::replace(&mut retried, true) {
                        return Err(handshake_failed(plan, &describe(link, &measured)));
                    }
                }
                Some(UNSUPPORTED_VERSION) => {
                    return Ok(Discovered::Legacy(newest_legacy(&answer["error"]["data"]["supported"])));
                }
                Some(HEADER_MISMATCH | MISSING_CAPABILITY) => {
                    return Err(handshake_failed(plan, &describe(link, &measured)));
                }
                _ => return Ok(Discovered::Legacy(NEWEST_LEGACY)),
            },
        }
    }
}

fn names(versions: &Value, revision: Revision) -> bool {
    versions.as_array().is_some_and(|versions| versions.iter().any(|version| version == revision.as_str()))
}

/// The newest session-era revision that both sides know; our newest where the list does not say.
fn newest_legacy(versions: &Value) -> Revision {
    let known =
        versions.as_array().into_iter().flatten().filter_map(|version| Revision::parse(version.as_str()?));
    known.filter(|revision| !revision.is_modern()).max().unwrap_or(NEWEST_LEGACY)
}

async fn initialize(link: &mut Link, plan: &Plan, dialect: Dialect) -> Result<Greeting, Error> {
    match Session::open(link, dialect, FIRST.into(), plan.settings.timeout).await {
        Ok(Welcome { session, result, .. }) => {
            let dialect = session.dialect();
            Ok(Greeting {
                dialect,
                session,
                discovery: discovery_of(dialect.revision, &result, &result["serverInfo"]),
            })
        }
        Err(NotOpened { measured, detail }) => {
            refuse_the_hopeless(link, plan, &measured)?;
            let class = measured.outcome.class().replace('_', " ");
            let code = measured.outcome.code().map(|code| format!(" {code}")).unwrap_or_default();
            let why = if detail.is_empty() { String::new() } else { format!(": {detail}") };
            Err(handshake_failed(plan, &format!("{class}{code}{why}"))
                .advise("check that the URL is the server's MCP endpoint (often ending in /mcp) and that the server speaks streamable HTTP"))
        }
    }
}

/// Failures that no other revision would mend.
fn refuse_the_hopeless(link: &Link, plan: &Plan, measured: &Measured) -> Result<(), Error> {
    match measured.outcome {
        Outcome::Transport(_) => {
            Err(Error::new(ExitCode::Unreachable, format!("cannot reach the target: {}", link.detail()))
                .at(plan.target.shown_url())
                .advise("check that the server is running and that host and port are right"))
        }
        Outcome::Timeout => {
            let what = format!("the target did not answer within {:?}", plan.settings.timeout);
            Err(Error::new(ExitCode::Unreachable, what)
                .at(plan.target.shown_url())
                .advise("check the server, or give it more time with --timeout"))
        }
        _ if matches!(measured.status, 401 | 403) => {
            let what = format!("the target refuses us with HTTP {}: {}", measured.status, link.detail());
            Err(Error::new(ExitCode::AuthenticationNeeded, what.trim_end_matches([':', ' ']))
                .at(plan.target.shown_url())
                .advise("give credentials: --api-key KEY, --header 'Authorization: Bearer ...', or `auth` in [target]"))
        }
        _ => Ok(()),
    }
}

fn handshake_failed(plan: &Plan, why: &str) -> Error {
    Error::new(ExitCode::Unreachable, format!("the handshake with the target failed: {why}"))
        .at(plan.target.shown_url())
}
