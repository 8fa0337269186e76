//! Searches for words, and counts what is found.

use pmcp_loadtest_guest::{
    Error, Findings, Iteration, Manifest, Metric, Outcome, Plan, Plugin, Step, VirtualUser, json, plugin,
};
use serde::Deserialize;

/// The scenario's `config` table.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// What is searched for, each word as often as any other.
    words: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { words: vec!["tides".to_owned(), "maps".to_owned()] }
    }
}

/// One virtual user.
struct MyPlugin {
    config: &'static Config,
}

impl Plugin for MyPlugin {
    type Config = Config;

    fn manifest() -> Manifest {
        Manifest::new().requires_tool("search").metric(Metric::trend("hits"))
    }

    fn open(config: &'static Config, _: VirtualUser) -> Result<Self, Error> {
        Ok(Self { config })
    }

    fn plan(&mut self, mut iteration: Iteration) -> Result<Plan, Error> {
        let word = iteration.random.pick(&self.config.words).ok_or("`words` is empty")?;
        let search = Step::call("search", json!({ "query": word })).capture("/structuredContent/total");
        Ok(search.into())
    }

    fn learn(&mut self, outcomes: &[Outcome], findings: &mut Findings) {
        for outcome in outcomes {
            let hits = outcome.captured::<u32>(0);
            if let Ok(hits) = hits {
                findings.sample("hits", f64::from(hits));
            }
            findings.check("search says how much it found", hits.map(|_| ()));
        }
    }
}

plugin!(MyPlugin);

#[cfg(test)]
mod tests {
    use pmcp_loadtest_guest::testing::{Answer, Rehearsal};

    use super::*;

    #[test]
    fn every_iteration_searches_once_and_counts_the_hits() -> Result<(), Error> {
        let mut user = Rehearsal::<MyPlugin>::new()
            .config(json!({ "words": ["boots"] }))
            .tool("search", json!({ "type": "object" }))
            .answers(|_| Answer::ok(json!({ "structuredContent": { "total": 3 } })))
            .open()?;

        let iteration = user.iterate()?;
        let search = Step::call("search", json!({ "query": "boots" })).capture("/structuredContent/total");
        assert_eq!(iteration.steps().collect::<Vec<_>>(), [&search]);

        let findings = user.finish()?;
        assert_eq!(findings.sampled("hits").collect::<Vec<_>>(), [3.0]);
        assert!(findings.checked("search says how much it found").all(|verdict| verdict.is_ok()));
        Ok(())
    }

    #[test]
    fn without_words_there_is_nothing_to_search_for() -> Result<(), Error> {
        let rehearsal = Rehearsal::<MyPlugin>::new().config(json!({ "words": [] })).tool("search", json!({}));
        let error = rehearsal.open()?.iterate().unwrap_err();
        assert_eq!(error.to_string(), "`words` is empty");
        Ok(())
    }
}
