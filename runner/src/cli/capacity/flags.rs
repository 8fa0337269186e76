//! The flags of `capacity` alone, each with its environment variable and its help.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use super::super::flags::{ClientFlags, OutputFlags, SubjectFlags};
use super::super::values;
use crate::error::Error;
use crate::plan::config::Overrides;
use crate::plan::{Rate, Spacing};

/// Find the highest load at which a server keeps to its objectives
#[derive(Debug, clap::Args)]
#[command(override_usage = "cargo pmcp loadtest capacity [OPTIONS] [URL]
       cargo pmcp loadtest capacity --cores 1,2,4,8 --server-cmd COMMAND [OPTIONS] [URL]
       cargo pmcp loadtest capacity --fit REPORT.json[@CORES]...")]
#[command(after_help = "Examples:
  cargo pmcp loadtest capacity http://127.0.0.1:3000/mcp
  cargo pmcp loadtest capacity --demo --objective 'p(99) < 20ms' --max-load 500/s
  cargo pmcp loadtest capacity http://127.0.0.1:3000/mcp --objective 'p(99) < 500ms' --objective 'errors < 0.1%'
  cargo pmcp loadtest capacity http://127.0.0.1:3000/mcp --by sessions --deadline 10m
  cargo pmcp loadtest capacity http://127.0.0.1:3000/mcp --cores 1,2,4,8 --server-cmd './server --port 3000' --at 16

A search takes 5 to 15 minutes. Every value can be given as a variable too: --max-load as MCP_LOADTEST_MAX_LOAD, and so on.

Exit codes: 0 an answer: a capacity, `at least` the highest load that was allowed, a rate limit, or two bounds at the deadline
  91 no answer: the generator was the bottleneck, too few calls, one bound or none at the deadline, nothing to measure; no prediction
  99 the server is at fault: not even the lowest load keeps to the objectives, it does not recover, or it becomes slower
  130 interrupted: what was known is written. The others as those of run.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    pub(super) subject: SubjectFlags,

    #[command(flatten)]
    pub(super) question: QuestionFlags,
    #[command(flatten)]
    pub(super) scaling: ScalingFlags,

    #[command(flatten)]
    pub(super) client: ClientFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
    #[command(flatten)]
    refused: RefusedFlags,
}

/// What is asked.
#[derive(Debug, clap::Args)]
pub(super) struct QuestionFlags {
    /// What the server must keep to, such as `p(99) < 500ms` or `errors{tool=search} < 0.1%` (repeatable; one per line in the variable)
    /// [default: the file's thresholds that can be, or `p(99) < 500ms`]
    #[arg(
        long = "objective",
        value_name = "OBJECTIVE",
        env = "MCP_LOADTEST_OBJECTIVE",
        hide_env = true,
        value_delimiter = '\n',
        help_heading = "Question"
    )]
    pub(super) objectives: Vec<String>,
    /// What a load is a number of: rate (iterations begun per second, whatever the server does), sessions (at the same time)
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_value_t,
        env = "MCP_LOADTEST_BY",
        hide_env = true,
        help_heading = "Question"
    )]
    pub(super) by: By,
    /// When the search ends at the latest; of --cores, each search
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = values::time, env = "MCP_LOADTEST_DEADLINE", hide_env = true, help_heading = "Question")]
    pub(super) deadline: Duration,
    /// The lowest load to try: 20/s, or a number of sessions [default: a 256th of the first one]
    #[arg(
        long,
        value_name = "LOAD",
        env = "MCP_LOADTEST_MIN_LOAD",
        hide_env = true,
        help_heading = "Question"
    )]
    pub(super) min_load: Option<Rate>,
    /// The highest load to try: 500/s, or a number of sessions [default: none]
    #[arg(
        long,
        value_name = "LOAD",
        env = "MCP_LOADTEST_MAX_LOAD",
        hide_env = true,
        help_heading = "Question"
    )]
    pub(super) max_load: Option<Rate>,
    /// How the arrivals of a rate are spaced: even, poisson [default: as those of the file, or even]
    #[arg(
        long,
        value_name = "SPACING",
        env = "MCP_LOADTEST_ARRIVALS",
        hide_env = true,
        help_heading = "Question"
    )]
    pub(super) arrivals: Option<Spacing>,
}

/// What a load is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum By {
    /// Iterations begun per second
    #[default]
    Rate,
    /// Sessions at the same time
    Sessions,
}

/// What more cores would bring.
#[derive(Debug, clap::Args)]
pub(super) struct ScalingFlags {
    /// Search a server that is started with so many cores, one number after the other (Linux)
    #[arg(
        long,
        value_name = "N,...",
        value_delimiter = ',',
        requires = "server_cmd",
        conflicts_with = "demo",
        env = "MCP_LOADTEST_CORES",
        hide_env = true,
        help_heading = "More cores"
    )]
    pub(super) cores: Vec<u32>,
    /// How the server is started; it is ended after each search
    #[arg(
        long,
        value_name = "COMMAND",
        requires = "cores",
        env = "MCP_LOADTEST_SERVER_CMD",
        hide_env = true,
        help_heading = "More cores"
    )]
    pub(super) server_cmd: Option<String>,
    /// How often each number of cores is searched
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100), env = "MCP_LOADTEST_REPEATS", hide_env = true, help_heading = "More cores")]
    pub(super) repeats: u32,
    /// The number of cores to predict for [default: twice the largest measured]
    #[arg(long, value_name = "CORES", value_parser = clap::value_parser!(u32).range(1..), env = "MCP_LOADTEST_AT", hide_env = true, help_heading = "More cores")]
    pub(super) at: Option<u32>,
    /// Predict further than the points carry, and search though no core is left for the generator
    #[arg(long, env = "MCP_LOADTEST_FORCE", hide_env = true, help_heading = "More cores")]
    pub(super) force: bool,
    /// Predict from saved reports, without any load; @CORES says how many cores the server had
    #[arg(
        long,
        value_name = "REPORT.json[@CORES]",
        num_args = 1..,
        conflicts_with_all = ["url", "demo", "cores"],
        env = "MCP_LOADTEST_FIT",
        hide_env = true,
        value_delimiter = ',',
        help_heading = "More cores"
    )]
    pub(super) fit: Vec<PathBuf>,
}

/// Flags of `run` that a search has no place for: known, so that the refusal can say what is there instead.
#[derive(Debug, clap::Args)]
struct RefusedFlags {
    #[arg(long, hide = true, value_parser = shapes_the_load)]
    vus: Option<Infallible>,
    #[arg(long, hide = true, value_parser = shapes_the_load)]
    duration: Option<Infallible>,
    #[arg(long, hide = true, value_parser = shapes_the_load)]
    iterations: Option<Infallible>,
    #[arg(long, hide = true, value_parser = shapes_the_load)]
    rate: Option<Infallible>,
    #[arg(long, hide = true, value_parser = shapes_the_load)]
    stage: Option<Infallible>,
    #[arg(long, hide = true, value_parser = demands)]
    threshold: Option<Infallible>,
    #[arg(long, hide = true, value_parser = demands)]
    assert: Option<Infallible>,
}

fn shapes_the_load(_: &str) -> Result<Infallible, String> {
    Err("the load is what a search finds; leave this out, and bound it with --min-load and --max-load"
        .to_owned())
}

fn demands(_: &str) -> Result<Infallible, String> {
    Err("what a search holds the server to is said with --objective".to_owned())
}

impl Arguments {
    /// What beats the file.
    ///
    /// # Errors
    /// [`ExitCode::Usage`](crate::ExitCode::Usage) where the plugin's configuration is no JSON object.
    pub(super) fn overrides(&self) -> Result<Overrides, Error> {
        self.subject.apply(self.client.apply(Overrides::default()))
    }
}
