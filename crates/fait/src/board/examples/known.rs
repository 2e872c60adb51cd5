//! What an example has said so far, and what stands for what it does not say.

use super::program::Field;
use super::value;
use crate::app::sample;
use fait_board::Board;
use fait_board::name;
use serde_json::Value;
use std::collections::BTreeMap;

/// Ids and values of one example.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The ids that the example names anywhere, with their kinds, in its order.
    named: Vec<(String, Value)>,
    /// The ids that it has come across so far.
    met: Vec<(String, Value)>,
    /// Other values so far, by the name of the field.
    values: BTreeMap<String, Value>,
    /// What it calls an id.
    called: BTreeMap<String, String>,
    /// What it expects of the tasks that are done: names of events and reasons of refusals.
    pub(super) expected: Vec<String>,
}

impl Known {
    /// The example names an id somewhere.
    pub(super) fn names(&mut self, kind: String, id: &Value, text: &str) {
        self.called.insert(plain(id), text.into());
        self.named.push((kind, id.clone()));
    }

    /// The example has come to a value.
    pub(super) fn meets(&mut self, board: &Board, field: &Field, value: &Value) {
        match field.kind(board) {
            Some(kind) if !value.is_array() => self.met.push((kind, value.clone())),
            _ => {
                self.values.insert(field.name.clone(), value.clone());
            }
        }
    }

    /// What the example calls an id.
    pub(super) fn called(&self, id: &str) -> Option<String> {
        self.called.get(id).cloned()
    }

    /// A value for a field of which the example says nothing: the id or value that it had for it
    /// last, else a sample.
    pub(super) fn fill(&mut self, board: &Board, field: &Field) -> Value {
        if let Some(value) = self.chosen(board, field) {
            return value;
        }
        let value = match field.kind(board) {
            Some(kind) if !is_list(field) => self.id(board, field, &kind),
            _ => match self.values.get(&field.name) {
                Some(value) if value::fits(value, &field.schema) => value.clone(),
                _ => sample(&field.schema),
            },
        };
        self.meets(board, field, &value);
        value
    }

    fn id(&mut self, board: &Board, field: &Field, kind: &str) -> Value {
        let of_kind = |(k, id): &&(String, Value)| k == kind && value::fits(id, &field.schema);
        let met = |id: &Value| self.met.iter().any(|(k, m)| k == kind && m == id);
        let last = self.met.iter().rev().find(of_kind).map(|(_, id)| id);
        let named = self.named.iter().filter(of_kind).map(|(_, id)| id);
        let found = match field.fresh {
            true => named.clone().find(|id| !met(id)),
            false => last.or_else(|| named.clone().next()),
        };
        if let Some(id) = found {
            return id.clone();
        }
        let taken = |id: &Value| met(id) || named.clone().any(|n| n == id);
        let numbers = (1..=self.met.len() + self.named.len() + 1).map(|n| n.to_string());
        let read = |text: String| {
            let id = value::read(&text, &field.schema, field.is(board), kind).ok()?;
            Some((text, id))
        };
        let free = numbers.filter_map(read).find(|(_, id)| !taken(id));
        match free {
            Some((text, id)) => {
                self.called.insert(plain(&id), text);
                id
            }
            None => sample(&field.schema),
        }
    }

    /// What the example expects, where a task asks what comes of it: in a system that is made from
    /// a board alone, a field that is no word of the board has that choice.
    pub(super) fn chosen(&self, board: &Board, field: &Field) -> Option<Value> {
        if field.is(board).is_some() {
            return None;
        }
        let texts = field.schema["enum"].as_array()?;
        let texts = texts.iter().filter_map(Value::as_str);
        let says = |text: &str, all: bool| {
            let text = name::kebab_name(text);
            self.expected.iter().any(|e| match all {
                true => text == name::kebab_name(e),
                // The condition, or that it is refused, stands beside it.
                false => text.contains(&name::kebab_name(e)),
            })
        };
        let found = texts.clone().find(|text| says(text, true));
        let found = found.or_else(|| texts.clone().find(|text| says(text, false)));
        found.map(Value::from)
    }
}

fn is_list(field: &Field) -> bool {
    field.schema["type"] == "array"
}

/// An id as it stands in keys and tags.
pub(super) fn plain(id: &Value) -> String {
    match id {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
