//! A board as it was read: its text, what it says, who names whom, and where it is wrong.

use fait_board::name::note_id;
use fait_board::note::{Kind, Note, Target};
use fait_board::ties::Ties;
use fait_board::{Board, LintOptions, Problem, lint, parse};
use std::collections::HashMap;

/// One reading of a board.
#[derive(Debug)]
pub(crate) struct Sheet {
    /// What the file is called.
    pub(crate) file: String,
    /// The text as written.
    pub(crate) source: String,
    /// What it says.
    pub(crate) board: Board,
    /// Who names whom.
    pub(crate) ties: Ties,
    /// What cannot be read or does not fit together, in the order of the file.
    pub(crate) problems: Vec<Problem>,
    /// Why the file cannot be read any more, while this is still the last that was read of it.
    pub(crate) lost: Option<String>,
    /// Notes by their ids.
    ids: HashMap<String, Target>,
}

impl Sheet {
    /// Reads a board; it never fails, as [`parse`] never does.
    pub(crate) fn read(file: &str, source: &str) -> Sheet {
        let parsed = parse(source);
        let mut problems = lint(&parsed, &LintOptions::default());
        // Open questions are shown as such.
        problems.retain(|problem| problem.code != "B900");
        problems.sort_by_key(|problem| problem.span);
        let ties = Ties::of(&parsed.board);
        Sheet {
            file: file.to_string(),
            source: source.to_string(),
            ids: ids(&parsed.board),
            board: parsed.board,
            ties,
            problems,
            lost: None,
        }
    }

    /// The same text, with the reason why there is no newer one.
    pub(crate) fn with_loss(&self, reason: &str) -> Sheet {
        let mut sheet = Sheet::read(&self.file, &self.source);
        sheet.lost = Some(reason.to_string());
        sheet
    }

    /// The note with an id such as `event-order-placed`. The id of a question gives the note
    /// under which it stands.
    pub(crate) fn find(&self, id: &str) -> Option<Target> {
        self.ids.get(id).copied()
    }

    /// What every note has; the message of a system gives its system.
    pub(crate) fn note(&self, target: Target) -> Option<(Kind, &Note)> {
        let (kind, index) = match target {
            Target::Note(kind, index) => (kind, index),
            Target::Sent(system, _) | Target::Taken(system, _) => (Kind::System, system),
        };
        note_of(&self.board, kind, index).map(|note| (kind, note))
    }

    /// What a tie leads to, by its name on the board.
    pub(crate) fn name(&self, target: Target) -> Option<&str> {
        let systems = &self.board.systems;
        match target {
            Target::Note(Kind::Board, _) => Some(self.board.name()),
            Target::Note(kind, index) => Some(&note_of(&self.board, kind, index)?.name.text),
            Target::Sent(system, at) => Some(&systems.get(system)?.sends.get(at)?.text),
            Target::Taken(system, at) => Some(&systems.get(system)?.takes.get(at)?.text),
        }
    }

    /// The id of what a tie leads to.
    pub(crate) fn id(&self, target: Target) -> Option<String> {
        let (kind, note) = self.note(target)?;
        Some(id_of(kind, &note.name.text))
    }

    /// The lines of the text that belong to a note, counted from 1.
    pub(crate) fn lines(&self, note: &Note) -> std::ops::RangeInclusive<usize> {
        note.span.line..=note.last_line.max(note.span.line)
    }

    /// The index of the chapter with a name.
    pub(crate) fn chapter(&self, name: &str) -> Option<usize> {
        let mut chapters = self.board.chapters.iter();
        chapters.position(|chapter| chapter.note.name.text == name)
    }
}

/// `event-order-placed`: the id of a note in addresses. In the picture `note-` stands before it.
pub(crate) fn id_of(kind: Kind, name: &str) -> String {
    let id = note_id(kind, name);
    id.strip_prefix("note-").unwrap_or(&id).to_string()
}

/// The first note of each id; a question leads to the note that it is asked of.
fn ids(board: &Board) -> HashMap<String, Target> {
    let mut ids = HashMap::new();
    let whole = Target::Note(Kind::Board, 0);
    ids.insert(id_of(Kind::Board, board.name()), whole);
    let asked = |ids: &mut HashMap<_, _>, text: &str, of| {
        ids.entry(id_of(Kind::Hotspot, text)).or_insert(of);
    };
    for kind in Kind::ALL {
        let all = (0..).map_while(|index| Some((index, note_of(board, kind, index)?)));
        for (index, note) in all {
            let target = Target::Note(kind, index);
            ids.entry(id_of(kind, &note.name.text)).or_insert(target);
        }
    }
    for question in &board.questions {
        asked(&mut ids, &question.text, whole);
    }
    for kind in Kind::ALL {
        let all = (0..).map_while(|index| Some((index, note_of(board, kind, index)?)));
        for (index, note) in all {
            for question in &note.questions {
                asked(&mut ids, &question.text, Target::Note(kind, index));
            }
        }
    }
    ids
}

/// The note of a kind at its place in the board's list.
fn note_of(board: &Board, kind: Kind, index: usize) -> Option<&Note> {
    Some(match kind {
        Kind::Board => return None,
        Kind::Word => &board.words.get(index)?.note,
        Kind::Actor => &board.actors.get(index)?.note,
        Kind::System => &board.systems.get(index)?.note,
        Kind::Context => &board.contexts.get(index)?.note,
        Kind::Chapter => &board.chapters.get(index)?.note,
        Kind::View => &board.views.get(index)?.note,
        Kind::Task => &board.tasks.get(index)?.note,
        Kind::Event => &board.events.get(index)?.note,
        Kind::Model => &board.models.get(index)?.note,
        Kind::Policy => &board.policies.get(index)?.note,
        Kind::Process => &board.processes.get(index)?.note,
        Kind::Example => &board.examples.get(index)?.note,
        Kind::Hotspot => &board.hotspots.get(index)?.note,
        Kind::Idea => &board.ideas.get(index)?.note,
    })
}

#[cfg(test)]
mod tests {
    use super::Sheet;
    use fait_board::note::{Kind, Target};

    const BOARD: &str = "board Shop\n  hotspot Who cleans?\nevent Thing sold\n  \
        hotspot Who pays?\nsystem Bank\n  takes Pay in\nhotspot Who pays?\n";

    #[test]
    fn notes_are_found_by_their_ids_and_questions_by_their_notes() {
        let sheet = Sheet::read("shop.board", BOARD);
        let sold = Target::Note(Kind::Event, 0);
        assert_eq!(sheet.find("event-thing-sold"), Some(sold));
        assert_eq!(sheet.id(sold).as_deref(), Some("event-thing-sold"));
        // The note on its own comes before the question of a note that says the same.
        let own = Some(Target::Note(Kind::Hotspot, 0));
        assert_eq!(sheet.find("hotspot-who-pays"), own);
        let board = Some(Target::Note(Kind::Board, 0));
        assert_eq!(sheet.find("hotspot-who-cleans"), board);
        assert_eq!(sheet.find("board-shop"), board);
        assert_eq!(sheet.find("event-thing-bought"), None);
    }

    #[test]
    fn a_message_leads_to_its_system() {
        let sheet = Sheet::read("shop.board", BOARD);
        let message = Target::Taken(0, 0);
        assert_eq!(sheet.name(message), Some("Pay in"));
        assert_eq!(sheet.id(message).as_deref(), Some("system-bank"));
        assert_eq!(sheet.name(Target::Sent(0, 0)), None);
    }

    #[test]
    fn a_sheet_that_is_lost_keeps_what_was_read() {
        let sheet = Sheet::read("shop.board", BOARD).with_loss("it was removed");
        assert_eq!(sheet.lost.as_deref(), Some("it was removed"));
        assert_eq!(sheet.board.events.len(), 1);
    }
}
