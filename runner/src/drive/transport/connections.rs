//! What becomes of a connection after a request, over either transport: kept, given up, or found dead.

use std::time::Duration;

use super::testbed::{ANSWER, Act, BOTH, Client, ID, good, ping, response, run, serve, settle};
use super::{Body, Request, Transport};
use crate::drive::protocol::reply::KEPT;
use crate::judge::{Outcome, TransportFault};
use crate::plan::{ConnectionPolicy, TransportKind};

const CLOSED: Outcome = Outcome::Transport(TransportFault::Closed);

/// Makes a call for each expected outcome, with time for the server in between; checks how many connections were opened and how
/// many requests sent twice.
async fn expect(client: &mut Client, outcomes: &[Outcome], connections: (u64, u64)) {
    for outcome in outcomes {
        assert_eq!(client.call().await.outcome, *outcome, "{:?}", client.transport.reader().detail());
        settle().await;
    }
    assert_eq!(client.connections(), connections, "{:?}", client.transport);
}

/// Plays the scripts for a client of each transport.
fn over_both(scripts: &[Vec<Act>], outcomes: &[Outcome], connections: (u64, u64)) {
    for transport in BOTH {
        run(async {
            let (address, _) = serve(scripts.to_vec()).await;
            let mut client = Client::new(transport, address);
            expect(&mut client, outcomes, connections).await;
        });
    }
}

#[test]
fn a_connection_carries_one_request_after_another() {
    let script = vec![Act::Read, Act::Send(good()), Act::Read, Act::Send(good()), Act::Hold];
    over_both(&[script], &[Outcome::Ok; 2], (1, 0));
}

#[test]
fn a_connection_per_request_is_a_connection_per_request() {
    for transport in BOTH {
        run(async {
            let script = vec![Act::Read, Act::Send(good()), Act::Hold];
            let (address, _) = serve(vec![script; 2]).await;
            let mut client = Client::with_policy(transport, address, ConnectionPolicy::PerRequest);
            expect(&mut client, &[Outcome::Ok; 2], (2, 0)).await;
        });
    }
}

#[test]
fn a_request_on_a_connection_that_turns_out_stale_is_sent_once_more() {
    let stale = vec![Act::Read, Act::Send(good()), Act::Read];
    let fresh = vec![Act::Read, Act::Send(good()), Act::Hold];
    over_both(&[stale.clone(), fresh], &[Outcome::Ok; 2], (2, 1));
    let reset = vec![Act::Read, Act::Send(good()), Act::Read, Act::Reset];
    over_both(&[reset, stale.clone()], &[Outcome::Ok; 2], (2, 1));
}

#[test]
fn a_request_is_sent_once_more_only_once_and_never_after_a_first_byte() {
    let stale = vec![Act::Read, Act::Send(good()), Act::Read];
    over_both(&[stale, vec![Act::Read]], &[Outcome::Ok, CLOSED], (2, 1));
    over_both(&[vec![Act::Read]], &[CLOSED], (1, 0));
    let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n".to_vec();
    let begun = vec![Act::Read, Act::Send(good()), Act::Read, Act::Send(begun)];
    over_both(&[begun], &[Outcome::Ok, CLOSED], (1, 0));
}

#[test]
fn a_connection_closed_while_idle_is_replaced_before_anything_is_sent_on_it() {
    let closing = vec![Act::Read, Act::Send(good())];
    let fresh = vec![Act::Read, Act::Send(good()), Act::Hold];
    over_both(&[closing, fresh], &[Outcome::Ok; 2], (2, 0));
}

#[test]
fn bytes_that_belong_to_no_request_are_never_taken_for_a_response() {
    let stray = response("200 OK\r\ncontent-type: application/json", r#"{"id":7,"result":"not yours"}"#);
    let fresh = vec![Act::Read, Act::Send(good()), Act::Hold];
    let at_once = vec![Act::Read, Act::Send([good(), stray.clone()].concat()), Act::Hold];
    over_both(&[at_once, fresh.clone()], &[Outcome::Ok; 2], (2, 0));
    let later = vec![Act::Read, Act::Send(good()), Act::Send(stray), Act::Hold];
    over_both(&[later, fresh], &[Outcome::Ok; 2], (2, 0));
}

#[test]
fn a_connection_whose_response_did_not_come_whole_is_not_used_again() {
    let fresh = vec![Act::Read, Act::Send(good()), Act::Hold];
    for half in ["HTTP/1.1 200 OK\r\ncontent-", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"] {
        let slow = vec![Act::Read, Act::Send(half.into()), Act::Hold];
        for transport in BOTH {
            run(async {
                let (address, _) = serve(vec![slow.clone(), fresh.clone()]).await;
                let mut client = Client::new(transport, address);
                client.timeout = Duration::from_millis(150);
                assert_eq!(client.call().await.outcome, Outcome::Timeout);
                client.timeout = Duration::from_secs(10);
                expect(&mut client, &[Outcome::Ok], (2, 0)).await;
            });
        }
    }
}

#[test]
fn a_request_that_is_dropped_half_way_leaves_nothing_for_the_next() {
    let slow = vec![Act::Read, Act::Send(good()), Act::Read, Act::Send(good()[..20].to_vec()), Act::Hold];
    let fresh = vec![Act::Read, Act::Send(good()), Act::Hold];
    for transport in BOTH {
        run(async {
            let (address, _) = serve(vec![slow.clone(), fresh.clone()]).await;
            let mut client = Client::new(transport, address);
            expect(&mut client, &[Outcome::Ok], (1, 0)).await;
            tokio::select! {
                seen = client.call() => unreachable!("the response is not whole: {seen:?}"),
                () = async { for _ in 0..5 { settle().await } } => {}
            }
            expect(&mut client, &[Outcome::Ok], (2, 0)).await;
        });
    }
}

#[test]
fn a_stream_left_open_behind_the_answer_is_given_up_after_a_second() {
    let open = format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {ANSWER}\n\n");
    let open = vec![Act::Read, Act::Send(open.into()), Act::Hold];
    let fresh = vec![Act::Read, Act::Send(good()), Act::Hold];
    for transport in BOTH {
        run(async {
            let (address, _) = serve(vec![open.clone(), fresh.clone()]).await;
            let mut client = Client::new(transport, address);
            let exchange = client.send(&ping()).await;
            let result = client.transport.reader().result().unwrap();
            let drained = exchange.end.since(result);
            assert!((1..5).contains(&drained.as_secs()), "{drained:?}");
            assert_eq!(exchange.outcome, Outcome::Ok);
            expect(&mut client, &[Outcome::Ok], (2, 0)).await;
        });
    }
}

#[test]
fn a_server_that_never_stops_talking_cannot_outlast_the_deadline() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(100);
    let talk = "data: {\"method\":\"notifications/progress\"}\n\n".repeat(100);
    for (first, rest) in [(head, talk), (interim.as_str(), interim.clone())] {
        for transport in BOTH {
            run(async {
                let script = vec![Act::Read, Act::Send(first.into()), Act::Flood(rest.clone().into())];
                let (address, _) = serve(vec![script]).await;
                let mut client = Client::new(transport, address);
                client.timeout = Duration::from_millis(50);
                let exchange = client.send(&ping()).await;
                assert_eq!(exchange.outcome, Outcome::Timeout, "{transport:?}");
                assert!(exchange.end.since(exchange.sent) < Duration::from_secs(5), "{transport:?}");
            });
        }
    }
}

/// A call whose body fills every buffer between client and server.
fn long_call(filler: &[u8]) -> Request<'_> {
    Request { body: Body { before: filler, id: Some(ID), after: b"}" }, ..ping() }
}

#[test]
fn a_long_request_may_be_refused_before_it_is_sent() {
    let filler = vec![b' '; 16 << 20];
    let refusal = response("413 Content Too Large", "no");
    let fresh = vec![Act::Read, Act::Send(good()), Act::Hold];
    for (transport, last) in
        [(TransportKind::H1, Act::Deaf), (TransportKind::H1, Act::Reset), (TransportKind::Reqwest, Act::Deaf)]
    {
        run(async {
            let (address, _) =
                serve(vec![vec![Act::Glance, Act::Send(refusal.clone()), last], fresh.clone()]).await;
            let mut client = Client::new(transport, address);
            let seen = client.ask(&long_call(&filler)).await;
            assert_eq!(seen.outcome, Outcome::HttpError { status: 413 }, "{transport:?}");
            expect(&mut client, &[Outcome::Ok], (2, 0)).await;
        });
    }
}

#[test]
fn a_long_request_that_the_kernel_takes_in_parts_arrives_whole() {
    let filler = vec![b' '; 16 << 20];
    for transport in BOTH {
        run(async {
            let script = vec![Act::Read, Act::Send(good()), Act::Read, Act::Send(good()), Act::Hold];
            let (address, _) = serve(vec![script]).await;
            let mut client = Client::new(transport, address);
            assert_eq!(client.ask(&long_call(&filler)).await.outcome, Outcome::Ok);
            expect(&mut client, &[Outcome::Ok], (1, 0)).await;
        });
    }
}

#[test]
fn where_nobody_listens_the_connection_is_refused() {
    for transport in BOTH {
        run(async {
            let (address, server) = serve(vec![vec![]]).await;
            server.abort();
            assert!(server.await.unwrap_err().is_cancelled());
            let mut client = Client::new(transport, address);
            expect(&mut client, &[Outcome::Transport(TransportFault::Refused)], (0, 0)).await;
            assert!(client.transport.reader().detail().contains("refused"));
        });
    }
}

#[test]
fn what_is_not_http_is_shown_to_whoever_asks_what_went_wrong() {
    run(async {
        let (address, _) =
            serve(vec![vec![Act::Read, Act::Send(b"SSH-2.0-OpenSSH\r\n".to_vec()), Act::Hold]]).await;
        let mut client = Client::new(TransportKind::H1, address);
        client.call().await;
        assert_eq!(client.transport.reader().detail(), "SSH-2.0-OpenSSH  ");
    });
}

#[test]
fn a_long_head_leaves_no_large_buffer_behind() {
    run(async {
        let head = format!("200 OK\r\nx: {}", "y".repeat(100_000));
        let long = response(&head, ANSWER);
        let script = vec![Act::Read, Act::Send(long[..50_000].to_vec()), Act::Send(long[50_000..].to_vec())];
        let (address, _) = serve(vec![script]).await;
        let mut client = Client::new(TransportKind::H1, address);
        expect(&mut client, &[Outcome::Ok], (1, 0)).await;
        let Transport::H1(connection) = &client.transport else { unreachable!("it was asked for") };
        assert!(connection.held_memory() <= KEPT, "{}", connection.held_memory());
    });
}
