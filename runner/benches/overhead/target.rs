//! The server that is hit: one thread that answers from prepared text and counts what it answered.
//!
//! It spins while anybody is connected. A server that sleeps between requests charges every client for waking it (up to 7 us of
//! the client's system time per request), the more the slower the client is, and would so flatter the fast ones.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use socket2::{Domain, Socket, Type};

use crate::machine;
use crate::wire::{Replies, Served};

const LISTENER: Token = Token(usize::MAX);
const END: Token = Token(usize::MAX - 1);
const READ_BUFFER: usize = 64 * 1024;

/// A client's connection.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// The beginning of a request whose end has not come.
    received: Vec<u8>,
    /// The end of a reply that the socket had no room for.
    unsent: Vec<u8>,
}

#[derive(Debug)]
struct Server {
    poll: Poll,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    replies: Replies,
    buffer: Box<[u8]>,
    out: Vec<u8>,
}

/// Serves until standard input ends; first prints the address it listens on.
pub(crate) fn serve() -> anyhow::Result<()> {
    machine::pin(machine::TARGET_CORE);
    machine::raise_descriptor_limit();
    let poll = Poll::new()?;
    let mut listener = listen()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let end = EndOfInput::watch(&poll)?;
    crate::process::announce(listener.local_addr()?);
    let mut server = Server {
        poll,
        listener,
        connections: Vec::new(),
        free: Vec::new(),
        replies: Replies::new(),
        buffer: vec![0; READ_BUFFER].into_boxed_slice(),
        out: Vec::new(),
    };
    let mut events = Events::with_capacity(1024);
    while !end.has_come() {
        let idle = server.connections.len() == server.free.len();
        server.poll.poll(&mut events, if idle { None } else { Some(Duration::ZERO) })?;
        for event in &events {
            match event.token() {
                LISTENER => server.accept()?,
                END => {}
                Token(index) => server.attend(index, event.is_read_closed()),
            }
        }
    }
    Ok(())
}

/// Listens with room for all clients of a run at once: a connection that finds none is tried again only after a second.
fn listen() -> std::io::Result<TcpListener> {
    const BACKLOG: i32 = 16_384;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// Says when standard input ends: whoever started the target is gone. Shared, because an epoll forgets the waker of a thread
/// that has ended.
#[derive(Debug)]
struct EndOfInput {
    come: AtomicBool,
    waker: Waker,
}

impl EndOfInput {
    fn watch(poll: &Poll) -> std::io::Result<Arc<Self>> {
        let end = Arc::new(Self { come: AtomicBool::new(false), waker: Waker::new(poll.registry(), END)? });
        let told = Arc::clone(&end);
        std::thread::spawn(move || {
            // An input that cannot be read has ended, too.
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            told.come.store(true, Ordering::Relaxed);
            // Should it fail, the poll is not asleep but gone.
            let _ = told.waker.wake();
        });
        Ok(end)
    }

    fn has_come(&self) -> bool {
        self.come.load(Ordering::Relaxed)
    }
}

impl Server {
    fn accept(&mut self) -> std::io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // The client went away before it was accepted.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let index = self.free.pop().unwrap_or(self.connections.len());
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(index), interest)?;
            let connection = Connection { stream, received: Vec::new(), unsent: Vec::new() };
            if index == self.connections.len() {
                self.connections.push(Some(connection));
            } else {
                self.connections[index] = Some(connection);
            }
        }
    }

    /// Takes what a connection has sent and answers it; a connection that breaks, or that the client has `closed`, is dropped.
    fn attend(&mut self, index: usize, closed: bool) {
        // An event may be left over from a connection that was closed in this same round.
        let Some(connection) = self.connections[index].as_mut() else { return };
        let alive = connection.attend(&mut self.replies, &mut self.buffer, &mut self.out);
        if closed || !alive.unwrap_or(false) {
            self.connections[index] = None;
            self.free.push(index);
        }
    }
}

impl Connection {
    /// False when the client has closed it.
    fn attend(
        &mut self,
        replies: &mut Replies,
        buffer: &mut [u8],
        out: &mut Vec<u8>,
    ) -> std::io::Result<bool> {
        out.clear();
        out.append(&mut self.unsent);
        loop {
            let length = match self.stream.read(buffer) {
                Ok(0) => return Ok(false),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
            self.take(&buffer[..length], replies, out)?;
            if length < buffer.len() {
                break; // a short read has emptied the socket (epoll(7), question 9)
            }
        }
        self.send(out)
    }

    fn take(&mut self, bytes: &[u8], replies: &mut Replies, out: &mut Vec<u8>) -> std::io::Result<()> {
        let mut held = std::mem::take(&mut self.received);
        let mut rest = if held.is_empty() {
            bytes
        } else {
            held.extend_from_slice(bytes);
            &held
        };
        while !rest.is_empty() {
            match replies.serve(rest, out) {
                Served::Request { length } => rest = &rest[length..],
                Served::Incomplete => break,
                Served::Nonsense => return Err(ErrorKind::InvalidData.into()),
            }
        }
        self.received = rest.to_vec();
        Ok(())
    }

    fn send(&mut self, mut bytes: &[u8]) -> std::io::Result<bool> {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(length) => bytes = &bytes[length..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.unsent = bytes.to_vec();
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}
