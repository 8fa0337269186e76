//! The host itself: its log, and what it can do.

pub use crate::bindings::pmcp::loadtest::host::Level;
use crate::imports;

/// Writes a line to the run's log; [`info!`](crate::info) and its sisters format one. The host keeps the first lines of each level
/// and counts the rest, so that a plugin cannot flood it.
pub fn log(level: Level, message: &str) {
    imports::log(level, message);
}

/// Whether this host knows a feature that came after version 0.1 of the interface, such as "action/subscribe".
pub fn supports(feature: &str) -> bool {
    imports::supports(feature)
}

/// Writes a line of level trace to the run's log, formatted as `format!` does.
#[macro_export]
macro_rules! trace {
    ($($format:tt)+) => { $crate::host::log($crate::host::Level::Trace, &::std::format!($($format)+)) };
}

/// Writes a line of level debug to the run's log, formatted as `format!` does.
#[macro_export]
macro_rules! debug {
    ($($format:tt)+) => { $crate::host::log($crate::host::Level::Debug, &::std::format!($($format)+)) };
}

/// Writes a line of level info to the run's log, formatted as `format!` does.
#[macro_export]
macro_rules! info {
    ($($format:tt)+) => { $crate::host::log($crate::host::Level::Info, &::std::format!($($format)+)) };
}

/// Writes a line of level warn to the run's log, formatted as `format!` does.
#[macro_export]
macro_rules! warn {
    ($($format:tt)+) => { $crate::host::log($crate::host::Level::Warn, &::std::format!($($format)+)) };
}

/// Writes a line of level error to the run's log, formatted as `format!` does.
#[macro_export]
macro_rules! error {
    ($($format:tt)+) => { $crate::host::log($crate::host::Level::Error, &::std::format!($($format)+)) };
}
