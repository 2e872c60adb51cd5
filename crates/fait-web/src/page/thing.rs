//! `/things/{kind}/{id}`: all that is known of a thing, and what can be done with it.

use super::desk::{Desk, MOST};
use super::form::history;
use super::frame::{Page, path};
use super::inbox::{Named, due};
use super::story::{ids, timeline};
use super::subject::{Thing, facts};
use super::trouble::Trouble;
use super::words::{bare, moment, plain, sentence};
use crate::answer::Html;
use crate::request::{At, encode};
use fait::app::SendError;
use fait::process::Target;
use maud::{Markup, html};
use serde_json::{Value, json};

/// `GET /things/{kind}/{id}`
pub(super) async fn show(
    desk: Desk,
    At((kind, key)): At<(String, String)>,
) -> Result<Html, Trouble> {
    let thing = Thing::new(&kind, &key);
    let events = history(&desk, &thing).await?;
    let rows = rows(&desk, &thing).await?;
    if events.is_empty() && rows.is_empty() {
        let detail = format!("nothing has happened to {} `{key}`", plain(&kind));
        return Err(Trouble::not_found(detail));
    }
    let offers = offers(&desk, &thing).await?;
    let main = html! {
        div.card.thing {
            (path(&[("/inbox", "My tasks".into())], ""))
            h1 { (thing.name()) }
            div.columns {
                div.do {
                    div #state data-live {
                        (open(&desk, &thing).await?)
                        @for row in &rows { (row) }
                    }
                    div #offers data-live { (offers) }
                }
                section.happened aria-labelledby="happened" {
                    h2 #happened { "What has happened" }
                    div #story data-live {
                        (timeline(&desk, Some(&thing), &events))
                        (ids(&events, Some(&thing)))
                    }
                }
            }
        }
    };
    Ok(Page::new(&thing.name(), "").around(&desk, &main))
}

/// Its row in every view that is keyed by its kind.
async fn rows(desk: &Desk, thing: &Thing) -> Result<Vec<Markup>, Trouble> {
    let mut out = vec![];
    let views = desk.shared.manifest.views.iter();
    for (name, view) in views.filter(|(_, v)| v.key == thing.kind) {
        let Some(row) = desk.shared.app.view_row(name, &thing.key).await? else {
            continue;
        };
        out.push(html! {
            section {
                h2 { a href={ "/views/" (name) } { (plain(name)) } }
                dl.facts {
                    @for (question, answer) in facts(&view.row, &row.row) {
                        dt { (question) } dd { (answer) }
                    }
                }
                @if let Some(why) = &row.stale {
                    p.wrong { "It does not follow any more: " (sentence(why)) }
                }
            }
        });
    }
    Ok(out)
}

/// What is asked of anybody about it.
async fn open(desk: &Desk, thing: &Thing) -> Result<Markup, Trouble> {
    let mut items = vec![];
    for asked in &desk.shared.app.waiting(MOST)? {
        let named = Named::of(desk, asked).await?;
        if named.thing.as_ref() != Some(thing) {
            continue;
        }
        let issued = &asked.open.issued;
        let (to, mine) = match &issued.to {
            Target::Role(to) => (to.as_str(), desk.who.role.as_ref() == Some(to)),
            Target::System(to) => (to.as_str(), false),
            Target::Here => continue,
        };
        let words = html! {
            span.title { (named.title) }
            (due(issued.due, desk.now))
            span.more {
                @if mine { "asked of you" } @else { "with the " (to) }
                " since " (moment(asked.open.since, desk.now))
            }
        };
        items.push(html! {
            @if mine { a.task href={ "/tasks/" (issued.id) } { (words) } }
            @else { div.task.theirs { (words) } }
        });
    }
    Ok(html! {
        @if !items.is_empty() {
            section {
                h2 { "Waits for" }
                ul.tasks { @for item in &items { li { (item) } } }
            }
        }
    })
}

/// What the own role may do with it, and why not.
async fn offers(desk: &Desk, thing: &Thing) -> Result<Markup, Trouble> {
    let mut items = vec![];
    for (name, task) in desk.tasks() {
        let field = task
            .fields
            .iter()
            .find(|f| !f.fresh && f.kind() == Some(&thing.kind));
        let (Some(field), false) = (field, task.page.starts) else {
            continue;
        };
        let given = json!({ field.name.clone(): key_value(&field.schema, &thing.key) });
        let offered = desk.shared.app.offer(name, &given, &desk.actor()).await;
        items.push(match offered {
            Ok(()) => {
                let to = format!("/do/{name}?{}={}", encode(&field.name), encode(&thing.key));
                html! { a.button href=(to) { (task.title) } }
            }
            Err(SendError::Refused(refused)) => html! {
                span.refused { (task.title) " – not now: " (refused.message) }
            },
            Err(SendError::Store(e)) => return Err(e.into()),
            Err(e) => html! { span.refused { (task.title) " – cannot be told: " (e.to_string()) } },
        });
    }
    Ok(html! {
        @if !items.is_empty() {
            section {
                h2 { "You can" }
                ul.offers { @for item in &items { li { (item) } } }
            }
        }
    })
}

/// An id as JSON: a number where the field wants one.
fn key_value(schema: &Value, key: &str) -> Value {
    match (super::words::kind_of(&bare(schema)), key.parse::<u64>()) {
        ("integer", Ok(number)) => json!(number),
        _ => json!(key),
    }
}
