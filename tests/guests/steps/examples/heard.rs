//! One call per iteration, with arguments of some 100 bytes that are made up for it; what came of it is heard.

use pmcp_loadtest_guest::{
    Error, Findings, Iteration, NoConfig, Outcome, Plan, Plugin, Step, VirtualUser, plugin,
};

struct Heard {
    ok: u64,
}

impl Plugin for Heard {
    type Config = NoConfig;

    fn open(_: &NoConfig, _: VirtualUser) -> Result<Self, Error> {
        Ok(Self { ok: 0 })
    }

    fn plan(&mut self, mut iteration: Iteration) -> Result<Plan, Error> {
        let (page, limit) = (iteration.random.below(1000), 1 + iteration.random.below(50));
        let arguments = format!(
            r#"{{"query":"weather in Oslo, page {page}","limit":{limit},"session":"{:016x}","seen":{}}}"#,
            iteration.seed, self.ok
        );
        Ok(Step::call_text("search", arguments).into())
    }

    fn learn(&mut self, outcomes: &[Outcome], _: &mut Findings) {
        self.ok += outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64;
    }
}

plugin!(Heard);
