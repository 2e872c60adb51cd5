//! The kinds of notes, in the order of the grammar.

use std::fmt;

use crate::note::{Mention, Note};
use crate::place::{Said, Span};

/// A word of the business: `word total is money`.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// What every note has.
    pub note: Note,
    /// What the word is; nothing when that could not be read.
    pub is: Option<Type>,
    /// Whether it tells something of a person that others need not know.
    pub personal: Option<Span>,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `an id`
    Id,
    /// `text`
    Text,
    /// `a number`
    Number,
    /// `money`
    Money,
    /// `a date`
    Date,
    /// `a time`
    Time,
    /// `yes or no`
    YesOrNo,
    /// `a list of …`
    ListOf(Box<Type>),
    /// `one of …, …`
    OneOf(Vec<Said>),
    /// `… or nothing`
    OrNothing(Box<Type>),
}

/// A person, by the part they play.
#[derive(Clone, Debug, PartialEq)]
pub struct Actor {
    /// What every note has.
    pub note: Note,
}

/// Another system.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    /// What every note has.
    pub note: Note,
    /// The messages it takes.
    pub takes: Vec<Said>,
    /// The messages it sends.
    pub sends: Vec<Said>,
}

/// A bounded context.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// What every note has.
    pub note: Note,
    /// Whether it runs in another system.
    pub runs_elsewhere: Option<Span>,
    /// The lines on which it is opened again.
    pub reopened: Vec<Span>,
}

/// A chapter of the story.
#[derive(Clone, Debug, PartialEq)]
pub struct Chapter {
    /// What every note has.
    pub note: Note,
    /// The lines on which it is opened again.
    pub reopened: Vec<Span>,
}

/// What people see before they act.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// What every note has.
    pub note: Note,
    /// The events that feed it.
    pub from: Vec<Mention>,
    /// The words it shows.
    pub shows: Vec<Mention>,
    /// Those of them that it counts, sums or otherwise makes of what events record.
    pub works_out: Vec<Mention>,
    /// The actors for whom it is.
    pub viewers: Vec<Mention>,
    /// The words of which it has one row each.
    pub one_row_per: Vec<Mention>,
}

/// What people and systems do.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// What every note has.
    pub note: Note,
    /// The actors and systems that can do it.
    pub by: Vec<Mention>,
    /// The views that are looked at before.
    pub sees: Vec<Mention>,
    /// The words the person is asked for.
    pub asks: Vec<Mention>,
    /// The words that are worked out.
    pub works_out: Vec<Mention>,
    /// The model that decides.
    pub on: Option<Mention>,
    /// The events it can raise.
    pub raises: Vec<Raises>,
    /// The reasons why it is refused.
    pub refused_when: Vec<Said>,
    /// The task that undoes it.
    pub undone_by: Option<Mention>,
    /// Whether other systems may ask for it.
    pub public: Option<Span>,
}

/// An event that a task can raise.
#[derive(Clone, Debug, PartialEq)]
pub struct Raises {
    /// The event.
    pub event: Mention,
    /// Whether it is raised instead of the others (`or raises`).
    pub otherwise: bool,
    /// When it is raised instead.
    pub when: Option<Said>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What every note has.
    pub note: Note,
    /// The words it records.
    pub records: Vec<Mention>,
    /// Whether it is a turning point of the story.
    pub pivotal: Option<Span>,
    /// Whether other systems may hear of it.
    pub public: Option<Span>,
    /// The names it had before.
    pub was: Vec<Said>,
}

/// What decides: one stream, or a rule across several things.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What every note has.
    pub note: Note,
    /// The words of which there is one model each.
    pub one_per: Vec<Mention>,
    /// The events it looks at before it decides.
    pub remembers: Vec<Mention>,
    /// The rules it keeps.
    pub rules: Vec<Said>,
}

/// A reaction that remembers nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// What every note has.
    pub note: Note,
    /// What it does, and when.
    pub reactions: Vec<Reaction>,
}

/// A reaction that remembers how far it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    /// What every note has.
    pub note: Note,
    /// The words of which there is one process each.
    pub one_per: Vec<Mention>,
    /// The words by which other systems know it.
    pub also_known_by: Vec<Mention>,
    /// What it does, and when.
    pub reactions: Vec<Reaction>,
    /// The events with which it is done.
    pub ends_on: Vec<Mention>,
    /// The events with which it gives up.
    pub gives_up_on: Vec<Mention>,
}

/// What a process or policy does when something happened, or did not happen in time.
#[derive(Clone, Debug, PartialEq)]
pub struct Reaction {
    /// The line that says when.
    pub span: Span,
    /// When it reacts.
    pub trigger: Trigger,
    /// What it does then.
    pub steps: Vec<Step>,
}

/// When a process or policy reacts.
#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// `whenever`: each time, without memory.
    Whenever(Vec<Mention>),
    /// `starts on`, with the condition if there is one.
    Starts(Vec<Mention>, Option<Said>),
    /// `on`
    On(Vec<Mention>),
    /// `after 30 minutes without …`
    After(Period, Vec<Mention>),
    /// `after 3 tries without …`
    Tries(u64, Vec<Mention>),
}

/// One thing that a reaction does.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The whole line.
    pub span: Span,
    /// What is done.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `ask Cook to Cook food within 30 minutes`
    Ask {
        /// Whom.
        actor: Mention,
        /// For what.
        task: Mention,
        /// Until when.
        within: Option<Period>,
    },
    /// `do Spike order`
    Do {
        /// What.
        task: Mention,
    },
    /// `tell Card terminal to Charge card`
    Tell {
        /// Whom.
        system: Mention,
        /// What.
        message: Mention,
    },
    /// `raise Cooking timed out`
    Raise {
        /// Which event.
        event: Mention,
    },
}

/// A length of time as a person says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// How many.
    pub count: u64,
    /// Of what.
    pub unit: Unit,
    /// Where it is said.
    pub span: Span,
}

/// The units of a [`Period`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// `seconds`
    Second,
    /// `minutes`
    Minute,
    /// `hours`
    Hour,
    /// `days`
    Day,
    /// `weeks`
    Week,
}

/// Given, when, then.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What every note has.
    pub note: Note,
    /// What had happened.
    pub given: Vec<Fact>,
    /// What is done, or how long nothing is done.
    pub when: Vec<Occasion>,
    /// What comes of it.
    pub then: Vec<Outcome>,
}

/// An event or a task with some of its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// The event, task or message.
    pub what: Mention,
    /// The words that matter, with their values.
    pub with: Vec<(Mention, Said)>,
}

/// What an example does.
#[derive(Clone, Debug, PartialEq)]
pub enum Occasion {
    /// A task is done or an event arrives.
    Fact(Fact),
    /// Time passes.
    Passes(Period),
}

/// What comes of an example.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Something happened.
    Fact(Fact),
    /// The task was refused, with this reason.
    Refused(Said),
    /// A process does something.
    Step(Step),
    /// A view shows something.
    Shows(Mention, Said),
}

/// A question that stands on its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Hotspot {
    /// What every note has; its name is the question.
    pub note: Note,
}

/// An idea for later.
#[derive(Clone, Debug, PartialEq)]
pub struct Idea {
    /// What every note has; its name is the idea.
    pub note: Note,
}

impl Trigger {
    /// The events it speaks of: those it hears, or those it waits for.
    #[must_use]
    pub fn events(&self) -> &[Mention] {
        match self {
            Trigger::Whenever(events)
            | Trigger::Starts(events, _)
            | Trigger::On(events)
            | Trigger::After(_, events)
            | Trigger::Tries(_, events) => events,
        }
    }

    /// Whether it is about time running out rather than about something that happened.
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(self, Trigger::After(..) | Trigger::Tries(..))
    }
}

impl Period {
    /// The length in seconds; the longest that can be said when it would be more.
    #[must_use]
    pub fn seconds(self) -> u64 {
        let unit = match self.unit {
            Unit::Second => 1,
            Unit::Minute => 60,
            Unit::Hour => 60 * 60,
            Unit::Day => 24 * 60 * 60,
            Unit::Week => 7 * 24 * 60 * 60,
        };
        self.count.saturating_mul(unit)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Second => "second",
            Unit::Minute => "minute",
            Unit::Hour => "hour",
            Unit::Day => "day",
            Unit::Week => "week",
        };
        let plural = if self.count == 1 { "" } else { "s" };
        write!(f, "{} {unit}{plural}", self.count)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Id => f.write_str("id"),
            Type::Text => f.write_str("text"),
            Type::Number => f.write_str("number"),
            Type::Money => f.write_str("money"),
            Type::Date => f.write_str("date"),
            Type::Time => f.write_str("time"),
            Type::YesOrNo => f.write_str("yes or no"),
            Type::ListOf(of) => write!(f, "list of {of}"),
            Type::OrNothing(of) => write!(f, "{of} or nothing"),
            Type::OneOf(names) => {
                let names: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
                write!(f, "one of {}", names.join(", "))
            }
        }
    }
}
