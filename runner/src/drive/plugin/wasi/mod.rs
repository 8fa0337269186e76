//! WASI 0.2 for guests that were built against it (`wasm32-wasip2`, Python and JavaScript without stubs): a system in which there is nothing.
//!
//! In: a linker, and calls of guests. Out: no files, no network, no environment, no arguments, an empty standard input; what is printed goes
//! into the plugin's log. Time passes only where a guest looks at it or waits, and random numbers are those of the iteration, so that a
//! seed repeats a plugin here, too. Nothing waits: `wasmtime-wasi`'s own synchronous streams, pollables and sockets would wait by entering a
//! tokio runtime, which panics on a worker; they are replaced here or cannot be had.

mod clock;
mod output;
mod random;
mod sockets;

use wasmtime::Result;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::p2::{self, bindings};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use self::clock::Clock;
use self::output::Output;
use super::host::HostState;

/// The packages that are served, of version 0.2.
const PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];
/// Most handles of one instance: of guests only errors and networks are in the table, and whoever has that many forgets to drop them.
const MOST_HANDLES: usize = 1000;

/// The system as one instance sees it.
pub(super) struct System {
    context: WasiCtx,
    table: ResourceTable,
    clock: Clock,
    output: Output,
}

impl System {
    pub(super) fn new() -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MOST_HANDLES);
        Self {
            context: WasiCtx::builder().build(),
            table,
            clock: Clock::default(),
            output: Output::default(),
        }
    }
}

impl std::fmt::Debug for System {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("System").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl WasiView for HostState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.system.context, table: &mut self.system.table }
    }
}

/// Whether an import is of a package that is served.
pub(super) fn serves(import: &str) -> bool {
    let package = import.strip_prefix("wasi:").and_then(|name| name.split('/').next());
    package.is_some_and(|package| PACKAGES.contains(&package))
}

fn itself(state: &mut HostState) -> &mut HostState {
    state
}

/// Offers the system to guests.
pub(super) fn add_to_linker(linker: &mut Linker<HostState>) -> Result<()> {
    linker.allow_shadowing(true);
    p2::add_to_linker_sync(linker)?;
    bindings::sync::io::poll::add_to_linker::<_, HasSelf<HostState>>(linker, itself)?;
    bindings::sync::io::streams::add_to_linker::<_, HasSelf<HostState>>(linker, itself)?;
    bindings::cli::stdin::add_to_linker::<_, HasSelf<HostState>>(linker, itself)?;
    bindings::cli::stdout::add_to_linker::<_, HasSelf<HostState>>(linker, itself)?;
    bindings::cli::stderr::add_to_linker::<_, HasSelf<HostState>>(linker, itself)?;
    bindings::clocks::monotonic_clock::add_to_linker::<_, HasSelf<HostState>>(linker, itself)?;
    bindings::clocks::wall_clock::add_to_linker::<_, HasSelf<HostState>>(linker, itself)?;
    bindings::random::random::add_to_linker::<_, HasSelf<HostState>>(linker, itself)?;
    bindings::random::insecure::add_to_linker::<_, HasSelf<HostState>>(linker, itself)?;
    bindings::random::insecure_seed::add_to_linker::<_, HasSelf<HostState>>(linker, itself)?;
    bindings::sockets::tcp_create_socket::add_to_linker::<_, HasSelf<HostState>>(linker, itself)?;
    bindings::sync::sockets::udp_create_socket::add_to_linker::<_, HasSelf<HostState>>(linker, itself)?;
    linker.allow_shadowing(false);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::serves;

    #[test]
    fn what_an_empty_system_has_is_served_and_nothing_else() {
        assert!(serves("wasi:cli/environment@0.2.3") && serves("wasi:sockets/tcp@0.2.3"));
        for import in
            ["wasi:http/outgoing-handler@0.2.3", "wasi:nn/graph", "other:cli/environment@0.2.3", "wasi:"]
        {
            assert!(!serves(import), "{import}");
        }
    }
}
