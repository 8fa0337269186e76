//! How what a plugin does is counted and added up.
//!
//! What a plugin says is of its own making, so every list is bounded, and in such a way that the sum does not depend on the order of
//! adding: entries are ordered, the first ones stay with their exact counts, the rest is one number. An entry that is among the first
//! of a sum was among the first of each of its parts, so nothing of it was lost on the way.

use std::cmp::Ordering;
use std::time::Duration;

use super::{CheckCounts, LogLevel, LogLine, MetricKind, PluginFailure, PluginFault, PluginMetrics, Values};

/// Kinds of failures kept apart.
const MOST_FAILURES: usize = 64;
/// Checks kept apart.
pub(super) const MOST_CHECKS: usize = 1_000;
/// Characters of a message or a line.
const LONGEST_MESSAGE: usize = 1_000;
/// Characters of a check's name; names that differ only after that are one.
const LONGEST_NAME: usize = 200;

impl PluginMetrics {
    /// Counts a call that plans or learns. A few nanoseconds; allocates only while the longest call still grows.
    pub fn record_call(&mut self, nanoseconds: u64) {
        self.call_us.record_thousandths(nanoseconds);
        self.guest_time += Duration::from_nanos(nanoseconds);
    }

    /// Counts a call that starts something: an instantiation, `setup`, `open`.
    pub fn record_start(&mut self, nanoseconds: u64) {
        self.start_us.record_thousandths(nanoseconds);
        let time = Duration::from_nanos(nanoseconds);
        self.start_time += time;
        self.guest_time += time;
    }

    /// Counts a failure of virtual user `vu` in its iteration `iteration`. `backtrace` is where in the plugin's code, innermost first.
    pub fn record_failure(
        &mut self,
        fault: PluginFault,
        message: &str,
        backtrace: Vec<String>,
        vu: u64,
        iteration: u64,
    ) {
        let message = cut(message, LONGEST_MESSAGE).to_owned();
        self.keep_failure(PluginFailure { fault, message, count: 1, iteration, vu, backtrace });
    }

    /// Counts a verdict of the check `name`; `message` is what one that failed says. Whether it was counted: an unknown name beyond
    /// the first 1,000 is not. Allocates for a new name and for a message that comes first in text order.
    #[must_use]
    pub fn record_check(&mut self, name: &str, ok: bool, message: Option<&str>) -> bool {
        let name = cut(name, LONGEST_NAME);
        if let Some(counts) = self.checks.get_mut(name) {
            counts.record(ok, message);
            return true;
        }
        if self.checks.len() >= MOST_CHECKS {
            return false;
        }
        self.checks.entry(name.to_owned()).or_default().record(ok, message);
        true
    }

    /// Counts a value of the custom metric that was declared as the `index`-th. Whether it was counted: what is not finite is not,
    /// nor is a negative value of a trend.
    #[must_use]
    pub fn record_value(&mut self, index: usize, kind: MetricKind, value: f64) -> bool {
        if index >= self.values.len() {
            self.values.resize_with(index + 1, Values::default);
        }
        self.values[index].record(kind, value)
    }

    /// Counts a line. Of each level `limit` different ones are kept.
    pub fn log(&mut self, level: LogLevel, message: &str, limit: usize) {
        self.log_limit = self.log_limit.max(limit);
        self.keep_line(level, cut(message, LONGEST_MESSAGE), 1);
    }

    /// Adds what another worker, or this one in another tick, has counted.
    pub fn add(&mut self, other: &Self) {
        self.iterations += other.iterations;
        self.failed_iterations += other.failed_iterations;
        self.call_us.add(&other.call_us);
        self.guest_time += other.guest_time;
        self.start_us.add(&other.start_us);
        self.start_time += other.start_time;
        self.instances += other.instances;
        self.further_failures += other.further_failures;
        for failure in &other.failures {
            self.keep_failure(failure.clone());
        }
        self.further_checks += other.further_checks;
        for (name, counts) in other.checks.iter().filter(|(_, counts)| !counts.is_empty()) {
            self.keep_check(name, counts);
        }
        if self.values.len() < other.values.len() {
            self.values.resize_with(other.values.len(), Values::default);
        }
        for (ours, theirs) in self.values.iter_mut().zip(&other.values) {
            ours.add(theirs);
        }
        self.log_limit = self.log_limit.max(other.log_limit);
        self.further_log_lines += other.further_log_lines;
        for line in &other.log {
            self.keep_line(line.level, &line.message, line.count);
        }
    }

    /// What it found out alone: checks and values of metrics, without what it did and what that cost.
    pub(in crate::judge) fn results(&self) -> Self {
        Self {
            checks: self.checks.clone(),
            further_checks: self.further_checks,
            values: self.values.clone(),
            ..Self::default()
        }
    }

    /// Puts what another found out in place of what this one did.
    pub(in crate::judge) fn replace_results(&mut self, other: Self) {
        self.checks = other.checks;
        self.further_checks = other.further_checks;
        self.values = other.values;
    }

    /// Forgets all counts and keeps the memory, that of the checks' names included.
    pub fn clear(&mut self) {
        let Self {
            mut call_us, mut start_us, mut failures, mut checks, mut values, mut log, log_limit, ..
        } = std::mem::take(self);
        call_us.clear();
        start_us.clear();
        failures.clear();
        for counts in checks.values_mut() {
            *counts = CheckCounts::default();
        }
        values.iter_mut().for_each(Values::clear);
        log.clear();
        *self = Self { call_us, start_us, failures, checks, values, log, log_limit, ..Self::default() };
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        let numbers = [
            self.iterations,
            self.failed_iterations,
            self.instances,
            self.call_us.count(),
            self.start_us.count(),
            self.further_failures,
            self.further_checks,
            self.further_log_lines,
        ];
        numbers.iter().all(|&number| number == 0)
            && self.guest_time.is_zero()
            && self.failures.is_empty()
            && self.checks.values().all(CheckCounts::is_empty)
            && self.values.iter().all(|values| values.count == 0)
            && self.log.is_empty()
    }

    fn keep_failure(&mut self, failure: PluginFailure) {
        match self.failures.binary_search_by(|known| known.compare_kind(&failure)) {
            Ok(index) => self.failures[index].absorb(failure),
            Err(index) => {
                self.failures.insert(index, failure);
                if self.failures.len() > MOST_FAILURES {
                    let beyond = self.failures.pop();
                    self.further_failures += beyond.map_or(0, |failure| failure.count);
                }
            }
        }
    }

    fn keep_check(&mut self, name: &str, counts: &CheckCounts) {
        if let Some(known) = self.checks.get_mut(name) {
            known.add(counts);
            return;
        }
        self.checks.insert(name.to_owned(), counts.clone());
        if self.checks.len() > MOST_CHECKS {
            let beyond = self.checks.pop_last();
            self.further_checks += beyond.map_or(0, |(_, counts)| counts.passed + counts.failed);
        }
    }

    fn keep_line(&mut self, level: LogLevel, message: &str, count: u64) {
        let start = self.log.partition_point(|line| line.level < level);
        let lines = self.log[start..].partition_point(|line| line.level == level);
        let end = start + lines;
        match self.log[start..end].binary_search_by(|line| line.message.as_str().cmp(message)) {
            Ok(index) => self.log[start + index].count += count,
            // A flood of lines is counted without copying one of them.
            Err(index) if index >= self.log_limit => self.further_log_lines += count,
            Err(index) => {
                self.log.insert(start + index, LogLine { level, message: message.to_owned(), count });
                if lines + 1 > self.log_limit {
                    self.further_log_lines += self.log.remove(end).count;
                }
            }
        }
    }
}

impl PluginFailure {
    /// Equal where both are failures of one kind with one message.
    fn compare_kind(&self, other: &Self) -> Ordering {
        self.fault.cmp(&other.fault).then_with(|| self.message.cmp(&other.message))
    }

    fn absorb(&mut self, other: Self) {
        self.count += other.count;
        if (other.iteration, other.vu, &other.backtrace) < (self.iteration, self.vu, &self.backtrace) {
            *self = Self { count: self.count, ..other };
        }
    }
}

impl CheckCounts {
    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.passed + self.failed == 0
    }

    fn record(&mut self, ok: bool, message: Option<&str>) {
        if ok {
            self.passed += 1;
        } else {
            self.failed += 1;
            self.keep_message(message.map(|message| cut(message, LONGEST_MESSAGE)));
        }
    }

    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.keep_message(other.message.as_deref());
    }

    fn keep_message(&mut self, message: Option<&str>) {
        if let Some(message) = message
            && self.message.as_deref().is_none_or(|known| message < known)
        {
            self.message = Some(message.to_owned());
        }
    }
}

impl Values {
    fn record(&mut self, kind: MetricKind, value: f64) -> bool {
        if !value.is_finite() || (kind == MetricKind::Trend && !self.trend.record(value)) {
            return false;
        }
        // Zero with a sign is zero.
        let value = value + 0.0;
        self.extend(value, value);
        self.count += 1;
        self.sum = bounded(self.sum + value);
        self.nonzero += u64::from(value != 0.0);
        true
    }

    fn add(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.extend(other.min, other.max);
        self.count += other.count;
        self.sum = bounded(self.sum + other.sum);
        self.nonzero += other.nonzero;
        self.trend.add(&other.trend);
    }

    fn extend(&mut self, min: f64, max: f64) {
        let first = self.count == 0;
        self.min = if first { min } else { self.min.min(min) };
        self.max = if first { max } else { self.max.max(max) };
    }

    fn clear(&mut self) {
        let mut trend = std::mem::take(&mut self.trend);
        trend.clear();
        *self = Self { trend, ..Self::default() };
    }
}

/// A sum that no longer fits stays the largest number there is: JSON knows no infinity.
fn bounded(sum: f64) -> f64 {
    sum.clamp(f64::MIN, f64::MAX)
}

/// The beginning of a text, at most so many characters.
fn cut(text: &str, characters: usize) -> &str {
    // No text has more characters than bytes.
    if text.len() <= characters {
        return text;
    }
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
}
