//! What this program would have decided: the recorded inputs of finished instances once more,
//! through its own `react`, compared with what was decided then. There is nothing here that could
//! append, so that nothing is sent.

use super::build::{AppBuilder, BuildError, runners};
use super::preflight::{Reading, guarded};
use crate::runtime::begin::at_once;
use crate::runtime::db::Db;
use crate::runtime::definitions::routed_by;
use crate::runtime::index::read_facts;
use crate::runtime::step::Runner;
use fait_core::decision::CommandDef;
use fait_core::event::{Position, StoredEvent, Time};
use fait_core::process::{
    AnyInput, Fact, InputRef, Instance, Issue, Issued, ProcessDef, Reaction, Settled, Step, Target,
    Way, instance_tag,
};
use fait_core::query::Query;
use fait_core::store::{Range, Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// Most differences that a report lists; it counts all of them.
pub const MAX_DIFFERENCES: usize = 100;

/// Facts read at once.
const PAGE: usize = 500;

/// A deadline is reached a moment before its step is recorded, and what it sets counts from then.
const MOMENT: Duration = Duration::from_secs(10);

/// A step that this program would have taken otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The instance.
    pub key: String,
    /// The position of the recorded step.
    pub position: Position,
    /// What it was about.
    pub input: String,
    /// What is otherwise, each in a sentence: first what was recorded, then what would be now.
    pub otherwise: Vec<String>,
}

/// What a program would have decided for instances that have ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shadow {
    /// The process.
    pub process: String,
    /// Instances that were looked at.
    pub instances: u64,
    /// Those of them with a difference.
    pub differing: u64,
    /// Steps that were compared.
    pub steps: u64,
    /// Steps that cannot be: what an operator did, adoption, an input that was erased.
    pub skipped: u64,
    /// How many steps differ.
    pub different_steps: u64,
    /// The first [`MAX_DIFFERENCES`] of them.
    pub differences: Vec<Difference>,
}

impl Shadow {
    /// Whether everything would have been decided in the same way.
    pub fn ok(&self) -> bool {
        self.different_steps == 0
    }
}

impl fmt::Display for Shadow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shadow {
            process,
            instances,
            differing,
            steps,
            skipped,
            different_steps,
            differences,
        } = self;
        writeln!(
            f,
            "{process}: {steps} steps of {instances} instances that have ended; {skipped} steps \
             cannot be compared"
        )?;
        for d in differences {
            writeln!(f, "\n{} at event {}, {}", d.key, d.position, d.input)?;
            for what in &d.otherwise {
                writeln!(f, "  {what}")?;
            }
        }
        let listed = differences.len() as u64;
        if *different_steps > listed {
            writeln!(f, "\n… and {} more", different_steps - listed)?;
        }
        match self.ok() {
            true => write!(
                f,
                "This program would have decided all of them in the same way."
            ),
            false => write!(
                f,
                "\nThis program would have decided {different_steps} steps of {differing} \
                 instances otherwise."
            ),
        }
    }
}

impl AppBuilder {
    /// Runs what is wired here over the recorded inputs of a process's instances that have ended,
    /// the latest first, at most so many, and compares each decision with the recorded one. Each
    /// step begins with the recorded state before it, so that one difference does not bring
    /// others. Inputs of which nothing came were not recorded and are not looked at.
    ///
    /// Events that it raises itself are not compared. It uses the latest definition that is wired.
    /// For a folder in use, see [`preflight`](Self::preflight).
    ///
    /// # Errors
    /// Something is wired wrongly, there is no such process, or the folder cannot be read.
    pub fn shadow(
        &self,
        folder: impl AsRef<Path>,
        process: &str,
        limit: usize,
    ) -> Result<Shadow, BuildError> {
        self.check()?;
        let runners = runners(self.processes.clone(), &[]);
        let Some(runner) = runners.get(process) else {
            return Err(BuildError::Wiring(format!(
                "there is no process `{process}`"
            )));
        };
        let reading = Reading::open(folder.as_ref())?;
        let store: &dyn Store = &*reading.store;
        let db = Db::scratch(store.id())?;
        at_once(read_facts(store, &db))?;
        let sandbox = Sandbox {
            store,
            runner,
            commands: self.commands.iter().map(|c| (c.name.as_str(), c)).collect(),
        };
        let mut report = Shadow {
            process: process.into(),
            ..Shadow::default()
        };
        for ended in db.instances(Some(process), Some("ended"), limit)? {
            sandbox.run(&ended.key, &mut report)?;
        }
        Ok(report)
    }
}

struct Sandbox<'a> {
    store: &'a dyn Store,
    runner: &'a Runner,
    commands: BTreeMap<&'a str, &'a CommandDef>,
}

impl Sandbox<'_> {
    fn run(&self, key: &str, report: &mut Shadow) -> Result<(), StoreError> {
        let process = &self.runner.def.name;
        let query = Query::tags(vec![instance_tag(process, key)]);
        let mut instance = Instance::new(process, key);
        let (mut after, before) = (0, report.different_steps);
        loop {
            let slice = at_once(self.store.read(&query, Range::after(after, PAGE)))?;
            for event in &slice.events {
                let Some(fact) = Fact::read(event).map_err(StoreError::new)? else {
                    continue;
                };
                if let Fact::Stepped(step) = &fact
                    && !step.late
                {
                    self.compare(&instance, step, event, report)?;
                }
                instance.absorb(&fact, &event.meta, &event.tags);
            }
            match slice.events.last() {
                Some(last) if slice.events.len() == PAGE => after = last.meta.position,
                _ => break,
            }
        }
        report.instances += 1;
        report.differing += u64::from(report.different_steps > before);
        Ok(())
    }

    fn compare(
        &self,
        instance: &Instance,
        step: &Step,
        event: &StoredEvent,
        report: &mut Shadow,
    ) -> Result<(), StoreError> {
        let Some((now, decided)) = self.decide(instance, step, event)? else {
            report.skipped += 1;
            return Ok(());
        };
        report.steps += 1;
        let otherwise = match decided {
            Ok(reaction) => self.differences(instance, step, &reaction, now),
            Err(why) => vec![format!("a step was taken; now it would be parked: {why}")],
        };
        if otherwise.is_empty() {
            return Ok(());
        }
        report.different_steps += 1;
        if report.differences.len() < MAX_DIFFERENCES {
            report.differences.push(Difference {
                key: instance.key.clone(),
                position: event.meta.position,
                input: input_words(&step.input),
                otherwise,
            });
        }
        Ok(())
    }

    /// What would be decided now; none when the input is not one that `react` hears, or is gone.
    #[expect(
        clippy::type_complexity,
        reason = "a decision, or why there is none, with its time, where there is one"
    )]
    fn decide(
        &self,
        instance: &Instance,
        step: &Step,
        event: &StoredEvent,
    ) -> Result<Option<(Time, Result<Reaction, String>)>, StoreError> {
        let (def, recorded) = (&self.runner.def, event.meta.recorded_at);
        let (position, ty) = match &step.input {
            InputRef::Deadline(d) => {
                let decided = react(def, instance, step, AnyInput::Timer(&d.name), recorded);
                return Ok(Some((recorded, decided)));
            }
            InputRef::Event { position, ty, .. } => (*position, ty),
            InputRef::Command { .. } | InputRef::Operator => return Ok(None),
        };
        let range = Range::after(position.saturating_sub(1), 1);
        let found = at_once(self.store.read(&Query::all(), range))?.events;
        let heard = found.into_iter().next();
        let Some(heard) = heard.filter(|e| e.meta.position == position && e.ty == *ty) else {
            return Ok(None);
        };
        let now = heard.meta.recorded_at;
        let decided = match Fact::read(&heard).map_err(StoreError::new)? {
            Some(Fact::Settled(s)) => {
                let known = instance.unheard.get(&position).cloned();
                let issued = known.unwrap_or_else(|| issued_of(&s));
                let input = AnyInput::Settled(&issued, &s.outcome);
                react(def, instance, step, input, now)
            }
            Some(Fact::Operated(o)) => {
                let by = heard.meta.origin.actor.as_deref().unwrap_or("somebody");
                let input = AnyInput::Cancelled(by, &o.reason);
                react(def, instance, step, input, now).map(|r| Reaction {
                    ended: true,
                    parked: None,
                    ..r
                })
            }
            Some(_) => return Ok(None),
            None => react(def, instance, step, AnyInput::Event(&heard), now).map(|r| Reaction {
                ended: r.ended || ends(def, instance, &heard),
                ..r
            }),
        };
        Ok(Some((now, decided)))
    }

    fn differences(
        &self,
        instance: &Instance,
        step: &Step,
        reaction: &Reaction,
        now: Time,
    ) -> Vec<String> {
        if let Some((_, why)) = &reaction.parked {
            return vec![format!("a step was taken; now it would be parked: {why}")];
        }
        let mut all = vec![];
        let mut differ = |what: &str, was: String, is: String| {
            if was != is {
                all.push(format!("{what}: was {was}, now {is}"));
            }
        };
        let was = (self.runner.def.reads.state)(step.version, &step.state);
        let was = was.unwrap_or_else(|_| step.state.clone());
        differ("state", was.to_string(), reaction.state.to_string());
        let slack = match step.input {
            InputRef::Deadline(_) => MOMENT,
            _ => Duration::ZERO,
        };
        let key = &instance.key;
        let role = |i: &&Issue| i.role.is_some();
        let issued: Vec<&Issue> = reaction.issued.iter().collect();
        let issued = issued.into_iter().filter(|i| !(reaction.ended && role(i)));
        let issued: Vec<String> = issued
            .enumerate()
            .map(|(n, issue)| self.issue_words(issue, step.issued.get(n), (key, now, slack)))
            .collect();
        let was: Vec<String> = step.issued.iter().map(issued_words).collect();
        differ("issued", list(was), list(issued));
        let open = instance.open.values();
        let taken_back =
            open.filter(|o| reaction.ended || reaction.withdrawn.contains(&o.issued.name));
        let name_of = |id| instance.open.get(id).map(|o| o.issued.name.clone());
        let was = step.withdrawn.iter().filter_map(name_of).collect();
        let is = taken_back.map(|o| o.issued.name.clone()).collect();
        differ("withdrawn", list(was), list(is));
        let was = step.set.iter().map(|d| at(&d.name, d.due)).collect();
        let old = |name: &str| step.set.iter().find(|d| d.name == name).map(|d| d.due);
        let is = reaction.set.iter();
        let is = is.map(|(name, due)| at(name, close(*due, old(name), slack)));
        differ("deadlines set", list(was), list(is.collect()));
        let was = step.awaiting.iter().map(|a| after(&a.name, a.after_ms));
        let is = reaction.awaiting.iter().filter(|_| !reaction.ended);
        let ms = |d: &Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        let is = is.map(|(name, _, d)| after(name, ms(d)));
        differ(
            "deadlines that wait",
            list(was.collect()),
            list(is.collect()),
        );
        let cancelled = |names: &[String]| list(names.to_vec());
        differ(
            "deadlines cancelled",
            cancelled(&step.cancelled),
            cancelled(&reaction.cancelled),
        );
        differ(
            "the end",
            end_words(step.ended, step.until_settled).into(),
            end_words(reaction.ended, reaction.until_settled).into(),
        );
        all
    }

    /// A command as it would be issued now, in the same words as a recorded one.
    fn issue_words(
        &self,
        issue: &Issue,
        was: Option<&Issued>,
        (key, now, slack): (&str, Time, Duration),
    ) -> String {
        let told = self.commands.get(issue.name.as_str());
        let to = match (&issue.role, told.and_then(|c| c.page.to.as_ref())) {
            (Some(role), _) => Target::Role(role.clone()),
            (None, Some(system)) => Target::System(system.clone()),
            (None, None) => Target::Here,
        };
        let mut body = issue.body.clone();
        if let (Target::Role(_), Some(was)) = (&to, was) {
            give_key(&mut body, &was.body, key);
        }
        let due = issue.within.map(|within| now + within);
        let due = due.map(|due| close(due, was.and_then(|w| w.due), slack));
        words(&issue.name, &body, &to, due)
    }
}

/// The runtime gives an asked task the key of its instance; that is no decision.
fn give_key(body: &mut Value, was: &Value, key: &str) {
    let fields = was.as_object().into_iter().flatten();
    for (name, value) in fields {
        let is_key = value.as_str() == Some(key) || *value == key_number(key);
        if is_key && body.get(name).is_none() {
            body[name] = value.clone();
        }
    }
}

/// A key that is a number, as a field of that kind has it.
fn key_number(key: &str) -> Value {
    key.parse::<u64>().map_or(Value::Null, Value::from)
}

fn react(
    def: &ProcessDef,
    instance: &Instance,
    step: &Step,
    input: AnyInput<'_>,
    now: Time,
) -> Result<Reaction, String> {
    let state = instance.state.as_ref().filter(|_| !step.again);
    let state = state.map(|(version, value)| (*version, value));
    guarded(|| (def.react)(&instance.key, state, input, now))
}

/// Whether an instance ends with an event by its route.
fn ends(def: &ProcessDef, instance: &Instance, event: &StoredEvent) -> bool {
    let routed = routed_by(def, event).unwrap_or_default();
    let mine = |way: &Way| match way {
        Way::Key(key) => *key == instance.key,
        // It came to this instance, so that its id stood for it.
        Way::Alias(..) => true,
    };
    routed.iter().any(|r| r.ends && mine(&r.way))
}

fn issued_of(s: &Settled) -> Issued {
    Issued {
        id: s.command,
        name: s.name.clone(),
        body: s.body.clone(),
        to: Target::Here,
        due: None,
        tries: 0,
        expires: false,
    }
}

fn end_words(ended: bool, later: bool) -> &'static str {
    match (ended, later) {
        (true, _) => "it ends",
        (false, true) => "it ends once all is settled",
        (false, false) => "it goes on",
    }
}

/// A time that is a moment behind the recorded one counts as that.
fn close(due: Time, was: Option<Time>, slack: Duration) -> Time {
    match was {
        Some(was) if due >= was && due.since(was) <= slack => was,
        _ => due,
    }
}

fn issued_words(issued: &Issued) -> String {
    words(&issued.name, &issued.body, &issued.to, issued.due)
}

fn words(name: &str, body: &Value, to: &Target, due: Option<Time>) -> String {
    let to = match to {
        Target::Here => String::new(),
        Target::Role(who) | Target::System(who) => format!(" to {who}"),
    };
    let until = due.map(|due| format!(" until {due}")).unwrap_or_default();
    format!("{name}{body}{to}{until}")
}

fn at(name: &str, due: Time) -> String {
    format!("{name} at {due}")
}

fn after(name: &str, ms: u64) -> String {
    format!("{name} after {ms} ms")
}

fn list(mut all: Vec<String>) -> String {
    all.sort();
    match all.is_empty() {
        true => "nothing".into(),
        false => all.join(", "),
    }
}

fn input_words(input: &InputRef) -> String {
    match input {
        InputRef::Event { ty, position, .. } => format!("on `{ty}`, event {position}"),
        InputRef::Deadline(d) => format!("on deadline {}", d.name),
        InputRef::Command { name, .. } => format!("on `{name}`"),
        InputRef::Operator => "on what an operator did".into(),
    }
}
