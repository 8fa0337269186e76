//! What a virtual user does in one iteration.

pub(crate) mod steps;
