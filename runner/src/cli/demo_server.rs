//! `demo-server`: the embedded demo MCP server, alone.

use std::path::Path;

use pmcp_loadtest_demo_server::{DemoServer, Script};

use super::{locate, print};
use crate::error::{Error, ExitCode};

/// Run the embedded demo MCP server alone
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The script makes the server slow or faulty; its keys stand in tests/demo-server/README.md:
  cargo pmcp loadtest demo-server --port 3000 --script '{\"latency\":[{\"delay\":{\"exponential\":{\"mean_ms\":20}}}]}'"
)]
pub(super) struct Arguments {
    /// Loopback port; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How it behaves: a JSON file, or the JSON itself
    #[arg(long, value_name = "FILE|JSON")]
    script: Option<String>,
}

/// Serves until the process is ended; prints the URL on standard output.
///
/// # Errors
/// [`ExitCode::Usage`] for a script that is none, [`ExitCode::Internal`] where the port cannot be had.
pub(super) fn serve(arguments: &Arguments) -> Result<(), Error> {
    let script = arguments.script.as_deref().map_or_else(|| Ok(Script::default()), read_script)?;
    let server = DemoServer::start_on(arguments.port, script).map_err(|error| {
        Error::new(ExitCode::Internal, format!("cannot listen on port {}", arguments.port))
            .because(error)
            .advise("take another port, or 0 for a free one")
    })?;
    print::data(&format!("{}\n", server.url()));
    print::talk("serving until interrupted (Ctrl-C)");
    let runtime = super::subject::control_runtime()?;
    runtime
        .block_on(tokio::signal::ctrl_c())
        .map_err(|error| Error::new(ExitCode::Internal, "cannot wait for Ctrl-C").because(error))
}

fn read_script(given: &str) -> Result<Script, Error> {
    let text =
        if given.trim_start().starts_with('{') { given.to_owned() } else { locate::read(Path::new(given))? };
    serde_json::from_str(&text)
        .map_err(|error| Error::new(ExitCode::Usage, "the script is none").at(given).because(error))
}
