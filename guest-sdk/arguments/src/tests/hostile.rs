//! Schemas that no server should send: the search must end, soon, in a value or an error.

use serde_json::{Map, Value, json};

use super::*;

/// Ends; and where it ends in a value, that value is valid.
fn ends(schema: &Value) -> Result<Value, CannotGenerate> {
    for options in ALL_OPTIONS {
        drop(generate(schema, &mut Draws::new(3, 0, 0), options));
    }
    generated(schema)
}

fn nested(levels: usize, wrap: impl Fn(Value) -> Value) -> Value {
    (0..levels).fold(json!({ "type": "string" }), |inner, _| wrap(inner))
}

/// Moves where `json!` would copy.
fn under(key: &str, inner: Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), inner)]))
}

#[test]
fn nesting_of_ten_thousand_levels_is_refused() {
    // Dropping such a value recurses, so the test brings its own stack.
    let test = || {
        for schema in [
            nested(10_000, |inner| under("items", inner)),
            nested(10_000, |inner| under("allOf", Value::Array(vec![inner]))),
            under("const", nested(10_000, |inner| Value::Array(vec![inner]))),
        ] {
            assert!(ends(&schema).unwrap_err().reason.contains("nested deeper"));
        }
    };
    std::thread::Builder::new().stack_size(256 << 20).spawn(test).unwrap().join().unwrap();
}

#[test]
fn nesting_within_the_limit_needs_no_large_stack() {
    for schema in [
        nested(60, |inner| json!({ "type": "array", "minItems": 1, "items": inner })),
        nested(100, |inner| json!({ "allOf": [inner] })),
        nested(120, |inner| json!({ "not": inner })),
        nested(120, |inner| json!({ "anyOf": [inner] })),
    ] {
        drop(ends(&schema));
    }
    let arrays = nested(50, |inner| json!({ "type": "array", "minItems": 1, "items": inner }));
    assert!(ends(&arrays).is_ok());
}

#[test]
fn circles_of_references_end() {
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "$ref": "#/a", "a": { "$ref": "#/b" }, "b": { "$ref": "#/a" } }),
        json!({ "allOf": [{ "$ref": "#" }] }),
        json!({ "anyOf": [{ "$ref": "#" }, { "type": "string" }] }),
        json!({ "oneOf": [{ "$ref": "#" }, { "$ref": "#" }] }),
        json!({ "not": { "$ref": "#" } }),
        json!({ "if": { "$ref": "#" }, "then": { "$ref": "#" }, "else": { "$ref": "#" } }),
        json!({ "propertyNames": { "$ref": "#" }, "minProperties": 3, "type": "object" }),
        json!({ "type": "object", "dependentSchemas": { "a": { "$ref": "#" } }, "required": ["a"] }),
    ] {
        drop(ends(&schema));
    }
}

#[test]
fn recursion_without_an_end_is_an_error() {
    for schema in [
        json!({ "type": "object", "required": ["a"], "properties": { "a": { "$ref": "#" } } }),
        json!({ "type": "array", "minItems": 1, "items": { "$ref": "#" } }),
        json!({ "type": "array", "minItems": 2, "items": { "$ref": "#" } }),
        json!({ "type": "object", "required": ["a", "b"], "additionalProperties": { "$ref": "#" } }),
        json!({ "anyOf": [{ "type": "array", "minItems": 1, "items": { "$ref": "#" } },
            { "type": "object", "required": ["x"], "properties": { "x": { "$ref": "#" } } }] }),
    ] {
        let error = ends(&schema).expect_err(&schema.to_string());
        assert!(error.reason.contains("nested deeper") || error.reason.contains("more work"), "{error}");
    }
}

#[test]
fn huge_demands_are_refused() {
    for schema in [
        json!({ "type": "array", "minItems": 1_000_000_000 }),
        json!({ "type": "array", "minItems": u64::MAX }),
        json!({ "type": "array", "minItems": 1e300 }),
        json!({ "type": "array", "minContains": 1_000_000, "contains": true }),
        json!({ "type": "string", "minLength": 1_000_000_000 }),
        json!({ "type": "string", "minLength": u64::MAX }),
        json!({ "type": "object", "minProperties": u64::MAX }),
        json!({ "type": "string", "pattern": "^a{1000000000}$" }),
        json!({ "type": "integer", "minimum": 1e300 }),
        json!({ "type": "number", "minimum": 1, "multipleOf": 1e-300 }),
        nested(4, |inner| json!({ "type": "array", "minItems": 1000, "items": inner })),
        json!({ "type": "array", "minItems": 1000, "items": { "type": "string", "minLength": 60_000 } }),
        json!({ "type": "array", "minItems": 1000, "items": { "const": "x".repeat(100_000) } }),
    ] {
        let error = ends(&schema).expect_err("too large to be generated");
        assert!(!error.reason.is_empty());
    }
}

#[test]
fn exponential_choices_end() {
    let branches = |depth: usize| {
        nested(
            depth,
            |inner| json!({ "anyOf": [{ "allOf": [inner, { "type": "integer" }] }, { "not": inner }] }),
        )
    };
    drop(ends(&branches(8)));
    let mut definitions = Map::new();
    for level in 0..40 {
        let next = json!({ "$ref": format!("#/$defs/d{}", level + 1) });
        definitions
            .insert(format!("d{level}"), json!({ "oneOf": [{ "not": next }, { "allOf": [next, next] }] }));
    }
    definitions.insert("d40".to_owned(), json!({ "type": "string", "pattern": "^(a+)+$" }));
    drop(ends(&json!({ "$ref": "#/$defs/d0", "$defs": definitions })));
    let wide: Vec<Value> =
        (0..30).map(|_| json!({ "anyOf": [{ "minimum": 5 }, { "maximum": 2 }, false] })).collect();
    drop(ends(&json!({ "type": "integer", "allOf": wide })));
}

#[test]
fn wide_schemas_end() {
    let many = 60_000;
    let numbers: Vec<Value> = (0..many).map(Value::from).collect();
    let names: Vec<Value> = (0..many).map(|index| json!(format!("n{index}"))).collect();
    let branches: Vec<Value> = (0..many).map(|index| json!({ "const": index, "type": "string" })).collect();
    let properties: Map<String, Value> =
        (0..many).map(|index| (format!("n{index}"), json!({ "default": 1 }))).collect();
    let patterns: Map<String, Value> = (0..400).map(|index| (format!("^n.*{index}$"), json!({}))).collect();
    for schema in [
        json!({ "enum": numbers }),
        json!({ "enum": numbers, "minimum": 59_999 }),
        json!({ "enum": numbers, "type": "string" }),
        json!({ "examples": numbers, "type": "string" }),
        json!({ "type": "array", "minItems": 1000, "uniqueItems": true, "items": { "enum": numbers } }),
        json!({ "type": "object", "required": names }),
        json!({ "type": "object", "properties": properties }),
        json!({ "type": "object", "properties": properties, "required": names, "patternProperties": patterns }),
        json!({ "type": "object", "minProperties": 900, "patternProperties": patterns }),
        json!({ "anyOf": branches }),
        json!({ "oneOf": branches }),
        json!({ "allOf": branches }),
        json!({ "type": "object", "required": ["n0"], "dependentRequired": { "n0": names } }),
    ] {
        drop(ends(&schema));
    }
}

#[test]
fn deep_closed_objects_are_judged_in_one_walk_per_level() {
    let closed = nested(18, |inner| {
        json!({ "type": "object", "required": ["a"], "additionalProperties": false,
        "patternProperties": { "^x": {} }, "properties": { "a": inner }, "not": { "required": ["b"] } })
    });
    assert!(ends(&closed).is_ok());
}

#[test]
fn keywords_of_the_wrong_type_do_not_panic() {
    let odd = [
        json!(null),
        json!(-1),
        json!(1.5),
        json!("x"),
        json!([]),
        json!({}),
        json!([null, 1, "a", {}]),
        json!(true),
    ];
    for keyword in [
        "type",
        "enum",
        "const",
        "default",
        "examples",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "required",
        "properties",
        "patternProperties",
        "additionalProperties",
        "propertyNames",
        "minProperties",
        "maxProperties",
        "dependentRequired",
        "dependentSchemas",
        "dependencies",
        "items",
        "prefixItems",
        "additionalItems",
        "minItems",
        "maxItems",
        "uniqueItems",
        "contains",
        "minContains",
        "maxContains",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "$ref",
        "$anchor",
        "$id",
        "$defs",
        "$dynamicRef",
    ] {
        for value in &odd {
            for kind in ["string", "integer", "number", "array", "object"] {
                drop(ends(&json!({ "type": kind, keyword: value })));
            }
            drop(ends(&json!({ keyword: value })));
        }
    }
}
