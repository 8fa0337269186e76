//! Everything that is generated is judged by the `jsonschema` crate, an independent validator, with formats asserted.

mod hostile;
mod random;
mod table;

use jsonschema::Validator;
use serde_json::Value;

use crate::{Boundary, CannotGenerate, Draws, OptionalProperties, Options, generate};

const ALL_OPTIONS: [Options; 5] = [
    Options { optional: OptionalProperties::Never, variation: 0 },
    Options { optional: OptionalProperties::WithKnownValue, variation: 0 },
    Options { optional: OptionalProperties::Always, variation: 0 },
    Options { optional: OptionalProperties::Never, variation: 1 },
    Options { optional: OptionalProperties::Sometimes, variation: 70_000 },
];

fn generated(schema: &Value) -> Result<Value, CannotGenerate> {
    generate(schema, &mut Draws::new(1, 0, 0), Options::default())
}

/// An independent validator.
fn judge(schema: &Value) -> Validator {
    let judge = jsonschema::options().should_validate_formats(true).build(schema);
    judge.unwrap_or_else(|error| panic!("{schema} is no schema: {error}"))
}

/// What it has against `value`.
fn objections(judge: &Validator, value: &Value) -> Vec<String> {
    judge.iter_errors(value).map(|error| error.to_string()).collect()
}
