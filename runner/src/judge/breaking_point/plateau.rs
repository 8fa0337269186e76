//! Whether throughput still follows the load: the slope of ok calls per second over the load, by least squares with its error.

use super::LoadSecond;
use super::baseline::Baseline;

/// The load must have grown by one of these factors within the seconds that are looked at: a little shows a plateau early where there
/// is little noise, more where there is more.
const GROWTHS: [f64; 3] = [1.25, 1.5, 2.0];
/// Fewest seconds for a slope with an error worth its name.
const FEWEST_SECONDS: usize = 8;
/// Standard errors below the bound.
const BEYOND_NOISE: f64 = 2.0;
/// Response time against the baseline, from which on virtual users wait noticeably longer.
const WAITS_LONGER: f64 = 1.2;

/// Whether the last of `seconds` is on a plateau: more load brought less than `ratio` of what it brought at the baseline, beyond noise.
///
/// By Little's law, users who bring no throughput must wait longer or fail. Where neither shows, the load's effect is only late, as
/// after a step when users think first.
pub(super) fn is_plateau(seconds: &[LoadSecond], baseline: &Baseline, ratio: f64) -> bool {
    let (Some(now), Some(per_load)) = (seconds.last(), baseline.ok_per_load) else { return false };
    let waits_longer = now.row.p50.is_some_and(|p50| p50 > baseline.p50.mul_f64(WAITS_LONGER));
    let failing = now.row.errors as f64 / now.row.requests.max(1) as f64 > 2.0 * baseline.most_error_ratio();
    if !(waits_longer || failing || now.wanted.dropped > 0) {
        return false;
    }
    GROWTHS.into_iter().any(|growth| {
        let slope = grown(seconds, growth).and_then(|points| slope(&points));
        slope.is_some_and(|(slope, error)| slope + BEYOND_NOISE * error < ratio * per_load)
    })
}

/// The load from which on a throughput of `ok_per_s` is all there is, if the baseline had gone on: where the two lines meet.
pub(super) fn knee(ok_per_s: f64, baseline: &Baseline) -> Option<f64> {
    baseline.ok_per_load.filter(|per_load| *per_load > 0.0).map(|per_load| ok_per_s / per_load)
}

/// Load and throughput of the last seconds, in which the load grew by a factor; `None` where it did not, or fell.
fn grown(seconds: &[LoadSecond], factor: f64) -> Option<Vec<(f64, f64)>> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut later = f64::INFINITY;
    let now = seconds.last()?.load()?;
    for second in seconds.iter().rev() {
        let load = second.load().filter(|load| *load > 0.0 && *load <= later)?;
        points.push((load, second.ok_per_s()));
        if points.len() >= FEWEST_SECONDS && load * factor <= now {
            return Some(points);
        }
        later = load;
    }
    None
}

/// The slope of the line through `points` and its standard error; `None` where all lie at one place.
fn slope(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let count = points.len() as f64;
    let (sum_x, sum_y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let spread: f64 = points.iter().map(|point| (point.0 - mean_x).powi(2)).sum();
    let together: f64 = points.iter().map(|point| (point.0 - mean_x) * (point.1 - mean_y)).sum();
    if spread <= 0.0 || points.len() < 3 {
        return None;
    }
    let slope = together / spread;
    let residuals: f64 =
        points.iter().map(|point| (point.1 - mean_y - slope * (point.0 - mean_x)).powi(2)).sum();
    Some((slope, (residuals / (count - 2.0) / spread).sqrt()))
}
