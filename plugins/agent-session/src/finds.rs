//! What a conversation has found: ids and URIs in the results of its calls, and the resources that they lead to.

use pmcp_loadtest_guest::Random;
use serde_json::Value;

/// Most ids and most URIs that are remembered.
const MOST: usize = 100;
/// Deepest level of a result that is looked at.
const DEEPEST: usize = 12;

/// What was found so far, in the order it was found.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Finds {
    pub(crate) ids: Vec<String>,
    pub(crate) uris: Vec<String>,
}

impl Finds {
    /// Takes in the result of a call: every member called `id`, and every `uri` or `...Uri`. Returns how many are new.
    pub(crate) fn take(&mut self, result: &Value) -> usize {
        let before = self.ids.len() + self.uris.len();
        self.walk(result, 0);
        self.ids.len() + self.uris.len() - before
    }

    /// Whether nothing was found yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.uris.is_empty()
    }

    fn walk(&mut self, value: &Value, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, depth + 1)),
            Value::Object(members) => {
                for (name, member) in members {
                    self.note(name, member);
                    self.walk(member, depth + 1);
                }
                // Many servers give structured results as the text of JSON.
                let text =
                    members.get("text").and_then(Value::as_str).filter(|text| text.starts_with(['{', '[']));
                if let Some(inner) = text.and_then(|text| serde_json::from_str(text).ok()) {
                    self.walk(&inner, depth + 1);
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, name: &str, member: &Value) {
        let text = match member {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return,
        };
        let name = name.to_ascii_lowercase();
        let list = if name == "id" || name.ends_with("_id") {
            &mut self.ids
        } else if name.ends_with("uri") && text.contains(':') {
            &mut self.uris
        } else {
            return;
        };
        if list.len() < MOST && !text.is_empty() && !list.contains(&text) {
            list.push(text);
        }
    }

    /// A resource to read: a URI that was found, an id put into one of `templates`, or else one of `listed`.
    pub(crate) fn resource(
        &self,
        templates: &[String],
        listed: &[String],
        random: &mut Random,
    ) -> Option<String> {
        let by_id = |random: &mut Random| {
            let (template, id) = (random.pick(templates)?, random.pick(&self.ids)?);
            filled(template, id)
        };
        let found = match random.pick(&self.uris) {
            Some(uri) if self.ids.is_empty() || random.chance(0.5) => Some(uri.clone()),
            uri => by_id(random).or_else(|| uri.cloned()),
        };
        found.or_else(|| random.pick(listed).cloned())
    }
}

/// A URI template of one simple expression (RFC 6570, level 1), filled; `None` where it has another form.
pub(crate) fn filled(template: &str, id: &str) -> Option<String> {
    let (before, rest) = template.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    let simple = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') && !after.contains('{');
    simple.then(|| format!("{before}{}{after}", escaped(id)))
}

/// `text` with everything but unreserved characters (RFC 3986) percent-encoded.
fn escaped(text: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_and_uris_are_found_wherever_they_stand() {
        let mut finds = Finds::default();
        let result = json!({
            "content": [{ "type": "resource_link", "uri": "doc://7" }, { "type": "text", "text": "[{\"id\": 9}]" }],
            "structuredContent": { "hits": [{ "id": "a", "order_id": 5 }, { "id": "a" }, { "id": "" }], "uri": "none" },
        });
        assert_eq!(finds.take(&result), 4);
        assert_eq!(
            finds,
            Finds {
                ids: vec!["9".to_owned(), "a".to_owned(), "5".to_owned()],
                uris: vec!["doc://7".to_owned()]
            }
        );
        assert_eq!(finds.take(&result), 0);
    }

    #[test]
    fn a_hostile_result_is_not_followed_for_ever() {
        let mut finds = Finds::default();
        let many: Vec<Value> = (0..1000).map(|id| json!({ "id": id })).collect();
        assert_eq!(finds.take(&many.into()), MOST);
        let deep = (0..100).fold(json!({ "id": "deep" }), |inner, _| json!([inner]));
        assert_eq!(Finds::default().take(&deep), 0);
    }

    #[test]
    fn simple_templates_are_filled_and_others_are_not() {
        assert_eq!(filled("doc://{id}", "a b/ü").as_deref(), Some("doc://a%20b%2F%C3%BC"));
        assert_eq!(filled("doc://{id}/text", "7").as_deref(), Some("doc://7/text"));
        for template in ["doc://fixed", "doc://{a}/{b}", "doc://{+path}", "doc://{?q}"] {
            assert_eq!(filled(template, "7"), None, "{template}");
        }
    }

    #[test]
    fn what_was_found_is_read_before_what_is_listed() {
        let (templates, listed) = (["doc://{id}".to_owned()], ["demo://readme".to_owned()]);
        let mut random = Random::new(1);
        let mut read = |finds: &Finds| finds.resource(&templates, &listed, &mut random);
        assert_eq!(read(&Finds::default()).as_deref(), Some("demo://readme"));
        let found = Finds { ids: vec!["7".to_owned()], uris: vec![] };
        assert_eq!(read(&found).as_deref(), Some("doc://7"));
        let found = Finds { ids: vec![], uris: vec!["doc://8".to_owned()] };
        assert_eq!(read(&found).as_deref(), Some("doc://8"));
    }
}
