//! What a configuration may hold, in a line per key: read from its JSON Schema. In: the schema. Out: [`Key`]s.

use serde_json::{Map, Value};

/// What is said of a value that nothing is known of.
const ANYTHING: &str = "anything";
/// Levels of a schema that are told.
const DEEPEST: u32 = 3;

/// A key of a configuration.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) name: String,
    /// What it holds, such as `array of string`.
    pub(super) kind: String,
    /// `required`, or what holds where it is not given.
    pub(super) absent: String,
    pub(super) description: String,
}

/// The keys at the top of a configuration, in the schema's order.
pub(super) fn keys(schema: &Value) -> Vec<Key> {
    let required = |name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|it| it.as_str() == Some(name)))
    };
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let key = |(name, property): (&String, &Value)| {
        let default = property.get("default").filter(|default| !default.is_null());
        let absent = match default {
            Some(default) => format!("default {default}"),
            None if required(name) => "required".to_owned(),
            None => String::new(),
        };
        let described = property.get("description").or_else(|| referred(property, schema).get("description"));
        let description = described.and_then(Value::as_str).unwrap_or_default().to_owned();
        Key { name: name.clone(), kind: kind(property, schema, DEEPEST), absent, description }
    };
    properties.iter().map(key).collect()
}

/// Where a reference within the schema leads; one step, which is what generators of schemas write.
fn referred<'a>(property: &'a Value, root: &'a Value) -> &'a Value {
    let pointer = property["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| root.pointer(pointer)).unwrap_or(property)
}

/// What a value may be, in a few words; what lies deeper than `depth` is left open, for a schema may refer to itself.
fn kind(property: &Value, root: &Value, depth: u32) -> String {
    let Some(depth) = depth.checked_sub(1) else { return ANYTHING.to_owned() };
    let schema = referred(property, root);
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(Value::to_string).collect::<Vec<_>>().join(" or ");
    }
    if let Some(only) = schema.get("const") {
        return only.to_string();
    }
    if let Some(branches) = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
        let mut kinds: Vec<String> = branches.iter().map(|branch| kind(branch, root, depth)).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    match &schema["type"] {
        Value::String(word) if word == "array" => match schema.get("items") {
            Some(items) => format!("array of {}", kind(items, root, depth)),
            None => "array".to_owned(),
        },
        Value::String(word) => word.clone(),
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => ANYTHING.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_told_with_its_kind_and_what_holds_without_it() {
        let schema = json!({
            "required": ["target"],
            "properties": {
                "words": {"type": "array", "items": {"type": "string"}, "default": ["a"], "description": "what"},
                "target": {"type": ["string", "null"]},
                "mode": {"$ref": "#/$defs/Mode"},
                "limit": {"anyOf": [{"type": "integer"}, {"const": "none"}]},
                "free": {},
            },
            "$defs": {"Mode": {"enum": ["fast", "slow"], "description": "how"}},
        });
        let told: Vec<(String, String, String)> =
            keys(&schema).into_iter().map(|key| (key.kind, key.absent, key.description)).collect();
        let expected = [
            ("array of string", "default [\"a\"]", "what"),
            ("string or null", "required", ""),
            ("\"fast\" or \"slow\"", "", "how"),
            ("integer or \"none\"", "", ""),
            ("anything", "", ""),
        ];
        let expected =
            expected.map(|(kind, absent, what)| (kind.to_owned(), absent.to_owned(), what.to_owned()));
        assert_eq!(told, expected);
    }

    #[test]
    fn a_schema_that_refers_to_itself_or_to_nowhere_comes_to_an_end() {
        let schema = json!({
            "properties": {
                "tree": {"$ref": "#/$defs/Tree"},
                "lost": {"$ref": "#/nowhere"},
                "loop": {"$ref": "#/properties/loop"},
                "either": {"anyOf": [{"$ref": "#/properties/either"}, {"type": "null"}]},
            },
            "$defs": {"Tree": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
        });
        let kinds: Vec<String> = keys(&schema).into_iter().map(|key| key.kind).collect();
        assert_eq!(
            kinds,
            ["array of array of array of anything", "anything", "anything", "anything or null or null"]
        );
        assert_eq!(keys(&json!(true)), []);
    }
}
