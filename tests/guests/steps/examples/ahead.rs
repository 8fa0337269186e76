//! The mix of the bench, planned sixteen iterations at a time.

use pmcp_loadtest_guest::{Error, Iteration, Manifest, NoConfig, Plan, Plugin, VirtualUser, plugin};

struct Ahead;

impl Plugin for Ahead {
    type Config = NoConfig;

    fn manifest() -> Manifest {
        Manifest::new().plans_ahead(16)
    }

    fn open(_: &NoConfig, _: VirtualUser) -> Result<Self, Error> {
        Ok(Self)
    }

    fn plan(&mut self, iteration: Iteration) -> Result<Plan, Error> {
        Ok(steps::mixed(iteration.seed))
    }
}

plugin!(Ahead);
