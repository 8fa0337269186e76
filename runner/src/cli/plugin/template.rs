//! The files of a new plugin's crate. In: its name and its SDK. Out: paths and texts.

use super::sdk::Sdk;

/// Path in the crate and text, with `{{name}}` and `{{sdk}}` where they belong.
const FILES: [(&str, &str); 4] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.in")),
    ("src/lib.rs", include_str!("template/lib.rs.in")),
    ("README.md", include_str!("template/README.md.in")),
    (".gitignore", include_str!("template/gitignore.in")),
];

/// The files of a crate of that name.
pub(super) fn files(name: &str, sdk: &Sdk) -> impl Iterator<Item = (&'static str, String)> {
    let requirement = sdk.requirement();
    FILES
        .into_iter()
        .map(move |(path, text)| (path, text.replace("{{name}}", name).replace("{{sdk}}", &requirement)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_fill_in() {
        for (path, text) in files("shopper", &Sdk::Published) {
            assert!(!text.contains("{{"), "{path}: {text}");
        }
    }
}
