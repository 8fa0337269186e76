//! Random choices keep within what was asked for, and reach all of it.

use std::collections::BTreeSet;
use std::time::Duration;

use pmcp_loadtest_guest::Random;

#[test]
fn every_number_of_a_range_comes_up_and_no_other() {
    let mut random = Random::new(1);
    let seen: BTreeSet<_> = (0..1000).map(|_| random.between(-2..=3)).collect();
    assert_eq!(seen, BTreeSet::from([-2, -1, 0, 1, 2, 3]));
}

#[test]
fn the_widest_range_reaches_both_signs_and_an_empty_one_is_its_start() {
    let mut random = Random::new(1);
    let signs: BTreeSet<_> = (0..100).map(|_| random.between(i64::MIN..=i64::MAX).signum()).collect();
    assert_eq!(signs, BTreeSet::from([-1, 1]));
    let (start, end) = (5, 4);
    assert_eq!(random.between(start..=end), 5);
}

#[test]
fn weights_are_shares() {
    let mut random = Random::new(1);
    let items = [("often", 3.0), ("never", 0.0), ("seldom", 1.0)];
    let drawn: Vec<_> = (0..4000).filter_map(|_| random.weighted(&items).copied()).collect();
    let share = |name| drawn.iter().filter(|drawn| **drawn == name).count();
    assert_eq!(drawn.len(), 4000);
    assert_eq!(share("never"), 0);
    assert!((2880..3120).contains(&share("often")), "{}", share("often"));
}

#[test]
fn nothing_is_picked_from_nothing() {
    let mut random = Random::new(1);
    assert_eq!(random.pick::<u8>(&[]), None);
    assert_eq!(random.weighted(&[("never", 0.0)]), None);
}

#[test]
fn a_shuffle_keeps_all_items_and_moves_them() {
    let mut items: Vec<_> = (0..50).collect();
    Random::new(1).shuffle(&mut items);
    assert!(!items.is_sorted());
    items.sort_unstable();
    assert_eq!(items, (0..50).collect::<Vec<_>>());
}

#[test]
fn chance_never_happens_at_zero_and_always_at_one() {
    let mut random = Random::new(1);
    assert!((0..1000).all(|_| !random.chance(0.0) && random.chance(1.0)));
}

#[test]
fn durations_lie_within_their_range() {
    let range = Duration::from_secs(1)..=Duration::from_secs(3);
    let mut random = Random::new(1);
    let drawn: Vec<_> = (0..100).map(|_| random.duration(range.clone())).collect();
    assert!(drawn.iter().all(|duration| range.contains(duration)));
    assert!(drawn.iter().any(|duration| *duration > Duration::from_secs(2)));
}
