//! What a server offers: plain data, read leniently from the results of its list methods.
//!
//! In: result JSON, as servers really send it. Out: tools, resources and prompts; an entry without what makes it usable (a name, a
//! URI) is skipped and reported, any other oddity is read as absent.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::settings::Revision;

/// What a server offers, as far as it was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Discovery {
    /// Who the server says it is.
    pub server: Option<ServerInfo>,
    /// The revision that was negotiated.
    #[serde(with = "wire_form")]
    pub revision: Revision,
    /// The server's `capabilities`, as sent.
    pub capabilities: Value,
    /// The server's advice to models.
    pub instructions: Option<String>,
    /// From `tools/list`.
    pub tools: Vec<Tool>,
    /// From `resources/list`.
    pub resources: Vec<Resource>,
    /// From `resources/templates/list`.
    pub resource_templates: Vec<ResourceTemplate>,
    /// From `prompts/list`.
    pub prompts: Vec<Prompt>,
}

/// Who a server says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// Its name.
    pub name: String,
    /// Its version; empty where none was sent.
    pub version: String,
    /// Its name for people.
    pub title: Option<String>,
}

/// A tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// What `tools/call` calls it.
    pub name: String,
    /// Its name for people.
    pub title: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// JSON Schema of its arguments; any object where none was sent.
    pub input_schema: Value,
    /// JSON Schema of its `structuredContent`.
    pub output_schema: Option<Value>,
    /// What it says about its effects.
    pub annotations: Annotations,
}

/// What a tool says about its effects; hints, not guarantees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Annotations {
    /// It changes nothing.
    pub read_only: Option<bool>,
    /// What it changes may be lost.
    pub destructive: Option<bool>,
    /// Calling it again changes nothing further.
    pub idempotent: Option<bool>,
    /// It talks to the outside world.
    pub open_world: Option<bool>,
}

impl Annotations {
    /// Whether the tool says that it destroys something.
    pub fn warns(&self) -> bool {
        self.destructive == Some(true) && self.read_only != Some(true)
    }
}

/// A resource with a fixed URI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What `resources/read` reads.
    pub uri: String,
    /// Its name; empty where none was sent.
    pub name: String,
    /// Its name for people.
    pub title: Option<String>,
    /// What it holds.
    pub description: Option<String>,
    /// Its media type.
    pub mime_type: Option<String>,
}

/// A family of resources, addressed by a URI template (RFC 6570).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceTemplate {
    /// The template.
    pub uri_template: String,
    /// Its name; empty where none was sent.
    pub name: String,
    /// Its name for people.
    pub title: Option<String>,
    /// What the resources hold.
    pub description: Option<String>,
    /// Their media type.
    pub mime_type: Option<String>,
}

/// A prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// What `prompts/get` calls it.
    pub name: String,
    /// Its name for people.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What it can be given.
    pub arguments: Vec<PromptArgument>,
}

/// An argument of a prompt; always a string by protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptArgument {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether the prompt cannot do without it.
    pub required: bool,
}

/// The entries of one page of a list method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Those that could be read, in order.
    pub entries: Vec<T>,
    /// One sentence for each that was skipped.
    pub skipped: Vec<String>,
    /// Where the next page begins; the empty string is a valid cursor.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    fn read(result: &Value, key: &str, entry: fn(&Value) -> Result<T, String>) -> Self {
        let mut page =
            Self { entries: Vec::new(), skipped: Vec::new(), next_cursor: text(result, "nextCursor") };
        let Some(listed) = result.get(key).and_then(Value::as_array) else {
            page.skipped.push(format!("the result has no list `{key}`"));
            return page;
        };
        for (index, value) in listed.iter().enumerate() {
            match entry(value) {
                Ok(entry) => page.entries.push(entry),
                Err(reason) => page.skipped.push(format!("`{key}[{index}]` {reason}")),
            }
        }
        page
    }
}

impl ServerInfo {
    /// Reads `serverInfo`; `None` without a name.
    pub fn from_json(value: &Value) -> Option<Self> {
        let version = text(value, "version").unwrap_or_default();
        Some(Self { name: text(value, "name")?, version, title: text(value, "title") })
    }
}

impl Tool {
    /// Reads an entry of `tools`; the error says what it lacks, to be read after the entry's name.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        let schema = match value.get("inputSchema") {
            None | Some(Value::Null) => serde_json::json!({ "type": "object" }),
            Some(schema @ (Value::Object(_) | Value::Bool(_))) => schema.clone(),
            Some(_) => return Err("has an `inputSchema` that is no schema".to_owned()),
        };
        let hint = |key: &str| value.get("annotations")?.get(key)?.as_bool();
        Ok(Self {
            name: needed(value, "name")?,
            title: text(value, "title").or_else(|| text(value.get("annotations")?, "title")),
            description: text(value, "description"),
            input_schema: schema,
            output_schema: value.get("outputSchema").filter(|schema| schema.is_object()).cloned(),
            annotations: Annotations {
                read_only: hint("readOnlyHint"),
                destructive: hint("destructiveHint"),
                idempotent: hint("idempotentHint"),
                open_world: hint("openWorldHint"),
            },
        })
    }

    /// Reads the result of `tools/list`.
    pub fn page(result: &Value) -> Page<Self> {
        Page::read(result, "tools", Self::from_json)
    }
}

impl Resource {
    /// Reads an entry of `resources`; the error says what it lacks, to be read after the entry's name.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        Ok(Self {
            uri: needed(value, "uri")?,
            name: text(value, "name").unwrap_or_default(),
            title: text(value, "title"),
            description: text(value, "description"),
            mime_type: text(value, "mimeType"),
        })
    }

    /// Reads the result of `resources/list`.
    pub fn page(result: &Value) -> Page<Self> {
        Page::read(result, "resources", Self::from_json)
    }
}

impl ResourceTemplate {
    /// Reads an entry of `resourceTemplates`; the error says what it lacks, to be read after the entry's name.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        Ok(Self {
            uri_template: needed(value, "uriTemplate")?,
            name: text(value, "name").unwrap_or_default(),
            title: text(value, "title"),
            description: text(value, "description"),
            mime_type: text(value, "mimeType"),
        })
    }

    /// Reads the result of `resources/templates/list`.
    pub fn page(result: &Value) -> Page<Self> {
        Page::read(result, "resourceTemplates", Self::from_json)
    }
}

impl Prompt {
    /// Reads an entry of `prompts`; the error says what it lacks, to be read after the entry's name. Arguments without a name are
    /// left out.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        let argument = |value: &Value| {
            Some(PromptArgument {
                name: text(value, "name")?,
                description: text(value, "description"),
                required: value.get("required").and_then(Value::as_bool).unwrap_or(false),
            })
        };
        let arguments = value.get("arguments").and_then(Value::as_array).into_iter().flatten();
        Ok(Self {
            name: needed(value, "name")?,
            title: text(value, "title"),
            description: text(value, "description"),
            arguments: arguments.filter_map(argument).collect(),
        })
    }

    /// Reads the result of `prompts/list`.
    pub fn page(result: &Value) -> Page<Self> {
        Page::read(result, "prompts", Self::from_json)
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

fn needed(value: &Value, key: &str) -> Result<String, String> {
    match text(value, key) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(format!("has no `{key}`")),
    }
}

/// A revision as it stands on the wire.
mod wire_form {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Revision;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(revision: &Revision, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(revision.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Revision, D::Error> {
        let text = String::deserialize(deserializer)?;
        Revision::parse(&text).ok_or_else(|| D::Error::custom(format!("unknown revision `{text}`")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_tool_is_read() {
        let page = Tool::page(
            &json!({ "nextCursor": "", "tools": [{ "name": "search", "title": "Search", "description": "finds",
            "inputSchema": { "type": "object" }, "outputSchema": { "type": "object" },
            "annotations": { "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false } }] }),
        );
        assert_eq!(page.skipped, [""; 0]);
        assert_eq!(page.next_cursor.as_deref(), Some(""));
        let annotations = Annotations {
            read_only: Some(true),
            destructive: Some(false),
            idempotent: Some(true),
            open_world: Some(false),
        };
        assert_eq!(page.entries[0].annotations, annotations);
        assert_eq!(page.entries[0].description.as_deref(), Some("finds"));
        assert!(page.entries[0].output_schema.is_some());
    }

    #[test]
    fn a_malformed_entry_is_skipped_and_the_others_are_kept() {
        let page = Tool::page(&json!({ "tools": [
            null, 7, { "description": "nameless" }, { "name": "" }, { "name": "odd", "inputSchema": "text" },
            { "name": "bare" }, { "name": "untidy", "title": 5, "annotations": [], "inputSchema": null, "outputSchema": 1 },
        ] }));
        let names: Vec<&str> = page.entries.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["bare", "untidy"]);
        assert_eq!(
            page.skipped,
            [
                "`tools[0]` has no `name`",
                "`tools[1]` has no `name`",
                "`tools[2]` has no `name`",
                "`tools[3]` has no `name`",
                "`tools[4]` has an `inputSchema` that is no schema",
            ]
        );
        assert_eq!(page.entries[0].input_schema, json!({ "type": "object" }));
    }

    #[test]
    fn a_result_without_a_list_is_reported() {
        for result in [json!(null), json!({}), json!({ "prompts": {} }), json!([])] {
            let page = Prompt::page(&result);
            assert!(page.entries.is_empty());
            assert_eq!(page.skipped, ["the result has no list `prompts`"]);
        }
    }

    #[test]
    fn only_an_outspoken_destroyer_that_is_not_read_only_warns() {
        let warns =
            |destructive, read_only| Annotations { read_only, destructive, ..Annotations::default() }.warns();
        assert!(warns(Some(true), None));
        assert!(warns(Some(true), Some(false)));
        assert!(!warns(Some(true), Some(true)));
        assert!(!warns(None, None));
    }

    #[test]
    fn a_discovery_survives_serialization() {
        let discovery = Discovery {
            server: ServerInfo::from_json(&json!({ "name": "demo" })),
            revision: Revision::V2026_07_28,
            capabilities: json!({ "tools": {} }),
            instructions: Some("be kind".to_owned()),
            tools: Tool::page(&json!({ "tools": [{ "name": "a", "inputSchema": true }] })).entries,
            resources: Resource::page(&json!({ "resources": [{ "uri": "a://b", "name": "b", "mimeType": "text/plain" }] })).entries,
            resource_templates: ResourceTemplate::page(&json!({ "resourceTemplates": [{ "uriTemplate": "a://{b}" }] })).entries,
            prompts: Prompt::page(&json!({ "prompts": [{ "name": "p", "arguments": [{ "name": "x", "required": true }, {}] }] })).entries,
        };
        assert_eq!(discovery.prompts[0].arguments.len(), 1);
        let json = serde_json::to_value(&discovery).unwrap();
        assert_eq!(json["revision"], "2026-07-28");
        assert_eq!(serde_json::from_value::<Discovery>(json.clone()).unwrap(), discovery);
        let mut unknown = json;
        unknown["revision"] = json!("1999-01-01");
        assert!(serde_json::from_value::<Discovery>(unknown).is_err());
    }
}
