//! How far a run has come and how long it still has. Pure.

use std::time::Duration;

use crate::judge::Progress;

/// How much of the run is done, from 0 to 1: by the plan that ends it first. `None` where no plan ends it.
pub(super) fn done_ratio(progress: &Progress) -> Option<f64> {
    let by_time =
        progress.planned_duration.map(|planned| ratio(progress.elapsed.as_secs_f64(), planned.as_secs_f64()));
    let by_count =
        progress.planned_iterations.map(|planned| ratio(progress.iterations as f64, planned as f64));
    by_time.into_iter().chain(by_count).reduce(f64::max)
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 1.0 }
}

/// How long a run still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remaining {
    /// So long, if nothing stops it.
    Exactly(Duration),
    /// So long, if iterations go on as they went so far.
    About(Duration),
    /// Its plan is fulfilled; what runs may end.
    Ending,
    /// Nobody can say.
    Unknown,
}

impl Remaining {
    /// What `progress` lets one expect.
    pub(super) fn of(progress: &Progress) -> Self {
        if done_ratio(progress).is_some_and(|done| done >= 1.0) {
            return Self::Ending;
        }
        let by_time = progress.planned_duration.map(|planned| planned.saturating_sub(progress.elapsed));
        let by_count = estimate(progress);
        match (by_time, by_count) {
            (Some(exact), Some(about)) if about < exact => Self::About(about),
            (Some(exact), _) => Self::Exactly(exact),
            (None, Some(about)) => Self::About(about),
            (None, None) => Self::Unknown,
        }
    }

    /// `9s left`, or nothing where there is nothing to say.
    pub(super) fn words(self) -> Option<String> {
        match self {
            // What has begun counts: with half a second left there is not "0s left".
            Self::Exactly(left) => Some(format!("{} left", clock(left + Duration::from_millis(999)))),
            Self::About(left) => Some(format!("~{} left", clock(left + Duration::from_millis(999)))),
            Self::Ending => Some("ending".to_owned()),
            Self::Unknown => None,
        }
    }
}

/// When the planned iterations will be done, at the pace so far.
fn estimate(progress: &Progress) -> Option<Duration> {
    let planned = progress.planned_iterations?;
    let done = (progress.iterations > 0).then_some(progress.iterations as f64)?;
    let left = planned.saturating_sub(progress.iterations) as f64;
    Duration::try_from_secs_f64(progress.elapsed.as_secs_f64() * left / done).ok()
}

/// A time in whole seconds as the configuration would spell it: `21s`, `1m05s`, `2h07m`.
pub(super) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 21.25 s into a run of 1,000 iterations.
    fn iterations(done: u64, limit: Option<Duration>) -> Progress {
        Progress {
            elapsed: Duration::from_millis(21_250),
            iterations: done,
            planned_iterations: Some(1_000),
            planned_duration: limit,
            active_vus: 1,
            ..Progress::default()
        }
    }

    #[test]
    fn the_plan_that_ends_the_run_first_says_what_remains() {
        let limit = |seconds| Some(Duration::from_secs(seconds));
        let table = [
            // 340 of 1,000 iterations in 21.25 s: the rest takes 41.25 s.
            (iterations(340, None), "~42s left"),
            (iterations(340, limit(600)), "~42s left"),
            (iterations(340, limit(30)), "9s left"),
            (iterations(0, limit(30)), "9s left"),
            (iterations(1_000, limit(600)), "ending"),
            (iterations(340, limit(20)), "ending"),
        ];
        for (progress, expected) in table {
            assert_eq!(Remaining::of(&progress).words().as_deref(), Some(expected));
        }
        assert_eq!(Remaining::of(&iterations(0, None)), Remaining::Unknown);
    }

    #[test]
    fn the_plan_that_is_nearer_to_its_end_says_how_much_is_done() {
        let limit = Some(Duration::from_millis(42_500));
        assert_eq!(done_ratio(&iterations(250, None)), Some(0.25));
        assert_eq!(done_ratio(&iterations(250, limit)), Some(0.5));
        assert_eq!(done_ratio(&iterations(750, limit)), Some(0.75));
        assert_eq!(done_ratio(&iterations(2_000, limit)), Some(1.0));
        assert_eq!(done_ratio(&Progress::default()), None);
    }

    #[test]
    fn clocks_read_like_the_configuration() {
        let shown = [0, 59, 60, 65, 3_599, 3_600, 7_620].map(|seconds| clock(Duration::from_secs(seconds)));
        assert_eq!(shown, ["0s", "59s", "1m00s", "1m05s", "59m59s", "1h00m", "2h07m"]);
    }
}
