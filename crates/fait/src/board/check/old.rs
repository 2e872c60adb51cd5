//! Old events: types that a history has and that no code reads any more.

use super::build::Builder;
use super::name::{nearest, plain};
use super::pair::readable;
use super::{Entry, Part, Verdict};
use fait_board::note::Kind;

pub(super) fn compare(b: &mut Builder<'_>) {
    let (Some(manifest), Some(happened)) = (b.code, b.happened) else {
        return;
    };
    let known = readable(manifest);
    let was = |name: &String| manifest.events.values().any(|def| def.was.contains(name));
    for (name, times) in &happened.events {
        let retired = manifest.retired.contains_key(name);
        if known.contains(name.as_str()) || was(name) || retired {
            continue;
        }
        let says = format!(
            "`{name}` happened {}, and no code reads it any more",
            times.said()
        );
        // A note of that name says itself that it is missing, and here is what is lost with it.
        let drawn = b.board.events.iter();
        let mut drawn = drawn.filter(|e| fait_board::name::same(&e.note.name.text, name));
        let note = drawn.next().map(|event| &event.note);
        let is_now = b.board.events.iter().zip(&b.pairs.events);
        let mut is_now = is_now.filter(|(event, _)| Some(&event.note) == note);
        let is_now = is_now.find_map(|(_, paired)| paired.as_ref());
        let title = note.map_or_else(|| plain(name), |note| note.name.text.clone());
        let mut entry = Entry::new(Kind::Event, title, Part::Note, Verdict::Unreadable, says);
        if let Some(note) = note {
            entry = entry.at(note.span);
        }
        entry.happened = Some(*times);
        let near = nearest(name, manifest.events.keys().map(String::as_str));
        let help = match is_now.map(|paired| paired.code.as_str()).or(near) {
            Some(near) => format!(
                "if it is `{near}` now, say so there with `was = \"{name}\"`; else keep the old \
                 struct, or say with `AppBuilder::retired` why nothing reads it"
            ),
            None => "say with `was` which event it is now, keep the old struct, or say with \
                 `AppBuilder::retired` why nothing reads it"
                .into(),
        };
        b.add(entry.code(name).help(&help));
    }
}
