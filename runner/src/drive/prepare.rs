//! Before the load: finds out whether the target answers, which revision it speaks and what it offers.
//!
//! In: a plan. Out: a [`Prepared`] run, whose requests are made up, or the root cause why there can be none. Nothing here counts
//! as load.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::task::LocalSet;

use super::clock::Clock;
use super::context::{Carrier, Context};
use super::deadline::sweep_period;
use super::link::{Link, Measured};
use super::negotiate::{Greeting, negotiate};
use super::plugin::{Candidates, Plugins};
use super::protocol::mirror::mirrored_headers;
use super::protocol::template::Dialect;
use super::script::steps::{Steps, ToolHeaders};
use super::series::SeriesRegistry;
use super::session::Session;
use super::transport::{Endpoint, MemoryServer};
use crate::error::{Error, ExitCode};
use crate::judge::{Books, Moment, ServerFacts, unanswerable};
use crate::plan::discovery::{Discovery, Page, Prompt, Resource, ResourceTemplate, Tool};
use crate::plan::{Action, Load, Plan, Scenario, Stripe, WarmUp};

/// Most pages of a list that are fetched: a server whose cursor never ends must not keep us.
const MOST_PAGES: usize = 1000;

/// What is asked of the server beyond the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survey {
    /// Its tools: what a run needs.
    Tools,
    /// Its tools, resources, resource templates and prompts: what a starter file needs.
    Everything,
}

/// A run, ready to begin.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(crate) plan: Arc<Plan>,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) carrier: Carrier,
    pub(crate) dialect: Dialect,
    pub(crate) steps: Arc<Steps>,
    pub(crate) plugins: Arc<Plugins>,
    /// The rows of the report.
    pub(crate) series: Arc<SeriesRegistry>,
    /// What the preparation itself did.
    pub(crate) books: Books,
    /// Whether the server gives out session ids.
    stateful: bool,
    dropped_tools: Vec<(String, String)>,
    /// What the server offers.
    pub discovery: Discovery,
    /// What a person should know before the run.
    pub notes: Vec<String>,
}

/// What every worker of a run gets.
#[derive(Debug, Clone)]
pub(crate) struct Share {
    pub(crate) plan: Arc<Plan>,
    pub(crate) steps: Arc<Steps>,
    pub(crate) plugins: Arc<Plugins>,
    pub(crate) dialect: Dialect,
    endpoint: Arc<Endpoint>,
    carrier: Carrier,
}

impl Share {
    pub(crate) fn context(&self, clock: Clock) -> Context {
        Context::new(clock, Arc::clone(&self.endpoint), self.carrier.clone(), self.plan.series().len())
    }
}

/// Prepares a run against the plan's target.
///
/// # Errors
/// [`ExitCode::Unreachable`] where the target cannot be reached or the handshake fails, [`ExitCode::AuthenticationNeeded`] where it
/// wants credentials, [`ExitCode::Usage`] where the plan calls a tool that cannot be called, or has a threshold on a custom metric that no
/// plugin declares.
pub async fn prepare(plan: Arc<Plan>, survey: Survey) -> Result<Prepared, Error> {
    let candidates = Candidates::load(&plan)?;
    let endpoint = Arc::new(Endpoint::resolve(&plan).await?);
    let carrier = Carrier::of(&plan, &endpoint)?;
    LocalSet::new().run_until(prepare_over(plan, endpoint, carrier, candidates, survey)).await
}

/// Prepares a run against a scripted server in this process. Must be called inside a `LocalSet`.
///
/// # Errors
/// As [`prepare`].
pub async fn prepare_in_memory(plan: Arc<Plan>, server: MemoryServer) -> Result<Prepared, Error> {
    let candidates = Candidates::load(&plan)?;
    let endpoint = Arc::new(Endpoint::unconnected(&plan));
    prepare_over(plan, endpoint, Carrier::Memory(server), candidates, Survey::Tools).await
}

async fn prepare_over(
    plan: Arc<Plan>,
    endpoint: Arc<Endpoint>,
    carrier: Carrier,
    candidates: Candidates,
    survey: Survey,
) -> Result<Prepared, Error> {
    // Whoever plans at run time may ask for everything that the target has.
    let survey = if candidates.are_there() { Survey::Everything } else { survey };
    let clock = Clock::start();
    let context = Rc::new(Context::new(clock, Arc::clone(&endpoint), carrier.clone(), plan.series().len()));
    let ask = async {
        let mut link = Link::new(Rc::clone(&context));
        let Greeting { dialect, mut session, mut discovery } = negotiate(&mut link, &plan).await?;
        let stateful = session.stateful;
        let notes = fill(&mut discovery, &mut link, &mut session, &plan, survey).await;
        session.close(&mut link, clock.now(), plan.settings.timeout).await;
        Ok::<_, Error>((dialect, stateful, discovery, notes))
    };
    let (dialect, stateful, discovery, mut notes) = tokio::select! {
        asked = ask => asked?,
        () = context.deadlines.keep_sweeping(clock, sweep_period(plan.settings.timeout)) => {
            return Err(Error::new(ExitCode::Internal, "the sweep of deadlines ended; this is a bug"));
        }
    };
    let (headers, dropped_tools) = tool_headers(&discovery.tools, dialect);
    refuse_dropped_tools(&plan, &dropped_tools)?;
    notes.extend(unknown_tools(&plan, &discovery.tools));
    let steps = Arc::new(Steps::prepare(&plan, dialect, &headers));
    let series = Arc::new(SeriesRegistry::of(&plan));
    let plugins = candidates.attach(&plan, &discovery, dialect, &headers, &dropped_tools, &series)?;
    refuse_unanswerable(&plan, &plugins)?;
    let plugins = Arc::new(plugins);
    // What the preparation did is in the books, but its time is no virtual user's.
    let books = Books { service_time: Duration::ZERO, connect_time: Duration::ZERO, ..context.books() };
    Ok(Prepared {
        plan,
        endpoint,
        carrier,
        dialect,
        steps,
        plugins,
        series,
        books,
        stateful,
        dropped_tools,
        discovery,
        notes,
    })
}

impl Prepared {
    /// The same under another load, as a run of its own that nothing but its load ends, and of which every second counts.
    pub(crate) fn under(&self, load: Load) -> Self {
        let mut plan = (*self.plan).clone();
        plan.loads = vec![load];
        plan.shard = Stripe::WHOLE;
        plan.settings.warm_up = WarmUp::None;
        plan.breaking_point.stop = false;
        plan.thresholds.clear();
        Self {
            plan: Arc::new(plan),
            // What the preparation did is in the books of the first run.
            books: Books::default(),
            ..self.clone()
        }
    }

    pub(crate) fn share(&self) -> Share {
        Share {
            plan: Arc::clone(&self.plan),
            steps: Arc::clone(&self.steps),
            plugins: Arc::clone(&self.plugins),
            dialect: self.dialect,
            endpoint: Arc::clone(&self.endpoint),
            carrier: self.carrier.clone(),
        }
    }

    /// What the server said of itself.
    pub fn server_facts(&self) -> ServerFacts {
        let server = self.discovery.server.as_ref();
        ServerFacts {
            name: server.map(|server| server.name.clone()),
            version: server.map(|server| server.version.clone()).filter(|version| !version.is_empty()),
            revision: self.dialect.revision,
            stateful: self.stateful,
            tools: self.discovery.tools.len(),
            dropped_tools: self.dropped_tools.clone(),
        }
    }
}

/// Fetches the lists; what cannot be had is left empty, with a note.
async fn fill(
    discovery: &mut Discovery,
    link: &mut Link,
    session: &mut Session,
    plan: &Plan,
    survey: Survey,
) -> Vec<String> {
    let mut notes = Vec::new();
    let declares = |capability: &str| discovery.capabilities.get(capability).is_some_and(|it| !it.is_null());
    let (tools, resources, prompts) = (declares("tools"), declares("resources"), declares("prompts"));
    if tools {
        discovery.tools = fetch_list(link, session, plan, "tools/list", Tool::page, &mut notes).await;
    }
    if resources && survey == Survey::Everything {
        discovery.resources =
            fetch_list(link, session, plan, "resources/list", Resource::page, &mut notes).await;
        let method = "resources/templates/list";
        discovery.resource_templates =
            fetch_list(link, session, plan, method, ResourceTemplate::page, &mut notes).await;
    }
    if prompts && survey == Survey::Everything {
        discovery.prompts = fetch_list(link, session, plan, "prompts/list", Prompt::page, &mut notes).await;
    }
    notes
}

/// Fetches all pages of a list; what is wrong with it becomes notes.
async fn fetch_list<T>(
    link: &mut Link,
    session: &mut Session,
    plan: &Plan,
    method: &str,
    read: fn(&Value) -> Page<T>,
    notes: &mut Vec<String>,
) -> Vec<T> {
    let mut list = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let mut params = Map::new();
        if let Some(cursor) = cursor.take() {
            params.insert("cursor".to_owned(), cursor.into());
        }
        let template = session.dialect().call(method, params, None, &[]);
        let due = link.context.clock.now();
        let measured = link.call(session, &template, due.into(), plan.settings.timeout, true).await;
        let page = match answer_result(link, &measured) {
            Ok(result) => read(&result),
            Err(why) => {
                notes.push(format!("{method} failed: {why}"));
                return list;
            }
        };
        list.extend(page.entries);
        notes.extend(page.skipped.into_iter().map(|entry| format!("{method}: {entry}")));
        // An empty string is a cursor like any other; only its absence ends the list.
        cursor = page.next_cursor;
        if cursor.is_none() {
            return list;
        }
    }
    notes.push(format!("{method} has more than {MOST_PAGES} pages; the rest is left out"));
    list
}

/// The `result` of a call whose answer was kept; why there is none, in words.
pub(crate) fn answer_result(link: &Link, measured: &Measured) -> Result<Value, String> {
    if !measured.outcome.is_ok() {
        return Err(describe(link, measured));
    }
    let mut answer: Value = serde_json::from_slice(link.answer()).map_err(|error| error.to_string())?;
    Ok(answer["result"].take())
}

/// A failed call in words.
pub(crate) fn describe(link: &Link, measured: &Measured) -> String {
    let class = measured.outcome.class().replace('_', " ");
    let code = measured.outcome.code().map(|code| format!(" {code}")).unwrap_or_default();
    let detail = if link.detail().is_empty() { String::new() } else { format!(": {}", link.detail()) };
    format!("{class}{code}{detail}")
}

/// The mirrored headers of each tool, and the tools whose declaration of them is invalid: those must not be called (2026-07-28).
fn tool_headers(tools: &[Tool], dialect: Dialect) -> (ToolHeaders, Vec<(String, String)>) {
    let mut headers = ToolHeaders::new();
    let mut dropped = Vec::new();
    if !dialect.revision.is_modern() {
        return (headers, dropped);
    }
    for tool in tools {
        match mirrored_headers(&tool.input_schema) {
            Ok(mirrored) if mirrored.is_empty() => {}
            Ok(mirrored) => {
                headers.insert(tool.name.clone(), mirrored);
            }
            Err(reason) => dropped.push((tool.name.clone(), reason)),
        }
    }
    (headers, dropped)
}

/// A threshold that no plugin of the run can meet or miss would only fail at the end of the load.
fn refuse_unanswerable(plan: &Plan, plugins: &Plugins) -> Result<(), Error> {
    let facts = plugins.facts();
    let refused = unanswerable(&plan.thresholds, &facts);
    if refused.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> =
        refused.iter().map(|(threshold, reason)| format!("`{threshold}`: {reason}")).collect();
    Err(Error::new(ExitCode::Usage, "what a threshold asks for, nobody measures")
        .at(reasons.join("; "))
        .advise("`cargo pmcp loadtest plugin inspect FILE` lists the metrics that a plugin declares, with their kinds"))
}

fn called_tools(plan: &Plan) -> impl Iterator<Item = &str> {
    plan.scenarios.iter().flat_map(Scenario::steps).filter_map(|step| match &step.action {
        Action::CallTool { tool, .. } => Some(tool.as_str()),
        _ => None,
    })
}

fn refuse_dropped_tools(plan: &Plan, dropped: &[(String, String)]) -> Result<(), Error> {
    for tool in called_tools(plan) {
        if let Some((_, reason)) = dropped.iter().find(|(name, _)| name == tool) {
            return Err(Error::new(ExitCode::Usage, format!("the tool `{tool}` cannot be called: {reason}"))
                .advise("mend the tool's inputSchema on the server, or take its step out of the scenario"));
        }
    }
    Ok(())
}

/// A step for a tool that the server does not list is sent all the same - its answer is data - but the person should know.
fn unknown_tools(plan: &Plan, tools: &[Tool]) -> Vec<String> {
    let known: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    let mut unknown: Vec<&str> =
        called_tools(plan).filter(|tool| !known.is_empty() && !known.contains(tool)).collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown
        .into_iter()
        .map(|tool| {
            let nearest = known
                .iter()
                .max_by(|a, b| strsim::jaro_winkler(tool, a).total_cmp(&strsim::jaro_winkler(tool, b)));
            let hint = nearest.map(|name| format!("; the nearest it has is `{name}`")).unwrap_or_default();
            format!("the server lists no tool `{tool}`{hint}")
        })
        .collect()
}

/// When a preparation's first request is due: nothing was before it.
pub(crate) const FIRST: Moment = Moment::ORIGIN;
