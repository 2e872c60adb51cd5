//! A task that is asked (`/tasks/{ask}`) or that one does unasked (`/do/{Command}`).

use super::desk::Desk;
use super::field::{Typed, typed};
use super::form::Form;
use super::frame::{Page, path};
use super::inbox::Named;
use super::start::goto;
use super::subject::{Thing, about, row};
use super::trouble::{Params, Trouble, Words, uuid, words};
use super::words::{person, sentence};
use crate::answer::Html;
use crate::request::At;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fait::app::{Asked, ClaimError, SendError};
use fait::command::FieldDef;
use fait::event::{StoredEvent, minutes};
use fait::manifest::CommandEntry;
use fait::process::{Fact, Issued, Target, command_tag, types};
use fait::query::{Query, QueryItem};
use fait::store::Range;
use maud::html;
use uuid::Uuid;

/// How long somebody has a task who takes it.
const CLAIM_MINUTES: u64 = 15;

/// `GET /tasks/{ask}`
pub(super) async fn asked(desk: Desk, At(ask): At<String>) -> Result<Response, Trouble> {
    let ask = uuid(&ask)?;
    if desk.who.role.is_none() {
        return goto("/");
    }
    let open = desk.shared.app.asked(ask)?;
    let still = desk.shared.app.is_asked(ask).await;
    let asked = match (open, still) {
        (Some(asked), Ok(())) => asked,
        (_, Err(SendError::NotAsked(why))) => return closed(&desk, ask, &why).await,
        (_, Err(e)) => return Err(e.into()),
        (None, Ok(())) => {
            let why = "it is asked, but the list is catching up; load the page again";
            return Err(Trouble::unavailable(why));
        }
    };
    let name = asked.open.issued.name.clone();
    let task = desk.task(&name)?;
    if let Some(page) = not_mine(&desk, task, Some(&asked))? {
        return Ok(page);
    }
    let mut given = Typed::default();
    let mut names = vec![];
    for f in &task.fields {
        let value = &asked.open.issued.body[&f.name];
        if !value.is_null() {
            given.texts.insert(f.name.clone(), typed(value));
            names.push(f.name.clone());
        }
    }
    let thing = about(&desk, task, &asked.open.issued.body);
    names.extend(seen_ids(&desk, task, thing.as_ref(), &mut given).await?);
    let form = Form {
        name: &name,
        task,
        asked: Some(&asked),
        thing,
        given: names,
        typed: given,
        id: Uuid::new_v4(),
        seen: desk.shared.app.head().await?,
        trouble: None,
    };
    Ok(kept(form.page(&desk).await?))
}

/// `GET /do/{Command}`
pub(super) async fn unasked(
    desk: Desk,
    At(name): At<String>,
    params: Params,
) -> Result<Response, Trouble> {
    if desk.who.role.is_none() {
        return goto("/");
    }
    let task = desk.task(&name)?;
    if let Some(page) = not_mine(&desk, task, None)? {
        return Ok(page);
    }
    let mut typed = Typed::default();
    for (field, text) in params.0 {
        if task.fields.iter().any(|f| f.name == field) {
            typed.texts.insert(field, text);
        }
    }
    let is_given = |f: &&FieldDef| f.kind().is_some() && !typed.text(&f.name).is_empty();
    let mut given: Vec<String> = task
        .fields
        .iter()
        .filter(is_given)
        .map(|f| f.name.clone())
        .collect();
    for f in task.fields.iter().filter(|f| f.fresh) {
        typed
            .texts
            .insert(f.name.clone(), Uuid::new_v4().to_string());
    }
    let body = typed.clone().body(&task.fields);
    let thing = about(&desk, task, &body);
    given.extend(seen_ids(&desk, task, thing.as_ref(), &mut typed).await?);
    let form = Form {
        name: &name,
        task,
        asked: None,
        thing,
        given,
        typed,
        id: Uuid::new_v4(),
        seen: desk.shared.app.head().await?,
        trouble: None,
    };
    Ok(kept(form.page(&desk).await?))
}

/// Fills in the other things that the row of the task's view names, so that nobody has to type an
/// id that stands there. Gives their fields.
async fn seen_ids(
    desk: &Desk,
    task: &CommandEntry,
    thing: Option<&Thing>,
    typed: &mut Typed,
) -> Result<Vec<String>, Trouble> {
    let Some(row) = row(desk, task, thing).await? else {
        return Ok(vec![]);
    };
    let mut names = vec![];
    for field in task
        .fields
        .iter()
        .filter(|f| f.kind().is_some() && !f.fresh)
    {
        let seen = super::desk::id_text(&row[&field.name]);
        if let (Some(seen), "") = (seen, typed.text(&field.name)) {
            typed.texts.insert(field.name.clone(), seen);
            names.push(field.name.clone());
        }
    }
    Ok(names)
}

/// A form that browsers keep for the way back: sent again it is the same command.
fn kept(page: Html) -> Response {
    let mut response = page.into_response();
    let keep = HeaderValue::from_static("private, max-age=0");
    response.headers_mut().insert(header::CACHE_CONTROL, keep);
    response
}

/// The page for somebody whose task it is not.
pub(super) fn not_mine(
    desk: &Desk,
    task: &CommandEntry,
    asked: Option<&Asked>,
) -> Result<Option<Response>, Trouble> {
    let role = desk.who.role.clone().unwrap_or_default();
    let to = asked.and_then(|a| match &a.open.issued.to {
        Target::Role(to) => Some(to.clone()),
        _ => None,
    });
    if task.page.by.contains(&role) || to.as_deref() == Some(role.as_str()) {
        return Ok(None);
    }
    let whose = to.unwrap_or_else(|| task.page.by.join(" or "));
    let whose = match (&task.page.to, whose.as_str()) {
        (Some(system), "") => system.clone(),
        (None, "") => "a process".into(),
        (_, roles) => roles.to_string(),
    };
    let main = html! {
        div.card {
            (path(&[("/inbox", "My tasks".into())], ""))
            h1 { (task.title) }
            p { "This is done by " (whose) "; you are here as " (role) "." }
            p { a.button href="/" { "Change who you are" } }
        }
    };
    let page = Page::new(&task.title, "").around(desk, &main);
    Ok(Some((StatusCode::FORBIDDEN, page).into_response()))
}

/// What became of a task that is not open any more.
async fn closed(desk: &Desk, ask: Uuid, why: &str) -> Result<Response, Trouble> {
    let Some(issued) = was_issued(desk, ask).await? else {
        return Err(Trouble::not_found(sentence(why)));
    };
    let task = desk.task(&issued.name)?;
    let thing = about(desk, task, &issued.body);
    let newer = same(desk, &issued.name, |a| {
        about(desk, task, &a.open.issued.body) == thing
    });
    let newer = match newer {
        Some(asked) => Some((asked.open.issued.id, Named::of(desk, asked).await?.title)),
        None => None,
    };
    let gone = format!(
        "{} Nothing is left to do here.",
        sentence(&readable(desk, why))
    );
    let main = html! {
        div.card {
            (path(&[("/inbox", "My tasks".into())], ""))
            h1 { (task.title) }
            div #notice data-live data-say=(gone) { p.notice { (gone) } }
            @if let Some((id, title)) = newer {
                p { "You were asked again: " a href={ "/tasks/" (id) } { (title) } }
            }
            @if let Some(thing) = &thing {
                p { a href=(thing.address()) { "What happened to " (thing.name()) } }
            }
            p { a.button href="/inbox" { "My tasks" } }
        }
    };
    let page = Page::new(&task.title, "").around(desk, &main);
    Ok((StatusCode::GONE, page).into_response())
}

/// Actors and times of a sentence as people say them.
pub(super) fn readable(desk: &Desk, why: &str) -> String {
    let words = why.split(' ').map(|word| {
        let clean = word.trim_end_matches(['.', ',', ':']);
        let end = &word[clean.len()..];
        if let Ok(time) = clean.parse() {
            return format!("{}{end}", super::words::hour(time, desk.now));
        }
        match clean.split_once(':') {
            Some((role, _)) if desk.shared.role(role).is_some() || role == "process" => {
                format!("{}{end}", person(clean))
            }
            _ => word.to_string(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// An open ask of the own role for the same command about the same.
pub(super) fn same<'a>(
    desk: &'a Desk,
    name: &str,
    fits: impl Fn(&Asked) -> bool,
) -> Option<&'a Asked> {
    let mut open = desk.asked.iter().rev();
    open.find(|a| a.open.issued.name == name && fits(a))
}

/// What was asked under an id, open or not.
pub(super) async fn was_issued(desk: &Desk, ask: Uuid) -> Result<Option<Issued>, Trouble> {
    let kinds = [types::STEPPED, types::OPERATED];
    let query = Query::default().or(QueryItem::of(&kinds, vec![command_tag(ask)]));
    let slice = desk.shared.app.events(&query, Range::after(0, 1)).await?;
    let of = |e: &StoredEvent| {
        let fact = Fact::read(e).ok().flatten()?;
        fact.issued().iter().find(|i| i.id == ask).cloned()
    };
    Ok(slice.events.first().and_then(of))
}

/// `POST /tasks/{ask}/claim`
pub(super) async fn claim(desk: Desk, At(ask): At<String>) -> Result<Response, Trouble> {
    let ask = uuid(&ask)?;
    if desk.who.role.is_none() {
        return goto("/");
    }
    let claimed = desk
        .shared
        .app
        .claim(ask, &desk.actor(), minutes(CLAIM_MINUTES))
        .await;
    match claimed {
        Ok(_) => goto(&format!("/tasks/{ask}")),
        Err(ClaimError::Send(SendError::NotAsked(why))) => closed(&desk, ask, &why).await,
        Err(e) => Err(e.into()),
    }
}

/// `POST /tasks/{ask}/hand-back`
pub(super) async fn hand_back(desk: Desk, At(ask): At<String>) -> Result<Response, Trouble> {
    let ask = uuid(&ask)?;
    if desk.who.role.is_none() {
        return goto("/");
    }
    match desk.shared.app.hand_back(ask, &desk.actor()).await {
        Ok(()) => goto(&format!("/tasks/{ask}")),
        Err(ClaimError::Send(SendError::NotAsked(why))) => closed(&desk, ask, &why).await,
        Err(e) => Err(e.into()),
    }
}

/// `POST /tasks/{ask}/decline`
pub(super) async fn decline(
    desk: Desk,
    At(ask): At<String>,
    form: Words,
) -> Result<Response, Trouble> {
    let (ask, form) = (uuid(&ask)?, words(form)?);
    if desk.who.role.is_none() {
        return goto("/");
    }
    let asked = desk.shared.app.asked(ask)?;
    if let Some(asked) = &asked {
        let task = desk.task(&asked.open.issued.name)?;
        if let Some(page) = not_mine(&desk, task, Some(asked))? {
            return Ok(page);
        }
    }
    let reason = form.iter().find(|(n, _)| n == "reason");
    let reason = reason.map_or("", |(_, v)| v.as_str());
    match desk.shared.app.decline(ask, &desk.actor(), reason).await {
        Ok(()) => goto(&format!("/tasks/{ask}")),
        Err(ClaimError::Send(SendError::NotAsked(why))) => closed(&desk, ask, &why).await,
        Err(e) => Err(e.into()),
    }
}
