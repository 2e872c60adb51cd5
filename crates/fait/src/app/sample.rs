//! Words that fit a schema, where nobody has given any.

use serde_json::{Value, json};
use uuid::Uuid;

/// How deep a type may lie in itself before there is no more of it.
const DEEP: usize = 12;

/// A value that fits a schema: for a dry run of a decision, and as the first fixture of an event.
pub(crate) fn sample(schema: &Value) -> Value {
    within(schema, &schema["$defs"], 0)
}

fn within(schema: &Value, defs: &Value, depth: usize) -> Value {
    let first = |list: &str| schema[list].as_array().and_then(|l| l.first()).cloned();
    let below = |schema: &Value| within(schema, defs, depth + 1);
    if depth > DEEP {
        return Value::Null;
    }
    if let Some(value) = schema.get("const").cloned().or_else(|| first("enum")) {
        return value;
    }
    if let Some(reference) = schema["$ref"].as_str()
        && let Some(name) = reference.strip_prefix("#/$defs/")
    {
        return below(&defs[name]);
    }
    if let Some(one) = first("oneOf").or_else(|| first("anyOf")) {
        return below(&one);
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match (kind, schema["format"].as_str()) {
        (Some("integer" | "number"), _) => {
            json!(schema["minimum"].as_i64().map_or(1, |least| least.max(1)))
        }
        (Some("boolean"), _) => json!(false),
        (Some("array"), _) => match schema["prefixItems"].as_array() {
            Some(items) => items.iter().map(below).collect(),
            // A list that may be empty ends a type that lies in itself.
            None if depth + 4 > DEEP => json!([]),
            None => json!([below(&schema["items"])]),
        },
        (Some("object"), _) => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            fields.map(|(name, s)| (name.clone(), below(s))).collect()
        }
        (_, Some("uuid")) => json!(Uuid::nil()),
        (_, Some("money")) => json!("1.00"),
        (_, Some("date-time")) => json!("2026-01-01T00:00:00Z"),
        _ => json!("some words"),
    }
}
