//! `completion/complete`: the words that begin as the user did.

use serde_json::{Map, Value, json};

use crate::protocol::rpc::{INVALID_PARAMS, RpcError};

const WORDS: [&str; 8] = ["paris", "park", "party", "river", "road", "sea", "short", "tides"];

/// What `completion/complete` gives for any prompt or template.
pub(crate) fn complete(params: &Map<String, Value>) -> Result<Value, RpcError> {
    let kind = params.get("ref").and_then(|reference| reference.get("type")).and_then(Value::as_str);
    let typed = params.get("argument").and_then(|argument| argument.get("value")).and_then(Value::as_str);
    let (Some("ref/prompt" | "ref/resource"), Some(typed)) = (kind, typed) else {
        return Err(RpcError::handled(INVALID_PARAMS, "ref and argument must name what to complete"));
    };
    let values: Vec<_> = WORDS.iter().filter(|word| word.starts_with(typed)).collect();
    Ok(json!({ "completion": { "values": values, "total": values.len(), "hasMore": false } }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::complete;

    #[test]
    fn words_that_begin_as_typed_are_given() {
        let params = json!({ "ref": { "type": "ref/prompt", "name": "greet" }, "argument": { "name": "x", "value": "par" } });
        let result = complete(params.as_object().unwrap()).unwrap();
        assert_eq!(result["completion"]["values"], json!(["paris", "park", "party"]));
    }
}
