//! What virtual users planned, step by step, and where two rehearsals part. In: events. Out: [`Plans`], and a [`Difference`].

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::drive::{Event, EventKind};
use crate::judge::Observation;

/// Everything that was planned, by virtual user and iteration.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plans {
    iterations: BTreeMap<(u64, u64), Vec<Item>>,
}

/// A step, or the end of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Plan { steps: usize, then: String },
    Step { method: String, name: Option<String>, arguments: Option<String>, label: Option<String> },
}

impl Plans {
    /// Keeps what is planned while `run` goes on.
    pub(super) fn record<F>(run: F) -> (Self, Observation)
    where
        F: FnOnce(Box<dyn Fn(Event)>) -> Observation,
    {
        let plans = Rc::new(RefCell::new(Self::default()));
        let teller = Rc::clone(&plans);
        let seen = run(Box::new(move |event| teller.borrow_mut().note(event)));
        let plans = plans.take();
        (plans, seen)
    }

    /// Keeps an event, if it is about a plan.
    pub(super) fn note(&mut self, event: Event) {
        let Event { vu, iteration, kind } = event;
        let item = match kind {
            EventKind::Planned { steps, then, .. } => Item::Plan { steps, then },
            EventKind::Step { method, name, arguments, label, .. } => {
                Item::Step { method, name, arguments, label }
            }
            _ => return,
        };
        self.iterations.entry((vu, iteration)).or_default().push(item);
    }

    /// How many iterations were planned.
    pub(super) fn iterations(&self) -> u64 {
        self.iterations.len() as u64
    }

    /// How many steps were about to be done.
    pub(super) fn steps(&self) -> u64 {
        let steps = self.iterations.values().flatten().filter(|item| matches!(item, Item::Step { .. }));
        steps.count() as u64
    }

    /// Calls of tools, with the arguments' text.
    pub(super) fn tool_calls(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iterations.values().flatten().filter_map(|item| match item {
            Item::Step { method, name: Some(name), arguments: Some(arguments), .. }
                if method == "tools/call" =>
            {
                Some((name.as_str(), arguments.as_str()))
            }
            _ => None,
        })
    }

    /// Where two rehearsals part first.
    pub(super) fn difference(&self, other: &Self) -> Option<Difference> {
        let keys = self.iterations.keys().chain(other.iterations.keys());
        let (vu, iteration) =
            *keys.filter(|key| self.iterations.get(key) != other.iterations.get(key)).min()?;
        let of = |plans: &Self| plans.iterations.get(&(vu, iteration)).cloned().unwrap_or_default();
        let (one, two) = (of(self), of(other));
        let same = one.iter().zip(&two).take_while(|(one, two)| one == two).count();
        Some(Difference { vu, iteration, sides: [one.get(same).cloned(), two.get(same).cloned()] })
    }
}

/// Where two rehearsals part.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    vu: u64,
    iteration: u64,
    sides: [Option<Item>; 2],
}

impl Difference {
    /// Whose iteration it is.
    pub(super) fn place(&self) -> String {
        match self.vu {
            0 => format!("iteration {}", self.iteration),
            vu => format!("iteration {} of virtual user {vu}", self.iteration),
        }
    }

    /// Both sides, each after its word.
    pub(super) fn shown<'a>(&'a self, words: [&'a str; 2]) -> impl Iterator<Item = String> + 'a {
        let sides = words.into_iter().zip(&self.sides);
        sides.map(|(word, side)| {
            format!("{word:<7}{}", side.as_ref().map_or_else(|| "nothing".to_owned(), Item::shown))
        })
    }
}

impl Item {
    fn shown(&self) -> String {
        match self {
            Self::Plan { steps, then } => format!("a plan of {steps} steps, then {then}"),
            Self::Step { method, name, arguments, label } => {
                let label = label.as_ref().map(|label| format!("(as {label})"));
                let parts = [Some(method), name.as_ref(), arguments.as_ref(), label.as_ref()];
                parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(vu: u64, iteration: u64, arguments: &str) -> Event {
        let kind = EventKind::Step {
            position: 0,
            method: "tools/call".to_owned(),
            name: Some("search".to_owned()),
            arguments: Some(arguments.to_owned()),
            label: None,
        };
        Event { vu, iteration, kind }
    }

    fn plans(events: impl IntoIterator<Item = Event>) -> Plans {
        let mut plans = Plans::default();
        events.into_iter().for_each(|event| plans.note(event));
        plans
    }

    #[test]
    fn the_order_in_which_users_take_turns_is_no_difference() {
        let one = plans([step(0, 0, "a"), step(1, 0, "b"), step(0, 1, "c")]);
        let two = plans([step(1, 0, "b"), step(0, 0, "a"), step(0, 1, "c")]);
        assert_eq!(one.difference(&two), None);
        assert_eq!((one.steps(), one.tool_calls().count()), (3, 3));
    }

    #[test]
    fn the_first_difference_is_shown_with_both_sides() {
        let one = plans([step(2, 0, "a"), step(2, 0, "b"), step(3, 9, "c")]);
        let two = plans([step(2, 0, "a")]);
        let difference = one.difference(&two).unwrap();
        assert_eq!(difference.place(), "iteration 0 of virtual user 2");
        let shown: Vec<String> = difference.shown(["once", "again"]).collect();
        assert_eq!(shown, ["once   tools/call search b", "again  nothing"]);
    }
}
