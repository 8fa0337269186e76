//! A plugin that asks its system for everything: that there is nothing, that nothing waits, and that a seed repeats what little there is.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what becomes of them is the question")]

use std::collections::HashMap;
use std::fs::File;
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime};

use pmcp_loadtest_guest::{
    Error, Findings, Iteration, Manifest, Metric, NoConfig, Outcome, Plan, Plugin, Step, VirtualUser, json,
    plugin,
};

struct Prober;

impl Plugin for Prober {
    type Config = NoConfig;

    fn manifest() -> Manifest {
        Manifest::new()
            .metric(Metric::gauge("hour").unit("seconds"))
            .metric(Metric::gauge("date").unit("seconds"))
            .requires_tool("echo")
    }

    fn open(_: &NoConfig, _: VirtualUser) -> Result<Self, Error> {
        Ok(Prober)
    }

    fn plan(&mut self, iteration: Iteration) -> Result<Plan, Error> {
        let began = Instant::now();
        std::thread::sleep(Duration::from_hours(1));
        let hour = began.elapsed().as_secs_f64();
        let date = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs_f64();
        let keys: HashMap<u64, ()> = (0..8).map(|key| (key, ())).collect();
        let order: Vec<&u64> = keys.keys().collect();
        println!("iteration {} at {date}: {order:?}", iteration.number);
        eprintln!("a warning");
        Ok(Plan::new()
            .step(Step::call("echo", json!({ "message": format!("{order:?}") })))
            .sample("hour", hour)
            .sample("date", date)
            .check("there are no files", File::open("/etc/hostname").is_err())
            .check("there is no network", TcpStream::connect(("127.0.0.1", 1)).is_err())
            .check("there is no environment", std::env::vars().count() == 0)
            .check("there are no arguments", std::env::args().count() == 0))
    }

    fn learn(&mut self, outcomes: &[Outcome], findings: &mut Findings) {
        findings.check("the call is ok", outcomes.iter().all(Outcome::is_ok));
    }
}

plugin!(Prober);
