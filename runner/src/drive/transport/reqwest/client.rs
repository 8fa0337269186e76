//! A reqwest client that keeps to the rules of a measurement, and the log of the connections it opens.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rustls::ClientConfig;
use tower_layer::Layer;
use tower_service::Service;
use url::Url;

use super::super::Endpoint;
use super::super::endpoint::trusting_platform;
use super::super::h1::response::MANY_FIELDS;
use crate::drive::clock::Clock;
use crate::error::Error;
use crate::judge::Moment;
use crate::plan::ConnectionPolicy;

/// What a client says in the TLS handshake that it speaks, best first.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// How the clients of a run speak TLS: as the endpoint does, but with HTTP/2 on offer.
///
/// # Errors
/// [`ExitCode::Internal`](crate::error::ExitCode::Internal) where the platform's certificates cannot be loaded; a proxy may want them
/// even where the target does not.
pub(crate) fn tls_config(endpoint: &Endpoint) -> Result<Arc<ClientConfig>, Error> {
    let mut config = match &endpoint.tls {
        Some((connector, _)) => ClientConfig::clone(connector.config()),
        None => trusting_platform()?,
    };
    config.alpn_protocols = ALPN.map(<[u8]>::to_vec).into();
    Ok(Arc::new(config))
}

/// A client, and what it opens.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) http: reqwest::Client,
    pub(super) log: Arc<Log>,
    /// Scheme, host and port of the target.
    origin: String,
    /// Host and port as they stand in the `host` line, which is the client's own to write.
    authority: String,
}

impl Client {
    /// # Errors
    /// reqwest's, where it cannot make one.
    pub(super) fn new(endpoint: &Endpoint, tls: &ClientConfig, clock: Clock) -> Result<Self, reqwest::Error> {
        let log = Arc::new(Log::default());
        let idle = match endpoint.connection {
            ConnectionPolicy::KeepAlive => 1,
            ConnectionPolicy::PerRequest => 0,
        };
        let mut builder = reqwest::Client::builder()
            // What the server answers is what is measured: not what lies behind a redirect, not a second attempt.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(idle)
            .pool_idle_timeout(None)
            .http1_max_headers(MANY_FIELDS)
            .tls_backend_preconfigured(tls.clone())
            .connector_layer(Watch { clock, log: Arc::clone(&log) });
        if let Some(host) = endpoint.url.host_str() {
            // Looked up once, before the run; a proxy's name is looked up when it is needed.
            builder = builder.resolve_to_addrs(host, &endpoint.addresses);
        }
        if endpoint.addresses.iter().all(|address| address.ip().is_loopback()) {
            builder = builder.no_proxy();
        }
        let origin = endpoint.url.origin().ascii_serialization();
        let authority = origin.split_once("://").map_or("", |(_, authority)| authority).to_owned();
        Ok(Self { http: builder.build()?, log, origin, authority })
    }

    /// Turns the text of a request into reqwest's terms.
    ///
    /// # Errors
    /// What cannot stand in a request, in words.
    pub(super) fn message(&self, text: &[u8]) -> Result<reqwest::Request, String> {
        let end = memchr::memmem::find(text, b"\r\n\r\n").ok_or("the request has no head")?;
        let head = std::str::from_utf8(&text[..end]).map_err(|error| error.to_string())?;
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().splitn(2, ' ');
        let method = words.next().unwrap_or_default().parse().map_err(|_| "no such method")?;
        let path = words.next().and_then(|rest| rest.strip_suffix(" HTTP/1.1")).unwrap_or_default();
        let url =
            Url::parse(&format!("{}{path}", self.origin)).map_err(|error| format!("{path}: {error}"))?;
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = self.fields(lines)?;
        *request.body_mut() = Some(text[end + 4..].to_vec()).filter(|body| !body.is_empty()).map(Into::into);
        Ok(request)
    }

    fn fields<'t>(&self, lines: impl Iterator<Item = &'t str>) -> Result<HeaderMap, String> {
        let mut fields = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            // HTTP/2 has a place of its own for it.
            if name == "host" && value == self.authority {
                continue;
            }
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| format!("{name}: {error}"))?;
            let value =
                HeaderValue::from_bytes(value.as_bytes()).map_err(|error| format!("{name}: {error}"))?;
            fields.append(name, value);
        }
        Ok(fields)
    }
}

/// The connections opened since one last looked.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<Opened>);

/// Connections opened.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Opened {
    /// How many.
    pub(super) count: u64,
    /// Time spent on it, failures included.
    pub(super) spent: Duration,
    /// When the last attempt was over.
    pub(super) last_end: Moment,
}

impl Log {
    /// What has been opened since the last call.
    pub(super) fn take(&self) -> Opened {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn enter(&self, began: Moment, ended: Moment, worked: bool) {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        opened.count += u64::from(worked);
        opened.spent += ended.since(began);
        opened.last_end = ended;
    }
}

/// Stands around reqwest's connector and keeps the log.
#[derive(Debug, Clone)]
struct Watch {
    clock: Clock,
    log: Arc<Log>,
}

impl<S> Layer<S> for Watch {
    type Service = Watched<S>;

    fn layer(&self, connector: S) -> Watched<S> {
        Watched { watch: self.clone(), connector }
    }
}

#[derive(Debug, Clone)]
struct Watched<S> {
    watch: Watch,
    connector: S,
}

impl<S, T> Service<T> for Watched<S>
where
    S: Service<T>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, target: T) -> Self::Future {
        let Watch { clock, log } = self.watch.clone();
        let began = clock.now();
        let connecting = self.connector.call(target);
        Box::pin(async move {
            let connected = connecting.await;
            log.enter(began, clock.now(), connected.is_ok());
            connected
        })
    }
}
