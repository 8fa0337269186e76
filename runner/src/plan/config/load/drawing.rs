//! Which scenarios a load draws from.

use std::collections::BTreeSet;

use super::{Draft, Surroundings};
use crate::plan::Scenario;
use crate::plan::config::error::Problems;
use crate::plan::config::wording::suggestion;

/// What comes of the names that a load gives.
pub(super) enum Drawn {
    /// The places of its scenarios among those that run, ascending.
    Places(Vec<usize>),
    /// All its scenarios are among those that were not asked for.
    LeftOut,
}

/// The scenarios of a load; `None` once its mistakes are noted. Where the scenarios themselves could not be read, there are none.
pub(super) fn resolve(
    draft: &Draft,
    surroundings: &Surroundings<'_>,
    problems: &mut Problems<'_>,
    notes: &mut Vec<String>,
) -> Option<Drawn> {
    let Some(known) = surroundings.scenarios else { return Some(Drawn::Places(Vec::new())) };
    let all = || Drawn::Places((0..known.chosen.len()).collect());
    let Some(written) = &draft.scenarios else { return Some(all()) };
    if surroundings.replaced {
        notes.push("--plugin replaces the scenarios, so `scenarios` of a load has no effect".to_owned());
        return Some(all());
    }
    if written.value.is_empty() {
        let help = "name at least one, or leave the key out to draw from all";
        problems.at(&written.span, "a load without scenarios does nothing", help);
        return None;
    }
    let before = problems.count();
    let mut places = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for name in &written.value {
        let is_called = |scenario: &Scenario| scenario.name == name.value;
        if !seen.insert(&name.value) {
            problems.at(&name.span, format!("`{}` stands here twice", name.value), "keep one of them");
        }
        match known.chosen.iter().position(is_called) {
            Some(place) => {
                places.insert(place);
            }
            None if known.left_out.iter().any(is_called) => {}
            None => {
                let names = known.chosen.iter().chain(known.left_out).map(|scenario| scenario.name.as_str());
                let help = suggestion(&name.value, &names.collect::<Vec<_>>());
                problems.at(&name.span, format!("there is no scenario called `{}`", name.value), help);
            }
        }
    }
    if problems.count() > before {
        return None;
    }
    if places.is_empty() {
        return Some(Drawn::LeftOut);
    }
    if places.iter().all(|&place| known.chosen[place].weight == 0) {
        let message = "the weights of these scenarios add up to zero, so none is ever drawn";
        problems.at(&written.span, message, "give one a weight above zero, or name others");
        return None;
    }
    Some(Drawn::Places(places.into_iter().collect()))
}
