//! The rows of a run's report: those that the plan names, and those that plugins' steps add as they come.
//!
//! Shared by all workers. Asked once per worker and row, never on the path of a request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::plan::{Plan, SeriesId, SeriesKey, SeriesKind};

/// Most rows that one scenario adds. A plugin that labels every step anew fills no memory: the rest shares a row per method.
const MOST_ADDED: usize = 1000;
/// The name of that row.
const OTHERS: &str = "(others)";

/// All rows, by their [`SeriesId`]s.
#[derive(Debug)]
pub(crate) struct SeriesRegistry {
    rows: Mutex<Rows>,
}

#[derive(Debug)]
struct Rows {
    keys: Vec<SeriesKey>,
    ids: HashMap<SeriesKey, SeriesId>,
    /// How many each scenario added.
    added: HashMap<String, usize>,
}

impl SeriesRegistry {
    /// The rows that a plan names.
    pub(crate) fn of(plan: &Plan) -> Self {
        let rows = Rows { keys: plan.series(), ids: HashMap::new(), added: HashMap::new() };
        Self { rows: Mutex::new(rows) }
    }

    /// The row of a plugin's step, which is added where it is new.
    pub(crate) fn add(&self, key: SeriesKey) -> SeriesId {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = rows.ids.get(&key) {
            return *id;
        }
        let added = rows.added.entry(key.scenario.clone()).or_default();
        *added += 1;
        let full = *added > MOST_ADDED && key.name.as_deref() != Some(OTHERS);
        if full {
            drop(rows);
            return self.add(SeriesKey { name: Some(OTHERS.to_owned()), label: None, ..key });
        }
        let id = SeriesId(u32::try_from(rows.keys.len()).unwrap_or(u32::MAX));
        rows.keys.push(key.clone());
        rows.ids.insert(key, id);
        id
    }

    /// All rows, in the order of their ids.
    pub(crate) fn keys(&self) -> Vec<SeriesKey> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).keys.clone()
    }
}

/// The key of a plugin's step.
pub(crate) fn step_key(scenario: &str, method: &str, name: Option<&str>, label: Option<&str>) -> SeriesKey {
    SeriesKey {
        kind: SeriesKind::Operation,
        scenario: scenario.to_owned(),
        method: method.to_owned(),
        name: name.map(str::to_owned),
        label: label.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::fixtures::plan;

    #[test]
    fn a_row_is_added_once_and_comes_after_those_of_the_plan() {
        let plan = plan();
        let registry = SeriesRegistry::of(&plan);
        let first = registry.add(step_key("shopper", "tools/call", Some("buy"), None));
        assert_eq!(first.index(), plan.series().len());
        assert_eq!(registry.add(step_key("shopper", "tools/call", Some("buy"), None)), first);
        assert_ne!(registry.add(step_key("shopper", "tools/call", Some("buy"), Some("again"))), first);
        assert_eq!(registry.keys().len(), plan.series().len() + 2);
    }

    #[test]
    fn a_plugin_that_labels_every_step_anew_gets_a_row_for_the_rest() {
        let registry = SeriesRegistry::of(&plan());
        let labelled = |index: usize| {
            let label = index.to_string();
            registry.add(step_key("shopper", "tools/call", Some("buy"), Some(&label)))
        };
        (0..MOST_ADDED).for_each(|index| {
            labelled(index);
        });
        let rest = labelled(MOST_ADDED);
        assert_eq!(labelled(MOST_ADDED + 1), rest);
        assert_eq!(registry.keys()[rest.index()].name.as_deref(), Some(OTHERS));
        let elsewhere = registry.add(step_key("other", "tools/call", Some("buy"), None));
        assert_eq!(registry.keys()[elsewhere.index()].name.as_deref(), Some("buy"));
    }
}
