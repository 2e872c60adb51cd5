//! The board's page without its frame: tabs, what is wrong, the part that is shown, the panel, and
//! one line on how board, code and store stand.

use super::super::words::{count, hour};
use super::ask::{Ask, Show};
use super::facts::{Facts, System, Tried};
use super::{differences, examples, glossary, panel, picture, text};
use crate::sheet::{Sheet, id_of};
use fait::board::check::Verdict;
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
            let (n, what) = self.badge(show);
            html! {
                a href=(self.ask.part(show)) aria-current=[here.then_some("page")] {
                    (show.title())
                    @if n > 0 { " " span.badge.wrong-badge { (n) span.unseen { " " (what) } } }
                }
            }
        };
        html! {
            nav.tabs aria-label="The board" {
                ul #board-tabs data-live { @for show in Show::ALL { li { (tab(show)) } } }
            }
        }
    }

    /// What somebody should look at in a part.
    fn badge(self, show: Show) -> (u64, &'static str) {
        match (show, &self.facts.system, &self.facts.tried) {
            (Show::Text, ..) => (self.count_of(|s| s != Severity::Remark), "problems"),
            (Show::Examples, _, Tried::Known(all)) => (all.failed() as u64, "fail"),
            (Show::Differences, Some(system), _) => {
                (system.compared.differences().count() as u64, "differences")
            }
            _ => (0, ""),
        }
    }

    /// What is wrong with the text, each with its place.
    fn wrong(self) -> Markup {
        let problems = &self.sheet.problems;
        let bad = problems.iter().filter(|p| p.severity != Severity::Remark);
        let bad = bad.min_by_key(|p| (p.severity, p.span));
        let in_text = self.ask.show == Show::Text;
        // What is worst stands first.
        let mut sorted: Vec<&Problem> = problems.iter().collect();
        sorted.sort_by_key(|p| (p.severity, p.span));
        html! {
            div #board-problems data-live data-say=[self.said()] {
                @if let Some(lost) = &self.sheet.lost {
                    p.notice { "The picture is as it was read last. " (lost) }
                }
                // Remarks alone are for who reads the text.
                @if bad.is_some() || in_text && !problems.is_empty() {
                    details #problems class=(if bad.is_some() { "problems" } else { "problems remarks" }) open[in_text] {
                        summary {
                            (self.in_numbers())
                            @if let Some(first) = bad {
                                span.first { ", the first in line " (first.span.line) ": "
                                    (marked(&first.message)) }
                            }
                        }
                        ul { @for problem in sorted { li { (self.problem(problem)) } } }
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
        let wrong = self.count_of(|s| s != Severity::Remark);
        (wrong > 0).then(|| format!("The board has {}.", self.in_numbers()))
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
            Show::Differences => differences::all(self),
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
                    (self.code(system))
                    (self.store(system))
                } @else {
                    p { strong { "Code, store " } "this is the file alone, no system runs beside it" }
                }
            }
        }
    }

    /// How the code stands to the board.
    fn code(self, system: &System) -> Markup {
        let (agree, planned) = (
            system.notes(Verdict::Agrees),
            system.notes(Verdict::Planned),
        );
        let differ = system.compared.differences().count() as u64;
        if system.compared.program.is_none() {
            return html! { p { strong { "Code " } "none yet: the board itself is played" } };
        }
        html! {
            p {
                strong { "Code " } (agree) " agree"
                @if planned > 0 { ", " (planned) " planned" }
                @if differ > 0 {
                    ", " a href=(self.ask.part(Show::Differences)) { (count(differ, "difference")) }
                }
            }
        }
    }

    /// How the store stands to the board.
    fn store(self, system: &System) -> Markup {
        let happened = &system.happened;
        let events = happened.events.values().map(|times| times.count).sum();
        let undrawn = system.compared.differences();
        let undrawn = undrawn.filter(|e| e.verdict == Verdict::NotDrawn).count();
        html! {
            p {
                strong { "Store " } (count(events, "event"))
                @if !happened.is_whole() {
                    " counted up to position " (happened.up_to) " of " (happened.head)
                }
                @if undrawn > 0 {
                    ", " a href=(self.ask.part(Show::Differences)) {
                        (undrawn) " that happened and " @if undrawn == 1 { "is" } @else { "are" }
                        " not drawn"
                    }
                }
                ", as of " (hour(system.now, system.now)) " UTC"
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
