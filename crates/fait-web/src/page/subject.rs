//! What a task is about: the thing, its row in the view that the task sees, and its name.

use super::desk::{Desk, id_text};
use super::trouble::Trouble;
use super::words::{label, plain, short, tell};
use crate::request::encode;
use fait::event::Tag;
use fait::manifest::CommandEntry;
use serde_json::Value;

/// A thing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Thing {
    pub(super) kind: String,
    pub(super) key: String,
}

impl Thing {
    pub(super) fn new(kind: &str, key: &str) -> Thing {
        let (kind, key) = (kind.to_string(), key.to_string());
        Thing { kind, key }
    }

    /// `Order beef`.
    pub(super) fn name(&self) -> String {
        format!("{} {}", plain(&self.kind), short(&self.key))
    }

    pub(super) fn address(&self) -> String {
        format!("/things/{}/{}", encode(&self.kind), encode(&self.key))
    }

    pub(super) fn tag(&self) -> Tag {
        Tag::new(&self.kind, &self.key)
    }
}

/// What a task with these words is about: what its view is keyed by, else the first thing that it
/// names.
pub(super) fn about(desk: &Desk, task: &CommandEntry, body: &Value) -> Option<Thing> {
    let seen = task.page.sees.as_deref().and_then(|v| desk.view(v));
    let of_kind = |wanted: Option<&str>| {
        task.fields.iter().find_map(|f| {
            let kind = f.kind()?;
            let key = id_text(&body[&f.name])?;
            let fits = wanted.is_none_or(|w| w == kind);
            fits.then(|| Thing::new(kind, &key))
        })
    };
    seen.and_then(|view| of_kind(Some(&view.key)))
        .or_else(|| of_kind(None))
}

/// The row that the task shows.
pub(super) async fn row(
    desk: &Desk,
    task: &CommandEntry,
    thing: Option<&Thing>,
) -> Result<Option<Value>, Trouble> {
    let (Some(view), Some(thing)) = (task.page.sees.as_deref(), thing) else {
        return Ok(None);
    };
    if desk.view(view).is_none_or(|v| v.key != thing.kind) {
        return Ok(None);
    }
    let row = desk.shared.app.view_row(view, &thing.key).await?;
    Ok(row.map(|r| r.row))
}

/// The title with the words of the thing, such as `Cook the food for table 4`.
pub(super) async fn title(
    desk: &Desk,
    task: &CommandEntry,
    thing: Option<&Thing>,
    row: Option<&Value>,
    body: &Value,
) -> Result<String, Trouble> {
    let Some(about) = &task.page.about else {
        return Ok(task.title.clone());
    };
    let (mut out, mut rest) = (String::new(), about.as_str());
    while let Some((before, (name, after))) = rest
        .split_once('{')
        .and_then(|(b, r)| Some((b, r.split_once('}')?)))
    {
        let own = [row, Some(body)].into_iter().flatten();
        let own = own.map(|v| &v[name]).find(|v| !v.is_null()).cloned();
        let word = match own {
            Some(word) => Some(word),
            None => elsewhere(desk, thing, name).await?,
        };
        let Some(word) = word else {
            return Ok(task.title.clone());
        };
        out.push_str(before);
        out.push_str(short(&tell(&word)));
        rest = after;
    }
    Ok(out + rest)
}

/// A word about a thing from any other view that is keyed by its kind.
async fn elsewhere(
    desk: &Desk,
    thing: Option<&Thing>,
    name: &str,
) -> Result<Option<Value>, Trouble> {
    let Some(thing) = thing else { return Ok(None) };
    for (view, entry) in &desk.shared.manifest.views {
        if entry.key == thing.kind
            && entry.row["properties"].get(name).is_some()
            && let Some(row) = desk.shared.app.view_row(view, &thing.key).await?
            && !row.row[name].is_null()
        {
            return Ok(Some(row.row[name].clone()));
        }
    }
    Ok(None)
}

/// The columns of a row's schema: those that are always there first.
pub(super) fn columns(schema: &Value) -> Vec<(String, Value)> {
    let always = schema["required"].as_array().into_iter().flatten();
    let mut names: Vec<&str> = always.filter_map(Value::as_str).collect();
    let all = schema["properties"].as_object();
    for name in all.into_iter().flat_map(|p| p.keys()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
        .into_iter()
        .map(|n| (n.to_string(), schema["properties"][n].clone()))
        .collect()
}

/// A row as questions and answers; what is not there is left out.
pub(super) fn facts(schema: &Value, row: &Value) -> Vec<(String, String)> {
    let there = columns(schema).into_iter();
    there
        .filter(|(name, _)| !row[name].is_null())
        .map(|(name, schema)| (label(&name, &schema), tell(&row[&name])))
        .collect()
}

/// The row in short, without what the title says already.
pub(super) fn in_short(schema: &Value, row: &Value, title: &str) -> String {
    let mut out: Vec<String> = vec![];
    for (name, schema) in columns(schema) {
        let word = tell(&row[&name]);
        let said = title.split(' ').any(|w| w == word);
        if row[&name].is_null() || said || schema.get("x-kind").is_some() {
            continue;
        }
        out.push(match &row[&name] {
            Value::String(_) | Value::Array(_) => word,
            _ => format!("{} {word}", label(&name, &schema).to_lowercase()),
        });
    }
    out.join(" · ")
}
