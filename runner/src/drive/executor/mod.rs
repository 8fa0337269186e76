//! Keeps a schedule: the closed model's population of virtual users.

pub(crate) mod population;
