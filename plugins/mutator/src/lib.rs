//! Calls tools with near-valid arguments: each call has to come back as an error, and never as a 5xx, a reset, a hang or an ok.

mod catalog;
mod config;
mod mutation;
mod verdict;

use pmcp_loadtest_guest::{
    Error, Findings, Iteration, Manifest, Outcome, Plan, Plugin, Step, VirtualUser, plugin,
};

use catalog::Catalog;
use config::Config;
use mutation::Mutant;

/// A virtual user that sends one mutant per iteration.
struct Mutator {
    catalog: &'static Catalog,
    /// What is under way: the tool and what it was sent.
    sent: Option<(&'static str, &'static Mutant)>,
}

impl Plugin for Mutator {
    type Config = Config;

    fn manifest() -> Manifest {
        Manifest::new().config_schema(&config::schema())
    }

    fn open(config: &'static Config, user: VirtualUser) -> Result<Self, Error> {
        let catalog = if let Some(catalog) = config.catalog.get() {
            catalog
        } else {
            let found = Catalog::new(config, user.run.seed)?;
            config.catalog.get_or_init(|| found)
        };
        Ok(Self { catalog, sent: None })
    }

    fn plan(&mut self, mut iteration: Iteration) -> Result<Plan, Error> {
        let (tool, mutant) = self.catalog.draw(&mut iteration.random)?;
        self.sent = Some((tool, mutant));
        // A row of its own: these calls fail, and are meant to.
        Ok(Step::call_text(tool, mutant.arguments.as_str()).label(format!("{tool} (mutated)")).into())
    }

    fn learn(&mut self, outcomes: &[Outcome], findings: &mut Findings) {
        let (Some((tool, mutant)), Some(outcome)) = (self.sent.take(), outcomes.first()) else { return };
        let expected = if mutant.must_be_refused { "is refused" } else { "does no harm" };
        if let Some(verdict) = verdict::verdict(mutant, outcome.status()) {
            let name = format!("{} {expected}", mutant.mutation.name());
            findings.check(name, verdict.map_err(|reason| format!("{tool}: {reason}")));
        }
    }
}

plugin!(Mutator);

#[cfg(test)]
mod tests;
