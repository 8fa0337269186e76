//! What can stand under a metric in `[thresholds]`: a list of conditions, each a text or a table.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::value::{At, Entries};

/// The conditions of a metric; or something else, whose key may be misplaced.
#[derive(Debug, Clone)]
pub(super) enum Conditions {
    /// The conditions.
    List(Vec<At<Condition>>),
    /// Any other value.
    Other,
}

/// A condition of a threshold.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    /// Aggregate, comparison and bound, and what may stand behind them.
    Text(String),
    /// The same in parts.
    Table(Vec<(At<String>, At<Scalar>)>),
}

/// A value in such a table.
#[derive(Debug, Clone)]
pub(super) enum Scalar {
    /// A text.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Anything else.
    Other,
}

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Conditions;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of conditions, such as [\"p(99) < 500ms\"]")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut conditions = Vec::new();
                while let Some(condition) = list.next_element()? {
                    conditions.push(condition);
                }
                Ok(Conditions::List(conditions))
            }
            fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Conditions::Other)
            }
            fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Conditions::Other)
            }
            fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Conditions::Other)
            }
            fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Conditions::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Conditions::Other)
            }
        }
        deserializer.deserialize_any(List)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrTable;
        impl<'de> Visitor<'de> for TextOrTable {
            type Value = Condition;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a condition in quotes, such as \"p(99) < 500ms\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Condition::Text(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Entries::deserialize(MapAccessDeserializer::new(map)).map(|table| Condition::Table(table.0))
            }
        }
        deserializer.deserialize_any(TextOrTable)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(text.to_owned()))
            }
            fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Flag(flag))
            }
            fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }
            fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl JsonSchema for Conditions {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Conditions".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let condition = json_schema!({
            "type": "string",
            "pattern": "(<=?|>=?|==)\\s*[-+]?[0-9.]+\\s*(us|µs|μs|ms|s|m|%|/s)?\\s*(over\\s+[0-9dhms]+\\s*)?(abort\\s*(after\\s+[0-9.dhmsu]+\\s*)?)?$",
        });
        let duration = json_schema!({ "type": "string", "pattern": "^\\s*([0-9]+(\\.[0-9]+)?\\s*(d|h|m|s|ms|us)\\s*)+$" });
        json_schema!({
            "type": "array",
            "items": { "anyOf": [
                condition,
                {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["condition"],
                    "properties": {
                        "condition": condition,
                        "window": duration,
                        "abort_on_fail": { "type": "boolean" },
                        "delay_abort": duration,
                        "delay_abort_eval": duration,
                    },
                },
            ] },
            "examples": [
                ["p(95) < 200ms", "p(99) < 500ms over 10s abort after 30s"],
                [{ "condition": "rate < 1%", "window": "10s", "abort_on_fail": true, "delay_abort": "30s" }],
            ],
        })
    }
}
