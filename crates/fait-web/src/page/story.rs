//! What happened, in plain words: events, and what processes asked, took back and waited for.

use super::desk::Desk;
use super::subject::Thing;
use super::words::{
    all_of, hour, label, members, moment, ordinal, person, plain, short, small, tell,
};
use fait::app::DECLINED;
use fait::bus::{ANSWERED, PUBLISHED, RECEIVED};
use fait::decision::recorded;
use fait::event::StoredEvent;
use fait::process::{Action, Fact, InputRef, Issued, Outcome, Settled, Step, Target};
use maud::{Markup, html};
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// How a line is marked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mark {
    /// An event of the business.
    Event,
    /// A process asked or told somebody.
    Asked,
    /// Something went another way than wished.
    Trouble,
}

impl Mark {
    pub(super) fn class(self) -> &'static str {
        match self {
            Mark::Event => "event",
            Mark::Asked => "asked",
            Mark::Trouble => "trouble",
        }
    }
}

/// A line of what happened.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) mark: Mark,
    /// In bold.
    pub(super) what: String,
    /// Behind it.
    pub(super) words: String,
    /// Below it, behind the time.
    pub(super) more: String,
}

impl Line {
    fn new(mark: Mark, what: impl Into<String>) -> Line {
        let what = what.into();
        let (words, more) = (String::new(), String::new());
        Line {
            mark,
            what,
            words,
            more,
        }
    }

    fn with(mut self, more: impl Into<String>) -> Line {
        self.more = more.into();
        self
    }
}

/// Tells events, with what is known of them from each other.
pub(super) struct Teller<'a> {
    desk: &'a Desk,
    /// What the reader knows already.
    thing: Option<&'a Thing>,
    issued: BTreeMap<Uuid, Issued>,
    told: Vec<Uuid>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(desk: &'a Desk, thing: Option<&'a Thing>, events: &[StoredEvent]) -> Self {
        let mut issued = BTreeMap::new();
        for event in events.iter().filter(|e| e.ty.starts_with('$')) {
            if let Ok(Some(fact)) = Fact::read(event) {
                issued.extend(fact.issued().iter().map(|i| (i.id, i.clone())));
            }
        }
        let own = events.iter().filter(|e| !e.ty.starts_with('$'));
        let told = own.filter_map(|e| e.meta.origin.command).collect();
        Teller {
            desk,
            thing,
            issued,
            told,
        }
    }

    /// An event as lines; a fact of a process that nobody needs to know has none.
    pub(super) fn lines(&self, event: &StoredEvent) -> Vec<Line> {
        let by = self.actor(event);
        if !event.ty.starts_with('$') {
            return vec![self.event(event, by)];
        }
        match Fact::read(event) {
            Ok(Some(Fact::Stepped(step))) => self.step(&step),
            Ok(Some(Fact::Settled(s))) => self.settled(event, &s, &by).into_iter().collect(),
            Ok(Some(Fact::Parked(p))) => {
                let what = format!(
                    "“{}” stopped and waits for an operator",
                    self.process(&p.process)
                );
                vec![Line::new(Mark::Trouble, what).with(p.reason)]
            }
            Ok(Some(Fact::Resumed(r))) => {
                let how = if r.retry {
                    "tries again"
                } else {
                    "goes on without it"
                };
                let what = format!("“{}” {how}", self.process(&r.process));
                vec![Line::new(Mark::Asked, what).with(format!("{by}: {}", r.reason))]
            }
            Ok(Some(Fact::Operated(o))) => {
                let process = self.process(&o.process);
                let what = match o.action {
                    Action::Cancel => format!("“{process}” was cancelled"),
                    Action::Complete => format!("“{process}” was declared done"),
                    Action::Amend => format!("What “{process}” wants was corrected"),
                    Action::Postpone => format!("“{process}” waits until another time"),
                    Action::Fire => format!("“{process}” does not wait any longer"),
                    Action::Compensate => format!("What “{process}” did is taken back"),
                    Action::Migrate => format!("“{process}” goes on by its new rules"),
                };
                vec![Line::new(Mark::Asked, what).with(format!("{by}: {}", o.reason))]
            }
            Ok(Some(Fact::Tried(_) | Fact::Withdrawn(_))) => vec![],
            Ok(Some(Fact::Claimed(c))) if c.back => {
                let what = format!("{} handed it back", person(&c.by));
                vec![Line::new(Mark::Asked, what).with(self.task(&c.command))]
            }
            Ok(Some(Fact::Claimed(c))) => {
                let until = hour(c.until, self.desk.now);
                let what = format!("{} took it until {until}", person(&c.by));
                vec![Line::new(Mark::Asked, what).with(self.task(&c.command))]
            }
            // What was asked is told by what came of it.
            Ok(None) if event.ty == recorded::TYPE => vec![],
            Ok(None) if event.ty == PUBLISHED => vec![self.message(event, "Told to others")],
            Ok(None) if event.ty == RECEIVED => vec![self.message(event, "Heard from others")],
            Ok(None) if event.ty == ANSWERED => vec![self.answered(event)],
            Ok(None) | Err(_) => vec![Line::new(Mark::Trouble, plain(&event.ty)).with(by)],
        }
    }

    /// What an event is called where one line has to do.
    pub(super) fn name(&self, event: &StoredEvent) -> String {
        let lines = self.lines(event);
        lines
            .first()
            .map_or_else(|| self.quiet(event), |l| l.what.clone())
    }

    /// What a fact is called that another event tells as well.
    fn quiet(&self, event: &StoredEvent) -> String {
        match Fact::read(event) {
            Ok(Some(Fact::Stepped(step))) => {
                let process = self.process(&step.process);
                let began: Vec<String> = step.issued.iter().map(|i| self.title(i)).collect();
                match &began[..] {
                    [] => format!("“{process}” went on"),
                    began => format!("“{process}” began to {}", all_of(began)),
                }
            }
            Ok(Some(Fact::Settled(s))) => format!("Done: {}", small(&self.titled(&s.name))),
            _ => plain(&event.ty),
        }
    }

    /// A message between systems, with its type.
    fn message(&self, event: &StoredEvent, what: &str) -> Line {
        let ty = event
            .json()
            .ok()
            .and_then(|v| Some(v.get("type")?.as_str()?.to_string()));
        let mut line = Line::new(Mark::Asked, what).with(self.actor(event));
        line.words = ty.unwrap_or_default();
        line
    }

    /// What a client of the open door was answered.
    fn answered(&self, event: &StoredEvent) -> Line {
        let said = event.json().unwrap_or_default();
        let title = small(&self.titled(said["command"].as_str().unwrap_or_default()));
        let what = match said["reason"].as_str() {
            Some(_) => format!("Answered that it is refused: {title}"),
            None => format!("Answered that it is done: {title}"),
        };
        let mut line = Line::new(Mark::Asked, what).with(self.actor(event));
        line.words = said["reason"].as_str().unwrap_or_default().to_string();
        line
    }

    fn event(&self, event: &StoredEvent, by: String) -> Line {
        let mut line = Line::new(Mark::Event, plain(&event.ty)).with(by);
        let def = self.desk.shared.manifest.events.get(&event.ty);
        let schema = def
            .map(|d| d.schema["properties"].clone())
            .unwrap_or_default();
        let mut words = vec![];
        for (name, value) in members(event) {
            let own = &schema[&name];
            let known = |t: &&Thing| own["x-kind"] == t.kind.as_str() && tell(&value) == t.key;
            if value.is_null() || self.thing.as_ref().is_some_and(known) {
                continue;
            }
            let label = small(&label(&name, own));
            words.push(match &value {
                Value::Bool(_) => format!("{label}: {}", tell(&value)),
                Value::Array(list) => {
                    let parts: Vec<String> = list.iter().map(tell).collect();
                    format!("{label} {}", all_of(&parts))
                }
                _ => format!("{label} {}", short(&tell(&value))),
            });
        }
        line.words = words.join(", ");
        line
    }

    fn step(&self, step: &Step) -> Vec<Line> {
        let process = self.process(&step.process);
        let mut lines: Vec<Line> = vec![];
        let asked_again = |i: &Issued| step.issued.iter().any(|n| n.name == i.name && n.to == i.to);
        let back = step.withdrawn.iter().filter_map(|id| self.issued.get(id));
        for issued in back.filter(|i| !asked_again(i)) {
            let what = match &issued.to {
                Target::Role(role) => format!("{role} need not {} any more", self.title(issued)),
                Target::System(to) => format!("{to} need not {} any more", self.title(issued)),
                Target::Here => format!("{} was taken back", self.title(issued)),
            };
            lines.push(Line::new(Mark::Asked, what).with(format!("by “{process}”")));
        }
        // What a process did itself is told by the event that came of it.
        let tells = |i: &&Issued| i.to != Target::Here || !self.told.contains(&i.id);
        for issued in step.issued.iter().filter(tells) {
            lines.push(self.issue(issued, &process));
        }
        if step.ended {
            lines.push(Line::new(Mark::Asked, format!("“{process}” has ended")));
        }
        if let InputRef::Deadline(_) = step.input
            && let Some(line) = lines.first_mut()
        {
            line.more.push_str(" · the time was up");
        }
        // Newest first, as everything else.
        lines.reverse();
        lines
    }

    fn issue(&self, issued: &Issued, process: &str) -> Line {
        let title = self.title(issued);
        let again = match issued.tries {
            0 | 1 => String::new(),
            n => format!(" ({} time)", ordinal(n)),
        };
        let what = match &issued.to {
            Target::Role(role) => format!("{role} was asked to {title}{again}"),
            Target::System(system) => format!("{system} was told to {title}{again}"),
            Target::Here => format!("“{process}” began to {title}{again}"),
        };
        let due = issued
            .due
            .map(|d| format!("due {} · ", hour(d, self.desk.now)));
        let more = match issued.to {
            Target::Here => String::new(),
            _ => format!("{}by “{process}”", due.unwrap_or_default()),
        };
        Line::new(Mark::Asked, what).with(more)
    }

    fn settled(&self, event: &StoredEvent, s: &Settled, by: &str) -> Option<Line> {
        let title = small(&self.titled(&s.name));
        if let Some(how) = &s.by_hand {
            let what = match &s.outcome {
                Outcome::Accepted => format!("It is known to be done: {title}"),
                _ => format!("It is known not to be done: {title}"),
            };
            return Some(Line::new(Mark::Asked, what).with(format!("{by}: {how}")));
        }
        match &s.outcome {
            Outcome::Accepted => {
                let command = event.meta.origin.command;
                let told = command.is_some_and(|c| self.told.contains(&c));
                let known = self.desk.shared.command(&s.name);
                let done = || match known.and_then(|c| c.page.to.as_deref()) {
                    // What it did there is in its own log.
                    Some(system) => Line::new(Mark::Asked, format!("Done: {title}")).with(system),
                    None => {
                        let what = format!("Nothing had to change: {title}");
                        Line::new(Mark::Asked, what).with(by)
                    }
                };
                (!told).then(done)
            }
            Outcome::Refused { code, reason } if code == DECLINED => {
                let what = format!("Declined: {title}");
                Some(Line::new(Mark::Asked, what).with(format!("{by}: {reason}")))
            }
            Outcome::Refused { reason, .. } => {
                let what = format!("Refused: {title}");
                Some(Line::new(Mark::Trouble, what).with(reason.clone()))
            }
            Outcome::Failed { error } => {
                let what = format!("Failed: {title}");
                Some(Line::new(Mark::Trouble, what).with(error.clone()))
            }
            Outcome::Expired => Some(Line::new(Mark::Trouble, format!("Not in time: {title}"))),
            Outcome::Skipped { reason } => {
                let what = format!("Not to be done: {title}");
                Some(Line::new(Mark::Asked, what).with(format!("{by}: {reason}")))
            }
        }
    }

    /// Who did it; a process by its title.
    fn actor(&self, event: &StoredEvent) -> String {
        let actor = event.meta.origin.actor.as_deref().unwrap_or_default();
        match actor.strip_prefix("process:") {
            Some(name) => format!("“{}”", self.process(name)),
            None => person(actor),
        }
    }

    fn process(&self, name: &str) -> String {
        let known = self.desk.shared.process(name);
        known.map_or_else(|| plain(name), |p| p.title.clone())
    }

    fn titled(&self, command: &str) -> String {
        let known = self.desk.shared.command(command);
        known.map_or_else(|| plain(command), |c| c.title.clone())
    }

    fn title(&self, issued: &Issued) -> String {
        small(&self.titled(&issued.name))
    }

    fn task(&self, id: &Uuid) -> String {
        self.issued
            .get(id)
            .map_or(String::new(), |i| self.titled(&i.name))
    }
}

/// A line on the page.
pub(super) fn line(desk: &Desk, event: &StoredEvent, line: &Line) -> Markup {
    html! {
        span.what {
            strong { (line.what) }
            @if !line.words.is_empty() { " – " (line.words) }
        }
        span.when {
            (moment(event.meta.recorded_at, desk.now))
            @if !line.more.is_empty() { " · " (line.more) }
        }
    }
}

/// Events, newest first, as they are given.
pub(super) fn timeline(desk: &Desk, thing: Option<&Thing>, events: &[StoredEvent]) -> Markup {
    let teller = Teller::new(desk, thing, events);
    html! {
        ol.story {
            @for event in events {
                @for one in teller.lines(event) {
                    li class=(one.mark.class()) { (line(desk, event, &one)) }
                }
            }
        }
    }
}

/// The ids behind a story, for those who look for them.
pub(super) fn ids(events: &[StoredEvent], thing: Option<&Thing>) -> Markup {
    html! {
        details #ids {
            summary { "Numbers and ids" }
            @if let Some(thing) = thing { p { (thing.kind) ": " code { (thing.key) } } }
            ul.ids {
                @for e in events {
                    li {
                        a href={ "/events/" (e.meta.position) } { (e.meta.position) }
                        " " code { (e.ty) }
                    }
                }
            }
        }
    }
}
