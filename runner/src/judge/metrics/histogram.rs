//! A distribution of times: 1 us to 1 h, three significant digits, in memory that grows with the largest value seen.
//!
//! In: nanoseconds. Out: counts and quantiles, and the compressed form in which reports carry a distribution, so that they can be
//! merged and compared exactly. The only file that knows `hdrhistogram`.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

/// Significant decimal digits of every recorded value: a quantile is at most 0.1 % above the value it stands for.
pub const SIGNIFICANT_DIGITS: u8 = 3;

/// The largest time that has a bucket; longer ones are counted as overflow.
pub const LARGEST: Duration = Duration::from_hours(1);

const LARGEST_MICROS: u64 = 3_600_000_000;

/// Times in microseconds. Adding is exact, associative and commutative.
///
/// A time above [`LARGEST`] is counted as overflow, never clamped: a quantile that falls among them is `None`.
#[derive(Clone, Default)]
pub struct Histogram {
    /// Created with the first value: most series never fail, and need no memory for the times of failures.
    buckets: Option<hdrhistogram::Histogram<u64>>,
    overflow: u64,
}

impl Histogram {
    /// Counts one time, rounded to the nearest microsecond. 2.5 ns; allocates only while the largest value still grows.
    pub fn record_nanos(&mut self, nanoseconds: u64) {
        let microseconds = nanoseconds.saturating_add(500) / 1000;
        if microseconds > LARGEST_MICROS {
            self.overflow += 1;
            return;
        }
        let recorded = self.buckets_mut().record(microseconds);
        debug_assert!(recorded.is_ok(), "every value up to LARGEST has a bucket");
    }

    /// How many times were counted, overflow included.
    pub fn count(&self) -> u64 {
        self.recorded() + self.overflow
    }

    /// How many of them were above [`LARGEST`].
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// The time that a share of `quantile` (0 to 1) of the counted times do not exceed; `None` where nothing was counted or the
    /// time lies above [`LARGEST`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use pmcp_loadtest::judge::Histogram;
    /// let mut times = Histogram::default();
    /// (1..=100).for_each(|milliseconds| times.record_nanos(milliseconds * 1_000_000));
    /// assert_eq!(times.quantile(0.5).map(|time| time.as_millis()), Some(50));
    /// assert_eq!(Histogram::default().quantile(0.5), None);
    /// ```
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        let buckets = self.buckets.as_ref()?;
        // The tolerance keeps 0.07 x 100 = 7.000000000000001 from becoming rank 8.
        let rank = (quantile * self.count() as f64 - 1e-9).ceil().max(1.0);
        if rank > buckets.len() as f64 {
            return None;
        }
        // Half a rank below is the same rank after the rounding up inside, whatever the division loses.
        let quantile = (rank - 0.5) / buckets.len() as f64;
        Some(Duration::from_micros(buckets.value_at_quantile(quantile)))
    }

    /// The smallest time counted, to the histogram's precision.
    pub fn min(&self) -> Option<Duration> {
        self.non_empty().map(|buckets| Duration::from_micros(buckets.min()))
    }

    /// The largest time counted, to the histogram's precision; `None` where nothing was counted or it lies above [`LARGEST`].
    pub fn max(&self) -> Option<Duration> {
        if self.overflow > 0 {
            return None;
        }
        self.non_empty().map(|buckets| Duration::from_micros(buckets.max()))
    }

    /// The mean of the counted times up to [`LARGEST`], to the histogram's precision.
    pub fn mean(&self) -> Option<Duration> {
        self.non_empty().map(|buckets| Duration::from_secs_f64(buckets.mean() / 1e6))
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.overflow += other.overflow;
        if let Some(theirs) = other.non_empty() {
            let added = self.buckets_mut().add(theirs);
            debug_assert!(added.is_ok(), "both resize themselves");
        }
    }

    /// Forgets all counts and keeps the memory.
    pub fn clear(&mut self) {
        self.overflow = 0;
        // An empty one costs no write: clearing 2,048 counters or more is for those that were used.
        if let Some(buckets) = self.buckets.as_mut().filter(|buckets| !buckets.is_empty()) {
            buckets.reset();
        }
    }

    /// The counts in `HdrHistogram`'s compressed V2 form (deflate), as base64. Overflow is not in it.
    pub fn to_base64(&self) -> String {
        let empty = empty_buckets();
        let mut bytes = Vec::new();
        let written =
            V2DeflateSerializer::new().serialize(self.buckets.as_ref().unwrap_or(&empty), &mut bytes);
        debug_assert!(written.is_ok(), "a Vec takes every byte");
        BASE64.encode(bytes)
    }

    /// Reads what [`Histogram::to_base64`] wrote; `overflow` travels beside it. The reason is a fragment for a person.
    pub fn from_base64(text: &str, overflow: u64) -> Result<Self, String> {
        let bytes = BASE64.decode(text).map_err(|error| format!("histogram is not base64: {error}"))?;
        let mut decoded: hdrhistogram::Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| format!("histogram is not HdrHistogram V2 deflate: {error}"))?;
        decoded.auto(true);
        Ok(Self { buckets: Some(decoded).filter(|buckets| !buckets.is_empty()), overflow })
    }

    fn recorded(&self) -> u64 {
        self.buckets.as_ref().map_or(0, hdrhistogram::Histogram::len)
    }

    fn non_empty(&self) -> Option<&hdrhistogram::Histogram<u64>> {
        self.buckets.as_ref().filter(|buckets| !buckets.is_empty())
    }

    fn buckets_mut(&mut self) -> &mut hdrhistogram::Histogram<u64> {
        self.buckets.get_or_insert_with(empty_buckets)
    }
}

fn empty_buckets() -> hdrhistogram::Histogram<u64> {
    hdrhistogram::Histogram::new(SIGNIFICANT_DIGITS)
        .expect("three digits are within what HdrHistogram allows")
}

/// Equal counts in equal buckets, however much memory each has grown to.
impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        let counts = |histogram: &Self| {
            histogram.non_empty().map(|buckets| {
                buckets
                    .iter_recorded()
                    .map(|bucket| (bucket.value_iterated_to(), bucket.count_at_value()))
                    .collect::<Vec<_>>()
            })
        };
        self.overflow == other.overflow && counts(self) == counts(other)
    }
}

impl Eq for Histogram {}

impl fmt::Debug for Histogram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Histogram")
            .field("count", &self.count())
            .field("overflow", &self.overflow)
            .field("min", &self.min())
            .field("p50", &self.quantile(0.5))
            .field("max", &self.max())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(nanoseconds: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for &value in nanoseconds {
            histogram.record_nanos(value);
        }
        histogram
    }

    #[test]
    fn a_time_above_an_hour_is_counted_and_pushes_the_quantiles_that_reach_it_out_of_sight() {
        let histogram = of(&[1_000_000, 2_000_000, 3_600_000_001_000]);
        assert_eq!((histogram.count(), histogram.overflow()), (3, 1));
        assert_eq!(histogram.quantile(0.5), Some(Duration::from_millis(2)));
        assert_eq!(histogram.quantile(0.99), None);
        assert_eq!(histogram.max(), None);
    }

    #[test]
    fn an_hour_itself_is_still_recorded() {
        let histogram = of(&[3_600_000_000_000]);
        assert_eq!(histogram.overflow(), 0);
        let error = histogram.max().unwrap().as_secs_f64() / 3600.0 - 1.0;
        assert!(error.abs() < 0.001, "{error}");
    }

    #[test]
    fn sub_microsecond_times_round_to_the_nearest_microsecond() {
        let histogram = of(&[400, 600]);
        assert_eq!(histogram.min(), Some(Duration::ZERO));
        assert_eq!(histogram.max(), Some(Duration::from_micros(1)));
    }

    #[test]
    fn clearing_forgets_the_extremes_too() {
        let mut histogram = of(&[5_000_000_000]);
        histogram.clear();
        assert!(histogram.is_empty());
        histogram.record_nanos(1_000_000);
        assert_eq!(histogram, of(&[1_000_000]));
    }

    #[test]
    fn small_values_stay_small_in_memory() {
        let histogram = of(&[900_000]);
        assert_eq!(histogram.buckets.unwrap().distinct_values(), 2048);
    }

    #[test]
    fn what_is_not_a_histogram_is_refused_with_a_reason() {
        assert!(Histogram::from_base64("no base64!", 0).unwrap_err().contains("base64"));
        assert!(Histogram::from_base64("AAAA", 0).unwrap_err().contains("V2"));
    }

    proptest! {
        // Walking an hour's buckets is slow without optimization.
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_quantile_is_the_exact_order_statistic_to_three_digits(
            mut values in prop::collection::vec(0_u64..4_000_000_000_000, 1..200),
            quantile in 0.0_f64..=1.0,
        ) {
            let histogram = of(&values);
            values.sort_unstable();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank among 200")]
            let rank = ((quantile * values.len() as f64 - 1e-9).ceil() as usize).max(1);
            let exact = (values[rank - 1] + 500) / 1000;
            match histogram.quantile(quantile) {
                None => prop_assert!(exact > LARGEST_MICROS),
                Some(found) => {
                    let found = found.as_micros() as f64;
                    prop_assert!(found >= exact as f64 && found <= exact as f64 * 1.001 + 1.0, "{found} for {exact}");
                }
            }
        }

        #[test]
        fn adding_is_recording_all_in_one(
            left in prop::collection::vec(0_u64..4_000_000_000_000, 0..50),
            right in prop::collection::vec(0_u64..4_000_000_000_000, 0..50),
        ) {
            let mut sum = of(&left);
            sum.add(&of(&right));
            let mut other_way = of(&right);
            other_way.add(&of(&left));
            prop_assert_eq!(&sum, &of(&[left, right].concat()));
            prop_assert_eq!(&sum, &other_way);
        }

        #[test]
        fn the_compressed_form_decodes_to_an_equal_histogram(
            values in prop::collection::vec(0_u64..4_000_000_000_000, 0..100),
        ) {
            let histogram = of(&values);
            let decoded = Histogram::from_base64(&histogram.to_base64(), histogram.overflow());
            prop_assert_eq!(decoded.as_ref(), Ok(&histogram));
        }
    }
}
