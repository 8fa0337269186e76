//! The flags that several commands share: whom to load with what, how the client speaks, what becomes of the result. Each has its
//! environment variable and its help here.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::report::Format;
use super::values;
use crate::error::Error;
use crate::live::{ColourChoice, Progress};
use crate::plan::config::Overrides;
use crate::plan::{ConnectionPolicy, Protocol, Secret, SessionPolicy, TransportKind};

/// Whom to load, and with what.
#[derive(Debug, clap::Args)]
pub(super) struct SubjectFlags {
    /// The server's MCP endpoint; beats the file's
    #[arg(value_parser = values::url, env = "MCP_LOADTEST_URL", hide_env = true)]
    pub(super) url: Option<Url>,
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
    pub(super) plugin_config: Option<String>,
}

/// How the client speaks, and what it draws.
#[derive(Debug, clap::Args)]
pub(super) struct ClientFlags {
    /// Seed of every random draw; the same seed sends the same requests
    #[arg(long, value_name = "N", env = "MCP_LOADTEST_SEED", hide_env = true, help_heading = "Load")]
    pub(super) seed: Option<u64>,
    /// Worker threads [default: one per core]
    #[arg(long, value_name = "N", env = "MCP_LOADTEST_WORKERS", hide_env = true, help_heading = "Load")]
    pub(super) workers: Option<u32>,

    /// Protocol revision: auto, 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26
    #[arg(
        long,
        value_name = "REVISION",
        env = "MCP_LOADTEST_PROTOCOL",
        hide_env = true,
        help_heading = "Client"
    )]
    pub(super) protocol: Option<Protocol>,
    /// Longest wait for one answer
    #[arg(long, value_name = "TIME", value_parser = values::time, env = "MCP_LOADTEST_TIMEOUT", hide_env = true, help_heading = "Client")]
    pub(super) timeout: Option<Duration>,
    /// A header to send with every request (repeatable; one per line in the variable)
    #[arg(long = "header", env = "MCP_LOADTEST_HEADER", hide_env = true, value_delimiter = '\n', value_name = "K: V", value_parser = values::header, help_heading = "Client")]
    pub(super) headers: Vec<(String, Secret)>,
    /// A key to send as `Authorization: Bearer KEY`
    #[arg(long, value_name = "KEY", value_parser = values::secret, env = "MCP_API_KEY", hide_env_values = true,
          help_heading = "Client")]
    pub(super) api_key: Option<Secret>,
    /// Who owns a session: per-vu, per-iteration, shared
    #[arg(
        long,
        value_name = "POLICY",
        env = "MCP_LOADTEST_SESSION",
        hide_env = true,
        help_heading = "Client"
    )]
    pub(super) session: Option<SessionPolicy>,
    /// How long a connection lives: keep-alive, per-request
    #[arg(
        long,
        value_name = "POLICY",
        env = "MCP_LOADTEST_CONNECTION",
        hide_env = true,
        help_heading = "Client"
    )]
    pub(super) connection: Option<ConnectionPolicy>,
    /// What carries the bytes: h1 (our own HTTP/1.1), reqwest (HTTP/2, proxies)
    #[arg(
        long,
        value_name = "NAME",
        env = "MCP_LOADTEST_TRANSPORT",
        hide_env = true,
        help_heading = "Client"
    )]
    pub(super) transport: Option<TransportKind>,
    /// Largest response body that is read, such as 64MiB
    #[arg(long, value_name = "SIZE", value_parser = values::bytes, env = "MCP_LOADTEST_MAX_BODY_BYTES", hide_env = true, help_heading = "Client")]
    pub(super) max_body_bytes: Option<u64>,
    /// Do not ask the kernel to acknowledge incomplete answers at once (Linux): shows what clients without it wait for
    #[arg(long, env = "MCP_LOADTEST_NO_QUICK_ACK", hide_env = true, help_heading = "Client")]
    pub(super) no_quick_ack: bool,
}

/// What becomes of the result, and what is told on the way.
#[derive(Debug, clap::Args)]
pub(super) struct OutputFlags {
    /// Where the JSON report goes [default: a new one in .pmcp/reports/]
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
    pub(super) progress: Progress,
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
    pub(super) color: ColourChoice,
    /// The same as --color never
    #[arg(long, help_heading = "Output")]
    pub(super) no_color: bool,
    /// No progress and no notes; errors and the report only
    #[arg(short, long, env = "MCP_LOADTEST_QUIET", hide_env = true, help_heading = "Output")]
    pub(super) quiet: bool,
}

impl SubjectFlags {
    /// What beats the file.
    ///
    /// # Errors
    /// [`ExitCode::Usage`](crate::ExitCode::Usage) where the plugin's configuration is no JSON object.
    pub(super) fn apply(&self, overrides: Overrides) -> Result<Overrides, Error> {
        let plugin_config = self.plugin_config.as_deref();
        Ok(Overrides {
            url: self.url.clone(),
            scenarios: self.scenarios.clone(),
            plugin: self.plugin.clone(),
            plugin_config: plugin_config
                .map(|given| values::plugin_config("--plugin-config", given))
                .transpose()?,
            ..overrides
        })
    }
}

impl ClientFlags {
    /// What beats the file.
    pub(super) fn apply(&self, overrides: Overrides) -> Overrides {
        Overrides {
            seed: self.seed,
            workers: self.workers,
            protocol: self.protocol,
            timeout: self.timeout,
            headers: self.headers.clone(),
            api_key: self.api_key.clone(),
            session: self.session,
            connection: self.connection,
            transport: self.transport,
            max_body_bytes: self.max_body_bytes,
            quick_ack: self.no_quick_ack.then_some(false),
            ..overrides
        }
    }
}

impl OutputFlags {
    /// How progress is shown, all flags considered.
    pub(super) fn progress_mode(&self) -> Progress {
        if self.quiet { Progress::None } else { self.progress }
    }

    /// When to use colour, all flags considered.
    pub(super) fn colour(&self) -> ColourChoice {
        if self.no_color { ColourChoice::Never } else { self.color }
    }
}
