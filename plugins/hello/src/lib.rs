//! The smallest plugin of `cargo pmcp loadtest`: every iteration calls one tool.

use pmcp_loadtest_guest::{Error, Iteration, NoConfig, Plan, Plugin, Step, VirtualUser, json, plugin};

struct Hello;

impl Plugin for Hello {
    type Config = NoConfig;

    fn open(_: &NoConfig, _: VirtualUser) -> Result<Self, Error> {
        Ok(Hello)
    }

    fn plan(&mut self, iteration: Iteration) -> Result<Plan, Error> {
        Ok(Step::call("echo", json!({ "message": format!("hello {}", iteration.number) })).into())
    }
}

plugin!(Hello);

#[cfg(test)]
mod tests {
    use pmcp_loadtest_guest::testing::Rehearsal;

    use super::*;

    #[test]
    fn every_iteration_says_hello_once() -> Result<(), Error> {
        let mut user = Rehearsal::<Hello>::new().open()?;
        user.iterate()?;
        let second = user.iterate()?;
        assert_eq!(second.plans[0].steps(), [Step::call("echo", json!({ "message": "hello 1" }))]);
        Ok(())
    }
}
