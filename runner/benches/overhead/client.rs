//! The generator, whole: a run of the library with a choice of scenarios, all metrics, and somebody watching its snapshots.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum as _;
use pmcp_loadtest::drive::{Controls, StopRequest, Survey, prepare};
use pmcp_loadtest::judge::Observation;
use pmcp_loadtest::plan::{
    Action, BreakingPointRule, Executor, InstancePolicy, Load, Plan, PluginLimits, PluginUse, Pool, Protocol,
    Rate, Scenario, Script, Settings, Spacing, Step, Stripe, Target, ThinkTime, TransportKind,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::machine;

/// What the client is to do.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Order {
    /// The target's endpoint.
    #[arg(long)]
    pub(crate) url: url::Url,
    /// Virtual users.
    #[arg(long)]
    pub(crate) vus: NonZeroU32,
    /// How long, milliseconds; without it `iterations` ends the run.
    #[arg(long)]
    pub(crate) milliseconds: Option<u64>,
    /// How many iterations all virtual users share.
    #[arg(long, default_value_t = NonZeroU64::MIN)]
    pub(crate) iterations: NonZeroU64,
    /// Through reqwest instead of our own HTTP/1.1 exchange.
    #[arg(long)]
    pub(crate) reqwest: bool,
    /// The plugin that chooses the steps, instead of the mix.
    #[arg(long)]
    pub(crate) plugin: Option<PathBuf>,
    /// Who shares an instance of it.
    #[arg(long, default_value = "auto")]
    pub(crate) instances: Instances,
    /// Pause after every step, milliseconds.
    #[arg(long, default_value_t = 0)]
    pub(crate) think_ms: u64,
    /// Single calls that arrive at this rate, per second, instead of the mix as fast as it goes.
    #[arg(long, conflicts_with_all = ["iterations", "plugin"], requires = "milliseconds")]
    pub(crate) rate: Option<f64>,
}

/// Who shares an instance of the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Instances {
    Auto,
    PerVu,
    PerWorker,
}

/// What the client saw.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Calls that were answered with a result.
    pub(crate) ok: u64,
    /// Calls that were not.
    pub(crate) errors: u64,
    /// Median response time.
    pub(crate) p50_us: Option<u64>,
    /// 99th percentile of the response time.
    pub(crate) p99_us: Option<u64>,
    /// Peak resident set.
    pub(crate) peak_rss_bytes: u64,
    /// Median of how late calls were sent.
    pub(crate) lateness_p50_us: Option<u64>,
    /// 99th percentile of the same.
    pub(crate) lateness_p99_us: Option<u64>,
    /// The latest of all.
    pub(crate) lateness_max_us: Option<u64>,
    /// The measured window, microseconds.
    pub(crate) window_us: u64,
    /// Iterations that became due, where they arrive.
    pub(crate) due: u64,
    /// Of them: those that were given up.
    pub(crate) dropped: u64,
    /// Median time of a call into the plugin.
    pub(crate) call_p50_us: Option<f64>,
    /// Time of everything that starts instances and virtual users of the plugin.
    pub(crate) start_ms: Option<f64>,
}

impl Order {
    /// The mix, for so long.
    pub(crate) fn of(url: url::Url, vus: u32, length: Duration) -> anyhow::Result<Self> {
        Ok(Self {
            url,
            vus: NonZeroU32::new(vus).context("there are virtual users")?,
            milliseconds: Some(u64::try_from(length.as_millis())?),
            iterations: NonZeroU64::MIN,
            reqwest: false,
            plugin: None,
            instances: Instances::Auto,
            think_ms: 0,
            rate: None,
        })
    }

    /// The arguments that make a client do this.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let instances = self.instances.to_possible_value();
        let mut arguments = vec![
            "client".to_owned(),
            format!("--url={}", self.url),
            format!("--vus={}", self.vus),
            format!(
                "--instances={}",
                instances.as_ref().map_or("auto", clap::builder::PossibleValue::get_name)
            ),
            format!("--think-ms={}", self.think_ms),
        ];
        if let Some(plugin) = &self.plugin {
            arguments.push(format!("--plugin={}", plugin.display()));
        }
        match self.milliseconds {
            Some(milliseconds) => arguments.push(format!("--milliseconds={milliseconds}")),
            None => arguments.push(format!("--iterations={}", self.iterations)),
        }
        if self.reqwest {
            arguments.push("--reqwest".to_owned());
        }
        if let Some(rate) = self.rate {
            arguments.push(format!("--rate={rate}"));
        }
        arguments
    }

    fn plan(&self) -> Plan {
        let length = self.milliseconds.map(Duration::from_millis);
        let executor = match (length, self.rate.and_then(Rate::per_second)) {
            (Some(duration), Some(rate)) => {
                Executor::ConstantArrivalRate { rate, duration, pool: pool(self.vus) }
            }
            (Some(duration), None) => Executor::ConstantVus { vus: self.vus, spawn_rate: None, duration },
            (None, _) => {
                Executor::SharedIterations { vus: self.vus, iterations: self.iterations, max_duration: None }
            }
        };
        let policy = match self.instances {
            Instances::Auto => InstancePolicy::Auto,
            Instances::PerVu => InstancePolicy::PerVu,
            Instances::PerWorker => InstancePolicy::PerWorker,
        };
        let plugins = PluginLimits { instances: policy, ..PluginLimits::default() };
        let transport = if self.reqwest { TransportKind::Reqwest } else { TransportKind::H1 };
        let plan = plan(self.url.clone(), executor, self.scenarios());
        Plan { settings: Settings { transport, plugins, ..plan.settings }, ..plan }
    }
}

impl Order {
    fn scenarios(&self) -> Vec<Scenario> {
        let pause = Duration::from_millis(self.think_ms);
        let think_time = (!pause.is_zero()).then_some(ThinkTime::constant(pause));
        let scenarios = match &self.plugin {
            Some(file) => vec![Scenario {
                name: "plugin".to_owned(),
                weight: 1,
                think_time: None,
                pacing: None,
                script: Script::Plugin(PluginUse { file: file.clone(), config: json!({}) }),
            }],
            None if self.rate.is_some() => vec![scenario("caller", 1, vec![search()])],
            None => mix(),
        };
        scenarios.into_iter().map(|scenario| Scenario { think_time, ..scenario }).collect()
    }
}

/// One load of one worker, and nothing else out of the ordinary.
pub(crate) fn plan(url: url::Url, executor: Executor, scenarios: Vec<Scenario>) -> Plan {
    Plan {
        target: Target { url, headers: Vec::new(), protocol: Protocol::Auto, elicitation: false },
        settings: Settings { workers: NonZeroUsize::MIN, seed: 7, ..Settings::default() },
        loads: vec![Load::simple(executor, Duration::from_secs(5), scenarios.len())],
        shard: Stripe::WHOLE,
        breaking_point: BreakingPointRule::default(),
        scenarios,
        thresholds: Vec::new(),
    }
}

/// A mix as users write it: three kinds of users, of one to three steps.
fn mix() -> Vec<Scenario> {
    let fetch = || call("fetch", json!({"id": "doc-0001", "revision": "latest"}));
    let note = || call("add_note", json!({"title": "Oslo", "text": "rain, then sun"}));
    vec![
        scenario("reader", 70, vec![search(), fetch()]),
        scenario("looker", 20, vec![search()]),
        scenario("writer", 10, vec![search(), fetch(), note()]),
    ]
}

fn search() -> Step {
    call("search", json!({"query": "weather in Oslo", "limit": 5}))
}

/// Steps without a pause between them.
pub(crate) fn scenario(name: &str, weight: u32, steps: Vec<Step>) -> Scenario {
    Scenario { name: name.to_owned(), weight, think_time: None, pacing: None, script: Script::Steps(steps) }
}

/// As many virtual users from the beginning as there may be.
pub(crate) fn pool(vus: NonZeroU32) -> Pool {
    Pool { vus: vus.get(), max_vus: vus, max_wait: Duration::from_secs(5), spacing: Spacing::Even }
}

pub(crate) fn call(tool: &str, arguments: Value) -> Step {
    Step { label: None, timeout: None, action: Action::CallTool { tool: tool.to_owned(), arguments } }
}

/// Runs the load and says what was seen.
///
/// # Errors
/// Where the run cannot begin or end.
pub(crate) fn run(order: &Order) -> anyhow::Result<Seen> {
    machine::raise_descriptor_limit();
    let observation = observe(order.plan(), || ())?;
    let total = observation.metrics.total();
    let plugin = observation.metrics.plugins().first();
    let microseconds = |time: Option<Duration>| time.and_then(|time| u64::try_from(time.as_micros()).ok());
    Ok(Seen {
        ok: total.outcomes.ok(),
        errors: total.outcomes.errors(),
        p50_us: microseconds(total.response_time.quantile(0.5)),
        p99_us: microseconds(total.response_time.quantile(0.99)),
        peak_rss_bytes: observation.generator.peak_rss_bytes,
        lateness_p50_us: microseconds(total.lateness.quantile(0.5)),
        lateness_p99_us: microseconds(total.lateness.quantile(0.99)),
        lateness_max_us: microseconds(total.lateness.max()),
        window_us: u64::try_from(observation.window.as_micros())?,
        due: observation.books.iterations_due,
        dropped: observation.books.dropped.total(),
        call_p50_us: plugin.and_then(|plugin| plugin.call_us.quantile(0.5)),
        start_ms: plugin.map(|plugin| plugin.start_time.as_secs_f64() * 1e3),
    })
}

/// Prepares a run, says so at the instant before its clock starts, and runs it to its end with somebody watching.
///
/// # Errors
/// Where the run cannot begin or end.
pub(crate) fn observe(plan: Plan, begins: impl FnOnce()) -> anyhow::Result<Observation> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let prepared = prepare(Arc::new(plan), Survey::Tools).await?;
        let (_running, stop) = watch::channel(StopRequest::None);
        let (snapshots, mut published) = watch::channel(None);
        let display = tokio::spawn(async move {
            // What `--progress jsonl` does, but for the terminal.
            while published.changed().await.is_ok() {
                serde_json::to_writer(std::io::sink(), &*published.borrow_and_update())?;
            }
            Ok::<(), serde_json::Error>(())
        });
        begins();
        let observation = prepared.run(Controls { stop, snapshots, pieces: None }).await?;
        display.await??;
        Ok(observation)
    })
}
