//! Whether arguments fit their tools' schemas. In: calls and tools. Out: [`Judged`].

use std::collections::{BTreeMap, HashMap};

use jsonschema::Validator;
use serde_json::Value;

use crate::plan::discovery::Tool;

/// What came of holding arguments against schemas.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    /// Arguments that fit.
    pub(super) fitting: u64,
    /// Those that do not, by tool.
    pub(super) misfits: BTreeMap<String, Misfit>,
    /// Tools whose schema is none, and why; only those that were called.
    pub(super) unusable: BTreeMap<String, String>,
}

/// Arguments of a tool that do not fit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// How many.
    pub(super) count: u64,
    /// Of how many calls of the tool.
    pub(super) of: u64,
    /// The first of them.
    pub(super) example: String,
    /// Why it does not fit.
    pub(super) reason: String,
}

impl Judged {
    /// Holds arguments against the schema of their tool. A tool that is not among these is nobody's to judge.
    pub(super) fn of<'a>(calls: impl Iterator<Item = (&'a str, &'a str)>, tools: &[Tool]) -> Self {
        let mut judged = Self::default();
        let schemas: HashMap<&str, &Value> =
            tools.iter().map(|tool| (tool.name.as_str(), &tool.input_schema)).collect();
        let mut validators: HashMap<&str, Option<Validator>> = HashMap::new();
        let mut made: HashMap<&str, u64> = HashMap::new();
        for (tool, arguments) in calls {
            let Some(schema) = schemas.get(tool) else { continue };
            let validator = validators.entry(tool).or_insert_with(|| {
                let made = jsonschema::validator_for(schema);
                made.map_err(|error| judged.unusable.insert(tool.to_owned(), error.to_string())).ok()
            });
            let Some(validator) = validator else { continue };
            *made.entry(tool).or_default() += 1;
            match fault(validator, arguments) {
                None => judged.fitting += 1,
                Some(reason) => {
                    let first = || Misfit { count: 0, of: 0, example: arguments.to_owned(), reason };
                    judged.misfits.entry(tool.to_owned()).or_insert_with(first).count += 1;
                }
            }
        }
        for (tool, misfit) in &mut judged.misfits {
            misfit.of = made.get(tool.as_str()).copied().unwrap_or_default();
        }
        judged
    }
}

/// Why arguments do not fit, if they do not.
fn fault(validator: &Validator, arguments: &str) -> Option<String> {
    let value: Value = match serde_json::from_str(arguments) {
        Ok(value) => value,
        Err(error) => return Some(format!("no JSON: {error}")),
    };
    let error = validator.iter_errors(&value).next()?;
    let field = error.instance_path().to_string();
    let field = field.trim_start_matches('/').replace('/', ".");
    Some(if field.is_empty() { error.to_string() } else { format!("`{field}`: {error}") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tool(name: &str, schema: &Value) -> Tool {
        Tool::from_json(&json!({"name": name, "inputSchema": schema})).unwrap()
    }

    #[test]
    fn what_does_not_fit_is_counted_by_tool_and_shown_once() {
        let schema = json!({"type": "object", "properties": {"query": {"type": "string"}}});
        let tools = [tool("search", &schema), tool("odd", &json!({"type": "nonsense"}))];
        let calls = [
            ("search", r#"{"query":"a"}"#),
            ("search", r#"{"query":7}"#),
            ("search", r#"{"query":8}"#),
            ("odd", "{}"),
            ("unknown", "7"),
        ];
        let judged = Judged::of(calls.into_iter(), &tools);
        let misfit = Misfit {
            count: 2,
            of: 3,
            example: r#"{"query":7}"#.to_owned(),
            reason: "`query`: 7 is not of type \"string\"".to_owned(),
        };
        assert_eq!((judged.fitting, judged.misfits), (1, BTreeMap::from([("search".to_owned(), misfit)])));
        assert_eq!(judged.unusable.keys().collect::<Vec<_>>(), ["odd"]);
    }

    #[test]
    fn text_that_is_no_json_does_not_fit() {
        let judged = Judged::of([("search", "{")].into_iter(), &[tool("search", &json!({}))]);
        assert!(judged.misfits["search"].reason.starts_with("no JSON: "));
    }
}
