//! Synthetic runs for the tests of `judge` and `report`: the same observation every time, to the last sample.

use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::Range;
use std::time::Duration;

use serde_json::json;

use super::{
    Books, BreakingPointFinding, Clocks, GeneratorUsage, MetricFacts, Metrics, Moment, Observation, Outcome,
    PluginFacts, PluginMetrics, Recorder, RetiredPlugin, Sample, ServerFacts, StopReason, Windows,
    WorkerUsage,
};
use crate::plan::{
    Action, BreakingPointRule, Executor, Load, Plan, Protocol, Revision, Scenario, Script, SeriesId,
    SeriesKey, Settings, Step, Stripe, Target, WarmUp,
};

/// Two scenarios: `reader` calls `search` and `fetch`, `writer` calls `store` and lists tools.
pub(crate) fn plan() -> Plan {
    let call = |tool: &str| Action::CallTool { tool: tool.to_owned(), arguments: json!({}) };
    plan_of(vec![
        ("reader", vec![call("search"), call("fetch")]),
        ("writer", vec![call("store"), Action::ListTools]),
    ])
}

/// A plan of these scenarios, at 20 virtual users for 10 seconds.
pub(crate) fn plan_of(scenarios: Vec<(&str, Vec<Action>)>) -> Plan {
    let scenarios: Vec<Scenario> = scenarios
        .into_iter()
        .map(|(name, actions)| Scenario {
            name: name.to_owned(),
            weight: 1,
            think_time: None,
            pacing: None,
            script: Script::Steps(
                actions.into_iter().map(|action| Step { label: None, timeout: None, action }).collect(),
            ),
        })
        .collect();
    Plan {
        target: Target {
            url: "http://127.0.0.1:3000/mcp".parse().unwrap(),
            headers: Vec::new(),
            protocol: Protocol::Auto,
            elicitation: false,
        },
        settings: Settings { seed: 7, workers: NonZeroUsize::new(2).unwrap(), ..Settings::default() },
        loads: vec![Load::simple(
            Executor::ConstantVus {
                vus: NonZeroU32::new(20).unwrap(),
                spawn_rate: None,
                duration: Duration::from_secs(10),
            },
            Duration::from_secs(5),
            scenarios.len(),
        )],
        shard: Stripe::WHOLE,
        breaking_point: BreakingPointRule::default(),
        scenarios,
        thresholds: Vec::new(),
    }
}

/// Builds an observation call by call. Without further words the generator is idle and the books balance.
pub(crate) struct Run {
    plan: Plan,
    /// One per second: a worker hands over what it gathered second by second.
    seconds: Vec<Recorder>,
    observation: Observation,
}

impl Run {
    pub(crate) fn new() -> Self {
        Self::of(plan())
    }

    pub(crate) fn of(plan: Plan) -> Self {
        let seconds = (0..10).map(|_| Recorder::new(plan.series().len())).collect();
        let wall = Duration::from_secs(10);
        let worker = |milliseconds| WorkerUsage {
            cpu: Duration::from_millis(milliseconds),
            waited: Duration::ZERO,
            stood_still: Duration::ZERO,
            wall,
        };
        let (metrics, warm_up) = Metrics::new(plan.series().len(), WarmUp::None).settle(wall);
        let observation = Observation {
            started_at: "2026-11-20T13:00:00Z".parse().unwrap(),
            elapsed: Duration::from_millis(10_012),
            window: wall,
            stop: StopReason::Completed,
            metrics,
            warm_up,
            windows: Windows::default(),
            series: plan.series(),
            plugins: Vec::new(),
            retired: Vec::new(),
            breaking_point: BreakingPointFinding::NotLookedFor("the load does not rise".to_owned()),
            server: ServerFacts {
                name: Some("demo".to_owned()),
                version: Some("1.2.3".to_owned()),
                revision: Revision::V2025_11_25,
                stateful: true,
                tools: 3,
                dropped_tools: Vec::new(),
            },
            generator: GeneratorUsage {
                workers: vec![worker(900), worker(700)],
                process_cpu: Duration::from_millis(1_700),
                peak_rss_bytes: 12 * 1024 * 1024,
            },
            books: Books {
                vu_time: Duration::from_secs(200),
                service_time: Duration::from_secs(198),
                ..Books::default()
            },
        };
        Self { plan, seconds, observation }
    }

    /// `count` calls of a tool or method, spread over the ten seconds, whose times have a median near `milliseconds` and a long
    /// tail.
    pub(crate) fn calls(self, name: &str, count: u64, milliseconds: u64, outcome: Outcome) -> Self {
        self.calls_that_say(name, count, milliseconds, outcome, "something went wrong")
    }

    /// `count` calls, spread over some of the seconds.
    pub(crate) fn calls_in(
        mut self,
        name: &str,
        seconds: Range<usize>,
        count: u64,
        milliseconds: u64,
        outcome: Outcome,
    ) -> Self {
        let series = self.series_of(name);
        for (index, second) in (0..count).zip(seconds.cycle()) {
            self.seconds[second].record(&sample(series, index, milliseconds, outcome), true, String::new);
        }
        self
    }

    /// The same, each failing with `message`.
    pub(crate) fn calls_that_say(
        self,
        name: &str,
        count: u64,
        milliseconds: u64,
        outcome: Outcome,
        message: &str,
    ) -> Self {
        let series = self.series_of(name);
        self.record(count, message, |index| sample(series, index, milliseconds, outcome))
    }

    /// `count` ok calls of a tool, each sent `lateness` after it was due.
    pub(crate) fn calls_sent_late(
        self,
        tool: &str,
        count: u64,
        milliseconds: u64,
        lateness: Duration,
    ) -> Self {
        let series = self.series_of(tool);
        self.record(count, "", |index| {
            let mut sample = sample(series, index, milliseconds, Outcome::Ok);
            let clocks = &mut sample.clocks;
            for moment in [&mut clocks.sent, &mut clocks.end].into_iter().chain(&mut clocks.result) {
                *moment = moment.after(lateness);
            }
            sample
        })
    }

    /// `count` ok calls of a tool whose head and first event come long before the result, and whose stream stays open after it.
    pub(crate) fn calls_streamed(self, tool: &str, count: u64, milliseconds: u64) -> Self {
        let series = self.series_of(tool);
        self.record(count, "", |index| {
            let mut sample = sample(series, index, milliseconds, Outcome::Ok);
            let clocks = &mut sample.clocks;
            let service = clocks.end.since(clocks.sent);
            clocks.headers = Some(clocks.sent.after(service.mul_f64(0.02)));
            clocks.first_event = Some(clocks.sent.after(service.mul_f64(0.1)));
            clocks.end = clocks.sent.after(service.mul_f64(1.5));
            sample
        })
    }

    /// `count` handshakes.
    pub(crate) fn handshakes(self, count: u64, milliseconds: u64, outcome: Outcome) -> Self {
        self.record(count, "no session", |index| sample(SeriesId::INITIALIZE, index, milliseconds, outcome))
    }

    fn series_of(&self, name: &str) -> SeriesId {
        let mut keys = self.plan.series().into_iter();
        let index = keys.position(|key| key.name.as_deref().unwrap_or(&key.method) == name).unwrap();
        SeriesId(u32::try_from(index).unwrap())
    }

    fn record(mut self, count: u64, message: &str, sample: impl Fn(u64) -> Sample) -> Self {
        for (index, second) in (0..count).zip((0..10).cycle()) {
            self.seconds[second].record(&sample(index), true, || message.to_owned());
        }
        self
    }

    pub(crate) fn stopped(mut self, stop: StopReason) -> Self {
        self.observation.stop = stop;
        self
    }

    pub(crate) fn lasting(mut self, elapsed: Duration) -> Self {
        self.observation.elapsed = elapsed;
        self.observation.window = elapsed;
        self
    }

    /// CPU shares of the worker threads, over the measured window.
    pub(crate) fn busy(mut self, shares: &[f64]) -> Self {
        let wall = self.observation.window;
        let worker = |&share| WorkerUsage {
            cpu: wall.mul_f64(share),
            waited: Duration::ZERO,
            stood_still: Duration::ZERO,
            wall,
        };
        self.observation.generator.workers = shares.iter().map(worker).collect();
        self
    }

    /// The share of the measured window in which the worker threads were ready to run and had no CPU.
    pub(crate) fn kept_waiting(mut self, share: f64) -> Self {
        for worker in &mut self.observation.generator.workers {
            worker.waited = worker.wall.mul_f64(share);
        }
        self
    }

    pub(crate) fn books(mut self, books: Books) -> Self {
        self.observation.books = books;
        self
    }

    /// A scenario that is a plugin, and what it did; in order.
    pub(crate) fn plugin(self, scenario: &str, metrics: PluginMetrics) -> Self {
        self.plugin_with(scenario, Vec::new(), metrics)
    }

    /// The same with custom metrics.
    pub(crate) fn plugin_with(
        mut self,
        scenario: &str,
        declared: Vec<MetricFacts>,
        metrics: PluginMetrics,
    ) -> Self {
        *self.seconds[0].plugin(self.observation.plugins.len()) = metrics;
        self.observation.plugins.push(PluginFacts {
            scenario: scenario.to_owned(),
            name: format!("{scenario}-plugin"),
            version: "0.3.1".to_owned(),
            file: format!("plugins/{scenario}.wasm"),
            sha256: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef".to_owned(),
            interface: "0.1.0".to_owned(),
            own_instances: true,
            metrics: declared,
        });
        self
    }

    pub(crate) fn breaking(mut self, finding: BreakingPointFinding) -> Self {
        self.observation.breaking_point = finding;
        self
    }

    pub(crate) fn retired(mut self, retired: Vec<RetiredPlugin>) -> Self {
        self.observation.retired = retired;
        self
    }

    /// `count` ok calls of a step that is found during the run.
    pub(crate) fn calls_found(mut self, key: SeriesKey, count: u64, milliseconds: u64) -> Self {
        let series = SeriesId(u32::try_from(self.observation.series.len()).unwrap());
        self.observation.series.push(key);
        self.record(count, "", |index| sample(series, index, milliseconds, Outcome::Ok))
    }

    pub(crate) fn finish(mut self) -> Observation {
        let mut metrics = Metrics::new(self.plan.series().len(), self.plan.settings.warm_up);
        for (second, recorder) in (0..).zip(&mut self.seconds) {
            metrics.merge(&recorder.take(None), second, 20);
        }
        (self.observation.metrics, self.observation.warm_up) = metrics.settle(self.observation.window);
        self.observation
    }
}

/// Call `index` of a series: the golden ratio spreads its time evenly over the distribution.
fn sample(series: SeriesId, index: u64, milliseconds: u64, outcome: Outcome) -> Sample {
    let position = (index as f64 * 0.618_033_988_749_895).fract();
    let factor = 0.7 + 0.5 * position + 0.02 / (1.001 - position);
    let service = Duration::from_millis(milliseconds).mul_f64(factor);
    let due = Moment::from_nanos(index * 1_000_000);
    let sent = due.after(Duration::from_micros(12 + index % 17));
    let result = sent.after(service);
    let ok = outcome.is_ok();
    Sample {
        series,
        clocks: Clocks {
            due,
            ready: due,
            sent,
            headers: ok.then(|| sent.after(service.mul_f64(0.97))),
            first_event: ok.then_some(result),
            result: ok.then_some(result),
            end: result,
        },
        outcome,
        bytes_sent: 310,
        bytes_received: 520,
    }
}
