//! The mutations: valid arguments made wrong in one place, or larger than anybody expects.

use pmcp_loadtest_arguments::{Boundary, Edit, Flaw};
use serde_json::{Value, json};

use crate::config::Config;

/// A kind of mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mutation {
    /// What the schema refuses.
    Flawed(Flaw),
    /// A text far longer than usual.
    HugeText,
    /// Arrays within arrays.
    DeepNesting,
}

/// Mutated arguments, and what is expected of the server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mutant {
    pub(crate) mutation: Mutation,
    /// Where they were changed, as a JSON Pointer.
    pub(crate) pointer: String,
    /// The arguments, as JSON text.
    pub(crate) arguments: String,
    /// The schema refuses them, so the server has to. Otherwise any answer will do that is one.
    pub(crate) must_be_refused: bool,
}

impl Mutation {
    pub(crate) const ALL: [Self; 12] = [
        Self::Flawed(Flaw::WrongType),
        Self::Flawed(Flaw::MissingRequired),
        Self::Flawed(Flaw::ExtraProperty),
        Self::Flawed(Flaw::BelowMinimum),
        Self::Flawed(Flaw::AboveMaximum),
        Self::Flawed(Flaw::BetweenSteps),
        Self::Flawed(Flaw::TooShort),
        Self::Flawed(Flaw::TooLong),
        Self::Flawed(Flaw::WrongChoice),
        Self::Flawed(Flaw::Null),
        Self::HugeText,
        Self::DeepNesting,
    ];

    /// Its name in the configuration and in checks.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flawed(Flaw::WrongType) => "wrong-type",
            Self::Flawed(Flaw::MissingRequired) => "missing-required",
            Self::Flawed(Flaw::ExtraProperty) => "extra-property",
            Self::Flawed(Flaw::BelowMinimum) => "below-minimum",
            Self::Flawed(Flaw::AboveMaximum) => "above-maximum",
            Self::Flawed(Flaw::BetweenSteps) => "between-steps",
            Self::Flawed(Flaw::TooShort) => "too-short",
            Self::Flawed(Flaw::TooLong) => "too-long",
            Self::Flawed(Flaw::WrongChoice) => "wrong-choice",
            Self::Flawed(Flaw::Null) => "null",
            Self::HugeText => "huge-text",
            Self::DeepNesting => "deep-nesting",
        }
    }
}

/// All mutants of `valid` that the configuration asks for.
pub(crate) fn mutants(boundary: &Boundary<'_>, valid: &Value, config: &Config) -> Vec<Mutant> {
    let misses = boundary.beyond(valid).into_iter().map(|miss| (Mutation::Flawed(miss.flaw), miss.edit));
    let huge = Value::from("a".repeat(config.huge_bytes as usize));
    let deep = (0..config.nesting).fold(json!([]), |inner, _| json!([inner]));
    let sizes = [
        (Mutation::HugeText, Edit { pointer: place(valid, Value::is_string), value: Some(huge) }),
        (Mutation::DeepNesting, Edit { pointer: place(valid, |_| true), value: Some(deep) }),
    ];
    let wanted = misses.chain(sizes).filter(|(mutation, _)| config.wants(*mutation));
    wanted
        .map(|(mutation, edit)| {
            let arguments = edit.applied_to(valid);
            Mutant {
                mutation,
                must_be_refused: boundary.allows(&arguments) == Some(false),
                arguments: arguments.to_string(),
                pointer: edit.pointer,
            }
        })
        .collect()
}

/// The first member that is `fit`, or else one that is not there yet.
fn place(valid: &Value, fit: impl Fn(&Value) -> bool) -> String {
    let members = valid.as_object().into_iter().flatten();
    let name = members.filter(|(_, member)| fit(member)).map(|(name, _)| name.as_str()).next();
    format!("/{}", name.unwrap_or("unexpected_property").replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn schema() -> Value {
        json!({ "type": "object", "required": ["sku", "count"], "additionalProperties": false, "properties": {
            "sku": { "type": "string", "minLength": 1, "maxLength": 20 },
            "count": { "type": "integer", "minimum": 1, "maximum": 99 },
            "speed": { "enum": ["slow", "fast"] } } })
    }

    #[test]
    fn one_order_is_mutated_in_every_way() {
        let schema = schema();
        let boundary = Boundary::of(&schema).unwrap();
        let valid = json!({ "sku": "A", "count": 1, "speed": "slow" });
        let mutants = mutants(&boundary, &valid, &Config::default());
        let kinds: BTreeSet<Mutation> = mutants.iter().map(|mutant| mutant.mutation).collect();
        assert_eq!(kinds, BTreeSet::from(Mutation::ALL));
        assert!(mutants.iter().all(|mutant| mutant.must_be_refused), "{mutants:?}");
    }

    #[test]
    fn what_is_only_large_need_not_be_refused() {
        let schema = json!({ "type": "object", "properties": { "text": { "type": "string" }, "any": {} } });
        let boundary = Boundary::of(&schema).unwrap();
        let config = Config { huge_bytes: 7, mutations: vec!["huge-text".to_owned()], ..Config::default() };
        let found = mutants(&boundary, &json!({ "any": 1, "text": "x" }), &config);
        assert_eq!(
            found,
            [Mutant {
                mutation: Mutation::HugeText,
                pointer: "/text".to_owned(),
                arguments: r#"{"any":1,"text":"aaaaaaa"}"#.to_owned(),
                must_be_refused: false
            }]
        );
    }

    #[test]
    fn a_tool_without_arguments_is_sent_some() {
        let schema = json!({ "type": "object", "additionalProperties": false });
        let boundary = Boundary::of(&schema).unwrap();
        let config = Config { nesting: 2, mutations: vec!["deep-nesting".to_owned()], ..Config::default() };
        let found = mutants(&boundary, &json!({}), &config);
        assert_eq!(found[0].arguments, r#"{"unexpected_property":[[[]]]}"#);
        assert!(found[0].must_be_refused);
    }
}
