//! Plugins tested with plain `cargo test`: the plugin's own code, a made-up target, no WebAssembly and no server.
//!
//! In: a [`Rehearsal`] of the plugin, with its configuration, what the target offers, and a function that answers its steps. Out:
//! what a virtual user planned, learnt and logged. Plans cross the same boundary as in a run, so what a host would refuse fails here.
//!
//! ```
//! use pmcp_loadtest_guest::testing::{Answer, Rehearsal};
//! # use pmcp_loadtest_guest::{Error, Findings, Iteration, NoConfig, Outcome, Plan, Plugin, Step, VirtualUser, json};
//! #
//! # struct Shopper;
//! # impl Plugin for Shopper {
//! #     type Config = NoConfig;
//! #     fn open(_: &NoConfig, _: VirtualUser) -> Result<Self, Error> {
//! #         Ok(Shopper)
//! #     }
//! #     fn plan(&mut self, _: Iteration) -> Result<Plan, Error> {
//! #         Ok(Step::call("search", json!({ "query": "boots" })).capture("/structuredContent/ids").into())
//! #     }
//! #     fn learn(&mut self, outcomes: &[Outcome], findings: &mut Findings) {
//! #         let found = outcomes[0].captured::<Vec<u32>>(0).map(|ids| !ids.is_empty());
//! #         findings.check("search finds something", found);
//! #     }
//! # }
//!
//! let rehearsal = Rehearsal::<Shopper>::new()
//!     .tool("search", json!({ "type": "object", "required": ["query"] }))
//!     .answers(|_| Answer::ok(json!({ "structuredContent": { "ids": [7] } })));
//!
//! let mut user = rehearsal.open()?;
//! let iteration = user.iterate()?;
//! assert_eq!(iteration.steps().next().and_then(Step::tool), Some("search"));
//! assert!(user.finish()?.checked("search finds something").all(|verdict| verdict.is_ok()));
//! # Ok::<(), Error>(())
//! ```

mod answer;
pub(crate) mod imports;
mod rehearsal;
mod user;
mod world;

pub use answer::Answer;
pub use rehearsal::Rehearsal;
pub use user::{Rehearsed, User};
pub use world::World;
