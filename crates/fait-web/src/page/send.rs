//! `POST /do/{Command}`: the form is read, decided, and answered with a receipt or a reason.

use super::desk::Desk;
use super::field::Typed;
use super::form::{Form, trouble};
use super::start::goto;
use super::story::timeline;
use super::subject::about;
use super::task::{not_mine, readable, same, was_issued};
use super::trouble::{Trouble, Words, words};
use crate::request::At;
use crate::seen::LED;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fait::app::{Asked, Envelope, Receipt, SendError};
use fait::event::StoredEvent;
use fait::manifest::CommandEntry;
use fait::query::Query;
use fait::store::Range;
use maud::{Markup, html};
use serde_json::Value;
use uuid::Uuid;

/// Events since the form was opened that are told.
const CHANGES: usize = 5;

/// A form as it came in.
struct Sent {
    id: Uuid,
    asked: Option<Uuid>,
    seen: u64,
    given: Vec<String>,
    typed: Typed,
}

impl Sent {
    fn read(task: &CommandEntry, words: Vec<(String, String)>) -> Result<Sent, Trouble> {
        let mut sent = Sent {
            id: Uuid::new_v4(),
            asked: None,
            seen: 0,
            given: vec![],
            typed: Typed::default(),
        };
        let id = |text: &str| {
            let wrong = |_| Trouble::malformed("the form was changed: its id is no UUID");
            text.parse::<Uuid>().map_err(wrong)
        };
        for (name, text) in words {
            match name.as_str() {
                "_id" => sent.id = id(&text)?,
                "_asked" => sent.asked = Some(id(&text)?),
                "_seen" => sent.seen = text.parse().unwrap_or_default(),
                "_given" => sent.given.push(text),
                _ if task.fields.iter().any(|f| f.name == name) => {
                    sent.typed.texts.insert(name, text);
                }
                _ => {
                    let detail = format!("`{name}` is no field of this task; open its page again");
                    return Err(Trouble::malformed(detail));
                }
            }
        }
        Ok(sent)
    }
}

/// `POST /do/{Command}`
pub(super) async fn send(
    desk: Desk,
    At(name): At<String>,
    form: Words,
) -> Result<Response, Trouble> {
    let words = words(form)?;
    if desk.who.role.is_none() {
        return goto("/");
    }
    let task = desk.task(&name)?;
    let mut sent = Sent::read(task, words)?;
    let asked = match sent.asked {
        Some(ask) => desk
            .shared
            .app
            .asked(ask)?
            .filter(|a| a.open.issued.name == name),
        None => None,
    };
    if let Some(page) = not_mine(&desk, task, asked.as_ref())? {
        // Whoever was asked before may still hear what became of it.
        let was = match sent.asked {
            Some(ask) => was_issued(&desk, ask).await?,
            None => None,
        };
        if was.is_none_or(|i| i.name != name) {
            return Ok(page);
        }
    }
    let body = sent.typed.body(&task.fields);
    let thing = about(&desk, task, &body);
    if !sent.typed.wrong.is_empty() {
        return refused(&desk, &name, task, sent, &body, None, asked.as_ref()).await;
    }
    let newer = same(&desk, &name, |a| {
        about(&desk, task, &a.open.issued.body) == thing
    });
    let newer = newer.map(|a| a.open.issued.id);
    let first = if sent.asked.is_some() {
        sent.asked
    } else {
        newer
    };
    let mut result = decide(&desk, &name, &body, &sent, first).await;
    if matches!(result, Err(SendError::NotAsked(_))) && first.is_some() {
        // Asked again meanwhile, or not any more: it is decided on how things are now.
        let next = newer.filter(|n| Some(*n) != first);
        result = decide(&desk, &name, &body, &sent, next).await;
    }
    match result {
        Ok(receipt) => done(&name, &receipt, first),
        Err(e) => failed(&desk, &name, task, sent, &body, e, asked.as_ref()).await,
    }
}

async fn decide(
    desk: &Desk,
    name: &str,
    body: &Value,
    sent: &Sent,
    answering: Option<Uuid>,
) -> Result<Receipt, SendError> {
    let envelope = Envelope {
        id: Some(sent.id),
        actor: Some(desk.actor()),
        answering,
        ..Envelope::default()
    };
    desk.shared
        .app
        .send_json(name, body.clone(), envelope)
        .await
}

fn done(name: &str, receipt: &Receipt, was: Option<Uuid>) -> Result<Response, Trouble> {
    let mut to = format!(
        "/inbox?done={}&{LED}={}&did={name}",
        receipt.command,
        receipt.token()
    );
    if let Some(was) = was {
        to.push_str(&format!("&was={was}"));
    }
    if receipt.repeated {
        to.push_str("&again=true");
    }
    goto(&to)
}

async fn failed(
    desk: &Desk,
    name: &str,
    task: &CommandEntry,
    mut sent: Sent,
    body: &Value,
    error: SendError,
    asked: Option<&Asked>,
) -> Result<Response, Trouble> {
    let why = match error {
        SendError::Refused(refused) => refused.message,
        SendError::NotAsked(why) => readable(desk, &why),
        SendError::Reused(_) => "this form was sent before with other words, and that was \
            recorded; what you changed since was not. Open the task again to change it"
            .into(),
        SendError::Conflict => "others were faster, again and again; send it once more".into(),
        SendError::Input(e) => match e.field {
            Some(field) => {
                sent.typed
                    .wrong
                    .insert(field, super::words::sentence(&e.message));
                return refused(desk, name, task, sent, body, None, asked).await;
            }
            None => e.message,
        },
        other => return Err(other.into()),
    };
    refused(desk, name, task, sent, body, Some(&why), asked).await
}

/// The form again with what was typed, the reason on top, and what changed meanwhile.
async fn refused(
    desk: &Desk,
    name: &str,
    task: &CommandEntry,
    sent: Sent,
    body: &Value,
    why: Option<&str>,
    asked: Option<&Asked>,
) -> Result<Response, Trouble> {
    let thing = about(desk, task, body);
    let changed = match &thing {
        Some(thing) if why.is_some() => {
            let range = Range {
                after: sent.seen,
                ..Range::newest(CHANGES)
            };
            let query = Query::tags(vec![thing.tag()]);
            let slice = desk.shared.app.events(&query, range).await?;
            let own = slice.events.into_iter().filter(|e| !e.ty.starts_with('$'));
            changes(desk, thing, &own.collect::<Vec<_>>())
        }
        _ => html! {},
    };
    let trouble = trouble(task, &sent.typed, why, &changed);
    let form = Form {
        name,
        task,
        asked,
        given: sent.given,
        typed: sent.typed,
        id: sent.id,
        seen: sent.seen,
        trouble: Some(trouble),
        thing,
    };
    let status = if why.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::BAD_REQUEST
    };
    Ok((status, form.page(desk).await?).into_response())
}

fn changes(desk: &Desk, thing: &super::subject::Thing, events: &[StoredEvent]) -> Markup {
    html! {
        @if !events.is_empty() {
            p { "Since you opened this page:" }
            (timeline(desk, Some(thing), events))
        }
    }
}
