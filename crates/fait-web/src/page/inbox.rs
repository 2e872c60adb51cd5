//! `/inbox`: what is asked of a role, what it waits for, what it can do besides.

use super::desk::{Desk, MOST};
use super::frame::{Page, how_many};
use super::receipt;
use super::start::goto;
use super::subject::{about, in_short, row, title};
use super::trouble::Params;
use super::trouble::Trouble;
use super::words::{ago, hour, lasting, moment, person, plain, times};
use axum::response::{IntoResponse, Response};
use fait::app::Asked;
use fait::event::Time;
use fait::process::Target;
use maud::{Markup, html};

/// Tasks of others that are shown.
const OTHERS: usize = 10;

/// `GET /inbox`
pub(super) async fn show(mut desk: Desk, params: Params) -> Result<Response, Trouble> {
    if desk.who.role.is_none() {
        return goto("/");
    }
    let receipt = receipt::of(&mut desk, &params).await?;
    let asked = &desk.asked;
    let (late, now): (Vec<_>, Vec<_>) = in_order(asked)
        .into_iter()
        .partition(|a| is_late(a, desk.now));
    let main = html! {
        div.inbox {
            h1 { "What needs doing" }
            div #inbox data-live data-say=(how_many(&desk)) {
                p.lead { (how_many(&desk)) }
            }
            @if let Some(receipt) = receipt { (receipt) }
            div #lists data-live {
                @if !late.is_empty() { (section(&desk, "Late", &late).await?) }
                @if !now.is_empty() { (section(&desk, "Now", &now).await?) }
                @if late.is_empty() && now.is_empty() {
                    p.empty { "Nothing to do right now. What is asked of you appears here by "
                        "itself." }
                }
                (others(&desk).await?)
            }
            (starts(&desk))
        }
    };
    Ok(Page::new("My tasks", "/inbox")
        .around(&desk, &main)
        .into_response())
}

fn in_order(asked: &[Asked]) -> Vec<&Asked> {
    let mut all: Vec<&Asked> = asked.iter().collect();
    all.sort_by_key(|a| (a.open.issued.due.unwrap_or(Time(u64::MAX)), a.open.position));
    all
}

fn is_late(asked: &Asked, now: Time) -> bool {
    asked.open.issued.due.is_some_and(|due| due < now)
}

async fn section(desk: &Desk, heading: &str, tasks: &[&Asked]) -> Result<Markup, Trouble> {
    let mut items = vec![];
    for asked in tasks {
        items.push(item(desk, asked).await?);
    }
    Ok(html! {
        section {
            h2 { (heading) }
            ul.tasks { @for item in &items { li { (item) } } }
        }
    })
}

async fn item(desk: &Desk, asked: &Asked) -> Result<Markup, Trouble> {
    let named = Named::of(desk, asked).await?;
    let issued = &asked.open.issued;
    let mut more = vec![];
    if !named.short.is_empty() {
        more.push(named.short);
    }
    more.push(format!("asked {}", ago(asked.open.since, desk.now)));
    if issued.tries > 1 {
        more.push(format!("asked {}", times(issued.tries)));
    }
    let late = is_late(asked, desk.now);
    Ok(html! {
        a.task.late[late] id={ "t-" (issued.id) } href={ "/tasks/" (issued.id) } {
            span.title { (named.title) }
            (due(issued.due, desk.now))
            span.more { (more.join(" · ")) }
            @if let Some(taken) = taken(desk, asked) { span.taken { (taken) } }
        }
    })
}

/// How much time is left, or how late it is, in words.
pub(super) fn due(due: Option<Time>, now: Time) -> Markup {
    let Some(due) = due else { return html! {} };
    let full = due.to_string();
    html! {
        @if due < now {
            span.due.late title=(full) { span aria-hidden="true" { "▲ " } (lasting(now.since(due))) " late" }
        } @else {
            @let soon = due.since(now).as_secs() < 600;
            span.due.soon[soon] title=(full) { (lasting(due.since(now))) " left" }
        }
    }
}

/// Who has it.
pub(super) fn taken(desk: &Desk, asked: &Asked) -> Option<String> {
    let (by, until) = asked.open.claim.as_ref()?;
    if *until <= desk.now {
        return None;
    }
    let until = hour(*until, desk.now);
    Some(if is_mine(desk, asked) {
        format!("you have it until {until}")
    } else {
        format!("{} has it until {until}", person(by))
    })
}

/// Whether who looks was the last to take it.
pub(super) fn is_mine(desk: &Desk, asked: &Asked) -> bool {
    let claim = asked.open.claim.as_ref();
    claim.is_some_and(|(by, _)| *by == desk.actor())
}

/// An asked task with its words.
pub(super) struct Named {
    pub(super) title: String,
    pub(super) short: String,
    /// Where the thing is.
    pub(super) thing: Option<super::subject::Thing>,
}

impl Named {
    pub(super) async fn of(desk: &Desk, asked: &Asked) -> Result<Named, Trouble> {
        let issued = &asked.open.issued;
        let Some(task) = desk.shared.command(&issued.name) else {
            let (title, short, thing) = (plain(&issued.name), String::new(), None);
            return Ok(Named {
                title,
                short,
                thing,
            });
        };
        let thing = about(desk, task, &issued.body);
        let row = row(desk, task, thing.as_ref()).await?;
        let title = title(desk, task, thing.as_ref(), row.as_ref(), &issued.body).await?;
        let view = task.page.sees.as_deref().and_then(|v| desk.view(v));
        let short = match (view, &row) {
            (Some(view), Some(row)) => in_short(&view.row, row, &title),
            _ => String::new(),
        };
        Ok(Named {
            title,
            short,
            thing,
        })
    }
}

async fn others(desk: &Desk) -> Result<Markup, Trouble> {
    let role = desk.who.role.as_deref().unwrap_or_default();
    let all = desk.shared.app.waiting(MOST)?;
    let theirs = all.iter().filter(|a| match &a.open.issued.to {
        Target::Role(to) => to != role,
        Target::System(_) => true,
        Target::Here => false,
    });
    let mut items = vec![];
    for asked in theirs.take(OTHERS) {
        let named = Named::of(desk, asked).await?;
        let with = match &asked.open.issued.to {
            Target::Role(to) | Target::System(to) => to.as_str(),
            Target::Here => "",
        };
        let words = html! {
            span.title { (named.title) }
            (due(asked.open.issued.due, desk.now))
            span.more { "with the " (with) " since " (moment(asked.open.since, desk.now)) }
        };
        items.push(match &named.thing {
            Some(thing) => html! {
                a.task.theirs id={ "o-" (asked.open.issued.id) } href=(thing.address()) { (words) }
            },
            None => html! { div.task.theirs { (words) } },
        });
    }
    Ok(html! {
        @if !items.is_empty() {
            section {
                h2 { "Waiting for others" }
                ul.tasks { @for item in &items { li { (item) } } }
            }
        }
    })
}

fn starts(desk: &Desk) -> Markup {
    let starts: Vec<_> = desk
        .tasks()
        .into_iter()
        .filter(|(_, t)| t.page.starts)
        .collect();
    html! {
        @if !starts.is_empty() {
            section {
                h2 { "You can also" }
                ul.starts {
                    @for (name, task) in &starts {
                        li { a.button href={ "/do/" (name) } { (task.title) } }
                    }
                }
            }
        }
    }
}
