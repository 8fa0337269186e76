//! What a plugin author writes: one trait.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};

use crate::{Findings, Iteration, Manifest, Outcome, Plan, VirtualUser};

/// Why a plugin could not go on: any error type, a `String` or a `&str` becomes one with `?` or `.into()`.
///
/// An error of [`Plugin::plan`] is a failed iteration in the report, counted by its text; the virtual user goes on with the next
/// one. An error of [`Plugin::open`] is a virtual user that cannot begin. What the *server* does wrong is no error but an
/// [`Outcome`].
pub type Error = Box<dyn std::error::Error>;

/// The plugin's side of one virtual user.
///
/// Whatever a plugin remembers, it remembers in `self`: one WebAssembly instance may serve one virtual user or thousands, and a
/// `static` would be shared by all of them, so that the same seed no longer gave the same run.
///
/// ```
/// use pmcp_loadtest_guest::{Error, Iteration, NoConfig, Plan, Plugin, Step, VirtualUser, json};
///
/// struct Hello;
///
/// impl Plugin for Hello {
///     type Config = NoConfig;
///
///     fn open(_: &NoConfig, _: VirtualUser) -> Result<Self, Error> {
///         Ok(Hello)
///     }
///
///     fn plan(&mut self, iteration: Iteration) -> Result<Plan, Error> {
///         Ok(Step::call("echo", json!({ "message": format!("hello {}", iteration.number) })).into())
///     }
/// }
/// # pmcp_loadtest_guest::plugin!(Hello);
/// ```
pub trait Plugin: Sized + 'static {
    /// The scenario's `config` table, as JSON. [`NoConfig`] where there is nothing to set.
    type Config: DeserializeOwned + 'static;

    /// What the plugin says of itself beyond its package's name, version and description. The same answer on every call; nothing
    /// in [`host`](crate::host) or [`target`](crate::target) may be called.
    fn manifest() -> Manifest {
        Manifest::new()
    }

    /// A virtual user begins. An implementation that keeps no reference to `config` may write `&Self::Config`.
    fn open(config: &'static Self::Config, user: VirtualUser) -> Result<Self, Error>;

    /// What to do in this iteration, or in its next round where the plan before it ended in [`Plan::then_more`].
    fn plan(&mut self, iteration: Iteration) -> Result<Plan, Error>;

    /// What came of a plan: called once for each plan that was run and had an outcome, before the next [`plan`](Self::plan) or
    /// [`finish`](Self::finish). The place for checks and custom metrics. Never called where the manifest says
    /// [`plans_ahead`](Manifest::plans_ahead).
    fn learn(&mut self, outcomes: &[Outcome], findings: &mut Findings) {
        let _ = (outcomes, findings);
    }

    /// The virtual user ends, after the outcomes of its last plan were learnt.
    fn finish(&mut self, findings: &mut Findings) {
        let _ = findings;
    }
}

/// The configuration of a plugin that has nothing to set; any key in the scenario's `config` is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoConfig;

// By hand, because `serde_derive` and what it needs would be most of the build time of a small plugin.
impl<'de> Deserialize<'de> for NoConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EmptyMap)
    }
}

struct EmptyMap;

impl<'de> Visitor<'de> for EmptyMap {
    type Value = NoConfig;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an empty object: this plugin has nothing to set")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NoConfig, A::Error> {
        match map.next_key::<String>()? {
            None => Ok(NoConfig),
            Some(key) => {
                Err(A::Error::custom(format!("unknown key `{key}`: this plugin has nothing to set")))
            }
        }
    }
}
