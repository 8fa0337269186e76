//! All that is demanded of one value at once.
//!
//! A schema says it in several places: itself, what its `$ref` points at, `allOf`, a branch of `anyOf` and `oneOf`, `then` or
//! `else`. Here they are gathered into a flat list of schema objects, borrowed from the document; no schema is ever merged.

use std::ptr;

use serde_json::{Map, Value};

use crate::document::Document;

/// A schema object: keyword to value.
pub(crate) type Keywords = Map<String, Value>;

/// Most ways through the branches of one value that are told apart.
const MAX_WAYS: usize = 64;
/// Most schema objects that are gathered for one value.
const MAX_PARTS: usize = 2000;

/// Schema objects that must all hold of one value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conjunction<'s> {
    /// The schema objects, in the order they were met.
    pub(crate) parts: Vec<&'s Keywords>,
    /// How many schemas were looked at to gather them.
    pub(crate) cost: usize,
    /// In how many ways branches can be chosen, as far as seen; at least one.
    pub(crate) ways: usize,
    /// Why no value can satisfy it.
    pub(crate) contradiction: Option<String>,
}

impl<'s> Conjunction<'s> {
    /// Gathers `schemas`, choosing branches by the digits of `way` in the mixed radix of the numbers of branches.
    pub(crate) fn gather(document: &Document<'s>, schemas: &[&'s Value], mut way: usize) -> Self {
        let mut gathered = Self { ways: 1, ..Self::default() };
        let mut open: Vec<&Value> = schemas.iter().rev().copied().collect();
        while let Some(schema) = open.pop() {
            let keywords = match schema {
                Value::Object(keywords) => keywords,
                Value::Bool(false) => {
                    gathered.contradiction = Some("the schema allows no value here".to_owned());
                    continue;
                }
                _ => continue,
            };
            if gathered.parts.iter().any(|part| ptr::eq(*part, keywords)) {
                continue;
            }
            if gathered.parts.len() >= MAX_PARTS {
                gathered.contradiction =
                    Some(format!("more than {MAX_PARTS} schemas demand something of one value"));
                break;
            }
            gathered.parts.push(keywords);
            gathered.cost += 1 + list(keywords, "allOf").len();
            for key in ["$ref", "$dynamicRef", "$recursiveRef"] {
                match keywords.get(key).and_then(Value::as_str).map(|reference| document.resolve(reference)) {
                    Some(Ok(target)) => open.push(target),
                    Some(Err(reason)) => gathered.contradiction = Some(reason),
                    None => {}
                }
            }
            open.extend(list(keywords, "allOf"));
            for branches in choices(keywords) {
                if branches.is_empty() {
                    continue;
                }
                open.extend(&branches[way % branches.len()]);
                way /= branches.len();
                gathered.cost += branches.len();
                gathered.ways = gathered.ways.saturating_mul(branches.len()).min(MAX_WAYS);
            }
        }
        gathered
    }

    /// The values of `key` in all parts that have it.
    pub(crate) fn values(&self, key: &str) -> impl Iterator<Item = &'s Value> {
        self.parts.iter().filter_map(move |part| part.get(key))
    }

    /// The largest whole number given for `key`, a lower bound such as `minItems`.
    pub(crate) fn at_least(&self, key: &str) -> u64 {
        self.values(key).filter_map(count).max().unwrap_or(0)
    }

    /// The smallest whole number given for `key`, an upper bound such as `maxItems`.
    pub(crate) fn at_most(&self, key: &str) -> u64 {
        self.values(key).filter_map(count).min().unwrap_or(u64::MAX)
    }

    /// Whether a value built from the parts may still break one of them.
    pub(crate) fn wants_check(&self) -> bool {
        const INDIRECT: [&str; 8] =
            ["anyOf", "oneOf", "not", "if", "contains", "propertyNames", "dependentSchemas", "dependencies"];
        self.parts.iter().any(|part| INDIRECT.iter().any(|key| part.contains_key(*key)))
    }
}

/// A keyword's count; `2.0` is a count too.
pub(crate) fn count(value: &Value) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; checked whole")]
    let whole = |float: f64| (float >= 0.0 && float.fract() == 0.0).then_some(float as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(whole))
}

/// The schemas of an array-valued keyword.
pub(crate) fn list<'s>(keywords: &'s Keywords, key: &str) -> &'s [Value] {
    keywords.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The choices a schema object leaves: each a list of branches, each branch the schemas that it adds.
fn choices(keywords: &Keywords) -> impl Iterator<Item = Vec<Vec<&Value>>> {
    let alternatives = ["anyOf", "oneOf"].into_iter().map(|key| {
        // A null is the least telling value, so it is tried last.
        let (nulls, others): (Vec<_>, Vec<_>) =
            list(keywords, key).iter().partition(|branch| branch["type"] == "null");
        others.into_iter().chain(nulls).map(|branch| vec![branch]).collect()
    });
    let condition = keywords.get("if").map(|condition| {
        let then = [Some(condition), keywords.get("then")].into_iter().flatten().collect();
        let otherwise = keywords.get("else").into_iter().collect();
        vec![then, otherwise]
    });
    alternatives.chain(condition)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn types(schema: &Value, way: usize) -> Vec<String> {
        let document = Document::new(schema).unwrap();
        let gathered = Conjunction::gather(&document, &[schema], way);
        gathered.values("type").map(|kind| kind.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn branches_are_chosen_by_number_and_null_comes_last() {
        let schema = json!({ "anyOf": [{ "type": "null" }, { "type": "string" }, { "type": "array" }] });
        assert_eq!(types(&schema, 0), ["string"]);
        assert_eq!(types(&schema, 1), ["array"]);
        assert_eq!(types(&schema, 2), ["null"]);
    }

    #[test]
    fn references_in_a_circle_are_gathered_once() {
        let schema = json!({ "$ref": "#/$defs/a", "$defs": {
            "a": { "type": "string", "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } });
        assert_eq!(types(&schema, 0), ["string"]);
    }

    #[test]
    fn a_condition_is_a_choice_between_then_and_else() {
        let schema =
            json!({ "if": { "type": "string" }, "then": { "type": "array" }, "else": { "type": "null" } });
        let mut then = types(&schema, 0);
        then.sort();
        assert_eq!(then, ["array", "string"]);
        assert_eq!(types(&schema, 1), ["null"]);
    }

    #[test]
    fn false_and_foreign_references_are_contradictions() {
        for schema in [json!({ "allOf": [false] }), json!({ "$ref": "https://example.com/a" })] {
            let document = Document::new(&schema).unwrap();
            assert!(Conjunction::gather(&document, &[&schema], 0).contradiction.is_some(), "{schema}");
        }
    }
}
