//! How a run is going: the plain value that is published on every tick and that progress displays show.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::Metrics;

/// A running test at one instant. Serializes to one line of `--progress jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Snapshot {
    /// How far the run has come.
    #[serde(flatten)]
    pub progress: Progress,
    /// Operations that came to an end so far: ok or failed.
    pub requests: u64,
    /// Of them, those that were ok.
    pub ok: u64,
    /// Of them, those that failed.
    pub errors: u64,
    /// Failed operations by class, most frequent first.
    pub errors_by_class: Vec<ClassCount>,
    /// Operations per second over the last three whole seconds; over all there was, at the beginning.
    #[serde(rename = "recent_per_s")]
    pub recent_rate: f64,
    /// Median response time of ok operations over the last three whole seconds.
    #[serde(rename = "recent_p50_us", serialize_with = "optional_micros")]
    pub recent_p50: Option<Duration>,
    /// 99th percentile of it.
    #[serde(rename = "recent_p99_us", serialize_with = "optional_micros")]
    pub recent_p99: Option<Duration>,
}

/// How far a run has come: what its engine knows beside the samples.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Progress {
    /// Time since the origin.
    #[serde(rename = "elapsed_s", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// Planned length of the run; `None` where only iterations end it.
    #[serde(rename = "planned_duration_s", serialize_with = "optional_seconds")]
    pub planned_duration: Option<Duration>,
    /// Iterations done so far.
    pub iterations: u64,
    /// Planned iterations; `None` where only time ends the run.
    pub planned_iterations: Option<u64>,
    /// Virtual users that are active: of open loads, those at work.
    pub active_vus: u32,
    /// Iterations per second that the open loads want just now; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted_per_s: Option<f64>,
    /// Iterations of open loads whose instant came so far.
    pub iterations_due: u64,
    /// Of them, those that were dropped.
    pub dropped: u64,
    /// The second from which on the server left its baseline, once it has.
    #[serde(rename = "breaking_point_s", skip_serializing_if = "Option::is_none")]
    pub breaking_point: Option<u64>,
}

/// How many operations failed in one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// See [`super::Outcome::class`].
    pub class: &'static str,
    /// How many.
    pub count: u64,
}

impl Snapshot {
    /// The view of `metrics` at the instant that `progress` tells of.
    pub fn new(metrics: &Metrics, progress: Progress) -> Self {
        let outcomes = metrics.outcomes();
        let recent = metrics.recent();
        let (counted, over) = if recent.seconds == 0 {
            (outcomes.requests(), progress.elapsed.as_secs_f64())
        } else {
            (recent.requests, recent.seconds as f64)
        };
        let mut errors_by_class: Vec<ClassCount> =
            outcomes.by_class().into_iter().map(|(class, count)| ClassCount { class, count }).collect();
        errors_by_class.sort_by(|left, right| right.count.cmp(&left.count).then(left.class.cmp(right.class)));
        Self {
            progress,
            requests: outcomes.requests(),
            ok: outcomes.ok(),
            errors: outcomes.errors(),
            errors_by_class,
            recent_rate: if over > 0.0 { counted as f64 / over } else { 0.0 },
            recent_p50: recent.response_time.quantile(0.5),
            recent_p99: recent.response_time.quantile(0.99),
        }
    }
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

#[expect(clippy::ref_option, reason = "the signature serde asks for")]
fn optional_seconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64()).serialize(serializer)
}

#[expect(clippy::ref_option, reason = "the signature serde asks for")]
fn optional_micros<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_micros()).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Clocks, Moment, Outcome, Recorder, Sample};
    use crate::plan::{SeriesId, WarmUp};

    const OPERATION: SeriesId = SeriesId(SeriesId::LIFECYCLE);

    fn merge(metrics: &mut Metrics, second: u64, calls: &[(Outcome, u64)]) {
        let mut recorder = Recorder::new(4);
        for &(outcome, milliseconds) in calls {
            let end = Moment::from_nanos(milliseconds * 1_000_000);
            let clocks = Clocks {
                due: Moment::ORIGIN,
                ready: Moment::ORIGIN,
                sent: Moment::ORIGIN,
                headers: None,
                first_event: None,
                result: None,
                end,
            };
            let sample = Sample { series: OPERATION, clocks, outcome, bytes_sent: 1, bytes_received: 1 };
            recorder.record(&sample, true, String::new);
        }
        metrics.merge(&recorder.take(None), second, 1);
    }

    fn at(seconds: u64) -> Progress {
        Progress { elapsed: Duration::from_secs(seconds), ..Progress::default() }
    }

    #[test]
    fn the_rate_is_that_of_the_last_three_seconds_not_of_the_whole_run() {
        let mut metrics = Metrics::new(4, WarmUp::None);
        merge(&mut metrics, 0, &[(Outcome::Ok, 900); 90]);
        for second in 1..=9 {
            merge(&mut metrics, second, &[(Outcome::Ok, 10); 3]);
        }
        let snapshot = Snapshot::new(&metrics, at(9));
        assert!((snapshot.recent_rate - 3.0).abs() < 1e-9);
        assert_eq!(snapshot.recent_p99.unwrap().as_millis(), 10);
        assert_eq!(snapshot.requests, 90 + 27);
    }

    #[test]
    fn the_first_second_already_has_a_rate() {
        let mut metrics = Metrics::new(4, WarmUp::None);
        merge(&mut metrics, 0, &[(Outcome::Ok, 1); 5]);
        let progress = Progress { elapsed: Duration::from_millis(500), ..Progress::default() };
        assert!((Snapshot::new(&metrics, progress).recent_rate - 10.0).abs() < 1e-9);
        assert!(Snapshot::new(&Metrics::new(4, WarmUp::None), Progress::default()).recent_rate.abs() < 1e-9);
    }

    #[test]
    fn the_most_frequent_class_of_errors_comes_first() {
        let mut metrics = Metrics::new(4, WarmUp::None);
        let errors = [
            Outcome::ToolError,
            Outcome::Timeout,
            Outcome::RpcError { code: 1 },
            Outcome::RpcError { code: 2 },
        ];
        merge(&mut metrics, 0, &errors.map(|outcome| (outcome, 1)));
        let snapshot = Snapshot::new(&metrics, at(1));
        let classes: Vec<_> =
            snapshot.errors_by_class.iter().map(|class| (class.class, class.count)).collect();
        assert_eq!(classes, [("rpc_error", 2), ("timeout", 1), ("tool_error", 1)]);
        assert_eq!(snapshot.errors, 4);
    }

    #[test]
    fn a_snapshot_is_one_flat_json_object_with_units_in_its_names() {
        let mut metrics = Metrics::new(4, WarmUp::None);
        merge(&mut metrics, 0, &[(Outcome::Ok, 1)]);
        let progress = Progress { planned_duration: Some(Duration::from_secs(30)), active_vus: 4, ..at(2) };
        let json = serde_json::to_value(Snapshot::new(&metrics, progress)).unwrap();
        assert_eq!(json["elapsed_s"], 2.0);
        assert_eq!(json["planned_duration_s"], 30.0);
        assert_eq!(json["active_vus"], 4);
        assert_eq!(json["recent_p50_us"], serde_json::Value::Null);
    }
}
