//! What is counted of a trial: which calls were due, which were good, and whether the measurement says anything about the server.

use std::time::Duration;

use super::Usual;
use crate::drive::engine::PIECE;
use crate::judge::capacity::{Closing, Counts, Question, Slice, Variable};
use crate::judge::{GateName, Observation, Second, SeriesMetrics, Sums, judge_validity};
use crate::plan::{Objective, Plan, SeriesKey};

/// How late calls may be sent where objectives say how long they may take: a hundredth of the shortest such time, but a millisecond
/// always (`reference/load-anchors.md`, 4e).
const LATENESS_SHARE: f64 = 0.01;
const LATENESS_FLOOR: Duration = Duration::from_millis(1);
/// Share of iterations that may have waited for a virtual user before lateness is no longer the generator's alone.
const MOST_WAITED: f64 = 0.005;

/// Calls of one kind that came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counting {
    pub(super) finished: u64,
    pub(super) good: u64,
}

impl Counting {
    /// Of the calls that an objective covers.
    pub(super) fn of(objective: &Objective, series: &[SeriesKey], sums: &Sums) -> Self {
        let covered = sums.sum(|id| series.get(id.index()).is_some_and(|key| objective.covers(key)));
        Self::within(&covered, objective.within())
    }

    fn within(calls: &SeriesMetrics, within: Option<Duration>) -> Self {
        let finished = calls.outcomes.requests() + calls.outcomes.cancelled();
        let good = within.map_or(calls.outcomes.ok(), |within| calls.response_time.count_up_to(within));
        Self { finished, good }
    }
}

/// Makes slices of the pieces of a trial. Iterations are due one by one; how many calls of each kind that makes is known from the probe.
#[derive(Debug)]
pub(super) struct Slices<'a> {
    question: &'a Question,
    /// How many calls an iteration makes.
    usual: &'a Usual,
    /// Iterations so far: due, and dropped.
    due: u64,
    dropped: u64,
}

impl<'a> Slices<'a> {
    pub(super) fn new(question: &'a Question, usual: &'a Usual) -> Self {
        Self { question, usual, due: 0, dropped: 0 }
    }

    /// The slice of a piece.
    pub(super) fn slice(&mut self, piece: &Second, series: &[SeriesKey]) -> Slice {
        let before = (self.due, self.dropped);
        self.due += piece.arrivals.due;
        self.dropped += piece.arrivals.dropped;
        let after = (self.due, self.dropped);
        let total = piece.sums.total();
        let counts = |calls: Counting, per_iteration: f64| {
            // Rounded sums, so that the rounding of many small pieces does not add up.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a number of calls, not negative"
            )]
            let calls_of = |iterations: u64| (iterations as f64 * per_iteration).round() as u64;
            let dropped = calls_of(after.1) - calls_of(before.1);
            let finished = calls.finished + dropped;
            let due = match self.question.variable {
                Variable::Rate => calls_of(after.0) - calls_of(before.0),
                // Closed: what is sent was due, and what is not was not.
                Variable::Sessions => finished,
            };
            Counts { due, finished, good: calls.good }
        };
        let objectives = self.question.objectives.iter().zip(&self.usual.calls_by_objective);
        let throttled = total.outcomes.by_class().into_iter().find(|(class, _)| *class == "throttled");
        Slice {
            length: PIECE,
            objectives: objectives
                .map(|(objective, per)| counts(Counting::of(objective, series, &piece.sums), *per))
                .collect(),
            calls: counts(Counting::within(&total, None), self.usual.calls),
            throttled: throttled.map_or(0, |(_, count)| count),
            median: total.response_time.quantile(0.5),
        }
    }
}

/// What is known of a trial when nothing of it runs any more.
pub(super) fn closing(question: &Question, plan: &Plan, seen: &Observation) -> Closing {
    let total = seen.metrics.total();
    Closing {
        invalid: invalid(question, plan, seen, &total),
        p50: total.response_time.quantile(0.5),
        p99: total.response_time.quantile(0.99),
        first_event_p50: total.first_event.quantile(0.5),
        worst_tool: worst_tool(question, seen),
    }
}

/// Why the generator may have set the figures, if it may.
fn invalid(question: &Question, plan: &Plan, seen: &Observation, total: &SeriesMetrics) -> Option<String> {
    // Too few calls are the search's own concern; what was dropped for want of virtual users missed its objective.
    let others = [GateName::Samples, GateName::DueSent, GateName::SendLateness];
    let failed =
        judge_validity(plan, seen).into_iter().find(|gate| gate.failed() && !others.contains(&gate.name));
    failed.map(|gate| gate.finding).or_else(|| late(question, seen, total))
}

/// Whether calls were sent too late, and not because the server kept all virtual users waiting.
fn late(question: &Question, seen: &Observation, total: &SeriesMetrics) -> Option<String> {
    let books = &seen.books;
    if books.iterations_waited as f64 > MOST_WAITED * books.iterations_due as f64 {
        return None;
    }
    let shortest = question.objectives.iter().filter_map(Objective::within).min().unwrap_or(Duration::MAX);
    let bound = LATENESS_FLOOR.max(shortest.mul_f64(LATENESS_SHARE));
    let lateness = total.lateness.quantile(0.99)?;
    (lateness > bound)
        .then(|| format!("1 % of the calls were sent more than {lateness:?} late, of {bound:?} allowed"))
}

/// The tool (resource, prompt, path) with the largest share of misses.
fn worst_tool(question: &Question, seen: &Observation) -> Option<String> {
    let rows = (0_u32..).map(crate::plan::SeriesId).zip(&seen.series);
    let misses = rows.filter_map(|(id, key)| {
        let objectives = question.objectives.iter().filter(|objective| objective.covers(key));
        let worst = objectives
            .filter_map(|objective| {
                let calls = Counting::within(seen.metrics.series(id), objective.within());
                (calls.finished > calls.good).then(|| 1.0 - calls.good as f64 / calls.finished as f64)
            })
            .max_by(f64::total_cmp)?;
        Some((worst, key.row_name().unwrap_or_else(|| key.method.clone())))
    });
    misses.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, name)| name)
}
