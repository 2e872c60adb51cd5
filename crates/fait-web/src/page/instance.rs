//! `/instances/{process}/{key}`: one instance of a process, and what an operator can do to it.

use super::desk::Desk;
use super::frame::{Page, path};
use super::outcome::outcome;
use super::start::goto;
use super::story::timeline;
use super::stuck::{address, class_in_words, input_in_words, timer, titled};
use super::subject::Thing;
use super::trouble::{Params, Trouble, Words, uuid, words};
use super::words::{ago, count, moment, plain, sentence, short};
use crate::answer::Html;
use crate::request::At;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fait::app::{Act, Compensation, OperateError};
use fait::event::Time;
use fait::process::{
    Fact, InputRef, Instance, Open, Outcome, Settled, Status, Target, instance_tag, types,
};
use fait::query::Query;
use fait::store::Range;
use maud::{Markup, html};
use serde_json::Value;
use uuid::Uuid;

/// Facts that are told.
const TOLD: usize = 30;

/// `GET /instances/{process}/{key}`
pub(super) async fn show(
    desk: Desk,
    At((process, key)): At<(String, String)>,
    params: Params,
) -> Result<Html, Trouble> {
    let done = params.text("done").is_some();
    let plan = match params.text("compensate") {
        Some(_) => Some(desk.shared.app.compensation(&process, &key).await?),
        None => None,
    };
    page(&desk, (&process, &key), done, None, plan.as_ref()).await
}

async fn page(
    desk: &Desk,
    (process, key): (&str, &str),
    done: bool,
    wrong: Option<&str>,
    plan: Option<&Compensation>,
) -> Result<Html, Trouble> {
    let app = &desk.shared.app;
    let Some(instance) = app.instance(process, key).await? else {
        let detail = format!("`{process}` has no instance `{key}`; see what is stuck");
        return Err(Trouble::not_found(detail));
    };
    let backlog = app.backlog(&instance)?;
    let stumbled = stumbled(desk, &instance).await?;
    let query = Query::tags(vec![instance_tag(process, key)]);
    let facts = app.events(&query, Range::newest(TOLD)).await?.events;
    let title = format!("{} – {}", titled(desk, process), short(key));
    let main = html! {
        div.card {
            (path(&[("/status", "Status".into()), ("/stuck", "What is stuck".into())], ""))
            h1 { (title) }
            (outcome(done.then_some("It is done, and recorded."), wrong))
            (standing(desk, &instance, backlog))
            @match plan {
                Some(plan) => (taking_back(&instance, plan)),
                None => (actions(desk, &instance)),
            }
            @if plan.is_none() { (further(desk, &instance, stumbled.as_ref())) }
            h2 { "What has happened" }
            (timeline(desk, None, &facts))
        }
    };
    let page = Page::new(&title, "/status").still();
    Ok(page.around(desk, &main))
}

fn standing(desk: &Desk, i: &Instance, backlog: u64) -> Markup {
    let thing = desk
        .shared
        .process(&i.process)
        .map(|p| Thing::new(&p.key, &i.key));
    html! {
        @match &i.status {
            Status::Parked { reason, since, input, class, .. } => {
                p.lead { "It stopped " (ago(*since, desk.now)) " and waits for an operator: "
                    (class_in_words(*class)) "." }
                p { (sentence(reason)) " It stopped at " (input_in_words(input)) "; "
                    @match backlog {
                        0 => "nothing waits behind that.",
                        1 => "1 further input waits behind that.",
                        n => { (count(n, "further input")) " wait behind that." }
                    }
                }
            }
            Status::Running => p.lead { "It goes on by itself." },
            Status::Ended => p.lead { "It has ended." },
        }
        @if let Some(thing) = &thing { p { "About " a href=(thing.address()) { (thing.name()) } } }
    }
}

fn reason(id: &str) -> Markup {
    html! {
        div.field {
            label for=(id) { "Why do you do it?" }
            p.hint id={ (id) "-hint" } { "It is recorded with your name." }
            input type="text" id=(id) name="reason" autocomplete="off"
                aria-describedby={ (id) "-hint" };
        }
    }
}

/// What needs no more than a reason.
fn actions(desk: &Desk, i: &Instance) -> Markup {
    let parked = matches!(i.status, Status::Parked { .. });
    let latest = desk.shared.app.definition(&i.process);
    let newer = i.definition > 0 && latest.is_some_and(|latest| latest > i.definition);
    let button = |class: &str, value: String, text: &str| {
        html! { button class=(class) type="submit" name="do" value=(value) { (text) } " " }
    };
    html! {
        form method="post" action=(address(&i.process, &i.key)) {
            (reason("why"))
            @if parked {
                p.buttons {
                    (button("primary", "retry".into(), "Try again"))
                    (button("second", "skip".into(), "Go on without it"))
                }
            }
            @for open in i.open.values() {
                @let id = open.issued.id;
                p { (named(desk, open)) ", asked " (ago(open.since, desk.now)) }
                p.buttons {
                    (button("second", format!("skip-command {id}"), "It need not be done"))
                    @if open.issued.to != Target::Here {
                        (button("second", format!("settled {id}"), "It was done"))
                        (button("second", format!("failed {id}"), "It was not done"))
                    }
                }
            }
            @for (deadline, _) in i.deadlines.values() {
                p { "Deadline " (timer(&deadline.name)) " at " (moment(deadline.due, desk.now)) }
                p.buttons { (button("second", format!("fire {}", deadline.name), "It comes now")) }
            }
            @if !i.ended {
                p.buttons {
                    (button("second", "cancel".into(), "Cancel it"))
                    (button("second", "complete".into(), "Declare it done"))
                    @if newer {
                        (button("second", "migrate".into(), "Go on by the newest rules"))
                    }
                }
            }
        }
        form method="get" action=(address(&i.process, &i.key)) {
            p.buttons {
                button.second type="submit" name="compensate" value="look" {
                    "What would taking it back do?"
                }
            }
        }
    }
}

fn named(desk: &Desk, open: &Open) -> String {
    let name = &open.issued.name;
    let title = desk
        .shared
        .command(name)
        .map_or_else(|| plain(name), |c| c.title.clone());
    match &open.issued.to {
        Target::Here => title,
        Target::Role(to) | Target::System(to) => format!("{to}: {title}"),
    }
}

/// What needs more than a reason.
fn further(desk: &Desk, i: &Instance, stumbled: Option<&Settled>) -> Markup {
    let words = |o: &Open| (o.issued.id, named(desk, o), o.issued.body.to_string());
    let mut amendable: Vec<(Uuid, String, String)> = i.open.values().map(words).collect();
    amendable.extend(stumbled.map(|s| {
        let known = desk.shared.command(&s.name);
        let title = known.map_or_else(|| plain(&s.name), |c| c.title.clone());
        (s.command, title, s.body.to_string())
    }));
    html! {
        @for (n, (id, name, body)) in amendable.iter().enumerate() {
            details {
                summary { "Send “" (name) "” with other words" }
                form method="post" action=(address(&i.process, &i.key)) {
                    input type="hidden" name="command" value=(id);
                    div.field {
                        label for={ "body-" (n) } { "What is it to say, as JSON?" }
                        textarea id={ "body-" (n) } name="body" rows="4" { (body) }
                    }
                    (reason(&format!("why-amend-{n}")))
                    p.buttons { button.second type="submit" name="do" value="amend" { "Send this instead" } }
                }
            }
        }
        @for (n, (deadline, _)) in i.deadlines.values().enumerate() {
            details {
                summary { "Move the deadline " (timer(&deadline.name)) }
                form method="post" action=(address(&i.process, &i.key)) {
                    input type="hidden" name="deadline" value=(deadline.name);
                    div.field {
                        label for={ "to-" (n) } { "When is it to come (UTC)?" }
                        input type="datetime-local" id={ "to-" (n) } name="to"
                            value=(deadline.due.to_string().get(..16).unwrap_or_default());
                    }
                    (reason(&format!("why-move-{n}")))
                    p.buttons { button.second type="submit" name="do" value="postpone" { "Move it" } }
                }
            }
        }
    }
}

/// The command whose outcome parked it.
async fn stumbled(desk: &Desk, i: &Instance) -> Result<Option<Settled>, Trouble> {
    let Status::Parked { input, .. } = &i.status else {
        return Ok(None);
    };
    let InputRef::Event { position, ty, .. } = input else {
        return Ok(None);
    };
    if ty != types::SETTLED {
        return Ok(None);
    }
    let event = desk.shared.app.event_at(*position).await?;
    let fact = event.and_then(|e| Fact::read(&e).ok().flatten());
    Ok(match fact {
        Some(Fact::Settled(settled)) => Some(settled),
        _ => None,
    })
}

/// What taking back would do, before it is done.
fn taking_back(i: &Instance, plan: &Compensation) -> Markup {
    let any = plan.done.iter().any(|u| u.inverse.is_some());
    html! {
        h2 { "Taking it back" }
        @if plan.done.is_empty() { p { "It has done nothing that could be taken back." } }
        ol {
            @for undo in &plan.done {
                li {
                    (plain(&undo.name)) " "
                    @match (&undo.inverse, &undo.why_not) {
                        (Some((name, body)), _) => { "is undone by " (plain(name)) ": " code { (body) } }
                        (None, why) => { "stays: " (sentence(why.as_deref().unwrap_or_default())) }
                    }
                }
            }
        }
        @if !plan.withdrawn.is_empty() {
            p { (count(plan.withdrawn.len() as u64, "open command")) " would not be done any more." }
        }
        @if any {
            form method="post" action=(address(&i.process, &i.key)) {
                (reason("why-back"))
                p.buttons {
                    button.primary type="submit" name="do" value="compensate" { "Take it back" }
                    " " a.button href=(address(&i.process, &i.key)) { "Leave it" }
                }
            }
        } @else {
            p { a.button href=(address(&i.process, &i.key)) { "Back" } }
        }
    }
}

/// `POST /instances/{process}/{key}`
pub(super) async fn act(
    desk: Desk,
    At((process, key)): At<(String, String)>,
    form: Words,
) -> Result<Response, Trouble> {
    let form = words(form)?;
    let said = |name: &str| {
        let mut all = form.iter().filter(|(n, _)| n == name);
        all.next().map_or("", |(_, v)| v.trim())
    };
    let act = asked(&said)?;
    let by = desk.actor();
    let done = match &act {
        Ok(act) => {
            desk.shared
                .app
                .operate(&process, &key, act, &by, said("reason"))
                .await
        }
        Err(why) => {
            let page = page(&desk, (&process, &key), false, Some(why), None).await?;
            return Ok((StatusCode::BAD_REQUEST, page).into_response());
        }
    };
    let e = match done {
        Ok(_) => return goto(&format!("{}?done=yes", address(&process, &key))),
        Err(e @ (OperateError::NoProcess { .. } | OperateError::Store(_))) => return Err(e.into()),
        Err(e) => e,
    };
    let status = match e.is_conflict() {
        true => StatusCode::CONFLICT,
        false => StatusCode::BAD_REQUEST,
    };
    let page = page(&desk, (&process, &key), false, Some(&e.to_string()), None).await?;
    Ok((status, page).into_response())
}

/// What the pressed button means; a sentence when something typed is wrong.
fn asked<'a>(said: &impl Fn(&str) -> &'a str) -> Result<Result<Act, String>, Trouble> {
    let (action, of) = said("do").split_once(' ').unwrap_or((said("do"), ""));
    Ok(Ok(match action {
        "retry" => Act::Retry,
        "skip" => Act::Skip,
        "cancel" => Act::Cancel,
        "complete" => Act::Complete,
        "compensate" => Act::Compensate,
        "migrate" => Act::Migrate,
        "skip-command" => Act::SkipCommand { command: uuid(of)? },
        "settled" => Act::Settle {
            command: uuid(of)?,
            outcome: Outcome::Accepted,
        },
        "failed" => Act::Settle {
            command: uuid(of)?,
            outcome: Outcome::Failed {
                error: said("reason").into(),
            },
        },
        "fire" => Act::Fire {
            deadline: of.into(),
        },
        "postpone" => {
            match format!("{}:00Z", said("to").get(..16).unwrap_or_default()).parse::<Time>() {
                Ok(to) => Act::Postpone {
                    deadline: said("deadline").into(),
                    to,
                },
                Err(_) => return Ok(Err("say when, such as 2026-03-01 18:30".into())),
            }
        }
        "amend" => match serde_json::from_str::<Value>(said("body")) {
            Ok(body) => Act::Amend {
                command: uuid(said("command"))?,
                body,
            },
            Err(e) => return Ok(Err(format!("what it is to say is not JSON: {e}"))),
        },
        _ => return Err(Trouble::malformed("say what is to be done")),
    }))
}
