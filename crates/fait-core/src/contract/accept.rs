//! Whether a value is one that a schema allows.

use super::schema::{Bound, Shape, Text, shapes};
use crate::event::Time;
use serde_json::Value;
use uuid::Uuid;

/// Whether a value is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    No,
    /// Nobody here can tell, as with a pattern.
    Unsure,
    Yes,
}

/// Whether a schema in a document allows a value.
pub(super) fn accepts(root: &Value, schema: &Value, value: &Value) -> Verdict {
    let all = shapes(root, schema);
    let verdicts = all.iter().map(|shape| takes(root, shape, value));
    verdicts.max().unwrap_or(Verdict::No)
}

/// Whether one shape allows a value.
pub(super) fn takes(root: &Value, shape: &Shape, value: &Value) -> Verdict {
    match (shape, value) {
        (Shape::Any, _) | (Shape::Null, Value::Null) | (Shape::Flag, Value::Bool(_)) => {
            Verdict::Yes
        }
        (Shape::Unknown(..), _) => Verdict::Unsure,
        (Shape::Const(wanted), value) => sure(wanted == value),
        (Shape::Number(n), Value::Number(number)) => {
            let whole = number.is_i64() || number.is_u64();
            let number = number.as_f64().unwrap_or(f64::NAN);
            if n.whole && !whole || !within(number, n.from, n.to) {
                return Verdict::No;
            }
            n.multiple.map_or(Verdict::Yes, |_| Verdict::Unsure)
        }
        (Shape::Text(rules), Value::String(text)) => text_takes(rules, text),
        (Shape::List(list), Value::Array(items)) => {
            let double = |(at, item): (usize, &Value)| items[..at].contains(item);
            if !within(items.len() as f64, list.from, list.to)
                || list.unique && items.iter().enumerate().any(double)
            {
                return Verdict::No;
            }
            let schema = |at: usize| list.first.get(at).unwrap_or(&list.items);
            let each = items.iter().enumerate();
            each.map(|(at, item)| accepts(root, schema(at), item))
                .min()
                .unwrap_or(Verdict::Yes)
        }
        (Shape::Object(object), Value::Object(fields)) => {
            if object
                .required
                .iter()
                .any(|name| !fields.contains_key(name))
            {
                return Verdict::No;
            }
            let each = fields.iter().map(|(name, value)| {
                let others = object.others.as_ref();
                match object.fields.get(name).or(others) {
                    Some(schema) => accepts(root, schema, value),
                    None => Verdict::Yes,
                }
            });
            each.min().unwrap_or(Verdict::Yes)
        }
        _ => Verdict::No,
    }
}

fn sure(yes: bool) -> Verdict {
    match yes {
        true => Verdict::Yes,
        false => Verdict::No,
    }
}

fn text_takes(rules: &Text, text: &str) -> Verdict {
    if !within(text.chars().count() as f64, rules.from, rules.to) {
        return Verdict::No;
    }
    let format = match rules.format.as_deref() {
        None => Verdict::Yes,
        Some("uuid") => sure(Uuid::try_parse(text).is_ok()),
        Some("date-time") => sure(text.parse::<Time>().is_ok()),
        Some("date") => sure(text.parse::<jiff::civil::Date>().is_ok()),
        Some(_) => Verdict::Unsure,
    };
    match (&rules.pattern, &rules.encoding) {
        (None, None) => format,
        _ => format.min(Verdict::Unsure),
    }
}

fn within(n: f64, from: Bound, to: Bound) -> bool {
    let above = from.is_none_or(|(least, out)| n > least || n == least && !out);
    let below = to.is_none_or(|(most, out)| n < most || n == most && !out);
    above && below
}
