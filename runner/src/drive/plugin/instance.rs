//! One instance of a plugin: its memory, and the calls into it, each bounded in time and memory.

use std::time::Duration;

use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::Plugin;
use super::bindings::{Findings, LoadtestPlugin, Outcome, Plan, SetupInfo, Turn, VuContext};
use super::engine::epochs;
use super::failure::{Failure, LimitsInWords};
use super::host::HostState;
use crate::judge::{LogLevel, PluginFault};
use crate::plan::duration::human;
use crate::plan::size;
use pmcp_loadtest_arguments::Draws;

/// A running instance. After a trap it refuses every call and has to be replaced.
pub(super) struct Instance {
    store: Store<HostState>,
    guest: LoadtestPlugin,
    call_timeout: Duration,
    start_timeout: Duration,
    memory: u64,
    broken: bool,
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Instance").field("broken", &self.broken).finish_non_exhaustive()
    }
}

impl Instance {
    /// Instantiates a plugin and sets it up.
    pub(super) fn start(plugin: &Plugin) -> Result<Self, Failure> {
        let limits = &plugin.limits;
        let state = HostState::new(plugin.target.clone(), limits.memory_bytes);
        let mut store = Store::new(plugin.loaded.pre.engine(), state);
        store.limiter(|state| state);
        // What crosses the border in one call is bounded by what the guest can hold, even where it hands over the same text many times.
        store.set_hostcall_fuel(usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX));
        store.set_epoch_deadline(epochs(limits.start_timeout));
        let guest = match plugin.loaded.pre.instantiate(&mut store) {
            Ok(guest) => guest,
            Err(error) => {
                return Err(diagnosed(
                    &error,
                    &mut store,
                    "its start",
                    limits.start_timeout,
                    limits.memory_bytes,
                ));
            }
        };
        let mut instance = Self {
            store,
            guest,
            call_timeout: limits.call_timeout,
            start_timeout: limits.start_timeout,
            memory: limits.memory_bytes,
            broken: false,
        };
        instance.set_up(&plugin.setup)?;
        Ok(instance)
    }

    fn set_up(&mut self, setup: &SetupInfo) -> Result<(), Failure> {
        self.call("setup", self.start_timeout, |guest, store| {
            guest.pmcp_loadtest_plugin().call_setup(store, setup)
        })?
        .map_err(|text| said("setup", &text))
    }

    /// Makes a side for a virtual user.
    pub(super) fn open(&mut self, vu: VuContext) -> Result<ResourceAny, Failure> {
        self.call("open", self.start_timeout, |guest, store| {
            guest.pmcp_loadtest_plugin().call_open(store, vu)
        })?
        .map_err(|text| said("open", &text))
    }

    /// Asks for plans. `random` is the stream that the guest draws from meanwhile.
    pub(super) fn next(
        &mut self,
        scenario: ResourceAny,
        turn: &Turn,
        random: &mut Draws,
    ) -> Result<Vec<Plan>, Failure> {
        std::mem::swap(&mut self.store.data_mut().random, random);
        let planned = self.call("next", self.call_timeout, |guest, store| {
            guest.pmcp_loadtest_plugin().scenario().call_next(store, scenario, turn)
        });
        std::mem::swap(&mut self.store.data_mut().random, random);
        planned?.map_err(|text| said("next", &text))
    }

    /// Tells a virtual user's side that it ends.
    pub(super) fn finish(
        &mut self,
        scenario: ResourceAny,
        outcomes: &[Outcome],
    ) -> Result<Option<Findings>, Failure> {
        self.call("finish", self.call_timeout, |guest, store| {
            guest.pmcp_loadtest_plugin().scenario().call_finish(store, scenario, outcomes)
        })
    }

    /// Gives a virtual user's side back; its destructor is guest code, too.
    pub(super) fn close(&mut self, scenario: ResourceAny) -> Result<(), Failure> {
        if self.broken {
            return Ok(());
        }
        self.call("drop", self.call_timeout, |_, store| scenario.resource_drop(store))
    }

    /// How much memory it has, bytes.
    pub(super) fn memory(&self) -> usize {
        self.store.data().memory()
    }

    /// Whether a trap has ended it.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// What was logged since the last time this was asked, and how many lines more there were.
    pub(super) fn take_log(&mut self) -> (Vec<(LogLevel, String)>, u64) {
        let state = self.store.data_mut();
        (std::mem::take(&mut state.log), std::mem::take(&mut state.further_lines))
    }

    /// Whether anything was logged since the log was taken.
    pub(super) fn has_log(&self) -> bool {
        !self.store.data().log.is_empty()
    }

    fn call<T>(
        &mut self,
        name: &'static str,
        limit: Duration,
        call: impl FnOnce(&LoadtestPlugin, &mut Store<HostState>) -> wasmtime::Result<T>,
    ) -> Result<T, Failure> {
        self.store.data_mut().begin_call();
        self.store.set_epoch_deadline(epochs(limit));
        call(&self.guest, &mut self.store).map_err(|error| {
            self.broken = true;
            diagnosed(&error, &mut self.store, name, limit, self.memory)
        })
    }
}

fn diagnosed(
    error: &wasmtime::Error,
    store: &mut Store<HostState>,
    call: &'static str,
    limit: Duration,
    memory: u64,
) -> Failure {
    let state = store.data_mut();
    let words = LimitsInWords { call, time: human(limit), memory: size::human(memory) };
    let mut failure = Failure::of(error, state.last_words.take(), state.take_refusal(), &words);
    // Where a guest cannot say why, what it logged before may.
    if let Some((_, line)) = state.log.last() {
        failure.message = format!("{}; the last line it logged: {line}", failure.message);
    }
    failure
}

/// The guest's own error.
fn said(call: &str, text: &str) -> Failure {
    let text = super::host::shortened(text);
    let message = if text.is_empty() { format!("{call} failed and did not say why") } else { text };
    Failure::new(PluginFault::Error, message)
}
