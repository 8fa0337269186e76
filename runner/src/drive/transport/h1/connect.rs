//! Opens connections: TCP, TLS where the target wants it, and what the errors mean.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::super::Endpoint;
use super::super::breakage::connect_fault_of;
use crate::judge::TransportFault;

/// A byte stream to the server.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Plain TCP.
    Tcp(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Whether what was written may still lie in a buffer of ours.
    pub(super) fn buffers(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Whether nothing has come since the last response: neither bytes nor the connection's end. Costs no system call while the
    /// event loop has seen nothing.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut byte = [0];
        match self {
            Self::Tcp(tcp) => {
                matches!(tcp.try_read(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
            }
            // What the connection itself has to say (session tickets, key updates) is dealt with on the way.
            Self::Tls(tls) => {
                // Nobody needs waking: the exchange that follows asks again.
                let cx = &mut Context::from_waker(Waker::noop());
                Pin::new(tls.as_mut()).poll_read(cx, &mut ReadBuf::new(&mut byte)).is_pending()
            }
        }
    }

    /// Sends the acknowledgement that the kernel is holding back. Linux forgets the option with the next segment, so it is set anew
    /// each time it is needed; a failure only costs the time we would have saved.
    pub(super) fn acknowledge_now(&self) {
        #[cfg(target_os = "linux")]
        {
            let tcp = match self {
                Self::Tcp(tcp) => tcp,
                Self::Tls(tls) => tls.get_ref().0,
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
    Err((connect_fault_of(&failure), failure.to_string()))
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

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}
