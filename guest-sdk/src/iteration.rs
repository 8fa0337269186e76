//! Who acts and when: a virtual user and one of its iterations.

use crate::{Outcome, Random};

/// What is the same for every virtual user of the scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Run {
    /// The scenario's name in the report.
    pub scenario: String,
    /// The run's seed.
    pub seed: u64,
    /// The largest number of virtual users that the run will have.
    pub vus: u32,
}

/// A virtual user.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VirtualUser {
    /// Counts from 0 over the whole run, whatever worker the virtual user lives on.
    pub number: u32,
    /// Depends on the run's seed, the scenario and the number.
    pub seed: u64,
    /// Random choices for this virtual user as a whole, seeded with [`seed`](Self::seed).
    pub random: Random,
    /// The run it is part of.
    pub run: &'static Run,
}

impl VirtualUser {
    pub(crate) fn new(number: u32, seed: u64, run: &'static Run) -> Self {
        Self { number, seed, random: Random::new(seed), run }
    }
}

/// What a plan is asked for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Iteration {
    /// Counts from 0 for each virtual user; over all of them where they share a total.
    pub number: u64,
    /// Depends on the run's seed, the scenario, the virtual user and the number.
    pub seed: u64,
    /// How many plans of this iteration were run already: 0 unless one ended in [`Plan::then_more`](crate::Plan::then_more).
    pub round: u32,
    /// Random choices for this round: the same on every run with the same seed.
    pub random: Random,
    /// Of the round before this one, in the order of its steps. Empty in round 0: what came of the iteration before is only
    /// [learnt](crate::Plugin::learn).
    pub outcomes: Vec<Outcome>,
}

impl Iteration {
    pub(crate) fn new(number: u64, seed: u64, round: u32, outcomes: Vec<Outcome>) -> Self {
        Self { number, seed, round, random: Random::of_round(seed, round), outcomes }
    }
}
