//! The page of a task: what it is about, the form, what comes of it, and what has happened.

use super::desk::Desk;
use super::field::{Typed, field};
use super::frame::{Page, path};
use super::inbox::{due, is_mine, taken};
use super::story::{ids, timeline};
use super::subject::{Thing, facts, row, title};
use super::trouble::Trouble;
use super::words::{all_of, label, moment, ordinal, plain, sentence, short, small};
use crate::answer::Html;
use fait::app::Asked;
use fait::command::FieldDef;
use fait::event::{Position, StoredEvent};
use fait::manifest::CommandEntry;
use fait::query::Query;
use fait::store::Range;
use maud::{Markup, html};
use serde_json::Value;
use uuid::Uuid;

/// Events of a thing that are told on its pages.
pub(super) const TOLD: usize = 60;

/// Steps before "now".
const STEPS: usize = 4;

/// A form with what is known of it.
pub(super) struct Form<'a> {
    pub(super) name: &'a str,
    pub(super) task: &'a CommandEntry,
    /// The ask that it answers.
    pub(super) asked: Option<&'a Asked>,
    /// What cannot be changed here, because the ask or the link gives it.
    pub(super) given: Vec<String>,
    pub(super) typed: Typed,
    /// The command's id: the same however often it is sent.
    pub(super) id: Uuid,
    /// What the person has seen of history.
    pub(super) seen: Position,
    /// Why it was not recorded, as markup.
    pub(super) trouble: Option<Markup>,
    pub(super) thing: Option<Thing>,
}

/// Events of a thing, newest first.
pub(super) async fn history(desk: &Desk, thing: &Thing) -> Result<Vec<StoredEvent>, Trouble> {
    let query = Query::tags(vec![thing.tag()]);
    let slice = desk.shared.app.events(&query, Range::newest(TOLD)).await?;
    Ok(slice.events)
}

impl Form<'_> {
    /// The whole page.
    pub(super) async fn page(&self, desk: &Desk) -> Result<Html, Trouble> {
        let row = row(desk, self.task, self.thing.as_ref()).await?;
        let given = self.given_words();
        let title = title(desk, self.task, self.thing.as_ref(), row.as_ref(), &given).await?;
        let events = match &self.thing {
            Some(thing) => history(desk, thing).await?,
            None => vec![],
        };
        let main = html! {
            div.card.work {
                div #notice data-live {}
                (self.head(desk, &title))
                @if let Some(trouble) = &self.trouble { (trouble) }
                @if !events.is_empty() { div #steps data-live { (steps(desk, &events, &title)) } }
                div.columns {
                    div.do {
                        (self.facts(desk, row.as_ref(), &title))
                        (self.form())
                        (self.claim(desk))
                        (then(desk, self.task))
                    }
                    @if !events.is_empty() {
                        section.happened aria-labelledby="happened" {
                            h2 #happened { "What has happened" }
                            div #story data-live {
                                (timeline(desk, self.thing.as_ref(), &events))
                                (ids(&events, self.thing.as_ref()))
                            }
                        }
                    }
                }
            }
        };
        let troubled = format!("Not recorded: {title}");
        let shown = self.trouble.as_ref().map_or(&title, |_| &troubled);
        let page = Page::new(shown, "");
        let page = if self.trouble.is_some() {
            page.still()
        } else {
            page
        };
        Ok(page.around(desk, &main))
    }

    fn given_words(&self) -> Value {
        let mut typed = Typed {
            texts: self.typed.texts.clone(),
            ..Typed::default()
        };
        typed.body(&self.task.fields)
    }

    fn head(&self, desk: &Desk, title: &str) -> Markup {
        let thing = self.thing.as_ref().filter(|_| !self.is_fresh());
        let mut links = vec![("/inbox", "My tasks".to_string())];
        let address = thing.map(Thing::address);
        if let (Some(thing), Some(address)) = (thing, &address) {
            links.push((address, thing.name()));
        }
        html! {
            (path(&links, ""))
            h1 { (title) }
            @if !self.task.doc.is_empty() { p.lead { (self.task.doc) } }
            @if let Some(asked) = self.asked {
                @let issued = &asked.open.issued;
                p.lead #asked data-live {
                    "You were asked at " (moment(asked.open.since, desk.now))
                    ". "
                    @if issued.tries > 1 { "It is asked for the " (ordinal(issued.tries)) " time. " }
                    (due(issued.due, desk.now))
                }
            }
        }
    }

    /// Whether the thing begins with this task.
    fn is_fresh(&self) -> bool {
        let thing = self.thing.as_ref().map(|t| t.key.as_str());
        let mut fresh = self.task.fields.iter().filter(|f| f.fresh);
        fresh.any(|f| Some(self.typed.text(&f.name)) == thing)
    }

    fn facts(&self, desk: &Desk, row: Option<&Value>, title: &str) -> Markup {
        let view = self.task.page.sees.as_deref().and_then(|v| desk.view(v));
        let mut all = match (view, row) {
            (Some(view), Some(row)) => facts(&view.row, row),
            _ => vec![],
        };
        for f in self.task.fields.iter().filter(|f| self.is_given(f)) {
            let (label, text) = (&f.label, self.typed.text(&f.name));
            let known = all.iter().any(|(l, _)| l == label);
            if f.kind().is_none() && !known {
                all.push((label.clone(), text.to_string()));
            }
        }
        if let Some(thing) = self.thing.as_ref().filter(|_| !self.is_fresh()) {
            all.push((plain(&thing.kind), short(&thing.key).to_string()));
        }
        html! {
            @if !all.is_empty() {
                div #facts data-live {
                    h2.unseen { "About it" }
                    dl.facts aria-label=(title) {
                        @for (question, answer) in &all { dt { (question) } dd { (answer) } }
                    }
                }
            }
        }
    }

    fn is_given(&self, field: &FieldDef) -> bool {
        self.given.contains(&field.name)
    }

    /// The form. It goes to another address than it came from: a browser forgets what it keeps of
    /// an address that something is sent to, and on the way back it is to find this very form.
    fn form(&self) -> Markup {
        let button = self.task.page.button.as_ref().unwrap_or(&self.task.title);
        let hidden =
            |name: &str, value: &str| html! { input type="hidden" name=(name) value=(value); };
        html! {
            form #form method="post" action={ "/do/" (self.name) "?send" } novalidate {
                (hidden("_id", &self.id.to_string()))
                (hidden("_seen", &self.seen.to_string()))
                @if let Some(asked) = self.asked {
                    (hidden("_asked", &asked.open.issued.id.to_string()))
                }
                @for f in &self.task.fields {
                    @if f.fresh { (hidden(&f.name, self.typed.text(&f.name))) }
                    @else if self.is_given(f) {
                        (hidden("_given", &f.name))
                        (hidden(&f.name, self.typed.text(&f.name)))
                    }
                    @else { (field(f, &self.typed)) }
                }
                p.buttons { button.primary type="submit" { (button) } }
            }
        }
    }

    /// Who has it, taking it upon oneself, and the other ways out.
    fn claim(&self, desk: &Desk) -> Markup {
        let Some(asked) = self.asked else {
            return html! {};
        };
        let taken = taken(desk, asked);
        let mine = taken.is_some() && is_mine(desk, asked);
        let to = |what: &str| format!("/tasks/{}/{what}", asked.open.issued.id);
        html! {
            div #claim data-live {
                @if let Some(taken) = &taken { p.taken { (sentence(taken)) } }
                @if mine {
                    form method="post" action=(to("hand-back")) {
                        button.second type="submit" { "Hand it back" }
                        " " span.hint { "Then others can take it." }
                    }
                }
                @if taken.is_none() {
                    form method="post" action=(to("claim")) {
                        button.second type="submit" { "I am on it" }
                        " " span.hint { "Others then see that you have it." }
                    }
                }
            }
            @if taken.is_none() || mine {
                details #decline {
                    summary { "I cannot do this…" }
                    form method="post" action=(to("decline")) {
                        div.field {
                            label for="why-not" { "Why not?" }
                            p.hint #why-not-hint {
                                "Whoever asked hears it, with your name; nobody else is asked "
                                "unless they ask again."
                            }
                            input #why-not type="text" name="reason" autocomplete="off" required
                                aria-describedby="why-not-hint";
                        }
                        p.buttons { button.second type="submit" { "I cannot do this" } }
                    }
                }
            }
        }
    }
}

/// The stages so far, and now. Nothing that has not happened is shown.
fn steps(desk: &Desk, events: &[StoredEvent], title: &str) -> Markup {
    let own: Vec<&StoredEvent> = events.iter().filter(|e| !e.ty.starts_with('$')).collect();
    html! {
        ol.steps aria-label="So far" {
            @if own.len() > STEPS { li.past.more { span.step { "…" } } }
            @for event in own.iter().take(STEPS).rev() {
                li.past {
                    span.step { (plain(&event.ty)) }
                    span.when { (moment(event.meta.recorded_at, desk.now)) }
                }
            }
            li.now aria-current="step" { span.step { "Now" } span.when { (title) } }
        }
    }
}

/// What comes of it, from the manifest.
fn then(desk: &Desk, task: &CommandEntry) -> Markup {
    let m = &desk.shared.manifest;
    let emits: Vec<String> = task.emits.iter().map(|e| small(&plain(e))).collect();
    let hears = m.processes.values().chain(m.policies.values());
    let hears = hears.filter(|p| p.types.iter().any(|t| task.emits.contains(t)));
    let hears: Vec<String> = hears.map(|p| format!("“{}”", p.title)).collect();
    let undo = task.page.undone_by.as_deref();
    let undo = undo.map(|u| {
        m.commands
            .get(u)
            .map_or_else(|| plain(u), |c| c.title.clone())
    });
    html! {
        @if !emits.is_empty() {
            p.then {
                strong { "Then: " }
                "it is recorded as " (emits.join(" or ")) "."
                @if !hears.is_empty() { " " (all_of(&hears)) " go" @if hears.len() == 1 { "es" } " on from there." }
            }
        }
        p.undo {
            @match undo {
                Some(undo) => { "It can be taken back: “" (undo) "”." }
                None => "This cannot be taken back.",
            }
        }
    }
}

/// Why nothing was recorded, on top of the page.
pub(super) fn trouble(
    task: &CommandEntry,
    typed: &Typed,
    why: Option<&str>,
    changed: &Markup,
) -> Markup {
    let name = |field: &str| {
        let known = task.fields.iter().find(|f| f.name == field);
        known.map_or_else(|| label(field, &Value::Null), |f| f.label.clone())
    };
    let place = |field: &str| task.fields.iter().position(|f| f.name == field);
    let mut in_order: Vec<_> = typed.wrong.iter().collect();
    in_order.sort_by_key(|(field, _)| place(field));
    html! {
        div.errors #errors role="alert" tabindex="-1" data-focus {
            h2 { "It was not recorded" }
            @if let Some(why) = why { p.reason { (sentence(why)) } }
            @if !typed.wrong.is_empty() {
                ul {
                    @for (field, why) in in_order {
                        li { a href={ "#f-" (field) } { (name(field)) } ": " (why) }
                    }
                }
            }
            (changed)
        }
    }
}
