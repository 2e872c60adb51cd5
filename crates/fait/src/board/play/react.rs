//! The processes and policies of a board as what they are in any system: a state, what they hear,
//! and what they want done.

use super::decision::{Words, draft, event_def, words_of};
use super::form::way_field;
use super::stage::{Cue, Event, Flow, Reaction as Said, Stage, Step, When};
use super::task::{ANYBODY, Task};
use super::word::text_of;
use fait_core::event::{EventDef, StoredEvent, Time};
use fait_core::process::{
    Alias, AnyInput, Issue, May, ProcessDef, Reaction, Reads, Routed, Unmatched, Way,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// What an instance remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct State {
    /// The words of what it heard, the latest of each.
    words: Words,
    /// How often it tried, by what it waits for.
    tries: BTreeMap<String, u64>,
}

/// A flow with what it needs of the board.
struct Played {
    stage: Arc<Stage>,
    tasks: Arc<Vec<Task>>,
    flow: Flow,
    /// For each reaction that waits, whether no step of the flow leads to what it waits for, and
    /// the reaction with which its clock starts then.
    armed_by: Vec<Option<usize>>,
}

/// A step being taken.
struct Taken<'a> {
    played: &'a Played,
    state: State,
    now: Time,
    out: Reaction,
}

/// The definition of a process or policy.
pub(super) fn process(
    stage: &Arc<Stage>,
    tasks: &Arc<Vec<Task>>,
    number: usize,
    name: String,
) -> ProcessDef {
    let flow = stage.flows[number].clone();
    let heard: Vec<&Event> = flow.heard().into_iter().map(|e| &stage.events[e]).collect();
    let steps = || flow.reactions.iter().flat_map(|r| &r.steps);
    let sends: BTreeSet<usize> = steps().filter_map(Step::task).collect();
    let raises: BTreeSet<usize> = steps()
        .filter_map(|step| match step {
            Step::Raise { event } => Some(*event),
            _ => None,
        })
        .collect();
    let defs = |events: &[&Event]| events.iter().map(|e| event_def(stage, e)).collect();
    let raised: Vec<&Event> = raises.into_iter().map(|e| &stage.events[e]).collect();
    let raises: Vec<EventDef> = defs(&raised);
    let kinds = flow
        .keys
        .iter()
        .filter_map(|k| stage.words[*k].kind.clone());
    let kinds: Vec<String> = kinds.collect();
    let played = Arc::new(Played {
        stage: stage.clone(),
        tasks: tasks.clone(),
        armed_by: armed_by(tasks, &flow),
        flow: flow.clone(),
    });
    let (routing, reacting) = (played.clone(), played.clone());
    let same = |_: u32, state: &Value| Ok(state.clone());
    ProcessDef {
        name,
        title: flow.title.clone(),
        version: 1,
        definition: 1,
        policy: flow.policy,
        key_kind: match flow.policy {
            true => "event".into(),
            false => kinds.join("_"),
        },
        types: heard.iter().flat_map(|e| names(e)).collect(),
        heard_defs: defs(&heard),
        sends: sends.into_iter().map(|t| tasks[t].name.clone()).collect(),
        raises,
        route: Arc::new(move |event| Ok(routing.route(event))),
        aliases: aliases(stage, &flow),
        hears: None,
        problems: vec![],
        react: Arc::new(move |_, state, input, now| reacting.react(state, input, now)),
        adopt: Arc::new(|_, _| Ok(None)),
        migrate: Arc::new(|(_, state), _| Ok(state.clone())),
        reads: Reads {
            state: Arc::new(same),
            timer: Arc::new(|_| Ok(())),
            command: Arc::new(|_, _| Ok(())),
            event: Arc::new(|_| Ok(())),
        },
    }
}

fn names(event: &Event) -> Vec<String> {
    std::iter::once(event.ty.clone())
        .chain(event.was.clone())
        .collect()
}

fn tags<'a>(event: &'a StoredEvent, kind: Option<&str>) -> Vec<&'a str> {
    let tags = event.tags.iter().filter(|t| Some(t.kind()) == kind);
    tags.map(|t| t.value()).collect()
}

/// Which keys other ids stand for: every event that carries both says so.
fn aliases(stage: &Stage, flow: &Flow) -> Vec<Alias> {
    let [key] = flow.keys[..] else { return vec![] };
    let mut out = vec![];
    for other in &flow.also {
        let kind = |word: usize| stage.words[word].kind.clone().unwrap_or_default();
        let (kind, own) = (kind(*other), kind(key));
        let both = stage.events.iter();
        let both = both.filter(|e| e.carries.contains(other) && e.carries.contains(&key));
        for ty in both.flat_map(names) {
            let (other, own) = (kind.clone(), own.clone());
            let pairs = move |event: &StoredEvent| {
                let keys = tags(event, Some(&own));
                let others = tags(event, Some(&other));
                let pairs = others
                    .iter()
                    .flat_map(|other| keys.iter().map(|key| (other.to_string(), key.to_string())));
                Ok(pairs.collect())
            };
            out.push(Alias {
                name: kind.clone(),
                ty,
                kind: kind.clone(),
                pairs: Arc::new(pairs),
            });
        }
    }
    out
}

/// The events that a step can lead to at once.
fn leads(tasks: &[Task], step: &Step) -> BTreeSet<usize> {
    step.task().map(|t| tasks[t].events()).unwrap_or_default()
}

fn meet(step: &BTreeSet<usize>, events: &[usize]) -> bool {
    events.iter().any(|e| step.contains(e))
}

/// The reaction that starts the clock of one that waits, where no step leads to what it waits for.
/// What is done once the time has run out leads there too late.
fn armed_by(tasks: &[Task], flow: &Flow) -> Vec<Option<usize>> {
    let led = |waiting: &Said| {
        let others = flow.reactions.iter();
        let others = others.filter(|r| r.cue == Cue::On || r.events != waiting.events);
        let mut steps = others.flat_map(|r| &r.steps);
        steps.any(|step| meet(&leads(tasks, step), &waiting.events))
    };
    // What is waited for does not start the waiting.
    let starts = |r: &Said, waiting: &Said| {
        r.cue == Cue::On && !r.events.iter().any(|e| waiting.events.contains(e))
    };
    let above = |number: usize, waiting: &Said| {
        let mut above = flow.reactions[..number].iter();
        let nearest = above.rposition(|r| starts(r, waiting));
        let any = || flow.reactions.iter().position(|r| starts(r, waiting));
        nearest.or_else(any)
    };
    let all = flow.reactions.iter().enumerate();
    all.map(|(number, r)| match r.cue {
        Cue::On => None,
        _ if led(r) => None,
        _ => above(number, r),
    })
    .collect()
}

impl Played {
    /// What a reaction waits for, in words that stay the same when the board is edited elsewhere.
    fn waits_for(&self, reaction: &Said) -> String {
        let events = reaction
            .events
            .iter()
            .map(|e| self.stage.events[*e].ty.as_str());
        let events: Vec<&str> = events.collect();
        let time = match reaction.cue {
            Cue::On => String::new(),
            Cue::After(time) => format!("{} s", time.as_secs()),
            Cue::Tries(tries) => format!("{tries} tries"),
        };
        format!("{time} without {}", events.join(", "))
    }

    fn number(&self, stored: &StoredEvent) -> Option<usize> {
        let mut events = self.stage.events.iter();
        events.position(|e| e.ty == stored.ty || e.was.contains(&stored.ty))
    }

    /// Whether a condition is so.
    fn is_so(&self, when: &When, stored: &StoredEvent) -> bool {
        let data = || stored.json().unwrap_or_default();
        match when {
            When::Always => true,
            When::Word(word, yes) => data()[&self.stage.words[*word].field].as_bool() == Some(*yes),
            When::Chosen(way) => data()[&way_field(&self.stage)] == way.as_str(),
        }
    }

    /// The reactions to something that happened.
    fn reactions(&self, number: usize, stored: &StoredEvent) -> Vec<(usize, &Said)> {
        let reacts = |(_, r): &(usize, &Said)| {
            let mut cases = r.events.iter().zip(&r.when);
            r.cue == Cue::On && cases.any(|(e, when)| *e == number && self.is_so(when, stored))
        };
        self.flow
            .reactions
            .iter()
            .enumerate()
            .filter(reacts)
            .collect()
    }

    fn route(&self, stored: &StoredEvent) -> Vec<Routed> {
        if self.flow.policy {
            return vec![Routed::to(stored.meta.id)];
        }
        let Some(number) = self.number(stored) else {
            return vec![];
        };
        let reactions = self.reactions(number, stored);
        let starts = reactions.iter().any(|(_, r)| r.start);
        let goes_on = |r: &Said| !r.start && r.events.contains(&number);
        let ends = self.flow.ends.contains(&number);
        if !starts && !ends && !self.flow.reactions.iter().any(goes_on) {
            return vec![];
        }
        let rule = |way, may| Routed {
            way,
            may,
            unmatched: Unmatched::Ignore,
            ends,
            again: starts,
        };
        let may = if starts { May::Start } else { May::Proceed };
        let keys = self.keys(number, stored);
        if !keys.is_empty() {
            let all = keys.into_iter().map(|key| rule(Way::Key(key), may));
            return all.collect();
        }
        let also = self
            .flow
            .also
            .iter()
            .filter_map(|w| self.stage.words[*w].kind.as_deref());
        let also = also.flat_map(|kind| {
            let ids = tags(stored, Some(kind));
            ids.into_iter()
                .map(move |id| Way::Alias(kind.into(), id.into()))
        });
        also.map(|way| rule(way, May::Proceed)).collect()
    }

    fn keys(&self, number: usize, stored: &StoredEvent) -> Vec<String> {
        if let [key] = self.flow.keys[..] {
            let kind = self.stage.words[key].kind.as_deref();
            return tags(stored, kind).into_iter().map(String::from).collect();
        }
        let words = words_of(&self.stage, &self.stage.events[number], stored);
        let text = |key: &usize| text_of(words.get(&self.stage.words[*key].field)?);
        let texts: Option<Vec<String>> = self.flow.keys.iter().map(text).collect();
        texts.map(|texts| texts.join(" / ")).into_iter().collect()
    }

    fn react(
        &self,
        state: Option<(u32, &Value)>,
        input: AnyInput<'_>,
        now: Time,
    ) -> Result<Reaction, String> {
        let before: State = match state {
            None => State::default(),
            Some((_, state)) => serde_json::from_value(state.clone())
                .map_err(|e| format!("its state cannot be read: {e}"))?,
        };
        let mut taken = Taken {
            played: self,
            state: before.clone(),
            now,
            out: Reaction::default(),
        };
        match input {
            AnyInput::Event(event) => taken.hear(event),
            AnyInput::Timer(name) => taken.wake(name),
            AnyInput::Settled(..) | AnyInput::Cancelled(..) => {}
        }
        let Taken { state, mut out, .. } = taken;
        out.changed = state != before && !self.flow.policy;
        out.until_settled = self.flow.policy && !out.issued.is_empty();
        out.state = serde_json::to_value(state).map_err(|e| e.to_string())?;
        Ok(out)
    }
}

impl<'a> Taken<'a> {
    fn hear(&mut self, stored: &StoredEvent) {
        let played = self.played;
        let Some(number) = played.number(stored) else {
            return;
        };
        let words = words_of(&played.stage, &played.stage.events[number], stored);
        self.state.words.extend(words);
        let reactions = played.reactions(number, stored);
        let failed = self.settle(number);
        for (at, reaction) in reactions {
            self.run(reaction, &[]);
            self.arm_behind(at);
        }
        for reaction in failed {
            self.run(reaction, &[]);
        }
    }

    /// What waited for it waits no longer, and nobody is asked for it any more. Gives what is
    /// done because something else came of the last try that there was.
    fn settle(&mut self, number: usize) -> Vec<&'a Said> {
        let played = self.played;
        let mut failed = vec![];
        for reaction in &played.flow.reactions {
            let name = played.waits_for(reaction);
            let came = reaction.events.contains(&number);
            match reaction.cue {
                Cue::On => {}
                Cue::After(_) if came => self.out.cancelled.push(name),
                Cue::After(_) => {}
                Cue::Tries(_) if came => drop(self.state.tries.remove(&name)),
                Cue::Tries(most) => {
                    let tried = self.state.tries.get(&name).copied().unwrap_or_default();
                    let other = |step: &Step| {
                        let leads = leads(&played.tasks, step);
                        leads.contains(&number) && meet(&leads, &reaction.events)
                    };
                    let mut steps = played.flow.reactions.iter().flat_map(|r| &r.steps);
                    if tried >= most && steps.any(other) {
                        failed.push(reaction);
                    }
                }
            }
            for step in &reaction.steps {
                let over = came && reaction.cue != Cue::On;
                if over || leads(&played.tasks, step).contains(&number) {
                    self.take_back(step);
                }
            }
        }
        failed
    }

    fn take_back(&mut self, step: &Step) {
        if let Some(task) = step.task() {
            let name = &self.played.tasks[task].name;
            if !self.out.withdrawn.contains(name) {
                self.out.withdrawn.push(name.clone());
            }
        }
    }

    /// Time is over.
    fn wake(&mut self, name: &str) {
        let played = self.played;
        for reaction in &played.flow.reactions {
            let is_time = matches!(reaction.cue, Cue::After(_));
            if !is_time || played.waits_for(reaction) != name {
                continue;
            }
            let (mut given_up, mut instead) = (vec![], vec![]);
            for other in self.limits(&reaction.events) {
                let tried = self.state.tries.get(&played.waits_for(other)).copied();
                let Cue::Tries(most) = other.cue else {
                    continue;
                };
                if tried.unwrap_or_default() >= most {
                    given_up.extend(other.events.clone());
                    instead.push(other);
                }
            }
            self.run(reaction, &given_up);
            for other in instead {
                self.run(other, &[]);
            }
        }
    }

    /// The reactions that say how often some events are waited for.
    fn limits(&self, events: &[usize]) -> Vec<&'a Said> {
        let all = self.played.flow.reactions.iter();
        let limit = |r: &&Said| {
            matches!(r.cue, Cue::Tries(_)) && r.events.iter().any(|e| events.contains(e))
        };
        all.filter(limit).collect()
    }

    /// Does what a reaction says, without the steps that would try again for what is given up.
    fn run(&mut self, reaction: &Said, given_up: &[usize]) {
        let tasks = &self.played.tasks;
        for step in &reaction.steps {
            let leads = leads(tasks, step);
            if meet(&leads, given_up) {
                continue;
            }
            self.take(step);
            self.arm(reaction, &leads);
        }
    }

    /// Starts the clocks of those that wait for what a step leads to. One that was run down starts
    /// again by its own step only where the board says how often.
    fn arm(&mut self, own: &Said, leads: &BTreeSet<usize>) {
        let played = self.played;
        for reaction in played
            .flow
            .reactions
            .iter()
            .filter(|r| meet(leads, &r.events))
        {
            let name = played.waits_for(reaction);
            match reaction.cue {
                Cue::On => {}
                Cue::Tries(_) => *self.state.tries.entry(name).or_default() += 1,
                Cue::After(time) => {
                    let same = own.cue == reaction.cue && own.events == reaction.events;
                    if !same || !self.limits(&reaction.events).is_empty() {
                        self.set(name, time);
                    }
                }
            }
        }
    }

    /// Starts the clocks that start with a reaction as a whole.
    fn arm_behind(&mut self, at: usize) {
        let played = self.played;
        for (reaction, by) in played.flow.reactions.iter().zip(&played.armed_by) {
            if let (Cue::After(time), true) = (reaction.cue, *by == Some(at)) {
                self.set(played.waits_for(reaction), time);
            }
        }
    }

    fn set(&mut self, name: String, time: Duration) {
        self.out.cancelled.retain(|n| *n != name);
        self.out.set.retain(|(n, _)| *n != name);
        self.out.set.push((name, self.now + time));
    }

    fn take(&mut self, step: &Step) {
        let played = self.played;
        match step {
            Step::Ask {
                actor,
                task,
                within,
            } => self.ask(*task, actor, *within),
            Step::Do { task } => {
                let of = &played.tasks[*task];
                if of.automatic {
                    let body = self.known(of, false);
                    self.issue(*task, None, body, None);
                } else {
                    let role = of.roles.first().map_or(ANYBODY, String::as_str);
                    self.ask(*task, role, None);
                }
            }
            Step::Tell { system, task } => {
                let body = self.known(&played.tasks[*task], false);
                self.take_back(step);
                self.issue(*task, Some(system), body, None);
            }
            Step::Raise { event } => {
                let stage = &played.stage;
                let raised = draft(stage, &stage.events[*event], &self.state.words);
                self.out.raised.push(raised);
            }
        }
    }

    /// Asks somebody; an earlier ask for the same that is still open is taken back.
    fn ask(&mut self, task: usize, role: &str, within: Option<Duration>) {
        let body = self.known(&self.played.tasks[task], true);
        self.take_back(&Step::Do { task });
        self.issue(task, Some(role), body, within);
    }

    fn issue(&mut self, task: usize, role: Option<&str>, body: Value, within: Option<Duration>) {
        self.out.issued.push(Issue {
            name: self.played.tasks[task].name.clone(),
            body,
            role: role.map(String::from),
            within,
            expires: false,
        });
    }

    /// The words of a task that are known here: all of them, or only what it is about.
    fn known(&self, task: &Task, ids_only: bool) -> Value {
        let mut body = json!({});
        for field in &task.fields {
            let Some(word) = field.word else { continue };
            let own = self.played.flow.keys.contains(&word);
            let made = field.def.fresh && !own;
            if made || (ids_only && !self.played.stage.is_key(word)) {
                continue;
            }
            if let Some(value) = self.state.words.get(&field.def.name) {
                body[&field.def.name] = value.clone();
            }
        }
        body
    }
}
