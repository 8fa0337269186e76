//! `plugin new`: writes the crate of a plugin, which builds and tests as it stands.

use std::path::{Path, PathBuf};

use super::super::print;
use super::guest;
use super::sdk::Sdk;
use super::template::{self, Workspace};
use crate::error::{Error, ExitCode};

/// Write the crate of a new plugin
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What the crate, and so the plugin, is called
    #[arg(value_parser = crate_name)]
    name: String,
    /// The folder of the crate [default: NAME in the current folder]
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

/// Writes the crate.
///
/// # Errors
/// [`ExitCode::Usage`] where there is something already, or nothing can be written.
pub(super) fn new(arguments: &Arguments) -> Result<(), Error> {
    let Arguments { name, path } = arguments;
    let folder = path.clone().unwrap_or_else(|| PathBuf::from(name));
    let sdk = Sdk::at_hand();
    create(&folder)?;
    for (file, text) in template::files(name, &sdk) {
        write(&folder.join(file), &text)?;
    }
    if !is_member(&folder) {
        write(&folder.join("Cargo.toml"), &template::manifest(name, &sdk, Workspace::Own))?;
    }
    print::data(&format!("{}\n", folder.display()));
    print::talk(&format!("it uses {}", sdk.describe()));
    print::talk(&format!("next: cargo pmcp loadtest plugin build {}", folder.display()));
    Ok(())
}

/// Makes the folder, which must be new: nothing is ever overwritten.
fn create(folder: &Path) -> Result<(), Error> {
    if folder.exists() {
        return Err(Error::new(ExitCode::Usage, format!("{} is there already", folder.display()))
            .advise("take another name, or another folder with --path"));
    }
    std::fs::create_dir_all(folder.join("src")).map_err(|error| not_written(folder, error))
}

fn write(file: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(file, text).map_err(|error| not_written(file, error))
}

fn not_written(path: &Path, error: std::io::Error) -> Error {
    Error::new(ExitCode::Usage, format!("cannot write {}", path.display())).because(error)
}

/// Whether a workspace above takes the crate in, by the pattern of its members. A workspace that does not know of it makes cargo refuse it.
fn is_member(folder: &Path) -> bool {
    let root =
        guest::metadata(folder).ok().and_then(|it| Some(PathBuf::from(it["workspace_root"].as_str()?)));
    root.is_some_and(|root| root.canonicalize().ok() != folder.canonicalize().ok())
}

/// Words that cargo or the language keep for themselves.
const RESERVED: &str = " abstract alloc as async await become box break const continue core crate deps do dyn else enum examples extern \
    false final fn for gen if impl in incremental let loop macro match mod move mut override priv proc_macro pub ref return self \
    static std struct super test trait true try type typeof unsafe unsized use virtual where while yield build ";

/// A name that cargo takes for a package.
fn crate_name(text: &str) -> Result<String, String> {
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    if let Some(stray) = text.chars().find(|character| !fits(*character)) {
        return Err(format!(
            "`{stray}` cannot stand in the name of a crate; letters, digits, `-` and `_` can"
        ));
    }
    if !text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err("the name of a crate begins with a letter".to_owned());
    }
    if text.len() > 64 {
        return Err("the name of a crate has at most 64 letters".to_owned());
    }
    let word = format!(" {} ", text.to_ascii_lowercase().replace('-', "_"));
    if RESERVED.contains(&word) {
        return Err(format!("`{text}` means something else to cargo or to Rust"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cargo_takes_are_taken_and_others_are_explained() {
        for name in ["shopper", "my-plugin", "plugin_2", "Shopper"] {
            assert_eq!(crate_name(name), Ok(name.to_owned()));
        }
        for (name, reason) in [
            ("", "begins with a letter"),
            ("2nd", "begins with a letter"),
            ("-x", "begins with a letter"),
            ("a b", "` ` cannot stand"),
            ("../up", "`.` cannot stand"),
            ("müde", "`ü` cannot stand"),
            ("fn", "means something else"),
            ("proc-macro", "means something else"),
            ("test", "means something else"),
        ] {
            assert!(crate_name(name).unwrap_err().contains(reason), "{name}");
        }
        assert!(crate_name(&"a".repeat(65)).unwrap_err().contains("at most 64"));
    }
}
