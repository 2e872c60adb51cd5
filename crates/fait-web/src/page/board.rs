//! `/board`: the board that the system was built from, with how often everything happened.

use super::desk::Desk;
use super::frame::Page;
use super::trouble::{Params, Trouble};
use super::words::sentence;
use crate::answer::Html;
use fait::query::Query;
use fait::store::Range;
use fait_board::outline::Entry;
use fait_board::{DrawOptions, draw, outline};
use maud::{Markup, PreEscaped, html};
use std::collections::BTreeMap;

/// Events that are counted; in a longer history nothing is counted.
const COUNTED: u64 = 20_000;

/// Events read at once.
const PAGE: usize = 1000;

/// `GET /board`
pub(super) async fn show(desk: Desk, params: Params) -> Result<Html, Trouble> {
    let Some(drawn) = desk.shared.board.clone() else {
        return Err(Trouble::not_found("this system shows no board"));
    };
    let as_text = params.text("show") == Some("text");
    let main = if as_text {
        html! {
            h1 { "The board as text" }
            p.pages { a.button href="/board" { "The picture" } }
            pre tabindex="0" { code { (drawn.source) } }
        }
    } else {
        let counts = counts(&desk).await?;
        let counted = !counts.is_empty();
        let options = DrawOptions {
            embed_style: false,
            counts,
            ..DrawOptions::default()
        };
        html! {
            h1 { "Board" }
            p.lead { "What the system was built from."
                @if counted { " The numbers say how often it happened." } }
            @for problem in &drawn.problems { p.wrong { (sentence(problem)) } }
            div.pages {
                span data-zoom-bar hidden {
                    button.second type="button" data-zoom="1.25" { "Larger" } " "
                    button.second type="button" data-zoom="0.8" { "Smaller" } " "
                    button.second type="button" data-zoom="one" { "Full size" } " "
                    button.second type="button" data-zoom="fit" { "Whole width" }
                }
                a.button href="/board?show=text" { "The text" }
            }
            // Markup made by the board's own drawing, which escapes what the board says.
            div.board data-board tabindex="0" role="region" aria-label="Picture of the board" {
                (PreEscaped(draw(&drawn.board, &options)))
            }
            details.outline #outline {
                summary { "The board in words" }
                @for section in outline(&drawn.board) {
                    h2 { (section.heading) }
                    (entries(&section.entries))
                }
            }
        }
    };
    let page = Page::new("Board", "/board").styled("board").still();
    Ok(page.around(&desk, &main))
}

fn entries(all: &[Entry]) -> Markup {
    html! {
        @if !all.is_empty() {
            ul { @for entry in all { li { (entry.text) (entries(&entry.entries)) } } }
        }
    }
}

/// How often each event happened; nothing when the history is long.
async fn counts(desk: &Desk) -> Result<BTreeMap<String, u64>, Trouble> {
    let app = &desk.shared.app;
    let mut counts = BTreeMap::new();
    if app.head().await? > COUNTED {
        return Ok(counts);
    }
    let names: Vec<&String> = desk.shared.manifest.events.keys().collect();
    let (query, mut after) = (Query::types(&names), 0);
    loop {
        let slice = app.events(&query, Range::after(after, PAGE)).await?;
        for event in &slice.events {
            *counts.entry(event.ty.clone()).or_default() += 1;
        }
        match slice.events.last() {
            Some(last) if slice.events.len() == PAGE => after = last.meta.position,
            _ => return Ok(counts),
        }
    }
}
