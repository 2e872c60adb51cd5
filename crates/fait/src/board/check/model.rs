//! Models: what they remember beside what the decisions on them read.

use super::build::{Builder, Ends};
use fait_board::note::{Kind, Level};
use fait_board::ties::How;
use std::collections::BTreeSet;

pub(super) fn compare(b: &mut Builder<'_>) {
    let Some(manifest) = b.code.filter(|_| b.at(Level::Design)) else {
        return;
    };
    let board = b.board;
    for (index, model) in board.models.iter().enumerate() {
        let s = b.subject(Kind::Model, index, &model.note);
        let decided = |on: &Option<fait_board::note::Mention>| {
            on.as_ref().and_then(|on| on.index(Kind::Model)) == Some(index)
        };
        let tasks = board.tasks.iter().enumerate();
        let tasks = tasks.filter(|(_, task)| decided(&task.on));
        let codes = tasks.filter_map(|(at, _)| b.pairs.of(Kind::Task, at));
        let codes: Vec<String> = codes.map(|p| p.code.clone()).collect();
        let commands = codes.iter().filter_map(|code| manifest.commands.get(code));
        let reads: BTreeSet<&String> = commands.flat_map(|c| &c.reads).collect();
        let coded = reads.into_iter().map(|e| (e.clone(), b.heard_name(e)));
        // A model has no name in the code: it is what some commands are decided on.
        let code = match codes.as_slice() {
            [] => continue,
            [only] => only.clone(),
            [first, ..] => first.clone(),
        };
        let none = |_: &str| None;
        let ends = Ends {
            how: "remembers",
            clause: Some("remembers"),
            does: "is decided on",
            coded: coded.collect(),
            drawn: b.ends(s, |how| how == How::Remembers),
            times: &none,
            counted: false,
        };
        b.arrows(s, &code, ends);
    }
}
