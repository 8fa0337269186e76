//! Near misses: valid values with one flaw.

use serde_json::{Number, Value, json};

use super::places::Place;
use super::within::{items_of, text_of, whole};
use super::{Boundary, Edit};
use crate::conjunction::{Conjunction, count};
use crate::number::Bounds;

/// Largest limit of a length that is gone beyond.
const LARGEST: u64 = 65_536;
/// Most items of an array that are made.
const MOST_ITEMS: u64 = 1000;

/// What is wrong with a near miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flaw {
    /// A value of another type.
    WrongType,
    /// A required member is not there.
    MissingRequired,
    /// A member that the schema does not know, where it says that there are no others.
    ExtraProperty,
    /// A number just below its minimum.
    BelowMinimum,
    /// A number just above its maximum.
    AboveMaximum,
    /// A number between two multiples of its `multipleOf`, such as a fraction for an integer.
    BetweenSteps,
    /// A text one character too short, or an array one item.
    TooShort,
    /// A text one character too long, or an array one item.
    TooLong,
    /// None of the choices of an `enum` or `const`.
    WrongChoice,
    /// Null where there is to be a value.
    Null,
}

/// A change that makes a valid value invalid.
#[derive(Debug, Clone, PartialEq)]
pub struct Miss {
    /// What is wrong afterwards.
    pub flaw: Flaw,
    /// The change.
    pub edit: Edit,
}

impl Boundary<'_> {
    /// Changes after which the schema refuses `value`, of every flaw that its places allow.
    pub fn beyond(&self, value: &Value) -> Vec<Miss> {
        let misses = self.places(value).iter().flat_map(flawed).collect::<Vec<Miss>>();
        misses.into_iter().filter(|miss| self.allows(&miss.edit.applied_to(value)) == Some(false)).collect()
    }
}

/// What may be a miss in this place, as far as the place alone can tell.
fn flawed(place: &Place<'_, '_>) -> Vec<Miss> {
    let here = |flaw: Flaw, value: Value| Miss {
        flaw,
        edit: Edit { pointer: place.pointer.clone(), value: Some(value) },
    };
    let conjunction = &place.conjunction;
    let mut misses = Vec::new();
    // The arguments as a whole are an object and never null, for the protocol has it so.
    if !place.pointer.is_empty() {
        misses.extend([here(Flaw::WrongType, of_another_type(place.value)), here(Flaw::Null, Value::Null)]);
    }
    if conjunction.values("enum").chain(conjunction.values("const")).next().is_some() {
        misses.push(here(Flaw::WrongChoice, wrong_choice(place.value)));
        return misses;
    }
    match place.value {
        Value::Number(_) => {
            misses.extend(numbers(conjunction).into_iter().map(|(flaw, value)| here(flaw, value)));
        }
        Value::String(_) => {
            let texts = lengths(conjunction, "minLength", "maxLength", LARGEST);
            misses.extend(texts.into_iter().map(|(flaw, length)| here(flaw, text_of(length).into())));
        }
        Value::Array(items) => {
            let arrays = lengths(conjunction, "minItems", "maxItems", MOST_ITEMS);
            misses.extend(arrays.into_iter().map(|(flaw, length)| here(flaw, items_of(items, length))));
        }
        Value::Object(members) => {
            let required = members.keys().filter(|name| place.requires(name));
            misses.extend(required.map(|name| Miss {
                flaw: Flaw::MissingRequired,
                edit: Edit { pointer: place.member(name), value: None },
            }));
            misses.push(Miss {
                flaw: Flaw::ExtraProperty,
                edit: Edit { pointer: place.member("unexpected_property"), value: Some(json!("unexpected")) },
            });
        }
        Value::Bool(_) | Value::Null => {}
    }
    misses
}

/// A value that no lenient reader takes for one of the other's type: no number in a text, no text that is a truth.
fn of_another_type(value: &Value) -> Value {
    match value {
        Value::Object(_) => json!("not an object"),
        Value::Array(_) => json!({ "not": "an array" }),
        Value::String(_) => json!({ "not": "a string" }),
        Value::Number(_) => json!("not a number"),
        Value::Bool(_) => json!("neither true nor false"),
        Value::Null => json!({ "not": "null" }),
    }
}

/// A value of the same type that is hardly among the choices.
fn wrong_choice(value: &Value) -> Value {
    match value {
        Value::Number(_) => json!(-987_654_321),
        Value::Bool(truth) => json!(!truth),
        Value::String(text) => json!(format!("{text}-not-a-choice")),
        other => of_another_type(other),
    }
}

fn numbers(conjunction: &Conjunction<'_>) -> Vec<(Flaw, Value)> {
    let Ok(bounds) = Bounds::of(conjunction) else { return Vec::new() };
    let one_off =
        |integer: Option<i128>, by: i128| integer.and_then(|integer| whole(integer.checked_add(by)?));
    let fraction = |limit: Option<f64>, by: f64| {
        limit
            .filter(|limit| limit.fract() != 0.0)
            .and_then(|limit| Number::from_f64(limit + by))
            .map(Value::Number)
    };
    let candidates = [
        (Flaw::BelowMinimum, fraction(bounds.low, -1.0).or_else(|| one_off(bounds.integers.0, -1))),
        (Flaw::AboveMaximum, fraction(bounds.high, 1.0).or_else(|| one_off(bounds.integers.1, 1))),
        (Flaw::BetweenSteps, between_steps(conjunction, &bounds)),
    ];
    candidates.into_iter().filter_map(|(flaw, value)| Some((flaw, value?))).collect()
}

/// A number within the bounds that is no integer or no multiple, where one is asked for.
fn between_steps(conjunction: &Conjunction<'_>, bounds: &Bounds) -> Option<Value> {
    let stepped = conjunction.values("type").any(|name| name == "integer")
        || conjunction.values("multipleOf").next().is_some();
    let within = bounds.low.unwrap_or_else(|| bounds.high.map_or(0.0, |high| high - 1.0));
    // An odd fraction, which is a multiple of nothing that people write.
    Number::from_f64(within.floor() + 0.531_25).filter(|_| stepped).map(Value::Number)
}

/// One less than the least and one more than the most.
fn lengths(conjunction: &Conjunction<'_>, least: &str, most: &str, largest: u64) -> Vec<(Flaw, u64)> {
    let shorter = conjunction.at_least(least).checked_sub(1).map(|length| (Flaw::TooShort, length));
    let limited = conjunction.values(most).filter_map(count).min();
    let longer = limited.filter(|length| *length < largest).map(|length| (Flaw::TooLong, length + 1));
    shorter.filter(|(_, length)| *length < largest).into_iter().chain(longer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misses(schema: &Value, value: &Value) -> Vec<(Flaw, Value)> {
        let boundary = Boundary::of(schema).unwrap();
        boundary.beyond(value).into_iter().map(|miss| (miss.flaw, miss.edit.applied_to(value))).collect()
    }

    fn of(flaw: Flaw, schema: &Value, value: &Value) -> Vec<Value> {
        misses(schema, value)
            .into_iter()
            .filter(|(other, _)| *other == flaw)
            .map(|(_, value)| value)
            .collect()
    }

    #[test]
    fn every_flaw_is_found_where_the_schema_has_room_for_it() {
        let one = |schema: Value, value: Value| {
            (json!({ "type": "object", "properties": { "a": schema } }), json!({ "a": value }))
        };
        for (flaw, schema, valid, flawed) in [
            (Flaw::BelowMinimum, json!({ "type": "integer", "minimum": 3 }), json!(4), json!(2)),
            (Flaw::BelowMinimum, json!({ "type": "integer", "exclusiveMinimum": 3 }), json!(4), json!(3)),
            (Flaw::BelowMinimum, json!({ "type": "number", "minimum": 0.5 }), json!(1), json!(-0.5)),
            (Flaw::AboveMaximum, json!({ "type": "integer", "maximum": 3 }), json!(2), json!(4)),
            (Flaw::BetweenSteps, json!({ "type": "integer", "minimum": 3 }), json!(4), json!(3.53125)),
            (Flaw::TooShort, json!({ "type": "string", "minLength": 1 }), json!("x"), json!("")),
            (Flaw::TooLong, json!({ "type": "string", "maxLength": 2 }), json!("x"), json!("aaa")),
            (Flaw::TooShort, json!({ "type": "array", "minItems": 1 }), json!([1]), json!([])),
            (Flaw::TooLong, json!({ "type": "array", "maxItems": 2 }), json!([1]), json!([1, 1, 1])),
            (Flaw::WrongChoice, json!({ "enum": ["x", "y"] }), json!("x"), json!("x-not-a-choice")),
            (Flaw::WrongChoice, json!({ "const": true }), json!(true), json!(false)),
            (Flaw::WrongType, json!({ "type": "number" }), json!(1), json!("not a number")),
            (Flaw::Null, json!({ "type": "string" }), json!("x"), Value::Null),
        ] {
            let (schema, valid) = one(schema, valid);
            assert_eq!(of(flaw, &schema, &valid), [json!({ "a": flawed })], "{flaw:?} {schema}");
        }
    }

    #[test]
    fn members_are_missed_and_added() {
        let schema = json!({ "type": "object", "required": ["a"], "additionalProperties": false,
            "properties": { "a": true, "b": { "type": "object", "required": ["c/d"] } } });
        let valid = json!({ "a": 1, "b": { "c/d": 2 } });
        assert_eq!(
            of(Flaw::MissingRequired, &schema, &valid),
            [json!({ "b": { "c/d": 2 } }), json!({ "a": 1, "b": {} })]
        );
        let extra = of(Flaw::ExtraProperty, &schema, &valid);
        assert_eq!(extra, [json!({ "a": 1, "b": { "c/d": 2 }, "unexpected_property": "unexpected" })]);
    }

    #[test]
    fn what_the_schema_allows_after_all_is_no_miss() {
        for schema in [json!({}), json!({ "type": "object", "properties": { "a": {} } })] {
            assert_eq!(misses(&schema, &json!({ "a": 1 })), [], "{schema}");
        }
        let nullable = json!({ "properties": { "a": { "anyOf": [{ "type": "number" }, { "type": "null" }, { "type": "string" }] } } });
        assert_eq!(misses(&nullable, &json!({ "a": 1 })), []);
    }
}
