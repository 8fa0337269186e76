//! HTTP/1.1 by hand: whole requests in, bytes out. By hand because a fault is a matter of bytes - a reset, half a head - and
//! an HTTP library exists to make those impossible.

pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod wire;
