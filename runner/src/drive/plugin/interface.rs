//! Which interface a component was built for, and whether this program serves it.

use std::fmt;

use wasmtime::Engine;
use wasmtime::component::Component;

#[cfg(feature = "wasi")]
use super::wasi::serves as is_of_the_system;
use crate::error::{Error, ExitCode};

/// The package that plugins import from and export to.
const PACKAGE: &str = "pmcp:loadtest";
/// The version that this program serves: of it and of every earlier one with the same first two numbers.
pub(super) const SERVED: Version = Version { major: 0, minor: 1, patch: 0 };

/// How many imports or exports are listed in a message, and how many characters of each.
const MOST_LISTED: usize = 5;
const LONGEST_LISTED: usize = 100;

/// A version of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u64,
    minor: u64,
    patch: u64,
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(str::parse);
        let mut next = || numbers.next()?.ok();
        let version = Self { major: next()?, minor: next()?, patch: next()? };
        numbers.next().is_none().then_some(version)
    }

    fn is_served(self) -> bool {
        (self.major, self.minor) == (SERVED.major, SERVED.minor)
    }
}

/// The version of the interface that the component was built for.
///
/// # Errors
/// [`ExitCode::Plugin`] where it is no plugin, or one for another version.
pub(super) fn of(engine: &Engine, component: &Component) -> Result<Version, Error> {
    let exported = exports(engine, component);
    let prefix = format!("{PACKAGE}/plugin@");
    let Some(version) = exported.iter().find_map(|name| Version::parse(name.strip_prefix(&prefix)?)) else {
        let what = match exported.as_slice() {
            [] => "this component exports nothing".to_owned(),
            names => format!("this component exports {}", listed(names)),
        };
        return Err(Error::new(ExitCode::Plugin, format!("{what}, and a plugin exports {prefix}{SERVED}"))
            .advise("build it with the guest SDK, or against the WIT in guest-sdk/wit"));
    };
    if version.is_served() {
        return Ok(version);
    }
    let advice = if version > SERVED {
        format!("install a version of this program that serves interface {version}")
    } else {
        format!("build the plugin again with the guest SDK for interface {SERVED}")
    };
    let what = format!(
        "this plugin was built for version {version} of the interface, and this program serves {SERVED}"
    );
    Err(Error::new(ExitCode::Plugin, what).advise(advice))
}

/// Refuses a component that asks for what no plugin gets.
pub(super) fn check_imports(engine: &Engine, component: &Component) -> Result<(), Error> {
    // Whether it is a plugin at all is the better thing to say first.
    of(engine, component)?;
    let foreign: Vec<String> = imports(engine, component)
        .into_iter()
        .filter(|name| !name.starts_with(&format!("{PACKAGE}/")) && !is_of_the_system(name))
        .collect();
    if foreign.is_empty() {
        return Ok(());
    }
    let of_the_system = foreign.iter().all(|name| name.starts_with("wasi:"));
    // Of WASI the packages say enough.
    let mut foreign: Vec<String> = foreign
        .into_iter()
        .map(|name| if of_the_system { name.split('/').next().unwrap_or_default().to_owned() } else { name })
        .collect();
    foreign.dedup();
    let advice = if of_the_system {
        "plugins get no files, network, environment or clock: build for wasm32-unknown-unknown, or stub WASI (componentize-py: \
         --stub-wasi; componentize-qjs: --sync --stub-wasi); or build this program with `--features wasi`"
    } else {
        "take the imports out; a plugin sees what guest-sdk/wit says and nothing else"
    };
    let what = format!("this plugin imports {}, which no plugin gets", listed(&foreign));
    Err(Error::new(ExitCode::Plugin, what).advise(advice))
}

/// Whether an import is of WASI, and served.
#[cfg(not(feature = "wasi"))]
fn is_of_the_system(_import: &str) -> bool {
    false
}

/// Why a component does not fit although it names the right version: it was built against a later one that adds something.
pub(super) fn unfit(engine: &Engine, component: &Component, error: &str) -> Error {
    let built_for = imports(engine, component)
        .into_iter()
        .chain(exports(engine, component))
        .filter(|name| name.starts_with(PACKAGE))
        .filter_map(|name| Version::parse(name.rsplit_once('@')?.1))
        .max();
    let Some(version) = built_for.filter(|version| *version > SERVED) else {
        return Error::new(ExitCode::Plugin, format!("this plugin does not fit interface {SERVED}: {error}"))
            .advise("build it again with the guest SDK, or against the WIT in guest-sdk/wit");
    };
    let what = format!(
        "this plugin needs version {version} of the interface, and this program serves {SERVED}: {error}"
    );
    Error::new(ExitCode::Plugin, what)
        .advise(format!("install a version of this program that serves interface {version}"))
}

/// Names for a person: the first few, each no longer than a line.
fn listed(names: &[String]) -> String {
    let first: Vec<String> =
        names.iter().take(MOST_LISTED).map(|name| name.chars().take(LONGEST_LISTED).collect()).collect();
    let further = names.len() - first.len();
    let further = if further > 0 { format!(" and {further} more") } else { String::new() };
    first.join(", ") + &further
}

/// What the component asks for, by name.
pub(super) fn imports(engine: &Engine, component: &Component) -> Vec<String> {
    component.component_type().imports(engine).map(|(name, _)| name.to_owned()).collect()
}

fn exports(engine: &Engine, component: &Component) -> Vec<String> {
    component.component_type().exports(engine).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn additions_keep_the_first_two_numbers() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("0.1.0").is_served() && version("0.1.7").is_served());
        assert!(!version("0.2.0").is_served() && !version("1.1.0").is_served());
        assert_eq!(version("0.1.7").to_string(), "0.1.7");
        for text in ["", "0.1", "0.1.0.0", "0.1.x", "v0.1.0"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
