//! Messages that cannot be read, on `/bus`: what they are, and what can be done about them.

use crate::answer::Html;
use crate::page::desk::Desk;
use crate::page::start::goto;
use crate::page::trouble::{Trouble, Words, words};
use crate::page::words::{ago, count, sentence};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fait::app::{HearError, InletStatus, Mood, UnreadableMessage};
use fait::event::Time;
use maud::{Markup, html};

/// Most messages that are shown; the command line has all.
const SHOWN: usize = 50;

/// The messages that are kept, each with what an operator can do; and receivers that have stopped.
pub(super) fn kept(kept: &[UnreadableMessage], inlets: &[InletStatus], now: Time) -> Markup {
    html! {
        @for inlet in inlets {
            @if let Mood::Stopped { .. } = inlet.mood { (go_on(inlet)) }
        }
        @if !kept.is_empty() {
            h2 { "Messages that cannot be read" }
            p {
                "They are kept as they came. What has the same key waits behind them, all others "
                "go on. After a fix have them read again: in the order in which they came."
            }
            @for m in kept.iter().take(SHOWN) { (card(m, now)) }
            @if kept.len() > SHOWN {
                p { (count((kept.len() - SHOWN) as u64, "more message")) " are not shown." }
            }
        }
    }
}

fn card(m: &UnreadableMessage, now: Time) -> Markup {
    let id = m.message;
    let ty =
        m.ty.as_deref()
            .unwrap_or("a message of which nothing can be read");
    html! {
        div.card {
            h3 { (ty) @if let Some(key) = &m.key { " of “" (key) "”" } }
            p {
                "It came " (ago(m.since, now)) " to “" (m.receiver) "”, as "
                a href={ "/events/" (m.position) } { "event " (m.position) } ". "
                @match &m.reason {
                    Some(why) => { (sentence(why)) },
                    None => { "It waits behind one with the same key." }
                }
            }
            form method="post" action="/bus/heard" {
                input type="hidden" name="receiver" value=(m.receiver);
                input type="hidden" name="message" value=(id);
                div.field {
                    label for={ "why-" (id) } { "Why is it left out?" }
                    p.hint id={ "why-" (id) "-hint" } {
                        "Only if nothing is to become of it. It is recorded with your name."
                    }
                    input type="text" id={ "why-" (id) } name="reason" autocomplete="off"
                        aria-describedby={ "why-" (id) "-hint" };
                }
                p.buttons {
                    @if m.reason.is_some() {
                        button.primary type="submit" name="how" value="reread" { "Read it again" }
                        " "
                    }
                    button.second type="submit" name="how" value="leave-out" { "Leave it out" }
                }
            }
        }
    }
}

fn go_on(inlet: &InletStatus) -> Markup {
    let name = &inlet.receiver;
    html! {
        div.card {
            h2 { "Nothing is heard as “" (name) "” any more" }
            @if let Mood::Stopped { why, .. } = &inlet.mood { p { (sentence(why)) } }
            form method="post" action="/bus/heard" {
                input type="hidden" name="receiver" value=(name);
                p.buttons {
                    button.second type="submit" name="how" value="continue" {
                        "Hear what is there now, from its beginning"
                    }
                }
            }
        }
    }
}

/// `POST /bus/heard`
pub(in crate::page) async fn act(desk: Desk, form: Words) -> Result<Response, Trouble> {
    let form = words(form)?;
    let said = |name: &str| {
        let found = form.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, v)| v.trim())
    };
    let (app, by) = (&desk.shared.app, desk.actor());
    let (receiver, message) = (said("receiver"), said("message"));
    let done = match said("how") {
        "reread" => app.reread(receiver, Some(message)).await.map(drop),
        "leave-out" => match message.parse() {
            Ok(id) => app.skip_message(id, &by, said("reason")).await,
            Err(_) => Err(HearError::Later("say which message".into())),
        },
        "continue" => app.continue_hearing(receiver, None, &by).await,
        _ => Err(HearError::Later("say what is to be done".into())),
    };
    let (status, wrong) = match done {
        Ok(()) => return goto(&format!("/bus?done={}", said("how"))),
        Err(e @ HearError::Reason) => (StatusCode::BAD_REQUEST, e),
        Err(e) => (StatusCode::CONFLICT, e),
    };
    let page: Html = super::page(&desk, None, Some(&wrong.to_string())).await?;
    Ok((status, page).into_response())
}
