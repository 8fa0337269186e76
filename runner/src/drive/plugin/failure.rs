//! How a guest failed, in words for a person.

use rustc_demangle::demangle;
use wasmtime::{Error, Trap, WasmBacktrace};

use super::host::shortened;
use crate::judge::PluginFault;

/// A call of a guest that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// How it failed.
    pub(crate) fault: PluginFault,
    /// What is to be said of it.
    pub(crate) message: String,
    /// Where in the guest, innermost first.
    pub(crate) backtrace: Vec<String>,
}

impl Failure {
    pub(super) fn new(fault: PluginFault, message: impl Into<String>) -> Self {
        Self { fault, message: message.into(), backtrace: Vec::new() }
    }

    /// Whether the guest's instance is beyond use.
    pub(super) fn is_fatal(&self) -> bool {
        matches!(self.fault, PluginFault::Trap | PluginFault::Timeout | PluginFault::Memory)
    }

    /// All that is known, for a person.
    pub(super) fn in_full(&self) -> String {
        let frames = self.backtrace.iter().map(|frame| format!("\n    in {frame}"));
        std::iter::once(self.message.clone()).chain(frames).collect()
    }

    /// What a call's error means. `last_words` is what the guest said of a panic, `refused` whether it asked for too much memory;
    /// `limits` tells both limits in words.
    pub(super) fn of(
        error: &Error,
        last_words: Option<String>,
        refused: bool,
        limits: &LimitsInWords,
    ) -> Self {
        let trap = error.downcast_ref::<Trap>();
        let panicked = last_words.is_some();
        let (fault, message) = if trap == Some(&Trap::Interrupt) {
            (PluginFault::Timeout, format!("{} took longer than {}", limits.call, limits.time))
        } else if refused {
            (PluginFault::Memory, format!("{} wanted more memory than {}", limits.call, limits.memory))
        } else if let Some(words) = last_words {
            (PluginFault::Trap, format!("panicked: {words}"))
        } else if error.root_cause().to_string().contains("fuel allocated for hostcalls") {
            (PluginFault::Memory, format!("{} handed over more than {} at once", limits.call, limits.memory))
        } else if is_out_of_mappings(error) {
            let what = "this machine has no room for another instance: raise vm.max_map_count, or share instances with \
                        `instances = \"per-worker\"`";
            (PluginFault::Memory, what.to_owned())
        } else {
            // Without the backtrace, which is told apart.
            let cause = trap.map_or_else(|| error.root_cause().to_string(), Trap::to_string);
            (PluginFault::Trap, format!("{} trapped: {}", limits.call, shortened(&cause)))
        };
        let frames = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).unwrap_or_default();
        let frames = frames.iter().map(|frame| name_of(frame.func_name(), frame.func_index())).collect();
        let backtrace = if panicked { from_the_panic_on(frames) } else { frames };
        Self { fault, message, backtrace }
    }
}

/// Whether the kernel refused memory to the host itself: each instance takes four of the mappings that a process may have
/// (Linux `vm.max_map_count`, 65,530 unless it was raised).
fn is_out_of_mappings(error: &Error) -> bool {
    error.root_cause().to_string().contains("Cannot allocate memory")
}

/// What a call was allowed, for the message that says that it wanted more.
#[derive(Debug)]
pub(super) struct LimitsInWords {
    pub(super) call: &'static str,
    pub(super) time: String,
    pub(super) memory: String,
}

/// The frames without those by which Rust's own library panics: the innermost that is left is where it happened.
fn from_the_panic_on(mut frames: Vec<String>) -> Vec<String> {
    const MACHINERY: [&str; 5] = ["__rust", "rust_", "std::", "core::", "alloc::"];
    let is_machinery = |frame: &String| MACHINERY.iter().any(|crate_of| frame.starts_with(crate_of));
    // Where there is nothing else, it is better than nothing.
    let first = frames.iter().position(|frame| !is_machinery(frame)).unwrap_or(0);
    frames.drain(..first);
    frames
}

/// Longest name of a function that is kept, characters.
const LONGEST_NAME: usize = 200;

/// A function's name as its author wrote it, without the hash that Rust's compiler adds.
fn name_of(name: Option<&str>, index: u32) -> String {
    match name {
        Some(name) => shortened(&format!("{:#}", demangle(name))).chars().take(LONGEST_NAME).collect(),
        None => format!("function {index}"),
    }
}

#[cfg(test)]
mod tests {
    use super::from_the_panic_on;

    #[test]
    fn a_backtrace_begins_where_the_guest_panicked() {
        let frames = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let machinery =
            ["__rustc::rust_panic", "std::panicking::panic_with_hook", "core::panicking::panic_fmt"];
        let own = ["<shop::Shop as Plugin>::plan", "core::ops::function::FnOnce::call_once"];
        assert_eq!(from_the_panic_on(frames(&[&machinery[..], &own].concat())), frames(&own));
        assert_eq!(from_the_panic_on(frames(&machinery)), frames(&machinery));
    }
}
