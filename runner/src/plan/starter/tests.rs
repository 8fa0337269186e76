//! The file is read back as a run file would be, and shown as a person sees it.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use toml::Table;

use super::starter;
use crate::plan::Revision;
use crate::plan::discovery::{Discovery, Prompt, Resource, ResourceTemplate, ServerInfo, Tool};

const URL: &str = "http://127.0.0.1:3000/mcp";

fn discovery(offers: &Value) -> Discovery {
    Discovery {
        server: ServerInfo::from_json(&offers["server"]),
        revision: Revision::V2025_11_25,
        capabilities: json!({}),
        instructions: None,
        tools: Tool::page(offers).entries,
        resources: Resource::page(offers).entries,
        resource_templates: ResourceTemplate::page(offers).entries,
        prompts: Prompt::page(offers).entries,
    }
}

fn library() -> Discovery {
    discovery(&json!({
        "server": { "name": "library", "version": "1.2.0" },
        "tools": [
            { "name": "search", "description": "Finds books.\nBy title or author.", "inputSchema": { "type": "object",
                "required": ["query"], "properties": { "query": { "type": "string" },
                "limit": { "type": "integer", "default": 5 }, "sort": { "enum": ["title"] } } } },
            { "name": "status" },
            { "name": "burn", "annotations": { "destructiveHint": true }, "inputSchema": { "type": "object",
                "required": ["id"], "properties": { "id": { "type": "integer" } } } },
            { "name": "peek", "annotations": { "destructiveHint": true, "readOnlyHint": true } },
            { "name": "remote", "inputSchema": { "type": "object", "required": ["a"],
                "properties": { "a": { "$ref": "https://example.com/a.json" } } } },
            { "name": "nullable", "inputSchema": { "type": "object", "required": ["a", "b"],
                "properties": { "a": { "type": "null" }, "b": { "const": true } } } },
            { "name": "greet {{who}}" },
        ],
        "resources": [{ "uri": "book://1", "name": "first" }, { "uri": "book://2", "name": "first" }, { "uri": "book://3" }],
        "resourceTemplates": [{ "uriTemplate": "book://{id}", "name": "book", "description": "One book." }],
        "prompts": [{ "name": "search", "description": "Asks.", "arguments": [
            { "name": "topic", "required": true }, { "name": "tone" } ] }],
    }))
}

/// The file as data, and its scenarios.
fn read(text: &str) -> (Table, Vec<Table>) {
    let file: Table = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let scenarios = file.get("scenario").and_then(|list| list.as_array()).cloned().unwrap_or_default();
    (file, scenarios.into_iter().map(|scenario| scenario.as_table().unwrap().clone()).collect())
}

/// The file with every comment mark of a scenario taken away.
fn uncommented(text: &str) -> String {
    let begins = [
        "# [[",
        "# name =",
        "# weight =",
        "# think_time =",
        "# type =",
        "# tool =",
        "# uri =",
        "# prompt =",
        "# arguments =",
        "# method =",
        "# path =",
        "# expect_status =",
        "# duration =",
    ];
    let line = |line: &str| {
        if begins.iter().any(|begin| line.starts_with(begin)) {
            line[2..].to_owned()
        } else {
            line.to_owned()
        }
    };
    text.lines().map(line).collect::<Vec<String>>().join("\n")
}

#[test]
fn a_discovered_server_gets_a_scenario_for_everything_it_offers() {
    insta::assert_snapshot!(starter(Some(URL), Some(&library())));
}

#[test]
fn without_a_url_the_file_explains_itself_by_examples() {
    insta::assert_snapshot!(starter(None, None));
}

#[test]
fn a_server_that_offers_nothing_is_pinged() {
    let text = starter(Some(URL), Some(&discovery(&json!({}))));
    assert!(text.contains("offers no tools"));
    let (_, scenarios) = read(&text);
    assert_eq!(scenarios[0]["step"][0]["type"].as_str(), Some("ping"));
}

#[test]
fn a_file_with_everything_commented_out_says_what_to_do() {
    let tools = json!({ "tools": [{ "name": "drop", "annotations": { "destructiveHint": true } }] });
    let text = starter(Some(URL), Some(&discovery(&tools)));
    assert!(text.contains("TO DO: every scenario below is commented out"), "{text}");
    assert!(text.contains("destructive"));
    assert!(read(&text).1.is_empty());
    assert_eq!(read(&uncommented(&text)).1.len(), 1);
}

#[test]
fn every_file_is_toml_with_and_without_its_comment_marks() {
    let empty = discovery(&json!({}));
    for url in [None, Some(URL)] {
        for discovery in [None, Some(&library()), Some(&empty)] {
            let text = starter(url, discovery);
            let (file, scenarios) = read(&text);
            assert_eq!(file["load"]["vus"].as_integer(), Some(10));
            assert_eq!(file["load"]["duration"].as_str(), Some("30s"));
            assert_eq!(file["target"].get("url").and_then(toml::Value::as_str), url);
            assert!(!scenarios.is_empty());
            read(&uncommented(&text));
        }
    }
}

#[test]
fn weights_are_above_zero_for_hundreds_of_tools() {
    let tools: Vec<Value> = (0..150).map(|index| json!({ "name": format!("tool{index}") })).collect();
    let offers = json!({ "tools": tools, "resources": [{ "uri": "a://b" }] });
    let (_, scenarios) = read(&starter(Some(URL), Some(&discovery(&offers))));
    let weights: Vec<i64> =
        scenarios.iter().map(|scenario| scenario["weight"].as_integer().unwrap()).collect();
    assert_eq!(weights.len(), 151);
    assert!(weights.iter().all(|weight| *weight >= 1));
    assert_eq!((weights[..150].iter().sum::<i64>(), weights[150]), (210, 60));
}

/// Text as a careless or hostile server might send it.
fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        vec(any::<char>(), 0..12).prop_map(String::from_iter),
        "[\"'\\\\\n\r\t#=\\[\\]{}.\u{0}\u{7f}\u{202e}a]{1,12}",
        Just("\"\"\"\n[[scenario]]\nname = \"x\"".to_owned()),
        Just("a\n[load]\nvus = 1000000".to_owned()),
        Just("\u{1b}]0;title\u{7}".to_owned()),
    ]
}

proptest! {
    #[test]
    fn whatever_a_server_sends_stays_data(
        tools in vec((nasty(), nasty(), nasty(), any::<bool>()), 0..6),
        uris in vec((nasty(), nasty()), 0..4),
        prompts in vec((nasty(), nasty()), 0..4),
        url in nasty(),
    ) {
        let offers = json!({
            "server": { "name": url, "version": url },
            "tools": tools.iter().map(|(name, description, field, destructive)| json!({
                "name": name, "description": description, "annotations": { "destructiveHint": destructive },
                "inputSchema": { "type": "object", "required": [field, "n"], "properties": {
                    field: { "const": { field: description } }, "n": { "type": ["null"] }, "r": { "$ref": description } } } })).collect::<Vec<Value>>(),
            "resources": uris.iter().map(|(uri, name)| json!({ "uri": uri, "name": name })).collect::<Vec<Value>>(),
            "resourceTemplates": uris.iter().map(|(uri, name)| json!({ "uriTemplate": uri, "description": name })).collect::<Vec<Value>>(),
            "prompts": prompts.iter().map(|(name, argument)| json!({
                "name": name, "arguments": [{ "name": argument, "required": true }] })).collect::<Vec<Value>>(),
        });
        let offered = discovery(&offers);
        let text = starter(Some(&url), Some(&offered));
        prop_assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'));
        let (file, scenarios) = read(&text);
        prop_assert_eq!(file["target"]["url"].as_str(), Some(url.as_str()));
        prop_assert_eq!(file["load"]["vus"].as_integer(), Some(10));
        let known = ["target", "settings", "load", "scenario"];
        prop_assert!(file.keys().all(|key| known.contains(&key.as_str())), "{}", text);

        let names: std::collections::HashSet<&str> =
            scenarios.iter().filter_map(|scenario| scenario["name"].as_str()).collect();
        prop_assert_eq!(names.len(), scenarios.len(), "names differ");
        let called: Vec<&str> = scenarios.iter().filter_map(|scenario| scenario["step"][0].get("tool")?.as_str()).collect();
        let expected: Vec<&str> = offered.tools.iter()
            .filter(|tool| !tool.annotations.warns() && !tool.name.contains("{{"))
            .map(|tool| tool.name.as_str()).collect();
        // The generator may decline some; it invents none, and keeps the order.
        let mut rest = expected.iter();
        prop_assert!(called.iter().all(|name| rest.any(|expected| expected == name)), "{:?} {:?}", called, expected);
    }
}
