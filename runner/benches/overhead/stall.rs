//! Coordinated omission in real time: a server that stands still for a second of every ten, seen by the open model and by closed
//! ones, beside what is true of it by arithmetic.
//!
//! In the open model 100 requests a second are due, whatever the server does, so a tenth of them falls into a stall, and the delay of
//! those is spread evenly: the share of requests that wait longer than x seconds is (1 - x) / 10. In the closed model whoever waits
//! sends nothing, so that each of its virtual users meets a stall once, and the median and the percentiles are those of a server that
//! never stood still.

use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::Context as _;
use pmcp_loadtest::judge::Histogram;
use pmcp_loadtest::plan::{Executor, Rate, Scenario, ThinkTime};
use pmcp_loadtest_demo_server::{DemoServer, Script};
use serde_json::json;

use crate::client::{call, observe, plan, pool, scenario};
use crate::comparison::Effort;
use crate::table::{Figure, Unit};

/// The server stalls once in it.
const PERIOD: Duration = Duration::from_secs(10);
const STALL: Duration = Duration::from_secs(1);
/// When the first stall begins, after the start of the run.
const FIRST: Duration = Duration::from_secs(5);
/// What the server's timers, which go by whole milliseconds, are late by: none to two, one in the middle.
const SERVER_LATE: Duration = Duration::from_millis(1);
/// Between two arrivals.
const GAP: Duration = Duration::from_millis(10);
/// What the model may be off the truth.
const TOLERANCE_MS: f64 = 2.0;

/// The times of one way to look at the server.
#[derive(Debug)]
struct View {
    name: &'static str,
    times: Histogram,
}

/// Runs the open model and two closed ones against the same server.
///
/// # Errors
/// Where the server or a run cannot begin, or calls fail.
#[expect(clippy::print_stdout, reason = "a figure without its circumstances is no figure")]
pub(crate) fn measure(effort: &Effort) -> anyhow::Result<Vec<Figure>> {
    let periods = if effort.quick { 1 } else { 3 };
    let length = PERIOD * periods;
    println!(
        "three runs of {} s; the server answers at once, but for {} s of every {} s",
        length.as_secs(),
        STALL.as_secs(),
        PERIOD.as_secs()
    );
    println!();
    let single = NonZeroU32::MIN;
    let open = Executor::ConstantArrivalRate {
        rate: Rate::per_second(1.0 / GAP.as_secs_f64()).context("the gap is no rate")?,
        duration: length,
        pool: pool(single.saturating_add(199)),
    };
    let closed = |vus| Executor::ConstantVus { vus, spawn_rate: None, duration: length };
    let (response_time, service_time) = run(open, None, periods)?;
    let (ten, _) = run(closed(single.saturating_add(9)), None, periods)?;
    let (one, _) = run(closed(single), Some(ThinkTime::constant(GAP)), periods)?;
    let truth = View { name: "truth, 100 requests/s", times: truth(periods) };
    let open = View { name: "open, 100 requests/s: response time", times: response_time };
    let hidden = [
        View { name: "open, 100 requests/s: service time", times: service_time },
        View { name: "closed, 10 VUs: response time", times: ten },
        View { name: "closed, 1 VU, 10 ms of thought: response time", times: one },
    ];
    let mut figures = truth.figures();
    figures.extend(open.figures());
    figures.extend(hidden.iter().flat_map(View::figures));
    for (name, quantile) in QUANTILES {
        let off = (open.milliseconds(quantile) - truth.milliseconds(quantile)).abs();
        let name = format!("open, 100 requests/s: {name} off the truth by");
        figures.push(Figure::bounded(&name, off, Unit::Milliseconds, TOLERANCE_MS, 2.0 * TOLERANCE_MS));
    }
    Ok(figures)
}

const QUANTILES: [(&str, f64); 3] = [("median", 0.5), ("99th percentile", 0.99), ("longest", 1.0)];

impl View {
    fn milliseconds(&self, quantile: f64) -> f64 {
        self.times.quantile(quantile).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    }

    fn figures(&self) -> Vec<Figure> {
        let name = self.name;
        let calls = Figure::shown(format!("{name}: calls"), self.times.count() as f64, Unit::Count);
        let times = QUANTILES.iter().map(|(what, quantile)| {
            Figure::shown(format!("{name}, {what}"), self.milliseconds(*quantile), Unit::Milliseconds)
        });
        std::iter::once(calls).chain(times).collect()
    }
}

/// When the stalls begin. Against the grid of the arrivals each is shifted by another part of a gap, and none begins near an arrival:
/// so the delays are spread as evenly as those of arrivals at any instant, and it does not matter when exactly the run begins.
fn stalls(periods: u32) -> impl Iterator<Item = Duration> {
    (0..periods).map(move |number| FIRST + PERIOD * number + GAP * (2 * number + 1) / (2 * periods))
}

/// The delay of every arrival, had it been answered at once but for the stalls.
fn truth(periods: u32) -> Histogram {
    let mut times = Histogram::default();
    let arrivals = (PERIOD * periods).as_nanos() / GAP.as_nanos();
    for due in (0..arrivals).map(|number| Duration::from_nanos_u128(number * GAP.as_nanos())) {
        let within = stalls(periods).find(|begin| (*begin..*begin + STALL).contains(&due));
        let delay = within.map_or(Duration::ZERO, |begin| (begin + STALL).saturating_sub(due));
        times.record_nanos(u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX));
    }
    times
}

/// The response and the service times of a run against a server whose script begins with it.
fn run(
    executor: Executor,
    think_time: Option<ThinkTime>,
    periods: u32,
) -> anyhow::Result<(Histogram, Histogram)> {
    let server = DemoServer::start(Script::default())?;
    let script = stalls(periods).fold(Script::default(), |script, begin| {
        script.stall(begin, begin + STALL.saturating_sub(SERVER_LATE))
    });
    let caller = scenario("caller", 1, vec![call("echo", json!({"message": "hello"}))]);
    let scenarios = vec![Scenario { think_time, ..caller }];
    let plan = plan(server.url().parse()?, executor, scenarios);
    let observation = observe(plan, || server.set_script(script))?;
    let total = observation.metrics.total();
    anyhow::ensure!(total.outcomes.errors() == 0, "{} calls failed", total.outcomes.errors());
    let dropped = observation.books.dropped.total();
    anyhow::ensure!(dropped == 0, "{dropped} arrivals were given up");
    Ok((total.response_time, total.service_time))
}
