//! Where a new plugin gets its SDK from.

use std::path::{Path, PathBuf};

/// The dependency that every plugin in Rust has.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sdk {
    /// The published crate, of this program's version.
    Published,
    /// The source that this program was built beside.
    Source(PathBuf),
}

impl Sdk {
    /// The source, where this program still has it at hand; else what is published.
    pub(super) fn at_hand() -> Self {
        let beside =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|workspace| workspace.join("guest-sdk"));
        match beside.filter(|folder| folder.join("Cargo.toml").is_file()) {
            Some(folder) => Self::Source(folder),
            None => Self::Published,
        }
    }

    /// What stands behind `pmcp-loadtest-guest =` in a manifest.
    pub(super) fn requirement(&self) -> String {
        match self {
            Self::Published => format!("\"{}\"", env!("CARGO_PKG_VERSION")),
            Self::Source(folder) => {
                let path = toml::Value::String(folder.display().to_string());
                format!("{{ path = {path} }}")
            }
        }
    }

    /// Which it is, for a person.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Published => format!("pmcp-loadtest-guest {} as published", env!("CARGO_PKG_VERSION")),
            Self::Source(folder) => {
                format!(
                    "pmcp-loadtest-guest from its source at {}, which only this machine has",
                    folder.display()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_folder_can_be_written_into_a_manifest() {
        for folder in ["/work/guest-sdk", "C:\\work\\guest-sdk", "/a \"b\"/'c'"] {
            let requirement = Sdk::Source(folder.into()).requirement();
            let manifest: toml::Table = format!("sdk = {requirement}").parse().unwrap();
            assert_eq!(manifest["sdk"]["path"].as_str(), Some(folder));
        }
        let manifest: toml::Table = format!("sdk = {}", Sdk::Published.requirement()).parse().unwrap();
        assert_eq!(manifest["sdk"].as_str(), Some(env!("CARGO_PKG_VERSION")));
    }
}
