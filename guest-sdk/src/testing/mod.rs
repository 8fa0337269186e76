//! Plugins tested with plain `cargo test`.

pub(crate) mod imports;
mod world;

pub use world::World;
