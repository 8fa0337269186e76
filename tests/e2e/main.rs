//! The tool seen from outside: the real binary against the demo server on port 0.
//!
//! Every test starts its own server with its own script, so that all may run at once; none sleeps.

mod books;
mod breaking_points;
mod capacity;
mod command;
mod compatibility;
mod faults;
#[cfg(unix)]
mod gates;
mod hostile_plugins;
#[cfg(unix)]
mod interrupts;
mod library;
mod open_loads;
#[cfg(feature = "plugins")]
mod plugin_runs;
mod plugins;
#[cfg(feature = "plugins")]
mod rehearsals;
mod reports;
mod secrets;
mod starter;
mod threshold_windows;
mod thresholds;
mod tool;
