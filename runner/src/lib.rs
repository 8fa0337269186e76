//! scenario -> iterations -> samples -> verdict
//!
//! The library under `cargo pmcp loadtest`: it drives Model Context Protocol servers with virtual users and judges what it saw.
//! [`plan`] holds what was asked, `drive` does it, [`judge`] says what it means, [`report`] renders it; [`live`] shows it
//! while it lasts.

pub mod cli;
pub mod drive;
pub mod error;
pub mod judge;
pub mod live;
pub mod plan;
pub mod report;

pub use error::{Error, ExitCode};
