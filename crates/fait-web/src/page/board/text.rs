//! The text of the board: numbered lines, notes linked to their panel, what is wrong beneath.

use super::look::{Look, about};
use fait_board::note::{Kind, Note};
use fait_board::{Problem, Severity};
use maud::{Markup, html};
use std::collections::HashMap;

/// The whole text.
pub(super) fn lines(look: Look<'_>) -> Markup {
    let board = &look.sheet.board;
    let heads: HashMap<usize, (Kind, &Note)> = board
        .notes()
        .into_iter()
        .map(|(kind, note)| (note.span.line, (kind, note)))
        .collect();
    let chosen = look.ask.note.as_deref().and_then(|id| look.sheet.find(id));
    let chosen = chosen.and_then(|target| look.sheet.note(target));
    let chosen = chosen.map(|(_, note)| look.sheet.lines(note));
    html! {
        section.stage.text aria-label="Text" {
            ol.lines #text data-live {
                @for (at, text) in look.sheet.source.lines().enumerate() {
                    @let line = at + 1;
                    @let here = chosen.as_ref().is_some_and(|lines| lines.contains(&line));
                    @let wrong = problems_at(look, line);
                    li id={ "L" (line) } class=[class(here, &wrong)] {
                        span.number aria-hidden="true" { (line) }
                        code { (words(look, text, heads.get(&line).copied())) }
                        @for problem in wrong { p.problem { (about(problem)) } }
                    }
                }
            }
        }
    }
}

fn problems_at<'a>(look: Look<'a>, line: usize) -> Vec<&'a Problem> {
    let problems = look.sheet.problems.iter();
    problems.filter(|p| p.span.line == line).collect()
}

fn class(here: bool, wrong: &[&Problem]) -> Option<&'static str> {
    let is_wrong = wrong.iter().any(|p| p.severity != Severity::Remark);
    match (here, is_wrong) {
        (true, true) => Some("here wrong-line"),
        (true, false) => Some("here"),
        (false, true) => Some("wrong-line"),
        (false, false) => None,
    }
}

/// A line, its note's name as a link, its keyword or comment told apart.
fn words(look: Look<'_>, text: &str, head: Option<(Kind, &Note)>) -> Markup {
    let comment = text.trim_start().starts_with('#');
    let name = head.map(|(_, note)| note.name.text.as_str());
    let parts = name.filter(|name| !name.is_empty());
    let parts = parts.and_then(|name| Some((name, text.split_once(name)?)));
    html! {
        @match (parts, head) {
            (Some((name, (before, after))), Some((kind, _))) => {
                b { (before) } (look.link_named(kind, name, name)) (after)
            }
            _ if comment => i { (text) },
            // An empty line is a line too, also when it is copied.
            _ if text.is_empty() => "\n",
            _ => (text),
        }
    }
}
