//! The Rust API for plugin authors of `cargo pmcp loadtest`.
//!
//! Empty until the plugin boundary lands: the name and the place are reserved so that the workspace keeps its shape.
