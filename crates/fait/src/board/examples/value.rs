//! A value as the board says it, and as the JSON of the program has it.

use fait_board::name;
use fait_board::notes::Type;
use fait_core::event::{Money, Time};
use serde_json::{Value, json};
use uuid::Uuid;

/// How deep a type may lie in others.
const DEEP: usize = 12;

/// Reads what the board says of a field of this schema. `is` is what the board says the word is,
/// `kind` the kind of thing that it names when it is an id.
///
/// # Errors
/// What it would have to be: `a whole number`.
pub(super) fn read(
    text: &str,
    schema: &Value,
    is: Option<&Type>,
    kind: &str,
) -> Result<Value, String> {
    let reader = Reader {
        defs: &schema["$defs"],
        kind,
    };
    reader.read(text.trim(), schema, is, 0)
}

struct Reader<'a> {
    defs: &'a Value,
    kind: &'a str,
}

impl Reader<'_> {
    fn read(
        &self,
        text: &str,
        schema: &Value,
        is: Option<&Type>,
        depth: usize,
    ) -> Result<Value, String> {
        if depth > DEEP {
            return Err("something that a board can say".into());
        }
        if let Some(values) = choices(schema) {
            let found = values
                .iter()
                .find(|v| v.as_str().is_some_and(|v| name::same(text, v)));
            let listed = || Err(format!("one of {}", listed(&values)));
            return found.cloned().map_or_else(listed, Ok);
        }
        if let Some(below) = referred(schema, self.defs) {
            return self.read(text, below, is, depth + 1);
        }
        let is = match is {
            Some(Type::OrNothing(of)) => Some(&**of),
            other => other,
        };
        if let Some(all) = alternatives(schema) {
            let mut why = None;
            for one in all {
                match self.read(text, one, is, depth + 1) {
                    Ok(value) => return Ok(value),
                    Err(e) => why = Some(why.unwrap_or(e)),
                }
            }
            return Err(why.unwrap_or_else(|| "something that a board can say".into()));
        }
        let kinds = kinds(schema);
        if kinds.contains(&"null") && is_nothing(text) {
            return Ok(Value::Null);
        }
        match kinds.iter().find(|kind| **kind != "null") {
            Some(kind) => self.of_kind(kind, text, schema, is, depth),
            None if kinds.is_empty() => Ok(json!(text)),
            None => Err("nothing".into()),
        }
    }

    fn of_kind(
        &self,
        kind: &str,
        text: &str,
        schema: &Value,
        is: Option<&Type>,
        depth: usize,
    ) -> Result<Value, String> {
        match kind {
            "boolean" => match text.to_lowercase().as_str() {
                "yes" | "true" => Ok(json!(true)),
                "no" | "false" => Ok(json!(false)),
                _ => Err("yes or no".into()),
            },
            "integer" => self.integer(text, schema, is),
            "number" => {
                let number: f64 = text.parse().map_err(|_| "a number".to_string())?;
                Ok(json!(number))
            }
            "array" => self.list(text, schema, is, depth),
            "object" => Err(
                "something that a board can say in one value: the program has several fields there"
                    .into(),
            ),
            _ => self.string(text, schema),
        }
    }

    fn integer(&self, text: &str, schema: &Value, is: Option<&Type>) -> Result<Value, String> {
        if is == Some(&Type::Money) {
            // A program that counts in integers counts hundredths.
            let money: Money = text
                .parse()
                .map_err(|_| "an amount like 24.00".to_string())?;
            return Ok(json!(money.0));
        }
        match (text.parse::<i64>(), schema.get("x-kind")) {
            (Ok(number), _) => Ok(json!(number)),
            // A word that names a thing stands for one number.
            (Err(_), Some(_)) => {
                let bits = stable(self.kind, text).as_u128();
                Ok(json!(
                    u64::try_from(bits % 1_000_000_000).unwrap_or_default() + 1_000_000
                ))
            }
            (Err(_), None) => Err("a whole number".into()),
        }
    }

    fn string(&self, text: &str, schema: &Value) -> Result<Value, String> {
        let fine = |ok: bool, what: &str| match ok {
            true => Ok(json!(text)),
            false => Err(what.to_string()),
        };
        match schema["format"].as_str() {
            Some("uuid") => {
                let id = text.parse().unwrap_or_else(|_| stable(self.kind, text));
                Ok(json!(id))
            }
            Some("money") => {
                let money: Money = text
                    .parse()
                    .map_err(|_| "an amount like 24.00".to_string())?;
                Ok(json!(money.to_string()))
            }
            Some("date-time") => match is_date(text) {
                true => Ok(json!(format!("{text}T00:00:00Z"))),
                false => fine(
                    text.parse::<Time>().is_ok(),
                    "a time like 2026-11-28 or 2026-11-28T18:30:00Z",
                ),
            },
            Some("date") => fine(is_date(text), "a date like 2026-11-28"),
            _ => Ok(json!(text)),
        }
    }

    fn list(
        &self,
        text: &str,
        schema: &Value,
        is: Option<&Type>,
        depth: usize,
    ) -> Result<Value, String> {
        let of = match is {
            Some(Type::ListOf(of)) => Some(&**of),
            other => other,
        };
        if is_nothing(text) {
            return Ok(json!([]));
        }
        let pieces: Vec<&str> = text.split(',').map(str::trim).collect();
        let parts = schema["prefixItems"].as_array();
        if let Some(parts) = parts.filter(|parts| parts.len() != pieces.len()) {
            return Err(format!("a list of {}", parts.len()));
        }
        let item = |n: usize| {
            parts
                .and_then(|parts| parts.get(n))
                .unwrap_or(&schema["items"])
        };
        let read = |(n, piece): (usize, &&str)| self.read(piece, item(n), of, depth + 1);
        let all: Result<Vec<Value>, String> = pieces.iter().enumerate().map(read).collect();
        all.map(Value::Array)
            .map_err(|why| format!("a list, each of which is {why}"))
    }
}

/// The id that a word stands for: always the same for the same word and kind, and the one that
/// `OrderId::named` gives.
fn stable(kind: &str, text: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{kind}:{text}").as_bytes())
}

fn is_nothing(text: &str) -> bool {
    matches!(text.to_lowercase().as_str(), "none" | "nothing")
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str, len| part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
    matches!(parts[..], [y, m, d] if digits(y, 4) && digits(m, 2) && digits(d, 2))
}

/// The schema that this one refers to.
fn referred<'a>(schema: &'a Value, defs: &'a Value) -> Option<&'a Value> {
    let only = schema["allOf"].as_array().and_then(|all| match &all[..] {
        [one] => Some(one),
        _ => None,
    });
    let named = || defs.get(schema["$ref"].as_str()?.strip_prefix("#/$defs/")?);
    only.or_else(named)
}

fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    let of = |list: &str| schema[list].as_array();
    of("anyOf").or_else(|| of("oneOf"))
}

/// The values of which it is one, when it is one of some texts.
fn choices(schema: &Value) -> Option<Vec<Value>> {
    if let Some(value) = schema.get("const") {
        return Some(vec![value.clone()]);
    }
    if let Some(values) = schema["enum"].as_array() {
        return Some(values.clone());
    }
    let all = schema["oneOf"].as_array()?;
    let each: Option<Vec<Vec<Value>>> = all
        .iter()
        .map(|one| choices(one).filter(|_| one.get("oneOf").is_none()))
        .collect();
    each.map(|each| each.into_iter().flatten().collect())
}

fn listed(values: &[Value]) -> String {
    let texts: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
    texts.join(", ")
}

fn kinds(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    }
}

/// Looks for a property of the schema itself, or of what it is when it is not nothing.
pub(super) fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a str> {
    let own = schema.get(name).and_then(Value::as_str);
    own.or_else(|| {
        alternatives(schema)?
            .iter()
            .find_map(|one| one.get(name)?.as_str())
    })
}

/// Whether a value that stands for a word elsewhere fits here.
pub(super) fn fits(value: &Value, schema: &Value) -> bool {
    let defs = &schema["$defs"];
    fn within(value: &Value, schema: &Value, defs: &Value, depth: usize) -> bool {
        if depth > DEEP {
            return false;
        }
        if let Some(values) = choices(schema) {
            return values.contains(value);
        }
        if let Some(below) = referred(schema, defs) {
            return within(value, below, defs, depth + 1);
        }
        if let Some(all) = alternatives(schema) {
            return all.iter().any(|one| within(value, one, defs, depth + 1));
        }
        kinds(schema).iter().any(|kind| match (*kind, value) {
            ("null", Value::Null) | ("boolean", Value::Bool(_)) => true,
            ("integer", Value::Number(n)) => n.is_i64() || n.is_u64(),
            ("number", Value::Number(_)) => true,
            ("string", Value::String(text)) => match schema["format"].as_str() {
                Some("uuid") => text.parse::<Uuid>().is_ok(),
                Some("money") => text.parse::<Money>().is_ok(),
                Some("date-time") => text.parse::<Time>().is_ok(),
                Some("date") => is_date(text),
                _ => true,
            },
            ("array", Value::Array(all)) => {
                let item = |v| within(v, &schema["items"], defs, depth + 1);
                schema.get("prefixItems").is_none() && all.iter().all(item)
            }
            _ => false,
        })
    }
    within(value, schema, defs, 0)
}

/// Whether two values of one field are the same, however they are written.
pub(super) fn equal(one: &Value, other: &Value, schema: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::String(a), Value::String(b)) => match property(schema, "format") {
            Some("money") => a.parse::<Money>().ok() == b.parse::<Money>().ok(),
            Some("date-time") => a.parse::<Time>().ok() == b.parse::<Time>().ok(),
            _ => a == b,
        },
        (Value::Array(a), Value::Array(b)) if schema["uniqueItems"] == json!(true) => {
            a.len() == b.len() && a.iter().all(|v| b.contains(v))
        }
        (Value::Array(a), Value::Array(b)) => {
            let items = &schema["items"];
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b, items))
        }
        _ => one == other,
    }
}

/// A value as the board would say it. `called` knows what the example calls an id.
pub(super) fn said(
    value: &Value,
    is: Option<&Type>,
    called: &dyn Fn(&str) -> Option<String>,
) -> String {
    match (value, is) {
        (Value::Null, _) => "nothing".into(),
        (Value::Bool(true), _) => "yes".into(),
        (Value::Bool(false), _) => "no".into(),
        (value, Some(Type::OrNothing(of))) => said(value, Some(of), called),
        (Value::Array(all), _) if all.is_empty() => "none".into(),
        (Value::Array(all), is) => {
            let of = match is {
                Some(Type::ListOf(of)) => Some(&**of),
                other => other,
            };
            let each: Vec<String> = all.iter().map(|v| said(v, of, called)).collect();
            each.join(", ")
        }
        (Value::Number(n), Some(Type::Money)) if n.is_i64() => {
            Money(n.as_i64().unwrap_or_default()).to_string()
        }
        (Value::String(text), Some(Type::OneOf(names))) => {
            let on_board = names.iter().find(|n| name::same(&n.text, text));
            on_board.map_or(text, |n| &n.text).clone()
        }
        (Value::String(text), _) => called(text).unwrap_or_else(|| text.clone()),
        (Value::Number(n), _) => {
            let text = n.to_string();
            let whole = text.strip_suffix(".0").unwrap_or(&text);
            called(whole).unwrap_or_else(|| whole.into())
        }
        (other, _) => other.to_string(),
    }
}
