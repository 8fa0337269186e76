//! What all virtual users of one worker share: the clock, the scratch buffers, the deadlines, the metrics, the books.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use rustls::ClientConfig;

use super::clock::Clock;
use super::deadline::Deadlines;
use super::link::Measured;
use super::transport::{Endpoint, MemoryServer, Transport, h1, memory, reqwest};
use crate::error::Error;
use crate::judge::{Books, Expectations, Recorder, Sample};
use crate::plan::{Plan, SeriesId, TransportKind};

/// Size of the buffer that responses are read into, bytes: a response that fits is judged where it lies.
const READ_BUFFER: usize = 64 * 1024;

/// One worker's shared state. Never leaves its thread.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) clock: Clock,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) carrier: Carrier,
    pub(crate) scratch: RefCell<Scratch>,
    pub(crate) deadlines: Deadlines,
    pub(crate) recorder: RefCell<Recorder>,
    /// What open loads plan their conversations by.
    pub(crate) expectations: RefCell<Expectations>,
    books: RefCell<Books>,
    /// Whether the measured window is still open: the end of the run has not begun.
    pub(crate) in_window: Cell<bool>,
}

/// What carries requests; chosen once per run.
#[derive(Debug, Clone)]
pub(crate) enum Carrier {
    /// Our own HTTP/1.1 exchange.
    H1,
    /// reqwest, with this configuration of TLS.
    Reqwest(Arc<ClientConfig>),
    /// A scripted server in this process.
    Memory(MemoryServer),
}

/// Buffers that one request uses at a time, never across a wait.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// What comes in.
    pub(crate) read: Box<[u8]>,
    /// What goes out.
    pub(crate) write: Vec<u8>,
}

impl Carrier {
    /// The carrier that a plan asks for.
    ///
    /// # Errors
    /// [`ExitCode::Internal`](crate::error::ExitCode::Internal) where the platform's certificates cannot be loaded.
    pub(crate) fn of(plan: &Plan, endpoint: &Endpoint) -> Result<Self, Error> {
        Ok(match plan.settings.transport {
            TransportKind::H1 => Self::H1,
            TransportKind::Reqwest => Self::Reqwest(reqwest::tls_config(endpoint)?),
        })
    }
}

impl Context {
    pub(crate) fn new(clock: Clock, endpoint: Arc<Endpoint>, carrier: Carrier, series: usize) -> Self {
        let scratch = Scratch { read: vec![0; READ_BUFFER].into_boxed_slice(), write: Vec::new() };
        Self {
            clock,
            endpoint,
            carrier,
            scratch: RefCell::new(scratch),
            deadlines: Deadlines::default(),
            recorder: RefCell::new(Recorder::new(series)),
            expectations: RefCell::default(),
            books: RefCell::new(Books::default()),
            in_window: Cell::new(true),
        }
    }

    /// A way to the server, not yet connected.
    pub(crate) fn new_transport(&self) -> Transport {
        match &self.carrier {
            Carrier::H1 => Transport::H1(h1::Connection::default()),
            Carrier::Reqwest(tls) => Transport::Reqwest(reqwest::Connection::new(Arc::clone(tls))),
            Carrier::Memory(server) => Transport::Memory(memory::Connection::new(server.clone())),
        }
    }

    /// The books so far.
    pub(crate) fn books(&self) -> Books {
        *self.books.borrow()
    }

    /// Changes the books.
    pub(crate) fn book(&self, entry: impl FnOnce(&mut Books)) {
        entry(&mut self.books.borrow_mut());
    }

    /// Counts a measured call; `detail` is what a person should know of it, should it have failed.
    pub(crate) fn record(&self, series: SeriesId, measured: &Measured, detail: &str) {
        let Measured { clocks, outcome, bytes_sent, bytes_received, .. } = *measured;
        let sample = Sample { series, clocks, outcome, bytes_sent, bytes_received };
        self.recorder.borrow_mut().record(&sample, self.in_window.get(), || detail.to_owned());
        self.book(|books| books.service_time += clocks.end.since(clocks.sent));
    }
}
