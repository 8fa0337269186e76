//! What a person or a machine sees while a run lasts. In: snapshots, a few times a second. Out: lines on stderr, and the wish to stop.
//!
//! Deciding (`line`, `remaining`, `jsonl`, `colour`, `progress`) is apart from waiting and writing (`console`, `terminal`, `sink`, `interrupt`).

mod colour;
mod console;
mod interrupt;
mod jsonl;
mod line;
mod progress;
mod remaining;
mod search;
mod sink;
mod terminal;

pub use colour::ColourChoice;
pub use console::Console;
pub use interrupt::{Interrupts, forward_interrupts};
pub use jsonl::Ending;
pub use progress::Progress;
pub use search::SearchDisplay;
