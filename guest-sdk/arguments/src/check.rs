//! Whether a value is valid against a schema: the judge of everything the generator builds or takes from the author.
//!
//! Formats are asserted, because servers that validate with ajv or pydantic assert them. Not judged: `unevaluated*`, `content*`.

use std::cmp::Ordering;

use serde_json::Value;

use crate::conjunction::{Keywords, count, list};
use crate::document::Document;
use crate::effort::{Effort, Exhausted};
use crate::number::{Decimal, compare};
use crate::pattern::Patterns;
use crate::{format, object};

/// Deepest recursion through schemas; a reference that leads back to itself on the same value ends here.
const MAX_DEPTH: usize = 200;

/// Why a value does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Violation {
    /// It breaks this keyword.
    Broken(String),
    /// Nobody knows: the tank is empty.
    Unknown,
}

impl From<Exhausted> for Violation {
    fn from(_: Exhausted) -> Self {
        Self::Unknown
    }
}

/// What a check needs besides the schema and the value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checker<'c, 's> {
    pub(crate) document: &'c Document<'s>,
    pub(crate) patterns: &'c Patterns,
    pub(crate) effort: &'c Effort,
    /// How deep this check stands within others.
    pub(crate) depth: usize,
}

type Judgement = Result<(), Violation>;

impl<'s> Checker<'_, 's> {
    /// Judges `value` by `schema`.
    pub(crate) fn check(self, schema: &'s Value, value: &Value) -> Judgement {
        match schema {
            Value::Object(keywords) => self.check_keywords(keywords, value),
            Value::Bool(false) => Err(Violation::Broken("false".to_owned())),
            _ => Ok(()),
        }
    }

    /// Judges `value` by a schema object.
    pub(crate) fn check_keywords(mut self, keywords: &'s Keywords, value: &Value) -> Judgement {
        self.effort.spend(1)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Violation::Unknown);
        }
        for (key, operand) in keywords {
            if !self.keyword_holds(keywords, key, operand, value)? {
                return Err(Violation::Broken(key.clone()));
            }
        }
        Ok(())
    }

    fn holds(self, schema: &'s Value, value: &Value) -> Result<bool, Violation> {
        match self.check(schema, value) {
            Ok(()) => Ok(true),
            Err(Violation::Broken(_)) => Ok(false),
            Err(Violation::Unknown) => Err(Violation::Unknown),
        }
    }

    fn matching(self, schemas: &'s [Value], value: &Value) -> Result<usize, Violation> {
        let mut matching = 0;
        for schema in schemas {
            matching += usize::from(self.holds(schema, value)?);
        }
        Ok(matching)
    }

    fn keyword_holds(
        self,
        keywords: &'s Keywords,
        key: &str,
        operand: &'s Value,
        value: &Value,
    ) -> Result<bool, Violation> {
        Ok(match key {
            "$ref" | "$dynamicRef" | "$recursiveRef" => {
                let Some(reference) = operand.as_str() else { return Ok(true) };
                match self.document.resolve(reference) {
                    Ok(target) => self.holds(target, value)?,
                    Err(reason) => return Err(Violation::Broken(reason)),
                }
            }
            "allOf" => {
                let all = list(keywords, key);
                self.matching(all, value)? == all.len()
            }
            "anyOf" => self.matching(list(keywords, key), value)? > 0,
            "oneOf" => self.matching(list(keywords, key), value)? == 1,
            "not" => !self.holds(operand, value)?,
            "if" => {
                let next = if self.holds(operand, value)? { "then" } else { "else" };
                keywords.get(next).map_or(Ok(true), |schema| self.holds(schema, value))?
            }
            "type" => is_of_type(operand, value),
            "const" => same(operand, value),
            "enum" => {
                let allowed = list(keywords, key);
                self.effort.spend(allowed.len() / 16)?;
                allowed.iter().any(|allowed| same(allowed, value))
            }
            _ => match value {
                Value::Number(number) => number_holds(keywords, key, operand, number),
                Value::String(text) => self.text_holds(key, operand, text),
                Value::Array(items) => self.array_holds(keywords, key, operand, items)?,
                Value::Object(members) => self.object_holds(keywords, key, operand, members)?,
                Value::Null | Value::Bool(_) => true,
            },
        })
    }

    fn text_holds(self, key: &str, operand: &Value, text: &str) -> bool {
        let length = || text.chars().count() as u64;
        match key {
            "minLength" => count(operand).is_none_or(|least| length() >= least),
            "maxLength" => count(operand).is_none_or(|most| length() <= most),
            "pattern" => operand.as_str().is_none_or(|pattern| self.patterns.matches(pattern, text)),
            "format" => operand.as_str().is_none_or(|name| format::holds(name, text)),
            _ => true,
        }
    }

    fn array_holds(
        self,
        keywords: &'s Keywords,
        key: &str,
        operand: &'s Value,
        items: &[Value],
    ) -> Result<bool, Violation> {
        let length = items.len() as u64;
        Ok(match key {
            "minItems" => count(operand).is_none_or(|least| length >= least),
            "maxItems" => count(operand).is_none_or(|most| length <= most),
            "uniqueItems" if operand == true => {
                self.effort.spend(items.len() * items.len() / 8)?;
                (1..items.len()).all(|end| !items[..end].iter().any(|item| same(item, &items[end])))
            }
            "prefixItems" => self.pairwise(list(keywords, key), items)?,
            "items" => match operand.as_array() {
                Some(schemas) => self.pairwise(schemas, items)?,
                None => self.each(operand, items.get(list(keywords, "prefixItems").len()..))?,
            },
            "additionalItems" => match keywords.get("items").and_then(Value::as_array) {
                Some(schemas) => self.each(operand, items.get(schemas.len()..))?,
                None => true,
            },
            "contains" => {
                let least = keywords.get("minContains").and_then(count).unwrap_or(1);
                let most = keywords.get("maxContains").and_then(count).unwrap_or(u64::MAX);
                let mut found = 0;
                for item in items {
                    found += u64::from(self.holds(operand, item)?);
                }
                (least..=most).contains(&found)
            }
            _ => true,
        })
    }

    fn pairwise(self, schemas: &'s [Value], items: &[Value]) -> Result<bool, Violation> {
        for (schema, item) in schemas.iter().zip(items) {
            if !self.holds(schema, item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn each(self, schema: &'s Value, items: Option<&[Value]>) -> Result<bool, Violation> {
        for item in items.unwrap_or_default() {
            if !self.holds(schema, item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn object_holds(
        self,
        keywords: &'s Keywords,
        key: &str,
        operand: &'s Value,
        members: &Keywords,
    ) -> Result<bool, Violation> {
        let size = members.len() as u64;
        let has = |name: &Value| name.as_str().is_none_or(|name| members.contains_key(name));
        Ok(match key {
            "minProperties" => count(operand).is_none_or(|least| size >= least),
            "maxProperties" => count(operand).is_none_or(|most| size <= most),
            "required" => list(keywords, key).iter().all(has),
            // One walk over the members serves the three keywords, so only the first of those that are there takes it.
            "properties" | "patternProperties" | "additionalProperties" => {
                let earlier =
                    ["properties", "patternProperties"].into_iter().take_while(|earlier| *earlier != key);
                if earlier.into_iter().any(|earlier| keywords.contains_key(earlier)) {
                    return Ok(true);
                }
                for (name, member) in members {
                    self.effort.spend(object::lookup_cost(keywords))?;
                    for schema in object::member_schemas(keywords, name, self.patterns) {
                        if !self.holds(schema, member)? {
                            return Ok(false);
                        }
                    }
                }
                true
            }
            "propertyNames" => {
                for name in members.keys() {
                    if !self.holds(operand, &Value::String(name.clone()))? {
                        return Ok(false);
                    }
                }
                true
            }
            "dependentRequired" | "dependentSchemas" | "dependencies" => {
                for (name, demand) in operand.as_object().into_iter().flatten() {
                    let met = !members.contains_key(name)
                        || match demand.as_array() {
                            Some(names) => names.iter().all(has),
                            None => self.holds(demand, &Value::Object(members.clone()))?,
                        };
                    if !met {
                        return Ok(false);
                    }
                }
                true
            }
            _ => true,
        })
    }
}

fn number_holds(keywords: &Keywords, key: &str, operand: &Value, number: &serde_json::Number) -> bool {
    let against = |limit: &Value| limit.as_number().map(|limit| compare(number, limit));
    // Draft-04 wrote `exclusiveMinimum: true` beside `minimum`.
    let exclusive = |flag: &str| keywords.get(flag) == Some(&Value::Bool(true));
    match key {
        "minimum" => against(operand).is_none_or(|order| match order {
            Ordering::Less => false,
            Ordering::Equal => !exclusive("exclusiveMinimum"),
            Ordering::Greater => true,
        }),
        "maximum" => against(operand).is_none_or(|order| match order {
            Ordering::Less => true,
            Ordering::Equal => !exclusive("exclusiveMaximum"),
            Ordering::Greater => false,
        }),
        "exclusiveMinimum" => against(operand).is_none_or(Ordering::is_gt),
        "exclusiveMaximum" => against(operand).is_none_or(Ordering::is_lt),
        "multipleOf" => match (Decimal::of(number), operand.as_number().and_then(Decimal::of)) {
            (Some(number), Some(step)) => number.is_multiple_of(step),
            _ => false,
        },
        _ => true,
    }
}

fn is_of_type(names: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => {
            value.as_number().is_some_and(|number| Decimal::of(number).is_some_and(Decimal::is_whole))
        }
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    };
    names.as_array().map_or_else(|| is(names), |names| names.iter().any(is))
}

/// Equality of JSON Schema: `1` and `1.0` are the same.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => compare(one, other).is_eq(),
        _ => one == other,
    }
}
