//! The same bytes from a server must come to the same thing over our own codec and over reqwest, that is hyper, however the
//! network cuts them up. Where hyper and RFC 9112 lawfully differ, the table says so and why.

mod table;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use self::table::{Case, Then, cases};
use super::testbed::{Act, BOTH, Client, Seen, run, serve};
use crate::plan::TransportKind;

/// Serves a case's response in pieces and says what the transport made of it.
async fn outcome_of(case: &Case, transport: TransportKind, pieces: &[&[u8]]) -> Seen {
    let mut script = vec![Act::Read];
    script.extend(pieces.iter().map(|piece| Act::Send(piece.to_vec())));
    match case.then {
        Then::Hold => script.push(Act::Hold),
        Then::Close => {}
        Then::Reset => script.push(Act::Reset),
    }
    let (address, server) = serve(vec![script]).await;
    let mut client = Client::new(transport, address);
    client.timeout = case.timeout;
    let seen = client.ask(&case.request()).await;
    server.abort();
    seen
}

/// Cuts `bytes` at these places.
fn cut<'a>(bytes: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place.min(&bytes.len()).to_owned()).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.dedup();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// The ways in which every response of the table is cut up.
fn patterns(case: &Case) -> Vec<Vec<usize>> {
    let length = case.response.len();
    let head = memchr::memmem::find(&case.response, b"\r\n\r\n").map_or(length / 2, |end| end + 4);
    let mut patterns = vec![vec![], vec![head], vec![head.saturating_sub(2), head + 1], vec![length / 2]];
    if length < 300 && case.then != Then::Hold {
        patterns.push((0..length).collect());
    }
    patterns.push((0..length).step_by(17.max(length / 40)).collect());
    if case.is_slow() {
        patterns.truncate(2);
    }
    patterns
}

#[test]
fn what_a_response_comes_to_depends_neither_on_the_transport_nor_on_how_it_is_cut_up() {
    let mut wrong = Vec::new();
    run(async {
        for case in cases() {
            for places in patterns(&case) {
                let pieces = cut(&case.response, &places);
                for transport in BOTH {
                    let seen = outcome_of(&case, transport, &pieces).await;
                    if !case.allows(transport, &seen) {
                        wrong.push(format!(
                            "{}, {transport:?}, {} pieces: {seen:?}",
                            case.name,
                            pieces.len()
                        ));
                    }
                }
            }
        }
    });
    assert!(wrong.is_empty(), "{} disagree:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_table_is_as_large_as_it_was_meant_to_be_and_every_difference_has_a_reason() {
    let cases = cases();
    assert!(cases.len() >= 60, "{}", cases.len());
    let names: std::collections::BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "names are unique");
    for case in &cases {
        if let Some((outcome, reason)) = case.differs {
            assert!(reason.len() > 20 && outcome != case.outcome, "{}", case.name);
        }
    }
}

#[test]
fn chance_finds_no_cut_that_makes_the_transports_disagree() {
    let cases: Vec<Case> =
        cases().into_iter().filter(|case| !case.is_slow() && case.response.len() < 4_000).collect();
    let strategy = (0..cases.len(), prop::collection::vec(0_usize..400, 0..6));
    let mut runner = TestRunner::new(Config { cases: 1000, failure_persistence: None, ..Config::default() });
    let found = runner.run(&strategy, |(index, places)| {
        let case = &cases[index];
        let pieces = cut(&case.response, &places);
        for transport in BOTH {
            let seen = run(outcome_of(case, transport, &pieces));
            prop_assert!(case.allows(transport, &seen), "{}, {:?}: {:?}", case.name, transport, seen);
        }
        Ok(())
    });
    found.unwrap();
}
