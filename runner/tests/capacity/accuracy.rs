//! How far answers are from the truth: many searches of servers whose capacity is known. `--nocapture` shows the table.

use pmcp_loadtest::judge::capacity::{Finding, Precision, Question};

use crate::kinds::{Kind, cliff, pausing, pool, queue, sharing};

/// Searches of each server.
const SEARCHES: u64 = 60;

/// What many searches of a server came to.
struct Score {
    /// Answers whose lower bound is within a width of the truth.
    within: u64,
    /// Answers whose lower bound is more than a width above it.
    too_high: u64,
    /// Searches that ended without two bounds.
    unanswered: u64,
}

/// Searches of the server; the figures are printed.
fn score(kind: &Kind) -> Score {
    let width = Precision::Usual.width();
    let mut ratios = Vec::new();
    let (mut trials, mut minutes, mut unanswered) = (0.0, 0.0, 0);
    for seed in 1..=SEARCHES {
        let objective = kind.objective.parse().expect("an objective");
        let answer = kind.bench(seed).search(Question::of(vec![objective]));
        trials += answer.trials.len() as f64 / SEARCHES as f64;
        minutes += answer.elapsed_s / 60.0 / SEARCHES as f64;
        match (&answer.finding, &answer.lo) {
            (Finding::Between, Some(lo)) => ratios.push(lo.load / kind.truth),
            _ => unanswered += 1,
        }
    }
    ratios.sort_by(f64::total_cmp);
    let count = |holds: &dyn Fn(f64) -> bool| ratios.iter().filter(|ratio| holds(**ratio)).count() as u64;
    let score = Score {
        within: count(&|ratio| (1.0 / width..=width).contains(&ratio)),
        too_high: count(&|ratio| ratio > width),
        unanswered,
    };
    let middle = ratios.get(ratios.len() / 2).copied().unwrap_or_default();
    #[expect(clippy::print_stdout, reason = "the table is what a person runs this for")]
    {
        println!(
            "{:<18} {:>7.1}/s {:>7}/{} within {:>3} too high {:>3} unanswered  {:.3} .. {:.3} .. {:.3} of the truth  {trials:>4.1} trials {minutes:>4.1} min",
            kind.name,
            kind.truth,
            score.within,
            SEARCHES,
            score.too_high,
            score.unanswered,
            ratios.first().copied().unwrap_or_default(),
            middle,
            ratios.last().copied().unwrap_or_default(),
        );
    }
    score
}

/// At least 95 % of the answers are within the stated width; one in fifty may be too high by more, and one in twenty searches may run out
/// of time.
fn is_accurate(kinds: &[Kind]) {
    let scores: Vec<Score> = kinds.iter().map(score).collect();
    let sum = |of: fn(&Score) -> u64| scores.iter().map(of).sum::<u64>();
    let searches = SEARCHES * kinds.len() as u64;
    let (within, too_high, unanswered) = (sum(|s| s.within), sum(|s| s.too_high), sum(|s| s.unanswered));
    assert!(
        within * 20 >= (searches - unanswered) * 19,
        "{within} of {} within the width",
        searches - unanswered
    );
    assert!(too_high * 50 <= searches, "{too_high} of {searches} false passes");
    assert!(unanswered * 20 <= searches, "{unanswered} of {searches} without an answer");
}

#[test]
fn queues_are_found_within_the_width() {
    is_accurate(&[
        queue("M/M/1, long queue", "p99 < 200ms", 1, 0.005),
        queue("M/M/4", "p99 < 200ms", 4, 0.02),
        queue("M/M/16", "p99 < 250ms", 16, 0.04),
        queue("M/M/4, p95", "p95 < 100ms", 4, 0.02),
    ]);
}

#[test]
fn processor_sharing_pauses_pools_and_cliffs_are_found_within_the_width() {
    is_accurate(&[sharing(), pausing(), pool(), cliff()]);
}
