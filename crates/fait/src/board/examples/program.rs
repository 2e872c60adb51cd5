//! What the program has for the names of a board.

use super::value;
use crate::app::App;
use fait_board::Board;
use fait_board::name::{self, field_name, kebab_name};
use fait_board::notes::Type;
use fait_core::command::FieldDef;
use fait_core::event::{Draft, EventDef, Meta, Origin, StoredEvent, Tag, Time};
use fait_core::manifest::{CommandEntry, Manifest, ViewEntry};
use serde_json::{Value, json};
use uuid::Uuid;

/// A program, by the names of a board.
pub(super) struct Program {
    pub(super) manifest: Manifest,
    /// The system that sends an event, by the event's stored name.
    received: Vec<(String, String)>,
}

/// The fields of an event, of a command or of a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape(pub(super) Vec<Field>);

/// One field of the program.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) schema: Value,
    pub(super) required: bool,
    pub(super) fresh: bool,
}

impl Program {
    pub(super) fn of(app: &App) -> Program {
        let core = &app.core;
        let mut manifest = app.manifest();
        // What is only read can have happened, too.
        let read = core.commands.values().flat_map(|c| &c.read_defs);
        let heard = core.processes.values().flat_map(|p| &p.def.heard_defs);
        let shown = core.view_defs().flat_map(|v| &v.event_defs);
        for def in read.chain(heard).chain(shown) {
            let known = manifest.events.entry(def.name.clone());
            known.or_insert_with(|| def.clone());
        }
        let received = core.received.values();
        let received = received.map(|(def, system)| (def.name.clone(), system.clone()));
        Program {
            manifest,
            received: received.collect(),
        }
    }

    pub(super) fn event(&self, board: &str) -> Option<&EventDef> {
        let mut all = self.manifest.events.values();
        let named = |def: &&EventDef| {
            name::same(board, &def.name) || def.was.iter().any(|was| name::same(board, was))
        };
        all.find(named)
    }

    pub(super) fn command(&self, board: &str) -> Option<(&String, &CommandEntry)> {
        let mut all = self.manifest.commands.iter();
        all.find(|(code, _)| name::same(board, code))
    }

    pub(super) fn view(&self, board: &str) -> Option<(&String, &ViewEntry)> {
        let mut all = self.manifest.views.iter();
        all.find(|(code, _)| name::same(board, code))
    }

    /// The system that sends an event.
    pub(super) fn sender(&self, event: &str) -> Option<&str> {
        let mut all = self.received.iter();
        all.find(|(name, _)| name == event)
            .map(|(_, system)| system.as_str())
    }

    /// The schema of an id of a kind.
    pub(super) fn id_of(&self, kind: &str) -> Value {
        let shapes = self
            .manifest
            .events
            .values()
            .map(|e| Shape::of_schema(&e.schema));
        let mut fields = shapes.flat_map(|shape| shape.0);
        let found = fields.find(|f| f.schema.get("x-kind").is_some_and(|k| k == kind));
        found.map_or_else(|| json!({"type": "string", "x-kind": kind}), |f| f.schema)
    }

    /// An event as it would be recorded.
    ///
    /// # Errors
    /// The data does not fit.
    pub(super) fn draft(&self, def: &EventDef, data: &Value) -> Result<Draft, String> {
        let mut data = data.clone();
        if let (None, Some(data)) = (def.code, data.as_object_mut()) {
            for field in Shape::of_schema(&def.schema).0 {
                if let Some(usual) = field.schema.get("default") {
                    data.entry(field.name).or_insert_with(|| usual.clone());
                }
            }
        }
        let bytes = serde_json::to_vec(&data).map_err(|e| e.to_string())?;
        let Some(code) = def.code else {
            return Ok(Draft {
                ty: def.name.clone(),
                version: def.version,
                tags: tags(def, &data),
                data: bytes.into(),
            });
        };
        let stored = StoredEvent {
            ty: def.name.clone(),
            version: def.version,
            tags: vec![],
            data: bytes.into(),
            meta: Meta {
                position: 1,
                id: Uuid::nil(),
                recorded_at: Time(0),
                origin: Origin::default(),
            },
        };
        code.rewrite(&stored).map_err(|e| e.message)
    }
}

/// The tags of an event that has no code: those of the ids among its fields.
fn tags(def: &EventDef, data: &Value) -> Vec<Tag> {
    let mut tags = vec![];
    for field in Shape::of_schema(&def.schema).0 {
        let many = field.schema["items"].get("x-kind").and_then(Value::as_str);
        let Some(kind) = value::property(&field.schema, "x-kind").or(many) else {
            continue;
        };
        let one = |id: &Value| match id {
            Value::String(id) => Some(Tag::new(kind, id)),
            Value::Number(id) => Some(Tag::new(kind, id)),
            _ => None,
        };
        match &data[&field.name] {
            Value::Array(ids) => tags.extend(ids.iter().filter_map(one)),
            id => tags.extend(one(id)),
        }
    }
    tags
}

impl Shape {
    pub(super) fn of_schema(schema: &Value) -> Shape {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let defs = schema.get("$defs");
        let field = |(name, of): (&String, &Value)| {
            let mut schema = of.clone();
            if let (Some(defs), Some(object)) = (defs, schema.as_object_mut()) {
                object.insert("$defs".into(), defs.clone());
            }
            Field {
                required: required.iter().any(|r| r == name),
                name: name.clone(),
                schema,
                fresh: false,
            }
        };
        let fields = schema["properties"].as_object().into_iter().flatten();
        Shape(fields.map(field).collect())
    }

    pub(super) fn of_fields(fields: &[FieldDef]) -> Shape {
        let field = |f: &FieldDef| Field {
            name: f.name.clone(),
            schema: f.schema.clone(),
            required: !f.optional,
            fresh: f.fresh,
        };
        Shape(fields.iter().map(field).collect())
    }

    /// The field of a word: by its name, else by the kind of thing that it is the id of.
    pub(super) fn field(&self, word: &str) -> Option<&Field> {
        let by = |is: &dyn Fn(&Field) -> bool| self.0.iter().find(|f| is(f));
        by(&|f| f.name == field_name(word))
            .or_else(|| by(&|f| name::same(word, &f.name)))
            .or_else(|| by(&|f| name::same(&format!("{word} id"), &f.name)))
            .or_else(|| {
                let kind = |f: &Field| value::property(&f.schema, "x-kind").map(String::from);
                by(&|f| kind(f).is_some_and(|kind| name::same(word, &kind)))
            })
    }

    pub(super) fn named(&self, field: &str) -> Option<&Field> {
        self.0.iter().find(|f| f.name == field)
    }

    /// The names of its fields as words of the board.
    pub(super) fn words(&self) -> String {
        let words: Vec<String> = self.0.iter().map(|f| f.word()).collect();
        match words.is_empty() {
            true => "nothing".into(),
            false => words.join(", "),
        }
    }
}

impl Field {
    /// Its name in plain words.
    pub(super) fn word(&self) -> String {
        self.name.trim_start_matches('_').replace('_', " ")
    }

    /// What the board says the field is.
    pub(super) fn is<'b>(&self, board: &'b Board) -> Option<&'b Type> {
        let word = self.word();
        let bare = word.strip_suffix(" id");
        let named =
            |text: &str| name::same(text, &word) || bare.is_some_and(|b| name::same(text, b));
        let word = board.words.iter().find(|w| named(&w.note.name.text));
        word.and_then(|w| w.is.as_ref())
    }

    /// The kind of thing that it names, when it is an id.
    pub(super) fn kind(&self, board: &Board) -> Option<String> {
        let own = || {
            let word = self.word();
            kebab_name(word.strip_suffix(" id").unwrap_or(&word))
        };
        if let Some(kind) = value::property(&self.schema, "x-kind") {
            return Some(kind.into());
        }
        let is_id = value::property(&self.schema, "format") == Some("uuid")
            || self.is(board) == Some(&Type::Id);
        is_id.then(own)
    }
}

/// A name of the program in plain words: `OrderPlaced` is `Order placed`.
pub(super) fn plain(code: &str) -> String {
    let own = code.rsplit('.').next().unwrap_or(code);
    let mut out = String::with_capacity(own.len() + 4);
    for c in own.chars() {
        match c {
            '-' | '_' => out.push(' '),
            c if c.is_uppercase() && !out.is_empty() => {
                out.push(' ');
                out.extend(c.to_lowercase());
            }
            c if out.is_empty() => out.extend(c.to_uppercase()),
            c => out.push(c),
        }
    }
    out
}
