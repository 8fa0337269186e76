//! The river: sessions, virtual users and transports; everything that waits. In: a [`Plan`](crate::plan::Plan). Out: an
//! [`Observation`](crate::judge::Observation).

#![cfg_attr(
    not(feature = "plugins"),
    expect(dead_code, reason = "what only plugins use stays in its place in a build without them")
)]

#[cfg(target_os = "linux")]
pub mod affinity;
mod alarm;
pub mod capacity;
mod clock;
mod context;
mod deadline;
mod engine;
mod executor;
pub mod limits;
mod link;
mod load;
mod negotiate;
mod pacer;
#[cfg_attr(not(feature = "plugins"), path = "plugin/absent.rs")]
mod plugin;
mod prepare;
pub mod protocol;
mod responder;
mod script;
mod series;
#[cfg(target_os = "linux")]
pub mod server_process;
mod session;
mod shared_session;
#[cfg(test)]
mod tests;
pub mod transport;
mod usage;
mod vu;
mod worker;

pub use clock::date_and_time;
pub use engine::{Controls, PIECE, StopRequest};
#[cfg(feature = "plugins")]
pub use plugin::{Event, EventKind, Inspection, Pauses, inspect};
pub use prepare::{Prepared, Survey, prepare, prepare_in_memory};
