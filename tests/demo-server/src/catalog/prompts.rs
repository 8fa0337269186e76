//! The demo's prompts.

use serde_json::{Map, Value, json};

use crate::protocol::rpc::{INVALID_PARAMS, RpcError};

/// What `prompts/list` gives.
pub(crate) fn list() -> Vec<Value> {
    vec![
        json!({ "name": "greet", "title": "Greeting", "description": "A greeting without arguments" }),
        json!({
            "name": "summarize",
            "description": "Asks for a summary of a topic",
            "arguments": [
                { "name": "topic", "description": "What to summarize", "required": true },
                { "name": "style", "description": "short or long", "required": false },
            ],
        }),
    ]
}

/// What `prompts/get` gives.
pub(crate) fn get(name: &str, arguments: &Map<String, Value>) -> Result<Value, RpcError> {
    let argument = |key: &str| arguments.get(key).and_then(Value::as_str);
    let text = match name {
        "greet" => "Greet the user.".to_owned(),
        "summarize" => {
            let topic = argument("topic")
                .ok_or_else(|| RpcError::handled(INVALID_PARAMS, "the argument topic is missing"))?;
            format!("Write a {} summary of {topic}.", argument("style").unwrap_or("short"))
        }
        _ => return Err(RpcError::handled(INVALID_PARAMS, format!("unknown prompt: {name}"))),
    };
    Ok(json!({ "messages": [{ "role": "user", "content": { "type": "text", "text": text } }] }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::get;

    #[test]
    fn a_prompt_is_filled_with_its_arguments() {
        let arguments = Map::from_iter([("topic".to_owned(), json!("tides"))]);
        let result = get("summarize", &arguments).unwrap();
        assert_eq!(result["messages"][0]["content"]["text"], "Write a short summary of tides.");
    }

    #[test]
    fn a_missing_argument_and_an_unknown_prompt_are_invalid() {
        assert_eq!(get("summarize", &Map::new()).unwrap_err().code, -32602);
        assert_eq!(get("nothing", &Map::new()).unwrap_err().code, -32602);
    }
}
