//! The capacity of a server: the highest load at which it keeps to its objectives.
//!
//! A search is a function of what was seen: [`Search::next`] says what to do, [`Search::observe`] takes what came of it, and neither
//! waits nor looks at a clock. Within a trial a [`TrialWatch`] does the same by slices of a second or less. Who drives the load does
//! what it is told:
//!
//! ```text
//! loop { match search.next() {
//!     Step::Probe(length)    => one session alone for `length`                        -> Observed::Probe
//!     Step::Trial(trial)     => slices into `search.watch(trial)` until it says stop,
//!                               drain, `watch.conclude(closing)`                      -> Observed::Trial
//!     Step::CoolDown(rest)   => a trickle of one session, until `rest.is_over(...)`   -> Observed::Rest
//!     Step::Answer(answer)   => done
//! } }
//! ```
//!
//! Method: RFC 9971 (several trials for a load, a later failure below beats an earlier pass above), with the trials judged by the share
//! of due calls that were good and by batch means, so that misses in bunches count as what they are.

mod answer;
#[cfg(test)]
pub(crate) mod fixtures;
mod length;
mod probe;
mod question;
mod rungs;
mod search;
mod statistics;
#[cfg(test)]
mod tests;
mod text;
mod trial;
mod verdict;
mod watch;

pub use answer::{Answer, AtLeast, Bound, Broken, Finding};
pub use probe::{CoolDown, Probe, Rest};
pub use question::{Precision, Question, Variable};
pub use rungs::LoadVerdict;
pub use search::{Observed, Search, Step};
pub use statistics::{Confidence, Tally, design_effect, sure_growth, wilson};
pub use trial::{Closing, Counts, ObjectiveResult, Purpose, Remark, Slice, Trial, TrialResult, TrialVerdict};
pub use watch::{Course, TrialWatch};
