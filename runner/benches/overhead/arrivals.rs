//! How punctual the open model is: real requests that are due at fixed instants, sent by one worker on one core.

use std::process::Command;
use std::time::Duration;

use crate::client::{Order, Seen};
use crate::comparison::{Effort, median, say_where_we_are, seen};
use crate::machine;
use crate::process::{Cost, Target, ourselves};
use crate::shape::Answer;
use crate::table::{Figure, Unit};

/// Virtual users; more than are ever busy at once.
const POOL: u32 = 200;
/// Of a run, unless it is to be quick.
const LENGTH: Duration = Duration::from_secs(10);

/// A rate, and how late its requests may be.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// Requests per second.
    rate: f64,
    p50: Option<Promise>,
    p99: Option<Promise>,
}

/// What a lateness should not exceed, and what it must not, microseconds.
#[derive(Debug, Clone, Copy)]
struct Promise {
    target: f64,
    limit: f64,
}

const ASKED: [Asked; 3] = [
    Asked { rate: 1_000.0, p50: None, p99: None },
    Asked {
        rate: 10_000.0,
        p50: Some(Promise { target: 60.0, limit: 150.0 }),
        p99: Some(Promise { target: 200.0, limit: 500.0 }),
    },
    Asked { rate: 50_000.0, p50: Some(Promise { target: 150.0, limit: 300.0 }), p99: None },
];

/// The runs at one rate.
#[derive(Debug, Default)]
struct Runs {
    p50: Vec<f64>,
    p99: Vec<f64>,
    max: Vec<f64>,
    /// Calls answered per second.
    achieved: Vec<f64>,
    /// Arrivals that became due and were given up.
    dropped: Vec<f64>,
    /// Processor time per call, microseconds.
    cost: Vec<f64>,
}

/// Measures the lateness at every rate, in turn, again and again.
///
/// # Errors
/// Where a client cannot be run, or its calls fail.
pub(crate) fn measure(effort: &Effort, real_time: bool) -> anyhow::Result<Vec<Figure>> {
    let effort = Effort { length: effort.longer(LENGTH), ..*effort };
    say_where_we_are(&effort);
    machine::raise_descriptor_limit();
    let target = Target::start()?;
    let mut runs: [Runs; ASKED.len()] = Default::default();
    for _ in 0..effort.repetitions {
        for (asked, runs) in ASKED.iter().zip(&mut runs) {
            let all = Order::of(target.url(Answer::Json)?, POOL, effort.length)?;
            let order = Order { rate: Some(asked.rate), ..all };
            let client = ourselves(&order.arguments())?;
            let mut client = if real_time { at_real_time(&client) } else { client };
            let cost = target.measure(&mut client)?;
            runs.add(&cost, &seen(&cost)?);
        }
    }
    Ok(ASKED.iter().zip(&runs).flat_map(|(asked, runs)| runs.figures(*asked)).collect())
}

/// The same command, before everything else that wants its core. Not for the target, which never rests.
fn at_real_time(command: &Command) -> Command {
    let mut first = Command::new("chrt");
    first.args(["--fifo", "1"]).arg(command.get_program()).args(command.get_args());
    first
}

impl Runs {
    fn add(&mut self, cost: &Cost, seen: &Seen) {
        let microseconds = |time: Option<u64>| time.map_or(f64::NAN, |time| time as f64);
        self.p50.push(microseconds(seen.lateness_p50_us));
        self.p99.push(microseconds(seen.lateness_p99_us));
        self.max.push(microseconds(seen.lateness_max_us));
        self.achieved.push(seen.ok as f64 / seen.window_us as f64 * 1e6);
        self.dropped.push(seen.dropped as f64);
        self.cost.push(cost.per_call());
    }

    fn figures(&self, asked: Asked) -> Vec<Figure> {
        let rate = asked.rate;
        let lateness = |what: &str, times: &[f64], promise: Option<Promise>| {
            let name = format!("{rate}/s: send lateness, {what}");
            let time = median(times);
            match promise {
                Some(Promise { target, limit }) => {
                    Figure::bounded(&name, time, Unit::Microseconds, target, limit)
                }
                None => Figure::shown(name, time, Unit::Microseconds),
            }
        };
        let achieved = median(&self.achieved);
        let missed = (achieved / rate - 1.0).abs() * 100.0;
        vec![
            lateness("median", &self.p50, asked.p50),
            lateness("99th percentile", &self.p99, asked.p99),
            lateness("latest", &self.max, None),
            Figure::shown(format!("{rate}/s: achieved, per second"), achieved, Unit::Count),
            Figure::bounded(
                &format!("{rate}/s: off the rate that was asked for"),
                missed,
                Unit::Percent,
                0.5,
                1.0,
            ),
            Figure::bounded(&format!("{rate}/s: dropped"), median(&self.dropped), Unit::Count, 0.0, 0.0),
            Figure::shown(format!("{rate}/s: CPU per request"), median(&self.cost), Unit::Microseconds),
        ]
    }
}
