//! The words of a board as data: what a form asks, what an event records, what a row shows.

use fait_board::name::field_name;
use fait_board::notes::Type;
use fait_core::event::{Money, Time};
use serde_json::{Value, json};

/// A word of the business.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// As the board says it.
    pub(super) name: String,
    /// Its name in JSON.
    pub(super) field: String,
    /// What it is; text when the board does not explain it.
    pub(super) is: Type,
    /// The kind of its tag, when events are found by it.
    pub(super) kind: Option<String>,
}

impl Word {
    pub(super) fn new(name: &str, is: Option<Type>, number: usize) -> Word {
        let field = match field_name(name) {
            field if field.is_empty() => format!("word_{number}"),
            field => field,
        };
        Word {
            name: name.into(),
            field,
            is: is.unwrap_or(Type::Text),
            kind: None,
        }
    }

    /// Makes it a word that events are tagged with.
    pub(super) fn make_key(&mut self) {
        // The facts of processes carry tags of these kinds for themselves.
        let taken = ["process", "instance", "command"].contains(&self.field.as_str());
        let kind = match taken {
            true => format!("{}_id", self.field),
            false => self.field.clone(),
        };
        self.kind = Some(kind);
    }

    /// Its name at the start of a line.
    pub(super) fn label(&self) -> String {
        capital(&self.name)
    }

    /// JSON Schema of a value.
    pub(super) fn schema(&self) -> Value {
        let mut schema = schema(&self.is);
        schema["title"] = self.label().into();
        if let Some(kind) = &self.kind {
            schema["x-kind"] = kind.clone().into();
        }
        schema
    }

    /// The same for a value that may not be there.
    pub(super) fn schema_or_null(&self) -> Value {
        or_null(self.schema())
    }

    /// Whether a new id can be made for it.
    pub(super) fn can_be_made(&self) -> bool {
        matches!(bare(&self.is), Type::Id | Type::Text)
    }

    /// A value as it is recorded.
    ///
    /// # Errors
    /// It is not what the word is; a sentence says what would be.
    pub(super) fn read(&self, value: &Value) -> Result<Value, String> {
        read(&self.is, value)
    }
}

/// The first letter capital.
pub(super) fn capital(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    first.chain(rest.clone()).collect()
}

/// A type without that it may be nothing.
pub(super) fn bare(is: &Type) -> &Type {
    match is {
        Type::OrNothing(is) => bare(is),
        is => is,
    }
}

/// What a tag or a key says of a value; nothing for one that is not there.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().into()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(if *yes { "yes" } else { "no" }.into()),
        _ => None,
    }
}

fn schema(is: &Type) -> Value {
    match is {
        Type::Id | Type::Text => json!({"type": "string"}),
        Type::Number => json!({"type": "number"}),
        Type::Money => json!({
            "type": "string", "format": "money", "pattern": r"^-?[0-9]+(\.[0-9]{1,2})?$"
        }),
        Type::Date => json!({"type": "string", "format": "date"}),
        Type::Time => json!({"type": "string", "format": "time"}),
        Type::YesOrNo => json!({"type": "boolean"}),
        Type::ListOf(of) => json!({"type": "array", "items": schema(of)}),
        Type::OneOf(names) => {
            let names: Vec<&str> = names.iter().map(|n| n.text.as_str()).collect();
            json!({"type": "string", "enum": names})
        }
        Type::OrNothing(is) => or_null(schema(is)),
    }
}

fn or_null(mut schema: Value) -> Value {
    if let Some(kind) = schema["type"].as_str() {
        schema["type"] = json!([kind, "null"]);
    }
    if let Some(all) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        all.push(Value::Null);
    }
    schema
}

fn read(is: &Type, value: &Value) -> Result<Value, String> {
    let text = value.as_str().map(str::trim);
    let wrong = |what: &str| match text {
        Some(text) => Err(format!("“{text}” is not {what}")),
        None => Err(format!("{value} is not {what}")),
    };
    match (is, text) {
        (Type::Id, _) => match text_of(value) {
            Some(id) => Ok(json!(id)),
            None => wrong("an id"),
        },
        (Type::Text, Some(text)) => Ok(json!(text)),
        (Type::Text, None) => wrong("text"),
        (Type::Number, _) => match value.as_f64().or_else(|| text?.parse().ok()) {
            Some(number) => Ok(whole(number)),
            None => wrong("a number"),
        },
        (Type::Money, _) => match amount(value) {
            Some(amount) => Ok(json!(amount.to_string())),
            None => wrong("an amount like 24.00"),
        },
        (Type::Date, _) => match text.filter(|t| is_time(&format!("{t}T00:00:00Z"))) {
            Some(date) => Ok(json!(date)),
            None => wrong("a date like 2026-11-23"),
        },
        (Type::Time, _) => match text.filter(|t| is_hour(t) || is_time(t)) {
            Some(time) => Ok(json!(time)),
            None => wrong("a time like 18:05"),
        },
        (Type::YesOrNo, _) => match (value.as_bool(), text) {
            (Some(yes), _) => Ok(json!(yes)),
            (None, Some("yes")) => Ok(json!(true)),
            (None, Some("no")) => Ok(json!(false)),
            _ => wrong("yes or no"),
        },
        (Type::ListOf(of), _) => match value.as_array() {
            Some(all) => all.iter().map(|one| read(of, one)).collect(),
            None => wrong("a list"),
        },
        (Type::OneOf(names), _) => match names.iter().find(|n| Some(n.text.as_str()) == text) {
            Some(name) => Ok(json!(name.text)),
            None => wrong(&is.to_string()),
        },
        (Type::OrNothing(_), _) if value.is_null() => Ok(Value::Null),
        (Type::OrNothing(is), _) => read(is, value),
    }
}

/// A number without a fraction is written without one.
fn whole(number: f64) -> Value {
    match number.to_string().parse::<i64>() {
        Ok(whole) => json!(whole),
        Err(_) => json!(number),
    }
}

fn amount(value: &Value) -> Option<Money> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

fn is_time(text: &str) -> bool {
    text.parse::<Time>().is_ok()
}

/// `18:05` or `18:05:30`.
fn is_hour(text: &str) -> bool {
    is_time(&format!("2026-01-01T{text}Z")) || is_time(&format!("2026-01-01T{text}:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_what_the_word_is_or_a_sentence() {
        let fine = |is: &Type, value: Value| read(is, &value).unwrap();
        assert_eq!(fine(&Type::Number, json!(4.0)), json!(4));
        assert_eq!(fine(&Type::Number, json!(2.5)), json!(2.5));
        assert_eq!(fine(&Type::Money, json!("24")), json!("24.00"));
        assert_eq!(fine(&Type::Id, json!(7)), json!("7"));
        assert_eq!(fine(&Type::YesOrNo, json!("no")), json!(false));
        assert_eq!(fine(&Type::Time, json!("18:05")), json!("18:05"));
        assert_eq!(fine(&Type::Date, json!("2026-11-23")), json!("2026-11-23"));
        let list = Type::ListOf(Box::new(Type::Text));
        assert_eq!(fine(&list, json!(["tea"])), json!(["tea"]));
        let nothing = Type::OrNothing(Box::new(Type::Money));
        assert_eq!(fine(&nothing, Value::Null), Value::Null);
        let why = read(&Type::Date, &json!("tomorrow")).unwrap_err();
        assert_eq!(why, "“tomorrow” is not a date like 2026-11-23");
        assert!(read(&Type::Time, &json!("25:00")).is_err());
        assert!(read(&Type::Id, &json!(" ")).is_err());
    }
}
