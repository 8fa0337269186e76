//! Objects: what is required, and of the rest what the options ask for.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::OptionalProperties;
use crate::conjunction::{Conjunction, Keywords, list};
use crate::generator::{Generator, Stop};
use crate::pattern::Patterns;

/// Most properties that are generated.
const MAX_PROPERTIES: u64 = 1000;
/// From here on, properties that may be left out are.
const SPARSE_DEPTH: usize = 4;
/// Names tried for properties that the schema counts but does not name.
const NAME_TRIES: usize = 100;

/// The schemas that one schema object has for the member `name`.
pub(crate) fn member_schemas<'s>(part: &'s Keywords, name: &str, patterns: &Patterns) -> Vec<&'s Value> {
    let named = part.get("properties").and_then(|properties| properties.get(name));
    let matching = part.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
    let matching = matching.filter(|(pattern, _)| patterns.matches(pattern, name)).map(|(_, schema)| schema);
    let schemas: Vec<&Value> = named.into_iter().chain(matching).collect();
    if schemas.is_empty() { part.get("additionalProperties").into_iter().collect() } else { schemas }
}

/// What one call of [`member_schemas`] costs: a match for every pattern, dearer than other steps.
pub(crate) fn lookup_cost(part: &Keywords) -> usize {
    1 + 8 * part.get("patternProperties").and_then(Value::as_object).map_or(0, Map::len)
}

impl<'s> Generator<'s, '_> {
    /// An object.
    pub(crate) fn object(
        &mut self,
        conjunction: &Conjunction<'s>,
        vary: usize,
        depth: usize,
    ) -> Result<Value, Stop> {
        let mut conjunction = conjunction.clone();
        let mut required = self.required(&mut conjunction, &Map::new())?;
        let known = known_names(&conjunction);
        let (least, most) = (conjunction.at_least("minProperties"), conjunction.at_most("maxProperties"));
        if required.len() as u64 > most {
            return Err(self.stuck("`required` names more properties than `maxProperties` allows"));
        }
        if least > most {
            return Err(self.stuck("`minProperties` is above `maxProperties`"));
        }
        if least.max(required.len() as u64) > MAX_PROPERTIES {
            return Err(self.stuck(format!("more than {MAX_PROPERTIES} properties are required")));
        }
        let mut members = Map::new();
        // In the order of the schema, so that the file reads as its author wrote it.
        self.effort.spend(known.len())?;
        for name in known.iter().copied().filter(|name| !required.contains(name)) {
            let has_room = ((members.len() + required.len()) as u64) < most;
            if depth < SPARSE_DEPTH && has_room && self.wants(&conjunction, name) {
                let member = self.optional_member(&conjunction, name, vary, depth)?;
                members.extend(member.map(|member| (name.to_owned(), member)));
            }
        }
        // What is there may demand more.
        required = self.required(&mut conjunction, &members)?;
        for name in required {
            if !members.contains_key(name) {
                let member = self.member(&conjunction, name, vary, depth)?;
                members.insert(name.to_owned(), member);
            }
        }
        for name in known.iter().copied() {
            if (members.len() as u64) < least && !members.contains_key(name) {
                let member = self.optional_member(&conjunction, name, vary, depth)?;
                members.extend(member.map(|member| (name.to_owned(), member)));
            }
        }
        self.fill(&conjunction, &mut members, least, vary, depth)?;
        let mut ordered: Map<String, Value> =
            known.iter().filter_map(|name| members.remove_entry(*name)).collect();
        ordered.extend(members);
        Ok(Value::Object(ordered))
    }

    /// The names required, `present` and what they bring with them included; schemas that depend on them join the conjunction.
    fn required(
        &mut self,
        conjunction: &mut Conjunction<'s>,
        present: &Map<String, Value>,
    ) -> Result<BTreeSet<&'s str>, Stop> {
        let mut names: BTreeSet<&'s str> = BTreeSet::new();
        loop {
            let before = (names.len(), conjunction.parts.len());
            let mut schemas: Vec<&'s Value> = Vec::new();
            for part in conjunction.parts.clone() {
                let demanded = list(part, "required");
                self.effort.spend(1 + demanded.len())?;
                names.extend(demanded.iter().filter_map(Value::as_str));
                for key in ["dependentRequired", "dependentSchemas", "dependencies"] {
                    for (name, demand) in part.get(key).and_then(Value::as_object).into_iter().flatten() {
                        self.effort.spend(1)?;
                        if names.contains(name.as_str()) || present.contains_key(name) {
                            names.extend(demand.as_array().into_iter().flatten().filter_map(Value::as_str));
                            schemas.extend(Some(demand).filter(|demand| !demand.is_array()));
                        }
                    }
                }
            }
            if !schemas.is_empty() {
                let dependent = Conjunction::gather(&self.document, &schemas, 0);
                if let Some(reason) = dependent.contradiction {
                    return Err(self.stuck(reason));
                }
                for part in dependent.parts {
                    if !conjunction.parts.iter().any(|known| std::ptr::eq(*known, part)) {
                        conjunction.parts.push(part);
                    }
                }
            }
            if (names.len(), conjunction.parts.len()) == before {
                return Ok(names);
            }
        }
    }

    fn member(
        &mut self,
        conjunction: &Conjunction<'s>,
        name: &str,
        vary: usize,
        depth: usize,
    ) -> Result<Value, Stop> {
        self.effort.spend(conjunction.parts.iter().map(|part| lookup_cost(part)).sum())?;
        let mut schemas: Vec<&'s Value> =
            conjunction.parts.iter().flat_map(|part| member_schemas(part, name, &self.patterns)).collect();
        if schemas.is_empty() {
            schemas.extend(conjunction.values("unevaluatedProperties"));
        }
        self.path.push(name.replace('~', "~0").replace('/', "~1"));
        let member = self.node(&schemas, name, vary, depth + 1);
        self.path.pop();
        member
    }

    /// A member that may as well be left out.
    fn optional_member(
        &mut self,
        conjunction: &Conjunction<'s>,
        name: &str,
        vary: usize,
        depth: usize,
    ) -> Result<Option<Value>, Stop> {
        let allowed = self.judged_name(conjunction, name)?;
        match if allowed { self.member(conjunction, name, vary, depth).map(Some) } else { Ok(None) } {
            Err(Stop::Stuck(_)) => Ok(None),
            other => other,
        }
    }

    fn judged_name(&self, conjunction: &Conjunction<'s>, name: &str) -> Result<bool, Stop> {
        let name = Value::String(name.to_owned());
        for schema in conjunction.values("propertyNames") {
            if self.judged_by(&[schema], &name)?.is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds properties under made-up names until there are `least`.
    fn fill(
        &mut self,
        conjunction: &Conjunction<'s>,
        members: &mut Map<String, Value>,
        least: u64,
        vary: usize,
        depth: usize,
    ) -> Result<(), Stop> {
        let names: Vec<&'s Value> = conjunction.values("propertyNames").collect();
        let mut patterns: Vec<&'s String> = Vec::new();
        for keywords in conjunction.values("patternProperties").filter_map(Value::as_object) {
            patterns.extend(keywords.keys());
        }
        let mut reason = None;
        for variation in 0..NAME_TRIES + members.len() + usize::try_from(least).unwrap_or(0) {
            if members.len() as u64 >= least {
                return Ok(());
            }
            let drawn = patterns.get(variation % (patterns.len() + 1));
            let name = match drawn.and_then(|pattern| self.patterns.sample(pattern, 8, self.draws)) {
                Some(name) => name,
                None if names.is_empty() => format!("extra{}", variation + 1),
                None => match self.node(&names, "name", variation, depth + 1)? {
                    Value::String(name) => name,
                    _ => format!("extra{}", variation + 1),
                },
            };
            if members.contains_key(&name) || !self.judged_name(conjunction, &name)? {
                continue;
            }
            match self.member(conjunction, &name, vary, depth) {
                Ok(member) => drop(members.insert(name, member)),
                Err(Stop::Stuck(stuck)) => reason = Some(stuck.reason),
                Err(stop) => return Err(stop),
            }
        }
        if members.len() as u64 >= least {
            return Ok(());
        }
        let reason = reason.unwrap_or_else(|| "no further name is allowed".to_owned());
        Err(self.stuck(format!("`minProperties` asks for more properties than can be made up ({reason})")))
    }

    /// Whether the options ask for a property that is not required.
    fn wants(&mut self, conjunction: &Conjunction<'s>, name: &str) -> bool {
        match self.options.optional {
            OptionalProperties::Never => false,
            OptionalProperties::Always => true,
            OptionalProperties::Sometimes => self.draws.below(2) == 0,
            OptionalProperties::WithKnownValue => conjunction
                .parts
                .iter()
                .flat_map(|part| member_schemas(part, name, &self.patterns))
                .any(names_a_value),
        }
    }
}

fn names_a_value(schema: &Value) -> bool {
    ["const", "enum", "example", "examples", "default"]
        .iter()
        .any(|key| schema.get(*key).is_some_and(|value| !value.is_null()))
}

/// The names that `properties` lists, in the order of the schema.
fn known_names<'s>(conjunction: &Conjunction<'s>) -> Vec<&'s str> {
    let mut seen = BTreeSet::new();
    let properties = conjunction.values("properties").filter_map(Value::as_object);
    properties.flat_map(Map::keys).map(String::as_str).filter(|name| seen.insert(*name)).collect()
}
