//! Schemas as servers emit them: pydantic, zod, schemars, hand-written.

use serde_json::{Value, json};

use super::*;
use crate::generate_arguments;

#[expect(clippy::too_many_lines, reason = "a table")]
fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("no arguments", json!({ "type": "object", "properties": {} })),
        ("no arguments, closed", json!({ "type": "object", "additionalProperties": false })),
        ("empty schema", json!({})),
        ("true", json!(true)),
        ("search", json!({ "type": "object", "required": ["query"], "properties": {
            "query": { "type": "string", "description": "what to look for" },
            "limit": { "type": "integer", "minimum": 1, "maximum": 50, "default": 10 } } })),
        ("pydantic optional", json!({ "type": "object", "title": "fooArguments", "required": ["city"], "properties": {
            "city": { "title": "City", "type": "string" },
            "days": { "anyOf": [{ "type": "integer" }, { "type": "null" }], "default": null, "title": "Days" } } })),
        ("pydantic model by reference", json!({ "type": "object", "required": ["user"],
            "properties": { "user": { "$ref": "#/$defs/User" } },
            "$defs": { "User": { "type": "object", "required": ["name", "email", "role"], "properties": {
                "name": { "type": "string", "minLength": 1 }, "email": { "type": "string", "format": "email" },
                "role": { "$ref": "#/$defs/Role" } } },
              "Role": { "enum": ["admin", "member"], "type": "string" } } })),
        ("pydantic discriminated union", json!({ "type": "object", "required": ["pet"], "properties": { "pet": {
            "discriminator": { "mapping": { "cat": "#/$defs/Cat" }, "propertyName": "kind" },
            "oneOf": [{ "$ref": "#/$defs/Cat" }, { "$ref": "#/$defs/Dog" }] } },
            "$defs": {
              "Cat": { "type": "object", "required": ["kind", "lives"], "properties": {
                "kind": { "const": "cat", "type": "string" }, "lives": { "type": "integer", "exclusiveMinimum": 0 } } },
              "Dog": { "type": "object", "required": ["kind"], "properties": { "kind": { "const": "dog" } } } } })),
        ("zod, draft-07", json!({ "$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
            "required": ["path", "edits"], "additionalProperties": false, "properties": {
                "path": { "type": "string" },
                "edits": { "type": "array", "items": { "type": "object", "additionalProperties": false,
                    "required": ["oldText", "newText"],
                    "properties": { "oldText": { "type": "string" }, "newText": { "type": "string" } } } },
                "dryRun": { "type": "boolean", "default": false } } })),
        ("definitions of draft-07", json!({ "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object", "required": ["a"], "properties": { "a": { "$ref": "#/definitions/x~1y" } },
            "definitions": { "x/y": { "type": "integer", "multipleOf": 7 } } })),
        ("tuple of draft-07", json!({ "$schema": "http://json-schema.org/draft-07/schema#", "type": "array",
            "items": [{ "type": "number" }, { "type": "string" }], "additionalItems": false, "minItems": 2 })),
        ("prefixItems", json!({ "type": "array", "prefixItems": [{ "const": 1 }, { "type": "boolean" }],
            "items": { "type": "string" }, "minItems": 4 })),
        ("calculator", json!({ "type": "object", "required": ["operation", "a", "b"], "properties": {
            "operation": { "type": "string", "enum": ["add", "subtract", "multiply", "divide"] },
            "a": { "type": "number" }, "b": { "type": "number" } } })),
        ("type union", json!({ "type": "object", "required": ["id"],
            "properties": { "id": { "type": ["string", "integer", "null"] } } })),
        ("constants", json!({ "type": "object", "required": ["a", "b"],
            "properties": { "a": { "const": { "deep": [1, null] } }, "b": { "const": null } } })),
        ("null alone", json!({ "type": "null" })),
        ("enum with null", json!({ "enum": [null, "a", 3, { "x": 1 }] })),
        ("enum and type", json!({ "enum": ["a", 3, true], "type": "integer" })),
        ("enum narrowed by allOf", json!({ "allOf": [{ "enum": ["a", "b"] }, { "enum": ["b", "c"] }] })),
        ("percentage", json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 })),
        ("temperature", json!({ "type": "number", "minimum": 0, "maximum": 2, "multipleOf": 0.1 })),
        ("cents", json!({ "type": "number", "exclusiveMinimum": 0.5, "exclusiveMaximum": 0.6, "multipleOf": 0.01 })),
        ("exact number", json!({ "type": "number", "minimum": 0.125, "maximum": 0.125 })),
        ("negative", json!({ "type": "integer", "maximum": -5 })),
        ("large", json!({ "type": "integer", "minimum": 9_007_199_254_740_993_i64 })),
        ("unsigned", json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX, "format": "uint64" })),
        ("between floats", json!({ "type": "integer", "minimum": 1.5, "exclusiveMaximum": 3.0 })),
        ("two steps", json!({ "allOf": [{ "type": "integer", "multipleOf": 6 }, { "multipleOf": 10 }] })),
        ("coordinates", json!({ "type": "object", "required": ["latitude", "longitude"], "properties": {
            "latitude": { "type": "number", "minimum": -90, "maximum": 90 },
            "longitude": { "type": "number", "minimum": -180, "maximum": 180 } } })),
        ("slug", json!({ "type": "string", "pattern": "^[a-z0-9]+(?:-[a-z0-9]+)*$", "minLength": 12, "maxLength": 14 })),
        ("ISO country", json!({ "type": "string", "pattern": "^[A-Z]{2}$" })),
        ("unanchored pattern", json!({ "type": "string", "pattern": "[0-9]{3}", "minLength": 10 })),
        ("password", json!({ "type": "string", "pattern": "^(?=.*[A-Z])(?=.*[a-z])(?=.*\\d).{8,}$" })),
        ("no leading dash", json!({ "type": "string", "pattern": "^(?!-)[a-z-]{3,10}$" })),
        ("short text", json!({ "type": "string", "maxLength": 3 })),
        ("empty text", json!({ "type": "string", "maxLength": 0 })),
        ("long text", json!({ "type": "string", "minLength": 5000 })),
        ("formats", json!({ "type": "object",
            "required": ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"], "properties": {
            "a": { "type": "string", "format": "date-time" }, "b": { "type": "string", "format": "date" },
            "c": { "type": "string", "format": "time" }, "d": { "type": "string", "format": "email" },
            "e": { "type": "string", "format": "uri" }, "f": { "type": "string", "format": "uuid" },
            "g": { "type": "string", "format": "ipv4" }, "h": { "type": "string", "format": "ipv6" },
            "i": { "type": "string", "format": "hostname" }, "j": { "type": "string", "format": "duration" },
            "k": { "type": "string", "format": "something-own" } } })),
        ("format and length", json!({ "type": "string", "format": "uri", "maxLength": 2083, "minLength": 1 })),
        ("format and pattern", json!({ "type": "string", "format": "date", "pattern": "^\\d{4}-\\d{2}-\\d{2}$" })),
        ("wrong default is not used", json!({ "type": "string", "minLength": 3, "default": "x" })),
        ("examples", json!({ "type": "object", "required": ["a"],
            "properties": { "a": { "type": "string", "examples": [7, "first", "second"] } } })),
        ("unique", json!({ "type": "array", "items": { "enum": ["a", "b", "c"] }, "minItems": 3, "uniqueItems": true })),
        ("unique objects", json!({ "type": "array", "minItems": 5, "uniqueItems": true, "items": {
            "type": "object", "required": ["x"], "properties": { "x": { "type": "integer", "minimum": 0, "maximum": 4 } } } })),
        ("unique items of several kinds", json!({ "type": "array", "minItems": 4, "uniqueItems": true, "items": { "oneOf": [
            { "type": "object", "required": ["k"], "additionalProperties": false, "properties": { "k": { "const": "a" } } },
            { "type": "object", "required": ["k", "n"], "properties": { "k": { "const": "b" }, "n": { "type": "string" } } } ] } })),
        ("unique booleans", json!({ "type": "array", "items": { "type": "boolean" }, "minItems": 2, "uniqueItems": true })),
        ("contains", json!({ "type": "array", "contains": { "const": "x" }, "minContains": 2, "minItems": 3,
            "items": { "type": "string" } })),
        ("record", json!({ "type": "object", "additionalProperties": { "type": "integer" }, "minProperties": 2 })),
        ("pattern properties", json!({ "type": "object", "patternProperties": { "^x-[a-z]+$": { "type": "integer" } },
            "additionalProperties": false, "minProperties": 1 })),
        ("property names", json!({ "type": "object", "propertyNames": { "pattern": "^[A-Z]{3}$" }, "minProperties": 2 })),
        ("required but not described", json!({ "type": "object", "required": ["free"] })),
        ("dependent required", json!({ "type": "object", "required": ["card"],
            "properties": { "card": { "type": "string" }, "address": { "type": "string" } },
            "dependentRequired": { "card": ["address"] } })),
        ("dependencies of draft-07", json!({ "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object", "required": ["a"],
            "dependencies": { "a": ["b"], "b": { "required": ["c"], "properties": { "c": { "const": 5 } } } } })),
        ("inheritance", json!({ "type": "object", "allOf": [
            { "required": ["id"], "properties": { "id": { "type": "integer" } } },
            { "required": ["name"], "properties": { "name": { "type": "string" }, "id": { "minimum": 1000 } } } ] })),
        ("any of required", json!({ "type": "object",
            "properties": { "id": { "type": "integer" }, "name": { "type": "string" } },
            "anyOf": [{ "required": ["id"] }, { "required": ["name"] }] })),
        ("exactly one of required", json!({ "type": "object",
            "properties": { "id": { "type": "integer", "default": 1 }, "name": { "type": "string", "default": "x" } },
            "oneOf": [{ "required": ["id"], "not": { "required": ["name"] } }, { "required": ["name"] }] })),
        ("oneOf whose branches overlap", json!({ "oneOf": [{ "type": "integer", "multipleOf": 3 },
            { "type": "integer", "multipleOf": 5 }], "minimum": 1, "maximum": 40 })),
        ("not", json!({ "type": "string", "not": { "enum": ["example", "example-1"] } })),
        ("not a type", json!({ "not": { "type": ["string", "number"] } })),
        ("condition", json!({ "type": "object", "required": ["kind"],
            "properties": { "kind": { "enum": ["file", "url"] }, "path": { "type": "string" }, "url": { "type": "string", "format": "uri" } },
            "if": { "properties": { "kind": { "const": "file" } } },
            "then": { "required": ["path"] }, "else": { "required": ["url"] } })),
        ("first branch impossible", json!({ "anyOf": [{ "type": "string", "minLength": 3, "maxLength": 2 }, false, { "type": "integer" }] })),
        ("property that may not be there", json!({ "type": "object",
            "properties": { "never": false, "ok": { "default": 1 } }, "required": ["ok"] })),
        ("tree", json!({ "$ref": "#/$defs/node", "$defs": { "node": { "type": "object", "required": ["value", "children"],
            "properties": { "value": { "type": "integer" }, "children": { "type": "array", "items": { "$ref": "#/$defs/node" } } } } } })),
        ("expression", json!({ "$defs": { "expr": { "anyOf": [
            { "type": "object", "required": ["and"], "additionalProperties": false,
              "properties": { "and": { "type": "array", "minItems": 2, "items": { "$ref": "#/$defs/expr" } } } },
            { "type": "object", "required": ["not"], "additionalProperties": false, "properties": { "not": { "$ref": "#/$defs/expr" } } },
            { "type": "object", "required": ["field"], "additionalProperties": false, "properties": { "field": { "type": "string" } } } ] } },
            "type": "object", "required": ["filter"], "properties": { "filter": { "$ref": "#/$defs/expr" } } })),
        ("linked list", json!({ "type": "object", "required": ["value"], "properties": {
            "value": { "type": "string" }, "next": { "anyOf": [{ "$ref": "#" }, { "type": "null" }] } } })),
        ("anchor", json!({ "type": "array", "items": { "$ref": "#thing" }, "minItems": 1,
            "$defs": { "t": { "$anchor": "thing", "type": "string", "format": "uuid" } } })),
        ("schemars", json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Params", "type": "object",
            "required": ["sql", "mode"], "properties": {
              "sql": { "type": "string" }, "timeout_ms": { "type": ["integer", "null"], "format": "uint64", "minimum": 0 },
              "mode": { "oneOf": [{ "const": "read", "type": "string", "description": "x" }, { "const": "write", "type": "string" }] } } })),
        ("unevaluated", json!({ "type": "object", "unevaluatedProperties": false, "required": ["a", "b"],
            "allOf": [{ "properties": { "a": { "type": "string" } } }], "properties": { "b": { "type": "boolean" } } })),
        ("unevaluated with a schema", json!({ "type": "object", "required": ["a", "b"], "properties": { "a": { "const": 1 } },
            "unevaluatedProperties": { "type": "integer" } })),
        ("unevaluated items", json!({ "type": "array", "minItems": 2, "prefixItems": [{ "const": 1 }],
            "unevaluatedItems": { "type": "boolean" } })),
        ("twelve levels", (0..12).fold(json!({ "type": "string" }), |inner, _| {
            json!({ "type": "object", "required": ["inner"], "properties": { "inner": inner } }) })),
        ("names with signs", json!({ "type": "object", "required": ["a b", "é\"", "~/"], "properties": {
            "a b": { "type": "string" }, "é\"": { "type": "integer" }, "~/": { "type": "boolean" } } })),
    ]
}

#[test]
fn variations_differ_are_repeatable_and_keep_examples() {
    let schema = json!({ "type": "object", "required": ["sku", "query", "count", "gift"],
        "properties": {
            "sku": { "type": "string", "examples": ["A-100"] },
            "query": { "type": "string", "default": "usual" },
            "count": { "type": "integer", "minimum": 1, "maximum": 99, "default": 1 },
            "gift": { "type": "boolean" }, "note": { "type": "string" } } });
    let varied = |variation| {
        let options = Options { optional: OptionalProperties::Sometimes, variation };
        generate(&schema, &mut Draws::of(variation.into()), options).unwrap()
    };
    let all: Vec<Value> = (1..=200).map(varied).collect();
    assert_eq!(all[7], varied(8));
    assert!(all.iter().all(|value| value["sku"] == "A-100"));
    let distinct = |key: &str| {
        all.iter().map(|value| value[key].to_string()).collect::<std::collections::HashSet<_>>().len()
    };
    assert!(distinct("query") > 150, "{}", distinct("query"));
    assert!(distinct("count") > 50, "{}", distinct("count"));
    assert_eq!(distinct("gift"), 2);
    let noted = all.iter().filter(|value| value.get("note").is_some()).count();
    assert!((50..150).contains(&noted), "{noted}");
}

#[test]
fn everything_generated_from_the_table_is_valid() {
    assert!(schemas().len() >= 40);
    for (name, schema) in schemas() {
        let judge = judge(&schema);
        for options in ALL_OPTIONS {
            for iteration in 0..25 {
                let value = generate(&schema, &mut Draws::new(1, 0, iteration), options);
                let value = value.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(objections(&judge, &value), [""; 0], "{name}: {value}");
            }
        }
    }
}

#[test]
fn the_same_draws_give_the_same_arguments() {
    for (name, schema) in schemas() {
        assert_eq!(generated(&schema), generated(&schema), "{name}");
    }
}

#[test]
fn arguments_read_like_a_real_call() {
    let schema = json!({ "type": "object", "required": ["query", "path", "homepage_url", "userEmail"],
        "properties": {
            "query": { "type": "string" }, "path": { "type": "string" },
            "homepage_url": { "type": "string" }, "userEmail": { "type": "string" },
            "limit": { "type": "integer", "minimum": 1, "maximum": 50, "default": 20 },
            "verbose": { "type": "boolean" }, "cursor": { "type": ["string", "null"], "default": null },
        } });
    assert_eq!(
        generated(&schema).unwrap(),
        json!({ "query": "load test", "path": "README.md", "homepage_url": "https://example.com/",
            "userEmail": "ada@example.com", "limit": 20 })
    );
}

#[test]
fn a_period_ends_after_it_begins() {
    let date = json!({ "type": "string", "format": "date" });
    let schema =
        json!({ "required": ["startDate", "endDate"], "properties": { "startDate": date, "endDate": date } });
    for iteration in 0..50 {
        let period = generate(&schema, &mut Draws::new(1, 0, iteration), Options::default()).unwrap();
        assert!(period["startDate"].as_str() < period["endDate"].as_str(), "{period}");
    }
}

#[test]
fn arguments_are_an_object_even_where_the_schema_asks_for_nothing() {
    for schema in [json!({}), json!(true), json!(null), json!({ "properties": { "a": { "default": 1 } } })] {
        assert!(
            generate_arguments(&schema, &mut Draws::new(1, 0, 0), Options::default()).is_ok(),
            "{schema}"
        );
    }
    let error = generate_arguments(&json!({ "type": "array" }), &mut Draws::new(1, 0, 0), Options::default());
    assert_eq!(error.unwrap_err().reason, "the types asked for exclude each other");
}

#[test]
fn a_schema_without_a_value_says_where_and_why() {
    for (schema, path, reason) in [
        (json!(false), "", "allows no value"),
        (json!({ "type": "string", "minLength": 5, "maxLength": 4 }), "", "`minLength` is above `maxLength`"),
        (json!({ "type": "integer", "minimum": 5, "maximum": 4 }), "", "no number lies within"),
        (
            json!({ "type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2 }),
            "",
            "no number lies within",
        ),
        (json!({ "type": "number", "multipleOf": 0 }), "", "`multipleOf` is zero"),
        (json!({ "type": "array", "minItems": 2, "maxItems": 1 }), "", "`minItems` is above `maxItems`"),
        (
            json!({ "type": "array", "minItems": 3, "uniqueItems": true, "items": { "type": "boolean" } }),
            "/2",
            "uniqueItems",
        ),
        (json!({ "enum": [] }), "", "no value of `enum`"),
        (json!({ "const": 5, "type": "string" }), "", "no value of `enum` or `const`"),
        (json!({ "allOf": [{ "type": "string" }, { "type": "integer" }] }), "", "exclude each other"),
        (json!({ "not": {} }), "", "breaks `not`"),
        (
            json!({ "type": "object", "required": ["a"], "additionalProperties": false }),
            "/a",
            "allows no value",
        ),
        (json!({ "type": "object", "required": ["a"], "maxProperties": 0 }), "", "maxProperties"),
        (
            json!({ "type": "object", "required": ["a/b"], "properties": {
            "a/b": { "type": "array", "minItems": 1, "items": false } } }),
            "/a~1b/0",
            "allows no value",
        ),
        (json!({ "$ref": "https://example.com/schema.json" }), "", "is not fetched"),
        (json!({ "$ref": "other.json#/a" }), "", "is not fetched"),
        (json!({ "$ref": "#/nowhere" }), "", "points at nothing"),
        (json!({ "type": "string", "pattern": "(" }), "", "cannot be read"),
        (json!({ "type": "string", "pattern": "^(?=a)b$" }), "", "no text found"),
        (json!({ "type": "object", "minProperties": 1, "additionalProperties": false }), "", "minProperties"),
    ] {
        let error = generated(&schema).expect_err(&schema.to_string());
        assert_eq!(error.path, path, "{schema}: {error}");
        assert!(error.reason.contains(reason), "{schema}: {error}");
    }
}
