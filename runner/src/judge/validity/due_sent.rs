//! The gate on what was asked of the generator: iterations that were due must have begun.

use super::{Gate, GateName, percent};
use crate::judge::Observation;
use crate::judge::wording::{count, counted};
use crate::plan::Plan;

/// Below this share of due iterations that began, the load was not the one that was asked for (`reference/load-anchors.md`, 4e).
const LEAST_SENT: f64 = 0.995;

/// Judges the share of due iterations that began; `None` where no load is open.
pub(super) fn gate(plan: &Plan, observation: &Observation) -> Option<Gate> {
    if !plan.is_open() {
        return None;
    }
    let books = &observation.books;
    let (due, dropped) = (books.iterations_due, books.dropped.total());
    let name = GateName::DueSent;
    if due == 0 {
        return Some(Gate::not_judged(name, None, LEAST_SENT, "ratio", "no iteration became due"));
    }
    let sent = (due - dropped) as f64 / due as f64;
    let finding = match dropped {
        0 => format!("all {} that were due began", counted(due, "iteration")),
        _ => format!("{} of {} that were due began", percent(sent), counted(due, "iteration")),
    };
    let most =
        plan.loads.iter().filter_map(|load| load.executor.pool()).map(|pool| pool.max_vus.get()).sum::<u32>();
    let advice = format!(
        "all {} were busy, and {} found none in time: raise max_vus, or lower the rate until the server keeps up",
        counted(most.into(), "virtual user"),
        count(dropped),
    );
    Some(Gate::decided(name, sent >= LEAST_SENT, sent, LEAST_SENT, "ratio", finding, &advice))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;
    use crate::judge::fixtures::{Run, plan};
    use crate::judge::{Dropped, Outcome};
    use crate::plan::{Executor, Load, Pool, Rate, Spacing};

    fn judged(due: u64, no_free_vu: u64) -> Option<Gate> {
        let max_vus = NonZeroU32::new(10).unwrap();
        let pool = Pool { vus: 10, max_vus, max_wait: Duration::ZERO, spacing: Spacing::Even };
        let rate = Rate::per_second(100.0).unwrap();
        let executor = Executor::ConstantArrivalRate { rate, duration: Duration::from_secs(10), pool };
        let mut plan = plan();
        plan.loads = vec![Load::simple(executor, Duration::ZERO, plan.scenarios.len())];
        let mut observation = Run::new().calls("search", 500, 10, Outcome::Ok).finish();
        observation.books.iterations_due = due;
        observation.books.dropped = Dropped { no_free_vu, run_ended: 0 };
        gate(&plan, &observation)
    }

    #[test]
    fn half_a_per_cent_of_what_was_due_may_be_missing_and_no_more() {
        assert!(!judged(1000, 0).unwrap().failed());
        assert!(!judged(1000, 5).unwrap().failed());
        let failed = judged(1000, 6).unwrap();
        assert!(failed.failed());
        assert_eq!(failed.finding, "99.4 % of 1,000 iterations that were due began");
        assert!(failed.advice.unwrap().contains("raise max_vus"));
    }

    #[test]
    fn a_closed_run_has_no_such_gate_and_one_in_which_nothing_was_due_is_not_judged() {
        let observation = Run::new().calls("search", 500, 10, Outcome::Ok).finish();
        assert_eq!(gate(&plan(), &observation), None);
        assert_eq!(judged(0, 0).unwrap().state, crate::judge::GateState::NotJudged);
    }
}
