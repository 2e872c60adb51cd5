//! Borders between contexts, and between systems.

use std::collections::HashSet;

use super::desk::{Desk, found};
use crate::board::Board;
use crate::note::{Kind, Level, Note, Target};
use crate::ties::Tie;

pub(super) fn check(desk: &mut Desk<'_>) {
    if desk.level < Level::Process {
        return;
    }
    let mut told = HashSet::new();
    for tie in desk.ties.all() {
        if let (Some(from), Some(to)) = (note(desk.board, tie.from), note(desk.board, tie.to))
            && from.context != to.context
        {
            hidden(desk, tie, from, to, &mut told);
            foreign(desk, tie, from, to);
        }
    }
}

/// The note that takes part in the story; examples, words and people do not.
fn note(board: &Board, target: Target) -> Option<&Note> {
    let Target::Note(kind, at) = target else {
        return None;
    };
    match kind {
        Kind::View => board.views.get(at).map(|view| &view.note),
        Kind::Task => board.tasks.get(at).map(|task| &task.note),
        Kind::Event => board.events.get(at).map(|event| &event.note),
        Kind::Model => board.models.get(at).map(|model| &model.note),
        Kind::Policy => board.policies.get(at).map(|policy| &policy.note),
        Kind::Process => board.processes.get(at).map(|process| &process.note),
        _ => None,
    }
}

/// Between two systems, only what is public can be heard or asked for.
fn hidden(
    desk: &mut Desk<'_>,
    tie: &Tie,
    from: &Note,
    to: &Note,
    told: &mut HashSet<(Target, Target)>,
) {
    let public = match tie.to {
        Target::Note(Kind::Event, at) if tie.how.hears() => desk
            .board
            .events
            .get(at)
            .is_some_and(|event| event.public.is_some()),
        Target::Note(Kind::Task, at) if tie.how.sets_off() => desk
            .board
            .tasks
            .get(at)
            .is_some_and(|task| task.public.is_some()),
        _ => return,
    };
    let border = desk.elsewhere(from) || desk.elsewhere(to);
    if public || !border || !told.insert((tie.from, tie.to)) {
        return;
    }
    let name = &to.name.text;
    let message = match desk.elsewhere(to) {
        true => format!("`{name}` runs elsewhere and is not public"),
        false => format!(
            "`{}` runs elsewhere, and `{name}` is not public",
            from.name.text
        ),
    };
    let help = format!("make `{name}` `public`, so that both sides know what they can rely on");
    desk.tell(found("B701", tie.span, message).with_help(help));
}

/// A task that says what happened in another context.
fn foreign(desk: &mut Desk<'_>, tie: &Tie, from: &Note, to: &Note) {
    let task = matches!(tie.from, Target::Note(Kind::Task, _));
    let context = to.context.and_then(|at| desk.board.contexts.get(at));
    if let Some(context) = context.filter(|_| task && tie.how.raises() && from.context.is_some()) {
        let (event, context) = (&to.name.text, &context.note.name.text);
        let message = format!("`{event}` belongs to another context, `{context}`");
        let help = format!(
            "raise an event of its own, and let a policy or process `do` a task of `{context}`"
        );
        desk.tell(found("B702", tie.span, message).with_help(help));
    }
}
