//! A distribution of times: 1 us to 1 h, three significant digits.
//!
//! In: nanoseconds. Out: counts and quantiles, and the compressed form in which reports carry a distribution, so that they can be
//! merged and compared exactly.

use std::fmt;
use std::time::Duration;

use super::buckets::{Buckets, Packed};

/// The largest time that has a bucket; longer ones are counted as overflow.
pub const LARGEST: Duration = Duration::from_hours(1);

const LARGEST_MICROS: u64 = 3_600_000_000;

/// Times in microseconds. Adding is exact, associative and commutative.
///
/// A time above [`LARGEST`] is counted as overflow, never clamped: a quantile that falls among them is `None`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    buckets: Buckets<LARGEST_MICROS>,
}

impl Histogram {
    /// Counts one time, rounded to the nearest microsecond. 2.5 ns; allocates only while the largest value still grows.
    pub fn record_nanos(&mut self, nanoseconds: u64) {
        self.buckets.record(nanoseconds.saturating_add(500) / 1000);
    }

    /// How many times were counted, overflow included.
    pub fn count(&self) -> u64 {
        self.buckets.count()
    }

    /// How many of them were above [`LARGEST`].
    pub fn overflow(&self) -> u64 {
        self.buckets.overflow()
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
        self.buckets.quantile(quantile).map(Duration::from_micros)
    }

    /// The smallest time counted, to the histogram's precision.
    pub fn min(&self) -> Option<Duration> {
        self.buckets.min().map(Duration::from_micros)
    }

    /// The largest time counted, to the histogram's precision; `None` where nothing was counted or it lies above [`LARGEST`].
    pub fn max(&self) -> Option<Duration> {
        self.buckets.max().map(Duration::from_micros)
    }

    /// The mean of the counted times up to [`LARGEST`], to the histogram's precision.
    pub fn mean(&self) -> Option<Duration> {
        self.buckets.mean().map(|micros| Duration::from_secs_f64(micros / 1e6))
    }

    /// How many of the counted times were at most `time`, to the histogram's precision.
    ///
    /// ```
    /// use std::time::Duration;
    /// use pmcp_loadtest::judge::Histogram;
    /// let mut times = Histogram::default();
    /// (1..=100).for_each(|milliseconds| times.record_nanos(milliseconds * 1_000_000));
    /// assert_eq!(times.count_up_to(Duration::from_millis(30)), 30);
    /// ```
    pub fn count_up_to(&self, time: Duration) -> u64 {
        self.buckets.count_up_to(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.buckets.add(&other.buckets);
    }

    /// The counts in few bytes.
    pub(in crate::judge) fn pack(&self) -> Packed {
        self.buckets.pack()
    }

    /// Adds packed counts.
    pub(in crate::judge) fn add_packed(&mut self, packed: &Packed) {
        self.buckets.add_packed(packed);
    }

    /// Takes away counts that were added before.
    pub(in crate::judge) fn take_away(&mut self, packed: &Packed) {
        self.buckets.take_away(packed);
    }

    /// Forgets all counts and keeps the memory.
    pub fn clear(&mut self) {
        self.buckets.clear();
    }

    /// The counts in `HdrHistogram`'s compressed V2 form (deflate), as base64. Overflow is not in it.
    pub fn to_base64(&self) -> String {
        self.buckets.to_base64()
    }

    /// Reads what [`Histogram::to_base64`] wrote; `overflow` travels beside it. The reason is a fragment for a person.
    pub fn from_base64(text: &str, overflow: u64) -> Result<Self, String> {
        Buckets::from_base64(text, overflow).map(|buckets| Self { buckets })
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Histogram")
            .field("count", &self.count())
            .field("overflow", &self.overflow())
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
        fn what_is_packed_can_be_added_and_taken_away_again(
            left in prop::collection::vec(0_u64..4_000_000_000_000, 0..50),
            right in prop::collection::vec(0_u64..4_000_000_000_000, 0..50),
        ) {
            let mut sum = of(&left);
            sum.add_packed(&of(&right).pack());
            prop_assert_eq!(&sum, &of(&[left.clone(), right.clone()].concat()));
            sum.take_away(&of(&left).pack());
            let expected = of(&right);
            prop_assert_eq!((sum.min(), sum.max()), (expected.min(), expected.max()));
            prop_assert_eq!(&sum, &expected);
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
