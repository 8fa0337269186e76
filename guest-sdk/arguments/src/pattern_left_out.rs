//! The `pattern` keyword in a build without regular expressions: a schema that has one is refused before this is asked.

use crate::Draws;

/// No patterns.
#[derive(Debug, Default)]
pub(crate) struct Patterns(());

#[expect(clippy::unused_self, reason = "what `pattern.rs` has, in a build without it")]
impl Patterns {
    /// Nothing matches a pattern that cannot be read.
    pub(crate) fn matches(&self, _pattern: &str, _text: &str) -> bool {
        false
    }

    /// None can be read.
    pub(crate) fn reads(&self, _pattern: &str) -> bool {
        false
    }

    /// None can be drawn from.
    pub(crate) fn sample(&self, _pattern: &str, _length: usize, _draws: &mut Draws) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Draws, Options, generate};

    #[test]
    fn a_schema_with_a_pattern_anywhere_is_refused_and_another_is_not() {
        let name = json!({ "type": "object", "required": ["pattern"], "properties": { "pattern": { "type": "string" } } });
        assert!(generate(&name, &mut Draws::of(1), Options::default()).is_ok());
        for schema in [
            json!({ "type": "string", "pattern": "^a$" }),
            json!({ "type": "string", "not": { "pattern": "^a$" } }),
            json!({ "type": "object", "patternProperties": { "^a": false } }),
        ] {
            let refused = generate(&schema, &mut Draws::of(1), Options::default()).unwrap_err();
            assert_eq!(refused.reason, "`pattern` is left out of this build");
        }
    }
}
