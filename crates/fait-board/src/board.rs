//! The board as data: every note with its place, every name resolved once.

use crate::notes::{
    Actor, Chapter, Context, Event, Example, Hotspot, Idea, Model, Policy, Process, System, Task,
    View, Word,
};
use crate::place::{Said, Span};

/// A whole board. Each list is in the order of the file, which is the order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// The name of the board, when it has one.
    pub title: Option<Said>,
    /// What the board is about.
    pub about: Vec<Said>,
    /// How finished the board says it is.
    pub level: Level,
    /// Questions asked about the board as a whole.
    pub questions: Vec<Said>,
    /// The words of the business, each explained once.
    pub words: Vec<Word>,
    /// The people.
    pub actors: Vec<Actor>,
    /// The other systems.
    pub systems: Vec<System>,
    /// The bounded contexts; a context that is opened again stays one entry.
    pub contexts: Vec<Context>,
    /// The chapters of the story; a chapter that is opened again stays one entry.
    pub chapters: Vec<Chapter>,
    /// What people see before they act.
    pub views: Vec<View>,
    /// What people and systems do.
    pub tasks: Vec<Task>,
    /// What happened.
    pub events: Vec<Event>,
    /// What decides.
    pub models: Vec<Model>,
    /// Reactions that remember nothing.
    pub policies: Vec<Policy>,
    /// Reactions that remember how far they are.
    pub processes: Vec<Process>,
    /// Given, when, then.
    pub examples: Vec<Example>,
    /// Questions that stand on their own.
    pub hotspots: Vec<Hotspot>,
    /// Ideas for later.
    pub ideas: Vec<Idea>,
}

/// How finished a board is; it decides which rules apply, so that a draft is never an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Events and questions; what a board is that does not say its level.
    #[default]
    BigPicture,
    /// Who does what, and what follows.
    Process,
    /// Every word explained: ready for code.
    Design,
}

/// What every note has, of whatever kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Its name, or its text for a hotspot and an idea.
    pub name: Said,
    /// The line that opens it: keyword and name.
    pub span: Span,
    /// The last line that belongs to it, counted from 1.
    pub last_line: usize,
    /// Its place among all notes of the file, counted from 0.
    pub order: usize,
    /// The context in which it stands, an index into [`Board::contexts`].
    pub context: Option<usize>,
    /// The chapter in which it stands, an index into [`Board::chapters`].
    pub chapter: Option<usize>,
    /// Whether it is on the board but not in the code yet.
    pub planned: Option<Span>,
    /// What it is about.
    pub about: Vec<Said>,
    /// The open questions that stand under it.
    pub questions: Vec<Said>,
}

/// The kinds of notes, in the order in which the grammar lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `board`
    Board,
    /// `word`
    Word,
    /// `actor`
    Actor,
    /// `system`
    System,
    /// `context`
    Context,
    /// `chapter`
    Chapter,
    /// `view`
    View,
    /// `task`
    Task,
    /// `event`
    Event,
    /// `model`
    Model,
    /// `policy`
    Policy,
    /// `process`
    Process,
    /// `example`
    Example,
    /// `hotspot`
    Hotspot,
    /// `idea`
    Idea,
}

/// A name that stands for a note somewhere else on the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The name as it was written.
    pub name: Said,
    /// What it stands for; nothing when no such note exists.
    pub target: Option<Target>,
}

/// What a name stands for. The numbers are indexes into the lists of [`Board`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A note of a kind.
    Note(Kind, usize),
    /// A message that a system sends: index of the system, index in [`System::sends`].
    Sent(usize, usize),
    /// A message that a system takes: index of the system, index in [`System::takes`].
    Taken(usize, usize),
}

impl Board {
    /// The name of the board, or "Board" for one without a name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.title.as_ref().map_or("Board", |title| &title.text)
    }

    /// The event a mention stands for.
    #[must_use]
    pub fn event(&self, mention: &Mention) -> Option<&Event> {
        self.events.get(mention.index(Kind::Event)?)
    }

    /// The task a mention stands for.
    #[must_use]
    pub fn task(&self, mention: &Mention) -> Option<&Task> {
        self.tasks.get(mention.index(Kind::Task)?)
    }

    /// The view a mention stands for.
    #[must_use]
    pub fn view(&self, mention: &Mention) -> Option<&View> {
        self.views.get(mention.index(Kind::View)?)
    }

    /// The model a mention stands for.
    #[must_use]
    pub fn model(&self, mention: &Mention) -> Option<&Model> {
        self.models.get(mention.index(Kind::Model)?)
    }

    /// All notes below the board itself, in the order of the file.
    #[must_use]
    pub fn notes(&self) -> Vec<(Kind, &Note)> {
        let mut all = Vec::new();
        let mut add = |kind, note| all.push((kind, note));
        self.words.iter().for_each(|n| add(Kind::Word, &n.note));
        self.actors.iter().for_each(|n| add(Kind::Actor, &n.note));
        self.systems.iter().for_each(|n| add(Kind::System, &n.note));
        self.contexts
            .iter()
            .for_each(|n| add(Kind::Context, &n.note));
        self.chapters
            .iter()
            .for_each(|n| add(Kind::Chapter, &n.note));
        self.views.iter().for_each(|n| add(Kind::View, &n.note));
        self.tasks.iter().for_each(|n| add(Kind::Task, &n.note));
        self.events.iter().for_each(|n| add(Kind::Event, &n.note));
        self.models.iter().for_each(|n| add(Kind::Model, &n.note));
        self.policies
            .iter()
            .for_each(|n| add(Kind::Policy, &n.note));
        self.processes
            .iter()
            .for_each(|n| add(Kind::Process, &n.note));
        self.examples
            .iter()
            .for_each(|n| add(Kind::Example, &n.note));
        self.hotspots
            .iter()
            .for_each(|n| add(Kind::Hotspot, &n.note));
        self.ideas.iter().for_each(|n| add(Kind::Idea, &n.note));
        all.sort_by_key(|(_, note)| note.order);
        all
    }

    /// All open questions, those under a note and those on their own.
    #[must_use]
    pub fn open_questions(&self) -> Vec<&Said> {
        let notes = self.notes();
        let own = notes
            .iter()
            .filter(|(kind, _)| *kind == Kind::Hotspot)
            .map(|(_, n)| &n.name);
        let under = notes.iter().flat_map(|(_, note)| &note.questions);
        let mut all: Vec<&Said> = self.questions.iter().chain(own).chain(under).collect();
        all.sort_by_key(|said| said.span);
        all
    }
}

impl Mention {
    /// The index in the board's list of `kind`, when the mention stands for such a note.
    #[must_use]
    pub fn index(&self, kind: Kind) -> Option<usize> {
        match self.target {
            Some(Target::Note(found, index)) if found == kind => Some(index),
            _ => None,
        }
    }

    /// The name as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.name.text
    }
}

impl Kind {
    /// All kinds, in the order of the grammar.
    pub const ALL: [Kind; 15] = [
        Kind::Board,
        Kind::Word,
        Kind::Actor,
        Kind::System,
        Kind::Context,
        Kind::Chapter,
        Kind::View,
        Kind::Task,
        Kind::Event,
        Kind::Model,
        Kind::Policy,
        Kind::Process,
        Kind::Example,
        Kind::Hotspot,
        Kind::Idea,
    ];

    /// The keyword that opens a note of this kind.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Kind::Board => "board",
            Kind::Word => "word",
            Kind::Actor => "actor",
            Kind::System => "system",
            Kind::Context => "context",
            Kind::Chapter => "chapter",
            Kind::View => "view",
            Kind::Task => "task",
            Kind::Event => "event",
            Kind::Model => "model",
            Kind::Policy => "policy",
            Kind::Process => "process",
            Kind::Example => "example",
            Kind::Hotspot => "hotspot",
            Kind::Idea => "idea",
        }
    }

    /// The keyword with its article, for sentences: `an event`.
    #[must_use]
    pub fn with_article(self) -> String {
        let keyword = self.keyword();
        let article = if keyword.starts_with(['a', 'e', 'i', 'o']) {
            "an"
        } else {
            "a"
        };
        format!("{article} {keyword}")
    }
}
