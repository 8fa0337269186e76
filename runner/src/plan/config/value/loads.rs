//! The values of `[load]`: one table or a list of them, and figures that are a number of virtual users or a rate.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::At;
use crate::plan::config::file::LoadTable;

/// The loads of a file: `[load]`, or `[[load]]` several times.
#[derive(Debug, Default)]
pub(in crate::plan::config) struct Loads(pub(in crate::plan::config) Vec<At<LoadTable>>);

/// One table, whose place only the value around it knows; or a list.
#[derive(Debug)]
enum OneOrSeveral {
    One(Box<LoadTable>),
    Several(Vec<At<LoadTable>>),
}

impl<'de> Deserialize<'de> for Loads {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let At { value, span } = At::<OneOrSeveral>::deserialize(deserializer)?;
        Ok(Self(match value {
            OneOrSeveral::One(table) => vec![At { value: *table, span }],
            OneOrSeveral::Several(tables) => tables,
        }))
    }
}

impl<'de> Deserialize<'de> for OneOrSeveral {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tables;
        impl<'de> Visitor<'de> for Tables {
            type Value = OneOrSeveral;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a table")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                LoadTable::deserialize(MapAccessDeserializer::new(map))
                    .map(|table| OneOrSeveral::One(Box::new(table)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut tables = Vec::new();
                while let Some(table) = list.next_element()? {
                    tables.push(table);
                }
                Ok(OneOrSeveral::Several(tables))
            }
        }
        deserializer.deserialize_any(Tables)
    }
}

impl JsonSchema for Loads {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Loads".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<LoadTable>();
        json_schema!({ "anyOf": [table, { "type": "array", "items": table }] })
    }
}

/// A number, or a text with a unit: how many virtual users, or how often.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::plan::config) enum Figure {
    /// An integer.
    Whole(i64),
    /// A number with a fraction.
    Real(f64),
    /// A text.
    Text(String),
}

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;
        impl Visitor<'_> for NumberOrText {
            type Value = Figure;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number, or a rate in quotes such as \"200/s\"")
            }
            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Figure::Whole(number))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Figure::Real(number))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Figure::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(NumberOrText)
    }
}

impl JsonSchema for Figure {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Figure".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "number", "minimum": 0 },
            { "type": "string", "pattern": "^\\s*[0-9]+(\\.[0-9]*)?\\s*(/\\s*(s|m|h)\\s*)?$", "examples": ["200/s", "90/m"] },
        ] })
    }
}
