//! `/stuck`: the instances that wait for an operator, and the same action for many of them.

use super::desk::Desk;
use super::frame::Page;
use super::outcome::outcome;
use super::start::goto;
use super::trouble::{Params, Trouble, Words, words};
use super::words::{ago, count, plain, sentence, short};
use crate::answer::Html;
use crate::request::encode;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fait::app::{
    Act, Bulk, BulkState, DEFAULT_RATE, Filter, MAX_RATE, Preview, Progress, Standing, Stuck,
};
use fait::process::{Class, InputRef, Status, types};
use maud::{Markup, html};

/// Instances that are shown.
const SHOWN: usize = 100;

/// What can be done to many, with its words.
const ACTIONS: [(&str, &str); 4] = [
    ("retry", "Try again"),
    ("skip", "Go on without what stopped it"),
    ("cancel", "Cancel"),
    ("complete", "Declare done"),
];

/// The kinds of trouble, with their words.
const CLASSES: [(Class, &str); 6] = [
    (Class::Defect, "the program failed"),
    (Class::Unhandled, "nobody thought of what came of a command"),
    (Class::Asked, "the process asks for a person"),
    (
        Class::Uncertain,
        "nobody knows whether another system acted",
    ),
    (Class::Unmatched, "it was heard of before it began"),
    (Class::Limit, "a limit was reached"),
];

/// A kind of trouble in plain words.
pub(super) fn class_in_words(class: Class) -> &'static str {
    let known = CLASSES.iter().find(|(c, _)| *c == class);
    known.map_or("something else", |(_, words)| words)
}

/// What a step stumbled over, in plain words.
pub(super) fn input_in_words(input: &InputRef) -> String {
    match input {
        InputRef::Event { ty, position, .. } if ty == types::SETTLED => {
            format!("what came of a command (event {position})")
        }
        InputRef::Event { ty, position, .. } => format!("{} (event {position})", plain(ty)),
        InputRef::Deadline(d) => format!("the deadline {}", timer(&d.name)),
        InputRef::Command { name, .. } => format!("{}, which may have gone out", plain(name)),
        InputRef::Operator => "what an operator did".into(),
    }
}

/// A deadline's name, which is a timer as JSON.
pub(super) fn timer(name: &str) -> String {
    serde_json::from_str::<String>(name).map_or_else(|_| name.to_string(), |n| plain(&n))
}

/// The page of an instance.
pub(super) fn address(process: &str, key: &str) -> String {
    format!("/instances/{}/{}", encode(process), encode(key))
}

/// A process in plain words.
pub(super) fn titled(desk: &Desk, process: &str) -> String {
    let known = desk.shared.process(process);
    known.map_or_else(|| plain(process), |p| p.title.clone())
}

/// `GET /stuck`
pub(super) async fn show(desk: Desk, params: Params) -> Result<Html, Trouble> {
    let done = params.text("done").map(String::from);
    page(&desk, &Asked::default(), done.as_deref(), None, None).await
}

/// The words of the form for many, as they were typed.
#[derive(Clone, Debug, Default)]
struct Asked(Vec<(String, String)>);

impl Asked {
    fn text(&self, name: &str) -> &str {
        let mut all = self.0.iter().filter(|(n, _)| n == name);
        all.next().map_or("", |(_, v)| v.trim())
    }

    fn number(&self, name: &str) -> Result<Option<u64>, String> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = |_| format!("“{text}” is not a whole number");
        text.parse().map(Some).map_err(wrong)
    }

    fn bulk(&self, by: String) -> Result<Bulk, String> {
        let act = match self.text("action") {
            "retry" => Act::Retry,
            "skip" => Act::Skip,
            "cancel" => Act::Cancel,
            "complete" => Act::Complete,
            _ => return Err("say what is to be done".into()),
        };
        let class = CLASSES.iter().find(|(c, _)| c.name() == self.text("class"));
        let text = Some(self.text("text")).filter(|t| !t.is_empty());
        let minutes = self.number("minutes")?;
        let rate = self.number("rate")?.unwrap_or(DEFAULT_RATE.into());
        Ok(Bulk {
            filter: Filter {
                process: self.text("process").into(),
                status: Some(Standing::Parked),
                class: class.map(|(c, _)| *c),
                text: text.map(String::from),
                older_than_s: minutes.map(|m| m.saturating_mul(60)),
                ..Filter::default()
            },
            act,
            by,
            reason: self.text("reason").into(),
            rate: u32::try_from(rate).unwrap_or(u32::MAX),
        })
    }
}

async fn page(
    desk: &Desk,
    asked: &Asked,
    done: Option<&str>,
    wrong: Option<&str>,
    preview: Option<&Preview>,
) -> Result<Html, Trouble> {
    let stuck = desk.shared.app.stuck(None, SHOWN)?;
    let processes = desk.shared.app.processes().await?;
    let all: u64 = processes.iter().map(|p| p.instances.parked).sum();
    let runs = processes
        .iter()
        .filter_map(|p| desk.shared.app.bulk_progress(&p.name));
    let runs: Vec<Progress> = runs.collect();
    let mut processes = processes;
    processes.sort_by_key(|p| p.instances.parked == 0);
    let names: Vec<(String, String)> = processes.into_iter().map(|p| (p.name, p.title)).collect();
    let done = done.map(|done| match done {
        "aborted" => "It is ended; what was done stays done.",
        _ => "It has begun; this page follows it.",
    });
    let main = html! {
        h1 { "What is stuck" }
        (outcome(done, wrong))
        @if let Some(preview) = preview { (confirm(desk, asked, preview)) }
        div #runs data-live { @for run in &runs { (progress(desk, run)) } }
        div #stuck data-live { (list(desk, &stuck, all)) }
        @if !stuck.is_empty() && preview.is_none() { (form(asked, &names)) }
    };
    let page = Page::new("What is stuck", "/status");
    let page = if wrong.is_some() || preview.is_some() {
        page.still()
    } else {
        page
    };
    Ok(page.around(desk, &main))
}

fn list(desk: &Desk, stuck: &[Stuck], all: u64) -> Markup {
    html! {
        @if stuck.is_empty() {
            p.empty { "Nothing waits for an operator." }
        } @else {
            p.lead {
                (count(all, "instance")) @if all == 1 { " waits" } @else { " wait" }
                " for an operator; all others go on."
                @if stuck.len() < all as usize { " The last " (stuck.len()) " are shown." }
            }
            div.wide tabindex="0" role="region" aria-label="Stuck instances" {
                table {
                    thead { tr {
                        th scope="col" { "Process" } th scope="col" { "About" }
                        th scope="col" { "Since" } th scope="col" { "Kind" }
                        th scope="col" { "Why" } th scope="col" { "At" }
                        th.number scope="col" { "Waiting" }
                    } }
                    tbody { @for one in stuck { (row(desk, one)) } }
                }
            }
        }
    }
}

fn row(desk: &Desk, stuck: &Stuck) -> Markup {
    let i = &stuck.instance;
    let Status::Parked {
        reason,
        since,
        input,
        class,
        ..
    } = &i.status
    else {
        return html! {};
    };
    html! {
        tr {
            td.words { (titled(desk, &i.process)) }
            td { a href=(address(&i.process, &i.key)) { (short(&i.key)) } }
            td.whole { (ago(*since, desk.now)) }
            td.words { (class_in_words(*class)) }
            td.many { (sentence(reason)) }
            td.words { (input_in_words(input)) }
            td.number { (stuck.backlog) }
        }
    }
}

fn progress(desk: &Desk, p: &Progress) -> Markup {
    let state = match p.state {
        BulkState::Running => "goes on",
        BulkState::Done => "is done",
        BulkState::Aborted => "was ended early",
        BulkState::Broken => "broke off: the instances cannot be found",
    };
    html! {
        div.card {
            h2 { "“" (p.action) "” for many of “" (titled(desk, &p.process)) "” " (state) }
            p { (p.done) " of " (p.found) " done, " (p.passed_over) " had gone on by themselves, "
                (p.failed) " failed, " (p.left()) " left. By " (p.by) ": " (sentence(&p.reason)) }
            @for failed in &p.failures { p.wrong { (short(&failed.key)) ": " (sentence(&failed.why)) } }
            @if p.state == BulkState::Running {
                form method="post" action="/stuck/many" {
                    input type="hidden" name="process" value=(p.process);
                    p.buttons { button.second type="submit" name="how" value="abort" { "End it" } }
                }
            }
        }
    }
}

/// How many it would be, and the first of them.
fn confirm(desk: &Desk, asked: &Asked, preview: &Preview) -> Markup {
    let action = ACTIONS
        .iter()
        .find(|(name, _)| *name == asked.text("action"));
    let words = action.map_or("", |(_, words)| words);
    html! {
        div.card #preview tabindex="-1" data-focus {
            h2 { "“" (words) "” for " (count(preview.count, "instance")) }
            @if preview.count == 0 {
                p { "None fits any more." }
            } @else {
                p { "The first of them:" }
                ul { @for one in &preview.sample {
                    li {
                        a href=(address(asked.text("process"), &one.key)) { (short(&one.key)) }
                        @if let Some(reason) = &one.reason { ": " (sentence(reason)) }
                        " (" (ago(one.since, desk.now)) ")"
                    }
                } }
                form method="post" action="/stuck/many" {
                    @for name in ["process", "action", "class", "text", "minutes", "rate", "reason"] {
                        input type="hidden" name=(name) value=(asked.text(name));
                    }
                    p.buttons {
                        button.primary type="submit" name="how" value="run" {
                            "Do it to " (count(preview.count, "instance"))
                        }
                        " " a.button href="/stuck" { "Leave it" }
                    }
                }
            }
        }
    }
}

fn form(asked: &Asked, processes: &[(String, String)]) -> Markup {
    let chosen = |name: &str, value: &str| asked.text(name) == value;
    let rate = match asked.text("rate") {
        "" => DEFAULT_RATE.to_string(),
        text => text.into(),
    };
    html! {
        form.card method="post" action="/stuck/many" {
            h2 { "The same for many" }
            div.field {
                label for="b-process" { "Which process?" }
                select id="b-process" name="process" {
                    @for (name, title) in processes {
                        option value=(name) selected[chosen("process", name)] { (title) }
                    }
                }
            }
            div.field {
                label for="b-action" { "What is to be done?" }
                select id="b-action" name="action" {
                    @for (name, words) in ACTIONS {
                        option value=(name) selected[chosen("action", name)] { (words) }
                    }
                }
            }
            div.field {
                label for="b-class" { "Which kind of trouble?" }
                select id="b-class" name="class" {
                    option value="" { "any" }
                    @for (class, words) in CLASSES {
                        option value=(class.name()) selected[chosen("class", class.name())] { (words) }
                    }
                }
            }
            (input("text", "Which words are in the reason?", asked.text("text"), "text"))
            (input("minutes", "Stuck for how many minutes at least?", asked.text("minutes"), "number"))
            (input("rate", &format!("How many in a second, up to {MAX_RATE}?"), &rate, "number"))
            (input("reason", "Why do you do it? It is recorded with your name.",
                asked.text("reason"), "text"))
            p.buttons {
                button.primary type="submit" name="how" value="preview" { "Show which" }
                " " span.hint { "Nothing is done yet." }
            }
        }
    }
}

fn input(name: &str, question: &str, value: &str, kind: &str) -> Markup {
    let numeric = (kind == "number").then_some("numeric");
    html! {
        div.field {
            label for={ "b-" (name) } { (question) }
            input type="text" inputmode=[numeric] id={ "b-" (name) } name=(name) value=(value)
                autocomplete="off";
        }
    }
}

/// `POST /stuck/many`
pub(super) async fn many(desk: Desk, form: Words) -> Result<Response, Trouble> {
    let asked = Asked(words(form)?);
    let app = &desk.shared.app;
    let told = match asked.text("how") {
        "abort" => {
            app.bulk_abort(asked.text("process"));
            return goto("/stuck?done=aborted");
        }
        "run" => match asked.bulk(desk.actor()) {
            Ok(bulk) => app.bulk_run(bulk).map(|_| None).map_err(|e| e.to_string()),
            Err(why) => Err(why),
        },
        _ => match asked.bulk(desk.actor()) {
            Ok(bulk) if bulk.reason.is_empty() => Err("say why; it is recorded".into()),
            Ok(bulk) => {
                let preview = app.bulk_preview(&bulk.filter, &bulk.act);
                preview.map(Some).map_err(|e| e.to_string())
            }
            Err(why) => Err(why),
        },
    };
    match told {
        Ok(None) => goto("/stuck?done=begun"),
        Ok(Some(preview)) => {
            let page = page(&desk, &asked, None, None, Some(&preview)).await?;
            Ok(page.into_response())
        }
        Err(why) => {
            let page = page(&desk, &asked, None, Some(&why), None).await?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
    }
}
