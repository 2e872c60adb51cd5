//! The words of the business: what each is, and where it is used.

use super::look::Look;
use fait_board::note::{Kind, Target};
use fait_board::ties::How;
use maud::{Markup, html};

/// Where words are used: the title of the column, and by which ties.
const COLUMNS: [(&str, &[How]); 4] = [
    ("Asked by", &[How::Asks]),
    ("Worked out by", &[How::WorksOut]),
    ("Recorded by", &[How::Records]),
    ("Shown in", &[How::Shows]),
];

/// All words, in the order of the file.
pub(super) fn words(look: Look<'_>) -> Markup {
    let all = &look.sheet.board.words;
    html! {
        section.stage.plain #words data-live aria-label="Words" {
            @if all.is_empty() {
                p.empty { "The board explains no word yet. A word is one line: "
                    code { "word total is money" } }
            } @else {
                div.wide tabindex="0" role="region" aria-label="Words" {
                    table {
                        thead { tr {
                            th scope="col" { "Word" } th scope="col" { "What it is" }
                            @for (title, _) in COLUMNS { th scope="col" { (title) } }
                        } }
                        tbody { @for index in 0..all.len() { (row(look, index)) } }
                    }
                }
            }
        }
    }
}

fn row(look: Look<'_>, index: usize) -> Markup {
    let target = Target::Note(Kind::Word, index);
    let word = look.sheet.board.words.get(index);
    let is = word.and_then(|word| word.is.as_ref());
    html! {
        tr {
            td.whole { (look.link(target)) }
            td.words { @if let Some(is) = is { (is) } @else { "–" } }
            @for (_, hows) in COLUMNS { td.words { (users(look, target, hows)) } }
        }
    }
}

fn users(look: Look<'_>, word: Target, hows: &[How]) -> Markup {
    let ties = look.sheet.ties.to(word);
    let users: Vec<Target> = ties
        .filter(|tie| hows.contains(&tie.how))
        .map(|tie| tie.from)
        .collect();
    html! {
        @if users.is_empty() { "–" }
        @for (at, user) in users.into_iter().enumerate() {
            @if at > 0 { ", " }
            (look.link(user))
        }
    }
}
