//! The only place of the command line that writes to the terminal. Standard output is data, standard error is talk; a stream that
//! nobody reads any more is no reason to fail.

use std::io::Write as _;

/// Writes data to standard output.
pub(super) fn data(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Says something on standard error, on lines of its own.
pub(super) fn talk(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Something that a person should know.
pub(super) fn note(text: &str) {
    talk(&format!("note: {text}"));
}

/// Something that went wrong.
pub(super) fn complaint(text: &str) {
    talk(&format!("error: {text}"));
}
