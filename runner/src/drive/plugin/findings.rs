//! What a guest finds, how it fails, and that an iteration of its is over: counted, and told to whoever watches.

use super::bindings::{Findings, Sample};
use super::failure::Failure;
use super::guest::{Guest, contract};
use super::host::shortened;
use super::watch::EventKind;
use crate::judge::PluginMetrics;

/// Longest name of a check, bytes.
const LONGEST_NAME: usize = 200;
const MISTAKE_IN_CHECK: &str =
    "a check's name is one to 200 bytes long, and a plugin has at most 1,000 of them";

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
        let mut mistakes: Vec<String> = Vec::new();
        self.guests.record(|metrics| {
            for check in &findings.checks {
                let fits = !check.name.is_empty() && check.name.len() <= LONGEST_NAME;
                if !fits || !metrics.record_check(&check.name, check.ok, check.message.as_deref()) {
                    mistakes.push(MISTAKE_IN_CHECK.to_owned());
                }
            }
            for sample in &findings.samples {
                mistakes.extend(self.count_value(metrics, sample));
            }
        });
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
        for mistake in mistakes {
            self.count_failure(contract(mistake), iteration);
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
