//! A small MCP server of both protocol eras, on loopback, that is healthy by default and fails by [`Script`].
//!
//! It serves three masters: `cargo pmcp loadtest run --demo`, which starts it in its own process; the end-to-end tests, which
//! script its faults and balance a client's figures against its [`Counters`]; and the official conformance suite. HTTP is
//! written by hand because faults are made of bytes. In comes a script, out come a URL and books.

mod catalog;
mod counters;
mod draws;
mod http;
mod play;
mod protocol;
mod script;
mod server;
mod shared;

pub use counters::Counters;
pub use play::Only;
pub use play::fault::{Fault, FaultKind};
pub use play::latency::{Delay, Latency, Stall};
pub use script::{Eras, Form, Script, Sessions, Split};
pub use server::DemoServer;
