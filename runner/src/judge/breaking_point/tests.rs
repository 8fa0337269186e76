use proptest::prelude::*;

use super::simulation::{Ramp, Server, seconds};
use super::*;
use crate::plan::BreakingPointRule;

/// What comes of these seconds, and when something was last noticed.
fn watched(seconds: &[LoadSecond]) -> (BreakingPointFinding, Option<u64>) {
    let mut detector = BreakingPointDetector::new(BreakingPointRule::default());
    let mut noticed = None;
    for second in seconds {
        if detector.observe(*second).is_some() {
            noticed = Some(second.row.second);
        }
    }
    (detector.finding(), noticed)
}

fn found(seconds: &[LoadSecond]) -> BreakingPoint {
    match watched(seconds).0 {
        BreakingPointFinding::Found(point) => point,
        other => panic!("{other:?}"),
    }
}

/// A ramp of hand-made seconds: 100 calls/s, of 10 ms, for every virtual user; 10 more of those every second.
fn healthy(length: u64) -> Vec<LoadSecond> {
    let second = |second: u64| {
        let vus = 10 * u32::try_from(second + 1).unwrap();
        let (requests, p50) = (u64::from(vus) * 100, Duration::from_millis(10));
        LoadSecond {
            row: TimelineRow {
                second,
                requests,
                ok: requests,
                active_vus: vus,
                p50: Some(p50),
                p95: Some(2 * p50),
                ..TimelineRow::default()
            },
            wanted: WantedLoad { vus, ..WantedLoad::default() },
        }
    };
    (0..length).map(second).collect()
}

fn fail(second: &mut LoadSecond, share: f64) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of few calls")]
    let errors = (second.row.requests as f64 * share) as u64;
    second.row.errors = errors;
    second.row.ok = second.row.requests - errors;
}

#[test]
fn a_load_that_does_not_rise_has_no_breaking_point() {
    let mut run = healthy(30);
    for second in &mut run {
        second.wanted.vus = 10;
    }
    for second in &mut run[20..] {
        fail(second, 0.9);
    }
    assert_eq!(watched(&run).0, BreakingPointFinding::NotLookedFor("the load does not rise".to_owned()));
}

#[test]
fn a_rise_without_a_baseline_before_it_is_not_judged() {
    let BreakingPointFinding::NotLookedFor(reason) = watched(&healthy(5)).0 else { panic!("judged") };
    assert_eq!(reason, "the load rose before there were 5 seconds and 100 ok calls to compare with");
}

#[test]
fn errors_that_last_are_a_breaking_point_where_they_began() {
    let mut run = healthy(30);
    for second in &mut run[20..] {
        fail(second, 0.2);
    }
    let (finding, noticed) = watched(&run);
    let BreakingPointFinding::Found(point) = finding else { panic!("{finding:?}") };
    assert_eq!((point.at, noticed, point.vus), (Duration::from_secs(20), Some(22), 210));
    assert_eq!(point.reason, BreakingPointReason::ErrorRate);
    assert_eq!(point.detail, "20.0 % of calls failed over 3 s, 0 % at the baseline");
    assert!((point.rate_per_s - 19_000.0).abs() < 1e-9, "{}", point.rate_per_s);
}

#[test]
fn what_does_not_last_is_none() {
    for bad in 1..=2 {
        let mut run = healthy(30);
        for second in &mut run[20..20 + bad] {
            fail(second, 0.9);
        }
        assert_eq!(watched(&run), (BreakingPointFinding::NotFound, None), "{bad} bad seconds");
    }
}

#[test]
fn errors_that_the_baseline_had_too_are_none() {
    let mut run = healthy(30);
    for second in &mut run {
        fail(second, 0.3);
    }
    assert_eq!(watched(&run).0, BreakingPointFinding::NotFound);
}

#[test]
fn response_times_beyond_their_factor_are_a_breaking_point() {
    let mut run = healthy(30);
    for second in &mut run[15..] {
        second.row.p50 = Some(Duration::from_millis(31));
    }
    let point = found(&run);
    assert_eq!((point.at, point.reason), (Duration::from_secs(15), BreakingPointReason::ResponseTime));
    assert_eq!(point.detail, "the median response time was 31.0 ms over 3 s, 10.0 ms at the baseline");
}

#[test]
fn a_tail_alone_must_last_twice_as_long() {
    let mut run = healthy(30);
    for second in &mut run[15..20] {
        second.row.p95 = Some(Duration::from_millis(90));
    }
    assert_eq!(watched(&run), (BreakingPointFinding::NotFound, None));
    for second in &mut run[20..] {
        second.row.p95 = Some(Duration::from_millis(90));
    }
    let point = found(&run);
    assert_eq!((point.at, point.reason), (Duration::from_secs(15), BreakingPointReason::ResponseTime));
    assert_eq!(point.detail, "95 % of calls took up to 90.0 ms over 6 s, up to 20.0 ms at the baseline");
}

#[test]
fn a_server_that_falls_silent_is_broken() {
    let mut run = healthy(30);
    for second in &mut run[15..] {
        second.row = TimelineRow { second: second.row.second, active_vus: 160, ..TimelineRow::default() };
    }
    let point = found(&run);
    assert_eq!((point.at, point.reason), (Duration::from_secs(15), BreakingPointReason::ResponseTime));
    assert_eq!(point.detail, "no call was answered for 3 s");
}

#[test]
fn dropped_iterations_are_a_breaking_point() {
    let mut run = healthy(30);
    for second in &mut run {
        let arrivals = second.row.requests;
        second.wanted = WantedLoad { vus: 0, rate_per_s: arrivals as f64, arrivals, dropped: 0 };
    }
    for second in &mut run[18..] {
        second.wanted.dropped = second.wanted.arrivals / 20;
    }
    let point = found(&run);
    assert_eq!((point.at, point.reason), (Duration::from_secs(18), BreakingPointReason::Dropped));
    assert_eq!(point.detail, "5.0 % of the iterations due were dropped over 3 s: no virtual user was free");
}

#[test]
fn what_happens_long_after_the_last_rise_or_in_a_fall_is_not_its_doing() {
    let mut held = healthy(80);
    for second in &mut held[20..] {
        second.wanted.vus = 200;
    }
    for second in &mut held[60..] {
        fail(second, 0.9);
    }
    assert_eq!(watched(&held).0, BreakingPointFinding::NotFound);
    let mut fallen = healthy(80);
    for second in &mut fallen[20..] {
        second.wanted.vus = 100;
    }
    for second in &mut fallen[21..] {
        fail(second, 0.9);
    }
    assert_eq!(watched(&fallen).0, BreakingPointFinding::NotFound);
}

#[test]
fn confidence_grows_with_what_speaks_for_it() {
    let mut short = healthy(30);
    for second in &mut short[27..] {
        fail(second, 0.2);
    }
    let mut long = healthy(30);
    for second in &mut long[20..] {
        fail(second, 0.2);
    }
    let mut double = long.clone();
    for second in &mut double[22..] {
        second.row.p50 = Some(Duration::from_millis(100));
    }
    let levels = [short, long, double].map(|run| found(&run).confidence);
    assert_eq!(levels, [Confidence::Low, Confidence::Medium, Confidence::High]);
}

fn any_second() -> impl Strategy<Value = LoadSecond> {
    let load = (0..200_u32, 0.0..1e3_f64, 0..500_u64, 0..500_u64);
    (load, 0..1_000_u64, 0..1_000_u64, prop::option::of(0..10_000_u64)).prop_map(|(load, ok, errors, p50)| {
        let (vus, rate_per_s, arrivals, dropped) = load;
        LoadSecond {
            row: TimelineRow {
                requests: ok + errors,
                ok,
                errors,
                active_vus: vus,
                p50: p50.map(Duration::from_millis),
                p95: p50.map(|p50| Duration::from_millis(3 * p50)),
                ..TimelineRow::default()
            },
            wanted: WantedLoad { vus, rate_per_s, arrivals, dropped },
        }
    })
}

proptest! {
    #[test]
    fn a_breaking_point_lies_before_it_is_noticed_whatever_happens(
        mut seconds in prop::collection::vec(any_second(), 0..80),
    ) {
        for (number, second) in (0..).zip(&mut seconds) {
            second.row.second = number;
        }
        let (finding, noticed) = watched(&seconds);
        if let BreakingPointFinding::Found(point) = finding {
            prop_assert!(noticed.is_some_and(|noticed| point.at.as_secs() + 2 <= noticed), "{point:?} {noticed:?}");
        }
    }
}

#[test]
fn a_stall_that_the_server_recovers_from_under_more_load_is_withdrawn() {
    let mut run = healthy(30);
    for second in &mut run[10..14] {
        second.row.p50 = Some(Duration::from_secs(1));
    }
    assert_eq!(watched(&run[..19]).1, Some(12));
    assert!(matches!(watched(&run[..19]).0, BreakingPointFinding::Found(_)));
    assert_eq!(watched(&run), (BreakingPointFinding::NotFound, Some(12)));
    for second in &mut run[25..] {
        fail(second, 0.5);
    }
    assert_eq!((found(&run).at, watched(&run).1), (Duration::from_secs(25), Some(27)));
}

/// Of so many seeds: in how many something was noticed, and in how many it stands at the end.
fn alarms(server: Server, ramp: Ramp, seeds: u64) -> (usize, usize) {
    let runs: Vec<_> = (0..seeds).map(|seed| watched(&seconds(server, ramp, seed))).collect();
    let noticed = runs.iter().filter(|(_, noticed)| noticed.is_some()).count();
    let stands = runs.iter().filter(|(finding, _)| matches!(finding, BreakingPointFinding::Found(_))).count();
    (noticed, stands)
}

const OPEN: Ramp = Ramp::Open { rate: 60.0, seconds: 60 };
const THINKING: Ramp = Ramp::Closed { vus: 60, think: 1.0, seconds: 60, steps: 60 };
/// Its effect comes late: whoever joins has called once, and thinks.
const STEPS: Ramp = Ramp::Closed { vus: 80, think: 5.0, seconds: 80, steps: 4 };

#[test]
fn a_healthy_server_seldom_is_called_broken_however_noisy() {
    let noisy = Server { fails: 0.02, slow_one_in: 15, ..Server::default() };
    for (name, server, ramp) in [
        ("healthy, open", Server::default(), OPEN),
        ("healthy, closed", Server::default(), THINKING),
        ("slow calls and errors, open", noisy, OPEN),
        ("slow calls and errors, closed", noisy, THINKING),
        (
            "pauses of a second every ten, open",
            Server { pause: Some((10.0, 1.0)), ..Server::default() },
            OPEN,
        ),
        (
            "pauses of a second every ten, closed",
            Server { pause: Some((10.0, 1.0)), ..Server::default() },
            THINKING,
        ),
        ("cold start, open", Server { cold: 20.0, ..Server::default() }, OPEN),
        ("cold start, closed", Server { cold: 20.0, ..Server::default() }, THINKING),
        ("healthy, in steps", Server::default(), STEPS),
        ("slow calls and errors, in steps", noisy, STEPS),
        (
            "errors at a constant load",
            Server { fails: 0.2, ..Server::default() },
            Ramp::Flat { rate: 40.0, seconds: 60 },
        ),
    ] {
        let (noticed, stands) = alarms(server, ramp, 1_000);
        println!("{name}: {noticed} false alarms in 1000, of which {stands} stand");
        assert!(noticed <= 10, "{name}: {noticed} false alarms in 1000");
    }
}

#[test]
fn pauses_that_last_long_enough_to_be_noticed_do_not_stand() {
    for ramp in [OPEN, THINKING] {
        let (noticed, stands) = alarms(Server { pause: Some((20.0, 2.0)), ..Server::default() }, ramp, 200);
        println!("pauses of two seconds every twenty, {ramp:?}: {noticed} noticed in 200, {stands} stand");
        assert!(stands <= 2, "{ramp:?}: {stands} stand in 200");
    }
}

#[test]
fn a_broken_server_is_found_near_where_it_breaks() {
    let cliff = Server { fails_above: 30.0, ..Server::default() };
    for (name, server, ramp, from, to) in [
        ("errors above a load of 30, open", cliff, OPEN, 29, 31),
        ("errors above a load of 30, closed", cliff, THINKING, 29, 31),
        // M/M/1 of 30/s: the median is three times that of an idle server at two thirds of the capacity, and before the queue has
        // grown for some seconds beyond it.
        (
            "one slot of 33 ms, open",
            Server { slots: 1, service: 1.0 / 30.0, ..Server::default() },
            OPEN,
            12,
            36,
        ),
        (
            "one slot of 33 ms, closed",
            Server { slots: 1, service: 1.0 / 30.0, ..Server::default() },
            THINKING,
            14,
            40,
        ),
        (
            "50 slots of 500 ms",
            Server { slots: 50, service: 0.5, ..Server::default() },
            Ramp::Closed { vus: 150, think: 0.0, seconds: 90, steps: 150 },
            20,
            45,
        ),
        (
            "a limit of 100/s",
            Server { limit: 100.0, service: 0.5, ..Server::default() },
            Ramp::Closed { vus: 150, think: 0.0, seconds: 90, steps: 150 },
            20,
            45,
        ),
    ] {
        let points: Vec<(u64, u64, BreakingPointReason)> = (0..200)
            .filter_map(|seed| match watched(&seconds(server, ramp, seed)) {
                (BreakingPointFinding::Found(point), Some(noticed)) => {
                    Some((point.at.as_secs(), noticed, point.reason))
                }
                _ => None,
            })
            .collect();
        let right = points.iter().filter(|(at, _, _)| (from..=to).contains(at)).count();
        let mut at: Vec<u64> = points.iter().map(|(at, _, _)| *at).collect();
        at.sort_unstable();
        let mut delays: Vec<u64> = points.iter().map(|(at, noticed, _)| noticed - at).collect();
        delays.sort_unstable();
        let by = |reason| points.iter().filter(|point| point.2 == reason).count();
        println!(
            "{name}: found in {} of 200, between {from} s and {to} s in {right}; median at {} s ({} to {}), noticed {} s later ({} at most); errors {}, response time {}, plateau {}",
            points.len(),
            at[at.len() / 2],
            at[0],
            at[at.len() - 1],
            delays[delays.len() / 2],
            delays[delays.len() - 1],
            by(BreakingPointReason::ErrorRate),
            by(BreakingPointReason::ResponseTime),
            by(BreakingPointReason::ThroughputPlateau),
        );
        assert!(
            points.len() >= 198 && right >= 190,
            "{name}: found in {}, right in {right} of 200",
            points.len()
        );
    }
}
