//! The JSON Schemas of commands and of what is published, as components of the document.

use fait::bus::PublishedDef;
use fait::manifest::CommandEntry;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Where a schema keeps those that it names.
const DEFS: &str = "#/$defs/";

/// Most letters of an amount: so many always fit.
const MONEY: u64 = 16;

/// Longest text of an id, in letters of at most four bytes.
const ID: u64 = 50;

/// The schemas of a document, by name.
pub(super) struct Schemas(Map<String, Value>);

impl Schemas {
    pub(super) fn new() -> Self {
        Schemas(Map::new())
    }

    pub(super) fn done(self) -> Map<String, Value> {
        self.0
    }

    /// The body of a command.
    pub(super) fn of_command(&mut self, name: &str, command: &CommandEntry) -> Value {
        let mut fields = Map::new();
        let mut required = vec![];
        for field in &command.fields {
            let mut schema = self.moved(name, field.schema.clone());
            if let Some(object) = schema.as_object_mut() {
                object
                    .entry("title")
                    .or_insert_with(|| field.label.clone().into());
            }
            fields.insert(field.name.clone(), schema);
            if !field.optional {
                required.push(field.name.clone());
            }
        }
        let mut body = json!({
            "type": "object",
            "title": command.title,
            "properties": fields,
            "additionalProperties": false,
        });
        // An empty list was no list before.
        if !required.is_empty() {
            body["required"] = required.into();
        }
        self.put(format!("{name}.command"), body)
    }

    /// A CloudEvent of a published type.
    pub(super) fn of_published(&mut self, def: &PublishedDef) -> Value {
        let data = self.moved(&def.ty, def.schema.clone());
        let mut event = json!({
            "description": def.doc,
            "allOf": [{ "$ref": "#/components/schemas/CloudEvent" }],
            "properties": { "type": { "const": def.ty }, "data": data },
            "required": ["data"],
        });
        if def.deprecated.is_some() {
            event["deprecated"] = true.into();
        }
        self.put(def.ty.clone(), event)
    }

    fn put(&mut self, name: String, schema: Value) -> Value {
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        self.0.insert(name, schema);
        reference
    }

    /// A schema whose own schemas are components, as `#/$defs/` means another place here.
    fn moved(&mut self, of: &str, mut schema: Value) -> Value {
        let own = schema.as_object_mut().and_then(|s| {
            s.remove("$schema");
            s.remove("$defs")
        });
        let own = match own {
            Some(Value::Object(own)) => own,
            _ => Map::new(),
        };
        let names: HashMap<String, String> = own
            .keys()
            .map(|name| (name.clone(), format!("{of}.{name}")))
            .collect();
        for (name, mut schema) in own {
            adapt(&mut schema, &names);
            self.0.insert(format!("{of}.{name}"), schema);
        }
        adapt(&mut schema, &names);
        schema
    }
}

/// Points references to the components, and says of numbers, amounts and ids how large they may
/// be, where the schema says so in our own words only.
fn adapt(schema: &mut Value, names: &HashMap<String, String>) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(|s| adapt(s, names)),
        Value::Object(object) => {
            let reference = object.get("$ref").and_then(Value::as_str);
            if let Some(name) = reference.and_then(|r| r.strip_prefix(DEFS))
                && let Some(name) = names.get(name)
            {
                let to = format!("#/components/schemas/{name}");
                object.insert("$ref".into(), to.into());
            }
            let format = object.get("format").and_then(Value::as_str);
            let format = format.unwrap_or_default().to_owned();
            let (low, high) = bounds(&format);
            let mut usual = |name: &str, value: Option<Value>| {
                if let Some(value) = value {
                    object.entry(name).or_insert(value);
                }
            };
            usual("minimum", low.map(Value::from));
            usual("maximum", high.map(Value::from));
            if format == "money" {
                usual("maxLength", Some(MONEY.into()));
            }
            let plain = object.get("format").is_none();
            if plain
                && object.contains_key("x-kind")
                && object.get("type") == Some(&"string".into())
            {
                object.entry("minLength").or_insert(1.into());
                object.entry("maxLength").or_insert(ID.into());
            }
            object.values_mut().for_each(|s| adapt(s, names));
        }
        _ => {}
    }
}

/// What a number of this format is at least and at most.
fn bounds(format: &str) -> (Option<i64>, Option<u64>) {
    let signed = |low: i64, high: i64| (Some(low), u64::try_from(high).ok());
    match format {
        "int8" => signed(i8::MIN.into(), i8::MAX.into()),
        "int16" => signed(i16::MIN.into(), i16::MAX.into()),
        "int32" => signed(i32::MIN.into(), i32::MAX.into()),
        "int64" => signed(i64::MIN, i64::MAX),
        "uint8" => (Some(0), Some(u8::MAX.into())),
        "uint16" => (Some(0), Some(u16::MAX.into())),
        "uint32" => (Some(0), Some(u32::MAX.into())),
        "uint64" => (Some(0), Some(u64::MAX)),
        _ => (None, None),
    }
}
