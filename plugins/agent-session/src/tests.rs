//! The plugin on a made-up server with a search, documents and an item to look at.

use pmcp_loadtest_guest::action::Action;
use pmcp_loadtest_guest::target::ResourceInfo;
use pmcp_loadtest_guest::testing::{Answer, Rehearsal};
use pmcp_loadtest_guest::{Error, Step};
use serde_json::{Value, json};

use super::AgentSession;

fn resource(uri: &str) -> ResourceInfo {
    ResourceInfo { uri: uri.to_owned(), name: uri.to_owned(), description: None, mime_type: None }
}

/// A server whose search finds two documents, named after what was searched for.
fn rehearsal(config: Value) -> Rehearsal<AgentSession> {
    let text = json!({ "type": "string" });
    Rehearsal::new()
        .config(config)
        .tool("search", json!({ "type": "object", "required": ["query"], "properties": { "query": text } }))
        .tool("show_item", json!({ "type": "object", "required": ["id"], "properties": { "id": text } }))
        .tool("delete_item", json!({ "type": "object" }))
        .world(|world| {
            world.tools[2].annotations = json!({ "destructiveHint": true }).to_string();
            world.resources.push(resource("demo://readme"));
            world.resource_templates.push(resource("doc://{id}"));
        })
        .answers(answer)
}

fn answer(step: &Step) -> Answer {
    match step.action() {
        Action::CallTool(call) if call.name == "search" => {
            let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
            let query = arguments["query"].as_str().unwrap();
            let hits = [json!({ "id": format!("{query}-1") }), json!({ "id": format!("{query}-2") })];
            Answer::ok(json!({ "structuredContent": { "hits": hits } }))
        }
        Action::ReadResource(uri) if uri != "demo://readme" && !uri.starts_with("doc://") => {
            Answer::error(-32002, "there is no such resource")
        }
        _ => Answer::ok(json!({ "content": [] })),
    }
}

/// A step in a word or two.
fn in_words(step: &Step) -> String {
    match step.action() {
        Action::CallTool(call) => call.name.clone(),
        Action::ReadResource(uri) => format!("read {uri}"),
        Action::List(_) => "list".to_owned(),
        Action::Think(_) => "think".to_owned(),
        Action::EndSession => "end session".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The steps of each of so many conversations.
fn conversations(rehearsal: &Rehearsal<AgentSession>, count: usize) -> Result<Vec<Vec<String>>, Error> {
    let mut user = rehearsal.open()?;
    (0..count).map(|_| Ok(user.iterate()?.steps().map(in_words).collect())).collect()
}

/// A chain without pauses.
fn chain(states: &Value) -> Value {
    json!({ "start": "a", "states": states, "queries": ["boots"] })
}

#[test]
fn a_conversation_begins_with_a_look_around_and_ends_its_session() -> Result<(), Error> {
    let conversations = conversations(&rehearsal(json!({})), 100)?;
    for conversation in &conversations {
        assert_eq!(conversation[0], "list");
        let ends: Vec<usize> =
            (0..conversation.len()).filter(|at| conversation[*at] == "end session").collect();
        assert_eq!(ends, [conversation.len() - 1], "{conversation:?}");
    }
    let steps: Vec<&String> = conversations.iter().flatten().collect();
    for expected in ["think", "search", "show_item", "read doc://refund%20policy-1"] {
        assert!(steps.iter().any(|step| *step == expected), "{expected} is missing from {steps:?}");
    }
    assert!(!steps.iter().any(|step| *step == "delete_item"));
    Ok(())
}

#[test]
fn a_chain_is_followed_with_its_bursts_and_without_pauses_of_no_length() -> Result<(), Error> {
    let states = json!({
        "a": { "do": "search", "next": { "b": 1, "c": 0 } },
        "b": { "do": "read", "burst": [2, 2], "next": { "c": 1 } },
        "c": { "do": "act" } });
    let [conversation] = &conversations(&rehearsal(chain(&states)), 1)?[..] else {
        panic!("one was asked for")
    };
    let read = |step: &String| step.starts_with("read doc://boots-");
    assert!(read(&conversation[1]) && read(&conversation[2]), "{conversation:?}");
    assert_eq!(
        [&conversation[0], &conversation[3], &conversation[4]],
        ["search", "show_item", "end session"]
    );
    Ok(())
}

#[test]
fn the_pace_stretches_the_pauses() -> Result<(), Error> {
    let states = json!({ "a": { "do": "list-tools", "think": [1, 1] } });
    for (pace, expected) in [(0.0, vec![]), (2.5, vec![2500])] {
        let mut config = chain(&states);
        config["pace"] = json!(pace);
        let conversation = rehearsal(config).open()?.iterate()?;
        let pauses: Vec<u32> = conversation
            .steps()
            .filter_map(|step| match step.action() {
                Action::Think(milliseconds) => Some(*milliseconds),
                _ => None,
            })
            .collect();
        assert_eq!(pauses, expected);
    }
    Ok(())
}

#[test]
fn an_act_is_done_on_what_was_found() -> Result<(), Error> {
    let states = json!({ "a": { "do": "search", "next": { "b": 1 } }, "b": { "do": "act" } });
    let conversation = rehearsal(chain(&states)).open()?.iterate()?;
    let Some(Action::CallTool(call)) = conversation.steps().nth(1).map(Step::action) else {
        panic!("no call")
    };
    let arguments: Value = serde_json::from_str(&call.arguments)?;
    assert!(arguments["id"].as_str().unwrap().starts_with("boots-"), "{arguments}");
    Ok(())
}

#[test]
fn nothing_is_remembered_from_one_conversation_to_the_next() -> Result<(), Error> {
    let states = json!({ "a": { "do": "read", "next": { "b": 1 } }, "b": { "do": "search" } });
    for conversation in conversations(&rehearsal(chain(&states)), 3)? {
        assert_eq!(conversation, ["read demo://readme", "search", "end session"]);
    }
    Ok(())
}

#[test]
fn a_server_that_offers_nothing_is_looked_at_and_left() -> Result<(), Error> {
    let mut user = Rehearsal::<AgentSession>::new().open()?;
    for _ in 0..50 {
        let steps: Vec<String> = user.iterate()?.steps().map(in_words).collect();
        assert!(
            steps.iter().all(|step| ["list", "think", "end session"].contains(&step.as_str())),
            "{steps:?}"
        );
    }
    Ok(())
}

#[test]
fn a_circle_ends_after_the_longest_conversation() -> Result<(), Error> {
    let mut config = chain(&json!({ "a": { "do": "search", "next": { "a": 1 } } }));
    config["longest"] = json!(7);
    assert_eq!(conversations(&rehearsal(config), 1)?[0].len(), 7 + 1);
    Ok(())
}

#[test]
fn the_same_seed_holds_the_same_conversations() -> Result<(), Error> {
    let held = |seed| conversations(&rehearsal(json!({})).seed(seed), 20);
    assert_eq!(held(5)?, held(5)?);
    assert_ne!(held(5)?, held(6)?);
    Ok(())
}

#[test]
fn checks_say_what_a_search_and_a_reading_came_to() -> Result<(), Error> {
    let states = json!({ "a": { "do": "search", "next": { "b": 1 } }, "b": { "do": "read" } });
    let checked = |name: &'static str, answers: fn(&Step) -> Answer| {
        let mut user = rehearsal(chain(&states)).answers(answers).open()?;
        user.iterate()?;
        let findings = user.finish()?;
        assert_eq!(findings.sampled("conversation_requests").collect::<Vec<_>>(), [2.0]);
        Ok::<Vec<bool>, Error>(findings.checked(name).map(|verdict| verdict.is_ok()).collect())
    };
    let empty = |_: &Step| Answer::ok(json!({}));
    let broken = |_: &Step| Answer::timed_out();
    assert_eq!(checked("a search leads somewhere", answer)?, [true]);
    assert_eq!(checked("a search leads somewhere", empty)?, [false]);
    assert_eq!(checked("a search leads somewhere", broken)?, [false; 0]);
    assert_eq!(checked("what was found can be read", answer)?, [true]);
    assert_eq!(checked("what was found can be read", broken)?, [false]);
    Ok(())
}

#[test]
fn a_configuration_that_cannot_be_meant_is_refused() {
    for (config, part) in [
        (json!({ "start": "nowhere" }), "starts in `nowhere`"),
        (json!({ "search_tools": ["nothing"] }), "no tool `nothing`"),
        (json!({ "act_tools": ["nothing"] }), "no tool `nothing`"),
        (json!({ "states": { "tools": { "do": "dance" } } }), "dance"),
        (json!({ "tempo": 1 }), "unknown field"),
    ] {
        let refused = rehearsal(config).open().expect_err(part).to_string();
        assert!(refused.contains(part), "{refused}");
    }
}
