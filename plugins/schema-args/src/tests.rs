//! The plugin on a made-up target.

use std::collections::{BTreeMap, BTreeSet};

use pmcp_loadtest_guest::Error;
use pmcp_loadtest_guest::action::Action;
use pmcp_loadtest_guest::testing::Rehearsal;
use serde_json::{Value, json};

use super::SchemaArgs;

/// A target with a search, an addition, and a tool that says it destroys.
fn rehearsal(config: Value) -> Rehearsal<SchemaArgs> {
    Rehearsal::new()
        .config(config)
        .tool("search", json!({ "type": "object", "required": ["query"], "properties": {
            "query": { "type": "string", "minLength": 1 }, "limit": { "type": "integer", "minimum": 1, "maximum": 50 } } }))
        .tool("add", json!({ "type": "object", "required": ["a", "b"], "properties": {
            "a": { "type": "number" }, "b": { "type": "number" } } }))
        .tool("delete", json!({ "type": "object" }))
        .world(|world| world.tools[2].annotations = json!({ "destructiveHint": true }).to_string())
}

/// The calls of `iterations` iterations.
fn calls(rehearsal: &Rehearsal<SchemaArgs>, iterations: usize) -> Result<Vec<(String, Value)>, Error> {
    let mut user = rehearsal.open()?;
    let mut calls = Vec::new();
    for _ in 0..iterations {
        for step in user.iterate()?.steps() {
            let Action::CallTool(call) = step.action() else { continue };
            calls.push((call.name.clone(), serde_json::from_str(&call.arguments)?));
        }
    }
    Ok(calls)
}

fn by_tool(calls: &[(String, Value)]) -> BTreeMap<&str, usize> {
    calls.iter().fold(BTreeMap::new(), |mut counts, (tool, _)| {
        *counts.entry(tool.as_str()).or_default() += 1;
        counts
    })
}

#[test]
fn every_tool_is_called_save_the_destructive_one() -> Result<(), Error> {
    let calls = calls(&rehearsal(json!({})), 200)?;
    assert_eq!(by_tool(&calls).into_keys().collect::<Vec<_>>(), ["add", "search"]);
    assert!(calls.iter().all(|(tool, arguments)| tool != "search" || arguments["query"].is_string()));
    assert!(calls.iter().all(|(tool, arguments)| tool != "add" || arguments["a"].is_number()));
    Ok(())
}

#[test]
fn a_tool_that_is_named_is_called_even_where_it_destroys() -> Result<(), Error> {
    let calls = calls(&rehearsal(json!({ "tools": ["delete"] })), 3)?;
    assert_eq!(by_tool(&calls), BTreeMap::from([("delete", 3)]));
    Ok(())
}

#[test]
fn weights_decide_how_often() -> Result<(), Error> {
    let calls = calls(&rehearsal(json!({ "weights": { "search": 9 } })), 1000)?;
    assert!((850..950).contains(&by_tool(&calls)["search"]), "{:?}", by_tool(&calls));
    Ok(())
}

#[test]
fn all_virtual_users_share_as_many_argument_sets_as_the_cardinality_says() -> Result<(), Error> {
    let rehearsal = rehearsal(json!({ "tools": ["search"], "cardinality": 5 }));
    let mut sets = BTreeSet::new();
    for user in 0..4 {
        let mut user = rehearsal.open_user(user)?;
        for _ in 0..50 {
            sets.extend(user.iterate()?.steps().map(|step| format!("{:?}", step.action())));
        }
    }
    assert_eq!(sets.len(), 5);
    Ok(())
}

#[test]
fn the_same_seed_makes_the_same_calls() -> Result<(), Error> {
    let config = json!({ "boundary_share": 0.2 });
    assert_eq!(
        calls(&rehearsal(config.clone()).seed(3), 50)?,
        calls(&rehearsal(config.clone()).seed(3), 50)?
    );
    assert_ne!(calls(&rehearsal(config.clone()).seed(3), 50)?, calls(&rehearsal(config).seed(4), 50)?);
    Ok(())
}

#[test]
fn a_configuration_that_cannot_be_meant_is_refused() {
    for (config, part) in [
        (json!({ "tools": ["nothing"] }), "no tool `nothing`"),
        (json!({ "weights": { "serach": 2 } }), "`serach`"),
        (json!({ "weights": { "search": 0, "add": 0 } }), "no tool to call"),
        (json!({ "weight": {} }), "unknown field"),
        (json!({ "optional": "maybe" }), "maybe"),
    ] {
        let refused = rehearsal(config).open().expect_err(part).to_string();
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn a_tool_without_possible_arguments_is_left_out_with_a_warning() -> Result<(), Error> {
    let impossible = json!({ "type": "object", "required": ["a"], "properties": { "a": false } });
    let mut user = rehearsal(json!({})).tool("impossible", impossible).open()?;
    user.iterate()?;
    assert!(user.log()[0].1.starts_with("`impossible` is left out"), "{:?}", user.log());
    Ok(())
}
