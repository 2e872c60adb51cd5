//! The board's page without its frame: tabs, what is wrong, the part that is shown, the panel, and
//! one line on how board, code and store stand.

use super::super::words::{count, hour};
use super::ask::{Ask, Show};
use super::facts::Facts;
use super::{examples, glossary, panel, picture, text};
use crate::sheet::{Sheet, id_of};
use fait_board::note::{Kind, Target};
use fait_board::{Problem, Severity};
use maud::{Markup, html};

/// One look at a board.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) sheet: &'a Sheet,
    pub(super) ask: &'a Ask,
    pub(super) facts: &'a Facts,
}

impl Look<'_> {
    /// The whole page below its head.
    pub(super) fn page(self) -> Markup {
        let Look { sheet, ask, .. } = self;
        html! {
            div.board-page data-board=(ask.show.key()) {
                div.board-head {
                    h1 { (sheet.board.name()) }
                    @if !sheet.file.is_empty() { span.file { (sheet.file) } }
                    (self.tabs())
                    @if ask.show == Show::Picture { (picture::zoom()) }
                }
                (self.wrong())
                @if ask.show == Show::Picture { (picture::bar(self)) }
                div.board-body {
                    (self.part())
                    (self.panel())
                }
                (self.foot())
            }
        }
    }

    fn tabs(self) -> Markup {
        let tab = |show: Show| {
            let here = show == self.ask.show;
            let badge = (show == Show::Text).then(|| self.count_of(|s| s != Severity::Remark));
            html! {
                a href=(self.ask.part(show)) aria-current=[here.then_some("page")] {
                    (show.title())
                    @if let Some(n) = badge.filter(|n| *n > 0) {
                        " " span.badge.wrong-badge { (n) span.unseen { " problems" } }
                    }
                }
            }
        };
        html! {
            nav.tabs aria-label="The board" {
                ul #board-tabs data-live { @for show in Show::ALL { li { (tab(show)) } } }
            }
        }
    }

    /// What is wrong with the text, each with its place.
    fn wrong(self) -> Markup {
        let problems = &self.sheet.problems;
        html! {
            div #board-problems data-live data-say=[self.said()] {
                @if let Some(lost) = &self.sheet.lost {
                    p.notice { "The picture is as it was read last. " (lost) }
                }
                @if !problems.is_empty() {
                    details.problems #problems open[self.ask.show == Show::Text] {
                        summary {
                            (self.in_numbers())
                            @if let Some(first) = problems.first() {
                                span.first { ", the first in line " (first.span.line) ": "
                                    (marked(&first.message)) }
                            }
                        }
                        ul { @for problem in problems { li { (self.problem(problem)) } } }
                    }
                }
            }
        }
    }

    /// `Line 12: there is no event …`.
    fn problem(self, problem: &Problem) -> Markup {
        let line = problem.span.line;
        html! {
            a href=(self.ask.line(line)) { "Line " (line) } " "
            (about(problem))
        }
    }

    /// What is said aloud when the text has changed.
    fn said(self) -> Option<String> {
        let wrong = !self.sheet.problems.is_empty();
        wrong.then(|| format!("The board has {}.", self.in_numbers()))
    }

    /// `2 errors, 1 warning`.
    fn in_numbers(self) -> String {
        let all = [
            (Severity::Error, "error"),
            (Severity::Warning, "warning"),
            (Severity::Remark, "remark"),
        ];
        let counted = all.map(|(severity, one)| (self.count_of(|s| s == severity), one));
        let some = counted.iter().filter(|(n, _)| *n > 0);
        let said: Vec<String> = some.map(|(n, one)| count(*n, one)).collect();
        said.join(", ")
    }

    fn count_of(self, wanted: impl Fn(Severity) -> bool) -> u64 {
        let problems = self.sheet.problems.iter();
        problems.filter(|p| wanted(p.severity)).count() as u64
    }

    fn part(self) -> Markup {
        match self.ask.show {
            Show::Picture => picture::stage(self),
            Show::Text => text::lines(self),
            Show::Words => glossary::words(self),
            Show::Examples => examples::all(self),
        }
    }

    /// The panel; empty when no note is asked for.
    pub(super) fn panel(self) -> Markup {
        html! {
            aside #panel data-live tabindex="-1" aria-label="The note" {
                @if let Some(id) = &self.ask.note { (panel::panel(self, id)) }
            }
        }
    }

    fn foot(self) -> Markup {
        let board = &self.sheet.board;
        let errors = self.count_of(|s| s == Severity::Error);
        let open = board.open_questions().len() as u64;
        html! {
            div.board-foot #board-foot data-live {
                p {
                    strong { "Board " }
                    (count(board.notes().len() as u64, "note")) ", "
                    @match errors { 0 => "no errors", n => (count(n, "error")) }
                    ", " (count(open, "open question"))
                }
                @if let Some(system) = &self.facts.system {
                    p {
                        strong { "Store " }
                        (count(system.tally.events.values().map(|h| h.times).sum(), "event"))
                        " counted"
                        @if !system.tally.is_whole() {
                            " up to position " (system.tally.up_to) " of " (system.tally.head)
                        }
                        ", as of " (hour(system.now, system.now)) " UTC"
                    }
                } @else {
                    p { strong { "Code, store " } "this is the file alone, no system runs beside it" }
                }
            }
        }
    }

    /// A link to a note, by what a tie leads to. What has no note is text.
    pub(super) fn link(self, target: Target) -> Markup {
        let name = self.sheet.name(target).unwrap_or("?");
        match self.sheet.id(target) {
            Some(id) => self.link_to(&id, name),
            None => html! { (name) },
        }
    }

    /// A link to a note by its kind and name, when the board has it.
    pub(super) fn link_named(self, kind: Kind, name: &str, text: &str) -> Markup {
        let id = id_of(kind, name);
        match self.sheet.find(&id) {
            Some(_) => self.link_to(&id, text),
            None => html! { (text) },
        }
    }

    fn link_to(self, id: &str, text: &str) -> Markup {
        html! { a href=(self.ask.with_note(Some(id))) data-note=(id) { (text) } }
    }
}

/// What is wrong, without its place.
pub(super) fn about(problem: &Problem) -> Markup {
    let (class, severity) = match problem.severity {
        Severity::Error => ("error", "error"),
        Severity::Warning => ("warning", "warning"),
        Severity::Remark => ("remark", "remark"),
    };
    html! {
        span.severity.(class) { (severity) " " (problem.code) } " " (marked(&problem.message))
        @if let Some(help) = &problem.help { " – " span.help { (marked(help)) } }
    }
}

/// A sentence whose names stand between backticks.
pub(super) fn marked(sentence: &str) -> Markup {
    html! {
        @for (at, part) in sentence.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
