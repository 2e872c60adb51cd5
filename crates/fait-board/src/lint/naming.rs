//! Names: two that are one, and what a name should sound like.

use std::collections::{HashMap, HashSet};

use super::desk::{Desk, found};
use super::language::{KNOWN, Language, Words};
use crate::name::rust_name;
use crate::note::Kind;

pub(super) fn check(desk: &mut Desk<'_>) {
    alike(desk);
    let said = desk.board.language.as_ref();
    let Some(language) = Language::of(said.map(|said| said.text.as_str())) else {
        if let Some(said) = said {
            let message = format!(
                "names are not judged: there are no word lists for `{}`",
                said.text
            );
            let help = format!("there are some for {KNOWN}");
            desk.tell(found("B200", said.span, message).with_help(help));
        }
        return;
    };
    let glossary = glossary(desk);
    events(desk, language, &glossary);
    tasks(desk, language);
}

/// The words that the board explains.
fn glossary(desk: &Desk<'_>) -> HashSet<String> {
    let words = desk.board.words.iter();
    words
        .flat_map(|word| Words::of(&word.note.name.text).small)
        .collect()
}

/// Names of one kind that differ only in capitals, blanks and signs.
fn alike(desk: &mut Desk<'_>) {
    let mut seen: HashMap<(Kind, String), &str> = HashMap::new();
    for (kind, note) in desk.board.notes() {
        let name = note.name.text.as_str();
        let form = rust_name(name).to_lowercase();
        if form.is_empty() || matches!(kind, Kind::Hotspot | Kind::Idea | Kind::Example) {
            continue;
        }
        let first = *seen.entry((kind, form)).or_insert(name);
        if first != name {
            let message = format!("`{name}` and `{first}` are almost the same name");
            let help = match kind {
                Kind::Context | Kind::Chapter => {
                    format!("write `{first}` to open the same {} again", kind.keyword())
                }
                _ => "give them names that differ in a word".to_owned(),
            };
            desk.tell(found("B103", note.span, message).with_help(help));
        }
    }
}

fn events(desk: &mut Desk<'_>, language: &Language, glossary: &HashSet<String>) {
    for (_, event) in desk.each(Kind::Event, &desk.board.events) {
        let (note, words) = (&event.note, Words::of(&event.note.name.text));
        if words.small.is_empty() {
            continue;
        }
        if !language.has_happened(&words) {
            let message = format!("`{}` does not say that something happened", note.name.text);
            let help = "name an event in the past tense, as the expert would tell it afterwards: \
                        `Order placed`";
            desk.tell(found("B201", note.span, message).with_help(help));
        }
        if let Some(word) = language.technical(&words).find(|w| !glossary.contains(*w)) {
            let message =
                format!("`{word}` sounds technical, not like something a domain expert would say");
            let help = "if the expert does say it, explain it as a `word`";
            desk.tell(found("B202", note.span, message).with_help(help));
        }
        if let Some(verb) = language
            .data_event(&words)
            .filter(|w| !glossary.contains(*w))
        {
            let message = format!(
                "`{verb}` says what happened to the data, not what happened in the business"
            );
            let help = "ask the expert why it was done; that is the event";
            desk.tell(found("B203", note.span, message).with_help(help));
        }
    }
}

fn tasks(desk: &mut Desk<'_>, language: &Language) {
    for (_, task) in desk.each(Kind::Task, &desk.board.tasks) {
        let (note, words) = (&task.note, Words::of(&task.note.name.text));
        if language.data_task(&words).is_some() {
            let message = format!("`{}` is a form, not a task", note.name.text);
            let help = "split it by what the person wants to do: `Add a dish` and `Move to another \
                        table` are two tasks";
            desk.tell(found("B204", note.span, message).with_help(help));
        }
        if language.is_no_task(&words) {
            let message = format!("`{}` is named like something that happened", note.name.text);
            let help = "name a task as one would ask for it: `Place order`";
            desk.tell(found("B205", note.span, message).with_help(help));
        }
    }
}
