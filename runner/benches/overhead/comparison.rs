//! CPU per request of the generator and its peers, alternating; fairness; memory.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::client::Seen;
use crate::machine::{self, CLIENT_CORE};
use crate::process::{Cost, Target};
use crate::shape::{Answer, Shape};
use crate::table::{Figure, Unit};
use crate::variant::Variant;

/// How long to measure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) repetitions: u32,
    /// Length of one run.
    pub(crate) length: Duration,
    /// To see that it works, not to judge by.
    pub(crate) quick: bool,
}

impl Effort {
    pub(crate) fn new(repetitions: u32, quick: bool) -> Self {
        if quick {
            Self { repetitions: 2, length: Duration::from_secs(1), quick }
        } else {
            Self { repetitions, length: Duration::from_secs(2), quick }
        }
    }

    /// The length of runs that take longer than others, unless all are to be quick.
    pub(crate) fn longer(&self, length: Duration) -> Duration {
        if self.quick { self.length } else { length }
    }
}

/// Microseconds of CPU per call: by variant, one figure per repetition.
type Costs = BTreeMap<&'static str, Vec<f64>>;

/// The clients of a comparison, and why others are not among them.
#[derive(Debug, Default)]
struct Field {
    /// Compared in every shape.
    everywhere: Vec<Variant>,
    /// Compared in the standard shape only.
    standard: Vec<Variant>,
    absent: BTreeMap<&'static str, String>,
}

/// Measures everything that depends on time.
///
/// # Errors
/// Where a client cannot be run, or sends what a real server would refuse.
pub(crate) fn measure(effort: &Effort) -> anyhow::Result<Vec<Figure>> {
    say_where_we_are(effort);
    machine::raise_descriptor_limit();
    let target = Target::start()?;
    let field = Field::gather(&target)?;
    let mut shown = Vec::new();
    let mut promised = Vec::new();
    for shape in Shape::COMPARED {
        let mut variants: Vec<&Variant> = field.everywhere.iter().collect();
        if shape == Shape::STANDARD {
            variants.extend(&field.standard);
        }
        let mut fairness = Vec::new();
        let costs = compare(&target, &variants, shape, effort, &mut fairness)?;
        for (variant, costs) in &costs {
            shown.push(Figure::shown(
                format!("CPU per request, {shape}: {variant}"),
                median(costs),
                Unit::Microseconds,
            ));
        }
        if shape == Shape::STANDARD {
            promised.extend(field.promises(&costs));
        } else if let Some(ratio) = ratio(&costs, "wrk") {
            shown.push(Figure::shown(format!("CPU per request, {shape}: ratio to wrk"), ratio, Unit::Ratio));
        }
        if shape.vus == 1000 {
            let name = format!("fairness, {shape}: p99/p50");
            promised.push(Figure::bounded(&name, median(&fairness), Unit::Ratio, 2.5, 5.0));
        }
    }
    promised.extend(memory(&target)?);
    shown.append(&mut promised);
    Ok(shown)
}

#[expect(clippy::print_stdout, reason = "a figure without its circumstances is no figure")]
pub(crate) fn say_where_we_are(effort: &Effort) {
    let Effort { repetitions, length, .. } = effort;
    println!(
        "{repetitions} repetitions of {} s, variants alternating; whole processes, calls as the target counted them",
        length.as_secs()
    );
    if machine::pin(CLIENT_CORE) {
        println!("clients on core {CLIENT_CORE}, the target spinning on core {}", machine::TARGET_CORE);
    } else {
        println!("not pinned: no second core, or no way to pin here; ratios are less reliable");
    }
    match machine::load_average() {
        Some(load) if load > 1.0 => {
            println!("load average {load}: something else is running; only exact figures can be trusted");
        }
        Some(load) => println!("load average {load}"),
        None => {}
    }
    println!();
}

impl Field {
    fn gather(target: &Target) -> anyhow::Result<Self> {
        let mut field = Self { everywhere: vec![Variant::Ours], ..Self::default() };
        match Variant::wrk()? {
            Some(wrk) => field.everywhere.push(wrk),
            None => {
                field.absent.insert("wrk", "wrk is not installed: apt-get install wrk".to_owned());
            }
        }
        match Variant::oha() {
            Some(oha) => field.standard.push(oha),
            None => {
                field
                    .absent
                    .insert("oha", "oha is neither in $OHA nor on PATH: cargo install oha".to_owned());
            }
        }
        let probe = Variant::Reqwest.command(
            target,
            Shape { vus: 1, answer: Answer::Json },
            Duration::from_millis(50),
        );
        match target.measure(&mut probe?) {
            Ok(_) => field.standard.push(Variant::Reqwest),
            Err(error) => {
                field.absent.insert(Variant::Reqwest.name(), format!("{error:#}").trim().to_owned());
            }
        }
        Ok(field)
    }

    /// The promised ratios.
    fn promises(&self, costs: &Costs) -> Vec<Figure> {
        let promise = |name: &'static str, target, limit| {
            let text = format!("CPU per request, {}: ratio to {name}", Shape::STANDARD);
            let figure =
                Figure::bounded(&text, ratio(costs, name).unwrap_or(f64::NAN), Unit::Ratio, target, limit);
            match self.absent.get(name) {
                Some(why) => figure.skipped(why),
                None => figure,
            }
        };
        vec![promise("wrk", 1.0, 1.1), promise("oha", 0.7, 0.8), promise("ours, reqwest", 0.5, 0.6)]
    }
}

/// Runs all variants in turn, again and again.
fn compare(
    target: &Target,
    variants: &[&Variant],
    shape: Shape,
    effort: &Effort,
    fairness: &mut Vec<f64>,
) -> anyhow::Result<Costs> {
    let mut costs = Costs::new();
    for _ in 0..effort.repetitions {
        for variant in variants {
            let cost = target.measure(&mut variant.command(target, shape, effort.length)?)?;
            costs.entry(variant.name()).or_default().push(cost.per_call());
            if matches!(variant, Variant::Ours) {
                let seen = seen(&cost)?;
                if let (Some(p50), Some(p99)) = (seen.p50_us, seen.p99_us) {
                    fairness.push(p99 as f64 / p50 as f64);
                }
            }
        }
    }
    Ok(costs)
}

/// What our client says of its run; a failed call is an error, because its cost is not that of a good one.
pub(crate) fn seen(cost: &Cost) -> anyhow::Result<Seen> {
    let seen: Seen = serde_json::from_str(&cost.stdout)?;
    anyhow::ensure!(seen.errors == 0, "{} of our calls failed", seen.errors);
    Ok(seen)
}

/// Peak memory with many virtual users, long enough for all of them to have opened their sessions and called.
fn memory(target: &Target) -> anyhow::Result<Vec<Figure>> {
    const LENGTH: Duration = Duration::from_secs(5);
    let mut figures = Vec::new();
    for (vus, bound, limit) in [(1_000, 15.0, 25.0), (10_000, 80.0, 120.0)] {
        let shape = Shape { vus, answer: Answer::Json };
        let descriptors = machine::raise_descriptor_limit();
        let name = format!("peak memory, {shape}");
        let figure = |value| Figure::bounded(&name, value, Unit::Megabytes, bound, limit);
        if descriptors < u64::from(vus) + 100 {
            let why = format!("only {descriptors} descriptors: ulimit -n");
            figures.push(figure(f64::NAN).skipped(&why));
            continue;
        }
        let cost = target.measure(&mut Variant::Ours.command(target, shape, LENGTH)?)?;
        figures.push(figure(seen(&cost)?.peak_rss_bytes as f64 / 1e6));
    }
    Ok(figures)
}

/// The median over the repetitions of what one of our calls costs against one of theirs.
fn ratio(costs: &Costs, peer: &str) -> Option<f64> {
    let (ours, theirs) = (costs.get(Variant::Ours.name())?, costs.get(peer)?);
    let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    Some(median(&ratios))
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}
