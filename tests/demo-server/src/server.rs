//! The server as its users hold it: a thread of its own that accepts connections until it is stopped or dies by script.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::counters::Counters;
use crate::play::performance::Performance;
use crate::protocol::endpoint::serve;
use crate::script::Script;
use crate::shared::Shared;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;
/// Pause before accepting again where that failed, which it does when descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A running server. Dropping it stops it.
///
/// ```
/// use pmcp_loadtest_demo_server::{DemoServer, Script};
/// let server = DemoServer::start(Script::default())?;
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// assert_eq!(server.counters().requests, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct DemoServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl DemoServer {
    /// Name of the server's only thread, by which an embedding process can tell its CPU time apart.
    pub const THREAD_NAME: &str = "demo-server";

    /// Starts a server on a free port of 127.0.0.1, with a thread and a runtime of its own.
    ///
    /// Fails if the port cannot be bound or the thread cannot be started.
    pub fn start(script: Script) -> io::Result<Self> {
        Self::start_on(0, script)
    }

    /// Starts a server on the given port of 127.0.0.1; 0 takes a free one.
    pub fn start_on(port: u16, script: Script) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _guard = runtime.enter();
            listen(port)?
        };
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(Performance::new(script, Instant::now())));
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name(Self::THREAD_NAME.into()).spawn(move || {
            runtime.block_on(async {
                // A sender that was dropped means stop as well.
                tokio::select! {
                    () = accept(listener, served) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// The MCP endpoint, such as `http://127.0.0.1:40001/mcp`. `/health`, `/metrics` and `/counters` stand beside it.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The books as they stand now.
    pub fn counters(&self) -> Counters {
        self.shared.books.snapshot()
    }

    /// Plays another script from now on: its times and its draws begin anew. Sessions, connections and books stay; requests that
    /// are being served keep the old script.
    pub fn set_script(&self, script: Script) {
        self.shared.performance.send_replace(Arc::new(Performance::new(script, Instant::now())));
    }

    /// Closes the listener and all connections, waits for the thread to end, and gives the final books.
    pub fn stop(mut self) -> Counters {
        self.end();
        self.counters()
    }

    fn end(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended before, by script.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic on the server's thread has already been printed there.
            let _ = thread.join();
        }
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        self.end();
    }
}

fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    // As std does: on Unix a port whose last connections linger can be bound again.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(BACKLOG)
}

/// Accepts until the script's hour of death; then the listener and all connections close.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut scripts = shared.performance.subscribe();
    let mut connections = JoinSet::new();
    loop {
        let death = scripts.borrow_and_update().death();
        let death = async move {
            match death {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        // All branches are cancel-safe; a connection is either accepted or still waiting.
        tokio::select! {
            () = death => return,
            // `shared` holds the sender, so a change is the only way to wake here.
            _ = scripts.changed() => {}
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => admit(stream, &shared, &mut connections),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
}

fn admit(stream: TcpStream, shared: &Arc<Shared>, connections: &mut JoinSet<()>) {
    shared.books.note(|counters| counters.connections += 1);
    // Where the option fails the connection is broken already, and reading will tell.
    let _ = stream.set_nodelay(true);
    connections.spawn(serve(stream, Arc::clone(shared)));
}
