//! Arguments a tool accepts, made up from its JSON Schema (2020-12 and draft-07, as servers emit them).
//!
//! Used by the runner and, as WebAssembly, by plugins: pure, and lean in what it depends on.
//!
//! In: a schema, a stream of [`Draws`] and [`Options`]. Out: a JSON value that is valid against the schema, or the reason why none
//! was found. Nothing is fetched, nothing panics, and the work is bounded: a hostile schema ends in a [`CannotGenerate`].
//!
//! Feature `patterns` (default): `pattern` and `patternProperties`. Without it a schema that has one is refused, and a plugin
//! is 1.1 MB smaller; the host's own generator has them always.
//!
//! How: every keyword that demands something of the same value (`$ref`, `allOf`, a chosen branch of `anyOf` or `oneOf`) joins one
//! `conjunction`; a value is built to fit it, `check`ed, and another branch or variation tried where it does not fit.
//!
//! What is not found although it exists: values that only a solver finds (`not` against a narrow type, `oneOf` whose branches
//! overlap, several patterns at once), patterns with look-around that random text seldom meets. What is not judged:
//! `unevaluatedProperties` and `unevaluatedItems` (kept by construction), `content*`, formats not listed in `format`, and `$id`
//! as a base for relative references. All of these end in a value that is valid or in an error, save the author's own `default`
//! or example against a keyword not judged.

mod array;
mod boundary;
mod calendar;
mod check;
mod conjunction;
mod document;
mod draws;
mod effort;
mod format;
mod generator;
mod hint;
mod number;
mod object;
#[cfg_attr(not(feature = "patterns"), path = "pattern_left_out.rs")]
mod pattern;
mod text;

#[cfg(all(test, feature = "patterns"))]
mod tests;

use std::error::Error;
use std::fmt;

use serde_json::{Map, Value, json};

pub use boundary::{Boundary, Edit, Flaw, Miss};
pub use draws::Draws;
use generator::Generator;

/// The example of the README, which runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// What to leave to the generator's taste.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// 0 asks for the most plausible value. Any other number asks for one of many: texts without a format carry the number, numbers,
    /// choices and lengths are drawn, and a `default` is rarely taken, for it is what happens anyway. An author's examples stay.
    pub variation: u32,
    /// Which properties that are not required are given all the same.
    pub optional: OptionalProperties,
}

/// Which properties that are not required are given all the same. Those that cannot be generated are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OptionalProperties {
    /// None of them.
    Never,
    /// Those whose schema names a value: a `default` other than null, `const`, `enum`, `example` or `examples`.
    #[default]
    WithKnownValue,
    /// Each with even odds, down to the fourth level of nesting.
    Sometimes,
    /// All of them, down to the fourth level of nesting.
    Always,
}

/// No value was found for a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CannotGenerate {
    /// Where in the value it failed, as a JSON Pointer; empty for the value as a whole.
    pub path: String,
    /// Why, as a lower-case fragment.
    pub reason: String,
}

// By hand: a derive macro's crates would be most of what a plugin builds.
impl fmt::Display for CannotGenerate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at `{}`: {}", self.path, self.reason)
    }
}

impl Error for CannotGenerate {}

/// A value that is valid against `schema`; the same schema, draws and options give the same value.
///
/// ```
/// use pmcp_loadtest_arguments::{Draws, Options, generate};
/// let schema = serde_json::json!({ "type": "integer", "minimum": 7, "maximum": 7 });
/// let value = generate(&schema, &mut Draws::new(1, 0, 0), Options::default())?;
/// assert_eq!(value, 7);
/// # Ok::<(), pmcp_loadtest_arguments::CannotGenerate>(())
/// ```
pub fn generate(schema: &Value, draws: &mut Draws, options: Options) -> Result<Value, CannotGenerate> {
    Generator::run(schema, &[schema], draws, options)
}

/// Arguments for a tool whose `inputSchema` is `schema`: as [`generate`], and always an object, because the protocol asks for one
/// even where the schema does not.
pub fn generate_arguments(
    schema: &Value,
    draws: &mut Draws,
    options: Options,
) -> Result<Map<String, Value>, CannotGenerate> {
    let object = json!({ "type": "object" });
    match Generator::run(schema, &[schema, &object], draws, options)? {
        Value::Object(arguments) => Ok(arguments),
        other => {
            Err(CannotGenerate { path: String::new(), reason: format!("`{other}` came out, not an object") })
        }
    }
}
