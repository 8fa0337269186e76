//! A finished search for capacity, as data: what was asked, of whom, and the answer with every trial on the way.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::compatible::ReportScenario;
use super::figures::rounded;
use super::manifest::{Manifest, Server};
use super::{ReportVerdict, SCHEMA_VERSION};
use crate::judge::ServerFacts;
use crate::judge::capacity::{Answer, Question, Variable};
use crate::plan::resolved::{ResolvedSettings, ResolvedTarget};
use crate::plan::{Plan, ResolvedConfig, Spacing};

/// A finished search for capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "cargo pmcp loadtest capacity report")]
pub struct CapacityReport {
    /// Version of this schema.
    pub schema_version: String,
    /// What kind of report this is.
    pub kind: CapacityReportKind,
    /// When the search ended.
    pub timestamp: String,
    /// What was tested, without user name, password and query.
    pub target_url: String,
    /// Wall time of the search.
    pub duration_secs: f64,
    /// What the answer comes to; its reason is the answer in one sentence.
    pub verdict: ReportVerdict,
    /// What it takes to repeat the search.
    pub manifest: SearchManifest,
    /// The resolved configuration, without the loads that the search sets itself.
    pub config: SearchConfig,
    /// Who answered.
    pub server: Server,
    /// What was asked.
    pub question: QuestionAsked,
    /// What was found.
    pub answer: Answer,
    /// What follows from the answer, one sentence each.
    pub advice: Vec<String>,
    /// What was accepted but has no effect, or was overruled; one sentence each.
    pub notes: Vec<String>,
}

/// The kind of a report of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum CapacityReportKind {
    /// A search for the highest load that keeps to its objectives.
    Capacity,
}

/// `manifest`: the search's identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchManifest {
    /// The process.
    #[serde(flatten)]
    pub process: Manifest,
    /// When the search began.
    pub started_at: String,
    /// Seed of every random draw.
    pub seed: u64,
    /// What was asked, in short: equal where answers can be compared.
    pub config_hash: String,
    /// Worker threads.
    pub workers: usize,
    /// Who owned a session.
    pub session: String,
    /// How long a connection lived.
    pub connection: String,
    /// What carried the bytes.
    pub transport: String,
    /// How many cores the server was given, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_cores: Option<u32>,
}

/// `config`: everything that is not the shape of a load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchConfig {
    /// Who was hit.
    pub target: ResolvedTarget,
    /// The settings.
    pub settings: ResolvedSettings,
    /// The scenarios, as configured.
    pub scenario: Vec<ReportScenario>,
}

/// `question`: what was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuestionAsked {
    /// What the server had to keep to.
    pub objectives: Vec<String>,
    /// What a load is a number of.
    pub by: Variable,
    /// How arrivals were spaced; null where the load is a number of sessions.
    pub arrivals: Option<String>,
    /// When the search had to end.
    pub deadline_s: f64,
    /// The lowest load to try; null where the search chose it.
    pub min_load: Option<f64>,
    /// The highest load to try; null where there was none.
    pub max_load: Option<f64>,
}

/// All that a report is made of beside the answer.
#[derive(Debug, Clone)]
pub struct SearchFacts<'a> {
    /// What was run.
    pub plan: &'a Plan,
    /// What was asked.
    pub question: &'a Question,
    /// How arrivals were spaced.
    pub arrivals: Spacing,
    /// When the search began.
    pub started_at: jiff::Timestamp,
    /// What the server said of itself.
    pub server: &'a ServerFacts,
    /// How many cores the server was given, where that is known.
    pub server_cores: Option<u32>,
    /// What a person was told before the search.
    pub notes: &'a [String],
    /// What only the process knows.
    pub process: Manifest,
}

impl CapacityReport {
    /// The report of a finished search.
    pub fn new(facts: SearchFacts<'_>, answer: Answer) -> Self {
        let SearchFacts { plan, question, .. } = facts;
        let objectives: Vec<String> = question.objectives.iter().map(ToString::to_string).collect();
        let config = ResolvedConfig {
            loads: Vec::new(),
            shard: None,
            thresholds: objectives.clone(),
            ..ResolvedConfig::from(plan)
        };
        let settings = &plan.settings;
        let manifest = SearchManifest {
            process: facts.process,
            started_at: facts.started_at.to_string(),
            seed: settings.seed,
            config_hash: config.hash(),
            workers: settings.workers.get(),
            session: settings.session.as_str().to_owned(),
            connection: settings.connection.as_str().to_owned(),
            transport: settings.transport.as_str().to_owned(),
            server_cores: facts.server_cores,
        };
        let verdict = answer.verdict();
        let ended_at = facts.started_at.checked_add(Duration::from_secs_f64(answer.elapsed_s.max(0.0)));
        Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            kind: CapacityReportKind::Capacity,
            timestamp: ended_at.unwrap_or(facts.started_at).to_string(),
            target_url: plan.target.shown_url(),
            duration_secs: rounded(answer.elapsed_s),
            verdict: ReportVerdict {
                outcome: verdict.outcome,
                exit_code: verdict.exit.code(),
                reason: verdict.reason,
            },
            manifest,
            config: SearchConfig {
                target: config.target,
                settings: config.settings,
                scenario: config.scenarios.into_iter().map(ReportScenario::from).collect(),
            },
            server: Server::from(facts.server),
            question: QuestionAsked {
                objectives,
                by: question.variable,
                arrivals: (question.variable == Variable::Rate).then(|| facts.arrivals.as_str().to_owned()),
                deadline_s: question.deadline.as_secs_f64(),
                min_load: question.floor,
                max_load: question.ceiling,
            },
            advice: answer.advice(),
            answer,
            notes: facts.notes.to_vec(),
        }
    }
}
