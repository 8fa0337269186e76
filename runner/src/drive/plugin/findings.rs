//! What a guest finds, how it fails, and that an iteration of its is over: counted, and told to whoever watches.

use super::bindings::{Check, Findings, Sample};
use super::failure::Failure;
use super::guest::{Guest, contract};
use super::host::{has_control, shortened};
use super::watch::EventKind;
use crate::judge::PluginMetrics;

/// Longest name of a check, bytes.
const LONGEST_NAME: usize = 200;
const MISTAKE_IN_CHECK: &str =
    "a check's name is one to 200 bytes on one line, and a plugin has at most 1,000 of them";

impl Guest {
    /// Counts an iteration that came to an end.
    pub(crate) fn count_iteration(&self, iteration: u64, completed: bool, failed: bool) {
        self.watch(iteration, || EventKind::Ended { completed });
        self.guests.record(|metrics| {
            metrics.iterations += u64::from(completed);
            metrics.failed_iterations += u64::from(failed);
        });
    }

    /// Counts a failure of the plugin.
    pub(crate) fn count_failure(&self, failure: Failure, iteration: u64) {
        let Failure { fault, message, backtrace } = failure;
        self.watch(iteration, || EventKind::Failed {
            fault,
            message: message.clone(),
            backtrace: backtrace.clone(),
        });
        self.guests.record(|metrics| metrics.record_failure(fault, &message, backtrace, self.vu, iteration));
    }

    /// Counts checks and values of custom metrics.
    pub(super) fn count(&self, iteration: u64, findings: &Findings) {
        for check in &findings.checks {
            if !self.guests.record(|metrics| count_check(metrics, check)) {
                self.count_failure(contract(MISTAKE_IN_CHECK), iteration);
            }
        }
        for sample in &findings.samples {
            if let Some(mistake) = self.guests.record(|metrics| self.count_value(metrics, sample)) {
                self.count_failure(contract(mistake), iteration);
            }
        }
        for check in &findings.checks {
            self.watch(iteration, || EventKind::Check {
                name: check.name.clone(),
                ok: check.ok,
                message: check.message.clone(),
            });
        }
        for Sample { metric, value } in &findings.samples {
            self.watch(iteration, || EventKind::Value { metric: metric.clone(), value: *value });
        }
    }

    /// Counts a value of a custom metric, or says why it cannot be counted.
    fn count_value(&self, metrics: &mut PluginMetrics, sample: &Sample) -> Option<String> {
        let declared = &self.guests.plugin.facts.metrics;
        let Some(index) = declared.iter().position(|metric| metric.name == sample.metric) else {
            return Some(format!(
                "the metric `{}` is not declared in the manifest",
                shortened(&sample.metric)
            ));
        };
        let counted = metrics.record_value(index, declared[index].kind, sample.value);
        (!counted).then(|| format!("{} is no value for the metric `{}`", sample.value, sample.metric))
    }
}

/// Whether a check could be counted.
fn count_check(metrics: &mut PluginMetrics, check: &Check) -> bool {
    let Check { name, ok, message } = check;
    let fits = !name.is_empty() && name.len() <= LONGEST_NAME && !has_control(name);
    // A message is kept only of what failed; one that holds no line breaks and the like is not copied for it.
    let on_one_line = message.as_deref().filter(|text| !ok && has_control(text)).map(shortened);
    fits && metrics.record_check(name, *ok, on_one_line.as_deref().or(message.as_deref()))
}
