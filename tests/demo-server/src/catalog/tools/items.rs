//! Tools that change something, or would: `delete_item`, which says it destroys, and `place_order`, whose schema nests.

use serde_json::{Value, json};

use super::{Arguments, Body, Tool, structured, text};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            json!({
                "name": "delete_item", "title": "Delete", "description": "Deletes an item for good",
                "annotations": { "readOnlyHint": false, "destructiveHint": true, "idempotentHint": true },
                "inputSchema": {
                    "type": "object",
                    "properties": { "id": { "type": "string", "minLength": 1 } },
                    "required": ["id"],
                    "additionalProperties": false,
                },
            }),
            Body::Plain(delete_item),
        ),
        Tool::new(
            json!({
                "name": "place_order", "title": "Order", "description": "Orders goods; nothing is shipped",
                "annotations": { "readOnlyHint": false, "destructiveHint": false },
                "inputSchema": order_schema(),
            }),
            Body::Plain(place_order),
        ),
    ]
}

/// Nested objects, arrays, enumerations, formats, bounds and references: what an argument generator has to master.
fn order_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "customer": {
                "type": "object",
                "properties": {
                    "name": { "type": "string", "minLength": 1 },
                    "address": { "$ref": "#/$defs/address" },
                },
                "required": ["name", "address"],
            },
            "lines": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/line" } },
            "delivery": { "type": "string", "format": "date" },
            "speed": { "type": "string", "enum": ["standard", "express"], "default": "standard" },
            "gift": { "type": "boolean", "default": false },
        },
        "required": ["customer", "lines", "delivery"],
        "additionalProperties": false,
        "$defs": {
            "address": {
                "type": "object",
                "properties": { "street": { "type": "string" }, "country": { "type": "string", "enum": ["DE", "FR", "US"] } },
                "required": ["street", "country"],
            },
            "line": {
                "type": "object",
                "properties": {
                    "sku": { "type": "string", "examples": ["A-100"] },
                    "count": { "type": "integer", "minimum": 1, "maximum": 99 },
                },
                "required": ["sku", "count"],
            },
        },
    })
}

fn delete_item(arguments: &Arguments) -> Value {
    text(&format!("deleted {}", arguments.get("id").and_then(Value::as_str).unwrap_or_default()))
}

fn place_order(arguments: &Arguments) -> Value {
    let lines = arguments.get("lines").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let pieces: u64 = lines.iter().filter_map(|line| line["count"].as_u64()).sum();
    structured(json!({ "lines": lines.len(), "pieces": pieces }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{order_schema, place_order};
    use crate::catalog::schema::complaint;

    #[test]
    fn an_order_is_checked_through_its_references_and_counted() {
        let mut order = json!({
            "customer": { "name": "Ada", "address": { "street": "High Street 1", "country": "DE" } },
            "lines": [{ "sku": "A-100", "count": 2 }, { "sku": "B-7", "count": 3 }],
            "delivery": "2026-12-01",
        });
        assert_eq!(complaint(&order_schema(), &order), None);
        assert_eq!(
            place_order(order.as_object().unwrap())["structuredContent"],
            json!({ "lines": 2, "pieces": 5 })
        );
        order["customer"]["address"]["country"] = json!("XX");
        assert!(
            complaint(&order_schema(), &order).unwrap().starts_with("arguments.customer.address.country")
        );
    }
}
