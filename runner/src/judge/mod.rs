//! What it means: samples in, metrics and a verdict out. Pure: no clock, no tokio, no I/O.

pub mod breaking_point;
pub mod capacity;
pub mod expectation;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod metrics;
pub mod observation;
pub mod plugins;
pub mod sample;
pub mod scalability;
pub mod second;
pub mod snapshot;
pub mod stationarity;
pub mod threshold;
pub mod validity;
pub mod verdict;
pub(crate) mod wording;

pub use breaking_point::{
    BreakingPoint, BreakingPointDetector, BreakingPointFinding, BreakingPointReason, Confidence, LoadSecond,
    WantedLoad,
};
pub use expectation::Expectations;
pub use metrics::{
    Arrivals, Delta, Failures, Histogram, Metrics, Outcomes, Recorder, SeriesMetrics, Sums, TimelineRow,
    Trend, WarmUpFacts,
};
pub use observation::{
    Books, Dropped, GeneratorUsage, Observation, RetiredPlugin, ServerFacts, StopReason, WorkerUsage,
};
pub use plugins::{
    CheckCounts, LogLevel, LogLine, MetricFacts, MetricKind, PluginFacts, PluginFailure, PluginFault,
    PluginMetrics, Values,
};
pub use sample::{Clocks, Moment, Outcome, ProtocolFault, Sample, TransportFault};
pub use second::{Second, Seconds};
pub use snapshot::{ClassCount, Progress, Snapshot};
pub use threshold::{Stretch, ThresholdResult, ThresholdWatch, Windows, judge_thresholds, unanswerable};
pub use validity::{Gate, GateName, GateState, judge_validity};
pub use verdict::{Verdict, VerdictOutcome};
