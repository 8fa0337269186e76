//! What was typed, and what is printed. One file per subcommand; `--help` text lives only here.

mod capacity;
mod delegate;
mod demo_server;
mod flags;
mod init;
mod locate;
#[cfg_attr(not(feature = "plugins"), path = "plugin/absent.rs")]
mod plugin;
mod print;
mod process;
mod report;
mod report_file;
mod run;
mod scenarios;
mod schema;
mod subject;
mod values;

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::error::{Error, ExitCode};

/// Load tester for Model Context Protocol servers: numbers you can defend.
#[derive(Debug, Parser)]
#[command(
    name = "loadtest",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 120
)]
#[command(after_help = "Examples:
  cargo pmcp loadtest run --demo                               try it: embedded server, quickstart scenario
  cargo pmcp loadtest init http://127.0.0.1:3000/mcp           write .pmcp/loadtest.toml for a server
  cargo pmcp loadtest run http://127.0.0.1:3000/mcp --vus 50   run it

Exit codes: 0 passed · 1 our own failure · 2 usage or configuration · 3 authentication needed
  4 target unreachable · 5 plugin broken · 91 inconclusive · 99 failed · 130 interrupted (the report is still written)")]
struct Loadtest {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put load on a server and report what it did
    Run(Box<run::Arguments>),
    /// Find the highest load at which a server keeps to its objectives
    Capacity(Box<capacity::Arguments>),
    /// Write a commented .pmcp/loadtest.toml, from the server itself where a URL is given
    Init(init::Arguments),
    /// List the scenario library, or print one scenario
    Scenarios(scenarios::Arguments),
    /// Print a saved report
    Report(report::Arguments),
    /// Write, build, inspect, test and check plugins: scenarios that are code
    Plugin(plugin::Arguments),
    /// Run the embedded demo MCP server alone
    DemoServer(demo_server::Arguments),
    /// Print a JSON Schema: of the configuration file, or of a report
    Schema(schema::Arguments),
}

/// Runs the program with these arguments (the first is the program itself); returns what it ends with.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> std::process::ExitCode {
    let typed: Vec<OsString> = arguments.into_iter().collect();
    let code = match delegate::route(&typed) {
        delegate::Route::Loadtest(rest) => loadtest(rest),
        delegate::Route::Other(rest) => delegate::hand_over(&rest).unwrap_or_else(|error| fail(&error)),
    };
    std::process::ExitCode::from(code)
}

fn loadtest(typed: Vec<OsString>) -> u8 {
    let program = std::iter::once(OsString::from("cargo pmcp loadtest")).chain(typed);
    let parsed = Loadtest::command()
        .bin_name("cargo pmcp loadtest")
        .try_get_matches_from(program)
        .and_then(|matches| Loadtest::from_arg_matches(&matches));
    let Loadtest { command } = match parsed {
        Ok(parsed) => parsed,
        Err(mut error) => {
            hide_credentials(&mut error);
            // Help and version go to stdout and are no failure; a closed stream changes nothing about that.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::Usage.code() } else { 0 };
        }
    };
    let done = match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Capacity(arguments) => capacity::capacity(&arguments),
        Command::Init(arguments) => init::init(arguments).map(|()| ExitCode::Passed),
        Command::Scenarios(arguments) => scenarios::scenarios(&arguments).map(|()| ExitCode::Passed),
        Command::Report(arguments) => report::report(&arguments).map(|()| ExitCode::Passed),
        Command::Plugin(arguments) => plugin::plugin(arguments),
        Command::DemoServer(arguments) => demo_server::serve(&arguments).map(|()| ExitCode::Passed),
        Command::Schema(arguments) => {
            schema::schema(&arguments);
            Ok(ExitCode::Passed)
        }
    };
    done.map_or_else(|error| fail(&error), ExitCode::code)
}

/// Clap quotes the value that it refuses; that of a header may be a credential.
fn hide_credentials(error: &mut clap::Error) {
    let of_header =
        |value: &ContextValue| matches!(value, ContextValue::String(flag) if flag.starts_with("--header"));
    if error.get(ContextKind::InvalidArg).is_some_and(of_header)
        && error.get(ContextKind::InvalidValue).is_some()
    {
        error.insert(ContextKind::InvalidValue, ContextValue::String("[redacted]".to_owned()));
    }
}

fn fail(error: &Error) -> u8 {
    print::complaint(&error.to_string());
    error.exit.code()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Loadtest::command().debug_assert();
    }

    #[test]
    fn every_value_of_a_load_has_a_variable_of_its_own_name() {
        for name in ["run", "capacity"] {
            assert_variables(name);
        }
    }

    fn assert_variables(subcommand: &str) {
        let command = Loadtest::command();
        let subcommand = command.find_subcommand(subcommand).unwrap();
        let without: Vec<&str> = subcommand
            .get_arguments()
            .filter(|argument| !argument.is_hide_set())
            .filter(|argument| {
                let name = argument.get_long().unwrap_or("url").to_uppercase().replace('-', "_");
                argument.get_env().is_none_or(|variable| *variable != *format!("MCP_LOADTEST_{name}"))
            })
            .filter_map(clap::Arg::get_long)
            .collect();
        // The key keeps the name that the existing command gave it; a demo and a second word for colour are no values.
        assert_eq!(without, ["demo", "api-key", "no-color"]);
    }
}
