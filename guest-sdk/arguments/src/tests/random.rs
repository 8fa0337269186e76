//! Schemas drawn at random: tame ones must yield a value, wild ones must not yield a wrong one.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

/// Schemas that surely have a value, of nested objects, arrays, choices and leaves.
fn tame() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({ "type": "boolean" })),
        Just(json!({ "type": ["string", "null"] })),
        (-1000_i64..1000, 0_i64..2000).prop_map(|(low, span)| json!({
            "type": "integer", "minimum": low, "maximum": low + span })),
        (-1000_i64..1000, 1_u32..50).prop_map(|(low, step)| json!({
            "type": "number", "exclusiveMinimum": low, "multipleOf": f64::from(step) / 10.0 })),
        (-10.0_f64..10.0, 0.001_f64..5.0).prop_map(|(low, span)| json!({
            "type": "number", "minimum": low, "maximum": low + span })),
        (0_usize..40, 0_usize..40).prop_map(|(least, span)| json!({
            "type": "string", "minLength": least, "maxLength": least + span })),
        prop_oneof![Just("^[a-z]{2,9}$"), Just(r"^\d+(\.\d+)?$"), Just("^(a|bc)+x?$"), Just("[A-F0-9]{4}")]
            .prop_map(|pattern| json!({ "type": "string", "pattern": pattern })),
        prop_oneof![Just("date"), Just("email"), Just("uuid"), Just("uri"), Just("ipv6"), Just("time")]
            .prop_map(|format| json!({ "type": "string", "format": format })),
        vec(any::<i32>(), 1..5).prop_map(|values| json!({ "enum": values })),
        any::<String>().prop_map(|value| json!({ "const": value })),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            (btree_map(".{0,8}", inner.clone(), 0..5), any::<u64>(), any::<bool>()).prop_map(
                |(properties, mask, closed)| {
                    let chosen =
                        |(index, name): (usize, &String)| (mask >> index & 1 == 1).then(|| name.clone());
                    let required: Vec<String> = properties.keys().enumerate().filter_map(chosen).collect();
                    json!({ "type": "object", "properties": properties, "required": required,
                        "additionalProperties": !closed })
                }
            ),
            (inner.clone(), 0_usize..4).prop_map(|(items, least)| json!({
                "type": "array", "items": items, "minItems": least, "maxItems": least + 2 })),
            vec(inner.clone(), 1..4).prop_map(|branches| json!({ "anyOf": branches })),
            vec(inner.clone(), 1..4).prop_map(|prefix| json!({
                "type": "array", "minItems": prefix.len(), "prefixItems": prefix })),
            inner
                .prop_map(|schema| json!({ "$ref": "#/$defs/x", "$defs": { "x": schema } }))
                .prop_map(|schema| schema["$defs"]["x"].clone()),
        ]
    })
}

/// Any keywords together, sensible or not.
fn wild() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-5_i64..20).prop_map(Value::from),
        "[a-c]{0,3}".prop_map(Value::from),
        Just(Value::Null),
    ];
    let number = || prop_oneof![(-5_i64..20).prop_map(Value::from), (-5.0_f64..20.0).prop_map(Value::from)];
    let count = || (0_u64..5).prop_map(Value::from);
    let kinds = ["string", "integer", "number", "array", "object", "boolean", "null"];
    let leaf =
        prop_oneof![any::<bool>().prop_map(Value::from), Just(json!({})), Just(json!({ "$ref": "#" }))];
    leaf.prop_recursive(3, 60, 6, move |inner| {
        let named = btree_map("[a-c]", inner.clone(), 0..3).prop_map(|map| json!(map));
        let several = vec(inner.clone(), 1..3).prop_map(Value::from);
        let keyword = prop_oneof![
            proptest::sample::subsequence(kinds.to_vec(), 1..4).prop_map(|kinds| ("type", json!(kinds))),
            vec(scalar.clone(), 1..4).prop_map(|values| ("enum", json!(values))),
            scalar.clone().prop_map(|value| ("const", value)),
            scalar.clone().prop_map(|value| ("default", value)),
            (
                proptest::sample::select(vec!["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]),
                number()
            ),
            (1_u32..30).prop_map(|step| ("multipleOf", json!(f64::from(step) / 4.0))),
            (
                proptest::sample::select(vec![
                    "minLength",
                    "maxLength",
                    "minItems",
                    "maxItems",
                    "minProperties",
                    "maxProperties",
                    "minContains",
                    "maxContains"
                ]),
                count()
            ),
            Just(("pattern", json!("^[a-c]+$"))),
            Just(("uniqueItems", json!(true))),
            vec("[a-c]", 0..3).prop_map(|names| {
                let names: std::collections::BTreeSet<String> = names.into_iter().collect();
                ("required", json!(names))
            }),
            (proptest::sample::select(vec!["properties", "patternProperties", "dependentSchemas"]), named),
            (
                proptest::sample::select(vec![
                    "items",
                    "additionalProperties",
                    "propertyNames",
                    "contains",
                    "not",
                    "if",
                    "then",
                    "else"
                ]),
                inner
            ),
            (proptest::sample::select(vec!["prefixItems", "allOf", "anyOf", "oneOf"]), several),
        ];
        vec(keyword, 0..5).prop_map(|keywords| {
            let keywords: Map<String, Value> =
                keywords.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            Value::Object(keywords)
        })
    })
}

/// A reference to the root at the place of the root itself, or below it without descending into the value, has no meaning.
fn loops(schema: &Value) -> bool {
    schema.to_string().contains("$ref")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn a_tame_schema_yields_a_valid_value(schema in tame(), seed: u64) {
        for options in ALL_OPTIONS {
            let value = generate(&schema, &mut Draws::new(seed, 0, 0), options);
            let value = value.map_err(|error| TestCaseError::fail(format!("{schema}: {error}")))?;
            prop_assert_eq!(objections(&judge(&schema), &value), [""; 0], "{}: {}", schema, value);
        }
    }

    #[test]
    fn a_wild_schema_never_yields_a_wrong_value(schema in wild(), seed: u64) {
        for options in ALL_OPTIONS {
            if let Ok(value) = generate(&schema, &mut Draws::new(seed, 0, 0), options) && !loops(&schema) {
                prop_assert_eq!(objections(&judge(&schema), &value), [""; 0], "{}: {}", schema, value);
            }
        }
    }

    #[test]
    fn the_boundary_is_where_it_is_said_to_be(schema in prop_oneof![tame(), wild()], seed: u64) {
        let value = generate(&schema, &mut Draws::of(seed), ALL_OPTIONS[2]);
        if let Ok(value) = value && !loops(&schema) {
            let judge = judge(&schema);
            let boundary = Boundary::of(&schema).map_err(|error| TestCaseError::fail(error.to_string()))?;
            for edit in boundary.within(&value) {
                let allowed = edit.applied_to(&value);
                prop_assert_eq!(objections(&judge, &allowed), [""; 0], "{}: {}", schema, allowed);
            }
            for miss in boundary.beyond(&value) {
                let refused = miss.edit.applied_to(&value);
                prop_assert!(!judge.is_valid(&refused), "{:?} {}: {}", miss.flaw, schema, refused);
            }
        }
    }
}
