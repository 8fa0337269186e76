//! The file's tables, key by key: the single source of the parser, of the JSON Schema, and of the reference for users.
//!
//! Every key is optional here; what must be there, and what goes with what, is decided in the files beside this one, which can
//! then say it in a sentence. A file of the existing command has the same meaning here (`virtual_users`, `duration_secs`,
//! `timeout_ms`, `expected_interval_ms`, `request_interval_ms`, `[[scenario]]` with a `type`, `[[stage]]`).

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;

use super::condition::Conditions;
use super::value::{At, DurationText, Entries, Figure, Loads, PauseText, Size, Statuses, WarmUpText};
use crate::plan::{
    ConnectionPolicy, InstancePolicy, Protocol, ScenarioChoice, SessionPolicy, Spacing, TransportKind,
};

/// A load test: who is hit, how hard, and what the virtual users do.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct File {
    /// Who is hit, and how they are spoken to. The command line may name the URL instead.
    pub(super) target: Option<TargetTable>,
    /// Everything that is not the shape of the load.
    pub(super) settings: Option<SettingsTable>,
    /// The shape of the load, or several of them side by side as `[[load]]`. Without it: `virtual_users` for `duration` in
    /// `[settings]`, or the `[[stage]]` tables.
    pub(super) load: Option<Loads>,
    /// A ramp, as `[load] stages` but in tables of their own; the existing command's spelling.
    pub(super) stage: Option<Vec<At<StageTable>>>,
    /// What every plugin is allowed.
    pub(super) plugins: Option<PluginsTable>,
    /// What takes a server out of its own baseline while the load rises.
    pub(super) breaking_point: Option<At<BreakingPointTable>>,
    /// What the run must show to pass. A key is a metric, with filters in braces where only some calls count: `response_time`,
    /// `"response_time{tool=search}"`, `errors`; its value is a list of conditions: `["p(95) < 200ms", "p(99) < 500ms"]`.
    pub(super) thresholds: Option<Entries<At<Conditions>>>,
    /// What virtual users do. Every iteration draws one, by weight.
    pub(super) scenario: Option<Vec<At<ScenarioTable>>>,
}

/// Who is hit, and how they are spoken to.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct TargetTable {
    /// The MCP endpoint, `http` or `https`.
    pub(super) url: Option<At<String>>,
    /// The protocol revision to speak; `auto` (the default) asks the server.
    pub(super) protocol: Option<Protocol>,
    /// Headers sent with every request.
    pub(super) headers: Option<Entries<At<String>>>,
    /// Credentials.
    pub(super) auth: Option<At<AuthTable>>,
}

/// Credentials, in one of these forms.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct AuthTable {
    /// A bearer token. Prefer `bearer_env`: files end up in version control.
    pub(super) bearer: Option<At<String>>,
    /// The environment variable that holds the bearer token.
    pub(super) bearer_env: Option<At<String>>,
}

/// Everything that is not the shape of the load.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct SettingsTable {
    /// Concurrent virtual users (default 10).
    pub(super) virtual_users: Option<At<u32>>,
    /// Length of the run (default 30s); a run of iterations ends then at the latest (default: never).
    pub(super) duration: Option<At<DurationText>>,
    /// Length of the run in seconds.
    pub(super) duration_secs: Option<At<u64>>,
    /// Longest wait for one answer (default 5s).
    pub(super) timeout: Option<At<DurationText>>,
    /// Longest wait for one answer, in milliseconds.
    pub(super) timeout_ms: Option<At<u64>>,
    /// Pause after every step, in milliseconds, for scenarios without a `think_time` of their own.
    pub(super) request_interval_ms: Option<At<u64>>,
    /// Accepted for files of the existing command, and without effect: nothing here invents samples.
    pub(super) expected_interval_ms: Option<u64>,
    /// Seed of every random draw (default 0). The same seed sends the same requests.
    pub(super) seed: Option<u64>,
    /// Who owns a session (default per-vu).
    pub(super) session: Option<SessionPolicy>,
    /// How long a connection lives (default keep-alive).
    pub(super) connection: Option<ConnectionPolicy>,
    /// What carries the bytes (default h1).
    pub(super) transport: Option<TransportKind>,
    /// Worker threads (default: one per core).
    pub(super) workers: Option<At<u32>>,
    /// Largest response body that is read (default 64MiB).
    pub(super) max_body_bytes: Option<At<Size>>,
    /// When a virtual user is told what to do: which scenario it plays (default per-iteration).
    pub(super) scenario_choice: Option<ScenarioChoice>,
    /// What of the beginning is left out of the figures: "none" (the default), whole seconds such as "10s", or "auto", which finds it.
    pub(super) warm_up: Option<At<WarmUpText>>,
    /// How long running iterations may go on after the end (default 30s).
    pub(super) graceful_stop: Option<At<DurationText>>,
    /// Acknowledge received packets at once (Linux; default true).
    pub(super) quick_ack: Option<bool>,
    /// Fewest measured calls for a verdict other than inconclusive (default 100).
    pub(super) min_samples: Option<u64>,
}

/// What every plugin is allowed. What goes beyond is that plugin's failure, never the run's.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct PluginsTable {
    /// Which virtual users share an instance of a plugin (default auto: none while they are few, above that those of a worker).
    pub(super) instances: Option<InstancePolicy>,
    /// Most memory of an instance (default 64MiB).
    pub(super) memory: Option<At<Size>>,
    /// Longest time of one call that plans or learns (default 1s).
    pub(super) call_timeout: Option<At<DurationText>>,
    /// Longest time of one call that starts something (default 10s).
    pub(super) start_timeout: Option<At<DurationText>>,
    /// Largest file that is loaded (default 64MiB).
    pub(super) max_file: Option<At<Size>>,
    /// Most steps of one iteration (default 1000).
    pub(super) max_steps: Option<At<u32>>,
    /// Largest arguments, parameters or body of one step (default 1MiB).
    pub(super) max_arguments: Option<At<Size>>,
    /// Most of a result that is handed over to the plugin (default 64KiB).
    pub(super) max_result: Option<At<Size>>,
    /// Most log lines of a level that a worker keeps (default 20); what comes beyond is counted.
    pub(super) max_log_lines: Option<At<u32>>,
}

/// What takes a server out of its own baseline while the load rises. Shares are between 0 and 1.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct BreakingPointTable {
    /// Share of failed calls above that of the baseline (default 0.05).
    pub(super) error_ratio: Option<At<f64>>,
    /// Response time as a multiple of that of the baseline (default 3).
    pub(super) response_time_factor: Option<At<f64>>,
    /// Throughput has reached a plateau where more load brings less than this share of what it brought before (default 0.25).
    pub(super) plateau_ratio: Option<At<f64>>,
    /// Share of due iterations that are dropped (default 0.01).
    pub(super) dropped_ratio: Option<At<f64>>,
    /// Consecutive seconds that something must last (default 3).
    pub(super) seconds: Option<At<u32>>,
    /// Whether the run ends at the breaking point (default false).
    pub(super) stop: Option<bool>,
}

/// A shape of the load: who starts iterations, when, and how it ends.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct LoadTable {
    /// Name in reports; needed where there are several loads.
    pub(super) name: Option<At<String>>,
    /// How iterations are started. Without it the keys say it: `stages` of virtual users ramping-vus, `stages` of rates
    /// ramping-arrival-rate, `rate` constant-arrival-rate, `iterations` shared-iterations; else constant-vus.
    pub(super) executor: Option<At<ExecutorWord>>,
    /// When it begins, after the start of the run (default 0s).
    pub(super) start: Option<At<DurationText>>,
    /// The names of the scenarios that it draws from (default: all).
    pub(super) scenarios: Option<At<Vec<At<String>>>>,
    /// Concurrent virtual users; of an arrival rate: how many there are from the beginning.
    pub(super) vus: Option<At<u32>>,
    /// Length of the load, for constant-vus and constant-arrival-rate.
    pub(super) duration: Option<At<DurationText>>,
    /// How many virtual users start per second, for constant-vus (default: all at once).
    pub(super) spawn_rate: Option<At<Figure>>,
    /// Iterations in all (shared-iterations) or of every virtual user (per-vu-iterations).
    pub(super) iterations: Option<At<u64>>,
    /// When a load of iterations ends at the latest.
    pub(super) max_duration: Option<At<DurationText>>,
    /// Virtual users at the beginning, for ramping-vus (default 0).
    pub(super) start_vus: Option<At<u32>>,
    /// Iterations that begin per second, for constant-arrival-rate: "200/s", "90/m", "5/h", or a number per second.
    pub(super) rate: Option<At<Figure>>,
    /// The rate at the beginning, for ramping-arrival-rate (default 0).
    pub(super) start_rate: Option<At<Figure>>,
    /// The ramp: of virtual users for ramping-vus, of rates for ramping-arrival-rate.
    pub(super) stages: Option<At<Vec<At<StageTable>>>>,
    /// Most virtual users of an arrival rate (default: enough for its peak).
    pub(super) max_vus: Option<At<u32>>,
    /// How long an arrival waits for a free virtual user, when there may be no more, before it is dropped (default: the timeout).
    pub(super) max_wait: Option<At<DurationText>>,
    /// How arrivals are spaced (default even).
    pub(super) arrivals: Option<At<Spacing>>,
    /// How long running iterations may go on after the end of this load (default: as in `[settings]`).
    pub(super) graceful_stop: Option<At<DurationText>>,
    /// How long a running iteration may go on once a falling ramp has no place for its virtual user, for ramping-vus (default: as
    /// `graceful_stop`).
    pub(super) graceful_ramp_down: Option<At<DurationText>>,
}

/// How iterations are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(super) enum ExecutorWord {
    /// A fixed number of virtual users for a fixed time.
    ConstantVus,
    /// A number of virtual users that follows stages.
    RampingVus,
    /// A total number of iterations, shared by all virtual users.
    SharedIterations,
    /// A number of iterations for every virtual user.
    PerVuIterations,
    /// Iterations begin at a fixed rate, whatever the server does.
    ConstantArrivalRate,
    /// Iterations begin at a rate that follows stages, whatever the server does.
    RampingArrivalRate,
}

/// A stretch of a ramp: the number of virtual users, or the rate of arrivals, moves linearly to its target.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct StageTable {
    /// How long it takes.
    pub(super) duration: Option<At<DurationText>>,
    /// How long it takes, in seconds.
    pub(super) duration_secs: Option<At<u64>>,
    /// What there is at its end: virtual users, or a rate such as "50/s".
    pub(super) target: Option<At<Figure>>,
    /// Virtual users at its end; the existing command's spelling.
    pub(super) target_vus: Option<At<u32>>,
    /// The rate at its end.
    pub(super) rate: Option<At<Figure>>,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(super) enum StepType {
    /// Call a tool.
    #[serde(rename = "tools/call")]
    CallTool,
    /// List the tools, first page.
    #[serde(rename = "tools/list")]
    ListTools,
    /// Read a resource.
    #[serde(rename = "resources/read")]
    ReadResource,
    /// List the resources, first page.
    #[serde(rename = "resources/list")]
    ListResources,
    /// Get a prompt.
    #[serde(rename = "prompts/get")]
    GetPrompt,
    /// List the prompts, first page.
    #[serde(rename = "prompts/list")]
    ListPrompts,
    /// Ping; `server/discover` where ping is gone.
    #[serde(rename = "ping")]
    Ping,
    /// A plain HTTP request to the target's origin.
    #[serde(rename = "http")]
    Http,
    /// A pause.
    #[serde(rename = "think")]
    Think,
    /// End the session; the next request opens another. Not with `session = "shared"`.
    #[serde(rename = "session/close")]
    CloseSession,
    /// `validate_code`, then `execute_code` with the token it gave; measured as one call.
    #[serde(rename = "code_mode")]
    CodeMode,
}

/// Declares the tables of a step and of a scenario. A scenario of one step carries that step's keys itself, and serde's `flatten`
/// would lose every span, so the keys are written once here and put into both.
macro_rules! tables_of_steps {
    ($($(#[$meta:meta])* $key:ident: $value:ty,)*) => {
        /// One step of a scenario: its type, and the keys that belong to that type.
        #[derive(Debug, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, expecting = "a table")]
        pub(super) struct StepTable {
            /// What the step does.
            #[serde(rename = "type")]
            pub(super) kind: Option<At<StepType>>,
            /// Name of the step's row in reports, instead of the tool, URI, prompt or path.
            pub(super) name: Option<At<String>>,
            $($(#[$meta])* pub(super) $key: Option<At<$value>>,)*
        }

        /// What a virtual user does in one iteration: a list of steps, the keys of a single step, or what a plugin chooses.
        #[derive(Debug, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, expecting = "a table")]
        pub(super) struct ScenarioTable {
            /// Name in reports, unique in the file. A scenario of one step is called after it unless it says otherwise.
            pub(super) name: Option<At<String>>,
            /// Share of the iterations, relative to the other scenarios (default 1).
            pub(super) weight: Option<At<u32>>,
            /// Pause after every step: "1s", or drawn from "1s..3s", "exponential 2s", "log-normal 1s sigma 0.5", "log-normal 1s p95 4s".
            pub(super) think_time: Option<At<PauseText>>,
            /// Shortest time from the beginning of an iteration to that of the virtual user's next one; not under an arrival rate.
            pub(super) pacing: Option<At<DurationText>>,
            /// The plugin that chooses the steps: a WebAssembly component, relative to this file's folder.
            pub(super) plugin: Option<At<String>>,
            /// What the plugin is set up with. It goes into the report as it is: no place for secrets.
            #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
            pub(super) config: Option<At<toml::Value>>,
            /// What is done, in order.
            pub(super) step: Option<Vec<At<StepTable>>>,
            /// What the scenario's only step does, where its keys stand here instead of in a `[[scenario.step]]`.
            #[serde(rename = "type")]
            pub(super) kind: Option<At<StepType>>,
            $($(#[$meta])* pub(super) $key: Option<At<$value>>,)*
        }

        impl StepTable {
            /// The keys that are given, besides `type` and `name`, and where their values stand.
            pub(super) fn given(&self) -> Vec<(&'static str, Range<usize>)> {
                let keys = [$((stringify!($key), self.$key.as_ref().map(|at| at.span.clone())),)*];
                keys.into_iter().filter_map(|(key, span)| Some((key, span?))).collect()
            }
        }

        impl ScenarioTable {
            /// Takes the keys of the scenario's own step out of it.
            pub(super) fn take_own_step(&mut self) -> StepTable {
                StepTable { kind: self.kind.take(), name: None, $($key: self.$key.take(),)* }
            }
        }
    };
}

tables_of_steps! {
    /// tools/call: the tool.
    tool: String,
    /// tools/call: a table (default empty). prompts/get: a table of strings.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    arguments: toml::Value,
    /// resources/read: the resource.
    uri: String,
    /// prompts/get: the prompt.
    prompt: String,
    /// `code_mode`: the code.
    code: String,
    /// `code_mode`: the code's language (default graphql).
    format: String,
    /// http: the method (default GET).
    method: String,
    /// http: path and query on the target's origin; begins with `/`.
    path: String,
    /// http: extra headers.
    headers: Entries<At<String>>,
    /// http: the request body, sent as it is.
    body: String,
    /// http: the status, or list of statuses, that count as ok (default 200 to 299).
    expect_status: Statuses,
    /// think: how long, as `think_time`: "250ms", "1s..3s", "exponential 2s".
    duration: PauseText,
    /// Longest wait for this step's answer, instead of the run's `timeout`.
    timeout: DurationText,
}
