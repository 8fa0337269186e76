//! The search for capacity against simulated servers in virtual time: how near its answers come to the truth, and what it says where the
//! truth is not a number. Pure and seeded: every run is the same.

mod accuracy;
mod bench;
mod findings;
mod kinds;
mod random;
mod server;
mod truth;
