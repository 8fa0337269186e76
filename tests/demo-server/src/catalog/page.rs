//! Pages of a list behind opaque cursors.

use std::num::NonZeroUsize;

use serde_json::{Map, Value};

use crate::protocol::rpc::{INVALID_PARAMS, RpcError};

const PREFIX: &str = "page-";

/// The page of `entries` that `cursor` names, as a result with `key`, and `nextCursor` if there are more. A cursor that this
/// server did not give is an error.
pub(crate) fn page(
    key: &str,
    entries: &[Value],
    cursor: Option<&Value>,
    size: Option<NonZeroUsize>,
) -> Result<Value, RpcError> {
    let refused = || RpcError::handled(INVALID_PARAMS, "unknown cursor");
    let start = match cursor {
        None | Some(Value::Null) => 0,
        Some(cursor) => {
            let number =
                cursor.as_str().and_then(|cursor| cursor.strip_prefix(PREFIX)).ok_or_else(refused)?;
            let start = usize::from_str_radix(number, 16).map_err(|_| refused())?;
            if start == 0 || start >= entries.len() {
                return Err(refused());
            }
            start
        }
    };
    let end = size.map_or(entries.len(), |size| entries.len().min(start + size.get()));
    let mut result = Map::new();
    result.insert(key.to_owned(), entries[start..end].to_vec().into());
    if end < entries.len() {
        result.insert("nextCursor".to_owned(), format!("{PREFIX}{end:x}").into());
    }
    Ok(result.into())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use serde_json::{Value, json};

    use super::page;

    #[test]
    fn following_the_cursors_lists_every_entry_once() {
        let entries: Vec<Value> = (0..23).map(|number| json!(number)).collect();
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let result = page("tools", &entries, cursor.as_ref(), NonZeroUsize::new(5)).unwrap();
            seen.extend(result["tools"].as_array().unwrap().clone());
            cursor = result.get("nextCursor").cloned();
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, entries);
    }

    #[test]
    fn a_made_up_cursor_is_refused() {
        for cursor in [json!("page-99"), json!("nonsense"), json!(5), json!("page-0")] {
            assert_eq!(page("tools", &[json!(1)], Some(&cursor), None).unwrap_err().code, -32602);
        }
    }
}
