//! `/bus`: what others are told and what is heard of them, and what waits for an operator.

pub(super) mod heard;

use super::desk::Desk;
use super::frame::Page;
use super::outcome::{outcome, table};
use super::start::goto;
use super::trouble::{Params, Trouble, Words, words};
use super::words::{ago, count, lasting, plain, sentence};
use crate::answer::{Html, Problem};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fait::app::{
    BusStatus, Halted, InletStatus, MAX_COUNTED, Mood, OutletError, OutletStatus,
    PublicationStatus, ReplayFrom, Trouble as Tried, Wants,
};
use fait::event::Time;
use maud::{Markup, html};

/// What was done, by the word in the address.
const DONE: [(&str, &str); 6] = [
    ("replay", "Messages are handed over from there on."),
    ("skip", "It goes on without that message."),
    ("retry", "It is tried."),
    ("reread", "The message was read again."),
    (
        "leave-out",
        "Nothing becomes of the message; what waited behind it goes on.",
    ),
    ("continue", "It hears what is there now."),
];

/// Whether there is anything between this system and others.
pub(super) fn is_there(bus: &BusStatus) -> bool {
    !bus.publications.is_empty() || !bus.outlets.is_empty() || !bus.inlets.is_empty()
}

/// How many parts of it wait for somebody.
pub(super) fn stopped(bus: &BusStatus) -> u64 {
    let publications = bus.publications.iter().filter(|p| p.stopped.is_some());
    let outlets = bus.outlets.iter().filter(|o| o.halted.is_some());
    let inlets = bus.inlets.iter().filter(|i| inlet_waits(i));
    (publications.count() + outlets.count() + inlets.count()) as u64
}

/// How many parts fail and are tried again: nobody need do anything here, but perhaps elsewhere.
pub(super) fn failing(bus: &BusStatus) -> u64 {
    let outlets = bus.outlets.iter();
    let outlets = outlets.filter(|o| o.halted.is_none() && o.trouble.is_some());
    let waits = |i: &&InletStatus| matches!(i.mood, Mood::Waits { .. });
    let inlets = bus.inlets.iter().filter(waits);
    u64::from(bus.trouble.is_some()) + (outlets.count() + inlets.count()) as u64
}

fn inlet_waits(inlet: &InletStatus) -> bool {
    inlet.unreadable > 0 || matches!(inlet.mood, Mood::Stopped { .. })
}

/// `GET /bus`
pub(super) async fn show(desk: Desk, params: Params) -> Result<Html, Trouble> {
    let done = params.text("done").map(String::from);
    page(&desk, done.as_deref(), None).await
}

async fn page(desk: &Desk, done: Option<&str>, wrong: Option<&str>) -> Result<Html, Trouble> {
    let bus = desk.shared.app.bus().await?;
    let kept = desk
        .shared
        .app
        .unreadable(None)
        .await
        .map_err(Problem::from)?;
    let done = done.and_then(|d| DONE.iter().find(|(name, _)| *name == d));
    let (waits, fails) = (stopped(&bus), failing(&bus));
    let main = html! {
        h1 { "Other systems" }
        (outcome(done.map(|(_, words)| *words), wrong))
        div #standing data-live {
            @if !is_there(&bus) {
                p.empty { "This system tells others nothing, and hears nothing of them." }
            } @else {
                p.lead {
                    @if waits == 0 && fails > 0 {
                        "Nothing waits for an operator; what fails is tried again."
                    } @else if waits == 0 { "Nothing waits for an operator." }
                    @else if waits == 1 { "One part waits for somebody; all others go on." }
                    @else { (waits) " parts wait for somebody; all others go on." }
                }
                p { "Others know this system as " code { (bus.source) } "." }
            }
            @if let Some(trouble) = &bus.trouble { (tried("Nothing was published", trouble, desk.now)) }
        }
        @for (i, outlet) in bus.outlets.iter().enumerate() {
            @if let Some(halted) = &outlet.halted { (way_on(desk, i, outlet, halted)) }
        }
        div #numbers data-live {
            (publications(&bus.publications, desk.now))
            (outlets(&bus.outlets, desk.now))
            (inlets(&bus.inlets, desk.now))
        }
        (heard::kept(&kept, &bus.inlets, desk.now))
    };
    let page = Page::new("Other systems", "/status");
    let page = if wrong.is_some() { page.still() } else { page };
    Ok(page.around(desk, &main))
}

fn tried(what: &str, trouble: &Tried, now: Time) -> Markup {
    html! {
        p.wrong { (what) " for " (lasting(now.since(trouble.since))) ": " (sentence(&trouble.error)) }
    }
}

fn publications(all: &[PublicationStatus], now: Time) -> Markup {
    let row = |p: &PublicationStatus| {
        html! {
            td.words { (plain(&p.name)) }
            td.many {
                @match &p.stopped {
                    None => { "Goes on" },
                    Some(s) => {
                        p.wrong {
                            "Stopped " (ago(s.since, now)) " at "
                            a href={ "/events/" (s.position) } { "event " (s.position) } ": "
                            (sentence(&s.reason))
                            " It is tried again when the program starts."
                        }
                    }
                }
            }
            td.number { (p.position) }
            td.number { (p.lag_events) }
        }
    };
    let rows: Vec<Markup> = all.iter().map(row).collect();
    let heads = [
        ("Publication", false),
        ("How it stands", false),
        ("Up to event", true),
        ("Events behind", true),
    ];
    table("What others are told", &heads, &rows)
}

fn outlets(all: &[OutletStatus], now: Time) -> Markup {
    let row = |o: &OutletStatus| {
        html! {
            td.words { (o.name) }
            td.many {
                @if let Some(halted) = &o.halted {
                    p.wrong { "Stopped " (ago(halted.since, now)) ": " (sentence(&halted.reason)) }
                } @else if let Some(trouble) = &o.trouble {
                    (tried("Nothing was handed over", trouble, now))
                    @if let Some(at) = o.next_try.filter(|at| *at > now) {
                        p { "It is tried again in " (lasting(at.since(now))) "." }
                    }
                } @else { "Goes on" }
            }
            td.number {
                (o.waiting) @if o.waiting as usize == MAX_COUNTED { " or more" }
            }
            td.number { (o.position) }
            td.number {
                @match &o.reached { Some(r) => { (r.sequence) }, None => { "–" } }
            }
        }
    };
    let rows: Vec<Markup> = all.iter().map(row).collect();
    let heads = [
        ("Broker", false),
        ("How it stands", false),
        ("Messages waiting", true),
        ("Up to event", true),
        ("Its count", true),
    ];
    table("To whom messages are handed", &heads, &rows)
}

fn inlets(all: &[InletStatus], now: Time) -> Markup {
    let row = |i: &InletStatus| {
        html! {
            td.words { (i.receiver) }
            td.many {
                @match &i.mood {
                    Mood::Hears => { p { "Hears" } },
                    Mood::Waits { error, since } => {
                        p.wrong {
                            "Nothing was heard for " (lasting(now.since(*since))) ": "
                            (sentence(error))
                        }
                    },
                    Mood::Stopped { why, since } => {
                        p.wrong { "Stopped " (ago(*since, now)) ": " (sentence(why)) }
                    }
                }
                @if i.unreadable > 0 {
                    p.wrong {
                        (count(i.unreadable as u64, "message")) " cannot be read, and "
                        (i.waiting) " behind " @if i.unreadable == 1 { "it" } @else { "them" }
                        @if i.waiting == 1 { " waits." } @else { " wait." }
                    }
                }
            }
            td.words { (i.system) }
            td.number { @match &i.mark { Some(m) => { (m.sequence) }, None => { "–" } } }
            td { @match i.last { Some(at) => { (ago(at, now)) }, None => { "–" } } }
        }
    };
    let rows: Vec<Markup> = all.iter().map(row).collect();
    let heads = [
        ("Heard as", false),
        ("How it stands", false),
        ("System", false),
        ("Its count", true),
        ("The last came", false),
    ];
    table("What is heard", &heads, &rows)
}

/// What an operator can do for an outlet that has stopped.
fn way_on(desk: &Desk, n: usize, outlet: &OutletStatus, halted: &Halted) -> Markup {
    html! {
        div.card {
            h2 { "Nothing is handed to “" (outlet.name) "” any more" }
            p { (sentence(&halted.reason)) " It has waited for " (lasting(desk.now.since(halted.since))) "." }
            form method="post" action="/bus" {
                input type="hidden" name="outlet" value=(outlet.name);
                @match &halted.wants {
                    Wants::Replay => {
                        div.field {
                            label for={ "from-" (n) } { "From where on?" }
                            p.hint id={ "from-" (n) "-hint" } {
                                "“start” for all that was ever published, “here” for what is not \
                                 there yet, or the number of an event behind which it goes on."
                            }
                            input type="text" id={ "from-" (n) } name="from" autocomplete="off"
                                aria-describedby={ "from-" (n) "-hint" };
                        }
                    },
                    Wants::Skip { position } => {
                        input type="hidden" name="position" value=(position);
                        p { "It is " a href={ "/events/" (position) } { "event " (position) } "." }
                    },
                    Wants::Change => {}
                }
                @if halted.wants != Wants::Change {
                    div.field {
                        label for={ "why-" (n) } { "Why do you do it?" }
                        p.hint id={ "why-" (n) "-hint" } { "It is recorded with your name." }
                        input type="text" id={ "why-" (n) } name="reason" autocomplete="off"
                            aria-describedby={ "why-" (n) "-hint" };
                    }
                }
                p.buttons {
                    @match &halted.wants {
                        Wants::Replay => {
                            button.primary type="submit" name="how" value="replay" { "Hand over from there" }
                        },
                        Wants::Skip { .. } => {
                            button.second type="submit" name="how" value="skip" { "Go on without it" }
                        },
                        Wants::Change => {}
                    }
                    " " button.second type="submit" name="how" value="retry" { "Try again" }
                }
            }
        }
    }
}

/// `POST /bus`
pub(super) async fn act(desk: Desk, form: Words) -> Result<Response, Trouble> {
    let form = words(form)?;
    let said = |name: &str| {
        form.iter()
            .find(|(n, _)| n == name)
            .map_or("", |(_, v)| v.trim())
    };
    let (outlet, how) = (said("outlet"), said("how"));
    let wrong = match done(&desk, outlet, how, said).await {
        Ok(()) => return goto(&format!("/bus?done={how}")),
        Err(Wrong::Words(message)) => (StatusCode::BAD_REQUEST, message),
        Err(Wrong::Outlet(e)) => match e {
            OutletError::NoName | OutletError::NoReason | OutletError::Beyond { .. } => {
                (StatusCode::BAD_REQUEST, e.to_string())
            }
            _ => (StatusCode::CONFLICT, e.to_string()),
        },
    };
    let page = page(&desk, None, Some(&wrong.1)).await?;
    Ok((wrong.0, page).into_response())
}

/// Why it was not done.
enum Wrong {
    Words(String),
    Outlet(OutletError),
}

impl From<OutletError> for Wrong {
    fn from(e: OutletError) -> Wrong {
        Wrong::Outlet(e)
    }
}

async fn done<'a>(
    desk: &Desk,
    outlet: &str,
    how: &str,
    said: impl Fn(&str) -> &'a str,
) -> Result<(), Wrong> {
    let (app, by, reason) = (&desk.shared.app, desk.actor(), said("reason"));
    match how {
        "replay" => {
            let from: ReplayFrom = said("from").parse().map_err(Wrong::Words)?;
            if reason.is_empty() {
                return Err(OutletError::NoReason.into());
            }
            app.replay(outlet, from, &by, Some(reason)).await?;
        }
        "skip" => {
            let position = said("position").parse();
            let position = position.map_err(|_| Wrong::Words("say which message".into()))?;
            app.skip_published(outlet, position, &by, reason).await?;
        }
        "retry" => app.retry_outlet(outlet)?,
        _ => return Err(Wrong::Words("say what is to be done".into())),
    }
    Ok(())
}
