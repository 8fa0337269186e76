//! What a plugin says of itself, before anything runs.

use serde::Serialize;

use crate::wire;
pub use crate::wire::MetricKind;

/// What a plugin says of itself beyond its package's name, version and description.
///
/// ```
/// use pmcp_loadtest_guest::{Manifest, Metric};
/// let manifest = Manifest::new().requires_tool("search").metric(Metric::trend("items").unit("items"));
/// # let _ = manifest;
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use]
pub struct Manifest {
    config_schema: Option<String>,
    plans_ahead: Option<u32>,
    metrics: Vec<Metric>,
    requires_tools: Vec<String>,
}

impl Manifest {
    /// Nothing special: every outcome is learnt, one iteration is planned at a time.
    pub fn new() -> Self {
        Self::default()
    }

    /// JSON Schema of the configuration, from JSON or from what `schemars::schema_for!` gives. A configuration that does not fit
    /// is refused before the run, with the name of the field.
    ///
    /// # Panics
    ///
    /// Where the value has no JSON form.
    pub fn config_schema(mut self, schema: &impl Serialize) -> Self {
        match serde_json::to_string(schema) {
            Ok(text) => self.config_schema = Some(text),
            Err(error) => panic!("the configuration's schema is no JSON: {error}"),
        }
        self
    }

    /// The plugin needs no outcomes: [`learn`](crate::Plugin::learn) is never called, and up to `iterations` iterations are planned
    /// in one call, which is cheaper where many virtual users have an instance each. 16 is a good number.
    pub fn plans_ahead(mut self, iterations: u32) -> Self {
        self.plans_ahead = Some(iterations);
        self
    }

    /// Declares a custom metric; at most 64. Values of one that is not declared are dropped.
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metrics.push(metric);
        self
    }

    /// The run does not start where the target lacks this tool.
    pub fn requires_tool(mut self, name: impl Into<String>) -> Self {
        self.requires_tools.push(name.into());
        self
    }

    pub(crate) fn into_wire(self, name: &str, version: &str, description: &str) -> wire::Manifest {
        // `finish` is one call per virtual user: not worth a switch.
        let learning = if self.plans_ahead.is_none() { wire::Hooks::OUTCOMES } else { wire::Hooks::empty() };
        wire::Manifest {
            name: name.to_owned(),
            version: version.to_owned(),
            description: description.to_owned(),
            config_schema: self.config_schema,
            hooks: learning | wire::Hooks::FINISH,
            plans_ahead: self.plans_ahead.unwrap_or(1),
            metrics: self.metrics.into_iter().map(|metric| metric.0).collect(),
            requires_tools: self.requires_tools,
        }
    }
}

/// A custom metric: its values are added with [`Findings::sample`](crate::Findings::sample) and appear in the report under its name.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Metric(wire::MetricDef);

impl Metric {
    /// A metric called `name`: `[a-z][a-z0-9_]*`.
    pub fn new(name: impl Into<String>, kind: MetricKind) -> Self {
        Self(wire::MetricDef { name: name.into(), kind, unit: None })
    }

    /// Adds up: the report gives the sum and the sum per second.
    pub fn counter(name: impl Into<String>) -> Self {
        Self::new(name, MetricKind::Counter)
    }

    /// A level: the report gives the smallest, the largest and the mean.
    pub fn gauge(name: impl Into<String>) -> Self {
        Self::new(name, MetricKind::Gauge)
    }

    /// A share: the report gives how many values were other than zero.
    pub fn rate(name: impl Into<String>) -> Self {
        Self::new(name, MetricKind::Rate)
    }

    /// A distribution of values from 0.001 to 10^12: the report gives percentiles.
    pub fn trend(name: impl Into<String>) -> Self {
        Self::new(name, MetricKind::Trend)
    }

    /// Unit for people, such as "items".
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.0.unit = Some(unit.into());
        self
    }
}
