//! The part of JSON Schema that the demo's tools use: arguments in, the first complaint out.
//!
//! Knows `type`, `required`, `properties`, `additionalProperties: false`, `items`, `enum`, `minimum`, `maximum`, `minLength`,
//! `minItems`, `format: date` and `$ref` into the same document; other keywords are not checked.

use serde_json::Value;

/// What is wrong with `value`; `None` if nothing. `root` is the document that `$ref` points into.
pub(crate) fn complaint(root: &Value, value: &Value) -> Option<String> {
    check(root, root, value, "arguments")
}

fn check(root: &Value, schema: &Value, value: &Value, path: &str) -> Option<String> {
    let schema = match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => root.pointer(reference.strip_prefix('#')?)?,
        None => schema,
    };
    if let Some(kind) = schema.get("type").and_then(Value::as_str)
        && !is_of(kind, value)
    {
        return Some(format!("{path} must be of type {kind}"));
    }
    if let Some(Value::Array(allowed)) = schema.get("enum")
        && !allowed.contains(value)
    {
        return Some(format!("{path} must be one of {}", Value::from(allowed.clone())));
    }
    match value {
        Value::Object(_) => check_object(root, schema, value, path),
        Value::Array(items) => check_array(root, schema, items, path),
        Value::Number(number) => {
            let number = number.as_f64()?;
            let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
            let below = bound("minimum").is_some_and(|least| number < least);
            let above = bound("maximum").is_some_and(|most| number > most);
            (below || above).then(|| format!("{path} is out of range"))
        }
        Value::String(text) => check_text(schema, text, path),
        Value::Null | Value::Bool(_) => None,
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => value.is_null(),
    }
}

fn check_object(root: &Value, schema: &Value, value: &Value, path: &str) -> Option<String> {
    let members = value.as_object()?;
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    if let Some(missing) = required.filter_map(Value::as_str).find(|key| !members.contains_key(*key)) {
        return Some(format!("{path}.{missing} is missing"));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    members.iter().find_map(|(key, member)| match properties.and_then(|properties| properties.get(key)) {
        Some(property) => check(root, property, member, &format!("{path}.{key}")),
        None => closed.then(|| format!("{path}.{key} is unknown")),
    })
}

fn check_array(root: &Value, schema: &Value, items: &[Value], path: &str) -> Option<String> {
    let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or_default();
    if (items.len() as u64) < least {
        return Some(format!("{path} must have at least {least} items"));
    }
    let item_schema = schema.get("items")?;
    items
        .iter()
        .enumerate()
        .find_map(|(index, item)| check(root, item_schema, item, &format!("{path}[{index}]")))
}

fn check_text(schema: &Value, text: &str, path: &str) -> Option<String> {
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or_default();
    if (text.chars().count() as u64) < least {
        return Some(format!("{path} is shorter than {least}"));
    }
    let is_date = schema.get("format").and_then(Value::as_str) == Some("date");
    (is_date && !looks_like_date(text)).then(|| format!("{path} must be a date such as 2026-07-28"))
}

fn looks_like_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::complaint;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "lines": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/line" } },
                "day": { "type": "string", "format": "date" },
                "size": { "enum": ["S", "L"] },
            },
            "required": ["lines"],
            "additionalProperties": false,
            "$defs": { "line": { "type": "object", "properties": { "count": { "type": "integer", "minimum": 1 } } } },
        })
    }

    #[test]
    fn sound_arguments_raise_no_complaint() {
        let value = json!({ "lines": [{ "count": 2 }], "day": "2026-07-28", "size": "S" });
        assert_eq!(complaint(&schema(), &value), None);
    }

    #[test]
    fn each_complaint_names_its_place() {
        let said = |value: Value| complaint(&schema(), &value).unwrap();
        assert_eq!(said(json!({})), "arguments.lines is missing");
        assert_eq!(said(json!({ "lines": [] })), "arguments.lines must have at least 1 items");
        assert_eq!(said(json!({ "lines": [{ "count": 0 }] })), "arguments.lines[0].count is out of range");
        assert_eq!(
            said(json!({ "lines": [{ "count": 1.5 }] })),
            "arguments.lines[0].count must be of type integer"
        );
        assert_eq!(
            said(json!({ "lines": [{}], "size": "M" })),
            "arguments.size must be one of [\"S\",\"L\"]"
        );
        assert_eq!(
            said(json!({ "lines": [{}], "day": "tomorrow" })),
            "arguments.day must be a date such as 2026-07-28"
        );
        assert_eq!(said(json!({ "lines": [{}], "x": 1 })), "arguments.x is unknown");
    }
}
