//! The plugin on made-up servers: one that checks, one that does not, one that breaks.

use pmcp_loadtest_arguments::Boundary;
use pmcp_loadtest_guest::action::Action;
use pmcp_loadtest_guest::testing::{Answer, Rehearsal};
use pmcp_loadtest_guest::{Error, Findings, Status, Step};
use serde_json::{Value, json};

use super::Mutator;

fn schema() -> Value {
    json!({ "type": "object", "required": ["query"], "properties": {
        "query": { "type": "string", "minLength": 1 }, "limit": { "type": "integer", "minimum": 1, "maximum": 50 } } })
}

/// What was found after so many iterations against a server that answers like this.
fn findings(answers: impl FnMut(&Step) -> Answer + 'static) -> Result<Findings, Error> {
    let mut user = Rehearsal::<Mutator>::new().tool("search", schema()).answers(answers).open()?;
    for _ in 0..200 {
        user.iterate()?;
    }
    user.finish()
}

fn arguments(step: &Step) -> Value {
    let Action::CallTool(call) = step.action() else { panic!("{step:?} calls no tool") };
    serde_json::from_str(&call.arguments).unwrap()
}

#[test]
fn a_server_that_checks_its_schema_passes_every_check() -> Result<(), Error> {
    let findings = findings(|step| match Boundary::of(&schema()).unwrap().allows(&arguments(step)) {
        Some(true) => Answer::ok(json!({ "content": [] })),
        _ => Answer::tool_error("invalid arguments"),
    })?;
    for name in ["wrong-type", "missing-required", "below-minimum", "above-maximum", "too-short", "null"] {
        let verdicts: Vec<_> = findings.checked(&format!("{name} is refused")).collect();
        assert!(!verdicts.is_empty() && verdicts.iter().all(Result::is_ok), "{name}: {verdicts:?}");
    }
    assert!(findings.checked("huge-text does no harm").all(|verdict| verdict.is_ok()));
    Ok(())
}

#[test]
fn a_server_that_accepts_anything_is_told_what_it_accepted() -> Result<(), Error> {
    let findings = findings(|_| Answer::ok(json!({ "content": [] })))?;
    let said =
        findings.checked("missing-required is refused").next().unwrap().unwrap_err().unwrap().to_owned();
    assert!(said.starts_with("search: accepted {") && said.ends_with("at `/query`"), "{said}");
    assert!(findings.checked("huge-text does no harm").all(|verdict| verdict.is_ok()));
    Ok(())
}

#[test]
fn a_server_that_breaks_on_size_fails_that_check_alone() -> Result<(), Error> {
    let findings = findings(|step| match arguments(step).to_string().len() {
        0..1000 => Answer::error(-32602, "invalid arguments"),
        _ => Answer::failed(Status::Http(500)),
    })?;
    let said = findings.checked("huge-text does no harm").next().unwrap().unwrap_err().unwrap().to_owned();
    assert_eq!(said, "search: HTTP status 500 at `/query`");
    assert!(findings.checked("wrong-type is refused").all(|verdict| verdict.is_ok()));
    Ok(())
}

#[test]
fn only_the_mutations_that_are_asked_for_are_made() -> Result<(), Error> {
    let rehearsal = Rehearsal::<Mutator>::new().tool("search", schema());
    let mut user = rehearsal.config(json!({ "mutations": ["missing-required"] })).open()?;
    for _ in 0..20 {
        assert!(user.iterate()?.steps().all(|step| arguments(step).get("query").is_none()));
    }
    Ok(())
}

#[test]
fn a_configuration_that_cannot_be_meant_is_refused() {
    for (config, part) in [
        (json!({ "mutations": ["worng-type"] }), "no mutation `worng-type`"),
        (json!({ "tools": ["nothing"] }), "no tool `nothing`"),
        (json!({ "huge": 1 }), "unknown field"),
    ] {
        let refused = Rehearsal::<Mutator>::new().tool("search", schema()).config(config).open();
        assert!(refused.expect_err(part).to_string().contains(part));
    }
    assert!(
        Rehearsal::<Mutator>::new().open().expect_err("no tool").to_string().contains("no tool to mutate")
    );
}

#[test]
fn a_destructive_tool_is_left_alone_unless_it_is_named() {
    let rehearsal = || {
        let destructive = |world: &mut pmcp_loadtest_guest::testing::World| {
            world.tools[0].annotations = json!({ "destructiveHint": true }).to_string();
        };
        Rehearsal::<Mutator>::new().tool("delete", schema()).world(destructive)
    };
    assert!(rehearsal().open().is_err());
    assert!(rehearsal().config(json!({ "tools": ["delete"] })).open().is_ok());
}
