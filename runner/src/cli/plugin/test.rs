//! `plugin test`: runs iterations one at a time and shows every step, argument, answer and check.

mod tally;
mod transcript;

use std::cell::RefCell;
use std::num::{NonZeroU32, NonZeroU64};
use std::rc::Rc;

use super::super::print;
use super::super::report::style;
use super::ink::{Colour, Ink};
use super::rehearsal::{Cast, Subject};
use crate::drive::{self, Event};
use crate::error::{Error, ExitCode};
use crate::plan::{InstancePolicy, PluginLimits};
use transcript::Transcript;

/// Run iterations one at a time and show every step, answer and check
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "cargo pmcp loadtest plugin test FILE.wasm [URL | --demo | --dry] [OPTIONS]",
    after_help = "Examples:
  cargo pmcp loadtest plugin test shopper.wasm                    no server: answers are made up
  cargo pmcp loadtest plugin test shopper.wasm --tools tools.json no server: the tools of that file
  cargo pmcp loadtest plugin test shopper.wasm --demo --full
  cargo pmcp loadtest plugin test shopper.wasm http://127.0.0.1:3000/mcp --config @shopper.json

What a plugin finds in its answers stands below them, before the next iteration, although it says so only when it is asked for that one.
Without a server, thinking is not waited for. Exit codes: 0 all is well · 99 a call or a check failed · 5 the plugin failed."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// Make the answers up: no server is needed [default where none is named]
    #[arg(long, conflicts_with_all = ["url", "demo"])]
    dry: bool,
    /// How many iterations
    #[arg(long, value_name = "N", default_value = "5")]
    iterations: NonZeroU64,
    /// Show all of every text, not only what fits the line
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    colour: Colour,
}

/// Runs the plugin and shows what it does.
///
/// # Errors
/// Whatever keeps it from beginning.
pub(super) fn test(arguments: &Arguments) -> Result<ExitCode, Error> {
    let subject = &arguments.subject;
    let plugin = drive::inspect(&subject.file, &PluginLimits::default())?;
    let rehearsal = subject.on_stage(&plugin)?;
    let cast =
        Cast { vus: NonZeroU32::MIN, iterations: arguments.iterations, instances: InstancePolicy::PerVu };
    let ready = rehearsal.prepare(cast)?;
    ready.prepared.notes.iter().for_each(|note| print::note(note));
    let ink = Ink::new(style(arguments.colour.color));
    let transcript = Rc::new(RefCell::new(Transcript::new(ink, arguments.full, plugin.wants_outcomes)));
    let teller = Rc::clone(&transcript);
    let seen = ready.run(move |event: Event| show(&teller.borrow_mut().tell(event)));
    let mut transcript = transcript.borrow_mut();
    show(&transcript.end(&seen, arguments.iterations.get()));
    if rehearsal.is_dry() {
        show(&[
            ink.quiet("a dry run: no server was asked, its answers are made up, and thinking took no time")
        ]);
    }
    Ok(transcript.tally.exit())
}

fn show(lines: &[String]) {
    print::data(&lines.iter().map(|line| format!("{line}\n")).collect::<String>());
}
