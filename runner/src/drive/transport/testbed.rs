//! For tests of the transports over real loopback sockets: a client over either of them, and servers that do as they are told.
//!
//! All run on one thread; a server yields between writes, so that the client reads each of them apart.

use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::LocalSet;

use super::{Body, Endpoint, Exchange, Request, RequestKind, Transport};
use crate::drive::clock::Clock;
use crate::drive::context::{Carrier, Context};
use crate::drive::deadline::Slot;
use crate::drive::protocol::reply::Expect;
use crate::judge::Outcome;
use crate::plan::{
    BreakingPointRule, ConnectionPolicy, Plan, Protocol, Settings, Stripe, Target, TransportKind,
};

/// The id of every request here.
pub(super) const ID: u64 = 7;
/// An answer to it.
pub(super) const ANSWER: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"content":[]}}"#;
/// Both transports over the network.
pub(super) const BOTH: [TransportKind; 2] = [TransportKind::H1, TransportKind::Reqwest];

/// Runs a test that waits: on one thread, like a worker.
pub(super) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test)
}

/// A plan whose target is `url`.
pub(super) fn plan(url: &str, transport: TransportKind) -> Plan {
    Plan {
        target: Target {
            url: url.parse().unwrap(),
            headers: Vec::new(),
            protocol: Protocol::Auto,
            elicitation: false,
        },
        settings: Settings { transport, max_body_bytes: 200_000, ..Settings::default() },
        loads: Vec::new(),
        shard: Stripe::WHOLE,
        breaking_point: BreakingPointRule::default(),
        scenarios: Vec::new(),
        thresholds: Vec::new(),
    }
}

/// A virtual user's view of a transport.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) context: Rc<Context>,
    pub(super) transport: Transport,
    slot: Rc<Slot>,
    pub(super) timeout: Duration,
    sweeper: tokio::task::JoinHandle<()>,
}

/// What a request came to, as far as two transports should agree on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) outcome: Outcome,
    pub(super) status: u16,
    pub(super) session_id: Option<String>,
    pub(super) answer: String,
}

impl Client {
    pub(super) fn new(transport: TransportKind, address: SocketAddr) -> Self {
        Self::with_policy(transport, address, ConnectionPolicy::KeepAlive)
    }

    pub(super) fn with_policy(
        transport: TransportKind,
        address: SocketAddr,
        connection: ConnectionPolicy,
    ) -> Self {
        let mut plan = plan(&format!("http://{address}/mcp"), transport);
        plan.settings.connection = connection;
        Self::over(Endpoint::new(&plan, vec![address], None), &plan)
    }

    /// A client of an endpoint.
    pub(super) fn over(endpoint: Endpoint, plan: &Plan) -> Self {
        let carrier = carrier(plan, &endpoint);
        let context = Rc::new(Context::new(Clock::start(), Arc::new(endpoint), carrier, 3));
        let sweeper = tokio::task::spawn_local({
            let context = Rc::clone(&context);
            async move { context.deadlines.keep_sweeping(context.clock, Duration::from_millis(5)).await }
        });
        let (transport, slot) = (context.new_transport(), context.deadlines.slot());
        Self { context, transport, slot, timeout: Duration::from_secs(10), sweeper }
    }

    pub(super) async fn send(&mut self, request: &Request<'_>) -> Exchange {
        let now = self.context.clock.now();
        self.slot.arm(now.after(self.timeout));
        self.transport.exchange(&self.context, &self.slot, request, now).await
    }

    /// Makes the one call of these tests.
    pub(super) async fn call(&mut self) -> Seen {
        self.ask(&ping()).await
    }

    pub(super) async fn ask(&mut self, request: &Request<'_>) -> Seen {
        let Exchange { outcome, .. } = self.send(request).await;
        let reader = self.transport.reader();
        Seen {
            outcome,
            status: reader.status(),
            session_id: reader.session_id().map(str::to_owned),
            answer: String::from_utf8_lossy(reader.answer()).into_owned(),
        }
    }

    /// Connections opened and requests sent a second time, so far.
    pub(super) fn connections(&self) -> (u64, u64) {
        let books = self.context.books();
        (books.connections_opened, books.stale_retries)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.sweeper.abort();
    }
}

/// The plan's carrier. Without TLS it is the same for all: the platform's certificates take milliseconds to load.
fn carrier(plan: &Plan, endpoint: &Endpoint) -> Carrier {
    static PLAIN: OnceLock<Carrier> = OnceLock::new();
    if plan.settings.transport == TransportKind::Reqwest && endpoint.tls.is_none() {
        PLAIN.get_or_init(|| Carrier::of(plan, endpoint).unwrap()).clone()
    } else {
        Carrier::of(plan, endpoint).unwrap()
    }
}

/// The request of these tests.
pub(super) fn ping() -> Request<'static> {
    Request {
        kind: RequestKind::Message,
        session_lines: "mcp-session-id: s\r\n",
        step_lines: "",
        body: Body { before: br#"{"jsonrpc":"2.0","id":"#, id: Some(ID), after: br#","method":"ping"}"# },
        expect: Expect::Answer { id: ID },
        keep_answer: true,
        responder: None,
    }
}

/// A response with a length.
pub(super) fn response(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The plain good response.
pub(super) fn good() -> Vec<u8> {
    response("200 OK\r\ncontent-type: application/json", ANSWER)
}

/// One thing that a server does on a connection.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Reads a request, whole.
    Read,
    /// Reads what there is of a request.
    Glance,
    /// Sends these bytes; the other end has them before the next act.
    Send(Vec<u8>),
    /// Says that nothing more will come, as the protocol has it: in TLS with `close_notify`.
    Farewell,
    /// Sends these bytes again and again, as fast as they are read.
    Flood(Vec<u8>),
    /// Resets the connection.
    Reset,
    /// Waits until the other end closes it.
    Hold,
    /// Reads nothing, and waits for ever.
    Deaf,
}

/// Listens on a free port; the first connection gets the first script, and so on; each is closed after its script. Returns the
/// address, and how many connections were accepted once all scripts are played.
pub(super) async fn serve(scripts: Vec<Vec<Act>>) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::task::spawn_local(async move {
        for script in scripts {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::task::spawn_local(play(stream, script, |stream| {
                SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
            }));
        }
    });
    (address, server)
}

/// Plays a script over a byte stream; `abandon` makes its closing a reset.
pub(super) async fn play<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    script: Vec<Act>,
    abandon: impl Fn(&S),
) {
    for act in script {
        match act {
            Act::Read => {
                if !read_request(&mut stream).await {
                    return;
                }
            }
            // The client may have had enough already.
            Act::Send(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.flush().await;
                settle().await;
            }
            Act::Flood(bytes) => while stream.write_all(&bytes).await.is_ok() {},
            Act::Farewell => stream.shutdown().await.unwrap(),
            Act::Reset => return abandon(&stream),
            Act::Glance => assert!(stream.read(&mut [0; 1024]).await.is_ok()),
            Act::Deaf => std::future::pending().await,
            Act::Hold => while stream.read(&mut [0; 1024]).await.is_ok_and(|length| length > 0) {},
        }
    }
}

/// Lets everybody else do what they can do; each turn looks for I/O.
pub(super) async fn settle() {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}

/// Reads a request; false where the connection ended before one came.
pub(super) async fn read_request(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> bool {
    let mut text = Vec::new();
    loop {
        if let Some(end) = memchr::memmem::find(&text, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&text[..end]).to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            if text.len() >= end + 4 + length.map_or(0, |digits| digits.parse::<usize>().unwrap()) {
                return true;
            }
        }
        if stream.read_buf(&mut text).await.unwrap_or(0) == 0 {
            return false;
        }
    }
}
