//! The panel of a note: all that the board says of it, who names it, and what the system knows.

use super::super::words::{ago, moment, plain};
use super::facts::System;
use super::look::Look;
use super::{differences, examples, picture};
use crate::request::encode;
use fait::board::check::{Entry, Verdict};
use fait_board::note::{Kind, Note, Target};
use fait_board::notes::{Raises, Task};
use fait_board::outline;
use fait_board::place::Said;
use fait_board::ties::{How, Tie, Ties};
use maud::{Markup, html};

/// Which end of a tie the note is.
#[derive(Clone, Copy)]
enum Way {
    /// The note names others.
    Names,
    /// Others name the note.
    Named,
}

use Kind::{Actor, Event, Model, Policy, Process, System as Outside, View, Word};
use Way::{Named, Names};

/// How an event comes to be.
const RAISES: &[How] = &[How::Raises, How::OrRaises, How::Raise];

/// How an event is heard.
const HEARS: &[How] = &[
    How::From,
    How::Remembers,
    How::Whenever,
    How::StartsOn,
    How::On,
    How::Without,
    How::EndsOn,
    How::GivesUpOn,
];

/// How an example speaks of something.
const TOLD: &[How] = &[How::Given, How::When, How::Then, How::With];

/// What is told of each kind of note: heading, end of the tie, ties.
const GROUPS: &[(Kind, &str, Way, &[How])] = &[
    (Event, "Raised by", Named, RAISES),
    (Event, "Heard by", Named, HEARS),
    (Kind::Task, "Done by", Names, &[How::By]),
    (Kind::Task, "Asked for by", Named, &[How::AskTo]),
    (Kind::Task, "Done automatically by", Named, &[How::Do]),
    (Kind::Task, "Sees", Names, &[How::Sees]),
    (Kind::Task, "Decided on", Names, &[How::DecidedOn]),
    (Kind::Task, "Undone by", Names, &[How::UndoneBy]),
    (Kind::Task, "Undoes", Named, &[How::UndoneBy]),
    (View, "For", Names, &[How::For]),
    (View, "Seen for", Named, &[How::Sees]),
    (View, "Fed by", Names, &[How::From]),
    (View, "One row per", Names, &[How::OnePer]),
    (Model, "One per", Names, &[How::OnePer]),
    (Model, "Decides", Named, &[How::DecidedOn]),
    (Model, "Remembers", Names, &[How::Remembers]),
    (Process, "One per", Names, &[How::OnePer]),
    (Process, "Also known by", Names, &[How::AlsoKnownBy]),
    (Policy, "Hears", Names, &[How::Whenever]),
    (Actor, "Does", Named, &[How::By]),
    (Actor, "Sees", Named, &[How::For]),
    (Actor, "Asked by", Named, &[How::AskOf]),
    (Outside, "Does", Named, &[How::By]),
    (Outside, "Told by", Named, &[How::TellOf]),
    (Word, "Asked by", Named, &[How::Asks]),
    (Word, "Worked out by", Named, &[How::WorksOut]),
    (Word, "Recorded by", Named, &[How::Records]),
    (Word, "Shown in", Named, &[How::Shows]),
    (Word, "Key of", Named, &[How::OnePer, How::AlsoKnownBy]),
];

/// The words that a note deals with, with their types.
const WORDS: &[(Kind, &str, How)] = &[
    (Event, "Records", How::Records),
    (Kind::Task, "Asks", How::Asks),
    (Kind::Task, "Works out", How::WorksOut),
    (View, "Shows", How::Shows),
];

/// The panel of the note with an id.
pub(super) fn panel(look: Look<'_>, id: &str) -> Markup {
    let found = look.sheet.find(id);
    let about = found.and_then(|target| Some(Panel::of(look, target, look.sheet.note(target)?)));
    html! {
        a.close href=(look.ask.with_note(None)) data-close aria-label="Close" title="Close" { "×" }
        @match (about, found) {
            (Some(panel), _) => (panel.show()),
            (None, Some(_)) => (whole(look)),
            (None, None) => {
                h2 #panel-title tabindex="-1" { "Not on the board" }
                p { "The board has no note " code { (id) } "; it may have been renamed." }
            }
        }
    }
}

/// The panel of the board itself.
fn whole(look: Look<'_>) -> Markup {
    let board = &look.sheet.board;
    html! {
        p.chips { span.chip.k-board { "Board" } }
        h2 #panel-title tabindex="-1" { (board.name()) }
        @for about in &board.about { p { (about.text) } }
        (questions(&board.questions))
    }
}

struct Panel<'a> {
    look: Look<'a>,
    target: Target,
    kind: Kind,
    note: &'a Note,
}

impl<'a> Panel<'a> {
    fn of(look: Look<'a>, target: Target, (kind, note): (Kind, &'a Note)) -> Self {
        let target = match target {
            Target::Sent(system, _) | Target::Taken(system, _) => Target::Note(Outside, system),
            note @ Target::Note(..) => note,
        };
        Panel {
            look,
            target,
            kind,
            note,
        }
    }

    fn show(&self) -> Markup {
        let asked = self.look.sheet.board.tasks.get(self.index());
        html! {
            p.chips { @for (at, chip) in self.chips().into_iter().enumerate() {
                @if at == 0 { span class={ "chip k-" (self.kind.keyword()) } { (chip) } }
                @else { span.chip.plain { (chip) } }
            } }
            h2 #panel-title tabindex="-1" { (self.note.name.text) }
            (self.stands())
            @for about in &self.note.about { p { (about.text) } }
            (self.is())
            @for (kind, heading, how) in WORDS.iter().filter(|(kind, ..)| *kind == self.kind) {
                (self.words(*kind, heading, *how))
            }
            @if let (Kind::Task, Some(task)) = (self.kind, asked) { (self.outcomes(task)) }
            @for (_, heading, way, hows) in GROUPS.iter().filter(|(kind, ..)| *kind == self.kind) {
                (self.group(heading, *way, hows))
            }
            (self.inside())
            @if let Some(system) = &self.look.facts.system { (self.known(system)) }
            (self.examples())
            (questions(&self.note.questions))
            (self.place())
        }
    }

    fn index(&self) -> usize {
        match self.target {
            Target::Note(_, index) | Target::Sent(index, _) | Target::Taken(index, _) => index,
        }
    }

    /// Its kind, and what is special about it.
    fn chips(&self) -> Vec<String> {
        let (board, index) = (&self.look.sheet.board, self.index());
        let mut chips = vec![plain(self.kind.keyword())];
        let mut add = |yes: bool, chip: &str| chips.extend(yes.then(|| chip.to_string()));
        match self.kind {
            Kind::Event => {
                let event = board.events.get(index);
                add(event.is_some_and(|e| e.pivotal.is_some()), "turning point");
                add(event.is_some_and(|e| e.public.is_some()), "public");
            }
            Kind::Task => {
                let task = board.tasks.get(index);
                add(task.is_some_and(|t| t.public.is_some()), "public");
            }
            Kind::Context => {
                let context = board.contexts.get(index);
                let elsewhere = context.is_some_and(|c| c.runs_elsewhere.is_some());
                add(elsewhere, "runs elsewhere");
            }
            _ => {}
        }
        add(self.note.planned.is_some(), "planned");
        chips
    }

    /// Who does the tasks that raise an event.
    fn doers(&self) -> Vec<Target> {
        let ties = &self.look.sheet.ties;
        let tasks = ties.to(self.target).filter(|tie| RAISES.contains(&tie.how));
        let by = tasks.flat_map(|task| ties.from(task.from).filter(|tie| tie.how == How::By));
        let mut doers: Vec<Target> = by.map(|tie| tie.to).collect();
        doers.sort_unstable();
        doers.dedup();
        doers
    }

    /// Context and chapter.
    fn stands(&self) -> Markup {
        let context = self.note.context.map(|at| Target::Note(Kind::Context, at));
        let chapter = self.note.chapter.map(|at| Target::Note(Kind::Chapter, at));
        let inside = matches!(self.kind, Kind::Context | Kind::Chapter);
        let all: Vec<Target> = [context, chapter].into_iter().flatten().collect();
        let doers = self.doers();
        html! {
            @if !all.is_empty() && !inside {
                p.stands { "in " (self.links(&all)) }
            }
            @if self.kind == Kind::Event && !doers.is_empty() {
                p.stands { "done by " (self.links(&doers)) }
            }
        }
    }

    /// The type of a word, the messages of a system, the rules of a model.
    fn is(&self) -> Markup {
        let (board, index) = (&self.look.sheet.board, self.index());
        html! {
            @match self.kind {
                Kind::Word => {
                    @if let Some(is) = board.words.get(index).and_then(|w| w.is.as_ref()) {
                        p.lead { "is " (is) }
                    }
                }
                Kind::System => {
                    @if let Some(system) = board.systems.get(index) {
                        (texts("Takes", &system.takes)) (texts("Sends", &system.sends))
                    }
                }
                Kind::Model => {
                    @if let Some(model) = board.models.get(index) { (texts("Rules", &model.rules)) }
                }
                _ => {}
            }
        }
    }

    fn words(&self, kind: Kind, heading: &str, how: How) -> Markup {
        let ties = self.look.sheet.ties.from(Target::Note(kind, self.index()));
        let words: Vec<Target> = ties.filter(|tie| tie.how == how).map(|t| t.to).collect();
        let is = |word: &Target| match word {
            Target::Note(Kind::Word, at) => self.look.sheet.board.words.get(*at),
            _ => None,
        };
        html! {
            @if !words.is_empty() {
                h3 { (heading) }
                dl.words-of {
                    @for word in words {
                        dt { (self.look.link(word)) }
                        dd { @if let Some(is) = is(&word).and_then(|w| w.is.as_ref()) { (is) } }
                    }
                }
            }
        }
    }

    /// What comes of a task.
    fn outcomes(&self, task: &Task) -> Markup {
        let event = |raises: &Raises| match raises.event.target {
            Some(target) => self.look.link(target),
            None => html! { (raises.event.text()) },
        };
        html! {
            @if !task.raises.is_empty() {
                h3 { "Raises" }
                ul { @for raises in &task.raises {
                    li {
                        @if raises.otherwise { "or " }
                        (event(raises))
                        @if let Some(when) = &raises.when { " when " (when.text) }
                    }
                } }
            }
            (texts("Refused when", &task.refused_when))
        }
    }

    /// Who is named, or who names the note, each once.
    fn group(&self, heading: &str, way: Way, hows: &[How]) -> Markup {
        let ties: &Ties = &self.look.sheet.ties;
        let told = |tie: &Tie| matches!(tie.from, Target::Note(Kind::Example, _));
        let fits = |tie: &&Tie| hows.contains(&tie.how) && !told(tie);
        let found: Vec<(Target, How)> = match way {
            Names => ties
                .from(self.target)
                .filter(fits)
                .map(|t| (t.to, t.how))
                .collect(),
            Named => ties
                .to(self.target)
                .filter(fits)
                .map(|t| (t.from, t.how))
                .collect(),
        };
        let mut once: Vec<(Target, Vec<How>)> = vec![];
        for (target, how) in found {
            match once.iter_mut().find(|(known, _)| *known == target) {
                Some((_, hows)) if !hows.contains(&how) => hows.push(how),
                Some(_) => {}
                None => once.push((target, vec![how])),
            }
        }
        html! {
            @if !once.is_empty() {
                h3 { (heading) }
                ul.names { @for (target, hows) in once {
                    li { (self.look.link(target)) (manner(&hows)) }
                } }
            }
        }
    }

    /// What stands within it: the reactions of a process, the notes of a chapter or context.
    fn inside(&self) -> Markup {
        let look = self.look;
        let here = |note: &Note| match self.kind {
            Kind::Context => note.context == Some(self.index()),
            Kind::Chapter => note.chapter == Some(self.index()),
            _ => false,
        };
        match self.kind {
            Kind::Process | Kind::Policy => {
                let name = (self.kind, self.note.name.text.clone());
                let mut sections = outline(&look.sheet.board).into_iter();
                let own = sections.find(|section| section.note.as_ref() == Some(&name));
                let reactions = own.into_iter().flat_map(|section| section.entries);
                let skipped = ["one per ", "also known by ", "Open question"];
                let told = |text: &str| skipped.iter().any(|s| text.starts_with(s));
                let reactions: Vec<_> = reactions.filter(|e| !told(&e.text)).collect();
                html! { h3 { "What it does" } div.reactions { (picture::entries(look, &reactions)) } }
            }
            Kind::Context | Kind::Chapter => {
                let notes = look.sheet.board.notes();
                let notes = notes
                    .iter()
                    .filter(|(kind, note)| *kind != Kind::Example && here(note));
                html! {
                    @if self.kind == Kind::Chapter {
                        p { a href=(look.ask.with_chapter(Some(&self.note.name.text))) {
                            "Only this chapter"
                        } }
                    }
                    h3 { "Inside" }
                    ul { @for (kind, note) in notes {
                        @let name = &note.name.text;
                        li { (kind.keyword()) " " (look.link_named(*kind, name, name)) }
                    } }
                }
            }
            _ => html! {},
        }
    }

    /// What the system knows of it: in the code, in the store, and where they contradict.
    fn known(&self, system: &System) -> Markup {
        let (whole, parts) = system.of_note(self.kind, &self.note.name.text);
        let strange = |e: &&&Entry| e.verdict.is_difference();
        let code = whole.and_then(|entry| entry.code.as_deref());
        html! {
            @if let Some(entry) = whole { (self.coded(entry)) }
            @if let (Event, Some(code)) = (self.kind, code) {
                h3 { "In the store" }
                @match whole.and_then(|entry| entry.happened) {
                    Some(times) => p {
                        a href={ "/events?type=" (encode(code)) } {
                            (times.count) @if times.count == 1 { " time" } @else { " times" }
                        }
                        ", the last " (ago(times.last, system.now))
                        " (" (moment(times.last, system.now)) ")"
                    },
                    None if system.happened.is_whole() => p { "It has never happened." },
                    None => p { "It is not among what was counted so far." },
                }
            }
            @if let (View, Some(code)) = (self.kind, code) {
                p { a href={ "/views/" (encode(code)) } { "Open the view" } }
            }
            @for entry in parts.iter().filter(strange) {
                div.difference { (differences::said(entry)) }
            }
        }
    }

    /// How the note as such stands to the code.
    fn coded(&self, entry: &Entry) -> Markup {
        html! {
            h3 { "In the code" }
            @if entry.verdict == Verdict::Agrees || entry.verdict == Verdict::NeverHappened {
                p.agrees { "✓ agrees" @if let Some(code) = &entry.code { " as " code { (code) } } }
            } @else if entry.verdict.is_difference() {
                div.difference { (differences::said(entry)) }
            } @else {
                (differences::said(entry))
            }
        }
    }

    fn examples(&self) -> Markup {
        let look = self.look;
        if self.kind == Kind::Example {
            let name = &self.note.name.text;
            return html! {
                h3 { "It says" }
                (examples::said(look, self.note))
                p { (examples::verdict(look, name)) }
                (examples::why(look, name))
            };
        }
        let ties = look.sheet.ties.to(self.target);
        let mut told: Vec<Target> = ties
            .filter(|tie| {
                TOLD.contains(&tie.how) || matches!(tie.from, Target::Note(Kind::Example, _))
            })
            .map(|tie| tie.from)
            .collect();
        told.sort_unstable();
        told.dedup();
        html! {
            @if !told.is_empty() {
                h3 { "Examples" }
                ul.names { @for example in told {
                    li {
                        (look.link(example)) " "
                        (examples::verdict(look, look.sheet.name(example).unwrap_or_default()))
                    }
                } }
            }
        }
    }

    /// Where it stands in the text.
    fn place(&self) -> Markup {
        let (first, last) = self.look.sheet.lines(self.note).into_inner();
        html! {
            h3 { "In the text" }
            p { a href=(self.look.ask.line(first)) {
                @if first == last { "Line " (first) } @else { "Lines " (first) " to " (last) }
            } }
        }
    }

    fn links(&self, all: &[Target]) -> Markup {
        html! { @for (at, target) in all.iter().enumerate() {
            @if at > 0 { ", " }
            (self.look.link(*target))
        } }
    }
}

/// What is special about how something is named.
fn manner(hows: &[How]) -> Markup {
    let words = hows.iter().filter_map(|how| match how {
        How::StartsOn => Some("starts on it"),
        How::Without => Some("waits for it"),
        How::EndsOn => Some("ends on it"),
        How::GivesUpOn => Some("gives up on it"),
        How::OrRaises => Some("instead"),
        How::Raise => Some("by itself"),
        _ => None,
    });
    let words: Vec<&str> = words.collect();
    html! { @if !words.is_empty() { span.manner { " " (words.join(", ")) } } }
}

fn texts(heading: &str, all: &[Said]) -> Markup {
    html! {
        @if !all.is_empty() {
            h3 { (heading) }
            ul { @for said in all { li { (said.text) } } }
        }
    }
}

fn questions(all: &[Said]) -> Markup {
    html! {
        @for question in all { p.question { strong { "Open question " } (question.text) } }
    }
}
