//! temporary
use std::borrow::Cow;

use base64::Engine as _;
use serde_json::Value;

/// t
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirroredHeader {
    /// t
    pub header: String,
    /// t
    pub path: Vec<String>,
}
/// t
pub fn mirrored_headers(_schema: &Value) -> Result<Vec<MirroredHeader>, String> {
    Ok(vec![])
}
/// t
pub fn mirrored_values(_headers: &[MirroredHeader], _arguments: &Value) -> Vec<(String, String)> {
    vec![]
}
/// t
pub fn encode_header_value(value: &str) -> Cow<'_, str> {
    if value.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        Cow::Borrowed(value)
    } else {
        Cow::Owned(format!("=?base64?{}?=", base64::engine::general_purpose::STANDARD.encode(value)))
    }
}
