//! Values made up from a JSON Schema inside the plugin, for those who vary them; plain arguments the host makes with
//! [`target::generate_arguments`](crate::target::generate_arguments).
//!
//! A schema with a regular expression needs the feature `patterns`; without it, it ends in a [`CannotGenerate`].

pub use pmcp_loadtest_arguments::{CannotGenerate, OptionalProperties, Options};
use serde_json::{Map, Value};

use crate::Random;

/// Arguments for a tool of this input schema; the same for the same random stream and options.
///
/// ```
/// use pmcp_loadtest_guest::schema::{self, Options};
/// use pmcp_loadtest_guest::{Random, json};
///
/// let schema = json!({ "type": "object", "properties": { "size": { "enum": [42] } }, "required": ["size"] });
/// let arguments = schema::arguments(&schema, &mut Random::new(7), Options::default())?;
/// assert_eq!(arguments["size"], 42);
/// # Ok::<(), schema::CannotGenerate>(())
/// ```
pub fn arguments(
    schema: &Value,
    random: &mut Random,
    options: Options,
) -> Result<Map<String, Value>, CannotGenerate> {
    pmcp_loadtest_arguments::generate_arguments(schema, random.draws(), options)
}

/// A value that fits this schema.
pub fn value(schema: &Value, random: &mut Random, options: Options) -> Result<Value, CannotGenerate> {
    pmcp_loadtest_arguments::generate(schema, random.draws(), options)
}
