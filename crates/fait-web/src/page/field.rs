//! The fields of a form: how they look, and what is typed into them as JSON.

use super::words::{bare, kind_of, tell};
use fait::command::FieldDef;
use fait::event::{Money, Time};
use maud::{Markup, html};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Text,
    Whole {
        least: Option<i64>,
    },
    Number,
    Money,
    YesNo,
    Choice(Vec<String>),
    List(Box<Kind>),
    Moment,
    Uuid,
    /// Anything else is written as JSON.
    Json,
}

impl Kind {
    fn of(schema: &Value) -> Kind {
        let schema = bare(schema);
        if let Some(choice) = choices(&schema) {
            return Kind::Choice(choice);
        }
        let format = schema["format"].as_str().unwrap_or_default();
        match (kind_of(&schema), format) {
            ("string", "uuid") => Kind::Uuid,
            ("string", "money") => Kind::Money,
            ("string", "date-time") => Kind::Moment,
            ("string", _) => Kind::Text,
            ("integer", _) => Kind::Whole {
                least: schema["minimum"].as_i64(),
            },
            ("number", _) => Kind::Number,
            ("boolean", _) => Kind::YesNo,
            ("array", _) => match Kind::of(&schema["items"]) {
                Kind::Json | Kind::List(_) => Kind::Json,
                item => Kind::List(Box::new(item)),
            },
            _ => Kind::Json,
        }
    }

    fn mode(&self) -> Option<&'static str> {
        match self {
            Kind::Whole { .. } => Some("numeric"),
            Kind::Money | Kind::Number => Some("decimal"),
            _ => None,
        }
    }

    /// What to know before typing.
    fn hint(&self) -> &'static str {
        match self {
            Kind::List(_) => "Separate them with commas.",
            Kind::Money => "An amount like 24.00.",
            Kind::Moment => "A time like 2026-11-23T18:05:00Z.",
            Kind::Json => "As JSON.",
            _ => "",
        }
    }

    /// The typed text as JSON.
    fn read(&self, text: &str) -> Result<Value, String> {
        let wrong = |what: &str| Err(format!("“{text}” is not {what}."));
        match self {
            Kind::Text => Ok(json!(text)),
            Kind::Whole { least } => match text.parse::<i64>() {
                Ok(n) if least.is_some_and(|l| n < l) => {
                    Err(format!("It must be {} or more.", least.unwrap_or_default()))
                }
                Ok(n) => Ok(json!(n)),
                Err(_) => text
                    .parse::<u64>()
                    .map(|n| json!(n))
                    .or_else(|_| wrong("a whole number")),
            },
            Kind::Number => match text.replace(',', ".").parse::<f64>() {
                Ok(n) if n.is_finite() => Ok(json!(n)),
                _ => wrong("a number"),
            },
            Kind::Money => match text.replace(',', ".").parse::<Money>() {
                Ok(amount) => Ok(json!(amount.to_string())),
                Err(_) => wrong("an amount like 24.00"),
            },
            Kind::YesNo => match text {
                "yes" | "true" => Ok(json!(true)),
                "no" | "false" => Ok(json!(false)),
                _ => wrong("yes or no"),
            },
            Kind::Choice(all) if all.iter().any(|c| c == text) => Ok(json!(text)),
            Kind::Choice(_) => wrong("one of the choices"),
            Kind::List(item) => {
                let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
                parts.map(|p| item.read(p)).collect()
            }
            Kind::Moment => match text.parse::<Time>() {
                Ok(time) => Ok(json!(time.to_string())),
                Err(_) => wrong("a time like 2026-11-23T18:05:00Z"),
            },
            Kind::Uuid => match text.parse::<Uuid>() {
                Ok(id) => Ok(json!(id.to_string())),
                Err(_) => wrong("an id"),
            },
            Kind::Json => serde_json::from_str(text).or_else(|_| wrong("JSON")),
        }
    }

    fn empty(&self) -> Result<Value, String> {
        match self {
            Kind::List(_) => Ok(json!([])),
            Kind::YesNo | Kind::Choice(_) => Err("Choose one.".into()),
            Kind::Text => Err("Write something here.".into()),
            _ => Err("Fill this in.".into()),
        }
    }
}

fn choices(schema: &Value) -> Option<Vec<String>> {
    if let Some(list) = schema["enum"].as_array() {
        let texts = list.iter().filter(|v| !v.is_null());
        return texts.map(|v| v.as_str().map(String::from)).collect();
    }
    let all = schema["oneOf"].as_array()?.iter();
    let groups = all.map(|one| match one["const"].as_str() {
        Some(text) => Some(vec![text.to_string()]),
        None => choices(one),
    });
    Some(groups.collect::<Option<Vec<_>>>()?.concat())
}

/// What a form says: typed texts by name, and what is wrong with them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Typed {
    pub(super) texts: BTreeMap<String, String>,
    pub(super) wrong: BTreeMap<String, String>,
}

impl Typed {
    pub(super) fn text(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }

    /// The words of a command; what cannot be read is noted as wrong.
    pub(super) fn body(&mut self, fields: &[FieldDef]) -> Value {
        let mut body = json!({});
        for field in fields {
            let kind = Kind::of(&field.schema);
            let text = self.text(&field.name).trim().to_string();
            let read = match text.as_str() {
                "" if field.optional => continue,
                "" => kind.empty(),
                text => kind.read(text),
            };
            match read {
                Ok(value) => body[&field.name] = value,
                Err(why) => {
                    self.wrong.insert(field.name.clone(), why);
                }
            }
        }
        body
    }
}

/// A value as it is typed: what [`Typed::body`] reads back.
pub(super) fn typed(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) if list.iter().all(|v| !v.is_array() && !v.is_object()) => {
            list.iter().map(typed).collect::<Vec<_>>().join(", ")
        }
        Value::Bool(_) => tell(value),
        other => other.to_string(),
    }
}

/// A field that people fill.
pub(super) fn field(def: &FieldDef, typed: &Typed) -> Markup {
    let kind = Kind::of(&def.schema);
    let usual = def.schema["default"].as_str().unwrap_or_default();
    let text = match typed.text(&def.name) {
        "" => usual,
        text => text,
    };
    let id = format!("f-{}", def.name);
    let wrong = typed.wrong.get(&def.name);
    let hint = [def.help.as_str(), kind.hint()];
    let hint = hint.iter().filter(|h| !h.is_empty());
    let hint = hint.copied().collect::<Vec<_>>().join(" ");
    let mut by = vec![];
    if !hint.is_empty() {
        by.push(format!("{id}-hint"));
    }
    if wrong.is_some() {
        by.push(format!("{id}-wrong"));
    }
    let by = (!by.is_empty()).then(|| by.join(" "));
    let below = html! {
        @if !hint.is_empty() { p.hint id={ (id) "-hint" } { (hint) } }
        @if let Some(wrong) = wrong { p.wrong id={ (id) "-wrong" } { span { "Not yet: " } (wrong) } }
    };
    let optional = html! { @if def.optional { span.optional { " (optional)" } } };
    let class = if wrong.is_some() {
        "field bad"
    } else {
        "field"
    };
    let options = match &kind {
        Kind::YesNo => Some(vec![
            ("yes".into(), "Yes".into()),
            ("no".into(), "No".into()),
        ]),
        Kind::Choice(all) if all.len() <= 6 => {
            Some(all.iter().map(|c| (c.clone(), word(c))).collect())
        }
        _ => None,
    };
    if let Some(options) = options {
        return html! {
            fieldset class=(class) aria-describedby=[by] {
                legend { (def.label) (optional) }
                (below)
                (radios(&id, &def.name, &options, text))
            }
        };
    }
    html! {
        div class=(class) {
            label for=(id) { (def.label) (optional) }
            (below)
            (input(&kind, &id, &def.name, text, by.as_deref(), wrong.is_some()))
        }
    }
}

/// A name of the program in plain words; what is in plain words already stays as it is.
fn word(choice: &str) -> String {
    match choice.contains(' ') {
        true => choice.into(),
        false => super::words::plain(choice),
    }
}

/// The first has the id of the field, so that a link from the summary of errors leads there.
fn radios(id: &str, name: &str, options: &[(String, String)], chosen: &str) -> Markup {
    html! {
        div.radios {
            @for (i, (value, text)) in options.iter().enumerate() {
                @let own = if i == 0 { id.to_string() } else { format!("{id}-{i}") };
                label.radio for=(own) {
                    input type="radio" id=(own) name=(name) value=(value) checked[value == chosen];
                    " " (text)
                }
            }
        }
    }
}

fn input(kind: &Kind, id: &str, name: &str, text: &str, by: Option<&str>, bad: bool) -> Markup {
    let bad = bad.then_some("true");
    match kind {
        Kind::Choice(all) => html! {
            select id=(id) name=(name) aria-describedby=[by] aria-invalid=[bad] {
                option value="" { "Choose" }
                @for one in all { option value=(one) selected[one == text] { (word(one)) } }
            }
        },
        Kind::Json => html! {
            textarea id=(id) name=(name) rows="4" aria-describedby=[by] aria-invalid=[bad] { (text) }
        },
        // Without `autocomplete`: on the way back browsers then put back what was typed.
        _ => html! {
            input type="text" id=(id) name=(name) value=(text) inputmode=[kind.mode()]
                aria-describedby=[by] aria-invalid=[bad];
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Typed, typed};
    use fait::command::FieldDef;
    use serde_json::{Value, json};

    fn def(name: &str, schema: Value, optional: bool) -> FieldDef {
        FieldDef {
            name: name.into(),
            label: name.into(),
            help: String::new(),
            fresh: false,
            optional,
            schema,
        }
    }

    #[test]
    fn kinds_come_from_schemas() {
        let choice = json!({"oneOf": [{"const": "red"}, {"enum": ["blue"]}]});
        assert_eq!(
            Kind::of(&choice),
            Kind::Choice(vec!["red".into(), "blue".into()])
        );
        let list = json!({"type": "array", "items": {"type": "string"}});
        assert_eq!(Kind::of(&list), Kind::List(Box::new(Kind::Text)));
        assert_eq!(Kind::of(&json!({"type": ["string", "null"]})), Kind::Text);
        assert_eq!(Kind::of(&json!({"type": "object"})), Kind::Json);
    }

    #[test]
    fn what_is_typed_becomes_json_or_is_wrong() {
        let fields = [
            def("table", json!({"type": "integer", "minimum": 0}), false),
            def(
                "dishes",
                json!({"type": "array", "items": {"type": "string"}}),
                false,
            ),
            def("total", json!({"type": "string", "format": "money"}), false),
            def("note", json!({"type": ["string", "null"]}), true),
            def("first", json!({"type": "boolean"}), false),
        ];
        let mut form = Typed::default();
        for (name, text) in [("table", " 4 "), ("dishes", "cake,, tea"), ("total", "3,5")] {
            form.texts.insert(name.into(), text.into());
        }
        let body = form.body(&fields);
        assert_eq!(
            body,
            json!({"table": 4, "dishes": ["cake", "tea"], "total": "3.50"})
        );
        assert_eq!(form.wrong.keys().collect::<Vec<_>>(), ["first"]);
        form.texts.insert("table".into(), "-1".into());
        form.texts.insert("first".into(), "yes".into());
        form.wrong.clear();
        assert_eq!(form.body(&fields)["first"], json!(true));
        assert_eq!(form.wrong["table"], "It must be 0 or more.");
    }

    #[test]
    fn typed_values_are_read_back() {
        let list = Kind::List(Box::new(Kind::Text));
        let value = json!(["a", "b"]);
        assert_eq!(list.read(&typed(&value)), Ok(value));
        assert_eq!(Kind::YesNo.read(&typed(&json!(false))), Ok(json!(false)));
    }
}
