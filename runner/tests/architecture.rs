//! The house keeps its own rules: who may look at whom, what the pure rooms may not name, how long a file may be.
//!
//! `docs/architecture.md` draws what is enforced here. The checks read the sources as text and are functions of that text, so
//! that each is shown to fail on a made-up file before it is believed about the real ones.

use std::fs;
use std::path::{Path, PathBuf};

/// Every room of `runner/src`, and the rooms it may look into beside itself. Imports only go down.
const MAY_LOOK_INTO: [(&str, &[&str]); 7] = [
    ("cli", &["live", "report", "drive", "judge", "plan", "error"]),
    ("live", &["report", "drive", "judge", "plan", "error"]),
    ("report", &["judge", "plan", "error"]),
    ("drive", &["judge", "plan", "error"]),
    ("judge", &["plan", "error"]),
    ("plan", &["error"]),
    ("error", &[]),
];

/// The rooms that are functions of their arguments; `arguments` is the package beside the guest SDK.
const PURE: [&str; 4] = ["plan", "judge", "report", "arguments"];
/// What a pure room may not name anywhere, tests included: who waits, and who tells the time.
const IMPURE: [&str; 8] = [
    "tokio",
    "wasmtime",
    "reqwest::*",
    "Instant",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "thread::sleep",
];
/// What it may not name outside its tests, which read their golden files: who reads and writes.
const INPUT_AND_OUTPUT: [&str; 6] =
    ["std::fs", "std::process", "env::var*", "TcpStream", "UdpSocket", "std::io::std*"];

/// The hard limit of lines per source file.
const LONGEST_FILE: usize = 600;

/// A source file of a room, its path relative to `runner/src`.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.to_owned() }
    }

    /// The room, which is the first folder or the file beside them.
    fn room(&self) -> String {
        let first = self.path.iter().next().unwrap_or_default();
        Path::new(first).file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// How many `super` it takes from the file's top level to the crate's root.
    fn depth(&self) -> usize {
        let introduces = self.path.file_stem().is_some_and(|stem| stem == "mod");
        self.path.iter().count() - usize::from(introduces)
    }

    fn is_test(&self) -> bool {
        self.path.iter().any(|part| part == "tests" || part == "tests.rs" || part == "fixtures.rs")
    }

    /// The text without comments.
    fn code(&self) -> String {
        let lines = self.text.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
        lines.map(|line| line.split(" // ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
    }

    /// The text without comments and without the tests at its end.
    fn tested_code(&self) -> String {
        let code = self.code();
        code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
    }
}

/// Looks into rooms that the table does not allow.
fn forbidden_edges(source: &Source) -> Vec<String> {
    let room = source.room();
    let Some((_, allowed)) = MAY_LOOK_INTO.iter().find(|(name, _)| *name == room) else { return Vec::new() };
    let rooms = MAY_LOOK_INTO.map(|(name, _)| name);
    let seen = looks_into(&source.code(), source.depth());
    let forbidden = seen
        .into_iter()
        .filter(|seen| rooms.contains(&seen.as_str()) && *seen != room && !allowed.contains(&seen.as_str()));
    forbidden.map(|seen| format!("{}: {room} looks into {seen}", source.path.display())).collect()
}

/// The names that stand at the crate's root wherever a path begins there, by `crate` or by enough `super`.
fn looks_into(code: &str, depth: usize) -> Vec<String> {
    let from_root = code.match_indices("crate::").map(|(at, path)| &code[at + path.len()..]);
    let climbing = "super::".repeat(depth);
    let climbed = code.match_indices(&climbing).map(|(at, path)| &code[at + path.len()..]);
    from_root.chain(climbed).flat_map(first_names).collect()
}

/// The first name of a path, or of each path of a group `{a::b, c}`.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut names = Vec::new();
    let (mut nesting, mut from) = (0, 0);
    for (at, character) in group.char_indices() {
        match character {
            '{' => nesting += 1,
            '}' if nesting > 0 => nesting -= 1,
            ',' | '}' if nesting == 0 => {
                names.push(name(&group[from..at]));
                from = at + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

/// Names that a pure room may not know.
fn impurities(source: &Source) -> Vec<String> {
    if !PURE.contains(&source.room().as_str()) {
        return Vec::new();
    }
    let anywhere = IMPURE.iter().filter(|word| names(&source.code(), word));
    let outside_tests =
        INPUT_AND_OUTPUT.iter().filter(|word| !source.is_test() && names(&source.tested_code(), word));
    anywhere.chain(outside_tests).map(|word| format!("{} names {word}", source.path.display())).collect()
}

/// Whether `word` stands in the code as a name of its own, or as the beginning of one where it ends in `*`.
fn names(code: &str, word: &str) -> bool {
    let belongs = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let (word, beginning) = word.strip_suffix('*').map_or((word, false), |word| (word, true));
    code.match_indices(word).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + word.len()..]);
        !belongs(before.chars().next_back()) && (beginning || !belongs(after.chars().next()))
    })
}

/// A file that nobody writes is as long as it is.
fn too_long(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    let generated = source.text.starts_with("// Generated by");
    (lines > LONGEST_FILE && !generated)
        .then(|| format!("{} has {lines} lines; {LONGEST_FILE} are the limit", source.path.display()))
}

/// The Rust sources below `folder`, with paths relative to it.
fn sources(folder: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder of the repository can be read") {
            let path = entry.expect("an entry of it too").path();
            let built_or_fetched =
                path.ends_with("target") || path.ends_with("node_modules") || path.ends_with(".work");
            if path.is_dir() && !built_or_fetched {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source is text");
                found.push(Source { path: path.strip_prefix(folder).unwrap_or(&path).to_owned(), text });
            }
        }
    }
    found
}

fn runner() -> Vec<Source> {
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

/// The package that makes up arguments, as one more room.
fn arguments() -> Vec<Source> {
    let mut sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-sdk/arguments/src"));
    assert!(!sources.is_empty(), "the package has moved");
    for source in &mut sources {
        source.path = Path::new("arguments").join(&source.path);
    }
    sources
}

fn nothing(violations: impl IntoIterator<Item = String>) {
    let violations: Vec<String> = violations.into_iter().collect();
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn imports_only_go_down() {
    nothing(runner().iter().flat_map(forbidden_edges));
}

#[test]
fn the_pure_rooms_name_neither_a_clock_nor_a_runtime_nor_files() {
    nothing(runner().iter().chain(&arguments()).flat_map(impurities));
}

#[test]
fn every_room_has_its_place_in_the_table() {
    let known = MAY_LOOK_INTO.map(|(name, _)| name.to_owned());
    let rooms = runner().iter().map(Source::room).collect::<std::collections::BTreeSet<_>>();
    let edges = ["lib", "main", "bin"];
    nothing(rooms.into_iter().filter(|room| !known.contains(room) && !edges.contains(&room.as_str())));
}

#[test]
fn no_file_is_longer_than_its_limit() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let all: Vec<Source> = ["runner", "guest-sdk", "plugins", "tests"]
        .iter()
        .flat_map(|f| sources(&workspace.join(f)))
        .collect();
    assert!(all.len() > 100, "only {} sources were found", all.len());
    nothing(all.iter().filter_map(too_long));
}

#[test]
fn an_import_that_goes_up_is_found_however_it_is_written() {
    let written = [
        "use crate::report::Report;",
        "use crate::{judge::Sample, report};",
        "use crate::{\n    judge::{Books, Delta},\n    report::Report,\n};",
        "fn f() { crate::report::text::draw() }",
        "use super::super::report::Report;",
        "pub(in crate::report) struct S;",
    ];
    for text in written {
        let found = forbidden_edges(&Source::new("drive/vu.rs", text));
        assert_eq!(found, ["drive/vu.rs: drive looks into report"], "{text}");
    }
    assert_eq!(forbidden_edges(&Source::new("drive/mod.rs", "use super::live::Console;")).len(), 1);
    assert_eq!(forbidden_edges(&Source::new("plan/mod.rs", "use crate::judge::Sample;")).len(), 1);
    assert_eq!(forbidden_edges(&Source::new("error.rs", "use crate::cli;")).len(), 1);
}

#[test]
fn what_goes_down_or_stays_in_its_room_is_left_alone() {
    let fine = [
        ("drive/vu.rs", "use crate::judge::{Books, report};"),
        ("drive/vu.rs", "// use crate::report::Report;"),
        ("drive/vu.rs", "//! see [`crate::report`]"),
        ("cli/run.rs", "use super::report::Format;"),
        ("live/line.rs", "use crate::report::TextStyle;"),
        ("judge/validity.rs", "use crate::plan::Plan;"),
        ("lib.rs", "pub use crate::report::Report;"),
    ];
    for (path, text) in fine {
        assert_eq!(forbidden_edges(&Source::new(path, text)), [""; 0], "{path}: {text}");
    }
}

#[test]
fn a_clock_a_runtime_or_a_file_in_a_pure_room_is_found() {
    let written = [
        ("plan/mod.rs", "use std::time::Instant;"),
        ("judge/sample.rs", "let at = std::time::SystemTime::now();"),
        ("judge/sample.rs", "let at = jiff::Timestamp::now();"),
        ("report/json.rs", "use tokio::sync::watch;"),
        ("plan/tests.rs", "#[tokio::test]"),
        ("report/json.rs", "let text = std::fs::read_to_string(path);"),
        ("plan/config/mod.rs", "let key = std::env::var_os(\"KEY\");"),
        ("report/text.rs", "use std::io::stdout;"),
        ("plan/config/mod.rs", "let client = reqwest::Client::new();"),
    ];
    for (path, text) in written {
        assert_eq!(impurities(&Source::new(path, text)).len(), 1, "{path}: {text}");
    }
}

#[test]
fn words_that_only_resemble_an_impurity_are_left_alone() {
    let fine = [
        ("drive/clock.rs", "use tokio::time::Instant;"),
        ("judge/sample.rs", "//! pure: no clock, no tokio"),
        ("judge/sample.rs", "struct Instantly; // as an Instant would"),
        ("plan/config/tests/schema.rs", "let text = std::fs::read_to_string(path);"),
        ("plan/config/mod.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}"),
        ("plan/settings.rs", "Self::Reqwest => \"reqwest\","),
        ("report/manifest.rs", "os: std::env::consts::OS.to_owned(),"),
    ];
    for (path, text) in fine {
        assert_eq!(impurities(&Source::new(path, text)), [""; 0], "{path}: {text}");
    }
}

#[test]
fn a_file_of_one_line_too_many_is_found() {
    let lines = |count| Source::new("plan/mod.rs", &"\n".repeat(count));
    assert_eq!(too_long(&lines(LONGEST_FILE)), None);
    assert!(too_long(&lines(LONGEST_FILE + 1)).is_some());
    let generated = format!("// Generated by a program{}", "\n".repeat(LONGEST_FILE + 1));
    assert_eq!(too_long(&Source::new("bindings.rs", &generated)), None);
}

#[test]
fn the_map_names_only_files_that_exist() {
    let runner = Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = fs::read_to_string(runner.join("../docs/architecture.md")).unwrap();
    let named: Vec<&str> = map.split('`').skip(1).step_by(2).filter(|name| is_source(name)).collect();
    assert!(named.len() > 50, "only {} files are named", named.len());
    let exists = |name: &str| runner.join("src").join(name).exists() || runner.join("..").join(name).exists();
    nothing(named.iter().filter(|name| !exists(name)).map(|name| format!("there is no {name}")));
}

/// Whether a quotation on the map is a source file or a folder.
fn is_source(name: &str) -> bool {
    let is_rust = Path::new(name).extension().is_some_and(|extension| extension == "rs");
    !name.contains(char::is_whitespace) && (name.ends_with('/') || name.contains('/') && is_rust)
}
