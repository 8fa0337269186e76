//! The demo server seen from outside, over real sockets: the rules of both eras, streams, every fault, every limit.

#[cfg(test)]
mod client;
#[cfg(test)]
mod eras;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod streams;
