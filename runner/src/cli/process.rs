//! What a report tells of the process that made it.

use crate::report::Manifest;

/// The facts of this process: version, machine, and the command as a person types it, whatever path the program was started by.
pub(super) fn process_facts(subcommand: &str) -> Manifest {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let typed = std::env::args().skip(1).skip_while(|word| word != subcommand);
    let command = ["cargo", "pmcp", "loadtest"].into_iter().map(str::to_owned).chain(typed);
    Manifest::new(env!("CARGO_PKG_VERSION"), command, cores)
}
