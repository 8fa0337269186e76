//! The protocol as text: JSON-RPC messages, event streams, request templates. Pure: bytes in, values out; no clock, no socket.

pub mod message;
pub mod mirror;
pub mod reply;
pub mod sse;
pub(crate) mod template;
