//! The scenario library: ready-made configurations, embedded so that an installed binary has them without a checkout.
//!
//! Out: name, one-line description and text of each file of `scenarios/`. They name no target; the command line does.

/// A configuration of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What `--scenario` and `cargo pmcp loadtest scenarios` call it: the file's name without its ending.
    pub name: &'static str,
    /// The whole file.
    pub text: &'static str,
}

/// All of them, the gentlest first.
pub const ENTRIES: [Entry; 6] = [
    Entry { name: "smoke", text: include_str!("../../../scenarios/smoke.toml") },
    Entry { name: "quickstart", text: include_str!("../../../scenarios/quickstart.toml") },
    Entry { name: "load", text: include_str!("../../../scenarios/load.toml") },
    Entry { name: "spike", text: include_str!("../../../scenarios/spike.toml") },
    Entry { name: "stress", text: include_str!("../../../scenarios/stress.toml") },
    Entry { name: "soak", text: include_str!("../../../scenarios/soak.toml") },
];

impl Entry {
    /// What it is for, in one line: the file's first comment.
    ///
    /// ```
    /// let smoke = pmcp_loadtest::plan::library::find("smoke").unwrap();
    /// assert!(smoke.description().starts_with("Does it work at all?"));
    /// ```
    pub fn description(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches('#').trim()
    }
}

/// The configuration of that name.
pub fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}
