//! The kinds of value that stand in the file. Each remembers where it stood, so that whatever turns out to be wrong with it later
//! can be shown in the file.

mod loads;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_spanned::Spanned;

use crate::plan::size;
pub(super) use loads::{Figure, Loads};

/// A message that tells its help as well, on a second line; `wording` takes them apart.
fn with_help(message: &str, help: &str) -> String {
    format!("{message}\n{help}")
}

/// A value and the bytes it was read from.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    /// The value.
    pub(super) value: T,
    /// Its place in the text.
    pub(super) span: Range<usize>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { span: spanned.span(), value: spanned.into_inner() })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A table whose entries keep the file's order and remember where their keys stand.
#[derive(Debug, Clone)]
pub(super) struct Entries<T>(pub(super) Vec<(At<String>, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Table<T> {
            type Value = Entries<T>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a table")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Table(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Entries".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}

/// Declares a text with a meaning of its own: how it is called when something else stands in its place, and its pattern.
macro_rules! text {
    ($(#[$meta:meta])* $name:ident, $expecting:literal, $schema:tt) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        pub(super) struct $name(pub(super) String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        formatter.write_str($expecting)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                        Ok($name(text.to_owned()))
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

text!(
    /// A length of time with its unit.
    DurationText,
    "a duration in quotes with its unit, such as \"30s\"",
    { "type": "string", "pattern": "^\\s*([0-9]+(\\.[0-9]+)?\\s*(d|h|m|s|ms|us)\\s*)+$", "examples": ["30s", "250ms", "1m30s"] }
);

text!(
    /// A pause: a length of time, the shortest and the longest, or a distribution.
    PauseText,
    "a pause in quotes, such as \"250ms\", \"1s..3s\" or \"exponential 2s\"",
    { "type": "string", "examples": ["250ms", "1s..3s", "exponential 2s", "log-normal 1s sigma 0.5", "log-normal 1s p95 4s"], "anyOf": [
        { "pattern": "^\\s*([0-9]+(\\.[0-9]+)?\\s*(d|h|m|s|ms|us)\\s*)+(\\.\\.\\s*([0-9]+(\\.[0-9]+)?\\s*(d|h|m|s|ms|us)\\s*)+)?$" },
        { "pattern": "^\\s*exponential\\s+([0-9]+(\\.[0-9]+)?\\s*(d|h|m|s|ms|us)\\s*)+$" },
        { "pattern": "^\\s*log-normal\\s+([0-9]+(\\.[0-9]+)?\\s*(d|h|m|s|ms|us)\\s*)+(sigma\\s*[0-9.]+|p95\\s*([0-9]+(\\.[0-9]+)?\\s*(d|h|m|s|ms|us)\\s*)+)\\s*$" },
    ] }
);

text!(
    /// A warm-up: a length of time, or the word for how it is found.
    WarmUpText,
    "\"auto\", \"none\" or a length in quotes such as \"10s\"",
    { "type": "string", "pattern": "^\\s*(auto|none|([0-9]+(\\.[0-9]+)?\\s*(d|h|m|s|ms|us)\\s*)+)\\s*$", "examples": ["auto", "10s", "none"] }
);

/// A number of bytes: an integer, or a text with a unit.
#[derive(Debug, Clone)]
pub(super) struct Size(pub(super) u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Size;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number of bytes or a size in quotes, such as \"64MiB\"")
            }
            fn visit_i64<E: serde::de::Error>(self, bytes: i64) -> Result<Self::Value, E> {
                u64::try_from(bytes)
                    .map(Size)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(bytes), &self))
            }
            fn visit_u64<E: serde::de::Error>(self, bytes: u64) -> Result<Self::Value, E> {
                Ok(Size(bytes))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let help = "write a number and a unit (B, kB, KiB, MB, MiB, GB, GiB), such as \"64MiB\"";
                size::parse(text).map(Size).map_err(|message| E::custom(with_help(&message, help)))
            }
        }
        deserializer.deserialize_any(Bytes)
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 1 },
            { "type": "string", "pattern": "^\\s*[0-9]+\\s*([GMKgmk]?[iI]?[bB])?\\s*$", "examples": ["64MiB"] },
        ] })
    }
}

/// One HTTP status or several.
#[derive(Debug, Clone)]
pub(super) struct Statuses(pub(super) Vec<u16>);

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum OneOrMany {
            One(u16),
            Many(Vec<u16>),
        }
        let help = "write one such as 403, or a list such as [401, 403]";
        let statuses = match OneOrMany::deserialize(deserializer) {
            Ok(OneOrMany::One(status)) => vec![status],
            Ok(OneOrMany::Many(statuses)) => statuses,
            Err(_) => return Err(D::Error::custom(with_help("this is not an HTTP status", help))),
        };
        if statuses.is_empty() {
            return Err(D::Error::custom(with_help("an empty list would let no status pass", help)));
        }
        match statuses.iter().find(|status| !(100..=599).contains(*status)) {
            Some(status) => {
                let message = format!("{status} is not an HTTP status, which is between 100 and 599");
                Err(D::Error::custom(with_help(&message, help)))
            }
            None => Ok(Self(statuses)),
        }
    }
}

impl JsonSchema for Statuses {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Statuses".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let status = json_schema!({ "type": "integer", "minimum": 100, "maximum": 599 });
        json_schema!({ "anyOf": [status, { "type": "array", "items": status, "minItems": 1 }] })
    }
}
