//! Random numbers: those of the present iteration, whatever a guest believes of their secrecy.

use wasmtime::Result;
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

use super::super::host::HostState;

/// Most random bytes that are given at once: more is no seed and no key.
const MOST_BYTES: u64 = 1 << 20;

impl HostState {
    fn random_bytes(&mut self, count: u64) -> Result<Vec<u8>> {
        if count > MOST_BYTES {
            let message = format!("asked for {count} random bytes at once; {MOST_BYTES} are allowed");
            return Err(wasmtime::Error::msg(message));
        }
        let numbers = std::iter::repeat_with(|| self.random.next_u64());
        Ok(numbers.flat_map(u64::to_le_bytes).take(usize::try_from(count)?).collect())
    }
}

impl random::Host for HostState {
    fn get_random_bytes(&mut self, count: u64) -> Result<Vec<u8>> {
        self.random_bytes(count)
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        Ok(self.random.next_u64())
    }
}

impl insecure::Host for HostState {
    fn get_insecure_random_bytes(&mut self, count: u64) -> Result<Vec<u8>> {
        self.random_bytes(count)
    }

    fn get_insecure_random_u64(&mut self) -> Result<u64> {
        Ok(self.random.next_u64())
    }
}

impl insecure_seed::Host for HostState {
    /// The same for every instance: hash tables are seeded with it once, in whatever iteration comes first.
    fn insecure_seed(&mut self) -> Result<(u64, u64)> {
        Ok((0, 0))
    }
}
