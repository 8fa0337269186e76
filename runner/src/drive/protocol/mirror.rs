//! Tool arguments mirrored into HTTP headers, as revision 2026-07-28 asks (`x-mcp-header` in a tool's `inputSchema`).
//!
//! In: the schema, once per run; then the arguments of each call. Out: `Mcp-Param-<Name>` headers, their values encoded to be
//! sent as they are. Pure.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

const ANNOTATION: &str = "x-mcp-header";

/// A header that repeats one argument of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MirroredHeader {
    /// The header's name: `Mcp-Param-<Name>`.
    pub header: String,
    /// The property names that lead from the arguments to the value.
    pub path: Vec<String>,
}

/// Where a schema stands in the document.
enum Place {
    /// At the end of this chain of `properties` keys.
    Property(Vec<String>),
    /// Under any other keyword, such as `items` or `anyOf`.
    Elsewhere,
}

/// The headers that a tool with this `inputSchema` wants, in the order of the schema.
///
/// The error says which rule the schema breaks; such a tool must be dropped from the list. Annotations count only where
/// `properties` keys alone lead to them, on a string, an integer or a boolean (which may be nullable); their names are HTTP tokens,
/// unique regardless of case.
///
/// ```
/// use pmcp_loadtest::drive::protocol::mirror::{mirrored_headers, mirrored_values};
/// let schema = serde_json::json!({ "properties": { "region": { "type": "string", "x-mcp-header": "Region" } } });
/// let headers = mirrored_headers(&schema)?;
/// let values = mirrored_values(&headers, &serde_json::json!({ "region": "eu" }));
/// assert_eq!(values, [("Mcp-Param-Region".to_owned(), "eu".to_owned())]);
/// # Ok::<(), String>(())
/// ```
pub fn mirrored_headers(input_schema: &Value) -> Result<Vec<MirroredHeader>, String> {
    let mut headers: Vec<MirroredHeader> = Vec::new();
    let mut open = vec![(input_schema, Place::Property(Vec::new()))];
    while let Some((schema, place)) = open.pop() {
        if let Some(annotation) = schema.get(ANNOTATION) {
            let path = match &place {
                Place::Property(path) if !path.is_empty() => path.clone(),
                _ => {
                    return Err(format!(
                        "`{ANNOTATION}` {annotation} stands where `properties` alone do not lead"
                    ));
                }
            };
            let header = MirroredHeader { header: format!("Mcp-Param-{}", token(annotation)?), path };
            if !is_mirrored_type(&schema["type"]) {
                let place = header.path.join(".");
                return Err(format!(
                    "`{ANNOTATION}` on `{place}`, which is not a string, integer or boolean"
                ));
            }
            if headers.iter().any(|known| known.header.eq_ignore_ascii_case(&header.header)) {
                return Err(format!("two arguments ask for the header `{}`", header.header));
            }
            headers.push(header);
        }
        push_subschemas(schema, &place, &mut open);
    }
    Ok(headers)
}

/// Puts the schemas within `schema` on the stack, the first of them on top.
fn push_subschemas<'s>(schema: &'s Value, place: &Place, open: &mut Vec<(&'s Value, Place)>) {
    let Some(keywords) = schema.as_object() else { return };
    for (keyword, operand) in keywords.iter().rev() {
        match keyword.as_str() {
            "properties" => {
                for (name, property) in operand.as_object().into_iter().flatten().rev() {
                    let place = match place {
                        Place::Property(path) => {
                            Place::Property(path.iter().chain([name]).cloned().collect())
                        }
                        Place::Elsewhere => Place::Elsewhere,
                    };
                    open.push((property, place));
                }
            }
            "patternProperties" | "dependentSchemas" | "dependencies" | "$defs" | "definitions" => {
                let schemas = operand.as_object().into_iter().flatten();
                open.extend(schemas.map(|(_, schema)| (schema, Place::Elsewhere)));
            }
            "allOf" | "anyOf" | "oneOf" | "prefixItems" | "items" => match operand.as_array() {
                Some(schemas) => open.extend(schemas.iter().map(|schema| (schema, Place::Elsewhere))),
                None => open.push((operand, Place::Elsewhere)),
            },
            "additionalItems"
            | "additionalProperties"
            | "contains"
            | "contentSchema"
            | "else"
            | "if"
            | "not"
            | "propertyNames"
            | "then"
            | "unevaluatedItems"
            | "unevaluatedProperties" => {
                open.push((operand, Place::Elsewhere));
            }
            // Anything else holds values, such as `default` and `enum`, and no schemas.
            _ => {}
        }
    }
}

/// The header name given, which must be a token of RFC 9110, section 5.6.2.
fn token(annotation: &Value) -> Result<&str, String> {
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    match annotation.as_str() {
        Some(name) if !name.is_empty() && name.bytes().all(is_token_byte) => Ok(name),
        _ => Err(format!("`{ANNOTATION}` {annotation} is not an HTTP token")),
    }
}

fn is_mirrored_type(kind: &Value) -> bool {
    let is_one = |kind: &Value| matches!(kind.as_str(), Some("string" | "integer" | "boolean"));
    match kind.as_array().map(Vec::as_slice) {
        Some([one, null] | [null, one]) if null == "null" => is_one(one),
        Some(_) => false,
        None => is_one(kind),
    }
}

/// The headers of one call, encoded; an argument that is absent or null has none.
pub fn mirrored_values(headers: &[MirroredHeader], arguments: &Value) -> Vec<(String, String)> {
    let value = |mirrored: &MirroredHeader| {
        let argument = mirrored.path.iter().try_fold(arguments, |value, name| value.get(name))?;
        let text = match argument {
            Value::String(text) => Cow::Borrowed(text.as_str()),
            Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Value::Number(number) => Cow::Owned(decimal(number)),
            // Null has no header; objects and arrays are not what the schema asks for, so the server rejects the call anyway.
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some((mirrored.header.clone(), encode_header_value(&text).into_owned()))
    };
    headers.iter().filter_map(value).collect()
}

/// An integer in decimal, also where JSON carries it as `42.0`.
fn decimal(number: &serde_json::Number) -> String {
    let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0);
    float.map_or_else(|| number.to_string(), |float| format!("{float:.0}"))
}

/// `value` as it may stand in an `Mcp-Name` or `Mcp-Param-*` header: as it is, or as `=?base64?<standard base64 of UTF-8>?=` where it
/// has bytes outside of 0x20 to 0x7E, a space at an end, or looks encoded already.
pub fn encode_header_value(value: &str) -> Cow<'_, str> {
    let is_plain = value.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    let has_space_at_end = value.starts_with(' ') || value.ends_with(' ');
    if is_plain && !has_space_at_end && !looks_encoded(value) {
        Cow::Borrowed(value)
    } else {
        Cow::Owned(format!("=?base64?{}?=", STANDARD.encode(value)))
    }
}

/// Regardless of case, because a server that is lenient there would decode it.
fn looks_encoded(value: &str) -> bool {
    value.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("=?base64?")) && value.ends_with("?=")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn header(name: &str, path: &[&str]) -> MirroredHeader {
        MirroredHeader { header: name.to_owned(), path: path.iter().map(|&name| name.to_owned()).collect() }
    }

    #[test]
    fn annotated_properties_are_found_in_the_order_of_the_schema() {
        let schema = json!({ "type": "object", "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "plain": { "type": "string" },
            "place": { "type": "object", "properties": {
                "zone": { "type": "integer", "x-mcp-header": "Zone" },
                "properties": { "type": "boolean", "x-mcp-header": "odd!Name" } } },
            "maybe": { "type": ["null", "string"], "x-mcp-header": "Maybe" } } });
        let expected = [
            header("Mcp-Param-Region", &["region"]),
            header("Mcp-Param-Zone", &["place", "zone"]),
            header("Mcp-Param-odd!Name", &["place", "properties"]),
            header("Mcp-Param-Maybe", &["maybe"]),
        ];
        assert_eq!(mirrored_headers(&schema).unwrap(), expected);
    }

    #[test]
    fn a_schema_without_annotations_mirrors_nothing() {
        for schema in [
            json!({}),
            json!(true),
            json!(null),
            json!({ "properties": { "x-mcp-header": { "type": "array" } } }),
            json!({ "properties": { "a": { "default": { "x-mcp-header": "A" }, "enum": [{ "x-mcp-header": 1 }] } } }),
        ] {
            assert_eq!(mirrored_headers(&schema), Ok(Vec::new()), "{schema}");
        }
    }

    #[test]
    fn an_annotation_that_properties_alone_do_not_lead_to_breaks_the_tool() {
        let marked = json!({ "type": "string", "x-mcp-header": "A" });
        for schema in [
            json!({ "x-mcp-header": "A", "type": "object" }),
            json!({ "properties": { "a": { "items": marked } } }),
            json!({ "properties": { "a": { "items": [marked] } } }),
            json!({ "properties": { "a": { "items": { "properties": { "b": marked } } } } }),
            json!({ "properties": { "a": { "anyOf": [marked, { "type": "null" }] } } }),
            json!({ "properties": { "a": { "prefixItems": [marked] } } }),
            json!({ "oneOf": [{ "properties": { "a": marked } }] }),
            json!({ "allOf": [{ "properties": { "a": marked } }] }),
            json!({ "if": { "properties": { "a": marked } } }),
            json!({ "not": { "properties": { "a": marked } } }),
            json!({ "additionalProperties": marked }),
            json!({ "patternProperties": { "^a": marked } }),
            json!({ "$defs": { "a": marked }, "properties": { "a": { "$ref": "#/$defs/a" } } }),
            json!({ "definitions": { "a": marked } }),
            json!({ "dependentSchemas": { "a": { "properties": { "b": marked } } } }),
        ] {
            let reason = mirrored_headers(&schema).expect_err(&schema.to_string());
            assert!(reason.contains("do not lead"), "{schema}: {reason}");
        }
    }

    #[test]
    fn only_strings_integers_and_booleans_are_mirrored() {
        for kind in [
            json!("number"),
            json!("object"),
            json!("array"),
            json!("null"),
            json!(["string", "integer"]),
            json!(["null"]),
            json!(null),
        ] {
            let schema = json!({ "properties": { "a": { "type": kind, "x-mcp-header": "A" } } });
            assert!(mirrored_headers(&schema).unwrap_err().contains("`a`"), "{kind}");
        }
    }

    #[test]
    fn header_names_are_tokens() {
        for name in [
            json!(""),
            json!("A B"),
            json!("A:"),
            json!("Ä"),
            json!("A\r\nX"),
            json!("A/B"),
            json!(1),
            json!(null),
        ] {
            let schema = json!({ "properties": { "a": { "type": "string", "x-mcp-header": name } } });
            assert!(mirrored_headers(&schema).unwrap_err().contains("not an HTTP token"), "{name}");
        }
    }

    #[test]
    fn header_names_are_unique_regardless_of_case() {
        let schema = json!({ "properties": {
            "a": { "type": "string", "x-mcp-header": "Region" },
            "b": { "properties": { "c": { "type": "string", "x-mcp-header": "REGION" } } } } });
        assert_eq!(
            mirrored_headers(&schema).unwrap_err(),
            "two arguments ask for the header `Mcp-Param-REGION`"
        );
    }

    #[test]
    fn deep_schemas_are_walked_without_recursion() {
        let wrap = |inner: Value| Value::Object([("items".to_owned(), inner)].into_iter().collect());
        let schema = (0..1000).fold(json!({ "x-mcp-header": "A" }), |inner, _| wrap(inner));
        assert!(mirrored_headers(&schema).is_err());
    }

    #[test]
    fn values_are_written_as_text_and_left_out_where_there_is_none() {
        let headers =
            ["a", "b", "c", "d", "e", "f", "g"].map(|name| header(&format!("Mcp-Param-{name}"), &[name]));
        let arguments = json!({ "a": "x", "b": true, "c": -42, "d": 42.0, "e": null, "f": { "no": 1 } });
        let values = mirrored_values(&headers, &arguments);
        let expected = [("a", "x"), ("b", "true"), ("c", "-42"), ("d", "42")];
        assert_eq!(values, expected.map(|(name, value)| (format!("Mcp-Param-{name}"), value.to_owned())));
    }

    #[test]
    fn nested_values_are_reached_and_missing_parents_are_no_error() {
        let headers = [header("Mcp-Param-Zone", &["place", "zone"])];
        for (arguments, count) in [
            (json!({ "place": { "zone": 7 } }), 1),
            (json!({ "place": 7 }), 0),
            (json!({}), 0),
            (json!(null), 0),
        ] {
            assert_eq!(mirrored_values(&headers, &arguments).len(), count, "{arguments}");
        }
    }

    #[test]
    fn header_values_are_encoded_where_they_would_not_arrive_as_they_are() {
        for (value, sent) in [
            ("plain", "plain"),
            ("", ""),
            ("with space inside", "with space inside"),
            ("~!@#", "~!@#"),
            (" leading", "=?base64?IGxlYWRpbmc=?="),
            ("trailing ", "=?base64?dHJhaWxpbmcg?="),
            ("tab\there", "=?base64?dGFiCWhlcmU=?="),
            ("a\r\nX: y", "=?base64?YQ0KWDogeQ==?="),
            ("\u{7f}", "=?base64?fw==?="),
            ("Zürich", "=?base64?WsO8cmljaA==?="),
            ("=?base64?aGk=?=", "=?base64?PT9iYXNlNjQ/YUdrPT89?="),
            ("=?BASE64?aGk=?=", "=?base64?PT9CQVNFNjQ/YUdrPT89?="),
            ("=?base64?unfinished", "=?base64?unfinished"),
            ("=?utf-8?Q?x?=", "=?utf-8?Q?x?="),
        ] {
            assert_eq!(encode_header_value(value), sent, "{value:?}");
        }
        assert!(matches!(encode_header_value("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn mirrored_values_are_encoded() {
        let headers = [header("Mcp-Param-City", &["city"])];
        let values = mirrored_values(&headers, &json!({ "city": "Zürich" }));
        assert_eq!(values[0].1, "=?base64?WsO8cmljaA==?=");
    }
}
