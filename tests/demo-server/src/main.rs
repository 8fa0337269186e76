//! `demo-server`: the server alone, for a terminal or the conformance suite.

use std::io::Write;
use std::process::ExitCode;

use pmcp_loadtest_demo_server::{DemoServer, Script};

const USAGE: &str = "usage: demo-server [--port N] [--script FILE.json|JSON] [--conformance]
  --port N        port on 127.0.0.1 (default 0: a free one)
  --script WHAT   a script as a file or as JSON text
  --conformance   adds what the official conformance suite expects
prints its URL on standard output and runs until it is killed";

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Where standard error is gone there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "{message}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let (port, script) = parse(arguments)?;
    let server = DemoServer::start_on(port, script).map_err(|error| format!("port {port}: {error}"))?;
    writeln!(std::io::stdout(), "{}", server.url()).map_err(|error| error.to_string())?;
    loop {
        std::thread::park();
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<(u16, Script), String> {
    let mut port = 0;
    let mut script = Script::default();
    let mut conformance = false;
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{flag} needs a value"));
        match flag.as_str() {
            "--port" => port = value()?.parse().map_err(|error| format!("--port: {error}"))?,
            "--script" => script = read_script(&value()?)?,
            "--conformance" => conformance = true,
            _ => return Err(format!("unknown argument: {flag}")),
        }
    }
    script.conformance |= conformance;
    Ok((port, script))
}

/// A script from JSON text, which begins with a brace, or from the file of that name.
fn read_script(what: &str) -> Result<Script, String> {
    let text = if what.trim_start().starts_with('{') {
        what.to_owned()
    } else {
        std::fs::read_to_string(what).map_err(|error| format!("{what}: {error}"))?
    };
    serde_json::from_str(&text).map_err(|error| format!("script: {error}"))
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn parsed(line: &str) -> Result<(u16, super::Script), String> {
        parse(line.split(' ').map(str::to_owned))
    }

    #[test]
    fn flags_may_come_in_any_order() {
        let (port, script) = parsed("--conformance --script {\"seed\":7} --port 81").unwrap();
        assert_eq!((port, script.seed, script.conformance), (81, 7, true));
    }

    #[test]
    fn a_wrong_flag_is_named() {
        assert!(parsed("--prot 81").unwrap_err().contains("--prot"));
        assert!(parsed("--port").unwrap_err().contains("--port"));
        assert!(parsed("--script {\"sede\":7}").unwrap_err().contains("sede"));
    }
}
