//! Words of a note beside the fields of the code: which are missing on either side, and which are
//! something else.

use super::build::{Builder, Subject};
use super::name::{nearest, plain_word};
use super::{Entry, Part, Verdict};
use fait_board::name::same;
use fait_board::note::{Kind, Mention};
use fait_board::notes::Type;
use serde_json::Value;

/// The words of one clause of a note, and the fields of the code.
pub(super) struct Compared<'a> {
    pub(super) subject: Subject<'a>,
    /// The name in the code.
    pub(super) code: &'a str,
    /// The clause on the board.
    pub(super) clause: &'static str,
    /// What the code does with a field, for a sentence.
    pub(super) does: &'static str,
    /// The words of the board.
    pub(super) words: &'a [Mention],
    /// Further words for which the code may have a field.
    pub(super) known: &'a [Mention],
    /// The fields of the code.
    pub(super) fields: Vec<Field<'a>>,
}

/// One field of the code.
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) schema: &'a Value,
    /// Whether the board need not have it.
    pub(super) needless: bool,
}

impl Compared<'_> {
    pub(super) fn into_entries(self, b: &mut Builder<'_>) {
        let is = |word: &Mention, field: &Field<'_>| same(word.text(), field.name);
        let unknown = |field: &&Field<'_>| {
            let mut words = self.words.iter().chain(self.known);
            !words.any(|word| is(word, field))
        };
        let mut extra: Vec<&Field<'_>> = self.fields.iter().filter(unknown).collect();
        for word in self.words {
            match self.fields.iter().find(|field| is(word, field)) {
                Some(field) => b.add(self.both(b, word, field)),
                None => {
                    let near = nearest(word.text(), extra.iter().map(|f| f.name));
                    let near = near.map(String::from);
                    extra.retain(|field| near.as_deref() != Some(field.name));
                    b.add(self.missing(word, near.as_deref()));
                }
            }
        }
        for field in extra.into_iter().filter(|field| !field.needless) {
            b.add(self.extra(field));
        }
    }

    fn entry(&self, word: &str, verdict: Verdict, says: String) -> Entry {
        let part = Part::Word { word: word.into() };
        self.subject.part(part, verdict, says).code(self.code)
    }

    fn both(&self, b: &Builder<'_>, word: &Mention, field: &Field<'_>) -> Entry {
        let declared = word.index(Kind::Word).and_then(|at| b.board.words.get(at));
        let is = declared.and_then(|word| word.is.as_ref());
        let name = word.text();
        let whom = self.subject.whom();
        let entry = match is.filter(|is| contradicts(is, field.schema)) {
            None => {
                let says = format!("{whom} {} `{name}`", self.clause);
                self.entry(name, Verdict::Agrees, says)
            }
            Some(is) => {
                let says = format!(
                    "{whom} {} `{name}`, which is `{is}`; in the code, `{}` of `{}` is `{}`",
                    self.clause,
                    field.name,
                    self.code,
                    told(field.schema)
                );
                self.entry(name, Verdict::Differs, says)
            }
        };
        entry.at(word.name.span)
    }

    fn missing(&self, word: &Mention, near: Option<&str>) -> Entry {
        let name = word.text();
        let says = format!(
            "{} {} `{name}`; `{}` in the code has no such field",
            self.subject.whom(),
            self.clause,
            self.code
        );
        let entry = self.entry(name, Verdict::Differs, says).at(word.name.span);
        match near {
            Some(near) => entry.help(&format!("did you mean `{}`?", plain_word(near))),
            None => entry,
        }
    }

    fn extra(&self, field: &Field<'_>) -> Entry {
        let word = plain_word(field.name);
        let says = format!(
            "`{}` {} `{}`, which {} does not have on the board",
            self.code,
            self.does,
            field.name,
            self.subject.whom()
        );
        let last = self.words.iter().map(|word| word.name.span.line).max();
        let behind = last.unwrap_or(self.subject.note.span.line);
        let line = format!("  {} {word}", self.clause);
        self.entry(&word, Verdict::Differs, says).draw(behind, line)
    }
}

/// Whether a word cannot be what the code has. What is not understood is no contradiction.
fn contradicts(is: &Type, schema: &Value) -> bool {
    let types = types(schema);
    let one_of = |wanted: &[&str]| types.is_empty() || types.iter().any(|t| wanted.contains(t));
    let format = schema.get("format").and_then(Value::as_str);
    let money = format == Some("money");
    match is {
        Type::OrNothing(of) => contradicts(of, schema),
        Type::Id => !one_of(&["string", "integer"]) || money,
        Type::Text => !one_of(&["string"]) || money,
        Type::Date | Type::Time => !one_of(&["string"]) || money,
        Type::OneOf(_) => !one_of(&["string"]) || money,
        Type::Number => !one_of(&["integer", "number"]),
        Type::Money => !money && !types.is_empty(),
        Type::YesOrNo => !one_of(&["boolean"]),
        Type::ListOf(of) => {
            let items = schema.get("items");
            !one_of(&["array"]) || items.is_some_and(|items| contradicts(of, items))
        }
    }
}

/// The JSON types that a schema names, without null.
fn types(schema: &Value) -> Vec<&str> {
    let named = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(some)) => some.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    named.into_iter().filter(|name| *name != "null").collect()
}

/// What a schema says, for a sentence.
fn told(schema: &Value) -> String {
    let format = schema.get("format").and_then(Value::as_str);
    match (types(schema).as_slice(), format) {
        (_, Some("money")) => "money".into(),
        (["array"], _) => match schema.get("items") {
            Some(items) => format!("list of {}", told(items)),
            None => "list".into(),
        },
        (["string"], Some("uuid")) => "id".into(),
        (["string"], _) => "text".into(),
        (["integer" | "number"], _) => "number".into(),
        (["boolean"], _) => "yes or no".into(),
        (types, _) => types.join(" or "),
    }
}
