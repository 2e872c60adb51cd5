//! `/status`: how the system stands, and what waits for an operator.

use super::bus;
use super::desk::{Desk, MOST};
use super::frame::Page;
use super::outcome::{outcome, table};
use super::rebuild;
use super::start::goto;
use super::subject::Thing;
use super::trouble::{Params, Trouble, Words, words};
use super::words::{ago, count, lasting, plain, sentence, short};
use crate::answer::Html;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fait::app::{Asked, BusStatus, ProcessStatus, ViewStatus};
use fait::process::{Instance, Status, Target};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Parked keys that are told of each view here; its own page has all.
const SHOWN: usize = 3;

/// `GET /status`
pub(super) async fn show(desk: Desk, params: Params) -> Result<Html, Trouble> {
    page(&desk, params.text("resumed").is_some(), None).await
}

async fn page(desk: &Desk, resumed: bool, wrong: Option<&str>) -> Result<Html, Trouble> {
    let app = &desk.shared.app;
    let (health, processes, views) = (
        app.health().await?,
        app.processes().await?,
        app.views().await?,
    );
    let parked = app.parked()?;
    let between = app.bus().await?;
    let hurt = views.iter().filter(|v| rebuild::is_hurt(v)).count() as u64;
    let main = html! {
        h1 { "Status" }
        (outcome(resumed.then_some("It goes on."), wrong))
        div #health data-live {
            p.lead {
                @if hurt > 0 && health.ready {
                    (count(hurt, "view")) @if hurt == 1 { " needs" } @else { " need" }
                    " somebody; see below. Everything else follows along, up to event "
                    (health.head) "."
                } @else if health.ready { "Everything follows along, up to event " (health.head) "." }
                @else { "Not everything follows along, up to event " (health.head) "." }
            }
            @if !health.reasons.is_empty() {
                ul { @for reason in &health.reasons { li { (sentence(reason)) } } }
            }
            @if parked.is_empty() && hurt == 0 { p { "Nothing waits for an operator." } }
        }
        @if !parked.is_empty() {
            p { a.button href="/stuck" { "What is stuck, and all that can be done about it" } }
        }
        @if bus::is_there(&between) { (others(&between)) }
        (stopped(desk, &parked))
        div #numbers data-live {
            (queues(desk)?)
            @if !processes.is_empty() { (running(desk, &processes)) }
            @if !views.is_empty() { (followers(&views)) }
        }
    };
    Ok(Page::new("Status", "/status").around(desk, &main))
}

/// The way to what is between this system and others.
fn others(between: &BusStatus) -> Markup {
    let (waits, fails) = (bus::stopped(between), bus::failing(between));
    html! {
        p #others data-live {
            a href="/bus" { "What other systems are told, and what is heard of them" }
            @if waits == 1 { ": one part waits for somebody" }
            @if waits > 1 { ": " (waits) " parts wait for somebody" }
            @if waits == 0 && fails == 1 { ": one part fails, and is tried again" }
            @if waits == 0 && fails > 1 { ": " (fails) " parts fail, and are tried again" }
        }
    }
}

/// What is asked of roles and told to systems.
fn queues(desk: &Desk) -> Result<Markup, Trouble> {
    let m = &desk.shared.manifest;
    let mut open: BTreeMap<&str, Vec<&Asked>> = BTreeMap::new();
    let all = desk.shared.app.waiting(5 * MOST)?;
    let names = m.roles.keys().chain(m.systems.keys());
    open.extend(names.map(|n| (n.as_str(), vec![])));
    for asked in &all {
        if let Target::Role(to) | Target::System(to) = &asked.open.issued.to {
            open.entry(to).or_default().push(asked);
        }
    }
    let rows: Vec<Markup> = open
        .iter()
        .map(|(name, asked)| {
            let late = asked
                .iter()
                .filter(|a| a.open.issued.due.is_some_and(|d| d < desk.now));
            let oldest = asked.iter().map(|a| a.open.since).min();
            html! {
                td.words { (name) @if m.systems.contains_key(*name) { " (a system)" } }
                td.number { (asked.len()) }
                td.number { (late.count()) }
                td { @if let Some(oldest) = oldest { (ago(oldest, desk.now)) } @else { "–" } }
            }
        })
        .collect();
    let heads = [
        ("Who", false),
        ("Open", true),
        ("Late", true),
        ("The oldest asked", false),
    ];
    Ok(table("Who is asked what", &heads, &rows))
}

fn running(desk: &Desk, processes: &[ProcessStatus]) -> Markup {
    let row = |p: &ProcessStatus| {
        let due = p.next_due.map(|d| {
            if d < desk.now {
                "now".to_string()
            } else {
                format!("in {}", lasting(d.since(desk.now)))
            }
        });
        html! {
            td.words { (p.title) @if p.policy { " (a policy)" } }
            td.number { (p.instances.running) }
            td.number { (p.instances.parked) }
            td.number { (p.instances.ended) }
            td { (due.as_deref().unwrap_or("–")) }
            td.number { (p.lag_events) }
        }
    };
    let rows: Vec<Markup> = processes.iter().map(row).collect();
    let heads = [
        ("Process", false),
        ("Running", true),
        ("Stopped", true),
        ("Ended", true),
        ("Next deadline", false),
        ("Events behind", true),
    ];
    table("Processes", &heads, &rows)
}

fn followers(views: &[ViewStatus]) -> Markup {
    let row = |v: &ViewStatus| {
        html! {
            td.words { a href=(rebuild::address(&v.name)) { (plain(&v.name)) } }
            td.many {
                @for (wrong, text) in rebuild::standing(v) { p.wrong[wrong] { (text) } }
                (rebuild::bar(v))
                @for (key, why) in v.parked.iter().take(SHOWN) {
                    p.wrong { (short(key)) " waits: " (sentence(why)) }
                }
            }
            td.number { (v.rows) }
            td.number { (v.position) }
            td.number { (v.lag_events) }
        }
    };
    let rows: Vec<Markup> = views.iter().map(row).collect();
    let heads = [
        ("View", false),
        ("How it stands", false),
        ("Rows", true),
        ("Up to event", true),
        ("Events behind", true),
    ];
    table("Views", &heads, &rows)
}

/// What stopped, with the reason and a way on.
fn stopped(desk: &Desk, parked: &[Instance]) -> Markup {
    html! {
        @for (i, instance) in parked.iter().enumerate() {
            @let process = desk.shared.process(&instance.process);
            @let title = process.map_or_else(|| plain(&instance.process), |p| p.title.clone());
            @let thing = process.map(|p| Thing::new(&p.key, &instance.key));
            div.card {
                h2 { "“" (title) "” stopped" }
                @if let Status::Parked { reason, since, .. } = &instance.status {
                    @let time = lasting(desk.now.since(*since));
                    p { (sentence(reason)) " It has waited for " (time) "." }
                }
                @if let Some(thing) = &thing { p { "About " a href=(thing.address()) { (thing.name()) } } }
                form method="post" action="/status/resume" {
                    input type="hidden" name="process" value=(instance.process);
                    input type="hidden" name="key" value=(instance.key);
                    div.field {
                        label for={ "why-" (i) } { "Why do you let it go on?" }
                        p.hint id={ "why-" (i) "-hint" } { "It is recorded with your name." }
                        input type="text" id={ "why-" (i) } name="reason" autocomplete="off"
                            aria-describedby={ "why-" (i) "-hint" };
                    }
                    p.buttons {
                        button.primary type="submit" name="how" value="retry" { "Try again" }
                        button.second type="submit" name="how" value="skip" { "Go on without it" }
                    }
                }
            }
        }
    }
}

/// `POST /status/resume`
pub(super) async fn resume(desk: Desk, form: Words) -> Result<Response, Trouble> {
    let form = words(form)?;
    let said = |name: &str| {
        form.iter()
            .find(|(n, _)| n == name)
            .map_or("", |(_, v)| v.trim())
    };
    let (process, key, reason) = (said("process"), said("key"), said("reason"));
    let retry = match said("how") {
        "retry" => true,
        "skip" => false,
        _ => {
            return Err(Trouble::malformed(
                "say whether to try again or to go on without it",
            ));
        }
    };
    if reason.is_empty() {
        let page = page(&desk, false, Some("say why; it is recorded")).await?;
        return Ok((StatusCode::BAD_REQUEST, page).into_response());
    }
    let resumed = desk
        .shared
        .app
        .resume(process, key, retry, &desk.actor(), reason)
        .await;
    match resumed {
        Ok(()) => goto("/status?resumed=yes"),
        Err(e) => {
            let page = page(&desk, false, Some(&e.to_string())).await?;
            Ok((StatusCode::CONFLICT, page).into_response())
        }
    }
}
