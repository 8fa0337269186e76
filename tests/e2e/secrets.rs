//! What was given in confidence appears nowhere: not in the summary, the progress, the report, nor in an error.

use crate::tool::{ECHO, Ended, Tool, server};

/// Planted in every place where a credential may stand.
const SECRET: &str = "hunter2-s3cret";

fn discreet(ended: &Ended, what: &str) {
    for (place, text) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
        assert!(!text.contains(SECRET), "{what}: {place}\n{text}");
    }
    for file in ended.reports() {
        let text = ended.file(&format!(".pmcp/reports/{file}")).expect("a report");
        assert!(!text.contains(SECRET), "{what}: {file}");
    }
}

#[test]
fn credentials_reach_the_server_and_nobody_else() {
    let server = server(r#"{"latency": [{"delay": {"constant": {"ms": 2}}}]}"#);
    let url = server.url();
    let secret_url = format!("{url}?token={SECRET}");
    let bearer = format!(
        "{ECHO}\n[target]\nauth = {{ bearer_env = \"MY_TOKEN\" }}\nheaders = {{ X-Key = \"{SECRET}\" }}\n"
    );
    for progress in ["plain", "jsonl"] {
        for format in ["text", "json"] {
            let words = |url: &str| {
                format!(
                    "run {url} --iterations 3 --vus 1 --min-samples 1 --progress {progress} --format {format}"
                )
            };
            let flags = Tool::new(&words(&url)).echoing().arg("--api-key").arg(SECRET);
            discreet(&flags.arg("--header").arg(&format!("X-Token: {SECRET}")).end().expect(0), "flags");
            let joined = Tool::new(&words(&url)).echoing().arg(&format!("--api-key={SECRET}"));
            discreet(&joined.arg(&format!("--header=X-Token: {SECRET}")).end().expect(0), "joined flags");
            discreet(
                &Tool::new(&words(&url)).echoing().env("MCP_API_KEY", SECRET).end().expect(0),
                "environment",
            );
            discreet(
                &Tool::new(&words(&url)).config(&bearer).env("MY_TOKEN", SECRET).end().expect(0),
                "bearer_env",
            );
            discreet(&Tool::new(&words(&secret_url)).echoing().end().expect(0), "URL");
        }
    }
}

#[test]
fn errors_keep_credentials_to_themselves() {
    let in_url = Tool::new(&format!("run http://{SECRET}:{SECRET}@127.0.0.1:1/mcp")).echoing();
    discreet(&in_url.end().expect(2), "credentials in the URL");
    let nowhere = format!("http://127.0.0.1:1/mcp?token={SECRET}");
    let tool = Tool::new(&format!("run {nowhere}")).echoing().arg("--api-key").arg(SECRET);
    discreet(&tool.end().expect(4), "unreachable");
    discreet(&Tool::new(&format!("init {nowhere}")).end().expect(4), "init");
    let header = Tool::new("run --demo").arg("--header").arg(&format!("Authorization Bearer {SECRET}"));
    discreet(&header.end().expect(2), "a header that is none");
    let newline = Tool::new("run --demo --api-key").arg(&format!("{SECRET}\nX: y"));
    discreet(&newline.end().expect(2), "a key that cannot be sent");
}

#[test]
fn help_does_not_show_what_the_environment_holds() {
    discreet(&Tool::new("run --help").env("MCP_API_KEY", SECRET).end().expect(0), "help");
}

#[test]
fn the_starter_file_holds_no_credential() {
    let server = server("{}");
    let tool = Tool::new(&format!("init {}?token={SECRET}", server.url())).arg("--api-key").arg(SECRET);
    let ended = tool.end();
    discreet(&ended, "init");
    assert!(!ended.file(".pmcp/loadtest.toml").unwrap_or_default().contains(SECRET));
}
