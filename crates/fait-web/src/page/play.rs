//! `/play`: a board that is played: let time pass, save what happened as an example.

use super::desk::Desk;
use super::frame::Page;
use super::start::goto;
use super::subject::Thing;
use super::trouble::{Params, Trouble, Words, words};
use super::words::{count, sentence};
use crate::answer::Html;
use crate::request::encode;
use axum::response::Response;
use fait::board::play::Playing;
use fait::event::Tag;
use maud::{Markup, html};

/// Times that are offered with one click.
const TIMES: [&str; 5] = ["1 minute", "30 minutes", "1 hour", "1 day", "1 week"];

fn playing(desk: &Desk) -> Result<Playing, Trouble> {
    let playing = desk.shared.playing.clone();
    playing.ok_or_else(|| Trouble::not_found("this system plays no board"))
}

/// `GET /play`
pub(super) async fn show(desk: Desk, params: Params) -> Result<Html, Trouble> {
    let playing = playing(&desk)?;
    let things = playing.things().await?;
    let forgotten = playing.forgotten().await?;
    let said = html! {
        @if let Some(time) = params.text("passed") { p.note role="status" { (time) " passed." } }
        @if let Some(name) = params.text("saved") {
            p.note role="status" { "The example “" (name) "” stands on the board now." }
        }
        @if let Some(why) = params.text("wrong") {
            div.errors #errors role="alert" tabindex="-1" data-focus {
                h2 { "It was not done" } p { (sentence(why)) }
            }
        }
    };
    let main = html! {
        h1 { "Play" }
        p.lead { "This system is the board itself. Every role of it can be yours, in as many "
            "windows as you like." }
        (said)
        (notes(playing.play().left_out(), &forgotten))
        section {
            h2 { "Let time pass" }
            p.hint { "Deadlines that come meanwhile are reached one after the other." }
            form #pass method="post" action="/play/pass" {
                p.buttons {
                    @for time in TIMES {
                        button.second type="submit" name="quick" value=(time) { (time) } " "
                    }
                }
                div.field {
                    label for="time" { "Another time" }
                    p.hint #time-hint { "Such as 45 minutes, 3 hours or 2 days." }
                    input #time type="text" name="time" autocomplete="off"
                        aria-describedby="time-hint";
                }
                p.buttons { button.second type="submit" { "Let it pass" } }
            }
        }
        (example(&things))
    };
    Ok(Page::new("Play", "/play").still().around(&desk, &main))
}

fn notes(left_out: &[String], forgotten: &[String]) -> Markup {
    html! {
        @if !left_out.is_empty() || !forgotten.is_empty() {
            div.note {
                @for line in left_out { p { (sentence(line)) } }
                @if !forgotten.is_empty() {
                    p { (count(forgotten.len() as u64, "event")) " of what was played "
                        @if forgotten.len() == 1 { "is" } @else { "are" }
                        " on the board no more: " (forgotten.join(", "))
                        ". They are kept, and nothing hears them." }
                }
            }
        }
    }
}

fn example(things: &[Tag]) -> Markup {
    let name = |tag: &Tag| Thing::new(tag.kind(), tag.value()).name();
    html! {
        section {
            h2 { "Save what happened as an example" }
            p.hint { "The last thing that was done, or the last time that was over, becomes an "
                "example on the board: what had happened before is given." }
            @if things.is_empty() { p.empty { "Nothing was played yet." } }
            @else {
                form #example method="post" action="/play/example" {
                    div.field {
                        label for="thing" { "Of what?" }
                        select #thing name="thing" {
                            @for tag in things {
                                option value=(tag.as_str()) { (name(tag)) }
                            }
                        }
                    }
                    div.field {
                        label for="example-name" { "What is it an example of?" span.optional { " (optional)" } }
                        input #example-name type="text" name="name" autocomplete="off";
                    }
                    p.buttons { button.primary type="submit" { "Save what happened as an example" } }
                }
            }
        }
    }
}

/// `POST /play/pass`
pub(super) async fn pass(desk: Desk, form: Words) -> Result<Response, Trouble> {
    let (playing, form) = (playing(&desk)?, words(form)?);
    let said = |name: &str| {
        form.iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    };
    let time = said("quick").or_else(|| said("time")).unwrap_or_default();
    match playing.let_pass(time).await {
        Ok(_) => goto(&format!("/play?passed={}", encode(time))),
        Err(why) => goto(&format!("/play?wrong={}", encode(&why))),
    }
}

/// `POST /play/example`
pub(super) async fn save(desk: Desk, form: Words) -> Result<Response, Trouble> {
    let (playing, form) = (playing(&desk)?, words(form)?);
    let said = |name: &str| {
        let found = form.iter().find(|(n, _)| n == name);
        found.map(|(_, v)| v.trim()).filter(|v| !v.is_empty())
    };
    let thing = said("thing").map(Tag::raw);
    match playing.save(thing.as_ref(), said("name")).await {
        Ok(saved) => goto(&format!("/play?saved={}", encode(&saved.name))),
        Err(why) => goto(&format!("/play?wrong={}", encode(&why))),
    }
}
