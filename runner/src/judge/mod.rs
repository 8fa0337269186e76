//! What it means: samples in, metrics and a verdict out. Pure: no clock, no tokio, no I/O.

pub mod metrics;
pub mod observation;
pub mod sample;
pub mod snapshot;

pub use metrics::{Delta, Failures, Histogram, Metrics, Outcomes, Recorder, SeriesMetrics, TimelineRow};
pub use observation::{Books, GeneratorUsage, Observation, ServerFacts, StopReason, WorkerUsage};
pub use sample::{Clocks, Moment, Outcome, ProtocolFault, Sample, TransportFault};
pub use snapshot::{ClassCount, Progress, Snapshot};
