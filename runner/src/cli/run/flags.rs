//! The flags of `run`, each with its environment variable and its help.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::super::report::Format;
use super::super::values;
use crate::error::Error;
use crate::live::{ColourChoice, Progress};
use crate::plan::config::Overrides;
use crate::plan::{
    AnyStage, ConnectionPolicy, Protocol, Rate, Secret, SessionPolicy, Spacing, Stripe, TransportKind, WarmUp,
};

/// Put load on a server and report what it did
#[derive(Debug, clap::Args)]
#[command(override_usage = "cargo pmcp loadtest run [OPTIONS] [URL]")]
#[command(after_help = "Examples:
  cargo pmcp loadtest run --demo
  cargo pmcp loadtest run http://127.0.0.1:3000/mcp --vus 50 --duration 1m
  cargo pmcp loadtest run http://127.0.0.1:3000/mcp --stage 30s:50 --stage 1m:50 --stage 10s:0
  cargo pmcp loadtest run http://127.0.0.1:3000/mcp --rate 200/s --max-vus 400 --duration 1m --warm-up auto
  cargo pmcp loadtest run https://mcp.example.org/mcp --scenario smoke --api-key \"$KEY\"
  cargo pmcp loadtest run --demo --plugin shopper.wasm --plugin-config '{\"catalog\": 500}'
  cargo pmcp loadtest run http://127.0.0.1:3000/mcp --assert 'p99<500ms' --assert 'errors<1%'
  cargo pmcp loadtest run http://127.0.0.1:3000/mcp --threshold 'errors{tool=search} rate < 1%'

Every value can be given as a variable too: --max-body-bytes as MCP_LOADTEST_MAX_BODY_BYTES, URL as MCP_LOADTEST_URL, and so on.
Flags beat the environment, the environment beats the file, the file beats defaults.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(in crate::cli) struct Arguments {
    /// The server's MCP endpoint; beats the file's
    #[arg(value_parser = values::url, env = "MCP_LOADTEST_URL", hide_env = true)]
    url: Option<Url>,
    /// The configuration file [default: the nearest .pmcp/loadtest.toml, here or in a folder above]
    #[arg(long, value_name = "FILE", env = "MCP_LOADTEST_CONFIG", hide_env = true)]
    pub(super) config: Option<PathBuf>,
    /// Start the embedded demo server and run the quickstart scenario against it
    #[arg(long, conflicts_with = "url")]
    pub(super) demo: bool,
    /// A scenario of the file, or one of the library (repeatable for the file's)
    #[arg(
        long = "scenario",
        value_name = "NAME",
        env = "MCP_LOADTEST_SCENARIO",
        hide_env = true,
        value_delimiter = ','
    )]
    pub(super) scenarios: Vec<String>,
    /// A plugin, which then is all that the virtual users do; needs no configuration file
    #[arg(
        long,
        value_name = "FILE.wasm",
        env = "MCP_LOADTEST_PLUGIN",
        hide_env = true,
        conflicts_with = "scenarios"
    )]
    pub(super) plugin: Option<PathBuf>,
    /// What the plugin is set up with: a JSON object, or @FILE.json; it goes into the report as it is
    #[arg(long, value_name = "JSON", env = "MCP_LOADTEST_PLUGIN_CONFIG", hide_env = true)]
    plugin_config: Option<String>,

    /// Concurrent virtual users; with --rate, how many there are from the beginning
    #[arg(
        long,
        value_name = "N",
        visible_alias = "users",
        env = "MCP_LOADTEST_VUS",
        hide_env = true,
        help_heading = "Load"
    )]
    vus: Option<u32>,
    /// How long: 30s, 1m30s, or a plain number of seconds
    #[arg(long, value_name = "TIME", value_parser = values::time, env = "MCP_LOADTEST_DURATION", hide_env = true, help_heading = "Load")]
    duration: Option<Duration>,
    /// Iterations in all, shared by all virtual users
    #[arg(long, value_name = "N", env = "MCP_LOADTEST_ITERATIONS", hide_env = true, help_heading = "Load")]
    iterations: Option<u64>,
    /// How often iterations begin, whatever the server does: 200/s, 90/m, 5/h, or a plain number per second
    #[arg(long, value_name = "RATE", env = "MCP_LOADTEST_RATE", hide_env = true, help_heading = "Load")]
    rate: Option<Rate>,
    /// A stage of a ramp: time, and virtual users or rate at its end, such as 30s:50 or 30s:200/s (repeatable)
    #[arg(
        long = "stage",
        value_name = "TIME:TARGET",
        env = "MCP_LOADTEST_STAGE",
        hide_env = true,
        value_delimiter = ',',
        help_heading = "Load"
    )]
    stages: Vec<AnyStage>,
    /// Most virtual users of an arrival rate [default: enough for its peak]
    #[arg(long, value_name = "N", env = "MCP_LOADTEST_MAX_VUS", hide_env = true, help_heading = "Load")]
    max_vus: Option<u32>,
    /// How the arrivals of a rate are spaced: even, poisson
    #[arg(
        long,
        value_name = "SPACING",
        env = "MCP_LOADTEST_ARRIVALS",
        hide_env = true,
        help_heading = "Load"
    )]
    arrivals: Option<Spacing>,
    /// How many virtual users start per second, such as 5/s [default: all at once]
    #[arg(
        long,
        value_name = "RATE",
        env = "MCP_LOADTEST_SPAWN_RATE",
        hide_env = true,
        help_heading = "Load"
    )]
    spawn_rate: Option<Rate>,
    /// How long running iterations may go on after the end
    #[arg(long, value_name = "TIME", value_parser = values::time, env = "MCP_LOADTEST_GRACEFUL_STOP", hide_env = true, help_heading = "Load")]
    graceful_stop: Option<Duration>,
    /// Seed of every random draw; the same seed sends the same requests
    #[arg(long, value_name = "N", env = "MCP_LOADTEST_SEED", hide_env = true, help_heading = "Load")]
    seed: Option<u64>,
    /// End the run where the server breaks: where errors or response times leave their baseline while the load rises
    #[arg(long, env = "MCP_LOADTEST_STOP_AT_BREAKING_POINT", hide_env = true, help_heading = "Load")]
    stop_at_breaking_point: bool,
    /// This machine's part of the run: 1/3 is the first of three
    #[arg(long, value_name = "I/N", env = "MCP_LOADTEST_SHARD", hide_env = true, help_heading = "Load")]
    shard: Option<Stripe>,
    /// Worker threads [default: one per core]
    #[arg(long, value_name = "N", env = "MCP_LOADTEST_WORKERS", hide_env = true, help_heading = "Load")]
    workers: Option<u32>,

    /// What the run must show to pass, such as `response_time{tool=search} p(99) < 300ms` (repeatable; one per line in the
    /// variable)
    #[arg(
        long = "threshold",
        value_name = "THRESHOLD",
        env = "MCP_LOADTEST_THRESHOLD",
        hide_env = true,
        value_delimiter = '\n',
        help_heading = "Verdict"
    )]
    thresholds: Vec<String>,
    /// The same in its short spelling, such as `p99<500ms` or `errors<1%` (repeatable; one per line in the variable)
    #[arg(
        long = "assert",
        value_name = "THRESHOLD",
        env = "MCP_LOADTEST_ASSERT",
        hide_env = true,
        value_delimiter = '\n',
        help_heading = "Verdict"
    )]
    assertions: Vec<String>,
    /// What of the beginning is left out of the figures: none, whole seconds such as 10s, or auto, which finds it
    #[arg(
        long,
        value_name = "TIME",
        env = "MCP_LOADTEST_WARM_UP",
        hide_env = true,
        help_heading = "Verdict"
    )]
    warm_up: Option<WarmUp>,
    /// Fewest measured calls for a verdict other than inconclusive
    #[arg(
        long,
        value_name = "N",
        env = "MCP_LOADTEST_MIN_SAMPLES",
        hide_env = true,
        help_heading = "Verdict"
    )]
    min_samples: Option<u64>,

    /// Protocol revision: auto, 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26
    #[arg(
        long,
        value_name = "REVISION",
        env = "MCP_LOADTEST_PROTOCOL",
        hide_env = true,
        help_heading = "Client"
    )]
    protocol: Option<Protocol>,
    /// Longest wait for one answer
    #[arg(long, value_name = "TIME", value_parser = values::time, env = "MCP_LOADTEST_TIMEOUT", hide_env = true, help_heading = "Client")]
    timeout: Option<Duration>,
    /// A header to send with every request (repeatable; one per line in the variable)
    #[arg(long = "header", env = "MCP_LOADTEST_HEADER", hide_env = true, value_delimiter = '\n', value_name = "K: V", value_parser = values::header, help_heading = "Client")]
    headers: Vec<(String, Secret)>,
    /// A key to send as `Authorization: Bearer KEY`
    #[arg(long, value_name = "KEY", value_parser = values::secret, env = "MCP_API_KEY", hide_env_values = true,
          help_heading = "Client")]
    api_key: Option<Secret>,
    /// Who owns a session: per-vu, per-iteration, shared
    #[arg(
        long,
        value_name = "POLICY",
        env = "MCP_LOADTEST_SESSION",
        hide_env = true,
        help_heading = "Client"
    )]
    session: Option<SessionPolicy>,
    /// How long a connection lives: keep-alive, per-request
    #[arg(
        long,
        value_name = "POLICY",
        env = "MCP_LOADTEST_CONNECTION",
        hide_env = true,
        help_heading = "Client"
    )]
    connection: Option<ConnectionPolicy>,
    /// What carries the bytes: h1 (our own HTTP/1.1), reqwest (HTTP/2, proxies)
    #[arg(
        long,
        value_name = "NAME",
        env = "MCP_LOADTEST_TRANSPORT",
        hide_env = true,
        help_heading = "Client"
    )]
    transport: Option<TransportKind>,
    /// Largest response body that is read, such as 64MiB
    #[arg(long, value_name = "SIZE", value_parser = values::bytes, env = "MCP_LOADTEST_MAX_BODY_BYTES", hide_env = true, help_heading = "Client")]
    max_body_bytes: Option<u64>,
    /// Do not ask the kernel to acknowledge incomplete answers at once (Linux): shows what clients without it wait for
    #[arg(long, env = "MCP_LOADTEST_NO_QUICK_ACK", hide_env = true, help_heading = "Client")]
    no_quick_ack: bool,

    /// Where the JSON report goes [default: .pmcp/reports/loadtest-TIME.json]
    #[arg(
        short,
        long,
        value_name = "FILE",
        env = "MCP_LOADTEST_OUT",
        hide_env = true,
        conflicts_with = "no_report",
        help_heading = "Output"
    )]
    pub(super) out: Option<PathBuf>,
    /// Write no report file
    #[arg(long, env = "MCP_LOADTEST_NO_REPORT", hide_env = true, help_heading = "Output")]
    pub(super) no_report: bool,
    /// What goes to standard output
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text, env = "MCP_LOADTEST_FORMAT", hide_env = true,
          help_heading = "Output")]
    pub(super) format: Format,
    /// How progress is shown
    #[arg(
        long,
        value_enum,
        value_name = "MODE",
        default_value_t,
        env = "MCP_LOADTEST_PROGRESS",
        hide_env = true,
        help_heading = "Output"
    )]
    progress: Progress,
    /// When to use colour
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        env = "MCP_LOADTEST_COLOR",
        hide_env = true,
        help_heading = "Output"
    )]
    color: ColourChoice,
    /// The same as --color never
    #[arg(long, help_heading = "Output")]
    no_color: bool,
    /// No progress and no notes; errors and the report only
    #[arg(short, long, env = "MCP_LOADTEST_QUIET", hide_env = true, help_heading = "Output")]
    pub(super) quiet: bool,
}

impl Arguments {
    /// What beats the file.
    ///
    /// # Errors
    /// [`ExitCode::Usage`](crate::ExitCode::Usage) where the plugin's configuration is no JSON object.
    pub(super) fn overrides(&self) -> Result<Overrides, Error> {
        Ok(Overrides {
            url: self.url.clone(),
            vus: self.vus,
            duration: self.duration,
            iterations: self.iterations,
            stages: self.stages.clone(),
            rate: self.rate,
            max_vus: self.max_vus,
            spawn_rate: self.spawn_rate,
            arrivals: self.arrivals,
            shard: self.shard,
            warm_up: self.warm_up,
            stop_at_breaking_point: self.stop_at_breaking_point,
            timeout: self.timeout,
            seed: self.seed,
            protocol: self.protocol,
            headers: self.headers.clone(),
            api_key: self.api_key.clone(),
            workers: self.workers,
            session: self.session,
            connection: self.connection,
            transport: self.transport,
            min_samples: self.min_samples,
            quick_ack: self.no_quick_ack.then_some(false),
            graceful_stop: self.graceful_stop,
            scenarios: self.scenarios.clone(),
            thresholds: written(&self.thresholds),
            assertions: written(&self.assertions),
            max_body_bytes: self.max_body_bytes,
            plugin: self.plugin.clone(),
            plugin_config: self
                .plugin_config
                .as_deref()
                .map(|given| values::plugin_config("--plugin-config", given))
                .transpose()?,
        })
    }

    /// How progress is shown, all flags considered.
    pub(super) fn progress_mode(&self) -> Progress {
        if self.quiet { Progress::None } else { self.progress }
    }

    /// When to use colour, all flags considered.
    pub(super) fn colour(&self) -> ColourChoice {
        if self.no_color { ColourChoice::Never } else { self.color }
    }
}

/// The texts that say anything: a variable may hold blank lines.
fn written(texts: &[String]) -> Vec<String> {
    texts.iter().filter(|text| !text.trim().is_empty()).cloned().collect()
}
