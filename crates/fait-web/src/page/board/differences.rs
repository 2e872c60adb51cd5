//! Where the board, the code and what happened contradict each other, and what to do about it.

use super::look::{Look, marked};
use fait::board::check::Entry;
use fait_board::note::Kind;
use maud::{Markup, html};

/// All differences, then what is worth knowing.
pub(super) fn all(look: Look<'_>) -> Markup {
    html! {
        section.stage.plain #differences data-live aria-label="Differences" {
            @match &look.facts.system {
                None => p.empty {
                    "No system runs beside this file. With one that does, "
                    code { "fait board check " (look.sheet.file) " --at http://…" }
                    " says where they differ."
                },
                Some(system) => {
                    p.lead { (system.compared.sum()) "." }
                    @if system.compared.agrees() { p.empty {
                        @if system.compared.program.is_some() { "What is drawn is coded, and what " }
                        @else { "What " }
                        "happened is drawn."
                    } }
                    ul.differences {
                        @for entry in system.compared.differences() {
                            li.card { (told(look, entry)) }
                        }
                    }
                    @if system.compared.remarks().next().is_some() {
                        h2 { "Worth knowing" }
                        ul {
                            @for entry in system.compared.remarks() {
                                li { (in_short(look, entry)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn told(look: Look<'_>, entry: &Entry) -> Markup {
    let kind = Kind::ALL.into_iter().find(|k| k.keyword() == entry.kind);
    html! {
        h3 {
            (entry.kind) " "
            @match kind {
                Some(kind) => (look.link_named(kind, &entry.name, &entry.name)),
                None => (entry.name),
            }
        }
        @if let Some(place) = entry.place {
            p.stands { a href=(look.ask.line(place.line)) { "Line " (place.line) } }
        }
        (said(entry))
    }
}

/// A remark in one line.
fn in_short(look: Look<'_>, entry: &Entry) -> Markup {
    html! {
        @if let Some(place) = entry.place {
            a href=(look.ask.line(place.line)) { "Line " (place.line) } " "
        }
        (marked(&entry.says))
        @if let Some(help) = &entry.help { " – " (marked(help)) }
    }
}

/// What is said of one thing.
pub(super) fn said(entry: &Entry) -> Markup {
    let class = if entry.verdict.is_difference() {
        "differs"
    } else {
        "stands"
    };
    html! {
        p { strong.(class) { (entry.verdict) } ": " (marked(&entry.says)) }
        @if let Some(help) = &entry.help { p.help { (marked(help)) } }
        @if let Some(draw) = &entry.draw {
            p.help { "To draw it, write behind line " (draw.behind) ":" }
            pre.said { code { (draw.text.trim_matches('\n')) } }
        }
    }
}
