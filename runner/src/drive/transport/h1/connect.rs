//! Opens connections: TCP, TLS where the target wants it, and what the errors mean.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::super::Endpoint;
use crate::judge::TransportFault;

/// A byte stream to the server.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Plain TCP.
    Tcp(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
    /// A pipe in this process, for tests of the codec.
    #[cfg(test)]
    Pipe(tokio::io::DuplexStream),
}

impl Stream {
    /// Whether what was written may still lie in a buffer of ours.
    pub(super) fn buffers(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Sends the acknowledgement that the kernel is holding back. Linux forgets the option with the next segment, so it is set anew
    /// each time it is needed; a failure only costs the time we would have saved.
    pub(super) fn acknowledge_now(&self) {
        #[cfg(target_os = "linux")]
        {
            let tcp = match self {
                Self::Tcp(tcp) => tcp,
                Self::Tls(tls) => tls.get_ref().0,
                #[cfg(test)]
                Self::Pipe(_) => return,
            };
            let _ = socket2::SockRef::from(tcp).set_tcp_quickack(true);
        }
    }
}

/// Connects to the first address that accepts.
///
/// # Errors
/// What kind of fault the last address's failure is, and its message.
pub(super) async fn connect(endpoint: &Endpoint) -> Result<Stream, (TransportFault, String)> {
    let mut failure = io::Error::new(io::ErrorKind::AddrNotAvailable, "the host has no address");
    for address in &endpoint.addresses {
        match TcpStream::connect(address).await {
            Ok(tcp) => return secure(endpoint, tcp).await,
            Err(error) => failure = error,
        }
    }
    let fault = match fault_of(&failure) {
        TransportFault::Io | TransportFault::Reset | TransportFault::Closed => TransportFault::Connect,
        fault => fault,
    };
    Err((fault, failure.to_string()))
}

async fn secure(endpoint: &Endpoint, tcp: TcpStream) -> Result<Stream, (TransportFault, String)> {
    // Without it the kernel may hold back the second half of a request; where it cannot be set the connection still works.
    let _ = tcp.set_nodelay(true);
    match &endpoint.tls {
        None => Ok(Stream::Tcp(tcp)),
        Some((connector, name)) => connector
            .connect(name.clone(), tcp)
            .await
            .map(|tls| Stream::Tls(Box::new(tls)))
            .map_err(|error| (TransportFault::Tls, error.to_string())),
    }
}

/// What an I/O error says about the connection.
pub(super) fn fault_of(error: &io::Error) -> TransportFault {
    /// `EMFILE` and `ENFILE` have no `ErrorKind`; the numbers are the same on every Unix.
    const NO_DESCRIPTOR: [i32; 2] = [24, 23];
    match error.kind() {
        io::ErrorKind::ConnectionRefused => TransportFault::Refused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            TransportFault::Reset
        }
        io::ErrorKind::UnexpectedEof => TransportFault::Closed,
        io::ErrorKind::AddrNotAvailable => TransportFault::NoPort,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::TimedOut => {
            TransportFault::Connect
        }
        _ if cfg!(unix) && error.raw_os_error().is_some_and(|code| NO_DESCRIPTOR.contains(&code)) => {
            TransportFault::NoDescriptor
        }
        _ => TransportFault::Io,
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buffer),
            #[cfg(test)]
            Self::Pipe(pipe) => Pin::new(pipe).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, bytes),
            #[cfg(test)]
            Self::Pipe(pipe) => Pin::new(pipe).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
            #[cfg(test)]
            Self::Pipe(pipe) => Pin::new(pipe).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
            #[cfg(test)]
            Self::Pipe(pipe) => Pin::new(pipe).poll_shutdown(cx),
        }
    }
}
