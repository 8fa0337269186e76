//! The flags of `run` alone, each with its environment variable and its help.

use std::time::Duration;

use super::super::flags::{ClientFlags, OutputFlags, SubjectFlags};
use super::super::values;
use crate::error::Error;
use crate::plan::config::Overrides;
use crate::plan::{AnyStage, Rate, Spacing, Stripe, WarmUp};

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
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    pub(super) subject: SubjectFlags,

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
    /// End the run where the server breaks: where errors or response times leave their baseline while the load rises
    #[arg(long, env = "MCP_LOADTEST_STOP_AT_BREAKING_POINT", hide_env = true, help_heading = "Load")]
    stop_at_breaking_point: bool,
    /// This machine's part of the run: 1/3 is the first of three
    #[arg(long, value_name = "I/N", env = "MCP_LOADTEST_SHARD", hide_env = true, help_heading = "Load")]
    shard: Option<Stripe>,
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

    #[command(flatten)]
    pub(super) client: ClientFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
}

impl Arguments {
    /// What beats the file.
    ///
    /// # Errors
    /// [`ExitCode::Usage`](crate::ExitCode::Usage) where the plugin's configuration is no JSON object.
    pub(super) fn overrides(&self) -> Result<Overrides, Error> {
        let of_the_load = Overrides {
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
            min_samples: self.min_samples,
            graceful_stop: self.graceful_stop,
            thresholds: written(&self.thresholds),
            assertions: written(&self.assertions),
            ..Overrides::default()
        };
        self.subject.apply(self.client.apply(of_the_load))
    }
}

/// The texts that say anything: a variable may hold blank lines.
fn written(texts: &[String]) -> Vec<String> {
    texts.iter().filter(|text| !text.trim().is_empty()).cloned().collect()
}
