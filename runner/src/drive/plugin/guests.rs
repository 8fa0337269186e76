//! One worker's instances of one plugin, and who shares them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::Plugin;
use super::failure::Failure;
use super::instance::Instance;
use super::watch::{EventKind, Pauses, Watcher};
use crate::drive::context::Context;
use crate::judge::{Moment, PluginFault, PluginMetrics};
use crate::plan::{InstancePolicy, SeriesId};

/// Virtual users of a worker up to which each has an instance of its own: as many as stay in the processor's caches
/// (`reference/wasm-plugins.md`, section 3.2).
const OWN_INSTANCES: u32 = 64;
/// Memory of an instance up to which that holds, bytes. A guest in Rust or C begins with little more than one MiB, of which it touches
/// some 25 KiB; one that brings an interpreter along has several times as much, and touches it.
const SMALL_INSTANCE: usize = 4 << 20;
/// Calls in a row that may take too long before a worker has no more time for the plugin.
const PATIENCE_WITH_SLOWNESS: u32 = 3;

/// A call shorter than this changes no timeout: the sweep for them is no more exact.
const NOTICED: Duration = Duration::from_millis(1);

/// An instance in the hands of those who use it. Never borrowed across a wait.
pub(super) type SharedInstance = Rc<RefCell<Instance>>;

/// One worker's instances of one plugin.
#[derive(Debug)]
pub(crate) struct Guests {
    pub(super) plugin: Arc<Plugin>,
    context: Rc<Context>,
    /// The instance for all, where there is one for all.
    common: RefCell<Option<SharedInstance>>,
    /// Rows of tools, by their places.
    pub(super) rows: RefCell<Vec<Option<SeriesId>>>,
    /// Memory for requests.
    pub(super) buffers: RefCell<Vec<Vec<u8>>>,
    /// What a row is looked up by; kept for its memory.
    pub(super) key: RefCell<String>,
    /// Rows of steps, by what they are reported as; see `step`.
    pub(super) series: RefCell<HashMap<String, SeriesId>>,
    /// Calls in a row that took too long, whoever made them.
    slow: Cell<u32>,
    /// Who is told what happens, if anybody is.
    pub(super) watcher: Option<Watcher>,
}

/// Whether each of `vus` virtual users on `workers` workers has an instance of its own, which takes `memory` bytes.
pub(super) fn own_instances(policy: InstancePolicy, vus: u32, workers: u32, memory: usize) -> bool {
    match policy {
        InstancePolicy::PerVu => true,
        InstancePolicy::PerWorker => false,
        InstancePolicy::Auto => vus.div_ceil(workers.max(1)) <= OWN_INSTANCES && memory <= SMALL_INSTANCE,
    }
}

impl Guests {
    pub(crate) fn new(plugin: Arc<Plugin>, context: Rc<Context>, watcher: Option<Watcher>) -> Rc<Self> {
        Rc::new(Self {
            plugin,
            context,
            common: RefCell::new(None),
            rows: RefCell::default(),
            buffers: RefCell::default(),
            key: RefCell::default(),
            series: RefCell::default(),
            slow: Cell::new(0),
            watcher,
        })
    }

    /// Whether the times that the plugin thinks are passed over.
    pub(super) fn skips_pauses(&self) -> bool {
        self.watcher.as_ref().is_some_and(|watcher| watcher.pauses == Pauses::Skipped)
    }

    /// Whether nobody may call the plugin any more.
    pub(crate) fn has_given_up(&self) -> bool {
        self.plugin.given_up().is_some()
    }

    /// An instance for a virtual user.
    pub(super) fn instance(&self) -> Result<SharedInstance, Failure> {
        if self.plugin.facts.own_instances {
            return self.start();
        }
        let mut common = self.common.borrow_mut();
        if let Some(instance) = common.as_ref().filter(|instance| !instance.borrow().is_broken()) {
            return Ok(Rc::clone(instance));
        }
        let instance = self.start()?;
        *common = Some(Rc::clone(&instance));
        Ok(instance)
    }

    fn start(&self) -> Result<SharedInstance, Failure> {
        let instance = Instance::start(&self.plugin)?;
        self.record(|metrics| metrics.instances += 1);
        Ok(Rc::new(RefCell::new(instance)))
    }

    /// Changes what is recorded of the plugin.
    pub(super) fn record<T>(&self, entry: impl FnOnce(&mut PluginMetrics) -> T) -> T {
        entry(self.context.recorder.borrow_mut().plugin(self.plugin.number))
    }

    /// Calls a guest, counts the time it took, and says when it began and ended.
    pub(super) fn timed<T>(
        &self,
        count: fn(&mut PluginMetrics, u64),
        call: impl FnOnce() -> T,
    ) -> (T, (Moment, Moment)) {
        let began = self.context.clock.now();
        let called = call();
        let end = self.context.clock.now();
        let time = end.since(began);
        self.record(|metrics| count(metrics, u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)));
        self.context.book(|books| books.plugin_time += time);
        if time >= NOTICED {
            // The answers that others wait for lie in their sockets meanwhile; they are no timeouts.
            self.context.deadlines.postpone(time);
        }
        (called, (began, end))
    }

    /// Takes over what an instance has logged.
    pub(super) fn collect_log(&self, instance: &mut Instance, vu: u64, iteration: u64) {
        if !instance.has_log() {
            return;
        }
        let (lines, further) = instance.take_log();
        if let Some(watcher) = &self.watcher {
            for (level, message) in lines.iter().cloned() {
                watcher.tell(vu, iteration, EventKind::Log { level, message });
            }
        }
        self.record(|metrics| {
            for (level, line) in &lines {
                metrics.log(*level, line, self.plugin.limits.log_lines as usize);
            }
            metrics.further_log_lines += further;
        });
    }

    /// Draws conclusions from a call. Where guests are too slow again and again, the plugin is given up: every further call would keep
    /// all virtual users of this worker waiting.
    pub(super) fn learn_from<T>(&self, called: &Result<T, Failure>) {
        match called {
            Ok(_) => self.slow.set(0),
            Err(failure) if failure.fault == PluginFault::Timeout => {
                self.slow.set(self.slow.get() + 1);
                if self.slow.get() >= PATIENCE_WITH_SLOWNESS {
                    self.plugin.give_up(&failure.message);
                }
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::own_instances;
    use crate::plan::InstancePolicy::{Auto, PerVu, PerWorker};

    #[test]
    fn virtual_users_share_an_instance_where_there_are_too_many_of_them_or_it_is_large() {
        let small = 1 << 20;
        assert!(own_instances(Auto, 128, 2, small) && !own_instances(Auto, 129, 2, small));
        assert!(!own_instances(Auto, 2, 2, 20 << 20), "an interpreter of its own for each is too much");
        assert!(own_instances(PerVu, 100_000, 1, 20 << 20));
        assert!(!own_instances(PerWorker, 1, 1, small));
    }
}
