//! The picture of the board, with what stands above it: what the colours mean, what is left out,
//! how large it is.

use super::facts::System;
use super::look::Look;
use fait_board::outline::Entry;
use fait_board::{DrawOptions, draw, outline};
use maud::{Markup, PreEscaped, html};
use uuid::Uuid;

/// What the colours mean, by the class of the cards.
const LEGEND: [(&str, &str); 8] = [
    ("actor", "who"),
    ("view", "sees"),
    ("task", "does"),
    ("model", "decides"),
    ("event", "happened"),
    ("process", "then"),
    ("timer", "time ran out"),
    ("hotspot", "open question"),
];

/// What stands above the picture.
pub(super) fn bar(look: Look<'_>) -> Markup {
    let toggle = |id: &str, text: &str| {
        html! {
            label for=(id) { input id=(id) type="checkbox" checked autocomplete="off"; (text) }
        }
    };
    html! {
        div.board-bar {
            ul.legend aria-label="What the colours mean" {
                @for (class, text) in LEGEND {
                    li { span class={ "swatch k-" (class) } aria-hidden="true" {} (text) }
                }
            }
            div.toggles role="group" aria-label="What is shown" {
                (toggle("show-data", "Data"))
                (toggle("show-timeouts", "Time-outs"))
                @if look.facts.system.is_some() {
                    (toggle("show-happened", "What really happened"))
                }
            }
            (chapters(look))
        }
    }
}

/// Chooses one chapter.
fn chapters(look: Look<'_>) -> Markup {
    let all = &look.sheet.board.chapters;
    let chosen = look.ask.chapter.as_deref();
    html! {
        @if all.len() > 1 {
            form.chapters method="get" action="/board" {
                @if let Some(note) = &look.ask.note {
                    input type="hidden" name="note" value=(note);
                }
                label.unseen for="chapter" { "Chapter" }
                select #chapter name="chapter" {
                    option value="" { "All chapters" }
                    @for chapter in all {
                        @let name = &chapter.note.name.text;
                        option value=(name) selected[chosen == Some(name)] { "Only “" (name) "”" }
                    }
                }
                button.small type="submit" { "Show" }
            }
        }
    }
}

/// Larger, smaller, and where to look; only with scripts.
pub(super) fn zoom() -> Markup {
    let button = |act: &str, sign: &str, name: &str| {
        html! { button.small type="button" data-act=(act) aria-label=(name) title=(name) { (sign) } }
    };
    html! {
        div.zoom data-zoom-bar hidden role="group" aria-label="Size and place" {
            (button("left", "←", "Look further left")) (button("right", "→", "Look further right"))
            (button("up", "↑", "Look further up")) (button("down", "↓", "Look further down"))
            (button("smaller", "−", "Smaller"))
            output #zoom-said { "100%" }
            (button("larger", "+", "Larger"))
            (button("full", "1:1", "1:1, full size"))
            (button("width", "↔", "Whole width"))
            (button("fit", "Fit", "Fit all of it in"))
        }
    }
}

/// The picture itself, and the same in words.
pub(super) fn stage(look: Look<'_>) -> Markup {
    let board = &look.sheet.board;
    let chapter = look.ask.chapter.as_deref();
    let system = look.facts.system.as_ref();
    let options = DrawOptions {
        embed_style: false,
        counts: system.map(System::counts).unwrap_or_default(),
        chapter: chapter
            .filter(|c| look.sheet.chapter(c).is_some())
            .map(String::from),
        links: Some(look.ask.notes()),
        ..DrawOptions::default()
    };
    let picture = draw(board, &options);
    let version = Uuid::new_v5(&Uuid::NAMESPACE_OID, picture.as_bytes());
    html! {
        section.stage aria-label="Picture" {
            div.board data-stage role="region" aria-label="Picture of the board" {
                // Markup made by the board's own drawing, which escapes what the board says.
                div.sheet #picture data-live data-version=(version.simple()) {
                    (PreEscaped(picture))
                }
            }
            details.outline #outline {
                summary { "The board in words" }
                div #outline-words data-live {
                    @for section in outline(board) {
                        h2 { (section.heading) }
                        (entries(look, &section.entries))
                    }
                }
            }
        }
    }
}

/// A list of the outline, its notes as links.
pub(super) fn entries(look: Look<'_>, all: &[Entry]) -> Markup {
    html! {
        @if !all.is_empty() {
            ul {
                @for entry in all {
                    li {
                        @match &entry.note {
                            Some((kind, name)) => (look.link_named(*kind, name, &entry.text)),
                            None => (entry.text),
                        }
                        (entries(look, &entry.entries))
                    }
                }
            }
        }
    }
}
