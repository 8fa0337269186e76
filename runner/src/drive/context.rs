//! What all virtual users of one worker share: the clock, the scratch buffers, the deadlines, the books.

use std::cell::RefCell;
use std::sync::Arc;

use super::clock::Clock;
use super::deadline::Deadlines;
use super::transport::Endpoint;
use crate::judge::Books;

/// Size of the buffer that responses are read into, bytes: a response that fits is judged where it lies.
const READ_BUFFER: usize = 64 * 1024;

/// One worker's shared state. Never leaves its thread.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) clock: Clock,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) scratch: RefCell<Scratch>,
    pub(crate) deadlines: Deadlines,
    pub(crate) books: RefCell<Books>,
}

/// Buffers that one request uses at a time, never across a wait.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// What comes in.
    pub(crate) read: Box<[u8]>,
    /// What goes out.
    pub(crate) write: Vec<u8>,
}

impl Context {
    pub(crate) fn new(clock: Clock, endpoint: Arc<Endpoint>) -> Self {
        let scratch = Scratch { read: vec![0; READ_BUFFER].into_boxed_slice(), write: Vec::new() };
        Self {
            clock,
            endpoint,
            scratch: RefCell::new(scratch),
            deadlines: Deadlines::default(),
            books: RefCell::new(Books::default()),
        }
    }
}
