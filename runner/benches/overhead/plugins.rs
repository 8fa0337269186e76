//! What plugins cost: CPU per request beside the same steps in TOML, time per call, memory, starts, lateness.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::client::{Instances, Order, Seen};
use crate::comparison::{Effort, median, say_where_we_are, seen};
use crate::guests::Guests;
use crate::machine;
use crate::process::{Cost, Target, ourselves};
use crate::shape::{Answer, Shape};
use crate::table::{Figure, Unit};

/// A run of the generator, with a plugin or without one.
#[derive(Debug, Clone)]
struct Run {
    vus: u32,
    plugin: Option<PathBuf>,
    instances: Instances,
    /// Between two iterations.
    think: Duration,
}

impl Run {
    fn steps(vus: u32) -> Self {
        Self { vus, plugin: None, instances: Instances::Auto, think: Duration::ZERO }
    }

    fn of(plugin: &Path, vus: u32) -> Self {
        Self { plugin: Some(plugin.to_owned()), ..Self::steps(vus) }
    }

    fn measure(&self, target: &Target, length: Duration) -> anyhow::Result<(Cost, Seen)> {
        let shape = Shape { vus: self.vus, answer: Answer::Json };
        let order = Order {
            plugin: self.plugin.clone(),
            instances: self.instances,
            think_ms: u64::try_from(self.think.as_millis())?,
            ..Order::of(target.url(shape.answer)?, self.vus, length)?
        };
        let cost = target.measure(&mut ourselves(&order.arguments())?)?;
        let seen = seen(&cost)?;
        Ok((cost, seen))
    }
}

/// Measures everything that the project promises of plugins.
///
/// # Errors
/// Where the guests cannot be built, or a client cannot be run.
pub(crate) fn measure(effort: &Effort) -> anyhow::Result<Vec<Figure>> {
    let guests = Guests::build()?;
    say_where_we_are(effort);
    machine::raise_descriptor_limit();
    let target = Target::start()?;
    let mut figures = Vec::new();
    for vus in [64, 1_000, 5_000] {
        figures.extend(beside_steps(&target, &guests, vus, effort)?);
    }
    figures.extend(calls(&target, &guests, effort)?);
    figures.extend(memory_and_starts(&target, &guests)?);
    figures.extend(loads(&guests, effort)?);
    figures.push(lateness(&target, &guests, effort)?);
    Ok(figures)
}

/// What a request costs in TOML against what it costs from a plugin: the throughput that is left at equal CPU.
fn beside_steps(target: &Target, guests: &Guests, vus: u32, effort: &Effort) -> anyhow::Result<Vec<Figure>> {
    let runs = [Run::steps(vus), Run::of(&guests.ahead(), vus), Run::of(&guests.heard(), vus)];
    let mut costs = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..effort.repetitions {
        for (run, costs) in runs.iter().zip(&mut costs) {
            costs.push(run.measure(target, effort.length)?.0.per_call());
        }
    }
    let [steps, ahead, heard] = &costs;
    let against = |plugin: &[f64]| {
        let ratios: Vec<f64> = plugin.iter().zip(steps).map(|(plugin, steps)| plugin / steps).collect();
        median(&ratios)
    };
    // 95 % of the throughput is 1 / 0.95 of the CPU per request.
    let (bound, limit) = (1.0 / 0.95, 1.0 / 0.85);
    Ok(vec![
        Figure::shown(
            format!("CPU per request, {vus} VUs: steps in TOML"),
            median(steps),
            Unit::Microseconds,
        ),
        Figure::bounded(
            &format!("the same from a plugin, planned ahead: ratio to TOML, {vus} VUs"),
            against(ahead),
            Unit::Ratio,
            bound,
            limit,
        ),
        Figure::shown(
            format!("a call made up and heard of: ratio to TOML, {vus} VUs"),
            against(heard),
            Unit::Ratio,
        ),
    ])
}

/// The time of one call into a guest, as the report gives it.
fn calls(target: &Target, guests: &Guests, effort: &Effort) -> anyhow::Result<Vec<Figure>> {
    let mut medians = [Vec::new(), Vec::new()];
    for _ in 0..effort.repetitions {
        for (vus, medians) in [1, 64].into_iter().zip(&mut medians) {
            let (_, seen) = Run::of(&guests.heard(), vus).measure(target, effort.length)?;
            medians.extend(seen.call_p50_us);
        }
    }
    let [alone, many] = &medians;
    let name = |vus| format!("one call, 100 B made up, with outcome: median, {vus}");
    Ok(vec![
        Figure::bounded(&name("1 VU"), median(alone), Unit::Microseconds, 1.0, 2.0),
        Figure::shown(name("64 VUs, an instance each"), median(many), Unit::Microseconds),
    ])
}

/// What virtual users of a plugin take beside what they take anyway, and how long all of them take to begin.
fn memory_and_starts(target: &Target, guests: &Guests) -> anyhow::Result<Vec<Figure>> {
    const VUS: u32 = 1_000;
    const LENGTH: Duration = Duration::from_secs(3);
    let (_, steps) = Run::steps(VUS).measure(target, LENGTH)?;
    let beyond =
        |seen: &Seen| (seen.peak_rss_bytes as f64 - steps.peak_rss_bytes as f64) / 1024.0 / f64::from(VUS);
    let ahead = Run { instances: Instances::PerWorker, ..Run::of(&guests.ahead(), VUS) };
    let (_, seen) = ahead.measure(target, LENGTH)?;
    let name = "memory per VU beyond that of TOML, KiB, one instance, sixteen iterations planned ahead";
    let mut figures = vec![Figure::shown(name.to_owned(), beyond(&seen), Unit::Count)];
    for (instances, words, bound, limit) in
        [(Instances::PerWorker, "one instance", 1.0, 4.0), (Instances::PerVu, "an instance each", 30.0, 60.0)]
    {
        let run = Run { instances, ..Run::of(&guests.heard(), VUS) };
        let (_, seen) = run.measure(target, LENGTH)?;
        figures.push(Figure::bounded(
            &format!("memory per VU beyond that of TOML, KiB, {words}"),
            beyond(&seen),
            Unit::Count,
            bound,
            limit,
        ));
        figures.push(Figure::bounded(
            &format!("start of {VUS} VUs, ms, {words}"),
            seen.start_ms.unwrap_or(f64::NAN),
            Unit::Count,
            50.0,
            200.0,
        ));
    }
    Ok(figures)
}

/// How long it takes to load a plugin: the first time, and when it was compiled before.
fn loads(guests: &Guests, effort: &Effort) -> anyhow::Result<Vec<Figure>> {
    let cache = guests.empty_cache()?;
    let load = || -> anyhow::Result<f64> {
        let mut command = ourselves(&["load".to_owned(), guests.heard().display().to_string()])?;
        let output = command.env("XDG_CACHE_HOME", &cache).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
    };
    let first = load()?;
    let again = (0..effort.repetitions).map(|_| load()).collect::<anyhow::Result<Vec<f64>>>()?;
    Ok(vec![
        Figure::shown("loading a plugin, ms, the first time".to_owned(), first, Unit::Count),
        Figure::bounded("loading a plugin, ms, compiled before", median(&again), Unit::Count, 5.0, 20.0),
    ])
}

/// What a plugin adds to the lateness of calls at some 10,000 a second: a thousand virtual users that pause a tenth of a second.
fn lateness(target: &Target, guests: &Guests, effort: &Effort) -> anyhow::Result<Figure> {
    let think = Duration::from_millis(100);
    let mut added = Vec::new();
    for _ in 0..effort.repetitions {
        let (_, steps) = Run { think, ..Run::steps(1_000) }.measure(target, effort.length)?;
        let (_, plugin) = Run { think, ..Run::of(&guests.heard(), 1_000) }.measure(target, effort.length)?;
        if let (Some(steps), Some(plugin)) = (steps.lateness_p99_us, plugin.lateness_p99_us) {
            added.push(plugin as f64 - steps as f64);
        }
    }
    let name = "99th percentile of lateness added by a plugin, some 10,000 calls/s";
    Ok(Figure::bounded(name, median(&added), Unit::Microseconds, 100.0, 500.0))
}
