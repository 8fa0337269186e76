//! Both transports over TLS, against servers with a certificate made for the occasion; and HTTP/2, which only reqwest speaks.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::testbed::{ANSWER, Act, BOTH, Client, ID, good, ping, plan, play, response, run, settle};
use super::{Body, Endpoint, Request};
use crate::judge::{Outcome, TransportFault};
use crate::plan::TransportKind;

/// A server's side of TLS, and the client's that trusts it.
struct Keys {
    acceptor: TlsAcceptor,
    trusting: ClientConfig,
}

fn keys() -> Keys {
    // Another test may have been first; either is the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = CertificateDer::from(cert);
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let server = ServerConfig::builder().with_no_client_auth();
    let server = server.with_single_cert(vec![certificate.clone()], key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let trusting = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Keys { acceptor: TlsAcceptor::from(Arc::new(server)), trusting }
}

/// Plays a script for each connection, as `serve` does without TLS.
async fn serve(acceptor: TlsAcceptor, scripts: Vec<Vec<Act>>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        for script in scripts {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::task::spawn_local(play(stream, script, |_| unreachable!("no test resets TLS")));
            }
        }
    });
    address
}

fn client(transport: TransportKind, address: SocketAddr, config: ClientConfig) -> Client {
    let plan = plan(&format!("https://localhost:{}/mcp", address.port()), transport);
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    Client::over(Endpoint::new(&plan, vec![address], Some((connector, name))), &plan)
}

/// Has a client of each transport make `calls` while the server plays its scripts.
fn over_both(scripts: &[Vec<Act>], calls: &[(Request<'_>, Outcome)], connections: (u64, u64)) {
    let Keys { acceptor, trusting } = keys();
    for transport in BOTH {
        run(async {
            let address = serve(acceptor.clone(), scripts.to_vec()).await;
            let mut client = client(transport, address, trusting.clone());
            for (request, outcome) in calls {
                assert_eq!(client.ask(request).await.outcome, *outcome, "{transport:?}");
                settle().await;
            }
            assert_eq!(client.connections(), connections, "{transport:?}");
        });
    }
}

#[test]
fn a_connection_carries_one_request_after_another() {
    let script = vec![Act::Read, Act::Send(good()), Act::Read, Act::Send(good()), Act::Hold];
    over_both(&[script], &[(ping(), Outcome::Ok), (ping(), Outcome::Ok)], (1, 0));
}

#[test]
fn long_requests_and_long_answers_come_through() {
    let filler = vec![b' '; 8 << 20];
    let long = Request { body: Body { before: &filler, id: Some(ID), after: b"}" }, ..ping() };
    let answer = response("200 OK", &format!("{ANSWER}{}", " ".repeat(150_000)));
    let script = vec![Act::Read, Act::Send(answer.clone()), Act::Read, Act::Send(answer), Act::Hold];
    over_both(&[script], &[(long, Outcome::Ok), (long, Outcome::Ok)], (1, 0));
}

#[test]
fn an_answer_that_is_whole_needs_no_farewell() {
    let script = vec![Act::Read, Act::Send(good())];
    over_both(&[script.clone(), script], &[(ping(), Outcome::Ok), (ping(), Outcome::Ok)], (2, 0));
}

#[test]
fn a_body_without_a_length_is_whole_only_with_a_farewell() {
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{ANSWER}").into_bytes();
    let cut = Outcome::Transport(TransportFault::Closed);
    let (cut_off, ended) = (
        vec![Act::Read, Act::Send(endless.clone())],
        vec![Act::Read, Act::Send(endless), Act::Farewell, Act::Hold],
    );
    over_both(&[cut_off, ended], &[(ping(), cut), (ping(), Outcome::Ok)], (2, 0));
}

#[test]
fn a_connection_closed_while_idle_is_replaced_with_or_without_a_farewell() {
    let polite = vec![Act::Read, Act::Send(good()), Act::Farewell];
    let rude = vec![Act::Read, Act::Send(good())];
    let calls = [(ping(), Outcome::Ok), (ping(), Outcome::Ok), (ping(), Outcome::Ok)];
    over_both(&[polite, rude.clone(), rude], &calls, (3, 0));
}

#[test]
fn a_request_on_a_connection_that_turns_out_stale_is_sent_once_more() {
    let stale = vec![Act::Read, Act::Send(good()), Act::Read];
    let fresh = vec![Act::Read, Act::Send(good()), Act::Hold];
    over_both(&[stale, fresh], &[(ping(), Outcome::Ok), (ping(), Outcome::Ok)], (2, 1));
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_a_fault_of_tls() {
    let Keys { acceptor, .. } = keys();
    let strict = keys().trusting;
    for transport in BOTH {
        run(async {
            let address = serve(acceptor.clone(), vec![vec![Act::Read]]).await;
            let mut client = client(transport, address, strict.clone());
            let seen = client.call().await;
            assert_eq!(seen.outcome, Outcome::Transport(TransportFault::Tls), "{transport:?}");
            let detail = client.transport.reader().detail();
            assert!(detail.contains("certificate"), "{transport:?}: {detail}");
            assert_eq!(client.connections(), (0, 0), "{transport:?}");
        });
    }
}

#[test]
fn a_handshake_that_fails_is_a_fault_of_tls() {
    let Keys { trusting, .. } = keys();
    let no_tls = vec![Act::Glance, Act::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())];
    for script in [no_tls, vec![Act::Glance], vec![Act::Glance, Act::Reset]] {
        for transport in BOTH {
            run(async {
                let (address, _) = super::testbed::serve(vec![script.clone()]).await;
                let seen = client(transport, address, trusting.clone()).call().await;
                assert_eq!(seen.outcome, Outcome::Transport(TransportFault::Tls), "{transport:?} {script:?}");
            });
        }
    }
}

#[test]
fn http_2_is_spoken_where_the_server_asks_for_it() {
    let Keys { acceptor, trusting } = keys();
    let mut server = ServerConfig::clone(acceptor.config());
    server.alpn_protocols = vec![b"h2".to_vec()];
    run(async {
        let address = serve_http_2(TlsAcceptor::from(Arc::new(server))).await;
        let mut client = client(TransportKind::Reqwest, address, trusting);
        for _ in 0..2 {
            let seen = client.call().await;
            assert_eq!((seen.outcome, seen.answer.as_str()), (Outcome::Ok, ANSWER), "{:?}", client.transport);
            assert_eq!(seen.session_id.as_deref(), Some("s"), "the request's own, sent back");
        }
        assert_eq!(client.connections(), (1, 0));
    });
}

/// Answers every call on one connection over HTTP/2 with [`ANSWER`] and the session id of the request.
async fn serve_http_2(acceptor: TlsAcceptor) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(acceptor.accept(stream).await.unwrap()).await.unwrap();
        while let Some(Ok((request, mut answering))) = connection.accept().await {
            assert_eq!(request.uri().path(), "/mcp");
            let id = request.headers()["mcp-session-id"].clone();
            let head = hyper::Response::builder().header("mcp-session-id", id).body(()).unwrap();
            answering.send_response(head, false).unwrap().send_data(ANSWER.into(), true).unwrap();
        }
    });
    address
}
