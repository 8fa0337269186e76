//! The files of a new plugin's crate. In: its name, its SDK, and whether a workspace takes it in. Out: paths and texts.
//!
//! They are those of `guest-sdk/template`, which is a plugin that the SDK's own tests build, with another name.

use super::sdk::Sdk;

const MANIFEST: &str = include_str!("../../../../guest-sdk/template/Cargo.toml");
const LIBRARY: &str = include_str!("../../../../guest-sdk/template/src/lib.rs");
const README: &str = include_str!("template/README.md");
const IGNORED: &str = "/target\n*.wasm\n";

/// What the template calls itself, its type and its SDK.
const NAME: &str = "my-plugin";
const TYPE: &str = "MyPlugin";
const SDK: &str = "pmcp-loadtest-guest = \"0.1\"";
/// Where the part of the manifest begins that only the root of a workspace has.
const ROOT: &str = "\n# A workspace of its own";

/// Names that a type must not take from the prelude or the SDK's macro.
const TAKEN: [&str; 16] = [
    "Box", "Clone", "Copy", "Debug", "Default", "Drop", "Err", "Iterator", "None", "Ok", "Option", "Result",
    "Self", "Some", "String", "Vec",
];

/// Whose workspace the crate is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Workspace {
    /// Its own.
    Own,
    /// That of a folder above, which takes it in.
    Above,
}

/// The files of a crate of that name: path in the crate, and text.
pub(super) fn files(name: &str, sdk: &Sdk) -> [(&'static str, String); 4] {
    [
        ("Cargo.toml", manifest(name, sdk, Workspace::Above)),
        ("src/lib.rs", LIBRARY.replace(TYPE, &type_name(name))),
        ("README.md", README.replace(NAME, name)),
        (".gitignore", IGNORED.to_owned()),
    ]
}

/// The crate's manifest.
pub(super) fn manifest(name: &str, sdk: &Sdk, workspace: Workspace) -> String {
    let text = match workspace {
        Workspace::Own => MANIFEST,
        Workspace::Above => MANIFEST.split_once(ROOT).map_or(MANIFEST, |(package, _)| package),
    };
    let text = text.replace(&format!("\"{NAME}\""), &format!("\"{name}\""));
    match sdk {
        Sdk::Published => text,
        Sdk::Source(_) => text.replace(SDK, &format!("pmcp-loadtest-guest = {}", sdk.requirement())),
    }
}

/// `my-plugin` as a type: `MyPlugin`. With `Plugin` behind it where the name means something already.
fn type_name(name: &str) -> String {
    let words = name.split(['-', '_']).filter(|word| !word.is_empty());
    let camel: String = words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect();
    let mut used = LIBRARY.split(|character: char| !character.is_ascii_alphanumeric());
    let taken = camel != TYPE && (TAKEN.contains(&camel.as_str()) || used.any(|word| word == camel));
    if taken { camel + "Plugin" } else { camel }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_renamed_throughout() {
        for (path, text) in files("shopper", &Sdk::Source("/sdk".into())) {
            assert!(!text.contains(NAME) && !text.contains(TYPE) && !text.contains(SDK), "{path}: {text}");
        }
    }

    #[test]
    fn the_manifest_is_one_with_and_without_a_workspace() {
        for (workspace, sdk, expected) in
            [(Workspace::Own, Sdk::Published, true), (Workspace::Above, Sdk::Source("/sdk".into()), false)]
        {
            let manifest: toml::Table = manifest("shopper", &sdk, workspace).parse().unwrap();
            assert_eq!(manifest["package"]["name"].as_str(), Some("shopper"));
            assert_eq!(manifest.contains_key("workspace"), expected);
            assert_eq!(manifest.contains_key("profile"), expected, "a profile counts in the root only");
            let guest = &manifest["dependencies"]["pmcp-loadtest-guest"];
            assert_eq!(guest.get("path").is_none(), expected);
        }
    }

    #[test]
    fn a_name_that_means_something_already_makes_a_type_all_the_same() {
        for (name, expected) in [
            ("shopper", "Shopper"),
            ("my-plugin", "MyPlugin"),
            ("web_shop-2", "WebShop2"),
            ("plugin", "PluginPlugin"),
            ("config", "ConfigPlugin"),
            ("option", "OptionPlugin"),
        ] {
            assert_eq!(type_name(name), expected);
        }
    }
}
