//! AsyncAPI 3.1: what a system publishes and hears, for tools of others.

use super::{document, published, schema_id};
use crate::bus::STRUCTURED;
use crate::manifest::Manifest;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An AsyncAPI document, as far as it is used here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AsyncApi {
    asyncapi: &'static str,
    id: String,
    info: Info,
    #[serde(rename = "defaultContentType")]
    default_content_type: &'static str,
    channels: BTreeMap<String, Channel>,
    operations: BTreeMap<String, Operation>,
    components: Components,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Info {
    title: String,
    version: &'static str,
    description: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Channel {
    address: String,
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    messages: BTreeMap<String, Reference>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<&'static str, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Reference {
    #[serde(rename = "$ref")]
    to: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Send,
    Receive,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Operation {
    action: Action,
    channel: Reference,
    summary: String,
    messages: Vec<Reference>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Components {
    schemas: BTreeMap<String, Value>,
    messages: BTreeMap<String, Message>,
    #[serde(rename = "messageTraits")]
    traits: BTreeMap<&'static str, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    name: String,
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    content_type: &'static str,
    payload: Value,
    traits: Vec<Reference>,
}

/// The trait that every message has.
const TRAIT: &str = "cloudevent";

/// The AsyncAPI document of a system: one channel for each type that it publishes, and for each
/// that it hears of others. Addresses are the subjects on NATS.
///
/// The payloads are whole CloudEvents, since the structured form is what is sent.
pub fn asyncapi(manifest: &Manifest) -> AsyncApi {
    let mut api = AsyncApi {
        asyncapi: "3.1.0",
        id: format!("urn:fait:{}", token(&manifest.name)),
        info: Info {
            title: manifest.name.clone(),
            // Each message has a version of its own, in its type.
            version: "1.0.0",
            description: "What the system tells others and hears of them, as CloudEvents.".into(),
        },
        default_content_type: STRUCTURED,
        channels: BTreeMap::new(),
        operations: BTreeMap::new(),
        components: Components {
            schemas: BTreeMap::from([(ENVELOPE.to_owned(), envelope())]),
            messages: BTreeMap::new(),
            traits: BTreeMap::from([(TRAIT, message_trait())]),
        },
    };
    for (ty, def) in published(manifest) {
        let title = format!("What {} publishes as {ty}", manifest.name);
        api.add(
            &manifest.name,
            &ty,
            Action::Send,
            title,
            &def.doc,
            &document(def),
        );
    }
    for (system, all) in &manifest.hears {
        for expects in all {
            let title = format!("What {} reads of {system}", manifest.name);
            api.add(
                system,
                &expects.ty,
                Action::Receive,
                title,
                "",
                &expects.schema,
            );
        }
    }
    api
}

impl AsyncApi {
    /// The document as JSON.
    pub fn to_json(&self) -> Value {
        // Nothing in it can refuse to be written: all names are text.
        serde_json::to_value(self).unwrap_or_default()
    }

    fn add(
        &mut self,
        system: &str,
        ty: &str,
        action: Action,
        title: String,
        doc: &str,
        schema: &Value,
    ) {
        // A system may hear a type that another one publishes by the same name as its own.
        let key = match action {
            Action::Send => ty.to_owned(),
            Action::Receive => plain(&format!("{system}.{ty}")),
        };
        let reference = |to: String| Reference { to };
        let data = self.components.lift(&key, schema);
        let message = Message {
            name: ty.into(),
            title: title.clone(),
            description: doc.into(),
            content_type: STRUCTURED,
            payload: payload(ty, &data),
            traits: vec![reference(format!("#/components/messageTraits/{TRAIT}"))],
        };
        self.components.messages.insert(key.clone(), message);
        let to = format!("#/components/messages/{key}");
        let channel = Channel {
            address: format!("fait.{}.{}.{{key}}", token(system), tokens(ty)),
            title,
            description: doc.into(),
            messages: BTreeMap::from([(key.clone(), reference(to))]),
            parameters: BTreeMap::from([(
                "key",
                json!({"description": "What it is about; messages with the same stay in order."}),
            )]),
        };
        let operation = Operation {
            summary: match action {
                Action::Send => format!("Tells others: {ty}"),
                Action::Receive => format!("Hears of {system}: {ty}"),
            },
            action,
            channel: reference(format!("#/channels/{key}")),
            messages: vec![reference(format!("#/channels/{key}/messages/{key}"))],
        };
        self.channels.insert(key.clone(), channel);
        self.operations.insert(key, operation);
    }
}

impl Components {
    /// Brings a schema and what it defines here; gives the reference to it.
    fn lift(&mut self, key: &str, schema: &Value) -> String {
        let mut schema = schema.clone();
        let defs = schema.as_object_mut().and_then(|all| {
            all.remove("$schema");
            all.remove("$id");
            all.remove("$defs")
        });
        if let Some(Value::Object(defs)) = defs {
            for (name, mut def) in defs {
                draft_7(&mut def, key);
                self.schemas.insert(format!("{key}.{}", plain(&name)), def);
            }
        }
        draft_7(&mut schema, key);
        self.schemas.insert(key.into(), schema);
        format!("#/components/schemas/{key}")
    }
}

/// AsyncAPI reads schemas as draft 7 of JSON Schema, and references from the document's root.
fn draft_7(schema: &mut Value, key: &str) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(|one| draft_7(one, key)),
        Value::Object(map) => {
            if let Some(Value::String(to)) = map.get_mut("$ref") {
                *to = match to.strip_prefix("#/$defs/") {
                    Some(name) => format!("#/components/schemas/{key}.{}", plain(name)),
                    None => format!("#/components/schemas/{key}"),
                };
            }
            if let Some(first) = map.remove("prefixItems")
                && let Some(others) = map.insert("items".into(), first)
            {
                map.insert("additionalItems".into(), others);
            }
            for (name, value) in map.iter_mut() {
                match (name.as_str(), value) {
                    // Values, not schemas.
                    ("const" | "enum" | "default" | "examples", _) => {}
                    // Names of fields, which may be any word.
                    ("properties", Value::Object(fields)) => {
                        fields.values_mut().for_each(|field| draft_7(field, key));
                    }
                    (_, value) => draft_7(value, key),
                }
            }
        }
        _ => {}
    }
}

/// A name as components may have it.
fn plain(name: &str) -> String {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.chars()
        .map(|c| if good(c) { c } else { '_' })
        .collect()
}

/// Text as one token of a subject on NATS.
fn token(text: &str) -> String {
    let each = text.bytes().map(|b| match b {
        b'-' | b'_' => char::from(b).to_string(),
        b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
        b => format!("={b:02X}"),
    });
    each.collect()
}

fn tokens(ty: &str) -> String {
    ty.split('.').map(token).collect::<Vec<_>>().join(".")
}

/// The schema of all attributes that messages of `fait` have.
const ENVELOPE: &str = "CloudEvent";

fn payload(ty: &str, data: &str) -> Value {
    json!({
        "allOf": [
            {"$ref": format!("#/components/schemas/{ENVELOPE}")},
            {
                "type": "object",
                "required": ["data"],
                "properties": {
                    "type": {"const": ty},
                    "dataschema": {"const": schema_id(ty)},
                    "data": {"$ref": data}
                }
            }
        ]
    })
}

fn envelope() -> Value {
    let text = |what: &str| json!({"type": "string", "minLength": 1, "description": what});
    let moment = |what: &str| json!({"type": "string", "format": "date-time", "description": what});
    json!({
        "type": "object",
        "description": "A CloudEvent 1.0 in its structured form.",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text("Unique together with the source."),
            "source": text("The system that tells it: a URI."),
            "type": text("Which message it is, with its version."),
            "subject": text("What it is about."),
            "time": moment("When what it tells of happened."),
            "recordedtime": moment("When it was recorded."),
            "datacontenttype": {"const": "application/json"},
            "dataschema": text("The name of the schema of the data."),
            "sequence": {
                "type": "string",
                "pattern": "^[0-9]{20}$",
                "description": "Its place in the log of its system; grows, with gaps."
            },
            "partitionkey": text("Messages with the same key stay in order."),
            "correlationid": text("The flow that it belongs to."),
            "causationid": text("What led to it in its system."),
            "traceparent": text("W3C trace context of what it was sent for.")
        }
    })
}

fn message_trait() -> Value {
    json!({
        "contentType": STRUCTURED,
        "headers": {
            "type": "object",
            "properties": {
                "content-type": {"type": "string", "const": STRUCTURED}
            }
        },
        "externalDocs": {
            "description": "CloudEvents 1.0.2",
            "url": "https://github.com/cloudevents/spec/tree/v1.0.2"
        }
    })
}
