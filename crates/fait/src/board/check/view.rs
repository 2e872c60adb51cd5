//! Views: what feeds them, and what they show.

use super::build::{Builder, Ends, Subject};
use super::name::{plain, plain_word};
use super::pair::properties;
use super::word::{Compared, Field};
use super::{Entry, Part, Verdict};
use crate::board::happened::Times;
use fait_board::name::same;
use fait_board::note::{Kind, Level};
use fait_board::notes::View;
use fait_board::ties::How;
use fait_core::manifest::ViewEntry;
use serde_json::Value;

pub(super) fn compare(b: &mut Builder<'_>) {
    // What feeds a view is not recorded, so that without a program there is nothing to compare.
    let Some(manifest) = b.code.filter(|_| b.at(Level::Process)) else {
        return;
    };
    let board = b.board;
    for (index, view) in board.views.iter().enumerate() {
        let s = b.subject(Kind::View, index, &view.note);
        let found = b.pairs.of(Kind::View, index).cloned();
        let entry = found.as_ref().and_then(|p| manifest.views.get(&p.code));
        let times = entry.and_then(|entry| fed(b, &entry.types));
        b.note(s, found.as_ref(), times);
        let (Some(found), Some(entry)) = (found, entry) else {
            continue;
        };
        from(b, s, &found.code, entry);
        if b.at(Level::Design) {
            shows(b, s, view, &found.code, entry);
        }
    }
    for (name, entry) in &manifest.views {
        if b.pairs.note(Kind::View, name).is_none() {
            extra(b, name, entry);
        }
    }
}

/// How often something happened that a view listens to.
fn fed(b: &Builder<'_>, types: &[String]) -> Option<Times> {
    let names: Vec<String> = types.iter().flat_map(|ty| b.stored_names(ty)).collect();
    b.happened?.event(names.iter().map(String::as_str))
}

fn from(b: &mut Builder<'_>, s: Subject<'_>, code: &str, entry: &ViewEntry) {
    let named = |event: &String| (event.clone(), b.heard_name(event));
    let times = |event: &str| -> Option<Times> { fed(b, &[event.to_string()]) };
    let all: Vec<(String, Option<Times>)> = (b.ends(s, |how| how == How::From).iter())
        .filter_map(|end| end.code.clone())
        .chain(entry.types.iter().cloned())
        .map(|event| (event.clone(), times(&event)))
        .collect();
    let happened = |event: &str| all.iter().find(|(e, _)| e == event).and_then(|(_, t)| *t);
    let ends = Ends {
        how: "from",
        clause: Some("from"),
        does: "listens to",
        drawn: b.ends(s, |how| how == How::From),
        coded: entry.types.iter().map(named).collect(),
        times: &happened,
        counted: b.happened.is_some(),
    };
    b.arrows(s, code, ends);
}

fn shows(b: &mut Builder<'_>, s: Subject<'_>, view: &View, code: &str, entry: &ViewEntry) {
    let key = Value::Null;
    let fields = properties(&entry.row);
    let mut fields: Vec<Field<'_>> = fields
        .map(|(name, schema)| Field {
            name,
            schema,
            needless: false,
        })
        .collect();
    // What a row is about is shown with it.
    if !fields.iter().any(|field| field.name == entry.key) {
        fields.push(Field {
            name: &entry.key,
            schema: &key,
            needless: true,
        });
    }
    let compared = Compared {
        subject: s,
        code,
        clause: "shows",
        does: "shows",
        words: &view.shows,
        known: &view.one_row_per,
        fields,
    };
    compared.into_entries(b);
    let [word] = view.one_row_per.as_slice() else {
        return;
    };
    if !same(word.text(), &entry.key) {
        let says = format!(
            "{} has one row per `{}`; `{code}` has one row per `{}`",
            s.whom(),
            word.text(),
            entry.key
        );
        let part = Part::Word {
            word: word.text().into(),
        };
        let entry = s.part(part, Verdict::Differs, says);
        b.add(entry.at(word.name.span).code(code));
    }
}

fn extra(b: &mut Builder<'_>, name: &str, view: &ViewEntry) {
    let title = plain(name);
    let says = format!("`{name}` is in the code and not on the board");
    let mut entry = Entry::new(
        Kind::View,
        title.clone(),
        Part::Note,
        Verdict::NotOnBoard,
        says,
    )
    .code(name);
    entry.happened = fed(b, &view.types);
    let heard = view
        .types
        .iter()
        .filter_map(|ty| b.pairs.note(Kind::Event, ty));
    let first = heard.filter_map(|at| b.board.events.get(at)).next();
    if let Some(event) = first {
        let from: Vec<String> = view
            .types
            .iter()
            .filter_map(|ty| b.heard_name(ty))
            .collect();
        let shows: Vec<String> = properties(&view.row).map(|(n, _)| plain_word(n)).collect();
        let mut lines = format!("\nview {title}\n  from {}", from.join(", "));
        if !shows.is_empty() {
            lines += &format!("\n  shows {}", shows.join(", "));
        }
        entry = entry.draw(event.note.last_line, lines);
    }
    b.add(entry);
}
