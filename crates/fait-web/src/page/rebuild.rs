//! `/status/views/{name}`: how a view stands, what can be done to it, and what follows no more.

mod diff;
mod words;

pub(super) use diff::show as diff;
pub(super) use words::{bar, is_hurt, standing};

use super::desk::Desk;
use super::frame::{Page, path};
use super::outcome::outcome;
use super::start::goto;
use super::subject::Thing;
use super::trouble::{Params, Trouble, Words, words};
use super::words::{count, plain, sentence, short};
use crate::answer::{Html, Problem};
use crate::api::act_on;
use crate::request::{At, encode};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fait::app::{ParkedKey, RebuildState, RebuildStatus, ViewAction, ViewError, ViewStatus};
use fait::projection::Mode;
use maud::{Markup, html};
use words::{grouped, percent};

/// Parked keys on one page.
const KEYS: usize = 100;

/// The page of a view's keeping.
pub(super) fn address(view: &str) -> String {
    format!("/status/views/{}", encode(view))
}

/// What is asked before it is done.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sure {
    Switch,
    Cancel,
    RollBack,
    Forget,
}

impl Sure {
    fn read(word: &str) -> Option<Sure> {
        match word {
            "switch" => Some(Sure::Switch),
            "cancel" => Some(Sure::Cancel),
            "roll-back" => Some(Sure::RollBack),
            "forget" => Some(Sure::Forget),
            _ => None,
        }
    }
}

/// What came of what was done before.
#[derive(Default)]
struct Came<'a> {
    done: Option<&'a str>,
    wrong: Option<&'a str>,
    sure: Option<Sure>,
    after: Option<&'a str>,
}

/// `GET /status/views/{name}`
pub(super) async fn show(
    desk: Desk,
    At(name): At<String>,
    params: Params,
) -> Result<Html, Trouble> {
    let came = Came {
        done: params.text("done").and_then(done),
        sure: params.text("sure").and_then(Sure::read),
        after: params.text("after"),
        wrong: None,
    };
    page(&desk, &name, came).await
}

/// What is said when something was done.
fn done(action: &str) -> Option<&'static str> {
    Some(match action {
        "rebuild" => "It is rebuilt beside what serves, and takes its place when it has caught up.",
        "hold" => "It is rebuilt beside what serves, and waits when it has caught up.",
        "pause" => "The rebuild waits, also over a restart.",
        "resume" => "The rebuild goes on.",
        "cancel" => "The rebuild is thrown away.",
        "switch" => "What was rebuilt serves, or will as soon as it has caught up.",
        "roll-back" => "What served before serves again.",
        "forget" => "What was kept is gone, also from the file.",
        "well" => "What was tried again follows again.",
        "hurt" => "It was tried again, and could not be taken; the reasons are below.",
        _ => return None,
    })
}

async fn page(desk: &Desk, name: &str, came: Came<'_>) -> Result<Html, Trouble> {
    let app = &desk.shared.app;
    let s = app.view_status(name).await?;
    let parked = app.parked_keys(name, came.after, KEYS).await?;
    let title = plain(name);
    let main = html! {
        div.card {
            (path(&[("/status", "Status".into())], ""))
            h1 { (title) }
            (outcome(came.done, came.wrong))
            div #standing data-live { (how(&s)) }
            @match came.sure {
                Some(sure) => (confirm(&s, sure)),
                None => div #actions data-live { (actions(&s)) },
            }
        }
        @if came.sure.is_none() {
            div #parked data-live { (waiting(desk, &s, &parked, came.after)) }
        }
    };
    let page = Page::new(&title, "/status");
    let page = match came.sure {
        Some(_) => page.still(),
        None => page,
    };
    Ok(page.around(desk, &main))
}

/// How it stands: in words, and the numbers.
fn how(s: &ViewStatus) -> Markup {
    html! {
        @for (wrong, text) in standing(s) { p.lead[!wrong] .wrong[wrong] { (text) } }
        (bar(s))
        dl.facts {
            @if s.mode != Mode::Live {
                dt { "Serves" }
                dd { "generation " (s.generation) ", by version " (s.version) " of its code" }
            }
            dt { "Rows" } dd { a href={ "/views/" (encode(&s.name)) } { (grouped(s.rows)) } }
            dt { "Up to event" } dd { (grouped(s.position)) " of " (grouped(s.head)) }
            @if let Some(r) = &s.rebuild {
                dt { "Is made beside it" }
                dd { "generation " (r.generation) ", by version " (r.version)
                    ", up to event " (grouped(r.position)) " of " (grouped(r.until))
                    @if r.parked_keys > 0 {
                        ", with " (count(r.parked_keys, "key")) " that could not follow"
                    }
                }
            }
            @if let Some(kept) = &s.kept {
                dt { "Is kept" }
                dd { "generation " (kept.generation) ", by version " (kept.version)
                    ", up to event " (grouped(kept.position)) }
            }
        }
    }
}

/// What makes sense now.
fn actions(s: &ViewStatus) -> Markup {
    let here = address(&s.name);
    let button = |class: &str, act: &str, text: &str| {
        html! {
            button class=(class) id={ "do-" (act) } type="submit" name="do" value=(act) { (text) } " "
        }
    };
    let ask = |class: &str, sure: &str, text: &str| {
        html! { a class=(class) href={ (here) "?sure=" (sure) } { (text) } " " }
    };
    if s.mode == Mode::Live {
        return html! {};
    }
    html! {
        form method="post" action=(here) {
            p.buttons {
                @match s.rebuild.as_ref().map(|r| (r.state, r)) {
                    None => {
                        (button("second", "rebuild", "Rebuild it"))
                        (button("second", "hold", "Rebuild it, and compare before it serves"))
                        @if let Some(kept) = &s.kept {
                            (ask("button", "roll-back", &format!("Go back to generation {}", kept.generation)))
                            (ask("button", "forget", &format!("Forget generation {}", kept.generation)))
                        }
                    }
                    Some((RebuildState::Ready, _)) => {
                        a.primary href={ (here) "/diff" } { "Compare" } " "
                        (ask("button", "switch", "Let it serve"))
                        (ask("button", "cancel", "Throw it away"))
                    }
                    Some((RebuildState::Building, r)) => {
                        (button("second", "pause", "Let it wait"))
                        @if r.held { (ask("button", "switch", "Let it serve when it is ready")) }
                        (ask("button", "cancel", "Throw it away"))
                    }
                    Some((RebuildState::Paused, _)) => {
                        (button("primary", "resume", "Go on with it"))
                        (ask("button", "cancel", "Throw it away"))
                    }
                }
            }
        }
    }
}

fn confirm(s: &ViewStatus, sure: Sure) -> Markup {
    let (title, button, word) = match sure {
        Sure::Switch => ("Let what was rebuilt serve?", "Let it serve", "switch"),
        Sure::Cancel => ("Throw the rebuild away?", "Throw it away", "cancel"),
        Sure::RollBack => ("Go back to what served before?", "Go back", "roll-back"),
        Sure::Forget => ("Forget what served before?", "Forget it", "forget"),
    };
    let here = address(&s.name);
    html! {
        div #confirm tabindex="-1" data-focus {
            h2 { (title) }
            p { (consequence(s, sure)) }
            form method="post" action=(here) {
                input type="hidden" name="sure" value="yes";
                div.field {
                    label for="why" { "Why do you do it? " span.optional { "(need not be said)" } }
                    p.hint id="why-hint" {
                        "It goes to the program’s own log with your name. The history has nothing of this."
                    }
                    input type="text" id="why" name="reason" autocomplete="off"
                        aria-describedby="why-hint";
                }
                p.buttons {
                    button.primary type="submit" name="do" value=(word) { (button) }
                    " " a.button href=(here) { "Leave it as it is" }
                }
            }
        }
    }
}

/// What comes of it, before it is done.
fn consequence(s: &ViewStatus, sure: Sure) -> String {
    match (sure, &s.rebuild, &s.kept) {
        (Sure::Switch, Some(r), _) => {
            let hurt = match r.parked_keys {
                0 => String::new(),
                n => format!(
                    " {} could not follow in it, and {} so.",
                    count(n, "key"),
                    if n == 1 {
                        "its row says"
                    } else {
                        "their rows say"
                    }
                ),
            };
            format!(
                "Whoever reads the view sees the rows of generation {} from then on.{hurt} What serves \
                 now is kept, so that you can go back.",
                r.generation
            )
        }
        (Sure::Cancel, Some(r), _) => format!(
            "What was made so far, {} of it, is lost. What serves goes on as it is.",
            percent(r)
        ),
        (Sure::RollBack, None, Some(kept)) if kept.follows => format!(
            "Generation {} serves again. It stopped at event {}, and takes what it has missed. What \
             serves now is kept.",
            kept.generation, kept.position
        ),
        (Sure::RollBack, None, Some(kept)) => format!(
            "Generation {} serves again as it was at event {}: this program does not have version {} \
             of its code, so that it does not follow, and each of its rows says so. What serves \
             now is kept.",
            kept.generation, kept.position, kept.version
        ),
        (Sure::Forget, _, Some(kept)) => format!(
            "The rows of generation {} are written over in the file, and nobody can go back to \
             them. That is for what was erased from the history after they were made.",
            kept.generation
        ),
        _ => "As things are now, there is nothing that this could be done to.".into(),
    }
}

/// Keys that follow no more, and events that could not be read.
fn waiting(desk: &Desk, s: &ViewStatus, parked: &[ParkedKey], after: Option<&str>) -> Markup {
    let here = address(&s.name);
    let kind = desk.view(&s.name).map_or("", |v| v.key.as_str());
    let more = parked.len() == KEYS && s.parked_keys > KEYS as u64;
    let next = parked.last().filter(|_| more);
    let follows = s.frozen.is_none();
    html! {
        @if !s.unplaced.is_empty() {
            h2 { "Events that could not be read" }
            p { "They may be about any row, so that each row says that it may lack them." }
            ul.list { @for u in &s.unplaced {
                li { a href={ "/events/" (u.position) } { "Event " (grouped(u.position)) } ": "
                    (sentence(&u.reason)) }
            } }
        }
        @if s.parked_keys > 0 || !s.unplaced.is_empty() {
            h2 { "What follows no more" }
            p { (count(s.parked_keys, "key")) @if s.parked_keys == 1 { " waits" } @else { " wait" }
                " because of an event that could not be taken"
                @if follows { "; all others go on." }
                @else { ". The view itself does not follow, so that nothing can be tried again." }
            }
            @if follows {
                form method="post" action=(here) { p.buttons {
                    button.primary id="retry-all" type="submit" name="do" value="retry" {
                        "Try all again"
                    }
                } }
            }
        }
        @if !parked.is_empty() {
            div.wide tabindex="0" role="region" aria-label="Keys that follow no more" {
                table {
                    thead { tr {
                        th scope="col" { (plain(kind)) } th scope="col" { "Since" }
                        th scope="col" { "Why" }
                        @if follows { th scope="col" { "What can be done" } }
                    } }
                    tbody { @for one in parked {
                        @let thing = Thing::new(kind, &one.key);
                        tr {
                            td.words {
                                a href=(thing.address()) title=(one.key) { (short(&one.key)) }
                            }
                            td.whole { a href={ "/events/" (one.position) } {
                                "event " (grouped(one.position))
                            } }
                            td.many { (sentence(&one.reason)) }
                            @if follows { td { form method="post" action=(here) {
                                input type="hidden" name="key" value=(one.key);
                                button.second id={ "retry-" (encode(&one.key)) } type="submit" name="do"
                                    value="retry-one" aria-label={ "Try " (short(&one.key)) " again" } {
                                    "Try again"
                                }
                            } } }
                        }
                    } }
                }
            }
        }
        @if after.is_some() || next.is_some() {
            p.pages {
                @if after.is_some() { a.button href=(here) { "From the start" } }
                @if let Some(next) = next {
                    a.button href={ (here) "?after=" (encode(&next.key)) } { "Further" }
                }
            }
        }
    }
}

/// `POST /status/views/{name}`
pub(super) async fn act(
    desk: Desk,
    At(name): At<String>,
    form: Words,
) -> Result<Response, Trouble> {
    let form = words(form)?;
    let said = |name: &str| {
        let mut all = form.iter().filter(|(n, _)| n == name);
        all.next().map_or("", |(_, v)| v.trim())
    };
    let word = said("do");
    let action = match word {
        "rebuild" => ViewAction::Rebuild { hold: false },
        "hold" => ViewAction::Rebuild { hold: true },
        "pause" => ViewAction::Pause,
        "resume" => ViewAction::Resume,
        "cancel" => ViewAction::Cancel,
        "switch" => ViewAction::Switch,
        "roll-back" => ViewAction::RollBack,
        "forget" => ViewAction::Forget,
        "retry" => ViewAction::Retry { key: None },
        "retry-one" => ViewAction::Retry {
            key: Some(said("key").into()),
        },
        _ => return Err(Trouble::malformed("say what is to be done")),
    };
    if let (Some(_), "") = (Sure::read(word), said("sure")) {
        return goto(&format!("{}?sure={word}", address(&name)));
    }
    let by = desk.actor();
    match act_on(&desk.shared, &name, action, (&by, said("reason"))).await {
        Ok(done) => {
            let word = match word {
                "retry" | "retry-one" if done.well < done.retried => "hurt",
                "retry" | "retry-one" => "well",
                word => word,
            };
            goto(&format!("{}?done={word}", address(&name)))
        }
        Err(ViewError::NotNow(why)) => {
            let came = Came {
                wrong: Some(&why),
                ..Came::default()
            };
            let page = page(&desk, &name, came).await?;
            Ok((StatusCode::CONFLICT, page).into_response())
        }
        Err(e) => Err(Problem::from(e).into()),
    }
}

/// Whether there is something to be compared.
fn ready(s: &ViewStatus) -> Option<&RebuildStatus> {
    let r = s.rebuild.as_ref();
    r.filter(|r| r.state == RebuildState::Ready)
}
