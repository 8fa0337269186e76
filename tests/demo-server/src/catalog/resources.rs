//! The demo's resources: two documents, a picture, and a template of documents by number.

use serde_json::{Value, json};

/// A red pixel.
pub(crate) const PIXEL_PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/// What `resources/list` gives.
pub(crate) fn list() -> Vec<Value> {
    vec![
        json!({ "uri": "demo://readme", "name": "readme", "title": "Read me", "mimeType": "text/plain" }),
        json!({ "uri": "demo://config", "name": "config", "description": "A JSON document", "mimeType": "application/json" }),
        json!({ "uri": "demo://pixel", "name": "pixel", "description": "A picture", "mimeType": "image/png" }),
    ]
}

/// What `resources/templates/list` gives.
pub(crate) fn templates() -> Vec<Value> {
    vec![json!({
        "uriTemplate": "doc://{id}",
        "name": "document",
        "description": "The document with that id, as `search` finds them",
        "mimeType": "text/plain",
    })]
}

/// What `resources/read` gives, if there is such a resource.
pub(crate) fn read(uri: &str) -> Option<Value> {
    let text =
        |mime: &str, text: String| json!({ "contents": [{ "uri": uri, "mimeType": mime, "text": text }] });
    match uri {
        "demo://readme" => Some(text("text/plain", "A server to be loaded, and to fail by script.".into())),
        "demo://config" => Some(text("application/json", json!({ "mode": "demo", "limit": 10 }).to_string())),
        "demo://pixel" => {
            Some(json!({ "contents": [{ "uri": uri, "mimeType": "image/png", "blob": PIXEL_PNG }] }))
        }
        _ => {
            let id = uri.strip_prefix("doc://").filter(|id| !id.is_empty())?;
            Some(text("text/plain", format!("Document {id}.")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{list, read};

    #[test]
    fn every_listed_resource_can_be_read() {
        for resource in list() {
            assert!(read(resource["uri"].as_str().unwrap()).is_some(), "{resource}");
        }
    }

    #[test]
    fn a_template_is_filled_and_an_unknown_uri_is_not_found() {
        assert_eq!(read("doc://42").unwrap()["contents"][0]["text"], "Document 42.");
        assert!(read("doc://").is_none() && read("demo://nothing").is_none());
    }
}
