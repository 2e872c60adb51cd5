//! The views of a board as tables: a row for each thing, with the words that the view shows.

use super::decision::{event_def, words_of};
use super::form::free;
use super::stage::{Event, Stage};
use super::word::text_of;
use fait_board::Board;
use fait_core::event::StoredEvent;
use fait_core::projection::{JsonFold, JsonKeys, Mode, ProjectionDef, json_rows};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The view of a board that has none.
const SO_FAR: &str = "what-happened-so-far";

/// A view made ready.
struct Table {
    name: String,
    keys: Vec<usize>,
    shows: Vec<usize>,
    from: Vec<usize>,
}

/// The views of a board. One without is given a view of all its events, so that what is played
/// can be found again.
pub(super) fn views(board: &Board, stage: &Arc<Stage>) -> Vec<ProjectionDef> {
    let mut tables = tables(board, stage);
    if tables.is_empty() && !stage.events.is_empty() {
        tables.push(Table {
            name: SO_FAR.into(),
            keys: vec![stage.usual],
            shows: vec![],
            from: (0..stage.events.len()).collect(),
        });
    }
    tables.into_iter().map(|t| def(stage, t)).collect()
}

fn tables(board: &Board, stage: &Stage) -> Vec<Table> {
    let find = |name: &str| stage.words.iter().position(|w| w.name == name);
    let words = |mentions: &[fait_board::note::Mention]| {
        let all = mentions.iter().filter_map(|m| find(m.text()));
        all.collect::<Vec<usize>>()
    };
    let table = |(number, view): (usize, &fait_board::notes::View)| {
        let from = stage.events_of(&view.from);
        let mut keys = words(&view.one_row_per);
        if keys.is_empty() {
            keys.push(stage.shared(&from).unwrap_or(stage.usual));
        }
        let mut shows = words(&view.shows);
        if keys.len() == 1 {
            shows.retain(|w| !keys.contains(w));
        }
        let mut seen = BTreeSet::new();
        shows.retain(|w| seen.insert(*w));
        Table {
            name: stage.view_names[number].clone(),
            keys,
            shows,
            from,
        }
    };
    board.views.iter().enumerate().map(table).collect()
}

fn def(stage: &Arc<Stage>, table: Table) -> ProjectionDef {
    let events: Vec<&Event> = table.from.iter().map(|e| &stage.events[*e]).collect();
    let named = |e: &&Event| std::iter::once(e.ty.clone()).chain(e.was.clone());
    let types: Vec<String> = events.iter().flat_map(named).collect();
    let last = free(stage, "last");
    let mut properties = Map::new();
    let mut columns = vec![];
    for word in &table.shows {
        let word = &stage.words[*word];
        columns.push(word.field.clone());
        properties.insert(word.field.clone(), word.schema_or_null());
    }
    columns.push(last.clone());
    properties.insert(last.clone(), json!({"type": "string", "title": "Last"}));
    let single = table.keys.len() == 1;
    let kinds = table
        .keys
        .iter()
        .filter_map(|k| stage.words[*k].kind.clone());
    ProjectionDef {
        name: table.name.clone(),
        version: 1,
        mode: Mode::Behind,
        key_kind: kinds.collect::<Vec<_>>().join("_"),
        by_tags: single,
        types: types.clone(),
        event_defs: events.iter().map(|e| event_def(stage, e)).collect(),
        row: json!({"type": "object", "properties": properties, "required": columns}),
        indexes: vec![],
        code: json_rows(
            types,
            keys(stage.clone(), table.keys.clone()),
            fold(stage.clone(), table, last),
        ),
    }
}

fn keys(stage: Arc<Stage>, keys: Vec<usize>) -> JsonKeys {
    Box::new(move |stored| {
        if let [key] = keys[..] {
            let kind = stage.words[key].kind.as_deref();
            let tags = stored.tags.iter().filter(|t| Some(t.kind()) == kind);
            return tags.map(|t| t.value().to_string()).collect();
        }
        let Some(event) = event(&stage, stored) else {
            return vec![];
        };
        let words = words_of(&stage, event, stored);
        let text = |key: &usize| text_of(words.get(&stage.words[*key].field)?);
        let texts: Option<Vec<String>> = keys.iter().map(text).collect();
        texts.map(|texts| texts.join(" / ")).into_iter().collect()
    })
}

/// A row stays for good, and says what happened last: when a thing is off the list is for those
/// who read it to say, and no note of the board does.
fn fold(stage: Arc<Stage>, table: Table, last: String) -> JsonFold {
    Box::new(move |row, stored| {
        let Some(event) = event(&stage, stored) else {
            return;
        };
        let words = words_of(&stage, event, stored);
        let mut now = match row.take() {
            Some(Value::Object(now)) => now,
            _ => Map::new(),
        };
        for word in &table.shows {
            let field = &stage.words[*word].field;
            let known = now.entry(field.clone()).or_insert(Value::Null);
            if let Some(value) = words.get(field) {
                *known = value.clone();
            }
        }
        now.insert(last.clone(), event.title.clone().into());
        *row = Some(Value::Object(now));
    })
}

/// The event of the board that was stored.
pub(super) fn event<'a>(stage: &'a Stage, stored: &StoredEvent) -> Option<&'a Event> {
    let is = |e: &&Event| e.ty == stored.ty || e.was.contains(&stored.ty);
    stage.events.iter().find(is)
}
