//! When a measurement has settled: how many seconds at its beginning are warm-up and say nothing about the server.
//!
//! In: one value per second, such as the median response time. Out: how many of them to drop, or that the series never settled.
//! The rule is MSER-5 (K. P. White, "An effective truncation heuristic for bias reduction in simulation output", Simulation 69(6),
//! 1997): drop what makes the standard error of the mean of the rest smallest, on means of five seconds.

/// Values of one batch, after White.
const BATCH: usize = 5;
/// Values from which on they are batched: with fewer than twenty batches, chance has its way as with fewer than twenty values.
const LONG: usize = 20 * BATCH;
/// Fewest batches that may be left: the variance of fewer is small by chance far too often.
const FEWEST_LEFT: usize = 3;
/// A single value this many typical steps from both of its neighbours is a disturbance, not the level.
const DISTURBED_STEPS: f64 = 4.0;
/// Standard errors between two means that call them different.
const APART: f64 = 3.0;

/// How many leading values of a series are warm-up; `None` where it did not settle within its first half.
///
/// `values` has one finite value per second, without gaps: what to do with a second that has none is the caller's to decide. From 100
/// values on it is judged, and dropped, by fives; a shorter one value by value. Fewer than six values are taken as they are.
///
/// Two things are added to White's rule, because it is applied to measurements and a wrong "not settled" costs a trial. One value
/// far from both of its neighbours (a collection of garbage, a hiccup of the network) is replaced by the median of the three; the
/// first value is never one. And a minimum beyond the half counts only where the second half shows that the level still moves:
/// by chance alone one steady series of 20 values in ten has its minimum there.
///
/// ```
/// use pmcp_loadtest::judge::stationarity::warm_up_length;
/// assert_eq!(warm_up_length(&[90.0, 40.0, 10.0, 11.0, 10.0, 11.0, 10.0, 11.0]), Some(2));
/// let rising: Vec<f64> = (0..100).map(f64::from).collect();
/// assert_eq!(warm_up_length(&rising), None);
/// ```
pub fn warm_up_length(values: &[f64]) -> Option<usize> {
    let size = if values.len() < LONG { 1 } else { BATCH };
    let batches = batch_means(&without_disturbances(values), size);
    let half = batches.len() / 2;
    if half < FEWEST_LEFT {
        return Some(0);
    }
    let errors = squared_errors(&batches);
    // Differences far below the variance of the series are those of rounding.
    let rounding = errors[0] * 1e-12;
    let least_of = |last: usize| {
        (0..=last).fold(0, |least, next| if errors[next] < errors[least] - rounding { next } else { least })
    };
    let settled = least_of(half);
    let fewest_left = FEWEST_LEFT.max(batches.len() / 4);
    if least_of(batches.len() - fewest_left) > half && still_moves(&batches[half..]) {
        return None;
    }
    Some(settled * size)
}

/// The series with each single value that lies far from both of its neighbours replaced by the median of the three.
fn without_disturbances(values: &[f64]) -> Vec<f64> {
    let mut steps: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    steps.sort_by(f64::total_cmp);
    let Some(&typical) = steps.get(steps.len() / 2) else { return values.to_vec() };
    let far = |one: f64, other: f64| (one - other).abs() > DISTURBED_STEPS * typical;
    let mut calm = values.to_vec();
    for (index, window) in values.windows(3).enumerate() {
        let [before, value, after] = [window[0], window[1], window[2]];
        let beyond_both = (value > before) == (value > after);
        if beyond_both && far(value, before) && far(value, after) {
            calm[index + 1] = if value > before { before.max(after) } else { before.min(after) };
        }
    }
    calm
}

/// Means of `size` values each, counted from the first value, so that equal values give zeros without a rounding error. What is left
/// over at the end is in none.
fn batch_means(values: &[f64], size: usize) -> Vec<f64> {
    let origin = values.first().copied().unwrap_or_default();
    let mean = |batch: &[f64]| batch.iter().map(|value| value - origin).sum::<f64>() / size as f64;
    values.chunks_exact(size).map(mean).collect()
}

/// For every number of leading values dropped: the squared standard error of the mean of the rest, times a constant.
fn squared_errors(values: &[f64]) -> Vec<f64> {
    let mut errors = vec![0.0; values.len()];
    // From the end, after Welford: one value more, the mean and the sum of squares around it.
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for (error, value) in errors.iter_mut().zip(values).rev() {
        count += 1.0;
        let distance = value - mean;
        mean += distance / count;
        squares += distance * (value - mean);
        *error = squares / (count * count);
    }
    errors
}

/// Whether the two halves of `values` have different means.
fn still_moves(values: &[f64]) -> bool {
    let (first, second) = values.split_at(values.len() / 2);
    let (first_mean, first_error) = mean_and_squared_error(first);
    let (second_mean, second_error) = mean_and_squared_error(second);
    (first_mean - second_mean).abs() > APART * (first_error + second_error).sqrt()
}

/// The mean, and the square of its standard error: none, where a single value tells nothing of it.
fn mean_and_squared_error(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, squares / (count * (count - 1.0).max(1.0)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// So many values that alternate around a level.
    fn around(level: f64, count: usize) -> Vec<f64> {
        [0.0, 1.0, 0.0, -1.0].iter().map(|noise| level + noise).cycle().take(count).collect()
    }

    /// Uniform in -1..1 from a linear congruential generator (Knuth's MMIX constants): the same series every time.
    fn noise(state: &mut u64) -> f64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    #[test]
    fn a_steady_series_drops_nothing_however_long() {
        for length in [0, 1, 2, 5, 6, 10, 99, 100, 101, 300] {
            assert_eq!(warm_up_length(&vec![0.1; length]), Some(0), "{length} equal values");
            assert_eq!(warm_up_length(&around(20.0, length)), Some(0), "{length} values around a level");
        }
    }

    #[test]
    fn a_level_left_behind_is_dropped() {
        for (length, slow, dropped) in
            [(10, 1, 1), (20, 5, 5), (40, 20, 20), (60, 7, 7), (120, 5, 5), (120, 7, 10), (300, 90, 90)]
        {
            let mut series = around(80.0, slow);
            series.extend(around(20.0, length - slow));
            assert_eq!(warm_up_length(&series), Some(dropped), "{slow} slow seconds of {length}");
        }
    }

    #[test]
    fn a_level_left_behind_by_exact_values_is_dropped_in_spite_of_rounding() {
        let series = [[0.7; 10], [0.1; 10], [0.1; 10]].concat();
        assert_eq!(warm_up_length(&series), Some(10));
    }

    #[test]
    fn one_noisy_second_in_the_middle_drops_nothing() {
        for length in [10, 20, 49, 99, 120] {
            for level in [vec![20.0; length], around(20.0, length)] {
                let mut series = level;
                series[length / 2] = 400.0;
                assert_eq!(warm_up_length(&series), Some(0), "{length} values");
            }
        }
    }

    #[test]
    fn a_disturbance_every_ten_seconds_drops_nothing() {
        let mut series = around(20.0, 60);
        series.iter_mut().skip(5).step_by(10).for_each(|value| *value = 300.0);
        assert_eq!(warm_up_length(&series), Some(0));
    }

    #[test]
    fn a_slow_first_second_is_warm_up_and_no_disturbance() {
        let mut series = around(20.0, 30);
        series[0] = 400.0;
        assert_eq!(warm_up_length(&series), Some(1));
    }

    #[test]
    fn what_never_settles_has_no_warm_up() {
        let rising: Vec<f64> = (0..40).map(f64::from).collect();
        let falling: Vec<f64> = (0..120).rev().map(f64::from).collect();
        let late = [around(80.0, 70), around(20.0, 30)].concat();
        for series in [rising, falling, late] {
            assert_eq!(warm_up_length(&series), None, "{series:?}");
        }
    }

    #[test]
    fn steady_noise_is_rarely_called_moving_and_loses_little() {
        let mut state = 7;
        for length in [10, 20, 30, 60, 99, 100, 300] {
            let (mut moving, mut dropped) = (0, 0);
            for _ in 0..1_000 {
                let series: Vec<f64> =
                    (0..length).map(|_| 20.0 + noise(&mut state) + noise(&mut state)).collect();
                match warm_up_length(&series) {
                    Some(values) => dropped += values,
                    None => moving += 1,
                }
            }
            let share = dropped as f64 / f64::from(1_000 * length);
            println!("{length:>3} values: {moving} of 1000 called moving, {share:.3} dropped on average");
            assert!(
                moving <= if length < 20 { 60 } else { 15 },
                "{length} values: {moving} of 1000 called moving"
            );
            assert!(share < 0.15, "{length} values: {share} dropped on average");
        }
    }

    #[test]
    fn a_decaying_start_is_found_under_noise() {
        let mut state = 11;
        for length in [20, 30, 60, 120, 300] {
            let decay = f64::from(length) / 15.0;
            let mut missed = 0;
            for _ in 0..1_000 {
                let value = |second: i32| 20.0 + 60.0 * (-f64::from(second) / decay).exp();
                let series: Vec<f64> = (0..length).map(|second| value(second) + noise(&mut state)).collect();
                // Two decay times leave 13 % of the excess, four 2 %.
                let found = warm_up_length(&series);
                missed += usize::from(found.is_none_or(|dropped| (dropped as f64) < 2.0 * decay));
            }
            println!("{length:>3} values: the warm-up is missed in {missed} of 1000");
            assert!(missed <= 20, "{length} values: missed in {missed} of 1000");
        }
    }

    proptest! {
        #[test]
        fn never_more_than_half_is_dropped(series in prop::collection::vec(0.0..1e4_f64, 0..200)) {
            if let Some(dropped) = warm_up_length(&series) {
                prop_assert!(2 * dropped <= series.len());
            }
        }

        #[test]
        fn the_unit_does_not_matter(series in prop::collection::vec(1.0..1e3_f64, 0..120), power in -8..8_i32) {
            // A power of two scales without rounding.
            let scaled: Vec<f64> = series.iter().map(|value| value * 2_f64.powi(power)).collect();
            prop_assert_eq!(warm_up_length(&scaled), warm_up_length(&series));
        }
    }
}
