//! What a plugin concludes: verdicts on responses and values of its own metrics.

use std::fmt::Display;

use crate::wire;

/// Checks and values of custom metrics, on their way to the report.
///
/// ```
/// use pmcp_loadtest_guest::{Findings, Outcome};
///
/// fn judge(outcome: &Outcome, findings: &mut Findings) {
///     findings.check("search finds something", outcome.captured::<Vec<String>>(0).map(|ids| !ids.is_empty()));
///     findings.sample("bytes", f64::from(outcome.bytes()));
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings {
    checks: Vec<wire::Check>,
    samples: Vec<wire::Sample>,
}

impl Findings {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a named verdict: `true` and `Ok(true)` passed, everything else failed, an error with its text as the reason. Names are
    /// rows of the report, at most 1,000 per scenario: nothing with an id in it.
    pub fn check(&mut self, name: impl Into<String>, verdict: impl Verdict) {
        let reason = verdict.reason();
        self.checks.push(wire::Check { name: name.into(), ok: reason.is_none(), message: reason.flatten() });
    }

    /// Records a value of a custom metric that the manifest declares.
    pub fn sample(&mut self, metric: impl Into<String>, value: f64) {
        self.samples.push(wire::Sample { metric: metric.into(), value });
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty() && self.samples.is_empty()
    }

    /// The verdicts under this name, in their order: why it failed, `Ok` where it passed.
    pub fn checked(&self, name: &str) -> impl Iterator<Item = Result<(), Option<&str>>> {
        let named = self.checks.iter().filter(move |check| check.name == name);
        named.map(|check| if check.ok { Ok(()) } else { Err(check.message.as_deref()) })
    }

    /// The values of this metric, in their order.
    pub fn sampled(&self, metric: &str) -> impl Iterator<Item = f64> {
        self.samples.iter().filter(move |sample| sample.metric == metric).map(|sample| sample.value)
    }

    /// The metrics that have a value, one name for each value.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn metrics(&self) -> impl Iterator<Item = &str> {
        self.samples.iter().map(|sample| sample.metric.as_str())
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.checks.append(&mut other.checks);
        self.samples.append(&mut other.samples);
    }

    pub(crate) fn into_wire(self) -> Option<wire::Findings> {
        (!self.is_empty()).then_some(wire::Findings { checks: self.checks, samples: self.samples })
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn from_wire(findings: wire::Findings) -> Self {
        Self { checks: findings.checks, samples: findings.samples }
    }
}

/// What a check may be decided by: `bool`, or a `Result` of `bool` or `()` whose error says why it failed.
pub trait Verdict {
    /// `None` where it passed; otherwise why it failed, as far as that is known.
    fn reason(self) -> Option<Option<String>>;
}

impl Verdict for bool {
    fn reason(self) -> Option<Option<String>> {
        (!self).then_some(None)
    }
}

impl Verdict for () {
    fn reason(self) -> Option<Option<String>> {
        None
    }
}

impl<V: Verdict, E: Display> Verdict for Result<V, E> {
    fn reason(self) -> Option<Option<String>> {
        match self {
            Ok(verdict) => verdict.reason(),
            Err(error) => Some(Some(error.to_string())),
        }
    }
}
