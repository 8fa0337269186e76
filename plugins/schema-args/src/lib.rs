//! Calls every tool of a server with valid, varied arguments that are made up from its schema: load without a line of scenario.

mod catalog;
mod config;

use pmcp_loadtest_guest::{Error, Iteration, Manifest, Plan, Plugin, Step, VirtualUser, plugin};

use catalog::Catalog;
use config::Config;

/// Iterations that are planned in one call of the host.
const AHEAD: u32 = 16;

/// A virtual user that calls one tool per iteration.
struct SchemaArgs {
    config: &'static Config,
    catalog: &'static Catalog,
    run_seed: u64,
}

impl Plugin for SchemaArgs {
    type Config = Config;

    fn manifest() -> Manifest {
        Manifest::new().config_schema(&config::schema()).plans_ahead(AHEAD)
    }

    fn open(config: &'static Config, user: VirtualUser) -> Result<Self, Error> {
        let catalog = if let Some(catalog) = config.catalog.get() {
            catalog
        } else {
            let found = Catalog::new(config)?;
            config.catalog.get_or_init(|| found)
        };
        Ok(Self { config, catalog, run_seed: user.run.seed })
    }

    fn plan(&mut self, mut iteration: Iteration) -> Result<Plan, Error> {
        let tool = self.catalog.draw(&mut iteration.random)?;
        let arguments = tool.arguments(self.config, self.run_seed, iteration.random.next_u64())?;
        Ok(Step::call_text(&tool.name, &*arguments).into())
    }
}

plugin!(SchemaArgs);

#[cfg(test)]
mod tests;
