//! Runs the real binary, in a folder of its own, and reads what it leaves behind.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pmcp_loadtest_demo_server::{DemoServer, Script};
use serde_json::Value;
use tempfile::TempDir;

/// A run that has not ended by then hangs: many times what the longest test takes on a busy machine.
const HANGS: Duration = Duration::from_secs(90);

/// The same where a compiler runs.
const COMPILES: Duration = Duration::from_mins(10);

/// Where the crates of tests are built: one folder for all tests and all times they run.
pub(crate) const GUESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/guests");

/// The shortest configuration: one scenario that calls one tool.
pub(crate) const ECHO: &str = r#"
[[scenario]]
type = "tools/call"
tool = "echo"
arguments = { message = "hello" }
"#;

/// One call of `cargo pmcp loadtest`, in an empty folder.
pub(crate) struct Tool {
    folder: TempDir,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// What starts the binary, if it is not started directly.
    starter: Vec<String>,
    /// Beyond that it hangs.
    longest: Duration,
}

/// A call under way.
pub(crate) struct Running {
    child: Child,
    folder: TempDir,
    longest: Duration,
    stdout: JoinHandle<String>,
    /// The lines of standard error, as they come.
    stderr: Receiver<String>,
    said: String,
}

/// What a call came to.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    folder: TempDir,
}

/// A demo server that behaves by the JSON of a script.
pub(crate) fn server(script: &str) -> DemoServer {
    let script: Script = serde_json::from_str(script).expect("a script of the demo server");
    DemoServer::start(script).expect("a loopback port")
}

/// Waits until a condition holds, looking again every millisecond: the demo server's books cannot wake anybody.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let mut patient = patience(HANGS);
    while !holds() {
        assert!(patient(), "{what} never came true");
    }
}

/// Lets real time pass, where what it does to the process under test is the matter.
pub(crate) fn let_pass(time: Duration) {
    let mut patient = patience(time);
    while patient() {}
}

/// Waits for a moment at each call; says whether there is still hope.
#[expect(clippy::disallowed_methods, reason = "the process under test lives in real time")]
fn patience(longest: Duration) -> impl FnMut() -> bool {
    let begun = Instant::now();
    move || {
        std::thread::park_timeout(Duration::from_millis(1));
        begun.elapsed() < longest
    }
}

/// The number at a JSON pointer of a report.
pub(crate) fn number(report: &Value, pointer: &str) -> u64 {
    let found = report.pointer(pointer).and_then(Value::as_u64);
    found.unwrap_or_else(|| panic!("no number at {pointer}; totals: {:#}", report["totals"]["failures"]))
}

/// The text at a JSON pointer of a report.
pub(crate) fn text<'a>(report: &'a Value, pointer: &str) -> &'a str {
    let found = report.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer}"))
}

impl Tool {
    /// `cargo pmcp loadtest` with these words.
    pub(crate) fn new(words: &str) -> Self {
        let arguments = words.split_whitespace().map(str::to_owned).collect();
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, arguments, environment: Vec::new(), starter: Vec::new(), longest: HANGS }
    }

    /// `run` against a server, with a report and without progress; a few calls are enough.
    pub(crate) fn run(server: &DemoServer, words: &str) -> Self {
        Self::new(&format!("run {} --progress none --color never --min-samples 1 {words}", server.url()))
    }

    /// Gives a compiler the time that it takes.
    pub(crate) fn compiling(mut self) -> Self {
        self.longest = COMPILES;
        self.env("CARGO_TARGET_DIR", GUESTS)
    }

    /// One more argument, which may hold spaces.
    pub(crate) fn arg(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Lets another program start it, which gets the binary and its arguments as its last ones.
    #[cfg(unix)]
    pub(crate) fn started_by(mut self, words: &[&str]) -> Self {
        self.starter = words.iter().map(|&word| word.to_owned()).collect();
        self
    }

    pub(crate) fn env(mut self, key: &str, value: &str) -> Self {
        self.environment.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Puts a file into the folder first.
    pub(crate) fn with_file(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
        self
    }

    /// Puts a program into the folder `bin` first.
    #[cfg(unix)]
    pub(crate) fn with_program(self, name: &str, text: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;

        let tool = self.with_file(&format!("bin/{name}"), text);
        let program = tool.folder().join("bin").join(name);
        std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).expect("an executable");
        tool
    }

    /// A configuration where the tool looks for it.
    pub(crate) fn config(self, text: &str) -> Self {
        self.with_file(".pmcp/loadtest.toml", text)
    }

    /// The configuration that calls `echo` and nothing else.
    pub(crate) fn echoing(self) -> Self {
        self.config(ECHO)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The call, not yet started: standard streams are pipes, and no variable of the tool's own is inherited.
    pub(crate) fn command(&self) -> Command {
        let binary = env!("CARGO_BIN_EXE_cargo-pmcp");
        let mut command = match self.starter.split_first() {
            Some((program, words)) => {
                let mut command = Command::new(program);
                command.args(words).arg(binary);
                command
            }
            None => Command::new(binary),
        };
        command.args(["pmcp", "loadtest"]).args(&self.arguments).current_dir(self.folder.path());
        for (key, _) in std::env::vars_os() {
            let name = key.to_string_lossy();
            let colour = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"].contains(&name.as_ref());
            if name.starts_with("MCP_") || colour {
                command.env_remove(&key);
            }
        }
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it.
    pub(crate) fn start(self) -> Running {
        let child = self.command().spawn().expect("the binary starts");
        Running::new(child, self.folder, self.longest)
    }

    /// Starts it, and closes standard output or standard error at its other end.
    pub(crate) fn start_without(self, stdout: bool, stderr: bool) -> Running {
        let mut child = self.command().spawn().expect("the binary starts");
        if stdout {
            child.stdout.take();
        }
        if stderr {
            child.stderr.take();
        }
        Running::new(child, self.folder, self.longest)
    }

    /// Runs it to its end.
    pub(crate) fn end(self) -> Ended {
        self.start().end()
    }
}

impl Running {
    fn new(mut child: Child, folder: TempDir, longest: Duration) -> Self {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (lines, said) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr
                .into_iter()
                .flat_map(|stderr| BufReader::new(stderr).split(b'\n'))
                .map_while(Result::ok)
            {
                if lines.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        let stdout = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut stdout) = stdout {
                stdout.read_to_end(&mut bytes).expect("a readable pipe");
            }
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Self { child, folder, longest, stdout, stderr: said, said: String::new() }
    }

    /// Waits for a line of standard error that holds these words.
    pub(crate) fn says(&mut self, words: &str) {
        while !self.said.contains(words) {
            let Ok(line) = self.stderr.recv_timeout(HANGS) else {
                panic!(
                    "`{words}` was never said, but
{}",
                    self.said
                )
            };
            self.said.extend([
                line.as_str(),
                "
",
            ]);
        }
    }

    /// Sends it a signal.
    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().try_into().expect("a process id"));
        nix::sys::signal::kill(pid, signal).expect("a running process");
    }

    /// Waits for its end; what hangs is killed and fails the test.
    pub(crate) fn end(mut self) -> Ended {
        let mut patient = patience(self.longest);
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            if !patient() {
                self.child.kill().expect("a child that can be killed");
                panic!(
                    "it hangs; it said\n{}{}",
                    self.said,
                    self.stderr.iter().collect::<Vec<_>>().join("\n")
                );
            }
        };
        for line in &self.stderr {
            self.said.extend([line.as_str(), "\n"]);
        }
        Ended {
            code: status.code(),
            stdout: self.stdout.join().expect("a readable pipe"),
            stderr: self.said,
            folder: self.folder,
        }
    }
}

impl Ended {
    /// Insists on an exit code; shows what was printed where it is another.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Insists on a run that came to its own end and was judged, whatever came of it: on a busy machine, the generator's own limits
    /// may make any run inconclusive.
    pub(crate) fn judged(self) -> Self {
        let code = self.code;
        assert!(
            matches!(code, Some(0 | 91 | 99)),
            "{code:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// The JSON report that was written.
    pub(crate) fn report(&self) -> Value {
        let files = self.reports();
        let file = files.last().expect("a report");
        serde_json::from_str(&self.file(&format!(".pmcp/reports/{file}")).expect("readable")).expect("JSON")
    }

    /// The names of the files in the folder of reports.
    pub(crate) fn reports(&self) -> Vec<String> {
        let folder = std::fs::read_dir(self.folder.path().join(".pmcp/reports"));
        let files = folder.into_iter().flatten().flatten();
        let mut files: Vec<_> = files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
        files.sort();
        files
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the folder.
    pub(crate) fn file(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join(name)).ok()
    }

    /// Another call in the same folder.
    pub(crate) fn then(self, words: &str) -> Tool {
        let arguments = words.split_whitespace().map(str::to_owned).collect();
        Tool { folder: self.folder, arguments, environment: Vec::new(), starter: Vec::new(), longest: HANGS }
    }
}
