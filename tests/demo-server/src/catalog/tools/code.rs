//! The pair behind the `code_mode` step: `validate_code` approves, `execute_code` runs what was approved.

use serde_json::{Value, json};

use super::{Arguments, Body, Tool, failure, text};

pub(super) fn tools() -> Vec<Tool> {
    let code = json!({ "type": "string", "description": "The code" });
    let format = json!({ "type": "string", "default": "graphql" });
    vec![
        Tool::new(
            json!({
                "name": "validate_code", "title": "Validate code",
                "description": "Checks code and gives an approval token for it, as JSON text",
                "annotations": { "readOnlyHint": true },
                "inputSchema": { "type": "object", "properties": { "code": code, "format": format }, "required": ["code"] },
            }),
            Body::Plain(validate_code),
        ),
        Tool::new(
            json!({
                "name": "execute_code", "title": "Execute code", "description": "Runs code that was approved",
                "annotations": { "readOnlyHint": false },
                "inputSchema": {
                    "type": "object",
                    "properties": { "code": code, "format": format, "approval_token": { "type": "string" } },
                    "required": ["code", "approval_token"],
                },
            }),
            Body::Plain(execute_code),
        ),
    ]
}

/// A token that fits this code only (FNV-1a, Fowler-Noll-Vo; no secret is needed here).
fn token(code: &str) -> String {
    let hash = code.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("approved-{hash:016x}")
}

fn code(arguments: &Arguments) -> &str {
    arguments.get("code").and_then(Value::as_str).unwrap_or_default()
}

fn validate_code(arguments: &Arguments) -> Value {
    let code = code(arguments);
    if code.trim().is_empty() {
        return failure("there is no code");
    }
    text(&json!({ "valid": true, "approval_token": token(code) }).to_string())
}

fn execute_code(arguments: &Arguments) -> Value {
    let code = code(arguments);
    if arguments.get("approval_token").and_then(Value::as_str) != Some(&token(code)) {
        return failure("the approval token does not fit the code");
    }
    text(&json!({ "executed": true, "length": code.len() }).to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{execute_code, validate_code};

    #[test]
    fn only_approved_code_is_run() {
        let arguments = |value: Value| value.as_object().unwrap().clone();
        let approval = validate_code(&arguments(json!({ "code": "{ a }" })));
        let said: Value = serde_json::from_str(approval["content"][0]["text"].as_str().unwrap()).unwrap();
        let run = |code: &str| {
            execute_code(&arguments(json!({ "code": code, "approval_token": said["approval_token"] })))
        };
        assert!(run("{ a }").get("isError").is_none());
        assert_eq!(run("{ b }")["isError"], true);
    }
}
