//! The search for one value: which branch, which type, known value or built one; then on to the next attempt.

use serde_json::Value;

use crate::Draws;
use crate::check::{Checker, Violation};
use crate::conjunction::{Conjunction, Keywords};
use crate::document::Document;
use crate::effort::{Effort, Exhausted};
use crate::pattern::Patterns;
use crate::{CannotGenerate, Options};

/// Depths of values tried, in turn: a shallow value is found first, and a schema that recurses for ever ends at the last.
const DEPTHS: [usize; 4] = [5, 10, 20, 60];
/// Steps of work per depth; a schema of a hundred properties takes some thousand.
const EFFORT: u64 = 100_000;
/// Values tried per way through the branches, where what is built turns out not to be valid.
const VARIATIONS: usize = 12;

/// One in so many values is the default, where values are to be varied.
const RARITY_OF_DEFAULTS: u64 = 8;

/// Why there is no value.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Not this way; another branch may do.
    Stuck(CannotGenerate),
    /// No way is left to try: the work allowed is spent.
    Exhausted,
}

impl From<Exhausted> for Stop {
    fn from(_: Exhausted) -> Self {
        Self::Exhausted
    }
}

/// The types of JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object,
    Array,
    String,
    Number,
    Integer,
    Boolean,
    Null,
}

/// The state of a search.
#[derive(Debug)]
pub(crate) struct Generator<'s, 'd> {
    pub(crate) document: Document<'s>,
    pub(crate) patterns: Patterns,
    pub(crate) effort: Effort,
    pub(crate) draws: &'d mut Draws,
    pub(crate) options: Options,
    /// Where in the value we are: escaped tokens of a JSON Pointer.
    pub(crate) path: Vec<String>,
    deepest: usize,
    cut_off: bool,
}

impl<'s, 'd> Generator<'s, 'd> {
    /// A value that is valid against all of `schemas`, whose references are resolved in `root`.
    pub(crate) fn run(
        root: &'s Value,
        schemas: &[&'s Value],
        draws: &'d mut Draws,
        options: Options,
    ) -> Result<Value, CannotGenerate> {
        let nowhere = |reason| CannotGenerate { path: String::new(), reason };
        let mut generator = Self {
            document: Document::new(root).map_err(nowhere)?,
            patterns: Patterns::default(),
            effort: Effort::of(0),
            draws,
            options,
            path: Vec::new(),
            deepest: 0,
            cut_off: false,
        };
        let mut found = Err(nowhere("nothing was tried".to_owned()));
        for depth in DEPTHS {
            generator.deepest = depth;
            generator.cut_off = false;
            generator.effort = Effort::of(EFFORT);
            generator.path.clear();
            found = generator.attempt(schemas);
            if found.is_ok() || !generator.cut_off {
                break;
            }
        }
        found
    }

    fn attempt(&mut self, schemas: &[&'s Value]) -> Result<Value, CannotGenerate> {
        let exhausted = || CannotGenerate {
            path: String::new(),
            reason: "the schema asks for more work than is allowed".to_owned(),
        };
        let mut broken = String::new();
        for vary in 0..VARIATIONS {
            let value = match self.node(schemas, "", vary, 0) {
                Ok(value) => value,
                Err(Stop::Stuck(stuck)) => return Err(stuck),
                Err(Stop::Exhausted) => return Err(exhausted()),
            };
            match self.judged_by(schemas, &value) {
                Ok(Ok(())) => return Ok(value),
                Ok(Err(keyword)) => broken = keyword,
                Err(_) => return Err(exhausted()),
            }
        }
        let reason = format!("every value tried breaks `{broken}`");
        Err(CannotGenerate { path: String::new(), reason })
    }

    /// A value for all of `schemas`, called `name`; `vary` above zero asks for another one than the most plausible.
    pub(crate) fn node(
        &mut self,
        schemas: &[&'s Value],
        name: &str,
        vary: usize,
        depth: usize,
    ) -> Result<Value, Stop> {
        if depth > self.deepest {
            self.cut_off = true;
            return Err(
                self.stuck(format!("the schema demands values nested deeper than {} levels", self.deepest))
            );
        }
        let (mut attempt, mut attempts) = (0, 1);
        let mut last = None;
        while attempt < attempts {
            // A variation begins with another branch, so that items that must differ can be of different kinds.
            let conjunction = Conjunction::gather(&self.document, schemas, vary + attempt);
            self.effort.spend(1 + conjunction.cost)?;
            attempts = attempts.max(conjunction.ways);
            // Beyond the ways through the branches, further attempts are variations of the values.
            let vary = vary + attempt / conjunction.ways;
            attempt += 1;
            match self.built(&conjunction, name, vary, depth) {
                Ok(value) if !conjunction.wants_check() => return Ok(value),
                Ok(value) => match self.judged_by(schemas, &value)? {
                    Ok(()) => return Ok(value),
                    Err(keyword) => {
                        attempts = attempts.max(conjunction.ways * VARIATIONS);
                        last = Some(self.stuck(format!("every value tried breaks `{keyword}`")));
                    }
                },
                Err(Stop::Exhausted) => return Err(Stop::Exhausted),
                Err(stuck) => last = Some(stuck),
            }
        }
        Err(last.unwrap_or_else(|| self.stuck("no branch was tried")))
    }

    fn built(
        &mut self,
        conjunction: &Conjunction<'s>,
        name: &str,
        vary: usize,
        depth: usize,
    ) -> Result<Value, Stop> {
        if let Some(reason) = &conjunction.contradiction {
            return Err(self.stuck(reason.clone()));
        }
        let known = if vary == 0 { self.known_value(conjunction)? } else { None };
        if let Some(known) = known {
            return Ok(known);
        }
        if let Some(chosen) = self.enumerated(conjunction, vary)? {
            return Ok(chosen);
        }
        let kinds = kinds(conjunction);
        let mut last = None;
        for turn in 0..kinds.len() {
            let kind = kinds[(vary + turn) % kinds.len()];
            let value = match kind {
                Kind::Object => self.object(conjunction, vary, depth),
                Kind::Array => self.array(conjunction, name, vary, depth),
                Kind::String => self.text(conjunction, name, vary),
                Kind::Number => self.number(conjunction, name, vary, false),
                Kind::Integer => self.number(conjunction, name, vary, true),
                Kind::Boolean => Ok(Value::Bool(self.varied(vary) % 2 == 0)),
                Kind::Null => Ok(Value::Null),
            };
            match value {
                Err(stuck @ Stop::Stuck(_)) => last = last.or(Some(stuck)),
                other => return other,
            }
        }
        Err(last.unwrap_or_else(|| self.stuck("the types asked for exclude each other")))
    }

    /// A value its author gave: one of `examples`, `example` or `default`, if it is valid; null only where nothing else is.
    fn known_value(&mut self, conjunction: &Conjunction<'s>) -> Result<Option<Value>, Stop> {
        let examples = conjunction.values("examples").filter_map(Value::as_array).flatten();
        let mut examples: Vec<&Value> = examples.collect();
        if !examples.is_empty() {
            let turn = usize::try_from(self.draws.below(examples.len() as u64)).unwrap_or(0);
            examples.rotate_left(turn);
        }
        let others = conjunction.values("example").chain(self.defaults(conjunction));
        for value in examples.into_iter().chain(others).filter(|value| !value.is_null()) {
            if self.judged(&conjunction.parts, value)?.is_ok() {
                return self.copied(value).map(Some);
            }
        }
        Ok(None)
    }

    /// The values of `default`; of many values they are a rare one.
    fn defaults(&mut self, conjunction: &Conjunction<'s>) -> Vec<&'s Value> {
        let taken = self.options.variation == 0 || self.draws.below(RARITY_OF_DEFAULTS) == 0;
        conjunction.values("default").filter(|_| taken).collect()
    }

    /// A value of `const` or `enum`, where there is one.
    fn enumerated(&mut self, conjunction: &Conjunction<'s>, vary: usize) -> Result<Option<Value>, Stop> {
        let constant = conjunction.values("const").map(std::slice::from_ref);
        let listed = conjunction.values("enum").filter_map(Value::as_array).map(Vec::as_slice);
        let Some(candidates) = constant.chain(listed).next() else { return Ok(None) };
        let (mut candidates, mut nulls): (Vec<&Value>, Vec<&Value>) =
            candidates.iter().partition(|value| !value.is_null());
        self.effort.spend(candidates.len() / 16)?;
        if vary > 0 {
            candidates.append(&mut nulls);
        }
        let count = candidates.len().max(1);
        let turn = if vary == 0 {
            usize::try_from(self.draws.below(count as u64)).unwrap_or(0)
        } else {
            vary % count
        };
        if !candidates.is_empty() {
            candidates.rotate_left(turn);
        }
        for value in candidates.into_iter().chain(nulls) {
            if self.judged(&conjunction.parts, value)?.is_ok() {
                return self.copied(value).map(Some);
            }
        }
        Err(self.stuck("no value of `enum` or `const` is valid against the rest"))
    }

    /// A copy of a value in the schema, paid for by its size.
    fn copied(&self, value: &Value) -> Result<Value, Stop> {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            self.effort.spend(1 + value.as_str().map_or(0, str::len) / 16)?;
            match value {
                Value::Array(items) => open.extend(items),
                Value::Object(members) => open.extend(members.values()),
                _ => {}
            }
        }
        Ok(value.clone())
    }

    /// A number for values that only need to differ: `vary`, to which one is drawn where values are to be varied.
    fn varied(&mut self, vary: usize) -> usize {
        if self.options.variation == 0 { vary } else { vary + usize::from(self.draws.below(2) == 0) }
    }

    /// The judge, with what it needs.
    pub(crate) fn checker(&self) -> Checker<'_, 's> {
        Checker { document: &self.document, patterns: &self.patterns, effort: &self.effort, depth: 0 }
    }

    /// Whether `value` is valid against all of `schemas`; if not, the keyword it breaks.
    pub(crate) fn judged_by(&self, schemas: &[&'s Value], value: &Value) -> Result<Result<(), String>, Stop> {
        judge(schemas.iter().map(|schema| self.checker().check(schema, value)))
    }

    /// Whether `value` is valid against all of `parts`; if not, the keyword it breaks.
    fn judged(&self, parts: &[&'s Keywords], value: &Value) -> Result<Result<(), String>, Stop> {
        judge(parts.iter().map(|part| self.checker().check_keywords(part, value)))
    }

    /// There is no value here, because of `reason`.
    pub(crate) fn stuck(&self, reason: impl Into<String>) -> Stop {
        let path = self.path.iter().map(|token| format!("/{token}")).collect();
        Stop::Stuck(CannotGenerate { path, reason: reason.into() })
    }
}

fn judge(judgements: impl Iterator<Item = Result<(), Violation>>) -> Result<Result<(), String>, Stop> {
    for judgement in judgements {
        match judgement {
            Ok(()) => {}
            Err(Violation::Broken(keyword)) => return Ok(Err(keyword)),
            Err(Violation::Unknown) => return Err(Stop::Exhausted),
        }
    }
    Ok(Ok(()))
}

/// The types that may be generated, the first one first; where none is named, those that the keywords speak of, then all.
fn kinds(conjunction: &Conjunction<'_>) -> Vec<Kind> {
    let mut named = conjunction.values("type").map(|names| match names.as_array() {
        Some(names) => names.iter().filter_map(kind).collect(),
        None => kind(names).into_iter().collect::<Vec<Kind>>(),
    });
    let Some(first) = named.next() else { return spoken_of(conjunction) };
    let mut kinds = named.fold(first, |kinds, others| both(&kinds, &others));
    kinds.sort_by_key(|kind| *kind == Kind::Null);
    kinds
}

fn kind(name: &Value) -> Option<Kind> {
    Some(match name.as_str()? {
        "object" => Kind::Object,
        "array" => Kind::Array,
        "string" => Kind::String,
        "number" => Kind::Number,
        "integer" => Kind::Integer,
        "boolean" => Kind::Boolean,
        "null" => Kind::Null,
        _ => return None,
    })
}

fn both(some: &[Kind], others: &[Kind]) -> Vec<Kind> {
    let narrowed = |kind: &Kind| match kind {
        Kind::Number if !others.contains(&Kind::Number) && others.contains(&Kind::Integer) => {
            Some(Kind::Integer)
        }
        Kind::Integer if others.contains(&Kind::Number) => Some(Kind::Integer),
        other => others.contains(other).then_some(*other),
    };
    some.iter().filter_map(narrowed).collect()
}

fn spoken_of(conjunction: &Conjunction<'_>) -> Vec<Kind> {
    const SIGNS: [(Kind, &[&str]); 4] = [
        (
            Kind::Object,
            &["properties", "required", "additionalProperties", "patternProperties", "minProperties"],
        ),
        (Kind::Array, &["items", "prefixItems", "minItems", "contains", "uniqueItems"]),
        (Kind::String, &["minLength", "maxLength", "pattern", "format"]),
        (Kind::Number, &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ];
    let speaks = |keys: &[&str]| keys.iter().any(|key| conjunction.values(key).next().is_some());
    let mut kinds: Vec<Kind> = SIGNS.iter().filter(|(_, keys)| speaks(keys)).map(|(kind, _)| *kind).collect();
    for kind in [Kind::String, Kind::Integer, Kind::Object, Kind::Array, Kind::Boolean, Kind::Null] {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}
