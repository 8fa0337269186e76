//! The places of a value, each with all that the schema demands there.

use serde_json::Value;

use super::Boundary;
use crate::array::item_schemas;
use crate::check::Checker;
use crate::conjunction::{Conjunction, list};
use crate::object::member_schemas;

/// Most places that are looked at.
const MAX_PLACES: usize = 200;

/// One place.
#[derive(Debug)]
pub(super) struct Place<'s, 'v> {
    /// JSON Pointer.
    pub(super) pointer: String,
    /// What is demanded here, branches chosen so that the value holds.
    pub(super) conjunction: Conjunction<'s>,
    pub(super) value: &'v Value,
}

impl Place<'_, '_> {
    /// The pointer to a member of this place.
    pub(super) fn member(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }

    /// Whether a member called `name` has to be there.
    pub(super) fn requires(&self, name: &str) -> bool {
        self.conjunction.parts.iter().any(|part| list(part, "required").iter().any(|other| other == name))
    }
}

impl<'s> Boundary<'s> {
    /// The places of `value`, the value itself first.
    pub(super) fn places<'v>(&self, value: &'v Value) -> Vec<Place<'s, 'v>> {
        let mut places = Vec::new();
        let mut open = vec![(String::new(), vec![self.root], value)];
        while let Some((pointer, schemas, value)) = open.pop() {
            if places.len() == MAX_PLACES {
                break;
            }
            let conjunction = self.conjunction_of(&schemas, value);
            let place = Place { pointer, conjunction, value };
            match value {
                Value::Object(members) => open.extend(members.iter().rev().map(|(name, member)| {
                    let parts = place.conjunction.parts.iter();
                    let schemas = parts.flat_map(|part| member_schemas(part, name, &self.patterns)).collect();
                    (place.member(name), schemas, member)
                })),
                Value::Array(items) => open.extend(items.iter().enumerate().rev().map(|(index, item)| {
                    (format!("{}/{index}", place.pointer), item_schemas(&place.conjunction, index), item)
                })),
                _ => {}
            }
            places.push(place);
        }
        places
    }

    /// What `schemas` demand, through the branches that `value` took.
    fn conjunction_of(&self, schemas: &[&'s Value], value: &Value) -> Conjunction<'s> {
        let first = Conjunction::gather(&self.document, schemas, 0);
        let holds = |conjunction: &Conjunction<'s>| {
            let each = |checker: Checker<'_, 's>| {
                conjunction.parts.iter().all(|part| checker.check_keywords(part, value).is_ok())
            };
            self.with_checker(each)
        };
        if first.ways == 1 || holds(&first) {
            return first;
        }
        let others = (1..first.ways).map(|way| Conjunction::gather(&self.document, schemas, way));
        others.into_iter().find(holds).unwrap_or(first)
    }
}
