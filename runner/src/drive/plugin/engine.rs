//! The engine that compiles and runs guests: one per process run, made only where a plan has a plugin.
//!
//! Calls are synchronous and bounded by epochs: a thread advances the engine's epoch every few milliseconds, and each call says how
//! many epochs it may last. Compiled code is kept in the user's cache directory, which is as much trusted as the program itself.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::{Cache, CacheConfig, Config, Engine, EngineWeak};

use crate::error::{Error, ExitCode};

/// How often the epoch advances: the precision of every time limit on guest code.
const EPOCH: Duration = Duration::from_millis(10);
/// Frames of a guest's stack that are kept of a trap.
const FRAMES: NonZeroUsize = NonZeroUsize::new(16).expect("not zero");

/// An engine, and the thread that counts its epochs.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) engine: Engine,
    _ticker: Ticker,
}

impl Machine {
    /// Makes an engine. Where the cache cannot be used, plugins are compiled anew every time.
    ///
    /// # Errors
    /// [`ExitCode::Internal`] where this machine cannot run compiled code, or no thread can be started.
    pub(super) fn start() -> Result<Self, Error> {
        let internal = |error: wasmtime::Error| {
            Error::new(ExitCode::Internal, format!("the WebAssembly engine cannot be started: {error:#}"))
        };
        let engine = Engine::new(&configuration()).map_err(internal)?;
        let ticker = Ticker::start(engine.weak()).map_err(|error| {
            Error::new(ExitCode::Internal, "cannot start the thread that limits plugins' time").because(error)
        })?;
        Ok(Self { engine, _ticker: ticker })
    }
}

/// How many epochs a call may last so that it has at least `limit`.
pub(super) fn epochs(limit: Duration) -> u64 {
    // The epoch that runs already is not a whole one.
    u64::try_from(limit.as_millis().div_ceil(EPOCH.as_millis())).unwrap_or(u64::MAX).saturating_add(1)
}

fn configuration() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.wasm_backtrace_max_frames(Some(FRAMES));
    // The same seed gives the same plans on every machine, floats included.
    config.cranelift_nan_canonicalization(true);
    config.cache(cache());
    config
}

/// Compiled plugins, in a directory of the user's own.
fn cache() -> Option<Cache> {
    let directory = cache_directory()?;
    make_private(&directory)?;
    let mut config = CacheConfig::new();
    config.with_directory(directory);
    Cache::new(config).ok()
}

/// `$XDG_CACHE_HOME/pmcp-loadtest`, or where a system of this kind keeps caches.
fn cache_directory() -> Option<PathBuf> {
    let absolute =
        |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| {
        if cfg!(windows) {
            return absolute("LOCALAPPDATA");
        }
        let below_home = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
        std::env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(below_home))
    })?;
    Some(caches.join("pmcp-loadtest"))
}

/// Makes the directory one that nobody else can write to; `None` where that fails.
fn make_private(directory: &std::path::Path) -> Option<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).ok()
}

/// Advances an engine's epoch until it is dropped.
#[derive(Debug)]
struct Ticker {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    fn start(engine: EngineWeak) -> std::io::Result<Self> {
        let done = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new().name("plugin-epochs".to_owned()).spawn({
            let done = Arc::clone(&done);
            move || {
                while !done.load(Ordering::Relaxed) {
                    std::thread::park_timeout(EPOCH);
                    let Some(engine) = engine.upgrade() else { return };
                    engine.increment_epoch();
                }
            }
        })?;
        Ok(Self { done, thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A thread that panicked has nothing left to be waited for.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_at_least_its_limit() {
        assert_eq!(epochs(Duration::from_millis(1)), 2);
        assert_eq!(epochs(Duration::from_millis(10)), 2);
        assert_eq!(epochs(Duration::from_millis(11)), 3);
        assert_eq!(epochs(Duration::from_secs(1)), 101);
        assert_eq!(epochs(Duration::MAX), u64::MAX);
    }
}
