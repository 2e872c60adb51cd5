//! The board as data: every note with its place, every name resolved once.

use crate::note::{Kind, Level, Mention, Note};
use crate::notes::{
    Actor, Chapter, Context, Event, Example, Hotspot, Idea, Model, Policy, Process, System, Task,
    View, Word,
};
use crate::place::Said;

/// A whole board. Each list is in the order of the file, which is the order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// The name of the board, when it has one.
    pub title: Option<Said>,
    /// What the board is about.
    pub about: Vec<Said>,
    /// How finished the board says it is.
    pub level: Level,
    /// The language of its names, when it says so; English when it does not.
    pub language: Option<Said>,
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

    /// How many notes there are, with that of the board itself.
    #[must_use]
    pub fn note_count(&self) -> usize {
        usize::from(self.title.is_some()) + self.notes().len()
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
