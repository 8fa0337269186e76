//! The conversation as a Markov chain: states that do something, and what may follow each.

use std::collections::BTreeMap;
use std::time::Duration;

use pmcp_loadtest_guest::Random;
use serde::Deserialize;

/// The name that ends a conversation.
pub(crate) const END: &str = "end";

/// What a state does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Deed {
    ListTools,
    ListResources,
    ListPrompts,
    /// Calls a tool that finds things.
    Search,
    /// Reads a resource: one that was found, else one that the server lists.
    Read,
    /// Calls any other tool, with what was found where it asks for an id or a URI.
    Act,
}

/// A state of the chain.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    #[serde(rename = "do")]
    pub(crate) deed: Deed,
    /// Seconds of thought before it: at least, at most.
    #[serde(default)]
    pub(crate) think: [f64; 2],
    /// How often it is done at once, without a pause: at least, at most.
    #[serde(default = "once")]
    pub(crate) burst: [u32; 2],
    /// What may follow, by weight; nothing ends the conversation.
    #[serde(default)]
    pub(crate) next: BTreeMap<String, f64>,
}

fn once() -> [u32; 2] {
    [1, 1]
}

/// The states by name.
pub(crate) type States = BTreeMap<String, State>;

/// An agent that looks around, searches, reads some of what it finds, and now and then acts.
pub(crate) fn usual() -> States {
    let state = |deed, think, burst, next: &[(&str, f64)]| State {
        deed,
        think,
        burst,
        next: next.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect(),
    };
    let states = [
        ("tools", state(Deed::ListTools, [0.0, 0.0], [1, 1], &[("resources", 3.0), ("search", 7.0)])),
        ("resources", state(Deed::ListResources, [0.0, 0.1], [1, 1], &[("search", 8.0), ("read", 2.0)])),
        (
            "search",
            state(
                Deed::Search,
                [0.5, 2.0],
                [1, 2],
                &[("read", 6.0), ("search", 2.0), ("act", 1.0), (END, 1.0)],
            ),
        ),
        (
            "read",
            state(
                Deed::Read,
                [0.2, 1.0],
                [1, 3],
                &[("search", 3.0), ("act", 3.0), ("read", 1.0), (END, 3.0)],
            ),
        ),
        ("act", state(Deed::Act, [1.0, 3.0], [1, 2], &[("search", 2.0), ("act", 1.0), (END, 3.0)])),
    ];
    states.into_iter().map(|(name, state)| (name.to_owned(), state)).collect()
}

/// Why these states are no chain, if they are none.
pub(crate) fn fault(start: &str, states: &States) -> Option<String> {
    if !states.contains_key(start) {
        return Some(format!("the conversation starts in `{start}`, which is no state"));
    }
    states.iter().find_map(|(name, state)| {
        let unknown = state.next.keys().find(|next| *next != END && !states.contains_key(*next));
        let negative = state.next.values().any(|weight| *weight < 0.0);
        let [least, most] = state.think;
        match unknown {
            Some(next) => Some(format!("`{name}` is followed by `{next}`, which is no state")),
            None if negative => Some(format!("a weight after `{name}` is below zero")),
            None if !(least >= 0.0 && least <= most) => {
                Some(format!("`think` of `{name}` is no range of seconds"))
            }
            None if state.burst[0] > state.burst[1] => {
                Some(format!("`burst` of `{name}` ends before it begins"))
            }
            None => None,
        }
    })
}

impl State {
    /// The name of the state that follows; `None` ends the conversation.
    pub(crate) fn follow(&self, random: &mut Random) -> Option<&str> {
        let weights: Vec<(&str, f64)> =
            self.next.iter().map(|(name, weight)| (name.as_str(), *weight)).collect();
        random.weighted(&weights).copied().filter(|name| *name != END)
    }

    /// The pause before the state, `pace` times as long as it says.
    pub(crate) fn pause(&self, pace: f64, random: &mut Random) -> Duration {
        let [least, most] = self.think;
        Duration::try_from_secs_f64((least + (most - least) * random.fraction()) * pace).unwrap_or_default()
    }

    /// How often it is done this time.
    pub(crate) fn times(&self, random: &mut Random) -> u32 {
        let [least, most] = self.burst;
        u32::try_from(random.between(least.into()..=most.into())).unwrap_or(least)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_usual_chain_is_one_and_ends_sooner_or_later() {
        let states = usual();
        assert_eq!(fault("tools", &states), None);
        let lengths: Vec<usize> = (0..500)
            .map(|seed| {
                let mut random = Random::new(seed);
                let mut state = states.get("tools");
                let mut length = 0;
                while let Some(present) = state {
                    length += 1;
                    state = present.follow(&mut random).and_then(|name| states.get(name));
                }
                length
            })
            .collect();
        let mean = lengths.iter().sum::<usize>() as f64 / 500.0;
        assert!((4.0..10.0).contains(&mean), "{mean}");
        assert!(lengths.iter().all(|length| *length < 100));
    }

    #[test]
    fn weights_decide_what_follows() {
        let state: State =
            serde_json::from_value(json!({ "do": "read", "next": { "read": 3, "act": 1, "never": 0 } }))
                .unwrap();
        let mut random = Random::new(1);
        let reads = (0..1000).filter(|_| state.follow(&mut random) == Some("read")).count();
        assert!((700..800).contains(&reads), "{reads}");
        let last = State { next: BTreeMap::new(), ..state };
        assert_eq!(last.follow(&mut random), None);
    }

    #[test]
    fn pauses_and_bursts_stay_in_their_ranges() {
        let state = State { think: [0.5, 1.5], burst: [2, 4], ..usual()["act"].clone() };
        let mut random = Random::new(1);
        for _ in 0..100 {
            let pause = state.pause(2.0, &mut random).as_secs_f64();
            assert!((1.0..3.0).contains(&pause), "{pause}");
            assert!((2..=4).contains(&state.times(&mut random)));
        }
        assert_eq!(state.pause(0.0, &mut random), Duration::ZERO);
    }

    #[test]
    fn what_is_no_chain_is_named() {
        let states = |value| serde_json::from_value::<States>(value).unwrap();
        for (value, part) in [
            (json!({}), "starts in `a`"),
            (json!({ "a": { "do": "read", "next": { "b": 1 } } }), "followed by `b`"),
            (json!({ "a": { "do": "read", "next": { "end": -1 } } }), "below zero"),
            (json!({ "a": { "do": "read", "think": [2, 1] } }), "no range"),
            (json!({ "a": { "do": "read", "burst": [2, 1] } }), "ends before"),
        ] {
            let fault = fault("a", &states(value)).unwrap();
            assert!(fault.contains(part), "{fault}");
        }
    }
}
