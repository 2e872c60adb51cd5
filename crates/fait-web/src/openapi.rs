//! The open door as an OpenAPI 3.1 document, made from the manifest.

mod parts;
mod schema;

use fait::manifest::{CommandEntry, Manifest};
use schema::Schemas;
use serde_json::{Map, Value, json};

/// The open door of a system as an OpenAPI 3.1 document: its commands with the JSON Schemas of
/// their bodies, every answer and problem, receipts, and the feed of what is published. With
/// `clients` a token is asked for. It is pure: the same manifest gives the same document.
pub fn openapi(manifest: &Manifest, clients: bool) -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for (name, command) in &manifest.commands {
        // What another system carries out is asked there.
        if command.page.to.is_none() {
            let path = format!("/api/commands/{name}");
            paths.insert(path, post(name, command, clients, &mut schemas));
        }
    }
    paths.insert("/api/receipts/{id}".into(), receipts(clients));
    if !manifest.publishes.is_empty() {
        paths.insert(
            "/api/published".into(),
            page(manifest, clients, &mut schemas),
        );
        paths.insert("/api/published/stream".into(), stream(clients));
    }
    paths.insert("/api/openapi.json".into(), document(clients));
    let mut components = json!({ "parameters": parts::parameters() });
    components["headers"] = parts::headers();
    components["responses"] = parts::responses();
    let mut all = schemas.done();
    all.extend(parts::schemas());
    components["schemas"] = Value::Object(all);
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": manifest.name,
            "version": "1",
            "description": parts::ABOUT,
        },
        "servers": [{ "url": "/" }],
        "tags": [
            { "name": "commands", "description": "What can be asked of the system." },
            { "name": "published", "description": "What the system tells others." },
        ],
        "paths": paths,
        "components": components,
    });
    if clients {
        document["components"]["securitySchemes"] = json!({
            "token": { "type": "http", "scheme": "bearer", "description": parts::TOKEN },
        });
        document["security"] = json!([{ "token": [] }]);
    }
    document
}

fn post(name: &str, command: &CommandEntry, clients: bool, schemas: &mut Schemas) -> Value {
    let mut parameters = vec![
        parts::parameter(if clients { "Key" } else { "KeyIfWanted" }),
        parts::parameter("Prefer"),
        parts::parameter("Expires"),
        parts::parameter("Traceparent"),
        parts::parameter("Answering"),
    ];
    if clients {
        parameters.extend(["Correlation", "Causation"].map(parts::parameter));
    } else {
        parameters.push(parts::parameter("As"));
    }
    let mut answers = parts::problems(&[400, 404, 409, 410, 413, 415, 500, 503], clients);
    answers["200"] = parts::response("Accepted");
    answers["202"] = parts::response("Pending");
    answers["422"] = refused(command);
    json!({
        "operationId": name,
        "tags": ["commands"],
        "summary": command.title,
        "description": described(command),
        "parameters": parameters,
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": schemas.of_command(name, command) } },
        },
        "responses": answers,
    })
    .into_post()
}

fn described(command: &CommandEntry) -> String {
    let by = command.page.by.join(", ");
    let mut text = command.doc.clone();
    for (says, names) in [("For", by), ("May raise", command.emits.join(", "))] {
        if !names.is_empty() {
            let gap = if text.is_empty() { "" } else { "\n\n" };
            text = format!("{text}{gap}{says}: {names}.");
        }
    }
    text
}

/// The refusals of a command, by their codes.
fn refused(command: &CommandEntry) -> Value {
    let lines = command.refusals.iter();
    let lines: Vec<String> = lines
        .map(|(code, says)| format!("- `{code}`: {says}"))
        .collect();
    let mut response = parts::problem(
        "The system refuses it (`urn:fait:refusal:CODE`), or the key was used for another body \
         (`urn:fait:problem:key-reused`).",
    );
    if !lines.is_empty() {
        let all = lines.join("\n");
        let text = response["description"].as_str().unwrap_or_default();
        response["description"] = format!("{text} It may refuse with\n\n{all}").into();
    }
    response
}

fn receipts(clients: bool) -> Value {
    let mut answers = parts::problems(&[400, 404, 500, 503], clients);
    answers["200"] = parts::response("Receipt");
    json!({
        "operationId": "receipt",
        "tags": ["commands"],
        "summary": "What became of a command",
        "description": parts::RECEIPT,
        "parameters": [{
            "name": "id",
            "in": "path",
            "required": true,
            "description": "The command's id, as it is in `Location` of a 202.",
            "schema": { "type": "string", "format": "uuid" },
        }],
        "responses": answers,
    })
    .into_get()
}

fn page(manifest: &Manifest, clients: bool, schemas: &mut Schemas) -> Value {
    let all = manifest
        .publishes
        .values()
        .flat_map(|p| p.publishes.values());
    let mut kinds: Vec<Value> = all.map(|def| schemas.of_published(def)).collect();
    // What was published by an earlier program is there as well.
    kinds.push(json!({ "$ref": "#/components/schemas/CloudEvent" }));
    let mut answers = parts::problems(&[400, 409, 500, 503], clients);
    answers["200"] = json!({
        "description": "What was published, in order; nothing, where nothing came in time.",
        "headers": parts::page_headers(),
        "content": { "application/cloudevents-batch+json": {
            "schema": { "type": "array", "items": { "anyOf": kinds } },
        } },
    });
    let names = ["After", "Types", "History", "Limit", "Wait"];
    json!({
        "operationId": "published",
        "tags": ["published"],
        "summary": "What was published behind a position",
        "description": parts::PUBLISHED,
        "parameters": names.map(parts::parameter),
        "responses": answers,
    })
    .into_get()
}

fn stream(clients: bool) -> Value {
    let mut answers = parts::problems(&[400, 409, 500, 503], clients);
    answers["200"] = json!({
        "description": "Server-sent events, each a CloudEvent as JSON with its position as the id.",
        "content": { "text/event-stream": { "schema": { "type": "string" } } },
    });
    let names = ["After", "Types", "History", "Heartbeat", "LastEventId"];
    json!({
        "operationId": "publishedStream",
        "tags": ["published"],
        "summary": "What is published, as it comes",
        "description": parts::STREAM,
        "parameters": names.map(parts::parameter),
        "responses": answers,
    })
    .into_get()
}

fn document(clients: bool) -> Value {
    let mut answers = parts::problems(&[500], clients);
    answers["200"] = json!({
        "description": "OpenAPI 3.1.",
        "content": { "application/json": { "schema": { "type": "object" } } },
    });
    json!({
        "operationId": "openapi",
        "summary": "This document",
        "responses": answers,
    })
    .into_get()
}

/// An operation as the one of its path.
trait Operation {
    fn into_get(self) -> Value;
    fn into_post(self) -> Value;
}

impl Operation for Value {
    fn into_get(self) -> Value {
        json!({ "get": self })
    }
    fn into_post(self) -> Value {
        json!({ "post": self })
    }
}
