//! What the generator itself costs: `cargo bench -p pmcp-loadtest --bench overhead`.
//!
//! In: this machine, quiet. Out: a table of CPU per request beside `wrk` and `oha` on the same job, with the targets the project
//! holds itself to. With `-- plugins`: what plugins cost. With `-- arrivals`: how punctually requests of the open model are sent. With
//! `-- stall`: whether a server's stall is told as it was. With `-- --gate`: instructions, allocations and system calls per request,
//! which are exact and gate the CI.
//!
//! The binary runs itself in two roles: `target` answers as fast as it can from a process of its own, `client` is a whole run of
//! the library. Method: everything is measured over whole processes, variants alternate inside each repetition, and ratios are
//! medians of the ratios within a repetition, because a machine's speed changes between minutes.

#![expect(clippy::print_stdout, reason = "the figures are this program's output")]

#[cfg(unix)]
mod arrivals;
#[cfg(unix)]
mod client;
#[cfg(unix)]
mod comparison;
#[cfg(unix)]
mod gate;
#[cfg(unix)]
mod guests;
#[cfg(unix)]
mod machine;
#[cfg(unix)]
mod plugins;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod shape;
#[cfg(unix)]
mod stall;
#[cfg(unix)]
mod table;
#[cfg(unix)]
mod target;
#[cfg(unix)]
mod variant;
#[cfg(unix)]
mod wire;

#[cfg(unix)]
fn main() -> anyhow::Result<std::process::ExitCode> {
    command::run()
}

#[cfg(not(unix))]
fn main() {
    println!("the overhead bench counts CPU time with getrusage, which this system does not have");
}

#[cfg(unix)]
mod command {
    use std::path::PathBuf;
    use std::process::ExitCode;

    use clap::{Parser, Subcommand};

    use pmcp_loadtest::drive::inspect;
    use pmcp_loadtest::plan::PluginLimits;

    use crate::table::{Verdict, print_table};
    use crate::{arrivals, client, comparison, gate, plugins, stall, target};

    #[derive(Debug, Parser)]
    #[command(about = "What the load generator costs per request, beside its peers")]
    struct Arguments {
        /// Times every variant is measured.
        #[arg(long, default_value_t = 5)]
        repetitions: u32,
        /// Two short repetitions: to see that it works, not to judge by.
        #[arg(long)]
        quick: bool,
        /// Exact figures only: instructions, allocations, system calls (needs valgrind and strace).
        #[arg(long)]
        gate: bool,
        /// Also write the figures as JSON.
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
        /// What `cargo bench` passes to every bench, behind whatever else it passes.
        #[arg(long, hide = true, global = true)]
        bench: bool,
        #[command(subcommand)]
        role: Option<Role>,
    }

    #[derive(Debug, Subcommand)]
    enum Role {
        /// How late requests of the open model are sent, and whether as many are as were asked for.
        Arrivals {
            /// Clients at real-time priority: for a machine that others use too (needs chrt, and the right to it).
            #[arg(long)]
            real_time: bool,
        },
        /// What the open and the closed model say of a server that stalls, beside the truth.
        Stall,
        /// What plugins cost, beside the same steps in TOML.
        Plugins,
        /// The server that is hit; prints its address, ends with its standard input.
        #[command(hide = true)]
        Target,
        /// One run of the generator; prints what it saw as a line of JSON.
        #[command(hide = true)]
        Client(client::Order),
        /// Loads a plugin; prints how many milliseconds that took.
        #[command(hide = true)]
        Load {
            /// The component.
            file: PathBuf,
        },
    }

    pub(crate) fn run() -> anyhow::Result<ExitCode> {
        let arguments = Arguments::parse();
        let effort = comparison::Effort::new(arguments.repetitions, arguments.quick);
        let figures = match arguments.role {
            Some(Role::Target) => {
                target::serve()?;
                return Ok(ExitCode::SUCCESS);
            }
            Some(Role::Client(order)) => {
                println!("{}", serde_json::to_string(&client::run(&order)?)?);
                return Ok(ExitCode::SUCCESS);
            }
            Some(Role::Load { file }) => {
                let loaded = inspect(&file, &PluginLimits::default())?;
                println!("{}", loaded.load_time.as_secs_f64() * 1e3);
                return Ok(ExitCode::SUCCESS);
            }
            Some(Role::Arrivals { real_time }) => arrivals::measure(&effort, real_time)?,
            Some(Role::Stall) => stall::measure(&effort)?,
            Some(Role::Plugins) => plugins::measure(&effort)?,
            None if arguments.gate => gate::measure()?,
            None => comparison::measure(&effort)?,
        };
        print_table(&figures);
        if let Some(file) = arguments.json {
            std::fs::write(file, serde_json::to_string_pretty(&figures)?)?;
        }
        let failed = figures.iter().any(|figure| figure.verdict() == Verdict::Fails);
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
