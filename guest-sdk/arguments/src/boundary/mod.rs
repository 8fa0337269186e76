//! The boundary of what a schema allows: valid values that lie on it, and near misses that lie just beyond.
//!
//! In: a schema and a value that is valid against it. Out: [`Edit`]s of that value, each of one place. Every one is judged: what is said to be
//! allowed is, and what is said to be refused breaks the schema. Formats are never broken, for many servers do not assert them.

mod beyond;
mod places;
mod within;

use serde_json::Value;

pub use beyond::{Flaw, Miss};

use crate::CannotGenerate;
use crate::check::{Checker, Violation};
use crate::document::Document;
use crate::effort::Effort;
use crate::pattern::Patterns;

/// Steps of work that one judgement may take.
const EFFORT: u64 = 100_000;

/// The boundary of what one schema allows.
///
/// ```
/// use pmcp_loadtest_arguments::{Boundary, Flaw};
/// use serde_json::json;
///
/// let schema = json!({ "type": "object", "required": ["days"], "properties": {
///     "days": { "type": "integer", "minimum": 1, "maximum": 7 } } });
/// let boundary = Boundary::of(&schema)?;
/// let valid = json!({ "days": 3 });
/// let allowed: Vec<_> = boundary.within(&valid).iter().map(|edit| edit.applied_to(&valid)).collect();
/// assert_eq!(allowed, [json!({ "days": 1 }), json!({ "days": 7 })]);
/// let misses = boundary.beyond(&valid);
/// let above = misses.iter().find(|miss| miss.flaw == Flaw::AboveMaximum).unwrap();
/// assert_eq!(above.edit.applied_to(&valid), json!({ "days": 8 }));
/// # Ok::<(), pmcp_loadtest_arguments::CannotGenerate>(())
/// ```
#[derive(Debug)]
pub struct Boundary<'s> {
    root: &'s Value,
    document: Document<'s>,
    patterns: Patterns,
}

/// A change of a value in one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// Where, as a JSON Pointer (RFC 6901); empty for the value as a whole.
    pub pointer: String,
    /// What stands there afterwards; `None` takes away what stands there.
    pub value: Option<Value>,
}

impl Edit {
    /// `value` with this change. Where the place does not exist, nothing changes.
    pub fn applied_to(&self, value: &Value) -> Value {
        let mut changed = value.clone();
        let Some((parent, token)) = self.pointer.rsplit_once('/') else {
            return self.value.clone().unwrap_or(changed);
        };
        let name = token.replace("~1", "/").replace("~0", "~");
        match (changed.pointer_mut(parent), &self.value) {
            (Some(Value::Object(members)), Some(value)) => drop(members.insert(name, value.clone())),
            (Some(Value::Object(members)), None) => drop(members.shift_remove(&name)),
            (Some(Value::Array(items)), Some(value)) => {
                let item = name.parse().ok().and_then(|index: usize| items.get_mut(index));
                if let Some(item) = item {
                    *item = value.clone();
                }
            }
            _ => {}
        }
        changed
    }
}

impl<'s> Boundary<'s> {
    /// The boundary of `schema`; the error says why the schema is refused.
    pub fn of(schema: &'s Value) -> Result<Self, CannotGenerate> {
        let refused = |reason| CannotGenerate { path: String::new(), reason };
        Ok(Self {
            root: schema,
            document: Document::new(schema).map_err(refused)?,
            patterns: Patterns::default(),
        })
    }

    /// Whether `value` is valid; `None` where that takes too much work to find out.
    pub fn allows(&self, value: &Value) -> Option<bool> {
        self.with_checker(|checker| match checker.check(self.root, value) {
            Ok(()) => Some(true),
            Err(Violation::Broken(_)) => Some(false),
            Err(Violation::Unknown) => None,
        })
    }

    fn with_checker<T>(&self, ask: impl FnOnce(Checker<'_, 's>) -> T) -> T {
        let effort = Effort::of(EFFORT);
        ask(Checker { document: &self.document, patterns: &self.patterns, effort: &effort, depth: 0 })
    }
}
