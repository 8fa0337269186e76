//! A distribution of plain numbers, three significant digits: the values of a custom metric, the time of a plugin's calls.
//!
//! In: numbers from zero, in whatever unit. Out: as of [`super::Histogram`].

use std::fmt;

use super::buckets::{Buckets, Packed};

const LARGEST_THOUSANDTHS: u64 = 1_000_000_000_000_000;

/// Numbers from 0 to 10^12 at a resolution of 0.001. Adding is exact, associative and commutative.
///
/// A larger one is counted as overflow, never clamped: a quantile that falls among them is `None`. An empty one has no heap.
///
/// ```
/// use pmcp_loadtest::judge::Trend;
/// let mut basket = Trend::default();
/// assert!((1..=100).all(|price| basket.record(f64::from(price) / 4.0)));
/// assert!(!basket.record(-1.0));
/// assert_eq!((basket.count(), basket.quantile(0.5)), (100, Some(12.503)));
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Trend {
    buckets: Buckets<LARGEST_THOUSANDTHS>,
}

impl Trend {
    /// The largest number that has a bucket; larger ones are counted as overflow.
    pub const LARGEST: f64 = from_thousandths(LARGEST_THOUSANDTHS);

    /// Counts one number, rounded to the nearest thousandth; below 10 ns. Whether it was counted: what is negative or not finite is not.
    #[must_use]
    pub fn record(&mut self, number: f64) -> bool {
        if !number.is_finite() || number < 0.0 {
            return false;
        }
        self.record_thousandths(to_thousandths(number));
        true
    }

    /// Counts a number that is known in thousandths: nanoseconds, where the unit is a microsecond. About 3 ns; allocates only while the
    /// largest number still grows.
    pub fn record_thousandths(&mut self, thousandths: u64) {
        self.buckets.record(thousandths);
    }

    /// How many numbers were counted, overflow included.
    pub fn count(&self) -> u64 {
        self.buckets.count()
    }

    /// How many of them were above [`Trend::LARGEST`].
    pub fn overflow(&self) -> u64 {
        self.buckets.overflow()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// The number that a share of `quantile` (0 to 1) of the counted ones do not exceed; `None` where nothing was counted or it lies
    /// above [`Trend::LARGEST`].
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        self.buckets.quantile(quantile).map(from_thousandths)
    }

    /// The smallest number counted, to three digits.
    pub fn min(&self) -> Option<f64> {
        self.buckets.min().map(from_thousandths)
    }

    /// The largest number counted, to three digits; `None` where nothing was counted or it lies above [`Trend::LARGEST`].
    pub fn max(&self) -> Option<f64> {
        self.buckets.max().map(from_thousandths)
    }

    /// The mean of the numbers up to [`Trend::LARGEST`], to three digits.
    pub fn mean(&self) -> Option<f64> {
        self.buckets.mean().map(|thousandths| thousandths / 1e3)
    }

    /// The sum of the numbers above `number`, without overflow, to three digits.
    pub fn sum_above(&self, number: f64) -> f64 {
        self.buckets.sum_above(to_thousandths(number)) / 1e3
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.buckets.add(&other.buckets);
    }

    /// The counts in few bytes.
    pub(in crate::judge) fn pack(&self) -> Packed {
        self.buckets.pack()
    }

    /// Takes away counts that were added before.
    pub(in crate::judge) fn take_away(&mut self, packed: &Packed) {
        self.buckets.take_away(packed);
    }

    /// Forgets all counts and keeps the memory.
    pub fn clear(&mut self) {
        self.buckets.clear();
    }

    /// The counts of thousandths in `HdrHistogram`'s compressed V2 form (deflate), as base64. Overflow is not in it.
    pub fn to_base64(&self) -> String {
        self.buckets.to_base64()
    }

    /// Reads what [`Trend::to_base64`] wrote; `overflow` travels beside it. The reason is a fragment for a person.
    pub fn from_base64(text: &str, overflow: u64) -> Result<Self, String> {
        Buckets::from_base64(text, overflow).map(|buckets| Self { buckets })
    }
}

/// To the nearest. `round` would be a call into the C library, and half the cost of recording.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates: what is too large becomes the largest u64, which is overflow"
)]
fn to_thousandths(number: f64) -> u64 {
    (number * 1e3 + 0.5) as u64
}

/// Divided, not multiplied: 3 / 1000 is the double nearest to 0.003, 3 x 0.001 is not.
const fn from_thousandths(thousandths: u64) -> f64 {
    thousandths as f64 / 1e3
}

impl fmt::Debug for Trend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Trend")
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

    fn of(numbers: &[f64]) -> Trend {
        let mut trend = Trend::default();
        for &number in numbers {
            assert!(trend.record(number), "{number}");
        }
        trend
    }

    #[test]
    fn what_is_no_number_from_zero_on_is_refused_and_leaves_no_trace() {
        let mut trend = Trend::default();
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.001] {
            assert!(!trend.record(number), "{number}");
        }
        assert_eq!(trend, Trend::default());
        assert!(trend.record(-0.0), "zero with a sign is zero");
    }

    #[test]
    fn a_number_too_large_is_counted_and_pushes_the_quantiles_that_reach_it_out_of_sight() {
        let trend = of(&[1.0, 2.0, 1e12, 1.1e12, f64::MAX]);
        assert_eq!((trend.count(), trend.overflow()), (5, 2));
        assert_eq!(trend.quantile(0.4), Some(2.0));
        assert_eq!((trend.quantile(1.0), trend.max()), (None, None));
        let largest = trend.quantile(0.6).unwrap();
        assert!((largest / Trend::LARGEST - 1.0).abs() < 0.001, "{largest}");
    }

    #[test]
    fn nanoseconds_are_thousandths_of_microseconds() {
        let mut trend = Trend::default();
        trend.record_thousandths(920);
        assert_eq!((trend.min(), trend.max(), trend.mean()), (Some(0.92), Some(0.92), Some(0.92)));
    }

    #[test]
    fn the_sum_above_a_number_leaves_out_what_is_not_above_it() {
        let trend = of(&[1.0, 1.0, 5.0, 100.0]);
        assert!((trend.sum_above(1.0) - 105.0).abs() < 0.2, "{}", trend.sum_above(1.0));
        assert!((trend.sum_above(0.0) - 107.0).abs() < 0.2);
        assert!(trend.sum_above(101.0).abs() < f64::EPSILON);
    }

    #[test]
    fn clearing_forgets_everything() {
        let mut trend = of(&[7.0, 1e13]);
        trend.clear();
        assert_eq!(trend, Trend::default());
        assert_eq!((trend.quantile(0.5), trend.mean(), trend.min()), (None, None, None));
    }

    proptest! {
        // Walking many buckets is slow without optimization.
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_quantile_is_the_exact_order_statistic_to_three_digits(
            mut numbers in prop::collection::vec(prop_oneof![0.0_f64..10.0, 0.0_f64..1e6, 0.0_f64..1e12], 1..60),
            quantile in 0.0_f64..=1.0,
        ) {
            let found = of(&numbers).quantile(quantile).unwrap();
            numbers.sort_by(f64::total_cmp);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank among 60")]
            let rank = ((quantile * numbers.len() as f64 - 1e-9).ceil() as usize).max(1);
            let exact = numbers[rank - 1];
            prop_assert!(found >= exact - 0.001 && found <= exact * 1.001 + 0.001, "{found} for {exact}");
        }

        #[test]
        fn adding_is_recording_all_in_one_and_the_compressed_form_keeps_it(
            left in prop::collection::vec(0.0_f64..2e12, 0..30),
            right in prop::collection::vec(0.0_f64..2e12, 0..30),
        ) {
            let mut sum = of(&left);
            sum.add(&of(&right));
            let mut other_way = of(&right);
            other_way.add(&of(&left));
            prop_assert_eq!(&sum, &of(&[left, right].concat()));
            prop_assert_eq!(&sum, &other_way);
            let decoded = Trend::from_base64(&sum.to_base64(), sum.overflow());
            prop_assert_eq!(decoded.as_ref(), Ok(&sum));
        }
    }
}
