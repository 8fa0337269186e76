//! Counts of whole numbers at three significant digits, in memory that grows with the largest one seen.
//!
//! What [`super::Histogram`] and [`super::Trend`] have in common; each gives the numbers a unit and a largest value. The only file
//! that knows `hdrhistogram`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer, V2Serializer};

/// Significant decimal digits of every recorded value: a quantile is at most 0.1 % above the value it stands for.
pub const SIGNIFICANT_DIGITS: u8 = 3;

/// Counts of numbers from 0 to `LARGEST`; a larger one is counted as overflow, never clamped.
#[derive(Clone, Default)]
pub(super) struct Buckets<const LARGEST: u64> {
    /// Created with the first value: most series never fail, and need no memory for the times of failures.
    counts: Option<hdrhistogram::Histogram<u64>>,
    overflow: u64,
}

/// Counts in few bytes, which can be added to others and taken away from them again: about two per bucket that is in use, where the
/// counts themselves take 16 KiB and more.
#[derive(Debug, Clone)]
pub(in crate::judge) struct Packed {
    /// `HdrHistogram`'s V2 form; empty where nothing was counted.
    bytes: Vec<u8>,
    overflow: u64,
}

impl<const LARGEST: u64> Buckets<LARGEST> {
    /// Counts one number. 2.5 ns; allocates only while the largest number still grows.
    pub(super) fn record(&mut self, number: u64) {
        if number > LARGEST {
            self.overflow += 1;
            return;
        }
        let recorded = self.counts.get_or_insert_with(empty).record(number);
        debug_assert!(recorded.is_ok(), "every number up to LARGEST has a bucket");
    }

    /// How many were counted, overflow included.
    pub(super) fn count(&self) -> u64 {
        self.counts.as_ref().map_or(0, hdrhistogram::Histogram::len) + self.overflow
    }

    pub(super) fn overflow(&self) -> u64 {
        self.overflow
    }

    /// The number that a share of `quantile` (0 to 1) do not exceed; `None` where nothing was counted or it is overflow.
    pub(super) fn quantile(&self, quantile: f64) -> Option<u64> {
        let counts = self.counts.as_ref()?;
        // The tolerance keeps 0.07 x 100 = 7.000000000000001 from becoming rank 8.
        let rank = (quantile * self.count() as f64 - 1e-9).ceil().max(1.0);
        if rank > counts.len() as f64 {
            return None;
        }
        // Half a rank below is the same rank after the rounding up inside, whatever the division loses.
        let quantile = (rank - 0.5) / counts.len() as f64;
        Some(counts.value_at_quantile(quantile))
    }

    pub(super) fn min(&self) -> Option<u64> {
        self.non_empty().map(hdrhistogram::Histogram::min)
    }

    /// `None` where nothing was counted or the largest is overflow.
    pub(super) fn max(&self) -> Option<u64> {
        if self.overflow > 0 {
            return None;
        }
        self.non_empty().map(hdrhistogram::Histogram::max)
    }

    /// The mean of those that are no overflow.
    pub(super) fn mean(&self) -> Option<f64> {
        self.non_empty().map(hdrhistogram::Histogram::mean)
    }

    /// The sum of the numbers above `number`, without overflow; a bucket counts with its middle.
    pub(super) fn sum_above(&self, number: u64) -> f64 {
        let Some(counts) = self.non_empty() else { return 0.0 };
        let above = counts.iter_recorded().filter(|bucket| bucket.value_iterated_to() > number);
        above
            .map(|bucket| {
                counts.median_equivalent(bucket.value_iterated_to()) as f64 * bucket.count_at_value() as f64
            })
            .sum()
    }

    /// How many numbers were at most `number`, to the precision of the buckets.
    pub(super) fn count_up_to(&self, number: u64) -> u64 {
        let Some(counts) = self.non_empty() else { return 0 };
        counts.count_between(0, number.min(LARGEST))
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.overflow += other.overflow;
        if let Some(theirs) = other.non_empty() {
            let added = self.counts.get_or_insert_with(empty).add(theirs);
            debug_assert!(added.is_ok(), "both resize themselves");
        }
    }

    pub(super) fn pack(&self) -> Packed {
        let mut bytes = Vec::new();
        if let Some(counts) = self.non_empty() {
            let written = V2Serializer::new().serialize(counts, &mut bytes);
            debug_assert!(written.is_ok(), "a Vec takes every byte");
            bytes.shrink_to_fit();
        }
        Packed { bytes, overflow: self.overflow }
    }

    pub(super) fn add_packed(&mut self, packed: &Packed) {
        self.overflow += packed.overflow;
        if let Some(theirs) = packed.counts() {
            let added = self.counts.get_or_insert_with(empty).add(&theirs);
            debug_assert!(added.is_ok(), "both resize themselves");
        }
    }

    /// Takes away what was added before.
    pub(super) fn take_away(&mut self, packed: &Packed) {
        self.overflow -= packed.overflow;
        if let Some(theirs) = packed.counts() {
            let taken = self.counts.get_or_insert_with(empty).subtract(&theirs);
            debug_assert!(taken.is_ok(), "what is taken away was added before");
        }
    }

    /// Forgets all counts and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.overflow = 0;
        // An empty one costs no write: clearing 2,048 counters or more is for those that were used.
        if let Some(counts) = self.counts.as_mut().filter(|counts| !counts.is_empty()) {
            counts.reset();
        }
    }

    /// The counts in `HdrHistogram`'s compressed V2 form (deflate), as base64. Overflow is not in it.
    pub(super) fn to_base64(&self) -> String {
        let nothing = empty();
        let mut bytes = Vec::new();
        let written =
            V2DeflateSerializer::new().serialize(self.counts.as_ref().unwrap_or(&nothing), &mut bytes);
        debug_assert!(written.is_ok(), "a Vec takes every byte");
        BASE64.encode(bytes)
    }

    /// Reads what [`Buckets::to_base64`] wrote. The reason is a fragment for a person.
    pub(super) fn from_base64(text: &str, overflow: u64) -> Result<Self, String> {
        let bytes = BASE64.decode(text).map_err(|error| format!("histogram is not base64: {error}"))?;
        let mut counts: hdrhistogram::Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| format!("histogram is not HdrHistogram V2 deflate: {error}"))?;
        counts.auto(true);
        Ok(Self { counts: Some(counts).filter(|counts| !counts.is_empty()), overflow })
    }

    fn non_empty(&self) -> Option<&hdrhistogram::Histogram<u64>> {
        self.counts.as_ref().filter(|counts| !counts.is_empty())
    }
}

impl Packed {
    fn counts(&self) -> Option<hdrhistogram::Histogram<u64>> {
        if self.bytes.is_empty() {
            return None;
        }
        let counts = Deserializer::new().deserialize(&mut self.bytes.as_slice());
        debug_assert!(counts.is_ok(), "the bytes are our own");
        counts.ok()
    }
}

fn empty() -> hdrhistogram::Histogram<u64> {
    hdrhistogram::Histogram::new(SIGNIFICANT_DIGITS)
        .expect("three digits are within what HdrHistogram allows")
}

/// Equal counts in equal buckets, however much memory each has grown to.
impl<const LARGEST: u64> PartialEq for Buckets<LARGEST> {
    fn eq(&self, other: &Self) -> bool {
        let counts = |buckets: &Self| {
            buckets.non_empty().map(|counts| {
                counts
                    .iter_recorded()
                    .map(|bucket| (bucket.value_iterated_to(), bucket.count_at_value()))
                    .collect::<Vec<_>>()
            })
        };
        self.overflow == other.overflow && counts(self) == counts(other)
    }
}

impl<const LARGEST: u64> Eq for Buckets<LARGEST> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_stay_small_in_memory() {
        let mut buckets = Buckets::<{ u64::MAX >> 1 }>::default();
        assert!(buckets.counts.is_none());
        buckets.record(900);
        assert_eq!(buckets.counts.unwrap().distinct_values(), 2048);
    }
}
