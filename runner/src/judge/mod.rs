//! What it means: samples in, metrics and a verdict out. Pure: no clock, no tokio, no I/O.

pub mod metrics;
pub mod observation;
pub mod sample;

pub use metrics::{Delta, Metrics, Recorder};
pub use observation::{Books, GeneratorUsage, Observation, ServerFacts, StopReason, WorkerUsage};
pub use sample::{Clocks, Moment, Outcome, ProtocolFault, Sample, TransportFault};
