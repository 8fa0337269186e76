//! Where requests go, worked out once per run: addresses, TLS, and the part of every request head that never changes.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use url::Url;

use crate::error::{Error, ExitCode};
use crate::plan::{ConnectionPolicy, Plan};

/// A target, ready to be spoken to.
pub struct Endpoint {
    /// Addresses of the host, in the order they are tried.
    pub(crate) addresses: Vec<SocketAddr>,
    /// The TLS side of an `https` target.
    pub(crate) tls: Option<(TlsConnector, ServerName<'static>)>,
    /// The endpoint's URL, for transports that want it.
    pub(crate) url: Url,
    /// Path and query of the endpoint.
    pub(crate) path: String,
    /// Lines that stand in every head: host, user agent, the user's own headers.
    pub(crate) common_lines: String,
    /// Head of a POST to the endpoint, up to what differs between requests.
    pub(crate) post_head: String,
    /// Whether every request gets a connection of its own.
    pub(crate) connection: ConnectionPolicy,
    /// Whether incomplete responses are acknowledged at once.
    pub(crate) quick_ack: bool,
    /// Largest response body, bytes.
    pub(crate) max_body_bytes: u64,
}

impl std::fmt::Debug for Endpoint {
    /// Leaves out the heads, which hold credentials.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Endpoint").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Resolves the plan's target.
    ///
    /// # Errors
    /// [`ExitCode::Unreachable`] where the host name cannot be resolved; [`ExitCode::Internal`] where the platform's certificates
    /// cannot be loaded.
    pub(crate) async fn resolve(plan: &Plan) -> Result<Self, Error> {
        let url = plan.target.url.clone();
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((bare.as_str(), port))
            .await
            .map_err(|error| {
                Error::new(ExitCode::Unreachable, format!("cannot resolve the host `{host}`"))
                    .at(plan.target.url.origin().ascii_serialization())
                    .because(error)
                    .advise("check the URL's spelling and this machine's name service")
            })?
            .collect();
        let tls = if url.scheme() == "https" { Some(tls_for(&bare)?) } else { None };
        Ok(Self::new(plan, addresses, tls))
    }

    /// An endpoint that is never connected to, for the in-memory transport.
    pub(crate) fn unconnected(plan: &Plan) -> Self {
        Self::new(plan, Vec::new(), None)
    }

    pub(super) fn new(
        plan: &Plan,
        addresses: Vec<SocketAddr>,
        tls: Option<(TlsConnector, ServerName<'static>)>,
    ) -> Self {
        let url = plan.target.url.clone();
        let path =
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let mut common_lines = String::new();
        let authority = url.port().map_or_else(
            || url.host_str().unwrap_or_default().to_owned(),
            |port| format!("{}:{port}", url.host_str().unwrap_or_default()),
        );
        let agent = format!("pmcp-loadtest/{}", env!("CARGO_PKG_VERSION"));
        for (name, value) in [("host", &authority), ("user-agent", &agent)] {
            // A user's own line stands instead of ours; two `host` lines would be refused (RFC 9112, section 3.2).
            if !plan.target.headers.iter().any(|(theirs, _)| theirs.eq_ignore_ascii_case(name)) {
                let _ = write!(common_lines, "{name}: {value}\r\n");
            }
        }
        for (name, value) in &plan.target.headers {
            let _ = write!(common_lines, "{name}: {}\r\n", value.reveal());
        }
        if plan.settings.connection == ConnectionPolicy::PerRequest {
            common_lines.push_str("connection: close\r\n");
        }
        let post_head = format!("POST {path} HTTP/1.1\r\n{common_lines}{}", super::JSON_LINES);
        Self {
            addresses,
            tls,
            url,
            path,
            common_lines,
            post_head,
            connection: plan.settings.connection,
            quick_ack: plan.settings.quick_ack,
            max_body_bytes: plan.settings.max_body_bytes,
        }
    }
}

fn tls_for(host: &str) -> Result<(TlsConnector, ServerName<'static>), Error> {
    let config = trusting_platform()?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| {
        Error::new(ExitCode::Usage, format!("`{host}` cannot be the name of a TLS server")).because(error)
    })?;
    Ok((TlsConnector::from(Arc::new(config)), name))
}

/// A TLS client that trusts whom this machine trusts.
///
/// # Errors
/// [`ExitCode::Internal`] where the platform's certificates cannot be loaded.
pub(super) fn trusting_platform() -> Result<ClientConfig, Error> {
    use rustls_platform_verifier::ConfigVerifierExt as _;
    // Another part of the process may have installed it already; either is the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ClientConfig::with_platform_verifier().map_err(|error| {
        Error::new(ExitCode::Internal, "cannot load this machine's trusted certificates")
            .because(error)
            .advise("install the operating system's CA certificates package")
    })
}

#[cfg(test)]
mod tests {
    use super::super::testbed::plan;
    use super::*;
    use crate::plan::{Secret, TransportKind};

    #[test]
    fn a_users_own_line_stands_instead_of_ours() {
        let mut plan = plan("http://[::1]:8080/mcp?a=b", TransportKind::H1);
        let ours = Endpoint::unconnected(&plan);
        assert!(ours.common_lines.starts_with("host: [::1]:8080\r\nuser-agent: pmcp-loadtest/"));
        assert!(ours.post_head.starts_with("POST /mcp?a=b HTTP/1.1\r\nhost: "));
        plan.target.headers.push(("Host".to_owned(), Secret::new("tenant.example")));
        let theirs = Endpoint::unconnected(&plan);
        assert!(
            theirs.common_lines.starts_with("user-agent: ")
                && theirs.common_lines.ends_with("Host: tenant.example\r\n")
        );
    }
}
