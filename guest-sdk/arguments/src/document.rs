//! The schema as a whole document: where a `$ref` points. Nothing outside the document is ever fetched.

use std::collections::HashMap;

use serde_json::Value;

/// Deepest nesting of a schema document; servers stay below 30.
const MAX_DEPTH: usize = 256;
/// Most JSON values in a schema document.
const MAX_VALUES: usize = 500_000;

/// A schema document and the names its parts go by.
#[derive(Debug)]
pub(crate) struct Document<'s> {
    root: &'s Value,
    anchors: HashMap<&'s str, &'s Value>,
    ids: HashMap<&'s str, &'s Value>,
}

impl<'s> Document<'s> {
    /// Indexes `root`; the error says why the document is refused.
    pub(crate) fn new(root: &'s Value) -> Result<Self, String> {
        let mut document = Self { root, anchors: HashMap::new(), ids: HashMap::new() };
        let mut open = vec![(root, 0)];
        let mut seen = 0;
        while let Some((value, depth)) = open.pop() {
            seen += 1;
            if depth > MAX_DEPTH {
                return Err(format!("the schema is nested deeper than {MAX_DEPTH} levels"));
            }
            if seen > MAX_VALUES {
                return Err(format!("the schema has more than {MAX_VALUES} values"));
            }
            match value {
                Value::Object(members) => {
                    let has_patterns = members.get("pattern").is_some_and(Value::is_string)
                        || members.contains_key("patternProperties");
                    if has_patterns && !cfg!(feature = "patterns") {
                        return Err("`pattern` is left out of this build".to_owned());
                    }
                    document.index(value);
                    open.extend(members.values().map(|member| (member, depth + 1)));
                }
                Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
                _ => {}
            }
        }
        Ok(document)
    }

    fn index(&mut self, schema: &'s Value) {
        for key in ["$anchor", "$dynamicAnchor"] {
            if let Some(anchor) = schema[key].as_str() {
                self.anchors.entry(anchor).or_insert(schema);
            }
        }
        if let Some(id) = schema["$id"].as_str() {
            match id.strip_prefix('#') {
                Some(anchor) => self.anchors.entry(anchor).or_insert(schema),
                None => self.ids.entry(id.trim_end_matches('#')).or_insert(schema),
            };
        }
    }

    /// What `reference` points at; the error says why it points at nothing here.
    pub(crate) fn resolve(&self, reference: &str) -> Result<&'s Value, String> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let within = match base {
            "" => self.root,
            _ => *self
                .ids
                .get(base)
                .ok_or_else(|| format!("`$ref` to `{reference}` leaves the schema and is not fetched"))?,
        };
        let fragment = percent_decoded(fragment);
        let target = if fragment.is_empty() {
            Some(within)
        } else if fragment.starts_with('/') {
            within.pointer(&fragment)
        } else {
            self.anchors.get(fragment.as_str()).copied()
        };
        target.ok_or_else(|| format!("`$ref` to `{reference}` points at nothing"))
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_inside_the_document_are_found() {
        let schema = json!({
            "$id": "https://example.com/root.json",
            "$defs": {
                "plain": 1, "a/b": 2, "m~n": 3, "with space": 4,
                "named": { "$anchor": "name", "is": 5 }, "old": { "$id": "#old-name", "is": 6 },
                "embedded": { "$id": "item.json", "$defs": { "x": 7 } },
            },
        });
        let document = Document::new(&schema).unwrap();
        for (reference, expected) in [
            ("#/$defs/plain", json!(1)),
            ("#/$defs/a~1b", json!(2)),
            ("#/$defs/m~0n", json!(3)),
            ("#/$defs/with%20space", json!(4)),
            ("#/%24defs/plain", json!(1)),
            ("https://example.com/root.json#/$defs/plain", json!(1)),
            ("item.json#/$defs/x", json!(7)),
        ] {
            assert_eq!(document.resolve(reference), Ok(&expected), "{reference}");
        }
        assert_eq!(document.resolve("#").unwrap(), &schema);
        assert_eq!(document.resolve("#name").unwrap()["is"], 5);
        assert_eq!(document.resolve("#old-name").unwrap()["is"], 6);
    }

    #[test]
    fn references_that_lead_nowhere_say_so() {
        let schema = json!({});
        let document = Document::new(&schema).unwrap();
        assert!(document.resolve("#/$defs/none").unwrap_err().contains("points at nothing"));
        assert!(document.resolve("https://example.com/x.json").unwrap_err().contains("not fetched"));
        assert!(document.resolve("#%zz%").unwrap_err().contains("points at nothing"));
    }
}
