//! Examples: a message of a type as it is sent.

use super::accept::{Verdict, accepts};
use super::schema::{Number, Shape, Text, shapes};
use super::schema_id;
use crate::bus::{Attribute, CloudEvent, Data};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How deep an example goes before it is left at the shortest value.
const MOST_DEPTH: usize = 8;

/// A message with made-up values, for a type of which there is no better example yet.
pub fn example(system: &str, ty: &str, schema: &Value) -> CloudEvent {
    let text = |text: &str| Attribute::Text(text.into());
    let extensions = [
        ("sequence", text("00000000000000000042")),
        ("recordedtime", text("2026-11-23T18:05:00.120Z")),
        (
            "correlationid",
            text("0199a3c4-5e00-7000-8000-000000000001"),
        ),
        ("causationid", text("0199a3c4-5e00-7000-8000-000000000002")),
        ("partitionkey", text("example")),
    ];
    let extensions = extensions.map(|(name, value)| (name.to_owned(), value));
    CloudEvent {
        id: "0199a3c4-5e00-7000-8000-000000000003".into(),
        source: format!("urn:fait:{system}"),
        ty: ty.into(),
        subject: Some("example".into()),
        time: Some("2026-11-23T18:05:00.000Z".into()),
        datacontenttype: Some("application/json".into()),
        dataschema: Some(schema_id(ty)),
        extensions: BTreeMap::from(extensions),
        data: Data::Json(made_up(schema, schema, 0)),
    }
}

/// A value that a schema allows, as far as its rules can be followed: patterns are not.
fn made_up(root: &Value, schema: &Value, depth: usize) -> Value {
    let all = shapes(root, schema);
    // What may be left out is shown where it is not nested too deep.
    let best = match depth < MOST_DEPTH {
        true => all.iter().find(|shape| **shape != Shape::Null),
        false => all.iter().find(|shape| **shape == Shape::Null),
    };
    match best.or(all.first()) {
        None | Some(Shape::Any | Shape::Null | Shape::Unknown(..)) => Value::Null,
        Some(Shape::Flag) => json!(true),
        Some(Shape::Const(value)) => value.clone(),
        Some(Shape::Number(number)) => a_number(number),
        Some(Shape::Text(text)) => a_text(text).into(),
        Some(Shape::List(list)) => {
            let mut items: Vec<Value> = list
                .first
                .iter()
                .map(|item| made_up(root, item, depth + 1))
                .collect();
            let least = list.from.map_or(0, |(least, _)| least as usize);
            let wanted = least.max(usize::from(list.first.is_empty() && depth < MOST_DEPTH));
            while items.len() < wanted.min(100) {
                items.push(made_up(root, &list.items, depth + 1));
            }
            items.into()
        }
        Some(Shape::Object(object)) => {
            let shown = |name: &String| object.required.contains(name) || depth < MOST_DEPTH;
            let fields = object.fields.iter().filter(|(name, _)| shown(name));
            let fields: Map<String, Value> = fields
                .map(|(name, field)| (name.clone(), made_up(root, field, depth + 1)))
                .collect();
            fields.into()
        }
    }
}

fn a_number(number: &Number) -> Value {
    let least = number.from.map(|(n, out)| if out { n + 1.0 } else { n });
    let most = number.to.map(|(n, out)| if out { n - 1.0 } else { n });
    let n = 1f64.max(least.unwrap_or(1.0)).min(most.unwrap_or(f64::MAX));
    match number.whole {
        true => json!(n as i64),
        false => json!(n),
    }
}

fn a_text(text: &Text) -> String {
    let plain = match text.format.as_deref() {
        Some("uuid") => return "0199a3c4-5e00-7000-8000-000000000004".into(),
        Some("date-time") => return "2026-11-23T18:05:00.000Z".into(),
        Some("date") => return "2026-11-23".into(),
        Some("uri") => return "https://example.com/".into(),
        _ => "example",
    };
    let most = text.to.map_or(usize::MAX, |(most, _)| most as usize);
    let least = text.from.map_or(0, |(least, _)| least as usize).min(10_000);
    let mut made: String = plain.chars().cycle().take(least.max(plain.len())).collect();
    made.truncate(most);
    made
}

/// Why something is no example of a type; none when it is one.
pub fn unlike(example: &Value, ty: &str, schema: &Value) -> Option<String> {
    let event = match serde_json::from_value::<CloudEvent>(example.clone()) {
        Ok(event) => event,
        Err(e) => return Some(e.to_string()),
    };
    if event.ty != ty {
        return Some(format!("its `type` is `{}`", event.ty));
    }
    match &event.data {
        Data::Json(data) if accepts(schema, schema, data) >= Verdict::Unsure => None,
        Data::Json(_) => Some("its data is not valid by the schema of the type".into()),
        _ => Some("its data is not JSON".into()),
    }
}
