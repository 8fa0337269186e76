//! The client under test of the official conformance suite (`tests/peers/conformance` runs it): `conformance-client URL`.
//!
//! It does with the load tester's own engine what each scenario of the suite asks of a client: survey the server, then one
//! iteration of a plan that calls every tool, reads every resource and gets every prompt. The suite says by environment which revision
//! to speak (`MCP_CONFORMANCE_PROTOCOL_VERSION`), which scenario it is, and which calls it wants (`MCP_CONFORMANCE_CONTEXT`).

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use pmcp_loadtest::drive::{Controls, Prepared, Survey, prepare};
use pmcp_loadtest::judge::{Books, Observation};
use pmcp_loadtest::plan::discovery::Discovery;
use pmcp_loadtest::plan::{
    Action, BreakingPointRule, Executor, Load, Plan, Protocol, Revision, Scenario, Script, SeriesKind,
    Settings, Step, Stripe, Target,
};
use pmcp_loadtest_arguments::{Draws, Options, generate};
use serde_json::Value;

/// What the suite tells us by environment.
struct Assignment {
    scenario: String,
    revision: Revision,
    /// `toolCalls` of the context; empty where the scenario has none.
    calls: Vec<(String, Value)>,
}

fn main() -> Result<()> {
    let url = std::env::args().next_back().context("usage: conformance-client URL")?;
    let assignment = Assignment::from_environment()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(perform(&url, &assignment))
}

async fn perform(url: &str, assignment: &Assignment) -> Result<()> {
    let survey = ready(plan(url, assignment, vec![Action::ListTools])?).await?;
    let actions = actions(assignment, &survey);
    if actions.is_empty() {
        return Ok(());
    }
    let plan = plan(url, assignment, actions)?;
    let prepared = ready(plan.clone()).await?;
    let observation = prepared.run(Controls::unattended()).await?;
    complain(&plan, &observation);
    Ok(())
}

async fn ready(plan: Plan) -> Result<Prepared> {
    Ok(prepare(Arc::new(plan), Survey::Everything).await?)
}

impl Assignment {
    fn from_environment() -> Result<Self> {
        let text = |key: &str| std::env::var(key).unwrap_or_default();
        let revision = text("MCP_CONFORMANCE_PROTOCOL_VERSION");
        let Some(revision) = Revision::parse(&revision) else {
            bail!("unknown protocol revision `{revision}`")
        };
        let context: Value = match text("MCP_CONFORMANCE_CONTEXT") {
            none if none.is_empty() => Value::Null,
            context => serde_json::from_str(&context).context("MCP_CONFORMANCE_CONTEXT is no JSON")?,
        };
        let calls = context["toolCalls"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|call| Some((call["name"].as_str()?.to_owned(), call["arguments"].clone())));
        Ok(Self { scenario: text("MCP_CONFORMANCE_SCENARIO"), revision, calls: calls.collect() })
    }

    /// The scenarios in which the server asks its client for input.
    fn declares_elicitation(&self) -> bool {
        self.scenario.starts_with("elicitation") || self.scenario.starts_with("sep-2322")
    }
}

fn plan(url: &str, assignment: &Assignment, actions: Vec<Action>) -> Result<Plan> {
    let steps = actions.into_iter().map(|action| Step { label: None, timeout: None, action }).collect();
    let executor =
        Executor::SharedIterations { vus: NonZeroU32::MIN, iterations: NonZeroU64::MIN, max_duration: None };
    Ok(Plan {
        target: Target {
            url: url.parse()?,
            headers: Vec::new(),
            protocol: Protocol::Pinned(assignment.revision),
            elicitation: assignment.declares_elicitation(),
        },
        settings: Settings {
            workers: NonZeroUsize::MIN,
            timeout: Duration::from_secs(20),
            ..Settings::default()
        },
        loads: vec![Load::simple(executor, Duration::from_secs(1), 1)],
        shard: Stripe::WHOLE,
        breaking_point: BreakingPointRule::default(),
        scenarios: vec![Scenario {
            name: assignment.scenario.clone(),
            weight: 1,
            think_time: None,
            pacing: None,
            script: Script::Steps(steps),
        }],
        thresholds: Vec::new(),
    })
}

/// What to do once: the calls that were asked for, or everything that the server offers and a client may use.
fn actions(assignment: &Assignment, prepared: &Prepared) -> Vec<Action> {
    let discovery = &prepared.discovery;
    if !assignment.calls.is_empty() {
        let call = |(tool, arguments): &(String, Value)| Action::CallTool {
            tool: tool.clone(),
            arguments: arguments.clone(),
        };
        return assignment.calls.iter().map(call).collect();
    }
    let dropped = prepared.server_facts().dropped_tools;
    let mut actions = Vec::new();
    for tool in discovery.tools.iter().filter(|tool| !dropped.iter().any(|(name, _)| *name == tool.name)) {
        match arguments_for(&tool.name, &tool.input_schema, discovery) {
            Ok(arguments) => actions.push(Action::CallTool { tool: tool.name.clone(), arguments }),
            Err(why) => say(&format!("{} is not called: {why}", tool.name)),
        }
    }
    actions.extend(
        discovery.resources.iter().map(|resource| Action::ReadResource { uri: resource.uri.clone() }),
    );
    actions.extend(
        discovery
            .prompts
            .iter()
            .map(|prompt| Action::GetPrompt { prompt: prompt.name.clone(), arguments: Vec::new() }),
    );
    actions
}

/// Arguments from the tool's schema; `json_schema_echo` wants the schema of the tool beside it, verbatim.
fn arguments_for(tool: &str, schema: &Value, discovery: &Discovery) -> Result<Value> {
    if tool == "json_schema_echo" {
        let other = discovery.tools.iter().find(|other| other.name == "json_schema_2020_12_tool");
        let other = other.context("the tool whose schema is to be echoed is missing")?;
        return Ok(serde_json::json!({"schema": other.input_schema}));
    }
    generate(schema, &mut Draws::new(0, 0, 0), Options::default()).map_err(|error| anyhow::anyhow!("{error}"))
}

/// Says on standard error which steps failed: the suite shows it when a scenario does not pass.
fn complain(plan: &Plan, observation: &Observation) {
    for (id, key) in (0..).map(pmcp_loadtest::plan::SeriesId).zip(plan.series()) {
        if key.kind != SeriesKind::Operation {
            continue;
        }
        for failure in observation.metrics.series(id).outcomes.failures() {
            let message = failure.message.as_deref().unwrap_or_default();
            say(&format!("{} {:?}: {:?} {message}", key.method, key.name, failure.outcome));
        }
    }
    let Books { sessions_opened, sessions_closed, server_requests, extra_rounds, resumes, .. } =
        observation.books;
    say(&format!(
        "sessions {sessions_opened}/{sessions_closed}, server requests {server_requests}, rounds {extra_rounds}, resumes {resumes}"
    ));
}

#[expect(clippy::print_stderr, reason = "a test program that has no other way to speak")]
fn say(line: &str) {
    eprintln!("{line}");
}
