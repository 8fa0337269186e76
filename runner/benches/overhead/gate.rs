//! Exact figures, which a busy machine does not change: user instructions, heap allocations and system calls per request.
//!
//! Each is the difference between a long and a short run, divided by the calls that lie between them: what happens once (start,
//! handshakes, the report) cancels out.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::client::Order;
use crate::process::{Target, ourselves};
use crate::shape::Shape;
use crate::table::{Figure, Unit};
use crate::variant::find;

const SHORT: u64 = 2_000;
const LONG: u64 = 10_000;

/// Who counts, and what.
#[derive(Debug, Clone, Copy)]
enum Counter {
    /// User instructions of the worker thread, by callgrind. The ticks that carry samples to the control thread are left out, and
    /// so is that thread: they cost by the second, and under callgrind a second holds a hundredth of its requests. So is the
    /// growth of histograms, which ends with the first long wait.
    Instructions,
    /// Heap allocations and reallocations, by memcheck.
    Allocations,
    /// System calls of all threads, by strace.
    SystemCalls,
}

/// Measures what is exact.
///
/// # Errors
/// Where a tool is missing or says something unexpected: a gate that cannot be measured is not passed.
pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    for tool in ["valgrind", "strace"] {
        if find(tool).is_none() {
            bail!("`{tool}` is not installed: apt-get install {tool}");
        }
    }
    let target = Target::start()?;
    let figure = |counter, name: &str, bound, limit| {
        let name = format!("{name}, {}", Shape::STANDARD);
        anyhow::Ok(Figure::bounded(&name, per_call(counter, &target)?, Unit::Count, bound, limit))
    };
    Ok(vec![
        figure(Counter::Instructions, "user instructions per request", 9_000.0, 11_000.0)?,
        figure(Counter::Allocations, "heap allocations per request", 1.0, 2.0)?,
        figure(Counter::SystemCalls, "system calls per request", 2.05, 2.2)?,
    ])
}

fn per_call(counter: Counter, target: &Target) -> anyhow::Result<f64> {
    let (short, long) = (counter.count(target, SHORT)?, counter.count(target, LONG)?);
    Ok((long.0 as f64 - short.0 as f64) / (long.1 as f64 - short.1 as f64))
}

impl Counter {
    /// What the counter counted over a run of so many iterations, and the calls they were.
    fn count(self, target: &Target, iterations: u64) -> anyhow::Result<(u64, u64)> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("counted");
        let whole = Order::of(target.url(Shape::STANDARD.answer)?, Shape::STANDARD.vus, Duration::ZERO)?;
        let iterations = NonZeroU64::new(iterations).context("a run has iterations")?;
        let order = Order { milliseconds: None, iterations, ..whole };
        let client = ourselves(&order.arguments())?;
        let mut command = self.command(&log);
        command.arg(client.get_program()).args(client.get_args());
        let cost = target.measure(&mut command)?;
        let text =
            std::fs::read_to_string(self.file(&log)).with_context(|| format!("{self:?} left no count"))?;
        let counted = self.read(&text).with_context(|| format!("{self:?} said: {text:.500}"))?;
        Ok((counted, cost.calls))
    }

    fn command(self, log: &Path) -> Command {
        let log = log.display();
        let (program, arguments) = match self {
            Self::Instructions => (
                "valgrind",
                format!(
                    "--tool=callgrind --separate-threads=yes --toggle-collect=*Worker::tick \
                     --toggle-collect=hdrhistogram*::resize --collect-atstart=yes --callgrind-out-file={log}"
                ),
            ),
            Self::Allocations => (
                "valgrind",
                format!("--tool=memcheck --undef-value-errors=no --leak-check=no --log-file={log}"),
            ),
            Self::SystemCalls => ("strace", format!("--follow-forks --summary-only --output={log}")),
        };
        let mut command = Command::new(program);
        command.args(arguments.split(' '));
        command
    }

    /// The file that the count is in.
    fn file(self, log: &Path) -> PathBuf {
        match self {
            // The only thread the client starts is its one worker.
            Self::Instructions => log.with_file_name("counted-02"),
            Self::Allocations | Self::SystemCalls => log.to_owned(),
        }
    }

    /// Finds the count in what the tool wrote.
    fn read(self, text: &str) -> Option<u64> {
        let number = |word: &str| word.replace(',', "").parse().ok();
        match self {
            // totals: 123456
            Self::Instructions => {
                number(text.lines().find_map(|line| line.strip_prefix("totals: "))?.split(' ').next()?)
            }
            // ==1== total heap usage: 1,234 allocs, 1,200 frees, 56,789 bytes allocated
            Self::Allocations => number(text.split("total heap usage: ").nth(1)?.split(' ').next()?),
            // 100.00    0.123456           4     30123        12 total
            Self::SystemCalls => {
                number(text.lines().rfind(|line| line.ends_with(" total"))?.split_whitespace().nth(3)?)
            }
        }
    }
}
