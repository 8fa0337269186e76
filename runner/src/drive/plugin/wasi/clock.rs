//! Time that only guests make pass: a reading takes a microsecond, a wait as long as was asked for, and neither takes any of ours.
//!
//! What a guest reads depends on what it did before, never on the machine. Where virtual users share an instance they share its time.

use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::bindings::sync::io::poll;

use super::super::host::HostState;

/// What a reading takes, nanoseconds: a loop that waits for time to pass comes to its end.
const READING: u64 = 1000;
/// When the wall clock begins, Unix time: 2000-01-01, UTC.
const BEGINNING: u64 = 946_684_800;
const NANOSECONDS: u64 = 1_000_000_000;

/// An instance's time.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Since its start, nanoseconds.
    elapsed: u64,
}

impl Clock {
    fn read(&mut self) -> u64 {
        self.pass(READING);
        self.elapsed
    }

    fn pass(&mut self, nanoseconds: u64) {
        self.elapsed = self.elapsed.saturating_add(nanoseconds);
    }

    fn date(&mut self) -> wall_clock::Datetime {
        let elapsed = self.read();
        wall_clock::Datetime {
            seconds: BEGINNING + elapsed / NANOSECONDS,
            nanoseconds: u32::try_from(elapsed % NANOSECONDS).unwrap_or_default(),
        }
    }
}

/// A pollable that is ready; there are no others, and nothing is known of any.
pub(super) fn ready() -> Resource<DynPollable> {
    Resource::new_own(0)
}

impl monotonic_clock::Host for HostState {
    fn now(&mut self) -> Result<u64> {
        Ok(self.system.clock.read())
    }

    fn resolution(&mut self) -> Result<u64> {
        Ok(READING)
    }

    fn subscribe_instant(&mut self, when: u64) -> Result<Resource<DynPollable>> {
        let clock = &mut self.system.clock;
        clock.pass(when.saturating_sub(clock.elapsed));
        Ok(ready())
    }

    fn subscribe_duration(&mut self, nanoseconds: u64) -> Result<Resource<DynPollable>> {
        self.system.clock.pass(nanoseconds);
        Ok(ready())
    }
}

impl wall_clock::Host for HostState {
    fn now(&mut self) -> Result<wall_clock::Datetime> {
        Ok(self.system.clock.date())
    }

    fn resolution(&mut self) -> Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: u32::try_from(READING).unwrap_or(u32::MAX) })
    }
}

impl poll::Host for HostState {
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> Result<Vec<u32>> {
        if pollables.is_empty() {
            return Err(wasmtime::Error::msg("waits for nothing, which would never end"));
        }
        Ok((0..).take(pollables.len()).collect())
    }
}

impl poll::HostPollable for HostState {
    fn ready(&mut self, _pollable: Resource<DynPollable>) -> Result<bool> {
        Ok(true)
    }

    fn block(&mut self, _pollable: Resource<DynPollable>) -> Result<()> {
        Ok(())
    }

    fn drop(&mut self, _pollable: Resource<DynPollable>) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_with_readings_and_waits_and_does_not_run_over() {
        let mut clock = Clock::default();
        assert_eq!((clock.read(), clock.read()), (1000, 2000));
        clock.pass(3600 * NANOSECONDS);
        assert_eq!(clock.date().seconds, BEGINNING + 3600);
        clock.pass(u64::MAX);
        assert_eq!(clock.read(), u64::MAX);
    }
}
