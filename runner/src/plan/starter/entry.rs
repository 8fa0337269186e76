//! One `[[scenario]]` of the file: a tool, a resource or a prompt in a single step.

use std::collections::HashSet;
use std::fmt::Write as _;

use pmcp_loadtest_arguments::{CannotGenerate, Draws, Options, generate_arguments};
use serde_json::{Map, Value, json};

use super::quote::{comment, inline_table, quoted};
use super::weights::Kind;
use crate::plan::discovery::{Prompt, Resource, Tool};

/// A scenario, and what stands against running it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    name: String,
    description: Option<String>,
    /// The step's keys after `type`, in TOML.
    step: String,
    /// Why it is commented out, in sentences; empty where it can be run.
    obstacles: Vec<String>,
}

impl Entry {
    /// Calls the tool with arguments generated from its schema.
    pub(super) fn of_tool(tool: &Tool) -> Self {
        // The same file for the same server: the draws depend on nothing else.
        let arguments = generate_arguments(&tool.input_schema, &mut Draws::new(0, 0, 0), Options::default());
        let mut obstacles = Vec::new();
        let arguments = arguments.unwrap_or_else(|error| {
            obstacles.push(no_arguments(&error));
            Map::new()
        });
        if tool.annotations.warns() {
            obstacles.push("Commented out because the server says that this tool is destructive.".to_owned());
        }
        let step = format!("tool = {}\n{}", quoted(&tool.name), arguments_line(&arguments));
        Self::new(
            Kind::Tool,
            &tool.name,
            tool.description.as_deref().or(tool.title.as_deref()),
            step,
            obstacles,
        )
    }

    /// Reads the resource.
    pub(super) fn of_resource(resource: &Resource) -> Self {
        let name = if resource.name.is_empty() { &resource.uri } else { &resource.name };
        let description = resource.description.as_deref().or(resource.title.as_deref());
        Self::new(Kind::Resource, name, description, format!("uri = {}\n", quoted(&resource.uri)), Vec::new())
    }

    /// Gets the prompt with a text for each argument it requires.
    pub(super) fn of_prompt(prompt: &Prompt) -> Self {
        let required = prompt.arguments.iter().filter(|argument| argument.required);
        let names: Vec<&str> = required.map(|argument| argument.name.as_str()).collect();
        let schema = json!({ "required": names, "additionalProperties": { "type": "string" } });
        let arguments = generate_arguments(&schema, &mut Draws::new(0, 0, 0), Options::default());
        let mut obstacles = Vec::new();
        let arguments = arguments.unwrap_or_else(|error| {
            obstacles.push(no_arguments(&error));
            Map::new()
        });
        let step = format!("prompt = {}\n{}", quoted(&prompt.name), arguments_line(&arguments));
        let description = prompt.description.as_deref().or(prompt.title.as_deref());
        Self::new(Kind::Prompt, &prompt.name, description, step, obstacles)
    }

    fn new(
        kind: Kind,
        name: &str,
        description: Option<&str>,
        step: String,
        mut obstacles: Vec<String>,
    ) -> Self {
        if step.contains("{{") {
            let template =
                "It contains `{{`, which this file reads as a variable. Put in its place what is meant.";
            obstacles.push(template.to_owned());
        }
        let description = description.map(comment).filter(|description| !description.is_empty());
        Self { kind, name: name.to_owned(), description, step, obstacles }
    }

    /// Whether nothing stands against running it.
    pub(super) fn is_ready(&self) -> bool {
        self.obstacles.is_empty()
    }

    /// The scenario in TOML; all of it comments where something stands against running it.
    pub(super) fn render(&self, weight: u32) -> String {
        let method = match self.kind {
            Kind::Tool => "tools/call",
            Kind::Resource => "resources/read",
            Kind::Prompt => "prompts/get",
        };
        let body = format!(
            "\
[[scenario]]
name = {}
weight = {weight}
think_time = \"1s..3s\"
[[scenario.step]]
type = \"{method}\"
{}",
            quoted(&self.name),
            self.step
        );
        let mut text = String::new();
        for remark in self.description.iter().chain(&self.obstacles) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# {remark}");
        }
        let mark = if self.is_ready() { "" } else { "# " };
        for line in body.lines() {
            let _ = writeln!(text, "{mark}{line}");
        }
        text
    }
}

fn no_arguments(error: &CannotGenerate) -> String {
    format!("No arguments were found for it; complete them by hand. {}", comment(&error.to_string()))
}

fn arguments_line(arguments: &Map<String, Value>) -> String {
    let mut left_out = Vec::new();
    let table = inline_table(arguments, &mut left_out);
    let mut text = String::new();
    if !left_out.is_empty() {
        let _ = writeln!(
            text,
            "# Left out, because TOML has no such value, though the server may want it: {}",
            comment(&left_out.join(", "))
        );
    }
    if !arguments.is_empty() {
        let _ = writeln!(text, "arguments = {table}");
    }
    text
}

/// Scenario names must differ, also where a tool and a prompt, or two resources, are called the same.
pub(super) fn make_names_unique(entries: &mut [Entry]) {
    let mut taken: HashSet<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    let mut seen: HashSet<String> = HashSet::new();
    for entry in entries {
        if seen.insert(entry.name.clone()) {
            continue;
        }
        let base = entry.name.clone();
        let mut number = 2_u64;
        while !taken.insert(format!("{base} {number}")) {
            number += 1;
        }
        entry.name = format!("{base} {number}");
    }
}
