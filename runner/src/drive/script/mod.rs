//! What a virtual user does in one iteration.

pub(crate) mod mix;
pub(crate) mod steps;
