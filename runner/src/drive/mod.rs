//! The river: sessions, virtual users and transports; everything that waits. In: a [`Plan`](crate::plan::Plan). Out: an
//! [`Observation`](crate::judge::Observation).

mod clock;
mod context;
mod deadline;
pub mod protocol;
pub mod transport;
