//! Valid values on the boundary: the smallest and the largest, the shortest and the longest, every choice, nothing optional.

use serde_json::{Number, Value};

use super::places::Place;
use super::{Boundary, Edit};
use crate::conjunction::Conjunction;
use crate::number::Bounds;

/// Longest text and most items that are made; a larger limit is not gone to.
const LARGEST: u64 = 65_536;
/// Most items of an array that are made.
const MOST_ITEMS: u64 = 1000;

impl Boundary<'_> {
    /// Changes that lead to another valid value, on the boundary: each limit of a number and of a length, each choice of an `enum`, the
    /// other truth, null, and an optional member left out. Where a lower limit is missing, zero or the empty text stands for it; a missing upper
    /// limit has no counterpart.
    pub fn within(&self, value: &Value) -> Vec<Edit> {
        let places = self.places(value);
        let edits = places.iter().flat_map(|place| {
            let set = |value| Edit { pointer: place.pointer.clone(), value: Some(value) };
            let without = left_out(place).map(|pointer| Edit { pointer, value: None });
            candidates(place)
                .into_iter()
                .filter(|other| other != place.value)
                .map(set)
                .chain(without)
                .collect::<Vec<_>>()
        });
        edits.filter(|edit| self.allows(&edit.applied_to(value)) == Some(true)).collect()
    }
}

/// The members that need not be there.
fn left_out<'p>(place: &'p Place<'_, '_>) -> impl Iterator<Item = String> + 'p {
    let names = place.value.as_object().into_iter().flatten().map(|(name, _)| name);
    names.filter(|name| !place.requires(name)).map(|name| place.member(name))
}

/// Values at the limits, valid as far as the place alone can tell.
fn candidates(place: &Place<'_, '_>) -> Vec<Value> {
    let conjunction = &place.conjunction;
    let choices: Vec<Value> =
        conjunction.values("enum").filter_map(Value::as_array).flatten().cloned().collect();
    if !choices.is_empty() {
        return choices;
    }
    match place.value {
        Value::Number(_) => numbers(conjunction),
        Value::String(_) => texts(conjunction),
        Value::Bool(truth) => vec![Value::Bool(!truth)],
        Value::Array(items) => arrays(conjunction, items),
        Value::Null | Value::Object(_) => Vec::new(),
    }
    .into_iter()
    .chain(may_be_null(conjunction).then_some(Value::Null))
    .collect()
}

fn may_be_null(conjunction: &Conjunction<'_>) -> bool {
    let mut types = conjunction.values("type");
    types.any(|names| names.as_array().is_some_and(|names| names.contains(&Value::from("null"))))
        || conjunction.values("nullable").any(|nullable| nullable == true)
}

fn numbers(conjunction: &Conjunction<'_>) -> Vec<Value> {
    let Ok(bounds) = Bounds::of(conjunction) else { return Vec::new() };
    let (low, high) = bounds.integers;
    // The nearest integer within, and the limit itself where that is a fraction.
    let mut numbers: Vec<Value> =
        [low.or(bounds.low.is_none().then_some(0)), high].into_iter().flatten().filter_map(whole).collect();
    for limit in [bounds.low, bounds.high].into_iter().flatten().filter(|limit| limit.fract() != 0.0) {
        numbers.extend(Number::from_f64(limit).map(Value::Number));
    }
    numbers
}

/// An integer as JSON, if it is one that every reader keeps exact.
pub(super) fn whole(integer: i128) -> Option<Value> {
    i64::try_from(integer).ok().filter(|integer| integer.unsigned_abs() < 1 << 53).map(Value::from)
}

fn texts(conjunction: &Conjunction<'_>) -> Vec<Value> {
    let lengths = [Some(conjunction.at_least("minLength")), Some(conjunction.at_most("maxLength"))];
    let made = lengths.into_iter().flatten().filter(|length| *length <= LARGEST);
    made.map(|length| Value::from(text_of(length))).collect()
}

/// A text of so many characters.
pub(super) fn text_of(length: u64) -> String {
    "a".repeat(usize::try_from(length).unwrap_or(0))
}

fn arrays(conjunction: &Conjunction<'_>, items: &[Value]) -> Vec<Value> {
    let fewest = conjunction.at_least("minItems").min(items.len() as u64);
    let most = conjunction.at_most("maxItems");
    let mut arrays = vec![items_of(items, fewest)];
    if most <= MOST_ITEMS && !items.is_empty() {
        arrays.push(items_of(items, most));
    }
    arrays
}

/// The items, repeated or cut off to so many.
pub(super) fn items_of(items: &[Value], count: u64) -> Value {
    items.iter().cycle().take(usize::try_from(count).unwrap_or(0)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn on_the_boundary(schema: &Value, value: &Value) -> Vec<Value> {
        let boundary = Boundary::of(schema).unwrap();
        boundary.within(value).iter().map(|edit| edit.applied_to(value)).collect()
    }

    #[test]
    fn every_limit_is_gone_to() {
        for (schema, value, expected) in [
            (json!({ "type": "integer", "minimum": 2, "maximum": 9 }), json!(5), json!([2, 9])),
            (json!({ "type": "integer" }), json!(5), json!([0])),
            (
                json!({ "type": "integer", "exclusiveMinimum": 2, "maximum": 9, "multipleOf": 3 }),
                json!(6),
                json!([3, 9]),
            ),
            (json!({ "type": "number", "minimum": 0.5, "maximum": 2 }), json!(1.5), json!([1, 2, 0.5])),
            (json!({ "type": "string", "minLength": 1, "maxLength": 3 }), json!("ab"), json!(["a", "aaa"])),
            (json!({ "type": "string", "format": "date" }), json!("2026-01-01"), json!([])),
            (json!({ "enum": ["a", "b", 3] }), json!("b"), json!(["a", 3])),
            (json!({ "type": "boolean" }), json!(true), json!([false])),
            (json!({ "type": ["string", "null"] }), json!("x"), json!(["", null])),
            (
                json!({ "type": "array", "minItems": 1, "maxItems": 3, "items": { "const": 7 } }),
                json!([7, 7]),
                json!([[7], [7, 7, 7]]),
            ),
            (
                json!({ "type": "array", "uniqueItems": true, "maxItems": 3, "items": { "const": 7 } }),
                json!([7]),
                json!([[]]),
            ),
        ] {
            assert_eq!(Value::Array(on_the_boundary(&schema, &value)), expected, "{schema}");
        }
    }

    #[test]
    fn limits_are_found_through_references_and_branches_and_optional_members_left_out() {
        let schema = json!({ "type": "object", "required": ["a"], "properties": {
            "a": { "$ref": "#/$defs/a" }, "b": { "anyOf": [{ "type": "string", "maxLength": 1 }, { "type": "integer", "maximum": 4 }] } },
            "$defs": { "a": { "type": "array", "items": { "type": "integer", "minimum": 1, "maximum": 2 } } } });
        let found = on_the_boundary(&schema, &json!({ "a": [1], "b": 3 }));
        for expected in [
            json!({ "a": [2], "b": 3 }),
            json!({ "a": [], "b": 3 }),
            json!({ "a": [1], "b": 4 }),
            json!({ "a": [1] }),
        ] {
            assert!(found.contains(&expected), "{expected} is missing from {found:?}");
        }
    }
}
