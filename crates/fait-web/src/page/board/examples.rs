//! The examples of the board: given, when, then.

use super::look::Look;
use fait_board::note::{Kind, Note, Target};
use maud::{Markup, html};

/// All examples, in the order of the file.
pub(super) fn all(look: Look<'_>) -> Markup {
    let examples = &look.sheet.board.examples;
    html! {
        section.stage.plain #examples data-live aria-label="Examples" {
            @if examples.is_empty() {
                p.empty { "The board has no example yet." }
            }
            ul.examples {
                @for (index, example) in examples.iter().enumerate() {
                    li.card {
                        h2 { (look.link(Target::Note(Kind::Example, index))) }
                        (said(look, &example.note))
                    }
                }
            }
        }
    }
}

/// What the text says of a note below its name.
pub(super) fn said(look: Look<'_>, note: &Note) -> Markup {
    let lines = look.sheet.lines(note);
    let own = look.sheet.source.lines().skip(*lines.start());
    let own = own.take(lines.end() - lines.start());
    let text: Vec<&str> = own
        .map(|line| line.strip_prefix("  ").unwrap_or(line))
        .collect();
    html! { pre.said { code { (text.join("\n").trim_end()) } } }
}
